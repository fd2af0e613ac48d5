//! The clock as one might write it first, with one flaw, or none.

use std::sync::Arc;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds};

use super::{
    Settable, Stamping, WALL, Watching, no_mark_stays_from_before_a_step_back, observing_undoes_nothing,
    stamps_are_unique, the_bound_comes_first, what_was_taken_stays_below,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// A stamp is stored without asking whether another thread stored one meanwhile.
    Stores,
    /// After a lost race the stamp that was worked out before is tried again.
    KeepsItsStamp,
    /// Observing stores, and so may take the clock back.
    ObserveStores,
    /// The bound is asked once, not again after a lost race.
    BoundOnce,
    /// The bound promises nothing of what was done before it was raised.
    BoundRelaxed,
    /// A late, smaller bound replaces a greater one.
    BoundStores,
}

struct Twin {
    flaw: Flaw,
    last: AtomicU64,
    bound: AtomicU64,
}

impl Twin {
    fn new(flaw: Flaw, last: u64, bound: u64) -> Arc<Self> {
        Arc::new(Self { flaw, last: AtomicU64::new(last), bound: AtomicU64::new(bound) })
    }

    fn order(&self, sound: Ordering) -> Ordering {
        if self.flaw == Flaw::BoundRelaxed { Ordering::Relaxed } else { sound }
    }

    fn advance(&self, floor: u64) -> Option<u64> {
        let after = |last: u64| WALL.max(last.max(floor) + 1);
        let mut last = self.last.load(Ordering::SeqCst);
        let mut next = after(last);
        for attempt in 0.. {
            let asks = attempt == 0 || self.flaw != Flaw::BoundOnce;
            if asks && next >= self.bound.load(self.order(Ordering::Acquire)) {
                return None;
            }
            if self.flaw == Flaw::Stores {
                self.last.store(next, Ordering::SeqCst);
                return Some(next);
            }
            match self.last.compare_exchange(last, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Some(next),
                Err(seen) => last = seen,
            }
            if self.flaw != Flaw::KeepsItsStamp {
                next = after(last);
            }
        }
        None
    }
}

impl Stamping for Twin {
    fn now(&self) -> Option<u64> {
        self.advance(0)
    }
    fn recv(&self, remote: u64) -> Option<u64> {
        self.advance(remote)
    }
    fn observe(&self, remote: u64) {
        if self.flaw == Flaw::ObserveStores {
            if self.last.load(Ordering::SeqCst) < remote {
                self.last.store(remote, Ordering::SeqCst);
            }
        } else {
            self.last.fetch_max(remote, Ordering::SeqCst);
        }
    }
    fn raise_bound(&self, bound: u64) {
        if self.flaw == Flaw::BoundStores {
            self.bound.store(bound, Ordering::SeqCst);
        } else {
            self.bound.fetch_max(bound, self.order(Ordering::Release));
        }
    }
}

/// Looks for jumps of a wall without a monotonic clock beside it.
struct Looker {
    asks_again: bool,
    wall: Settable,
    shift: AtomicU64,
    mark: AtomicU64,
}

impl Looker {
    fn new(asks_again: bool) -> (Settable, Arc<Self>) {
        let wall = Settable(Arc::new(AtomicU64::new(5_000)));
        let (shift, mark) = (AtomicU64::new(5_000), AtomicU64::new(5_050));
        (wall.clone(), Arc::new(Self { asks_again, wall, shift, mark }))
    }
}

impl Watching for Looker {
    fn look(&self) {
        loop {
            let known = self.shift.load(Ordering::SeqCst);
            let wall = self.wall.0.load(Ordering::SeqCst);
            if self.shift.compare_exchange(known, wall, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            self.mark.store(wall + 50, Ordering::SeqCst);
            let ask = || self.shift.compare_exchange(wall, wall, Ordering::SeqCst, Ordering::SeqCst);
            if !self.asks_again || ask().is_ok() {
                return;
            }
        }
    }
    fn is_due(&self) -> bool {
        self.wall.0.load(Ordering::SeqCst) >= self.mark.load(Ordering::SeqCst)
    }
}

#[test]
fn without_a_flaw_the_twin_holds() {
    holds("hybrid twin: without a flaw", Bound::All, || {
        stamps_are_unique(&Twin::new(Flaw::None, WALL, u64::MAX), 2);
    });
    holds("hybrid twin: without a flaw, observing", Bound::All, || {
        what_was_taken_stays_below(&Twin::new(Flaw::None, WALL, u64::MAX));
    });
    holds("hybrid twin: without a flaw, bounded", Bound::All, || {
        observing_undoes_nothing(&Twin::new(Flaw::None, WALL, u64::MAX));
        the_bound_comes_first(&Twin::new(Flaw::None, WALL, WALL + 2));
    });
    holds("hybrid twin: without a flaw, looking", Bound::Preemptions(3), || {
        let (wall, looker) = Looker::new(true);
        no_mark_stays_from_before_a_step_back(&looker, &wall);
    });
}

#[cfg(synod_loom)]
#[test]
fn every_flaw_is_found() {
    use synod_interleave::breaks;
    breaks("hybrid twin: stores", Bound::All, "a stamp was given twice", || {
        stamps_are_unique(&Twin::new(Flaw::Stores, WALL, u64::MAX), 2);
    });
    breaks("hybrid twin: keeps its stamp", Bound::All, "a stamp was given twice", || {
        stamps_are_unique(&Twin::new(Flaw::KeepsItsStamp, WALL, u64::MAX), 2);
    });
    breaks("hybrid twin: observing stores", Bound::All, "given twice", || {
        observing_undoes_nothing(&Twin::new(Flaw::ObserveStores, WALL, u64::MAX));
    });
    breaks("hybrid twin: the bound once", Bound::All, "a bound that is not durable", || {
        the_bound_comes_first(&Twin::new(Flaw::BoundOnce, WALL, WALL + 2));
    });
    breaks("hybrid twin: a relaxed bound", Bound::All, "a bound that is not durable", || {
        the_bound_comes_first(&Twin::new(Flaw::BoundRelaxed, WALL, WALL + 2));
    });
    breaks("hybrid twin: a late bound", Bound::All, "a durable bound was lost", || {
        the_bound_comes_first(&Twin::new(Flaw::BoundStores, WALL, WALL + 2));
    });
    breaks(
        "hybrid twin: a mark after another's",
        Bound::Preemptions(3),
        "a jump forward was not seen",
        || {
            let (wall, looker) = Looker::new(false);
            no_mark_stays_from_before_a_step_back(&looker, &wall);
        },
    );
}
