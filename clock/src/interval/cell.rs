//! Three numbers that one writes and many read, without a lock for the readers.

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};

use super::Anchor;
use crate::unix::UnixTime;

/// A sequence lock: the version is odd while the numbers are written. A reader that sees a version twice, the same and
/// even, saw numbers that belong together.
#[derive(Debug)]
pub(super) struct Cell {
    /// Zero as long as nothing was stored.
    version: AtomicU64,
    counter_ns: AtomicU64,
    time: AtomicI64,
    error_ns: AtomicI64,
}

impl Cell {
    pub(super) const fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            counter_ns: AtomicU64::new(0),
            time: AtomicI64::new(0),
            error_ns: AtomicI64::new(0),
        }
    }

    /// What was stored last: the counter, the time and its error. Nothing when there is nothing, or when it is being
    /// written.
    #[inline]
    pub(super) fn load(&self) -> Option<(u64, UnixTime, i64)> {
        let version = self.version.load(Ordering::Acquire);
        let counter_ns = self.counter_ns.load(Ordering::Relaxed);
        let time = UnixTime::from_nanos(self.time.load(Ordering::Relaxed));
        let error_ns = self.error_ns.load(Ordering::Relaxed);
        // What was read above was read before the version is read again.
        fence(Ordering::Acquire);
        let again = self.version.load(Ordering::Relaxed);
        (version != 0 && version % 2 == 0 && version == again).then_some((counter_ns, time, error_ns))
    }

    /// Stores. Only one thread may at a time: the caller holds a lock.
    pub(super) fn store(&self, anchor: &Anchor) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        // Who sees one of the numbers below sees the odd version too.
        fence(Ordering::Release);
        self.counter_ns.store(anchor.counter_ns, Ordering::Relaxed);
        self.time.store(anchor.time.as_nanos(), Ordering::Relaxed);
        self.error_ns.store(anchor.error_ns, Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(number: u32) -> Anchor {
        let time = UnixTime::from_nanos(i64::from(number) * 3);
        Anchor {
            counter_ns: u64::from(number),
            time,
            error_ns: i64::from(number) * 7,
            drift_bound_ppb: 0,
            valid_for_ns: 0,
        }
    }

    #[test]
    fn readers_see_numbers_that_belong_together() {
        let cell = Cell::new();
        assert_eq!(cell.load(), None);
        cell.store(&anchor(0));
        std::thread::scope(|scope| {
            scope.spawn(|| (1..=200_000).for_each(|number| cell.store(&anchor(number))));
            let mut last = 0;
            while last < 200_000 {
                let Some((counter_ns, time, error_ns)) = cell.load() else { continue };
                let counter = i64::try_from(counter_ns).unwrap();
                assert_eq!((time.as_nanos(), error_ns), (counter * 3, counter * 7));
                assert!(counter_ns >= last);
                last = counter_ns;
            }
        });
    }
}
