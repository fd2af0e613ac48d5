//! One trace for all nodes, in virtual time.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use synod_transport::ids::NodeId;
use synod_transport::time::Instant;
use synod_transport::trace::{Fields, Ndjson, Recorder, TraceEvent, Value};

struct Sink {
    now: u64,
    out: Option<Ndjson<Box<dyn io::Write + Send>>>,
}

/// Something that the world did. Node 0 stands for all of it.
pub(super) struct Did<'a> {
    pub(super) what: &'a str,
    pub(super) node: NodeId,
    pub(super) peer: Option<NodeId>,
    pub(super) message: Option<Value>,
    pub(super) fields: Fields,
}

impl<'a> Did<'a> {
    pub(super) fn new(node: NodeId, what: &'a str, fields: Fields) -> Self {
        Self { what, node, peer: None, message: None, fields }
    }
}

/// A handle to the trace; hosts hold others.
#[derive(Clone)]
pub(super) struct Trace(Arc<Mutex<Sink>>);

impl Trace {
    pub(super) fn new(out: Box<dyn io::Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(Sink { now: 0, out: Some(Ndjson::new(out)) })))
    }

    /// Virtual time has come this far.
    pub(super) fn set_now(&self, now: u64) {
        self.lock().now = now;
    }

    /// Something that the world did, now.
    pub(super) fn note(&self, did: &Did<'_>) {
        let mut sink = self.lock();
        let at = Instant::from_nanos(sink.now);
        if let Some(out) = &mut sink.out {
            out.record(TraceEvent {
                peer: did.peer,
                message: did.message.as_ref(),
                fields: &did.fields,
                ..TraceEvent::new(at, did.node, did.what)
            });
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        let out = self.lock().out.take();
        out.map_or(Ok(()), |out| out.finish().map(drop))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder for Trace {
    fn record(&mut self, event: TraceEvent<'_>) {
        let mut sink = self.lock();
        let at = Instant::from_nanos(sink.now);
        if let Some(out) = &mut sink.out {
            out.record(TraceEvent { at, ..event });
        }
    }
}
