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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Message};
    use proptest::prelude::*;
    use synod_transport::ids::{NodeId, Tag};
    use synod_transport::machine::{Effects, Input, Machine, Outgoing};
    use synod_transport::quorum::Members;
    use synod_transport::store::{LogSummary, Receipt, Sealed, Write};

    type Asked = (Vec<Outgoing<Message>>, Vec<(WriteId, Outgoing<Message>)>, Option<Write>);

    fn members() -> Members {
        Members::new((1..=3).map(NodeId::new)).expect("valid")
    }

    fn node(id: u64) -> Raft {
        let config = Config { check_quorum: false, ..Config::new(NodeId::new(id)) };
        Raft::new(config, Static::new(members()), &LogSummary::default()).expect("a fresh node")
    }

    /// Steps a node, lets it forget, and gives what it asked for, in an order that names do not decide.
    fn step(node: &mut Raft, input: Input<Message, Command>) -> Asked {
        let mut effects = Effects::default();
        node.step(Instant::ZERO, input, &mut effects).expect("sound");
        let open = |sealed: Sealed<Outgoing<Message>>| {
            (sealed.after(), sealed.open(&Receipt::attest(WriteId::new(u64::MAX))).expect("opens"))
        };
        let mut sealed: Vec<_> = effects.sealed.into_iter().map(open).collect();
        effects.send.sort_unstable();
        sealed.sort_unstable();
        (effects.send, sealed, effects.write)
    }

    fn renamed(asked: Asked, names: &Renaming) -> Asked {
        let other = |it: Outgoing<Message>| Outgoing { to: names.node(it.to), ..it };
        let (send, sealed, write) = asked;
        let mut send: Vec<_> = send.into_iter().map(other).collect();
        let mut sealed: Vec<_> = sealed.into_iter().map(|(after, it)| (after, other(it))).collect();
        send.sort_unstable();
        sealed.sort_unstable();
        let state = |state: HardState| <Raft as Explorable>::rename_stored(state, names);
        let write = write.map(|write| Write { hard_state: write.hard_state.map(state), ..write });
        (send, sealed, write)
    }

    /// A world of three nodes whose disks sync at once or when they are told to.
    struct World {
        nodes: Vec<Raft>,
        network: Vec<(NodeId, Outgoing<Message>)>,
        sealed: Vec<Vec<(WriteId, Outgoing<Message>)>>,
    }

    impl World {
        fn new() -> Self {
            let nodes = (1..=3).map(node).map(|mut node| {
                node.forget();
                node
            });
            Self { nodes: nodes.collect(), network: Vec::new(), sealed: vec![Vec::new(); 3] }
        }

        /// What happens next, to whom.
        fn choose(&mut self, kind: u8, at: usize, pick: usize) -> (usize, Input<Message, Command>) {
            match kind {
                0 => (at, Input::Command(Command::Campaign)),
                1 => (at, Input::Wake),
                2 => (at, Input::Propose { tag: Tag::new(1), count: 1 }),
                3 => (at, Input::Read { tag: Tag::new(2) }),
                4..=6 => (at, Input::Persisted(Receipt::attest(self.nodes[at].writes.last))),
                _ if self.network.is_empty() => (at, Input::Wake),
                _ => {
                    let (from, Outgoing { to, message }) =
                        self.network.swap_remove(pick % self.network.len());
                    (usize::try_from(to.get()).expect("small") - 1, Input::Message { from, message })
                }
            }
        }

        /// Takes a step's messages in; a receipt covers all writes.
        fn carry_out(&mut self, at: usize, receipt: bool, asked: Asked) {
            let from = self.nodes[at].id();
            let open =
                if receipt { self.sealed[at].drain(..).map(|(_, it)| it).collect() } else { Vec::new() };
            self.network.extend(open.into_iter().chain(asked.0).map(|it| (from, it)));
            self.sealed[at].extend(asked.1);
        }
    }

    fn under(input: &Input<Message, Command>, names: &Renaming) -> Input<Message, Command> {
        match input {
            Input::Message { from, message } => Input::Message { from: names.node(*from), message: *message },
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_node_under_other_names_does_the_same_under_other_names(
            choices in proptest::collection::vec((0u8..14, 0usize..3, 0usize..100), 1..120), which in 0usize..6
        ) {
            let names = Renaming::all(&members()).swap_remove(which);
            let mut world = World::new();
            for (kind, at, pick) in choices {
                let (at, input) = world.choose(kind, at, pick);
                let receipt = matches!(input, Input::Persisted(_));
                let mut twin = world.nodes[at].clone();
                twin.rename(&names);
                let mut back = twin.clone();
                back.rename(&names.inverse());
                prop_assert_eq!(&back, &world.nodes[at], "there and back again");

                let said = step(&mut twin, under(&input, &names));
                let asked = step(&mut world.nodes[at], input);
                prop_assert_eq!(&said, &renamed(asked.clone(), &names));
                twin.forget();
                world.nodes[at].forget();
                let mut expected = world.nodes[at].clone();
                expected.forget();
                prop_assert_eq!(&expected, &world.nodes[at], "forgetting twice is forgetting once");
                expected.rename(&names);
                prop_assert_eq!(twin, expected);
                world.carry_out(at, receipt, asked);
            }
        }

        /// What is forgotten decides nothing: a node that never forgets asks for the same, but for the numbers of writes.
        #[test]
        fn a_node_that_forgets_asks_for_what_one_that_remembers_asks_for(
            choices in proptest::collection::vec((0u8..14, 0usize..3, 0usize..100), 1..120)
        ) {
            let mut world = World::new();
            let mut keeps: Vec<Raft> = (1..=3).map(node).collect();
            for (kind, at, pick) in choices.into_iter().filter(|(kind, _, _)| *kind != 1) {
                let (at, input) = world.choose(kind, at, pick);
                if matches!(input, Input::Wake) {
                    continue;
                }
                let receipt = matches!(input, Input::Persisted(_));
                let durable = keeps[at].writes.durable.get();
                let same = match &input {
                    Input::Persisted(_) => Input::Persisted(Receipt::attest(keeps[at].writes.last)),
                    other => other.clone(),
                };
                let (sends, seals, write) = step(&mut keeps[at], same);
                let asked = step(&mut world.nodes[at], input);
                let from_there = |write: WriteId| WriteId::new(write.get() - durable);
                let seals: Vec<_> = seals.into_iter().map(|(after, it)| (from_there(after), it)).collect();
                let write = write.map(|write| Write { id: from_there(write.id), ..write });
                prop_assert_eq!(&(sends, seals, write), &asked);
                world.nodes[at].forget();
                let mut forgetful = keeps[at].clone();
                forgetful.forget();
                prop_assert_eq!(&forgetful, &world.nodes[at]);
                world.carry_out(at, receipt, asked);
            }
        }
    }
}
