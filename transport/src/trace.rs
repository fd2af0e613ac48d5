//! One line per thing that happened, from any driver: enough to check a run against a specification and to draw it.
//!
//! A [`Recorder`] is given every step of a [`Host`](crate::host::Host) as a group of events: the input, what the
//! machine asked for, and at last `Ready` with the machine's state. `docs/trace.md` lists events and fields.
//! `Ndjson` (feature `trace`) writes them as lines of JSON, `read` reads them back, `groups` finds the steps again.

use core::fmt;
use std::borrow::Cow;

use crate::ids::NodeId;
use crate::time::Instant;

#[cfg(feature = "trace")]
mod groups;
#[cfg(feature = "trace")]
mod line;
#[cfg(feature = "trace")]
mod ndjson;
mod value;

#[cfg(feature = "trace")]
pub use groups::{Group, Place, groups, place};
#[cfg(feature = "trace")]
pub use line::Line;
#[cfg(feature = "trace")]
pub use ndjson::{Ndjson, ReadError, read};
pub use value::{Fields, Value, named};

/// One thing that happened at one node.
#[derive(Clone, Copy, Debug)]
pub struct TraceEvent<'a> {
    /// The node's own monotonic reading; virtual time in a simulated world.
    pub at: Instant,
    /// Where; zero for what happens to a whole world.
    pub node: NodeId,
    /// What.
    pub event: &'a str,
    /// The other node, for messages.
    pub peer: Option<NodeId>,
    /// The message, a record with its `kind` and its fields.
    pub message: Option<&'a Value>,
    /// What else there is to know. No name is one of this struct's.
    pub fields: &'a [(Cow<'static, str>, Value)],
    /// The machine's state, where a step ends.
    pub state: Option<&'a Value>,
    /// The thing itself, for people; no file has it.
    pub detail: &'a dyn fmt::Debug,
}

impl TraceEvent<'_> {
    /// An event of which nothing else is known.
    pub const fn new(at: Instant, node: NodeId, event: &str) -> TraceEvent<'_> {
        TraceEvent { at, node, event, peer: None, message: None, fields: &[], state: None, detail: &() }
    }
}

/// Takes note of what happens.
pub trait Recorder {
    /// Takes note of one event. Must not fail: a recorder that cannot write keeps the error to itself until asked.
    fn record(&mut self, event: TraceEvent<'_>);
}

impl<F: FnMut(TraceEvent<'_>)> Recorder for F {
    fn record(&mut self, event: TraceEvent<'_>) {
        self(event);
    }
}

/// A message as traces show it: its kind, then its fields.
pub fn message<M: crate::machine::Message>(message: &M) -> Value {
    let kind = (Cow::Borrowed("kind"), Value::word(message.name()));
    match message.observe() {
        Value::Null => Value::Record(vec![kind]),
        Value::Record(mut fields) => {
            fields.insert(0, kind);
            Value::Record(fields)
        }
        other => Value::Record(vec![kind, (Cow::Borrowed("value"), other)]),
    }
}
