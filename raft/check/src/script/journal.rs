//! What came of a script: lines for people, and a trace.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use synod_raft::Message;
use synod_transport::host::decode;
use synod_transport::time::Instant;
use synod_transport::trace::{Fields, Line, Ndjson, Recorder, TraceEvent, Value, message, named};

use super::command::Link;
use super::show;

/// What a step takes in a trace, so that the eye sees which came first. In the machines' time it takes none.
const STEP: Duration = Duration::from_micros(1);

#[derive(Default)]
struct Told {
    at: Instant,
    lines: Vec<Line>,
    said: Vec<String>,
}

/// A handle to what was told; hosts and disks hold others.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Told>>);

impl Journal {
    /// The next thing happens; the script's clock stands at `now`.
    pub(super) fn step(&self, now: Instant) {
        let mut told = self.lock();
        told.at = told.at.plus(STEP).max(now);
    }

    /// Tells people.
    pub(super) fn say(&self, line: String) {
        self.lock().said.push(line);
    }

    /// What people were told since they last listened.
    pub(super) fn listen(&self) -> Vec<String> {
        core::mem::take(&mut self.lock().said)
    }

    /// Of that, keeps what is telling.
    pub(super) fn shorten(&self) {
        self.lock().said.retain(|line| show::telling(line));
    }

    /// Puts something into the trace that no host tells of.
    pub(super) fn note(&self, node: u64, event: &str, fields: Fields) {
        self.push(Line { node, event: event.to_owned(), fields, ..Line::default() });
    }

    /// A frame is lost.
    pub(super) fn lost(&self, (from, to): Link, frame: &Bytes, reason: &'static str) {
        let content = decode::<Message>(frame.clone(), &mut Vec::new());
        self.push(Line {
            node: from,
            event: "Drop".to_owned(),
            peer: Some(to),
            message: content.ok().as_ref().map(message),
            fields: named([("reason", Value::word(reason))]),
            ..Line::default()
        });
    }

    /// Whether the node has started, and done nothing else.
    pub(super) fn is_fresh(&self, node: u64) -> bool {
        let told = self.lock();
        let mut events = told.lines.iter().filter(|line| line.node == node).map(|line| line.event.as_str());
        events.by_ref().eq(["Start", "InitState", "Wake", "Ready"])
    }

    /// Takes the node out of the trace: it starts anew, with another disk.
    pub(super) fn forget(&self, node: u64) {
        self.lock().lines.retain(|line| line.node != node);
    }

    /// Writes the trace.
    pub(super) fn write(&self, out: impl io::Write) -> io::Result<()> {
        let mut ndjson = Ndjson::new(out);
        for line in &self.lock().lines {
            ndjson.record(line.to_event());
        }
        ndjson.finish().map(drop)
    }

    fn push(&self, line: Line) {
        let mut told = self.lock();
        let at = told.at.as_nanos();
        told.lines.push(Line { at, ..line });
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder for Journal {
    fn record(&mut self, event: TraceEvent<'_>) {
        if let Some(line) = show::describe(&event) {
            self.say(line);
        }
        self.push(Line::of(event));
    }
}
