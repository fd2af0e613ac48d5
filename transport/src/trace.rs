//! One line per thing that happened, from any driver.
//!
//! A [`Recorder`] is given every step of a [`Host`](crate::host::Host); `Ndjson` (feature `trace`) writes them as
//! JSON lines: `at` in nanoseconds of the node's clock, `node`, `event`, and where they apply `peer` and `detail`.

use core::fmt;

use crate::ids::NodeId;
use crate::time::Instant;

mod value;

pub use value::{Fields, Value};

/// One thing that happened at one node.
#[derive(Clone, Copy)]
pub struct TraceEvent<'a> {
    /// The node's own monotonic reading.
    pub at: Instant,
    /// Where.
    pub node: NodeId,
    /// What: `receive`, `send`, `write`, `persisted`, `apply`, …
    pub event: &'static str,
    /// The other node, for messages.
    pub peer: Option<NodeId>,
    /// The thing itself.
    pub detail: &'a dyn fmt::Debug,
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

#[cfg(feature = "trace")]
pub use ndjson::{Line, Ndjson};

#[cfg(feature = "trace")]
mod ndjson {
    use super::{Recorder, TraceEvent};
    use serde::{Deserialize, Serialize};
    use std::io::{self, Write};

    /// A trace event as it stands in a file.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Line {
        /// Nanoseconds on the node's monotonic clock.
        pub at: u64,
        /// The node.
        pub node: u64,
        /// What happened.
        pub event: String,
        /// The other node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub peer: Option<u64>,
        /// The thing itself, as text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub detail: String,
    }

    impl Line {
        /// The line that stands for an event.
        pub fn of(event: TraceEvent<'_>) -> Self {
            Self {
                at: event.at.as_nanos(),
                node: event.node.get(),
                event: event.event.to_owned(),
                peer: event.peer.map(Into::into),
                detail: format!("{:?}", event.detail),
            }
        }
    }

    /// Writes one JSON object per line. The first error stops the writing and is kept for [`Ndjson::finish`].
    #[derive(Debug)]
    pub struct Ndjson<W: Write> {
        out: W,
        error: Option<io::Error>,
    }

    impl<W: Write> Ndjson<W> {
        /// Writes to `out`; give it a buffer.
        pub fn new(out: W) -> Self {
            Self { out, error: None }
        }

        /// Flushes, and says whether everything was written.
        pub fn finish(mut self) -> io::Result<W> {
            match self.error.take() {
                Some(error) => Err(error),
                None => self.out.flush().map(|()| self.out),
            }
        }
    }

    impl<W: Write> Recorder for Ndjson<W> {
        fn record(&mut self, event: TraceEvent<'_>) {
            if self.error.is_some() {
                return;
            }
            let written = serde_json::to_writer(&mut self.out, &Line::of(event))
                .map_err(io::Error::from)
                .and_then(|()| self.out.write_all(b"\n"));
            self.error = written.err();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::ids::NodeId;
        use crate::time::Instant;

        #[test]
        fn a_line_survives_the_file() {
            let mut out = Ndjson::new(Vec::new());
            let event = TraceEvent {
                at: Instant::from_nanos(5),
                node: NodeId::new(2),
                event: "send",
                peer: Some(NodeId::new(3)),
                detail: &"\"quoted\"\n",
            };
            out.record(event);
            let bytes = out.finish().expect("a vector takes everything");
            let line: Line = serde_json::from_slice(&bytes).expect("one object");
            assert_eq!(line, Line::of(event));
            assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 1);
        }
    }
}
