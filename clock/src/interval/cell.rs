//! Three numbers that one writes and many read, without a lock for the readers.

#[cfg(not(synod_loom))]
use core::sync::atomic::fence;
#[cfg(synod_loom)]
use loom::sync::atomic::fence;

use super::Anchor;
use crate::sync::{AtomicU64, Ordering};
use crate::unix::UnixTime;

/// A sequence lock: the version is odd while the numbers are written. A reader that sees a version twice, the same and
/// even, saw numbers that belong together.
#[derive(Debug)]
pub(super) struct Cell {
    /// Zero as long as nothing was stored.
    version: AtomicU64,
    counter_ns: AtomicU64,
    /// The bits of a signed number, as is the next.
    time: AtomicU64,
    error_ns: AtomicU64,
}

impl Cell {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { version: zero(), counter_ns: zero(), time: zero(), error_ns: zero() }
    }

    /// What was stored last: the counter, the time and its error. Nothing when there is nothing, or when it is being
    /// written.
    #[inline]
    pub(super) fn load(&self) -> Option<(u64, UnixTime, i64)> {
        let version = self.version.load(Ordering::Acquire);
        let counter_ns = self.counter_ns.load(Ordering::Relaxed);
        let time = UnixTime::from_nanos(signed(self.time.load(Ordering::Relaxed)));
        let error_ns = signed(self.error_ns.load(Ordering::Relaxed));
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
        self.time.store(bits(anchor.time.as_nanos()), Ordering::Relaxed);
        self.error_ns.store(bits(anchor.error_ns), Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }
}

#[inline]
const fn signed(bits: u64) -> i64 {
    i64::from_ne_bytes(bits.to_ne_bytes())
}

#[inline]
const fn bits(signed: i64) -> u64 {
    u64::from_ne_bytes(signed.to_ne_bytes())
}

#[cfg(test)]
mod threads;
