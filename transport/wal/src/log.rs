//! What the log holds, as far as memory knows: where each entry lies, the newest entries themselves, and the group
//! that gathers for the disk.

use std::collections::VecDeque;

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::store::{Batch, HardState, LogSummary, StoreError};

use crate::format::{
    BATCH_HEAD, Checkpoint, ENTRY_HEAD, RECORD_MAX, RecordBuilder, TRAILER, entry_crc, position_at, put,
    put_position, u32_at, u64_at,
};

/// Where an entry lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub(crate) term: Term,
    /// Sequence of its segment; zero while its group has no place yet.
    pub(crate) segment: u64,
    /// Of the entry's head: in the segment, or in the gathering group while it has no place.
    pub(crate) offset: u32,
    /// Of the payload.
    pub(crate) len: u32,
}

/// Where each entry lies, and what else the log knows.
///
/// Invariant: `slots[0]` belongs to index `origin`; once recovered, `origin` follows `base` by one.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) base: Position,
    pub(crate) hard_state: Option<HardState>,
    origin: u64,
    slots: VecDeque<Slot>,
    /// Position of the last entry when there is no slot.
    floor: Position,
}

const TRUNCATE: u8 = 1;
const HARD_STATE: u8 = 2;
const PURGE: u8 = 4;

impl Index {
    /// Starts from a checkpoint; the entries that it speaks of are not known yet.
    pub(crate) fn new(from: &Checkpoint) -> Self {
        let origin = from.last.index.get().saturating_add(1);
        let (base, hard_state) = (from.base, from.hard_state);
        Self { base, hard_state, origin, slots: VecDeque::new(), floor: from.last }
    }

    pub(crate) fn last(&self) -> Position {
        let Some(slot) = self.slots.back() else { return self.floor };
        Position { term: slot.term, index: LogIndex::new(self.origin + self.slots.len() as u64 - 1) }
    }

    /// Whether every entry behind the base is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.origin == self.base.index.get().saturating_add(1)
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { base: self.base, last: self.last(), hard_state: self.hard_state }
    }

    /// Whether a later segment's checkpoint says the same. While entries are unknown, so may the last one's term be:
    /// then it is learnt here.
    pub(crate) fn agree(&mut self, checkpoint: &Checkpoint) -> bool {
        if !self.is_whole() && self.slots.is_empty() && self.floor.index == checkpoint.last.index {
            self.floor = checkpoint.last;
        }
        self.checkpoint() == *checkpoint
    }

    pub(crate) fn slot(&self, index: LogIndex) -> Option<&Slot> {
        let at = index.get().checked_sub(self.origin)?;
        self.slots.get(usize::try_from(at).ok()?)
    }

    /// The oldest segment that an entry lies in, zero when the group of the oldest has no place yet.
    pub(crate) fn oldest_segment(&self) -> Option<u64> {
        self.slots.front().map(|slot| slot.segment)
    }

    pub(crate) fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { base: self.base, runs: Vec::new(), hard_state: self.hard_state };
        for slot in &self.slots {
            summary.push(slot.term);
        }
        summary
    }

    /// Whether a batch fits behind what is there.
    pub(crate) fn check(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let mut last = self.last().index;
        if let Some(from) = batch.truncate_from {
            if from <= self.base.index || from > last.next() {
                return Err(StoreError::Misuse("truncation outside the log"));
            }
            last = from.previous();
        }
        let mut bytes = 0usize;
        for entry in batch.append.iter() {
            if entry.position.index != last.next() || entry.position.index == last {
                return Err(StoreError::Misuse("an append that leaves a hole"));
            }
            last = entry.position.index;
            bytes = bytes.saturating_add(entry.payload.len() + ENTRY_HEAD);
        }
        if batch.purge_through.is_some_and(|through| through > last) {
            return Err(StoreError::Misuse("a purge beyond the log"));
        }
        if bytes > RECORD_MAX / 2 {
            return Err(StoreError::Misuse("a batch of more than 512 MiB"));
        }
        Ok(())
    }

    fn truncate(&mut self, from: LogIndex) {
        let from = from.get();
        match from.checked_sub(self.origin).and_then(|keep| usize::try_from(keep).ok()) {
            Some(keep) if keep > 0 => self.slots.truncate(keep),
            _ => {
                self.slots.clear();
                self.origin = from;
                let index = LogIndex::new(from).previous();
                // Only its index counts here: entries before the origin are either purged or unknown.
                self.floor =
                    if index == self.base.index { self.base } else { Position { index, ..self.floor } };
            }
        }
    }

    fn purge(&mut self, through: Position) {
        let gone = through.index.get().saturating_add(1).saturating_sub(self.origin);
        let gone = usize::try_from(gone).unwrap_or(usize::MAX).min(self.slots.len());
        if self.last().index <= through.index {
            self.floor = through;
        }
        self.slots.drain(..gone);
        self.origin += gone as u64;
        self.base = through;
    }

    /// Applies a group that was read from `segment`, `body_at` being the body's offset there. `None` when it makes no
    /// sense behind what is there.
    pub(crate) fn replay(&mut self, body: &[u8], segment: u64, body_at: usize) -> Option<()> {
        parts(body, &mut |part| match part {
            Part::Batch => Some(()),
            Part::Truncate(from) => {
                let inside = from > self.base.index && from <= self.last().index.next();
                inside.then(|| self.truncate(from))
            }
            Part::HardState(value) => {
                self.hard_state = Some(value);
                Some(())
            }
            Part::Entries { first, .. } => {
                (first.get() == self.last().index.get().checked_add(1)?).then_some(())
            }
            Part::Entry { term, len, at } => {
                let offset = u32::try_from(body_at.checked_add(at)?).ok()?;
                self.slots.push_back(Slot { term, segment, offset, len });
                Some(())
            }
            Part::Purge(through) => {
                let inside = through.index <= self.last().index && through.index > self.base.index;
                inside.then(|| self.purge(through))
            }
        })
    }
}

/// A piece of a group's body, in the order in which it takes effect.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// A batch begins.
    Batch,
    Truncate(LogIndex),
    HardState(HardState),
    /// Entries follow.
    Entries {
        first: LogIndex,
        count: u32,
    },
    /// One entry; its head lies at `at` of the body.
    Entry {
        term: Term,
        len: u32,
        at: usize,
    },
    Purge(Position),
}

/// Gives all of a group's parts; `None` when it cannot be read, or `give` does not want a part.
pub(crate) fn parts(body: &[u8], give: &mut dyn FnMut(Part) -> Option<()>) -> Option<()> {
    let end = body.len().checked_sub(TRAILER.len())?;
    let body = body.get(..end)?;
    let mut at = 0;
    // What is left in the end is padding.
    while at + BATCH_HEAD <= end {
        at = batch_parts(body, at, give)?;
    }
    (end - at < 8).then_some(())
}

fn batch_parts(body: &[u8], mut at: usize, give: &mut dyn FnMut(Part) -> Option<()>) -> Option<usize> {
    let [flags, hard_len] = *body.get(at..)?.first_chunk::<2>()?;
    let (count, first) = (u32_at(body, at + 4)?, LogIndex::new(u64_at(body, at + 8)?));
    give(Part::Batch)?;
    at += BATCH_HEAD;
    if flags & TRUNCATE != 0 {
        give(Part::Truncate(LogIndex::new(u64_at(body, at)?)))?;
        at += 8;
    }
    if flags & HARD_STATE != 0 {
        let end = at.checked_add(usize::from(hard_len))?;
        give(Part::HardState(HardState::new(body.get(at..end)?)?))?;
        at = end;
    }
    let mut purge = None;
    if flags & PURGE != 0 {
        purge = Some(position_at(body, at)?);
        at += 16;
    }
    if count > 0 {
        give(Part::Entries { first, count })?;
    }
    for _ in 0..count {
        let (term, len) = (Term::new(u64_at(body, at)?), u32_at(body, at + 8)?);
        give(Part::Entry { term, len, at })?;
        at = at.checked_add(ENTRY_HEAD)?.checked_add(len as usize)?;
    }
    if let Some(through) = purge {
        give(Part::Purge(through))?;
    }
    (at <= body.len()).then_some(at)
}

/// The index together with the newest entries and the group that gathers.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) index: Index,
    /// The newest entries, without a gap up to the last.
    cache: VecDeque<Entry>,
    cache_bytes: usize,
    cache_limit: usize,
    /// Entries from here on are not in a file yet, so the cache must keep them.
    unwritten_from: u64,
    /// Entries from here on are in `group`.
    pub(crate) pending_from: u64,
    pub(crate) group: RecordBuilder,
}

impl Log {
    pub(crate) fn new(index: Index, cache_limit: usize) -> Self {
        let next = index.last().index.get().saturating_add(1);
        Self {
            index,
            cache: VecDeque::new(),
            cache_bytes: 0,
            cache_limit,
            unwritten_from: next,
            pending_from: next,
            group: RecordBuilder::default(),
        }
    }

    /// Applies a batch that [`Index::check`] accepts, and adds it to the group.
    pub(crate) fn apply(&mut self, batch: &mut Batch<'_>) {
        let purge_through = batch.purge_through.filter(|through| *through > self.index.base.index);
        let first = batch.append.first().map_or(0, |entry| entry.position.index.get());
        let last_term = self.term_after(batch, purge_through);
        self.encode_head(batch, purge_through.zip(last_term), first);
        if let Some(from) = batch.truncate_from {
            self.truncate(from);
        }
        for entry in batch.append.drain(..) {
            self.push(entry);
        }
        if batch.hard_state.is_some() {
            self.index.hard_state = batch.hard_state;
        }
        if let Some((index, term)) = purge_through.zip(last_term) {
            self.index.purge(Position { term, index });
            while self.cache.front().is_some_and(|entry| entry.position.index <= index) {
                self.drop_oldest();
            }
        }
    }

    /// Term of the entry to purge through, once the batch is applied.
    fn term_after(&self, batch: &Batch<'_>, purge_through: Option<LogIndex>) -> Option<Term> {
        let through = purge_through?;
        let appended = batch.append.first().and_then(|first| {
            let at = through.get().checked_sub(first.position.index.get())?;
            batch.append.get(usize::try_from(at).ok()?)
        });
        appended.map(|entry| entry.position.term).or_else(|| self.index.slot(through).map(|slot| slot.term))
    }

    fn encode_head(&mut self, batch: &Batch<'_>, purge: Option<(LogIndex, Term)>, first: u64) {
        let part = |present: bool, flag: u8| if present { flag } else { 0 };
        let hard_state = batch.hard_state.as_ref().map(HardState::as_bytes);
        let parts = part(batch.truncate_from.is_some(), TRUNCATE)
            | part(hard_state.is_some(), HARD_STATE)
            | part(purge.is_some(), PURGE);
        let hard_len = hard_state.map_or(0, |it| u8::try_from(it.len()).unwrap_or_default());
        let out = &mut self.group.bytes;
        out.extend_from_slice(&[parts, hard_len, 0, 0]);
        out.extend_from_slice(&u32::try_from(batch.append.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&first.to_le_bytes());
        if let Some(from) = batch.truncate_from {
            out.extend_from_slice(&from.get().to_le_bytes());
        }
        out.extend_from_slice(hard_state.unwrap_or_default());
        if let Some((index, term)) = purge {
            put_position(out, Position { term, index });
        }
    }

    fn push(&mut self, entry: Entry) {
        let out = &mut self.group.bytes;
        let offset = u32::try_from(out.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(entry.payload.len()).unwrap_or(u32::MAX);
        let term = entry.position.term;
        let head = entry_head(&entry, len);
        out.extend_from_slice(&head);
        out.extend_from_slice(&entry.payload);
        self.index.slots.push_back(Slot { term, segment: 0, offset, len });
        self.cache_bytes += cost(&entry);
        self.cache.push_back(entry);
    }

    fn truncate(&mut self, from: LogIndex) {
        self.index.truncate(from);
        while self.cache.back().is_some_and(|entry| entry.position.index >= from) {
            if let Some(entry) = self.cache.pop_back() {
                self.cache_bytes -= cost(&entry);
            }
        }
        self.unwritten_from = self.unwritten_from.min(from.get());
        self.pending_from = self.pending_from.min(from.get());
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.cache.pop_front() {
            self.cache_bytes -= cost(&entry);
        }
    }

    /// Gives the gathered group its place, and hands it out for `spare`.
    pub(crate) fn take_group(&mut self, segment: u64, offset: usize, spare: RecordBuilder) -> RecordBuilder {
        let base = u32::try_from(offset).unwrap_or(u32::MAX);
        let pending = self.pending_from.saturating_sub(self.index.origin);
        let from = usize::try_from(pending).unwrap_or(usize::MAX).min(self.index.slots.len());
        for slot in self.index.slots.range_mut(from..) {
            slot.segment = segment;
            slot.offset = slot.offset.saturating_add(base);
        }
        self.pending_from = self.index.last().index.get().saturating_add(1);
        std::mem::replace(&mut self.group, spare)
    }

    /// The group handed out last is in its file.
    pub(crate) fn written(&mut self) {
        self.unwritten_from = self.pending_from;
        while self.cache_bytes > self.cache_limit
            && self.cache.front().is_some_and(|entry| entry.position.index.get() < self.unwritten_from)
        {
            self.drop_oldest();
        }
    }

    /// The entry, if memory has it.
    pub(crate) fn cached(&self, index: LogIndex) -> Option<&Entry> {
        let first = self.cache.front()?.position.index.get();
        self.cache.get(usize::try_from(index.get().checked_sub(first)?).ok()?)
    }
}

/// What an entry costs the cache, in bytes.
fn cost(entry: &Entry) -> usize {
    entry.payload.len() + size_of::<Entry>()
}

fn entry_head(entry: &Entry, len: u32) -> [u8; ENTRY_HEAD] {
    let mut head = [0; ENTRY_HEAD];
    put(&mut head, 0, &entry.position.term.get().to_le_bytes());
    put(&mut head, 8, &len.to_le_bytes());
    put(&mut head, 16, &[entry.kind.number()]);
    let crc = entry_crc(entry.position.index.get(), &head, &entry.payload);
    put(&mut head, 12, &crc.to_le_bytes());
    head
}

/// Reads the entry at `at` of a chunk of a segment and verifies it; shares the chunk's memory.
pub(crate) fn decode_entry(chunk: &Bytes, at: usize, index: LogIndex, slot: &Slot) -> Option<Entry> {
    let end = at.checked_add(ENTRY_HEAD)?.checked_add(slot.len as usize)?;
    let head = chunk.get(at..at + ENTRY_HEAD)?;
    let payload = chunk.get(at + ENTRY_HEAD..end)?;
    let whole = u64_at(head, 0)? == slot.term.get()
        && u32_at(head, 8)? == slot.len
        && u32_at(head, 12)? == entry_crc(index.get(), head, payload);
    let kind = EntryKind::from_number(*head.get(16)?)?;
    let position = Position { term: slot.term, index };
    whole.then(|| Entry { position, kind, payload: chunk.slice(at + ENTRY_HEAD..end) })
}

/// Bytes that a batch adds to a group.
pub(crate) fn weight(batch: &Batch<'_>) -> usize {
    let entries: usize = batch.append.iter().map(|entry| entry.payload.len() + ENTRY_HEAD).sum();
    entries + BATCH_HEAD + HardState::MAX + 24
}
