//! The seam between protocols and drivers: a pure step from input to effects.
//!
//! A machine holds no socket, file, thread, clock or random source. Whoever drives it, whether a simulated world, an
//! explorer or a process with real disks, tells it what happened and carries out what it asks for. Most drivers do so
//! through a [`Host`](crate::host::Host).

use crate::ids::{LogIndex, NodeId, Tag, Term, WriteId};
use crate::log::Span;
use crate::net::Class;
use crate::store::{HardState, Receipt, Sealed, Write};
use crate::time::Instant;
use crate::trace::Value;
use crate::wire::{Reader, WireError, Writer};

/// A broken invariant. The machine refuses all further work; the process should stop and tell a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("invariant broken: {0}")]
pub struct Fatal(pub &'static str);

/// A protocol's message, without the payloads it moves.
pub trait Message: Clone + core::fmt::Debug + Sized {
    /// What it may wait behind.
    fn class(&self) -> Class;

    /// The entries that travel with it, if any.
    fn span(&self) -> Option<&Span>;

    /// Cuts a message whose payloads are too long for one frame after `keep` entries, at least one. Gives `None` for
    /// the rest when nothing is left.
    fn split(self, keep: u32) -> (Self, Option<Self>);

    /// Writes all fields.
    fn encode(&self, out: &mut Writer);

    /// Reads all fields; payloads may follow.
    fn decode(from: &mut Reader) -> Result<Self, WireError>;

    /// Its name in a trace.
    fn name(&self) -> &'static str {
        "Message"
    }

    /// What the events of its sending and receiving are called in a trace, behind `Send` and `Receive`.
    fn noun(&self) -> &'static str {
        self.name()
    }

    /// Its fields, for traces and checkers. Never called unless somebody looks.
    fn observe(&self) -> Value {
        Value::Null
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<M, C> {
    /// Time passed. Also the first input of a machine's life.
    Wake,
    /// A message came; the connection it came on belongs to `from`.
    Message {
        /// The sender.
        from: NodeId,
        /// What it says.
        message: M,
    },
    /// The store attests that writes are durable.
    Persisted(Receipt),
    /// A caller offers `count` commands.
    Propose {
        /// The caller's mark.
        tag: Tag,
        /// How many.
        count: u32,
    },
    /// A caller asks from which index on a read is linearizable.
    Read {
        /// The caller's mark.
        tag: Tag,
    },
    /// Something that only this protocol knows.
    Command(C),
}

/// Why a request came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Only a leader can do this. Nothing was done; ask the one named.
    #[error("this node is not the leader")]
    NotLeader {
        /// Who is, as far as this node knows.
        leader: Option<NodeId>,
    },
    /// A window is full. Nothing was done; try again later.
    #[error("too much is in flight")]
    Busy,
    /// This protocol has no such request. Nothing was done.
    #[error("not supported by this protocol")]
    Unsupported,
}

/// What a node is at present.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Follows a leader, or waits for one.
    Follower,
    /// Asks whether an election could be won, without disturbing anyone.
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Leads its term.
    Leader,
}

impl Role {
    /// Its name in a trace.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "Follower",
            Self::PreCandidate => "PreCandidate",
            Self::Candidate => "Candidate",
            Self::Leader => "Leader",
        }
    }
}

/// News for the caller of this node. None of it needs an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// The commands offered under `tag` stand in the log from `first` on. They may yet be lost to another leader:
    /// committed is what is applied with the same term.
    Accepted {
        /// The caller's mark.
        tag: Tag,
        /// Term they were given.
        term: Term,
        /// Index of the first.
        first: LogIndex,
        /// How many were taken: all of them.
        count: u32,
    },
    /// The request under `tag` was refused, or its outcome can no longer be known by this node.
    Refused {
        /// The caller's mark.
        tag: Tag,
        /// Why.
        reason: Refusal,
    },
    /// A read under `tag` is linearizable once everything through `index` is applied here.
    ReadReady {
        /// The caller's mark.
        tag: Tag,
        /// What must be applied first.
        index: LogIndex,
    },
    /// The role, the term or the known leader changed.
    Role {
        /// What this node is now.
        role: Role,
        /// Its term.
        term: Term,
        /// The leader it knows of.
        leader: Option<NodeId>,
    },
}

/// A message and where it goes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Outgoing<M> {
    /// The receiver.
    pub to: NodeId,
    /// What to tell it.
    pub message: M,
}

/// What a step asks for. Reused from step to step, so that a step in steady state allocates nothing.
///
/// The order in which a driver carries them out is free, but for one thing: the write is submitted before any later
/// step's write.
#[derive(Clone, Debug)]
pub struct Effects<M> {
    /// Messages that promise nothing durable: send them at once.
    pub send: Vec<Outgoing<M>>,
    /// Messages that wait for a write.
    pub sealed: Vec<Sealed<Outgoing<M>>>,
    /// The write, if any.
    pub write: Option<Write>,
    /// Everything through this index may be applied, in order. Stands until it grows.
    pub apply_through: LogIndex,
    /// When to give the next [`Input::Wake`], at the latest. Stands until it is replaced.
    pub wake_at: Instant,
    /// News for the caller.
    pub events: Vec<Event>,
}

impl<M> Default for Effects<M> {
    fn default() -> Self {
        Self {
            send: Vec::new(),
            sealed: Vec::new(),
            write: None,
            apply_through: LogIndex::ZERO,
            wake_at: Instant::ZERO,
            events: Vec::new(),
        }
    }
}

impl<M> Effects<M> {
    /// Sends without waiting for anything.
    pub fn send(&mut self, to: NodeId, message: M) {
        self.send.push(Outgoing { to, message });
    }

    /// Sends once `after` is durable.
    pub fn send_after(&mut self, after: WriteId, to: NodeId, message: M) {
        self.sealed.push(Sealed::new(after, Outgoing { to, message }));
    }
}

/// A protocol as a pure state machine.
pub trait Machine {
    /// What it says to its peers.
    type Message: Message;
    /// What it can be told beyond the common inputs.
    type Command;

    /// The node it speaks for.
    fn id(&self) -> NodeId;

    /// Its state, for traces and checkers. Never called unless somebody looks.
    fn observe(&self) -> Value {
        Value::Null
    }

    /// What a command says, for traces.
    fn observe_command(&self, _command: &Self::Command) -> Value {
        Value::Null
    }

    /// What a hard state of this protocol says, for traces; its bytes are its own.
    fn observe_hard_state(&self, _state: &HardState) -> Value {
        Value::Null
    }

    /// Takes one input and adds to `effects`. Deterministic: the same state, time and input give the same effects.
    ///
    /// # Errors
    /// [`Fatal`] when an invariant is broken, and for every input after that.
    fn step(
        &mut self,
        now: Instant,
        input: Input<Self::Message, Self::Command>,
        effects: &mut Effects<Self::Message>,
    ) -> Result<(), Fatal>;
}
