//! A log store in memory: the reference that others are compared with, and the bench's floor.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::{Batch, HardState, LogStore, LogSummary, Receipt, StoreError};
use crate::ids::{LogIndex, Position, WriteId};
use crate::log::Entry;

/// Keeps everything in memory; a batch counts as durable at once, or when [`MemLogStore::sync`] says so.
#[derive(Debug, Default)]
pub struct MemLogStore {
    base: Position,
    entries: VecDeque<Entry>,
    hard_state: Option<HardState>,
    submitted: WriteId,
    durable: WriteId,
    reported: WriteId,
    manual: bool,
    waker: Option<Waker>,
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
        self.entries.back().map_or(self.base, |entry| entry.position)
    }

    /// Where this index stands in `entries`.
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
        for entry in &self.entries {
            summary.push(entry.position.term);
        }
        summary
    }

    fn has_room(&self) -> bool {
        true
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.check(&batch)?;
        self.submitted = batch.id;
        if let Some(keep) = batch.truncate_from.and_then(|from| self.offset(from)) {
            self.entries.truncate(keep);
        }
        self.entries.extend(batch.append.drain(..));
        if batch.hard_state.is_some() {
            self.hard_state = batch.hard_state;
        }
        while let (Some(through), Some(oldest)) = (batch.purge_through, self.entries.front()) {
            if oldest.position.index > through {
                break;
            }
            self.base = oldest.position;
            self.entries.pop_front();
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
        let missing = StoreError::Missing { first, last };
        let (Some(from), Some(to)) = (self.offset(first), self.offset(last)) else { return Err(missing) };
        if from > to || to >= self.entries.len() {
            return Err(missing);
        }
        let mut bytes = 0usize;
        for entry in self.entries.range(from..=to) {
            if bytes > 0 && bytes.saturating_add(entry.payload.len()) > max_bytes {
                break;
            }
            bytes = bytes.saturating_add(entry.payload.len().max(1));
            out.push(entry.clone());
        }
        Ok(())
    }
}
