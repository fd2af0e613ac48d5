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
pub(crate) type Listener = Box<dyn FnMut(&Batch<'_>)>;

/// What was written, what of it is durable, and what is in between.
#[derive(Default)]
pub(crate) struct Disk {
    /// Is told of each write before it is taken.
    pub(crate) on_write: Option<Listener>,
    written: Content,
    durable: Content,
    pending: VecDeque<Pending>,
    submitted: WriteId,
    synced: WriteId,
    reported: WriteId,
}

impl Disk {
    pub(crate) fn of(entries: Vec<Entry>, hard_state: HardState) -> Self {
        let content = Content { entries, hard_state: Some(hard_state) };
        Self { written: content.clone(), durable: content, ..Self::default() }
    }

    /// The oldest write becomes durable. False when there is none.
    pub(crate) fn sync_one(&mut self) -> bool {
        let Some(write) = self.pending.pop_front() else { return false };
        self.durable.take(&write);
        self.synced = write.id;
        true
    }

    /// The disk after a crash.
    pub(crate) fn crashed(self) -> Self {
        Self { written: self.durable.clone(), durable: self.durable, ..Self::default() }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.written.entries
    }

    pub(crate) fn unsynced(&self) -> usize {
        self.pending.len()
    }
}

/// How many entries stand before an index.
fn at(index: LogIndex) -> usize {
    usize::try_from(index.previous().get()).expect("a small log")
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
