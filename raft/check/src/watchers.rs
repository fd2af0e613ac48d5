//! Each property as a world's invariant: what of a world it looks at, and after which steps.

use synod_sim::invariant::{Broken, Invariant};
use synod_sim::world::World;
use synod_transport::ids::{LogIndex, NodeId, Position};
use synod_transport::machine::Role;

use crate::Node;
use crate::invariants::{
    ElectionSafety, LeaderAppendOnly, LeaderCompleteness, committed_is_durable, log_matching,
};

/// All properties of figure 3, and those that this implementation adds.
pub(crate) fn all() -> Vec<Box<dyn Invariant<Node>>> {
    vec![
        Box::new(OfElection::default()),
        Box::new(OfMatching),
        Box::new(OfAppending::default()),
        Box::new(OfCompleteness::default()),
        Box::new(OfDurability::default()),
        Box::new(OfTheCore),
    ]
}

#[derive(Default)]
struct OfElection(ElectionSafety);

impl Invariant<Node> for OfElection {
    fn name(&self) -> &'static str {
        "election safety"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        match world.machine(touched) {
            Some(raft) if raft.role() == Role::Leader => Ok(self.0.leads(touched, raft.term())?),
            _ => Ok(()),
        }
    }
}

struct OfMatching;

impl Invariant<Node> for OfMatching {
    fn name(&self) -> &'static str {
        "log matching"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        let Some(raft) = world.machine(touched) else { return Ok(()) };
        for other in world.node_ids().filter(|other| *other != touched) {
            if let Some(peer) = world.machine(other) {
                log_matching(raft.log(), peer.log())?;
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct OfAppending(LeaderAppendOnly);

impl Invariant<Node> for OfAppending {
    fn name(&self) -> &'static str {
        "leader append-only"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        match world.machine(touched) {
            Some(raft) if raft.role() == Role::Leader => {
                Ok(self.0.leads(touched, raft.term(), raft.log())?)
            }
            _ => {
                self.0.rests(touched);
                Ok(())
            }
        }
    }
}

#[derive(Default)]
struct OfCompleteness(LeaderCompleteness);

impl Invariant<Node> for OfCompleteness {
    fn name(&self) -> &'static str {
        "leader completeness"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        let Some(raft) = world.machine(touched) else { return Ok(()) };
        self.0.commits(touched, raft.term(), raft.log(), raft.commit())?;
        if raft.role() == Role::Leader {
            self.0.leads(touched, raft.term(), raft.log())?;
        }
        Ok(())
    }
}

/// Checked once for each index, when the first node knows it committed.
#[derive(Default)]
struct OfDurability {
    checked: LogIndex,
}

impl Invariant<Node> for OfDurability {
    fn name(&self) -> &'static str {
        "committed is durable"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        let Some(raft) = world.machine(touched) else { return Ok(()) };
        let commit = raft.commit();
        let Some(term) = raft.log().term_at(commit).filter(|_| commit > self.checked) else { return Ok(()) };
        self.checked = commit;
        let entry = Position { term, index: commit };
        let (mut holders, mut members) = (0, 0);
        for node in world.node_ids() {
            members += 1;
            holders += usize::from(world.disk(node).is_some_and(|disk| disk.durable().holds(entry)));
        }
        Ok(committed_is_durable(entry, holders, members)?)
    }
}

/// What the core promises of its own state.
struct OfTheCore;

impl Invariant<Node> for OfTheCore {
    fn name(&self) -> &'static str {
        "invariants of the core"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        let Some(raft) = world.machine(touched) else { return Ok(()) };
        raft.check_invariants().map_err(|fatal| Broken(fatal.to_string()))
    }
}
