//! What clients asked and what they were told.

use bytes::{BufMut, Bytes, BytesMut};
use synod_transport::ids::{Incarnation, LogIndex, NodeId, Term};

/// What a client asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// To put this many commands into the log.
    Propose {
        /// How many.
        count: u32,
    },
    /// To read the applied log.
    Read,
}

/// How a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Nothing was heard yet.
    Pending,
    /// A proposal's last command was applied at this index; or a read saw everything through this index.
    Done(LogIndex),
    /// Nothing was done, or what was done is lost for sure.
    Refused,
    /// The client gave up, or the node it spoke to is gone: it may have happened, or may yet.
    Unknown,
}

/// Where a node put a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Its term.
    pub term: Term,
    /// Index of its first command.
    pub first: LogIndex,
    /// How many.
    pub count: u32,
}

impl Accepted {
    /// Index of its last command.
    pub fn last(&self) -> LogIndex {
        self.first.plus(u64::from(self.count)).previous()
    }
}

/// One request of one client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The client; zero is the one that proves liveness.
    pub client: u64,
    /// The node it spoke to.
    pub node: NodeId,
    /// That node's life.
    pub life: Incarnation,
    /// What it asked.
    pub request: Request,
    /// Virtual time of the call, in nanoseconds.
    pub invoked_at: u64,
    /// Place of the call among all calls and answers of the run.
    pub invoked_order: u64,
    /// Virtual time of the answer, in nanoseconds.
    pub completed_at: Option<u64>,
    /// Place of the answer among all calls and answers of the run.
    pub completed_order: Option<u64>,
    /// Where the commands were put, if they were.
    pub accepted: Option<Accepted>,
    /// How it stands.
    pub status: Status,
}

/// The payload of one command of a proposal: the operation's number and the command's place in it.
pub fn payload(operation: u64, at: u32) -> Bytes {
    let mut bytes = BytesMut::with_capacity(12);
    bytes.put_u64_le(operation);
    bytes.put_u32_le(at);
    bytes.freeze()
}
