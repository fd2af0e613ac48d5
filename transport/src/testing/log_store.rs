//! What every [`LogStore`] must keep, checked through the trait alone.
//!
//! An implementer writes a [`Harness`] that makes a store, lets its device work and pulls its plug; the test is then
//! one line:
//!
//! ```
//! use synod_transport::store::MemLogStore;
//! use synod_transport::testing::log_store::{Harness, conformance};
//!
//! struct InMemory;
//!
//! impl Harness for InMemory {
//!     type Store = MemLogStore;
//!     fn create(&mut self) -> MemLogStore {
//!         MemLogStore::with_manual_sync()
//!     }
//!     fn settle(&mut self, store: &mut MemLogStore) {
//!         store.sync();
//!     }
//!     fn crash(&mut self, _: MemLogStore) -> Option<MemLogStore> {
//!         None // nothing of it survives, so there is nothing to come back to
//!     }
//! }
//!
//! let tally = conformance(|| InMemory);
//! assert_eq!(tally.crashes, 0);
//! ```
//!
//! Scripted checks take one sentence of the contract each; then seeded histories of all operations, with crashes
//! wherever the harness allows them, run beside a plain model. [`check`] gives the first violation instead of
//! panicking, which is how the suite itself is tested against stores that are broken on purpose.

mod history;
mod model;
mod scripts;

use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::time::Duration;

use bytes::Bytes;

use crate::ids::{LogIndex, Position, WriteId};
use crate::log::{Entry, EntryKind};
use crate::store::{Batch, HardState, LogStore, Receipt, StoreError};

/// How the suite makes, works and breaks a store.
pub trait Harness {
    /// The store under test.
    type Store: LogStore;

    /// A new, empty store.
    fn create(&mut self) -> Self::Store;

    /// Lets the device finish what was submitted. A store whose device works on its own needs nothing here: the suite
    /// waits for the waker.
    fn settle(&mut self, store: &mut Self::Store) {
        let _ = store;
    }

    /// Pulls the plug and opens what is left: all that was attested, of the rest what this device happens to keep.
    /// `None` when such a store keeps nothing.
    fn crash(&mut self, store: Self::Store) -> Option<Self::Store>;

    /// Makes the device fail from now on. False when it cannot be made to.
    fn fail(&mut self, store: &mut Self::Store) -> bool {
        let _ = store;
        false
    }

    /// How long a wake-up may take. Only a broken store ever waits this long.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// A sentence of the contract that a store did not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {found}")]
pub struct Violation {
    /// The check that found it.
    pub check: &'static str,
    /// What was seen and what was due.
    pub found: String,
}

/// How much a run looked at. Zeros show what the harness could not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Batches that were taken.
    pub batches: u64,
    /// Batches that were refused, as they had to be.
    pub refused: u64,
    /// Receipts that were given.
    pub receipts: u64,
    /// Calls of `read` that were compared with the model.
    pub reads: u64,
    /// Crashes that were recovered from and compared.
    pub crashes: u64,
    /// Submitted batches that no receipt covered when a crash came; the more, the harder the test.
    pub unattested: u64,
    /// Device failures that were provoked.
    pub failures: u64,
}

/// Seeded histories in one run of the suite.
pub const HISTORIES: u64 = 60;

/// Runs the whole suite; `make` gives a fresh harness for each check.
///
/// # Panics
/// With the first sentence of the contract that is not kept.
pub fn conformance<H: Harness>(make: impl FnMut() -> H) -> Tally {
    let result = check(make, HISTORIES);
    assert!(result.is_ok(), "not a LogStore: {result:?}");
    result.unwrap_or_default()
}

/// Like [`conformance`] with a chosen number of seeded histories; gives the first violation back.
///
/// # Errors
/// The first [`Violation`] found.
pub fn check<H: Harness>(mut make: impl FnMut() -> H, histories: u64) -> Result<Tally, Violation> {
    let mut tally = Tally::default();
    scripts::run(&mut make, &mut tally)?;
    for seed in 0..histories {
        history::run(make(), seed, &mut tally)?;
    }
    Ok(tally)
}

/// A waker that a thread can wait for, and that counts.
#[derive(Default)]
struct Signal {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// Waits until woken once; false when that does not happen.
    fn wait(&self, patience: Duration) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(count, patience, |count| *count == 0);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count > 0
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}

/// One store under test with what the suite knows about it.
struct Subject<'a, H: Harness> {
    check: &'static str,
    harness: H,
    store: Option<H::Store>,
    submitted: WriteId,
    attested: WriteId,
    tally: &'a mut Tally,
}

/// A batch as the suite builds it.
#[derive(Debug, Clone, Default)]
struct Plan {
    truncate_from: Option<LogIndex>,
    append: Vec<Entry>,
    hard_state: Option<HardState>,
    purge_through: Option<LogIndex>,
}

impl<'a, H: Harness> Subject<'a, H> {
    fn new(check: &'static str, mut harness: H, tally: &'a mut Tally) -> Self {
        let store = Some(harness.create());
        Self { check, harness, store, submitted: WriteId::ZERO, attested: WriteId::ZERO, tally }
    }

    fn violation<T>(&self, found: impl Into<String>) -> Result<T, Violation> {
        Err(Violation { check: self.check, found: found.into() })
    }

    fn expect(&self, kept: bool, found: impl FnOnce() -> String) -> Result<(), Violation> {
        if kept { Ok(()) } else { self.violation(found()) }
    }

    /// The store, which is only gone after a crash that nothing survives.
    fn store(&mut self) -> Result<&mut H::Store, Violation> {
        let check = self.check;
        self.store.as_mut().ok_or(Violation { check, found: "the store is gone".into() })
    }

    /// Offers a batch under this number and checks what became of its entries.
    fn offer(&mut self, id: WriteId, plan: &Plan) -> Result<Result<(), StoreError>, Violation> {
        let mut append = plan.append.clone();
        let result = self.store()?.submit(Batch {
            id,
            truncate_from: plan.truncate_from,
            append: &mut append,
            hard_state: plan.hard_state,
            purge_through: plan.purge_through,
        });
        match &result {
            Ok(()) => self.expect(append.is_empty(), || "an accepted batch kept its entries".into()),
            Err(error) => self.expect(append == plan.append, || format!("{error} took entries all the same")),
        }?;
        Ok(result)
    }

    /// Submits the next batch, which must be taken; waits for the disk while the window is full.
    fn submit(&mut self, plan: &Plan) -> Result<(), Violation> {
        if !self.store()?.has_room() {
            self.settle()?;
            let room = self.store()?.has_room();
            self.expect(room, || "no room with everything durable".into())?;
        }
        let id = self.submitted.next();
        if let Err(error) = self.offer(id, plan)? {
            return self.violation(format!("refused {plan:?} as {id:?}: {error}"));
        }
        self.submitted = id;
        self.tally.batches += 1;
        Ok(())
    }

    /// Offers a batch that must be refused as misuse and leave no trace.
    fn refuse(&mut self, id: WriteId, plan: &Plan) -> Result<(), Violation> {
        let before = self.store()?.summary();
        let result = self.offer(id, plan)?;
        self.expect(matches!(result, Err(StoreError::Misuse(_))), || {
            format!("{plan:?} as {id:?} gave {result:?}, not misuse")
        })?;
        let after = self.store()?.summary();
        self.expect(before == after, || format!("a refused batch changed {before:?} to {after:?}"))?;
        self.tally.refused += 1;
        Ok(())
    }

    /// Polls once and checks the receipt, if there is one.
    fn poll(&mut self, waker: &Waker) -> Result<Poll<Result<Receipt, StoreError>>, Violation> {
        let polled = self.store()?.poll_durable(&mut Context::from_waker(waker));
        if let Poll::Ready(Ok(receipt)) = &polled {
            let (through, attested, submitted) = (receipt.through(), self.attested, self.submitted);
            self.expect(through > attested, || {
                format!("a receipt through {through:?} after one through {attested:?}")
            })?;
            self.expect(through <= submitted, || {
                format!("a receipt through {through:?} with {submitted:?} submitted")
            })?;
            self.attested = through;
            self.tally.receipts += 1;
        }
        Ok(polled)
    }

    /// Waits until everything submitted is attested.
    fn settle(&mut self) -> Result<(), Violation> {
        while self.attested < self.submitted {
            let signal = Arc::new(Signal::default());
            let waker = Waker::from(Arc::clone(&signal));
            match self.poll(&waker)? {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return self.violation(format!("polling gave {error}")),
                Poll::Pending => {
                    self.work_until(&signal)?;
                }
            }
        }
        let idle = self.poll(Waker::noop())?;
        self.expect(idle.is_pending(), || format!("with nothing new a poll gave {idle:?}"))
    }

    /// Lets the device work until the task is woken.
    fn work_until(&mut self, signal: &Signal) -> Result<(), Violation> {
        if let Some(store) = &mut self.store {
            self.harness.settle(store);
        }
        let woken = signal.wait(self.harness.patience());
        self.expect(woken, || "the task was not woken".into())
    }

    /// Reads and gives what came, appended behind an entry that must stay.
    fn read(
        &mut self,
        first: u64,
        last: u64,
        max_bytes: usize,
    ) -> Result<Result<Vec<Entry>, StoreError>, Violation> {
        let marker = entry(77, 77, b"was here before");
        let mut out = vec![marker.clone()];
        let result = self.store()?.read(LogIndex::new(first), LogIndex::new(last), max_bytes, &mut out);
        self.tally.reads += 1;
        self.expect(out.first() == Some(&marker), || "a read replaced what stood in `out`".into())?;
        out.remove(0);
        if result.is_err() {
            self.expect(out.is_empty(), || "a failed read left entries in `out`".into())?;
        }
        Ok(result.map(|()| out))
    }

    /// Crashes; false when nothing comes back.
    fn crash(&mut self) -> bool {
        let lost = self.submitted.get().saturating_sub(self.attested.get());
        self.store = self.store.take().and_then(|store| self.harness.crash(store));
        self.submitted = WriteId::ZERO;
        self.attested = WriteId::ZERO;
        if self.store.is_some() {
            self.tally.crashes += 1;
            self.tally.unattested += lost;
        }
        self.store.is_some()
    }
}

/// An entry with this payload.
fn entry(term: u64, index: u64, payload: &'static [u8]) -> Entry {
    let kind = if payload.is_empty() { EntryKind::Blank } else { EntryKind::Command };
    Entry { position: Position::new(term, index), kind, payload: Bytes::from_static(payload) }
}

/// A batch that appends these.
fn append(entries: impl Into<Vec<Entry>>) -> Plan {
    Plan { append: entries.into(), ..Plan::default() }
}

/// A hard state of one byte repeated.
fn hard_state(byte: u8) -> Option<HardState> {
    HardState::new(&[byte; 24])
}
