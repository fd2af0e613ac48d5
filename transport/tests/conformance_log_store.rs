//! The log-store suite, run on the stores of this crate and on stores that are broken on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use synod_transport::ids::{LogIndex, Position, WriteId};
use synod_transport::log::Entry;
use synod_transport::rng::Rng;
use synod_transport::store::{Batch, HardState, LogStore, LogSummary, MemLogStore, Receipt, StoreError};
use synod_transport::testing::log_store::{Harness, check, conformance};

struct Memory {
    manual: bool,
}

impl Harness for Memory {
    type Store = MemLogStore;

    fn create(&mut self) -> MemLogStore {
        if self.manual { MemLogStore::with_manual_sync() } else { MemLogStore::new() }
    }

    fn settle(&mut self, store: &mut MemLogStore) {
        store.sync();
    }

    fn crash(&mut self, _: MemLogStore) -> Option<MemLogStore> {
        None
    }
}

#[test]
fn the_store_in_memory_keeps_the_contract_in_both_modes() {
    for manual in [false, true] {
        let tally = conformance(|| Memory { manual });
        assert!(
            tally.batches > 500 && tally.refused > 50 && tally.reads > 200 && tally.receipts > 50,
            "{tally:?}"
        );
    }
}

/// How a store is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    AttestsBeforeTheSync,
    ReceiptGoesBack,
    ReceiptRunsAhead,
    RepeatsAReceipt,
    LosesTheTail,
    TearsABatch,
    KeepsALaterBatchOnly,
    ForgetsATruncation,
    ForgetsTheHardState,
    ForgetsAPurge,
    HardStateBeforeItsEntries,
    TruncatesAfterTheAppend,
    LosesTheTermOfTheBase,
    KeepsEntriesInTheBatch,
    DrainsARefusedBatch,
    ChangesOnMisuse,
    TakesAHole,
    TakesAnyNumber,
    TakesAPurgeBeyondTheLog,
    IgnoresTheReadLimit,
    ReadsNothingOverTheLimit,
    ReadsWhatItHasOfAMissingRange,
    ReadsOnlyTheDurable,
    ClearsTheOutput,
    NeverWakes,
    WakesTheFirstWakerOnly,
    ForgivesAFailedSync,
    TakesBatchesAfterAFailure,
}

const FAULTS: [Fault; 28] = [
    Fault::AttestsBeforeTheSync,
    Fault::ReceiptGoesBack,
    Fault::ReceiptRunsAhead,
    Fault::RepeatsAReceipt,
    Fault::LosesTheTail,
    Fault::TearsABatch,
    Fault::KeepsALaterBatchOnly,
    Fault::ForgetsATruncation,
    Fault::ForgetsTheHardState,
    Fault::ForgetsAPurge,
    Fault::HardStateBeforeItsEntries,
    Fault::TruncatesAfterTheAppend,
    Fault::LosesTheTermOfTheBase,
    Fault::KeepsEntriesInTheBatch,
    Fault::DrainsARefusedBatch,
    Fault::ChangesOnMisuse,
    Fault::TakesAHole,
    Fault::TakesAnyNumber,
    Fault::TakesAPurgeBeyondTheLog,
    Fault::IgnoresTheReadLimit,
    Fault::ReadsNothingOverTheLimit,
    Fault::ReadsWhatItHasOfAMissingRange,
    Fault::ReadsOnlyTheDurable,
    Fault::ClearsTheOutput,
    Fault::NeverWakes,
    Fault::WakesTheFirstWakerOnly,
    Fault::ForgivesAFailedSync,
    Fault::TakesBatchesAfterAFailure,
];

#[derive(Clone)]
struct Owned {
    truncate_from: Option<LogIndex>,
    append: Vec<Entry>,
    hard_state: Option<HardState>,
    purge_through: Option<LogIndex>,
}

#[derive(Clone, Default)]
struct State {
    base: Position,
    entries: Vec<Entry>,
    hard_state: Option<HardState>,
}

impl State {
    fn last(&self) -> u64 {
        self.entries.last().map_or(self.base, |entry| entry.position).index.get()
    }

    fn apply(&mut self, batch: &Owned, fault: Fault) {
        let cut = |entries: &mut Vec<Entry>| {
            entries.retain(|entry| batch.truncate_from.is_none_or(|from| entry.position.index < from));
        };
        if fault != Fault::TruncatesAfterTheAppend {
            cut(&mut self.entries);
        }
        self.entries.extend(batch.append.iter().cloned());
        if fault == Fault::TruncatesAfterTheAppend {
            cut(&mut self.entries);
        }
        self.hard_state = batch.hard_state.or(self.hard_state);
        while batch
            .purge_through
            .is_some_and(|to| self.entries.first().is_some_and(|it| it.position.index <= to))
        {
            self.base = self.entries.remove(0).position;
            if fault == Fault::LosesTheTermOfTheBase {
                self.base.term = Position::ZERO.term;
            }
        }
    }
}

/// A simulated disk with one flaw.
struct Broken {
    fault: Fault,
    state: State,
    /// What a crash leaves at least, and the batches behind it.
    durable: State,
    unsynced: Vec<Owned>,
    submitted: u64,
    synced: u64,
    reported: u64,
    failed: bool,
    waker: Option<Waker>,
}

impl Broken {
    fn new(fault: Fault, state: State) -> Self {
        let durable = state.clone();
        let unsynced = Vec::new();
        Self {
            fault,
            state,
            durable,
            unsynced,
            submitted: 0,
            synced: 0,
            reported: 0,
            failed: false,
            waker: None,
        }
    }

    fn sync(&mut self) {
        if !self.failed || self.fault == Fault::ForgivesAFailedSync {
            for batch in self.unsynced.drain(..) {
                self.durable.apply(&batch, self.fault);
            }
            self.synced = self.submitted;
        }
        if let Some(waker) = self.waker.take().filter(|_| self.fault != Fault::NeverWakes) {
            waker.wake();
        }
    }

    fn crash(mut self, rng: &mut Rng) -> Self {
        let kept = usize::try_from(rng.below(self.unsynced.len() as u64 + 1)).unwrap();
        let mut batches: Vec<Owned> = self.unsynced.drain(..).collect();
        match self.fault {
            Fault::TearsABatch if kept < batches.len() => {
                batches.truncate(kept + 1);
                batches[kept].append.pop();
                batches[kept].hard_state = None;
            }
            Fault::KeepsALaterBatchOnly if kept + 1 < batches.len() => {
                batches.drain(..kept);
                let left = Owned {
                    append: Vec::new(),
                    truncate_from: None,
                    purge_through: None,
                    ..batches[1].clone()
                };
                batches = vec![left];
            }
            Fault::HardStateBeforeItsEntries => {
                for batch in &mut batches[kept..] {
                    batch.append.clear();
                    batch.truncate_from = None;
                    batch.purge_through = None;
                }
            }
            _ => batches.truncate(kept),
        }
        if self.fault == Fault::LosesTheTail {
            self.durable.entries.pop();
        }
        for batch in &batches {
            self.durable.apply(batch, self.fault);
        }
        if self.fault == Fault::ForgetsTheHardState {
            self.durable.hard_state = None;
        }
        Self::new(self.fault, self.durable)
    }

    fn check(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let fault = self.fault;
        let base = self.state.base.index.get();
        let mut last = self.state.last();
        if batch.id.get() != self.submitted + 1 && fault != Fault::TakesAnyNumber {
            return Err(StoreError::Misuse("number"));
        }
        if let Some(from) = batch.truncate_from.map(LogIndex::get) {
            if from <= base || from > last + 1 {
                return Err(StoreError::Misuse("truncation"));
            }
            last = from - 1;
        }
        for entry in batch.append.iter() {
            let hole = entry.position.index.get() != last + 1;
            if hole && fault != Fault::TakesAHole {
                return Err(StoreError::Misuse("hole"));
            }
            last = entry.position.index.get();
        }
        let beyond = batch.purge_through.is_some_and(|through| through.get() > last);
        if beyond && fault != Fault::TakesAPurgeBeyondTheLog {
            return Err(StoreError::Misuse("purge"));
        }
        Ok(())
    }
}

impl LogStore for Broken {
    fn summary(&self) -> LogSummary {
        let mut summary =
            LogSummary { base: self.state.base, runs: Vec::new(), hard_state: self.state.hard_state };
        for entry in &self.state.entries {
            summary.push(entry.position.term);
        }
        summary
    }

    fn has_room(&self) -> bool {
        true
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        if self.failed && self.fault != Fault::TakesBatchesAfterAFailure && self.synced < self.submitted {
            return Err(StoreError::Fatal("device".into()));
        }
        if let Err(error) = self.check(&batch) {
            if self.fault == Fault::DrainsARefusedBatch {
                batch.append.clear();
            }
            if self.fault == Fault::ChangesOnMisuse {
                self.state.hard_state = batch.hard_state;
            }
            return Err(error);
        }
        let append = if self.fault == Fault::KeepsEntriesInTheBatch {
            batch.append.clone()
        } else {
            std::mem::take(batch.append)
        };
        let Batch { truncate_from, hard_state, purge_through, .. } = batch;
        let mut owned = Owned { truncate_from, append, hard_state, purge_through };
        self.state.apply(&owned, self.fault);
        match self.fault {
            Fault::ForgetsATruncation if owned.append.is_empty() => owned.truncate_from = None,
            Fault::ForgetsAPurge => owned.purge_through = None,
            _ => {}
        }
        self.unsynced.push(owned);
        self.submitted = batch.id.get();
        if self.fault == Fault::AttestsBeforeTheSync {
            self.synced = self.submitted;
        }
        Ok(())
    }

    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        if self.synced > self.reported {
            let through = match self.fault {
                Fault::ReceiptRunsAhead => self.synced + 1,
                Fault::ReceiptGoesBack if self.reported > 0 => self.reported - 1,
                _ => self.synced,
            };
            self.reported = self.synced;
            return Poll::Ready(Ok(Receipt::attest(WriteId::new(through))));
        }
        if self.fault == Fault::RepeatsAReceipt && self.reported > 0 {
            return Poll::Ready(Ok(Receipt::attest(WriteId::new(self.reported))));
        }
        if self.failed && self.submitted > self.synced {
            return Poll::Ready(Err(StoreError::Fatal("device".into())));
        }
        if self.fault != Fault::WakesTheFirstWakerOnly || self.waker.is_none() {
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
        if self.fault == Fault::ClearsTheOutput {
            out.clear();
        }
        let state = if self.fault == Fault::ReadsOnlyTheDurable { &self.durable } else { &self.state };
        let found: Vec<_> =
            state.entries.iter().filter(|it| (first..=last).contains(&it.position.index)).cloned().collect();
        let asked = last.get().wrapping_sub(first.get()).wrapping_add(1);
        let part = self.fault == Fault::ReadsWhatItHasOfAMissingRange && !found.is_empty();
        if !part && (found.is_empty() || found.len() as u64 != asked) {
            return Err(StoreError::Missing { first, last });
        }
        let mut bytes = 0;
        for entry in found {
            let force = bytes == 0 && self.fault != Fault::ReadsNothingOverTheLimit;
            if !force && bytes + entry.payload.len() > max_bytes && self.fault != Fault::IgnoresTheReadLimit {
                break;
            }
            bytes += entry.payload.len().max(1);
            out.push(entry);
        }
        Ok(())
    }
}

struct Disk {
    fault: Fault,
    rng: Rng,
}

impl Harness for Disk {
    type Store = Broken;

    fn create(&mut self) -> Broken {
        Broken::new(self.fault, State::default())
    }

    fn settle(&mut self, store: &mut Broken) {
        store.sync();
    }

    fn crash(&mut self, store: Broken) -> Option<Broken> {
        Some(store.crash(&mut self.rng))
    }

    fn fail(&mut self, store: &mut Broken) -> bool {
        store.failed = true;
        true
    }

    fn patience(&self) -> Duration {
        Duration::ZERO // this device works inside `settle`
    }
}

#[test]
fn a_simulated_disk_without_a_flaw_keeps_the_contract() {
    let mut seed = 0;
    let tally = conformance(|| {
        seed += 1;
        Disk { fault: Fault::None, rng: Rng::new(seed) }
    });
    assert!(tally.crashes > 200 && tally.unattested > 200 && tally.failures == 3, "{tally:?}");
    println!("{tally:?}");
}

#[test]
fn every_broken_store_is_found() {
    for fault in FAULTS {
        let mut seed = 0;
        let make = || {
            seed += 1;
            Disk { fault, rng: Rng::new(seed) }
        };
        match check(make, 100) {
            Err(violation) => println!("{fault:?}: {violation}"),
            Ok(tally) => panic!("{fault:?} went unseen: {tally:?}"),
        }
    }
}
