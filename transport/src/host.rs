//! What every driver of a machine has to do, written once and without a runtime.
//!
//! ```text
//!   deliver / propose / read / wake            ┌─────────┐
//!  ───────────────────────────────────────────▶│ Machine │
//!                                              └────┬────┘
//!            stage payloads · submit writes         │ Effects
//!            hold seals · open them by receipt ◀────┘
//!  ◀─────────────────────────────────────────── outgoing · committed · events · wake_at
//! ```
//!
//! A [`Host`] joins one [`Machine`] with one [`LogStore`]: it gives the machine's writes their payloads, keeps sealed
//! messages until the store's receipt opens them, and attaches payloads to messages on their way out. The simulator,
//! the benches and the tokio node all sit on it; they differ in where time, frames and disks come from.

mod recording;

use core::task::{Context, Poll};
use std::collections::VecDeque;

use bytes::Bytes;

use crate::ids::{LogIndex, NodeId, Tag};
use crate::log::{Entry, EntryKind, EntryRef, Span};
use crate::machine::{Effects, Event, Fatal, Input, Machine, Message, Outgoing};
use crate::net::{Class, Frame};
use crate::store::{Append, Batch, Body, LogStore, Receipt, Sealed, StoreError, Write};
use crate::time::Instant;
use crate::trace::Recorder;
use crate::wire::{Reader, WireError, Writer};
use recording::Recording;

/// Why a host stopped, or refused a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The machine found an invariant broken. For good.
    #[error(transparent)]
    Machine(#[from] Fatal),
    /// The store failed. For good.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame could not be read. The peer's fault; the frame was dropped and nothing changed.
    #[error("a frame from {from:?} could not be read: {error}")]
    Frame {
        /// Who sent it.
        from: NodeId,
        /// What is wrong with it.
        error: WireError,
    },
}

impl HostError {
    /// Whether the host goes on after this one.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Frame { .. })
    }
}

/// So many messages may wait for the disk before a host asks its driver to take in no more: a disk that has stopped must not
/// let a peer's questions pile up.
pub const MAX_SEALED: usize = 16_384;

/// A command offered to [`Host::propose`].
pub type Payload = Bytes;

/// One machine and its log, driven together.
pub struct Host<M: Machine, S> {
    machine: M,
    store: S,
    effects: Effects<M::Message>,
    sealed: VecDeque<Sealed<Outgoing<M::Message>>>,
    outbox: Vec<Outgoing<M::Message>>,
    batch: Vec<Entry>,
    attached: Vec<Entry>,
    decoded: Vec<Entry>,
    writer: Writer,
    applied: LogIndex,
    failed: Option<HostError>,
    recording: Option<Recording>,
}

impl<M: Machine + core::fmt::Debug, S> core::fmt::Debug for Host<M, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Host")
            .field("machine", &self.machine)
            .field("applied", &self.applied)
            .finish_non_exhaustive()
    }
}

/// Where the payloads of a step's write come from.
enum Offered<'a> {
    Nothing,
    Received(&'a mut Vec<Entry>),
    Proposed(&'a mut Vec<Payload>),
}

impl<M: Machine, S: LogStore> Host<M, S> {
    /// Joins a machine with the store it was restored from. Give it [`Host::wake`] next.
    ///
    /// `applied` is the last index whose effect the service already holds: zero for one kept in memory.
    pub fn new(machine: M, store: S, applied: LogIndex) -> Self {
        Self {
            machine,
            store,
            effects: Effects::default(),
            sealed: VecDeque::new(),
            outbox: Vec::new(),
            batch: Vec::new(),
            attached: Vec::new(),
            decoded: Vec::new(),
            writer: Writer::default(),
            applied,
            failed: None,
            recording: None,
        }
    }

    /// Gives every step from now on to this recorder, as `docs/trace.md` has it. The machine and its messages are
    /// looked at for this alone.
    pub fn record_to(&mut self, recorder: Box<dyn Recorder + Send>) {
        self.recording = Some(Recording::new(recorder, self.effects.apply_through, self.sealed.len() as u64));
    }

    /// Time passed.
    pub fn wake(&mut self, now: Instant) -> Result<(), HostError> {
        self.step(now, Input::Wake, Offered::Nothing)
    }

    /// A message came with its entries, which are drained; those the machine has no use for are dropped.
    pub fn deliver(
        &mut self,
        now: Instant,
        from: NodeId,
        message: M::Message,
        entries: &mut Vec<Entry>,
    ) -> Result<(), HostError> {
        let result = self.step(now, Input::Message { from, message }, Offered::Received(entries));
        entries.clear();
        result
    }

    /// A frame came. [`HostError::Frame`] when it cannot be read; then nothing changed.
    pub fn receive(&mut self, now: Instant, from: NodeId, frame: Bytes) -> Result<(), HostError> {
        let mut entries = core::mem::take(&mut self.decoded);
        entries.clear();
        let result = match decode::<M::Message>(frame, &mut entries) {
            Ok(message) => self.deliver(now, from, message, &mut entries),
            Err(error) => {
                if let Some(recording) = &mut self.recording {
                    recording.unreadable(&self.machine, now, from, error);
                }
                Err(HostError::Frame { from, error })
            }
        };
        self.decoded = entries;
        result
    }

    /// Offers commands, drained when the machine takes them. The answer is an [`Event`] with this tag.
    pub fn propose(&mut self, now: Instant, tag: Tag, payloads: &mut Vec<Payload>) -> Result<(), HostError> {
        let count = u32::try_from(payloads.len()).unwrap_or(u32::MAX);
        self.step(now, Input::Propose { tag, count }, Offered::Proposed(payloads))
    }

    /// Asks for a read index. The answer is an [`Event`] with this tag.
    pub fn read(&mut self, now: Instant, tag: Tag) -> Result<(), HostError> {
        self.step(now, Input::Read { tag }, Offered::Nothing)
    }

    /// Gives the machine a command of its own.
    pub fn command(&mut self, now: Instant, command: M::Command) -> Result<(), HostError> {
        self.step(now, Input::Command(command), Offered::Nothing)
    }

    /// Takes a receipt from the store, opens what it covers and tells the machine. Pending when there is none; call
    /// again until it is.
    pub fn poll_durable(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<Result<(), HostError>> {
        if let Some(error) = &self.failed {
            return Poll::Ready(Err(error.clone()));
        }
        match self.store.poll_durable(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(receipt)) => Poll::Ready(self.persisted(now, receipt)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.fail(error.into()))),
        }
    }

    /// Messages that may go now, oldest first. Attach their entries with [`Host::attach`], or take whole frames from
    /// [`Host::drain_frames`].
    pub fn take_outgoing(&mut self, out: &mut Vec<Outgoing<M::Message>>) {
        out.append(&mut self.outbox);
    }

    /// Whether messages wait in the outbox.
    pub fn has_outgoing(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Appends the entries that travel with a message. False when the log no longer holds them: drop the message.
    ///
    /// # Errors
    /// When the store fails to read them: damage is no reason to stay silent. For good.
    pub fn attach(&mut self, message: &M::Message, out: &mut Vec<Entry>) -> Result<bool, HostError> {
        let Some(span) = message.span() else { return Ok(true) };
        attach(&self.store, span, usize::MAX, out).map_err(|error| self.fail(error.into()))
    }

    /// Gives every message in the outbox as frames of at most `max_bytes` (one entry always fits), oldest first. A store
    /// that fails to read the entries stops the host for good; [`Host::failed`] says so.
    pub fn drain_frames(&mut self, max_bytes: usize, mut give: impl FnMut(NodeId, Class, Frame)) {
        for Outgoing { to, message } in self.outbox.drain(..) {
            let mut next = Some(message);
            while let Some(message) = next.take() {
                self.attached.clear();
                let count = message.span().map_or(0, |span| span.runs.count());
                // Read no more than goes into this frame: the rest comes with its own.
                if let Some(span) = message.span() {
                    match attach(&self.store, span, max_bytes, &mut self.attached) {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            let error = error.into();
                            if let Some(recording) = &mut self.recording {
                                recording.failed(&self.machine, &error);
                            }
                            self.failed = Some(error);
                            return;
                        }
                    }
                }
                let keep = fitting(&self.attached, max_bytes);
                let (message, rest) = match u32::try_from(keep) {
                    Ok(keep) if keep < count => message.split(keep),
                    _ => (message, None),
                };
                let frame = encode(&message, self.attached.get(..keep).unwrap_or_default(), &mut self.writer);
                give(to, message.class(), frame);
                next = rest;
            }
        }
    }

    /// Appends to `out` the next entries to apply, of every kind (a service wants those of [`EntryKind::Command`]), about `max_bytes` of them, and says whether there were any. They
    /// count as applied from now on.
    pub fn take_committed(&mut self, max_bytes: usize, out: &mut Vec<Entry>) -> Result<bool, HostError> {
        let through = self.effects.apply_through;
        if through <= self.applied {
            return Ok(false);
        }
        let before = out.len();
        let read = self.store.read(self.applied.next(), through, max_bytes, out);
        read.map_err(|error| self.fail(error.into()))?;
        if let Some(last) = out.last() {
            self.applied = last.position.index;
        }
        Ok(out.len() > before)
    }

    /// Shows the next entries to apply, as [`Host::take_committed`] gives them, without sharing their payloads: for a
    /// service that applies them on the spot.
    pub fn apply_committed(
        &mut self,
        max_bytes: usize,
        mut each: impl FnMut(EntryRef<'_>),
    ) -> Result<bool, HostError> {
        let (before, through) = (self.applied, self.effects.apply_through);
        if through <= before {
            return Ok(false);
        }
        let applied = &mut self.applied;
        let visited = self.store.visit(before.next(), through, max_bytes, &mut |entry| {
            *applied = entry.position.index;
            each(entry);
        });
        visited.map_err(|error| self.fail(error.into()))?;
        Ok(self.applied > before)
    }

    /// The last index given out by [`Host::take_committed`] or [`Host::apply_committed`].
    pub fn applied(&self) -> LogIndex {
        self.applied
    }

    /// The index through which entries may be applied.
    pub fn apply_through(&self) -> LogIndex {
        self.effects.apply_through
    }

    /// News for the caller, oldest first.
    pub fn take_events(&mut self, out: &mut Vec<Event>) {
        out.append(&mut self.effects.events);
    }

    /// When [`Host::wake`] is due.
    pub fn wake_at(&self) -> Instant {
        self.effects.wake_at
    }

    /// Whether the store takes more work, and not too much waits for it already ([`MAX_SEALED`]). A driver that finds it false takes in no proposals and no frames until a
    /// receipt came.
    pub fn has_room(&self) -> bool {
        self.store.has_room() && self.sealed.len() < MAX_SEALED
    }

    /// How many messages wait for the disk.
    pub fn sealed_count(&self) -> usize {
        self.sealed.len()
    }

    /// The machine, to look at.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The store, to look at.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, for drivers that sync it themselves.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Why the host stopped, if it did.
    pub fn failed(&self) -> Option<&HostError> {
        self.failed.as_ref()
    }

    fn persisted(&mut self, now: Instant, receipt: Receipt) -> Result<(), HostError> {
        let input = Input::Persisted(receipt);
        self.note_input(now, &input);
        while let Some(sealed) = self.sealed.pop_front() {
            match sealed.open(&receipt) {
                Ok(outgoing) => {
                    if let Some(recording) = &mut self.recording {
                        recording.opened(&self.machine, &outgoing);
                    }
                    self.outbox.push(outgoing);
                }
                Err(sealed) => {
                    self.sealed.push_front(sealed);
                    break;
                }
            }
        }
        self.take(now, input, Offered::Nothing)
    }

    fn step(
        &mut self,
        now: Instant,
        input: Input<M::Message, M::Command>,
        offered: Offered<'_>,
    ) -> Result<(), HostError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.note_input(now, &input);
        self.take(now, input, offered)
    }

    fn take(
        &mut self,
        now: Instant,
        input: Input<M::Message, M::Command>,
        offered: Offered<'_>,
    ) -> Result<(), HostError> {
        self.machine.step(now, input, &mut self.effects).map_err(|error| self.fail(error.into()))?;
        let write = self.effects.write.take();
        if let Some(recording) = &mut self.recording {
            recording.changed(&self.machine, &self.effects, write.as_ref());
        }
        if let Some(write) = write {
            self.submit(&write, offered).map_err(|error| self.fail(error.into()))?;
        }
        if let Some(recording) = &mut self.recording {
            recording.said(&self.machine, &self.effects);
        }
        self.outbox.append(&mut self.effects.send);
        self.sealed.extend(self.effects.sealed.drain(..));
        Ok(())
    }

    fn submit(&mut self, write: &Write, offered: Offered<'_>) -> Result<(), StoreError> {
        self.batch.clear();
        if let Some(append) = &write.append {
            fill(append, offered, &mut self.batch)?;
        }
        self.store.submit(Batch {
            id: write.id,
            truncate_from: write.truncate_from,
            append: &mut self.batch,
            hard_state: write.hard_state,
            purge_through: write.purge_through,
        })
    }

    fn fail(&mut self, error: HostError) -> HostError {
        if let Some(recording) = &mut self.recording {
            recording.failed(&self.machine, &error);
        }
        self.failed = Some(error.clone());
        error
    }

    fn note_input(&mut self, now: Instant, input: &Input<M::Message, M::Command>) {
        if let Some(recording) = &mut self.recording {
            recording.input(&self.machine, now, input, self.effects.events.len());
        }
    }
}

/// Gives an append its payloads.
fn fill(append: &Append, offered: Offered<'_>, batch: &mut Vec<Entry>) -> Result<(), StoreError> {
    match (append.body, offered) {
        (Body::Blank, _) => {
            let blank = |position| Entry { position, kind: EntryKind::Blank, payload: Bytes::new() };
            batch.extend(append.span.positions().map(blank));
        }
        (Body::Proposed, Offered::Proposed(payloads)) => {
            let command = |(position, payload)| Entry { position, kind: EntryKind::Command, payload };
            batch.extend(append.span.positions().zip(payloads.drain(..)).map(command));
        }
        (Body::Received, Offered::Received(entries)) => {
            let first = append.span.first();
            if entries.first().is_some_and(|entry| entry.position.index == first) {
                core::mem::swap(batch, entries);
            } else {
                batch.extend(entries.drain(..).filter(|entry| entry.position.index >= first));
            }
        }
        _ => return Err(StoreError::Misuse("an append of payloads that this step did not bring")),
    }
    let fits = batch.len() == append.span.runs.count() as usize
        && batch.iter().map(|entry| entry.position).eq(append.span.positions());
    if fits { Ok(()) } else { Err(StoreError::Misuse("an append of other entries than the step brought")) }
}

/// Reads a span's entries, at least one and about `max_bytes` of them; false when the log does not hold exactly those
/// (raft_s12: no message is built over a log that has moved on).
fn attach(
    store: &impl LogStore,
    span: &Span,
    max_bytes: usize,
    out: &mut Vec<Entry>,
) -> Result<bool, StoreError> {
    if span.is_empty() {
        return Ok(true);
    }
    let before = out.len();
    let read = store.read(span.first(), span.last().index, max_bytes, out);
    let entries = out.get(before..).unwrap_or_default();
    let same = entries.iter().map(|entry| entry.position).eq(span.positions().take(entries.len()));
    let whole = read.is_ok() && !entries.is_empty() && same;
    if !whole {
        out.truncate(before);
    }
    match read {
        Err(error @ StoreError::Fatal(_)) => Err(error),
        _ => Ok(whole),
    }
}

/// How many of the entries fit into a frame; at least one.
fn fitting(entries: &[Entry], max_bytes: usize) -> usize {
    let mut bytes = 0usize;
    for (count, entry) in entries.iter().enumerate() {
        bytes = bytes.saturating_add(entry.payload.len() + ENTRY_HEAD);
        if bytes > max_bytes && count > 0 {
            return count;
        }
    }
    entries.len()
}

/// Kind and length of an entry on the wire, in bytes.
const ENTRY_HEAD: usize = 5;

/// Payloads shorter than this are copied into the head: a copy costs less than a piece of its own.
const COPY_BELOW: usize = 512;

/// Message, then each entry's kind, length and payload. Positions are not repeated: the message's span gives them.
pub fn encode<M: Message>(message: &M, entries: &[Entry], writer: &mut Writer) -> Frame {
    let mut frame = Frame::default();
    message.encode(writer);
    for entry in entries {
        writer.u8(entry.kind.number());
        writer.u32(u32::try_from(entry.payload.len()).unwrap_or(u32::MAX));
        if entry.payload.len() < COPY_BELOW {
            writer.raw(&entry.payload);
        } else {
            frame.parts.push(writer.take());
            frame.parts.push(entry.payload.clone());
        }
    }
    if frame.parts.is_empty() {
        frame.head = writer.take();
    } else if !writer.is_empty() {
        frame.parts.push(writer.take());
    }
    frame
}

/// The inverse of [`encode`]: appends the entries and gives the message.
pub fn decode<M: Message>(frame: Bytes, entries: &mut Vec<Entry>) -> Result<M, WireError> {
    let mut reader = Reader::new(frame);
    let message = M::decode(&mut reader)?;
    if let Some(span) = message.span() {
        for position in span.positions() {
            let number = reader.u8()?;
            let kind = EntryKind::from_number(number)
                .ok_or(WireError::Undefined { field: "entry kind", value: number.into() })?;
            let len = reader.u32()? as usize;
            entries.push(Entry { position, kind, payload: reader.bytes(len)? });
        }
    }
    reader.finish()?;
    Ok(message)
}
