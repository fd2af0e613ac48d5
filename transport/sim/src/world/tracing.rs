//! One trace for all nodes, in virtual time.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use synod_transport::ids::NodeId;
use synod_transport::time::Instant;
use synod_transport::trace::{Ndjson, Recorder, TraceEvent};

struct Sink {
    now: u64,
    out: Option<Ndjson<Box<dyn io::Write + Send>>>,
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

    pub(super) fn note(
        &self,
        now: u64,
        node: NodeId,
        event: &'static str,
        peer: Option<NodeId>,
        detail: &dyn fmt::Debug,
    ) {
        if let Some(out) = &mut self.lock().out {
            out.record(TraceEvent { at: Instant::from_nanos(now), node, event, peer, detail });
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
