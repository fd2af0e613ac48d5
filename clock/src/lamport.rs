//! Lamport's logical clock: one number that never contradicts causality.
//!
//! Every event of a process takes the next number, and a receipt takes one above what the message carries (Lamport,
//! *Time, Clocks, and the Ordering of Events in a Distributed System*, CACM 1978, rules IR1 and IR2). If one event
//! happened before another, its number is smaller. The converse does not hold: numbers alone never tell that two events
//! are concurrent, for which see [`vector`](crate::vector).
//!
//! Numbers of different processes may be equal. [`LamportStamp`] breaks the tie with the node's id and is the paper's
//! total order `⇒`.
//!
//! ```
//! use synod_clock::lamport::LamportClock;
//!
//! # fn main() -> Result<(), synod_clock::lamport::Exhausted> {
//! let (a, b, c) = (LamportClock::new(), LamportClock::new(), LamportClock::new());
//! assert_eq!((a.tick()?, b.tick()?), (1, 1)); // a, b
//! assert_eq!(a.tick()?, 2); // c
//! let m1 = a.send()?;
//! assert_eq!(m1, 3);
//! assert_eq!(b.receive(m1)?, 4);
//! assert_eq!(b.tick()?, 5); // d
//! let m2 = b.send()?;
//! assert_eq!(m2, 6);
//! assert_eq!(c.receive(m2)?, 7);
//! let m3 = a.send()?;
//! assert_eq!(m3, 4);
//! assert_eq!(c.receive(m3)?, 8);
//! # Ok(())
//! # }
//! ```

use core::fmt;

use crate::sync::{AtomicU64, Ordering};

#[cfg(test)]
mod threads;

/// The clock has given its last number, `u64::MAX`, or a message carries that. Nothing changed. At a million events a
/// second it takes half a million years to get there, so a peer has made up a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the Lamport clock has no number above {0}")]
pub struct Exhausted(pub u64);

/// The clock of one process, shared by its threads without a lock.
///
/// No two calls of [`tick`](Self::tick), [`send`](Self::send) and [`receive`](Self::receive) on one clock give the same
/// number, and a call that begins after another has ended gives a larger one. Each is a compare-and-swap, retried while
/// other threads are at it: lock-free, no allocation.
///
/// With the feature `serde` it is its latest number. A clock that is read back gives numbers again that the first one
/// gave after it was written: write it before anybody hears of them.
#[derive(Debug)]
pub struct LamportClock {
    /// The latest number given. Relaxed everywhere: this one location is totally ordered, and nothing else is published
    /// through it.
    latest: AtomicU64,
}

impl LamportClock {
    /// A clock whose first event will be 1.
    #[cfg(not(synod_loom))]
    pub const fn new() -> Self {
        Self::after(0)
    }

    /// A clock that goes on after `latest`: what a process stored before it stopped.
    #[cfg(not(synod_loom))]
    pub const fn after(latest: u64) -> Self {
        Self { latest: AtomicU64::new(latest) }
    }

    /// The number of the latest event; 0 before the first.
    pub fn latest(&self) -> u64 {
        self.latest.load(Ordering::Relaxed)
    }

    /// Numbers an event of this process (IR1).
    ///
    /// # Errors
    /// [`Exhausted`] when there is no larger number.
    pub fn tick(&self) -> Result<u64, Exhausted> {
        self.receive(0)
    }

    /// Numbers the sending of a message, which carries that number (IR2a).
    ///
    /// # Errors
    /// [`Exhausted`] when there is no larger number.
    pub fn send(&self) -> Result<u64, Exhausted> {
        self.tick()
    }

    /// Numbers the receipt of a message that carries `sent` (IR2b).
    ///
    /// # Errors
    /// [`Exhausted`] when there is no number above both.
    pub fn receive(&self, sent: u64) -> Result<u64, Exhausted> {
        let mut latest = self.latest.load(Ordering::Relaxed);
        loop {
            let highest = latest.max(sent);
            let next = highest.checked_add(1).ok_or(Exhausted(highest))?;
            match self.latest.compare_exchange_weak(latest, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(next),
                Err(changed) => latest = changed,
            }
        }
    }
}

/// loom's atomics are made at run time.
#[cfg(synod_loom)]
#[expect(missing_docs, reason = "documented above, for programs")]
impl LamportClock {
    pub fn new() -> Self {
        Self::after(0)
    }

    pub fn after(latest: u64) -> Self {
        Self { latest: AtomicU64::new(latest) }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for LamportClock {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::number::serialize(&self.latest(), serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for LamportClock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::number::deserialize(deserializer).map(Self::after)
    }
}

impl Default for LamportClock {
    fn default() -> Self {
        Self::new()
    }
}

/// An event's number and whose it is: totally ordered, in a way that every node agrees on and causality agrees with.
///
/// ```
/// use synod_clock::lamport::LamportStamp;
///
/// let stamp = |time, node| LamportStamp { time, node };
/// assert!(stamp(3, "b") < stamp(4, "a"));
/// assert!(stamp(4, "a") < stamp(4, "b"));
/// assert_eq!(stamp(4, "b").to_string(), "4@b");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LamportStamp<N> {
    /// The Lamport number.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub time: u64,
    /// The node whose event it is.
    pub node: N,
}

impl<N: fmt::Display> fmt::Display for LamportStamp<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.time, self.node)
    }
}
