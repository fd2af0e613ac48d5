//! A disk with a volatile cache: what was submitted is readable at once and durable after a sync.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use synod_transport::ids::{LogIndex, Position, WriteId};
use synod_transport::log::Entry;
use synod_transport::rng::Rng;
use synod_transport::store::{Batch, HardState, LogStore, LogSummary, Receipt, StoreError};

/// A log as it stands after some batches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    base: Position,
    entries: VecDeque<Entry>,
    hard_state: Option<HardState>,
}

impl Image {
    /// The log's terms and hard state.
    pub fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { base: self.base, runs: Vec::new(), hard_state: self.hard_state };
        for entry in &self.entries {
            summary.push(entry.position.term);
        }
        summary
    }

    /// Position of the last entry.
    pub fn last(&self) -> Position {
        self.entries.back().map_or(self.base, |entry| entry.position)
    }

    /// The last entry that was purged.
    pub fn base(&self) -> Position {
        self.base
    }

    /// The hard state, if one was ever written.
    pub fn hard_state(&self) -> Option<HardState> {
        self.hard_state
    }

    /// The entry at this index.
    pub fn entry(&self, index: LogIndex) -> Option<&Entry> {
        self.entries.get(self.offset(index)?)
    }

    /// Whether the log holds exactly this entry, or has purged it.
    pub fn holds(&self, position: Position) -> bool {
        position.index <= self.base.index
            || self.entry(position.index).is_some_and(|entry| entry.position == position)
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    fn offset(&self, index: LogIndex) -> Option<usize> {
        let behind = index.get().checked_sub(self.base.index.get())?.checked_sub(1)?;
        usize::try_from(behind).ok()
    }

    fn check(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
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

    fn take(&mut self, write: &Stored) {
        if let Some(keep) = write.truncate_from.and_then(|from| self.offset(from)) {
            self.entries.truncate(keep);
        }
        self.entries.extend(write.append.iter().cloned());
        if write.hard_state.is_some() {
            self.hard_state = write.hard_state;
        }
        while let (Some(through), Some(oldest)) = (write.purge_through, self.entries.front()) {
            if oldest.position.index > through {
                break;
            }
            self.base = oldest.position;
            self.entries.pop_front();
        }
    }
}

/// A batch that the disk keeps in its cache.
#[derive(Clone, Debug)]
struct Stored {
    id: WriteId,
    truncate_from: Option<LogIndex>,
    append: Vec<Entry>,
    hard_state: Option<HardState>,
    purge_through: Option<LogIndex>,
}

/// What a crash did to the batches that no sync had covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CrashReport {
    /// How many were in the cache.
    pub unsynced: usize,
    /// How many of them, the oldest, survived.
    pub survived: usize,
    /// Whether the next one was cut in the middle; recovery found it torn and dropped it.
    pub torn: bool,
}

/// A [`LogStore`] whose syncs somebody else times.
#[derive(Debug)]
pub struct SimDisk {
    durable: Image,
    view: Image,
    cache: VecDeque<Stored>,
    submitted: WriteId,
    synced: WriteId,
    reported: WriteId,
    /// What the sync in flight covers.
    syncing: Option<WriteId>,
    window: usize,
    failed: bool,
    lies: bool,
    keeps_torn: bool,
    waker: Option<Waker>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new(1 << 10)
    }
}

impl SimDisk {
    /// An empty disk that takes up to `window` batches without a sync.
    pub fn new(window: usize) -> Self {
        Self {
            durable: Image::default(),
            view: Image::default(),
            cache: VecDeque::new(),
            submitted: WriteId::ZERO,
            synced: WriteId::ZERO,
            reported: WriteId::ZERO,
            syncing: None,
            window,
            failed: false,
            lies: false,
            keeps_torn: false,
            waker: None,
        }
    }

    /// Makes it attest what it has not synced: a planted fault that checkers must find.
    pub fn set_lies(&mut self, lies: bool) {
        self.lies = lies;
    }

    /// Makes recovery take a torn write for a whole one, of which the last payload is lost: a planted fault that checkers
    /// must find.
    pub fn set_keeps_torn(&mut self, keeps_torn: bool) {
        self.keeps_torn = keeps_torn;
    }

    /// What a crash now is sure to leave.
    pub fn durable(&self) -> &Image {
        &self.durable
    }

    /// Everything submitted, durable or not.
    pub fn view(&self) -> &Image {
        &self.view
    }

    /// The newest write that is durable.
    pub fn synced(&self) -> WriteId {
        self.synced
    }

    /// The newest write that a receipt named.
    pub fn attested(&self) -> WriteId {
        self.reported
    }

    /// How many batches no sync has covered.
    pub fn unsynced(&self) -> usize {
        self.cache.len()
    }

    /// Whether a sync is in flight.
    pub fn is_syncing(&self) -> bool {
        self.syncing.is_some()
    }

    /// Begins a sync of all that was submitted so far. False when there is nothing to do, or one is in flight.
    pub fn start_sync(&mut self) -> bool {
        if self.syncing.is_some() || self.cache.is_empty() || self.failed {
            return false;
        }
        self.syncing = Some(self.submitted);
        true
    }

    /// Ends the sync in flight: what it covers is durable.
    pub fn finish_sync(&mut self) {
        let Some(through) = self.syncing.take() else { return };
        if self.failed {
            return;
        }
        while self.cache.front().is_some_and(|write| write.id <= through) {
            let Some(write) = self.cache.pop_front() else { return };
            self.durable.take(&write);
            self.synced = write.id;
        }
        self.wake();
    }

    /// The device fails for good, until [`SimDisk::crash`].
    pub fn fail(&mut self) {
        self.failed = true;
        self.wake();
    }

    /// Whether the device failed.
    pub fn is_failed(&self) -> bool {
        self.failed
    }

    /// The power goes, and the log is opened anew. Of the unsynced batches a prefix survives that `rng` chooses, each
    /// whole; the one behind it may be torn, which recovery detects and drops.
    pub fn crash(&mut self, rng: &mut Rng) -> CrashReport {
        let unsynced = self.cache.len();
        let bound = u64::try_from(unsynced).unwrap_or(u64::MAX);
        let survived = usize::try_from(rng.between(0, bound)).unwrap_or(0);
        let torn = survived < unsynced && rng.chance_ppm(500_000);
        let kept = survived + usize::from(torn && self.keeps_torn);
        for (at, mut write) in self.cache.drain(..).take(kept).enumerate() {
            if let Some(last) = write.append.last_mut().filter(|_| at == survived) {
                last.payload = bytes::Bytes::new();
            }
            self.durable.take(&write);
        }
        self.view = self.durable.clone();
        (self.submitted, self.synced, self.reported) = (WriteId::ZERO, WriteId::ZERO, WriteId::ZERO);
        self.syncing = None;
        self.failed = false;
        self.waker = None;
        CrashReport { unsynced, survived, torn }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn fault() -> StoreError {
        StoreError::Fatal("the simulated device failed".to_owned())
    }
}

impl LogStore for SimDisk {
    fn summary(&self) -> LogSummary {
        self.view.summary()
    }

    fn has_room(&self) -> bool {
        !self.failed && self.cache.len() < self.window
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        if self.failed {
            return Err(Self::fault());
        }
        if batch.id != self.submitted.next() {
            return Err(StoreError::Misuse("write numbers must rise by one"));
        }
        self.view.check(&batch)?;
        if !self.has_room() {
            return Err(StoreError::Full);
        }
        let stored = Stored {
            id: batch.id,
            truncate_from: batch.truncate_from,
            append: core::mem::take(batch.append),
            hard_state: batch.hard_state,
            purge_through: batch.purge_through,
        };
        self.view.take(&stored);
        self.submitted = batch.id;
        self.cache.push_back(stored);
        Ok(())
    }

    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        if self.failed {
            return Poll::Ready(Err(Self::fault()));
        }
        let through = if self.lies { self.submitted } else { self.synced };
        if through > self.reported {
            self.reported = through;
            return Poll::Ready(Ok(Receipt::attest(through)));
        }
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
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
        let (Some(from), Some(to)) = (self.view.offset(first), self.view.offset(last)) else {
            return Err(missing);
        };
        if from > to || to >= self.view.entries.len() {
            return Err(missing);
        }
        let mut bytes = 0usize;
        for entry in self.view.entries.range(from..=to) {
            if bytes > 0 && bytes.saturating_add(entry.payload.len()) > max_bytes {
                break;
            }
            bytes = bytes.saturating_add(entry.payload.len().max(1));
            out.push(entry.clone());
        }
        Ok(())
    }
}
