//! A log store in memory that knows what a crash would leave.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use synod_transport::ids::{LogIndex, WriteId};
use synod_transport::log::Entry;
use synod_transport::store::{Batch, HardState, LogStore, LogSummary, Receipt, StoreError};

#[derive(Clone, Default)]
struct Content {
    entries: Vec<Entry>,
    hard_state: Option<HardState>,
}

impl Content {
    fn take(&mut self, write: &Pending) {
        if let Some(from) = write.truncate_from {
            self.entries.truncate(at(from));
        }
        self.entries.extend(write.append.iter().cloned());
        self.hard_state = write.hard_state.or(self.hard_state);
    }
}

struct Pending {
    id: WriteId,
    truncate_from: Option<LogIndex>,
    append: Vec<Entry>,
    hard_state: Option<HardState>,
}

/// Is told of each write.
pub(super) type Listener = Box<dyn FnMut(&Batch<'_>)>;

/// What was written, what of it is durable, and what is in between.
#[derive(Default)]
pub(super) struct Disk {
    /// Is told of each write before it is taken.
    pub(super) on_write: Option<Listener>,
    written: Content,
    durable: Content,
    pending: VecDeque<Pending>,
    submitted: WriteId,
    synced: WriteId,
    reported: WriteId,
    torn: bool,
}

impl Disk {
    /// One that holds this and was synced.
    pub(super) fn of(entries: Vec<Entry>, hard_state: HardState) -> Self {
        let content = Content { entries, hard_state: Some(hard_state) };
        Self { written: content.clone(), durable: content, ..Self::default() }
    }

    /// The oldest write becomes durable. False when there is none.
    pub(super) fn sync_one(&mut self) -> bool {
        let Some(write) = self.pending.pop_front() else { return false };
        self.durable.take(&write);
        self.synced = write.id;
        true
    }

    /// The disk after a crash: the oldest `keep` of the writes that were not durable are. The next may be `torn`: found
    /// in part at the next start, and dropped there.
    pub(super) fn crashed(mut self, keep: usize, torn: bool) -> Self {
        for _ in 0..keep {
            self.sync_one();
        }
        Self { written: self.durable.clone(), durable: self.durable, torn, ..Self::default() }
    }

    /// Recovery: whether a torn write was found, and dropped.
    pub(super) fn drop_torn(&mut self) -> bool {
        core::mem::take(&mut self.torn)
    }

    /// What is written, durable or not.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.written.entries
    }

    /// How many writes are not durable.
    pub(super) fn unsynced(&self) -> usize {
        self.pending.len()
    }
}

/// How many entries stand before an index.
fn at(index: LogIndex) -> usize {
    usize::try_from(index.previous().get()).unwrap_or(usize::MAX)
}

impl LogStore for Disk {
    fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { hard_state: self.written.hard_state, ..LogSummary::default() };
        self.written.entries.iter().for_each(|entry| summary.push(entry.position.term));
        summary
    }

    fn has_room(&self) -> bool {
        true
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        if batch.id != self.submitted.next() {
            return Err(StoreError::Misuse("write numbers must rise by one"));
        }
        self.submitted = batch.id;
        if let Some(tell) = &mut self.on_write {
            tell(&batch);
        }
        let write = Pending {
            id: batch.id,
            truncate_from: batch.truncate_from,
            append: batch.append.drain(..).collect(),
            hard_state: batch.hard_state,
        };
        self.written.take(&write);
        self.pending.push_back(write);
        Ok(())
    }

    fn poll_durable(&mut self, _cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        if self.synced == self.reported {
            return Poll::Pending;
        }
        self.reported = self.synced;
        Poll::Ready(Ok(Receipt::attest(self.synced)))
    }

    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        _max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let range = at(first)..at(last.next());
        let found = self.written.entries.get(range).ok_or(StoreError::Missing { first, last })?;
        out.extend(found.iter().cloned());
        Ok(())
    }
}
