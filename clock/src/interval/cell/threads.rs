//! One cell, one thread that writes and one that reads; and naive ones that some interleaving breaks.

use alloc::sync::Arc;

use synod_interleave::{Bound, holds, spawn};

use super::super::Anchor;
use super::Cell;
use crate::unix::UnixTime;

/// A cell, or what only looks like one.
trait Numbers: Send + Sync + 'static {
    fn store(&self, anchor: &Anchor);
    fn load(&self) -> Option<(u64, UnixTime, i64)>;
}

impl Numbers for Cell {
    fn store(&self, anchor: &Anchor) {
        self.store(anchor);
    }
    fn load(&self) -> Option<(u64, UnixTime, i64)> {
        self.load()
    }
}

/// Three numbers that belong together.
fn anchor(number: u32) -> Anchor {
    Anchor {
        counter_ns: u64::from(number),
        time: UnixTime::from_nanos(-3 * i64::from(number)),
        error_ns: 7 * i64::from(number),
        drift_bound_ppb: 0,
        valid_for_ns: 0,
    }
}

/// What was stored before a thread began is seen, and nothing is seen in halves.
fn numbers_belong_together(cell: impl Numbers) {
    cell.store(&anchor(1));
    let cell = Arc::new(cell);
    let other = Arc::clone(&cell);
    let writer = spawn(move || other.store(&anchor(2)));
    let seen = cell.load();
    writer.join();
    if let Some((counter_ns, time, error_ns)) = seen {
        let number = u32::try_from(counter_ns).unwrap();
        assert!(number == 1 || number == 2, "nobody stored {number}");
        assert_eq!((time, error_ns), (anchor(number).time, anchor(number).error_ns), "halves of two");
    }
    let last = (2, anchor(2).time, anchor(2).error_ns);
    assert_eq!(cell.load(), Some(last), "what was stored is not there");
}

#[test]
fn clock_kernel_numbers_of_the_cell_belong_together() {
    holds("interval cell: numbers belong together", Bound::All, || numbers_belong_together(Cell::new()));
}

#[test]
fn a_cell_in_which_nothing_was_stored_is_empty() {
    holds("interval cell: empty at first", Bound::All, || assert_eq!(Cell::new().load(), None));
}

#[cfg(synod_loom)]
mod twins {
    use loom::sync::atomic::fence;
    use synod_interleave::breaks;
    use synod_interleave::sync::atomic::{AtomicU64, Ordering};

    use super::super::{bits, signed};
    use super::*;

    /// What is left out of the sequence lock.
    #[derive(Clone, Copy, PartialEq)]
    enum Without {
        Nothing,
        OddVersion,
        WritersFence,
        ReadersFence,
        SecondLook,
    }

    struct Naive {
        without: Without,
        version: AtomicU64,
        numbers: [AtomicU64; 3],
    }

    impl Naive {
        fn new(without: Without) -> Self {
            let zero = || AtomicU64::new(0);
            Self { without, version: zero(), numbers: [zero(), zero(), zero()] }
        }
    }

    impl Numbers for Naive {
        fn store(&self, anchor: &Anchor) {
            let version = self.version.load(Ordering::Relaxed);
            if self.without != Without::OddVersion {
                self.version.store(version + 1, Ordering::Relaxed);
            }
            if self.without != Without::WritersFence {
                fence(Ordering::Release);
            }
            let new = [anchor.counter_ns, bits(anchor.time.as_nanos()), bits(anchor.error_ns)];
            for (number, new) in self.numbers.iter().zip(new) {
                number.store(new, Ordering::Relaxed);
            }
            self.version.store(version + 2, Ordering::Release);
        }

        fn load(&self) -> Option<(u64, UnixTime, i64)> {
            let version = self.version.load(Ordering::Acquire);
            let [counter_ns, time, error_ns] = [0, 1, 2].map(|at| self.numbers[at].load(Ordering::Relaxed));
            if self.without != Without::ReadersFence {
                fence(Ordering::Acquire);
            }
            let again = if self.without == Without::SecondLook {
                version
            } else {
                self.version.load(Ordering::Relaxed)
            };
            let whole = version != 0 && version % 2 == 0 && version == again;
            whole.then_some((counter_ns, UnixTime::from_nanos(signed(time)), signed(error_ns)))
        }
    }

    #[test]
    fn a_naive_cell_from_which_nothing_is_left_out_holds() {
        holds("Naive, nothing left out", Bound::All, || {
            numbers_belong_together(Naive::new(Without::Nothing))
        });
    }

    #[test]
    fn whatever_is_left_out_of_a_cell_makes_halves() {
        for (name, without) in [
            ("no odd version", Without::OddVersion),
            ("no fence of the writer", Without::WritersFence),
            ("no fence of the reader", Without::ReadersFence),
            ("no second look", Without::SecondLook),
        ] {
            breaks(name, Bound::All, "halves of two", move || numbers_belong_together(Naive::new(without)));
        }
    }
}
