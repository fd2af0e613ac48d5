//! Bounded time: a reading that says how wrong it may be, as TrueTime's (Corbett and others, "Spanner", OSDI 2012, §3).
//!
//! ```
//! use synod_clock::interval::Interval;
//! use synod_clock::UnixTime;
//!
//! let commit = UnixTime::from_nanos(100);
//! let now = |earliest, latest| Interval::new(UnixTime::from_nanos(earliest), UnixTime::from_nanos(latest));
//! assert!(!now(98, 105).after(commit)); // true time may still be before the commit: wait
//! assert!(now(101, 108).after(commit)); // it is surely past: the commit may be told
//! ```

mod anchor;
mod bounded;
#[cfg(feature = "std")]
mod cell;
mod clock_bound;
mod commit_wait;
#[cfg(feature = "std")]
mod kernel;

pub use anchor::Anchor;
pub use bounded::{BoundError, BoundedTime, Fixed, FromFn, from_fn};
#[cfg(all(feature = "std", target_os = "linux"))]
pub use clock_bound::ClockBound;
pub use clock_bound::{Page, PageError, Status};
pub use commit_wait::{CommitWait, Wait};
#[cfg(all(feature = "kernel", target_os = "linux", target_pointer_width = "64"))]
pub use kernel::Linux;
#[cfg(feature = "std")]
pub use kernel::{Kernel, KernelClock, KernelReading};

use core::time::Duration;

use crate::unix::{UnixTime, nanos_of};

/// True time is somewhere from `earliest` to `latest`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Ends"))]
pub struct Interval {
    /// Invariant: no later than `latest`.
    earliest: UnixTime,
    latest: UnixTime,
}

impl Interval {
    /// From its two ends, in either order.
    pub fn new(one: UnixTime, other: UnixTime) -> Self {
        Self { earliest: one.min(other), latest: one.max(other) }
    }

    /// `error_ns` to either side of `reading`; of a negative error, its size.
    pub fn around(reading: UnixTime, error_ns: i64) -> Self {
        let error_ns = error_ns.saturating_abs();
        Self { earliest: reading.shifted_back(error_ns), latest: reading.shifted(error_ns) }
    }

    /// The earliest that true time may be.
    pub const fn earliest(self) -> UnixTime {
        self.earliest
    }

    /// The latest that true time may be.
    pub const fn latest(self) -> UnixTime {
        self.latest
    }

    /// Whether `time` has passed for sure.
    pub fn after(self, time: UnixTime) -> bool {
        time < self.earliest
    }

    /// Whether `time` is still to come for sure.
    pub fn before(self, time: UnixTime) -> bool {
        self.latest < time
    }

    /// Whether true time may be `time`.
    pub fn contains(self, time: UnixTime) -> bool {
        (self.earliest..=self.latest).contains(&time)
    }

    /// From the earliest to the latest: twice the error.
    pub const fn width(self) -> Duration {
        self.latest.since(self.earliest)
    }

    /// Wider by `error` on either side.
    #[must_use]
    pub fn widened(self, error: Duration) -> Self {
        let nanos = nanos_of(error);
        Self { earliest: self.earliest.shifted_back(nanos), latest: self.latest.shifted(nanos) }
    }

    /// What both say, when they can both be right.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (earliest, latest) = (self.earliest.max(other.earliest), self.latest.min(other.latest));
        (earliest <= latest).then_some(Self { earliest, latest })
    }

    /// The smallest that holds both: true time is within if either is right.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { earliest: self.earliest.min(other.earliest), latest: self.latest.max(other.latest) }
    }

    /// What a reader of a hybrid logical clock must consider, given the clock's `reading` and the most that two hybrid clocks
    /// of the cluster differ, their leads over their walls included: whatever was written before the read began anywhere has a timestamp within
    /// `[reading, reading + maximum_skew]` or below. It is this interval that YugabyteDB's readers use: what they meet
    /// above its end is surely later, what they meet inside is not known, and the read begins anew there.
    pub fn of_hybrid(reading: UnixTime, maximum_skew: Duration) -> Self {
        Self { earliest: reading, latest: reading.shifted(nanos_of(maximum_skew)) }
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Ends {
    earliest: UnixTime,
    latest: UnixTime,
}

#[cfg(feature = "serde")]
impl TryFrom<Ends> for Interval {
    type Error = &'static str;

    fn try_from(Ends { earliest, latest }: Ends) -> Result<Self, &'static str> {
        if earliest > latest {
            return Err("the earliest time is after the latest");
        }
        Ok(Self { earliest, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: i64) -> UnixTime {
        UnixTime::from_nanos(nanos)
    }

    #[test]
    fn an_end_itself_is_neither_after_nor_before() {
        let now = Interval::new(at(108), at(101));
        assert!(now.after(at(100)) && !now.after(at(101)));
        assert!(now.before(at(109)) && !now.before(at(108)));
        assert!(now.contains(at(101)) && now.contains(at(108)) && !now.contains(at(100)));
        assert_eq!(now.width(), Duration::from_nanos(7));
    }

    #[test]
    fn a_hybrid_reading_is_widened_upwards_alone() {
        let now = Interval::of_hybrid(at(1000), Duration::from_nanos(500));
        assert_eq!((now.earliest(), now.latest()), (at(1000), at(1500)));
    }

    #[test]
    fn clock_p34_the_ends_of_time_do_not_overflow() {
        let whole = Interval::around(at(0), i64::MIN).widened(Duration::MAX);
        assert_eq!(whole, Interval::new(UnixTime::MIN, UnixTime::MAX));
        assert_eq!(Interval::around(UnixTime::MIN, 5).earliest(), UnixTime::MIN);
        assert_eq!(Interval::of_hybrid(UnixTime::MAX, Duration::MAX).latest(), UnixTime::MAX);
    }

    proptest! {
        #[test]
        fn exactly_one_of_after_before_and_contains(a in any::<i64>(), b in any::<i64>(), t in any::<i64>()) {
            let now = Interval::new(at(a), at(b));
            let answers = [now.after(at(t)), now.before(at(t)), now.contains(at(t))];
            prop_assert_eq!(answers.iter().filter(|it| **it).count(), 1);
        }

        #[test]
        fn an_intersection_holds_what_both_hold(a in any::<i64>(), b in any::<i64>(), c in any::<i64>(), d in any::<i64>(), t in any::<i64>()) {
            let (one, other) = (Interval::new(at(a), at(b)), Interval::new(at(c), at(d)));
            let both = one.intersection(other);
            prop_assert_eq!(both.is_some_and(|it| it.contains(at(t))), one.contains(at(t)) && other.contains(at(t)));
            prop_assert_eq!(both, other.intersection(one));
            if one.contains(at(t)) || other.contains(at(t)) {
                prop_assert!(one.hull(other).contains(at(t)));
            }
            prop_assert_eq!(one.hull(other).intersection(one), Some(one));
        }
    }
}
