//! What an explorer may forget about a node, and how a node looks under other names.
//!
//! Forgotten, because nothing that follows depends on it when time-outs come from outside and `check_quorum` is off:
//!
//! - clocks: `now`, `deadline`, `heard_at`, `heartbeat_at`, `check_at`. The explorer itself decides when an election
//!   timeout or a heartbeat interval passes, so it lets each happen at any moment;
//! - chance: `rng` only draws the deadlines that are forgotten;
//! - check-quorum's notes, `active` and `waiting_behind`: read only by a leader that checks its quorum;
//! - `moved` and `overdue` of each peer: an explorer passes two intervals at once, and what is unanswered at the first is
//!   overdue at the second, whatever was noted before;
//! - the announced role: it decides which event is told, not what is done;
//! - absolute numbers of writes: only their distance from the newest durable one is ever compared.
//!
//! With `check_quorum` on, forgetting loses leases and step-downs: those only take behaviours away.

use core::hash::Hash;

use synod_transport::explore::{Explorable, Renaming};
use synod_transport::ids::{Term, WriteId};
use synod_transport::machine::{Fatal, Role};
use synod_transport::quorum::{NodeSet, Static};
use synod_transport::rng::Rng;
use synod_transport::store::HardState;
use synod_transport::time::Instant;

use crate::core::{Command, Leader, Raft, State, Tally, Writes};
use crate::durable::Ballot;
use crate::fault::Faults;

impl<F: Faults + Eq + Hash + Send + Sync> Explorable for Raft<Static, F> {
    fn campaign() -> Command {
        Command::Campaign
    }

    fn role(&self) -> Role {
        Raft::role(self)
    }

    fn term(&self) -> Term {
        Raft::term(self)
    }

    fn check(&self) -> Result<(), Fatal> {
        self.check_invariants()
    }

    fn forget(&mut self) {
        self.now = Instant::ZERO;
        self.deadline = Some(Instant::MAX);
        self.heard_at = Instant::ZERO;
        self.rng = Rng::new(0);
        self.announced = (Raft::role(self), Raft::term(self), self.leader);
        self.writes.renumber();
        if let State::Leader(leader) = &mut self.state {
            leader.forget();
        }
    }

    fn rename(&mut self, names: &Renaming) {
        self.settings.id = names.node(self.settings.id);
        self.ballot.rename(names);
        self.leader = self.leader.map(|leader| names.node(leader));
        self.announced.2 = self.announced.2.map(|leader| names.node(leader));
        match &mut self.state {
            State::Follower => {}
            State::PreCandidate(tally) | State::Candidate(tally) => tally.rename(names),
            State::Leader(leader) => leader.rename(names),
        }
    }

    fn rename_stored(state: HardState, names: &Renaming) -> HardState {
        match Ballot::decode(&state) {
            None => state,
            Some(mut ballot) => {
                ballot.rename(names);
                ballot.encode()
            }
        }
    }
}

impl Writes {
    /// Counts from the newest durable write on.
    fn renumber(&mut self) {
        let durable = self.durable.get();
        let from_there = |write: WriteId| WriteId::new(write.get().saturating_sub(durable));
        self.last = from_there(self.last);
        self.ballot = from_there(self.ballot);
        for (write, _) in &mut self.appends {
            *write = from_there(*write);
        }
        self.durable = WriteId::ZERO;
    }
}

impl Leader {
    fn forget(&mut self) {
        self.active = NodeSet::EMPTY;
        self.heartbeat_at = Instant::ZERO;
        self.check_at = Instant::MAX;
        self.waiting_behind = None;
        for peer in &mut self.peers {
            peer.forget();
        }
    }

    fn rename(&mut self, names: &Renaming) {
        names.by_slot(&mut self.peers);
        names.by_slot(&mut self.matched);
        self.active = names.set(self.active);
    }
}

impl Tally {
    fn rename(&mut self, names: &Renaming) {
        self.yes = names.set(self.yes);
        self.no = names.set(self.no);
    }
}

impl Ballot {
    fn rename(&mut self, names: &Renaming) {
        self.vote = self.vote.map(|vote| names.node(vote));
    }
}
