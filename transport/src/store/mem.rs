//! A log store in memory: the reference that others are compared with, and the bench's floor.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::{Batch, HardState, LogStore, LogSummary, Receipt, StoreError};
use crate::ids::{LogIndex, Position, Term, WriteId};
use crate::log::{Entry, EntryKind, EntryRef};

/// Keeps everything in memory; a batch counts as durable at once, or when [`MemLogStore::sync`] says so.
///
/// An entry costs 32 bytes beside its payload: terms and kinds are kept by run.
#[derive(Debug, Default)]
pub struct MemLogStore {
    base: Position,
    payloads: VecDeque<Bytes>,
    /// Where each run of entries with one term and one kind begins, oldest first.
    runs: VecDeque<RunStart>,
    hard_state: Option<HardState>,
    submitted: WriteId,
    durable: WriteId,
    reported: WriteId,
    manual: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug)]
struct RunStart {
    first: LogIndex,
    term: Term,
    kind: EntryKind,
}

impl MemLogStore {
    /// An empty store where each batch is durable at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store where batches become durable only by [`MemLogStore::sync`].
    pub fn with_manual_sync() -> Self {
        Self { manual: true, ..Self::default() }
    }

    /// Makes everything submitted durable.
    pub fn sync(&mut self) {
        self.durable = self.submitted;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Position of the last entry.
    pub fn last(&self) -> Position {
        let term = self.runs.back().map_or(self.base.term, |run| run.term);
        Position { term, index: self.base.index.plus(self.payloads.len() as u64) }
    }

    fn push(&mut self, entry: Entry) {
        let Entry { position: Position { term, index }, kind, payload } = entry;
        if self.runs.back().is_none_or(|run| (run.term, run.kind) != (term, kind)) {
            self.runs.push_back(RunStart { first: index, term, kind });
        }
        self.payloads.push_back(payload);
    }

    fn truncate(&mut self, from: LogIndex) {
        self.payloads.truncate(self.offset(from).unwrap_or(self.payloads.len()));
        while self.runs.back().is_some_and(|run| run.first >= from) {
            self.runs.pop_back();
        }
    }

    fn purge(&mut self, through: LogIndex) {
        while self.base.index < through && self.payloads.pop_front().is_some() {
            let index = self.base.index.next();
            if self.runs.get(1).is_some_and(|run| run.first <= index) {
                self.runs.pop_front();
            }
            self.base = Position { term: self.runs.front().map_or(self.base.term, |run| run.term), index };
        }
        if self.payloads.is_empty() {
            self.runs.clear();
        }
    }

    /// Where this index stands in `payloads`.
    fn offset(&self, index: LogIndex) -> Option<usize> {
        let behind = index.get().checked_sub(self.base.index.get())?.checked_sub(1)?;
        usize::try_from(behind).ok()
    }

    fn check(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        if batch.id != self.submitted.next() {
            return Err(StoreError::Misuse("write numbers must rise by one"));
        }
        let mut last = self.last().index;
        if let Some(from) = batch.truncate_from {
            if from <= self.base.index || from > last.next() {
                return Err(StoreError::Misuse("truncation outside the log"));
            }
            last = from.previous();
        }
        for entry in batch.append.iter() {
            if entry.position.index != last.next() {
                return Err(StoreError::Misuse("an append that leaves a hole"));
            }
            last = entry.position.index;
        }
        if batch.purge_through.is_some_and(|through| through > last) {
            return Err(StoreError::Misuse("a purge beyond the log"));
        }
        Ok(())
    }
}

impl LogStore for MemLogStore {
    fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { base: self.base, runs: Vec::new(), hard_state: self.hard_state };
        let ends = self.runs.iter().skip(1).map(|run| run.first).chain([self.last().index.next()]);
        let mut begin = self.base.index.next();
        for (run, end) in self.runs.iter().zip(ends) {
            for _ in 0..end.since(begin) {
                summary.push(run.term);
            }
            begin = end;
        }
        summary
    }

    fn has_room(&self) -> bool {
        true
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.check(&batch)?;
        self.submitted = batch.id;
        if let Some(from) = batch.truncate_from {
            self.truncate(from);
        }
        for entry in batch.append.drain(..) {
            self.push(entry);
        }
        if batch.hard_state.is_some() {
            self.hard_state = batch.hard_state;
        }
        if let Some(through) = batch.purge_through {
            self.purge(through);
        }
        if !self.manual {
            self.sync();
        }
        Ok(())
    }

    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        if self.durable > self.reported {
            self.reported = self.durable;
            return Poll::Ready(Ok(Receipt::attest(self.durable)));
        }
        if self.manual {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        self.walk(first, last, max_bytes, |EntryRef { position, kind, payload }| {
            out.push(Entry { position, kind, payload: payload.clone() });
        })
    }

    fn visit(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        each: &mut dyn FnMut(EntryRef<'_>),
    ) -> Result<(), StoreError> {
        self.walk(first, last, max_bytes, each)
    }
}

impl MemLogStore {
    fn walk(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        mut each: impl FnMut(EntryRef<'_>),
    ) -> Result<(), StoreError> {
        let missing = StoreError::Missing { first, last };
        let (Some(from), Some(to)) = (self.offset(first), self.offset(last)) else { return Err(missing) };
        if from > to || to >= self.payloads.len() {
            return Err(missing);
        }
        // Most reads are of the newest run.
        let behind = match self.runs.back() {
            Some(newest) if newest.first <= first => self.runs.len(),
            _ => self.runs.partition_point(|run| run.first <= first),
        };
        let mut runs = self.runs.range(behind.saturating_sub(1)..).copied().peekable();
        let Some(mut run) = runs.next() else { return Err(missing) };
        let (mut index, mut bytes) = (first, 0usize);
        for payload in self.payloads.range(from..=to) {
            if bytes > 0 && bytes.saturating_add(payload.len()) > max_bytes {
                break;
            }
            bytes = bytes.saturating_add(payload.len().max(1));
            if let Some(next) = runs.next_if(|next| next.first <= index) {
                run = next;
            }
            each(EntryRef { position: Position { term: run.term, index }, kind: run.kind, payload });
            index = index.next();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_shows_what_a_read_gives() {
        let mut store = MemLogStore::new();
        let terms = [1u64, 1, 2, 2, 2, 5];
        let entry = |(at, term): (u64, &u64)| Entry {
            position: Position::new(*term, at),
            kind: if at % 2 == 0 { EntryKind::Command } else { EntryKind::Blank },
            payload: vec![7; 10].into(),
        };
        let mut entries: Vec<Entry> = (1u64..).zip(&terms).map(entry).collect();
        let whole = entries.clone();
        let batch = Batch {
            id: WriteId::new(1),
            truncate_from: None,
            append: &mut entries,
            hard_state: None,
            purge_through: Some(LogIndex::new(1)),
        };
        assert_eq!(store.submit(batch), Ok(()));
        for (first, last, max_bytes, count) in [(2, 6, 1000, 5), (3, 6, 25, 2), (4, 4, 0, 1)] {
            let (first, last) = (LogIndex::new(first), LogIndex::new(last));
            let (mut read, mut seen) = (Vec::new(), Vec::new());
            assert_eq!(store.read(first, last, max_bytes, &mut read), Ok(()));
            let mut note = |EntryRef { position, kind, payload }: EntryRef<'_>| {
                seen.push(Entry { position, kind, payload: payload.clone() });
            };
            assert_eq!(store.visit(first, last, max_bytes, &mut note), Ok(()));
            assert_eq!((read.len(), &read), (count, &seen));
            let from = usize::try_from(first.get() - 1).expect("small");
            assert_eq!(whole.get(from..from + count), Some(read.as_slice()));
        }
        let none = store.visit(LogIndex::new(1), LogIndex::new(2), 10, &mut |_| {});
        assert!(matches!(none, Err(StoreError::Missing { .. })), "the first is purged");
    }
}
