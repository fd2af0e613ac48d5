//! What clients asked and what they were told.

use bytes::{BufMut, Bytes, BytesMut};
use synod_transport::ids::{Incarnation, LogIndex, NodeId, Term};
use synod_transport::trace::{Fields, Value, named};

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

/// What the trace's `Invoke` says, beside the node that is asked. The operation is the tag under which it hears of it.
pub fn invoke_fields(client: u64, operation: u64, request: Request) -> Fields {
    let mut fields = named([("client", client.into()), ("operation", operation.into())]);
    match request {
        Request::Propose { count } => {
            fields.extend(named([("request", Value::word("Propose")), ("count", count.into())]));
        }
        Request::Read => fields.extend(named([("request", Value::word("Read"))])),
    }
    fields
}

/// What the trace's `Complete` says, beside the node that was asked; `leader` is the node that it named instead of itself.
pub fn complete_fields(client: u64, operation: u64, status: Status, leader: Option<NodeId>) -> Fields {
    let mut fields = named([("client", client.into()), ("operation", operation.into())]);
    let (word, index) = match status {
        Status::Done(index) => ("Done", Some(index)),
        Status::Refused => ("Refused", None),
        Status::Pending | Status::Unknown => ("Unknown", None),
    };
    fields.extend(named([("status", Value::word(word))]));
    fields.extend(index.into_iter().flat_map(|index| named([("index", index.into())])));
    fields.extend(leader.into_iter().flat_map(|leader| named([("leader", leader.into())])));
    fields
}
