//! What happened in a run, as far as it tells whether the run tried anything: a check that never saw a leader fall proves
//! little about leaders that fall.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use synod_raft::Ballot;
use synod_sim::invariant::{Broken, Invariant};
use synod_sim::world::World;
use synod_transport::ids::{Incarnation, LogIndex, NodeId, Position, Term};
use synod_transport::machine::Role;

use crate::Node;

macro_rules! seen {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// Something that may happen in a run.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Seen { $($(#[$doc])* $name,)* }

        impl Seen {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

seen! {
    /// A second node led, in a later term.
    LeaderChange = "leader change";
    /// A leader stopped leading while it stayed up.
    LeaderDeposed = "leader deposed";
    /// A node was cut off from its power with writes that no sync had covered.
    CrashBeforeSync = "crash between write and sync";
    /// A vote was given, and lost with the write that held it.
    VoteLost = "vote lost in a crash";
    /// A follower cut entries off its log that another leader had replaced.
    LogTruncated = "log truncated";
    /// A read was taken in by a leader that lost its quorum before it could be confirmed.
    ReadQuorumLost = "read quorum lost";
    /// A campaign was given up because a quorum refused its pre-votes.
    PreVoteRefused = "pre-vote refused";
    /// Two candidates of one term, and no leader of it.
    SplitVote = "split vote";
    /// A leader committed an entry of an earlier term, by way of one of its own.
    OldTermCommitted = "old-term entry committed by a new leader";
    /// A message came twice.
    Duplicate = "duplicate delivered";
    /// The network was split.
    Partition = "partition";
    /// A proposal that a leader had accepted was replaced by another's.
    ProposalReplaced = "accepted proposal replaced";
}

/// What a run saw.
#[derive(Clone, Debug, Default)]
pub struct Coverage(Rc<Cell<u32>>);

impl Coverage {
    /// Whether this happened.
    pub fn saw(&self, what: Seen) -> bool {
        self.0.get() & (1 << what as u32) != 0
    }

    /// Everything that happened.
    pub fn all(&self) -> impl Iterator<Item = Seen> + use<'_> {
        Seen::ALL.iter().copied().filter(|what| self.saw(*what))
    }

    /// Looks at a world after every step for what happens there.
    pub(crate) fn watcher(&self) -> Box<dyn Invariant<Node>> {
        Box::new(Watcher { coverage: self.clone(), ..Watcher::default() })
    }

    /// Adds what the world itself counted.
    pub(crate) fn add_counts(&self, counts: &BTreeMap<&'static str, u64>) {
        for (name, seen) in [
            ("crashed-with-unsynced-writes", Seen::CrashBeforeSync),
            ("read-lost-its-quorum", Seen::ReadQuorumLost),
            ("duplicate", Seen::Duplicate),
            ("partition", Seen::Partition),
            ("proposal-lost-to-another-leader", Seen::ProposalReplaced),
        ] {
            if counts.contains_key(name) {
                self.note(seen);
            }
        }
    }

    fn note(&self, what: Seen) {
        self.0.set(self.0.get() | 1 << what as u32);
    }
}

/// A node as it was at its last step.
#[derive(Clone, Copy)]
struct Last {
    life: Incarnation,
    role: Role,
    ballot: Ballot,
    end: Position,
    commit: LogIndex,
}

#[derive(Default)]
struct Watcher {
    coverage: Coverage,
    last: BTreeMap<NodeId, Last>,
    /// The latest leader.
    leader: Option<(Term, NodeId)>,
    /// The candidates of the latest term that had one, and how many.
    candidates: (Term, Vec<NodeId>),
}

impl Watcher {
    fn elections(&mut self, node: NodeId, now: &Last) {
        let term = now.ballot.term;
        match now.role {
            Role::Leader => {
                if self.leader.is_some_and(|(before, who)| before < term && who != node) {
                    self.coverage.note(Seen::LeaderChange);
                }
                if self.leader.is_none_or(|(before, _)| before < term) {
                    self.leader = Some((term, node));
                }
            }
            Role::Candidate if term >= self.candidates.0 => {
                if term > self.candidates.0 {
                    let led = self.leader.is_some_and(|(led, _)| led == self.candidates.0);
                    if self.candidates.1.len() > 1 && !led {
                        self.coverage.note(Seen::SplitVote);
                    }
                    self.candidates = (term, Vec::new());
                }
                if !self.candidates.1.contains(&node) {
                    self.candidates.1.push(node);
                }
            }
            _ => {}
        }
    }

    fn changes(&self, before: &Last, now: &Last, world: &World<Node>, node: NodeId) {
        let note = |what, holds: bool| {
            if holds {
                self.coverage.note(what);
            }
        };
        if before.life != now.life {
            let lost = now.ballot.term < before.ballot.term
                || (now.ballot.term == before.ballot.term && now.ballot.vote.is_none());
            note(Seen::VoteLost, before.ballot.vote.is_some() && lost);
            return;
        }
        let Some(raft) = world.machine(node) else { return };
        note(Seen::LeaderDeposed, before.role == Role::Leader && now.role != Role::Leader);
        note(Seen::LogTruncated, raft.log().term_at(before.end.index) != Some(before.end.term));
        let gave_up = before.role == Role::PreCandidate && now.role == Role::Follower;
        let same_term = before.ballot.term == now.ballot.term;
        note(Seen::PreVoteRefused, gave_up && same_term && raft.leader().is_none());
        let first = raft.log().term_at(before.commit.next());
        let old = first.is_some_and(|term| term < now.ballot.term);
        note(Seen::OldTermCommitted, now.role == Role::Leader && now.commit > before.commit && old);
    }
}

impl Invariant<Node> for Watcher {
    fn name(&self) -> &'static str {
        "coverage"
    }

    fn check(&mut self, world: &World<Node>, touched: NodeId) -> Result<(), Broken> {
        let Some(raft) = world.machine(touched) else { return Ok(()) };
        let now = Last {
            life: world.life(touched),
            role: raft.role(),
            ballot: raft.ballot(),
            end: raft.log().last(),
            commit: raft.commit(),
        };
        self.elections(touched, &now);
        if let Some(before) = self.last.insert(touched, now) {
            self.changes(&before, &now, world, touched);
        }
        Ok(())
    }
}
