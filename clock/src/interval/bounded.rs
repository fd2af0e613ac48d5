//! Where intervals come from.

use core::time::Duration;

use super::Interval;
use crate::unix::UnixTime;

/// A clock that knows how wrong it may be.
pub trait BoundedTime {
    /// What true time is within, now.
    ///
    /// # Errors
    /// No bound is known. Who needs one must not go on with a guess: a commit is not told, a read is not served.
    fn now(&self) -> Result<Interval, BoundError>;
}

impl<T: BoundedTime + ?Sized> BoundedTime for &T {
    fn now(&self) -> Result<Interval, BoundError> {
        (**self).now()
    }
}

/// Why no bound is known. Nothing is changed; another call may succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoundError {
    /// Nothing keeps the clock right, or it was never set: the machine's fault.
    #[error("the clock is not synchronised")]
    Unsynchronised,
    /// The last bound is too old: whatever keeps the clock right has stopped.
    #[error("the last bound is no longer valid")]
    Expired,
    /// The bound was made later than now: the counters of two machines or two boots were mixed.
    #[error("the bound was made later than now")]
    Causality,
    /// The bound's source is malformed, or states what no clock can do.
    #[error("the bound's source is malformed")]
    Malformed,
    /// The bound's source is being written whenever one looks, or is not there.
    #[error("the bound's source cannot be read: {0}")]
    Unreadable(&'static str),
}

/// Any clock, with a bound that somebody vouches for.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<C> {
    clock: C,
    error: Duration,
}

impl<C: Fn() -> UnixTime> Fixed<C> {
    /// The readings of `clock` are wrong by at most `error`, as the caller knows from elsewhere.
    pub const fn new(clock: C, error: Duration) -> Self {
        Self { clock, error }
    }
}

impl<C: Fn() -> UnixTime> BoundedTime for Fixed<C> {
    fn now(&self) -> Result<Interval, BoundError> {
        let reading = (self.clock)();
        Ok(Interval::new(reading, reading).widened(self.error))
    }
}

/// A bounded clock out of a function: see [`from_fn`].
#[derive(Clone, Copy, Debug)]
pub struct FromFn<F>(F);

/// Makes a bounded clock out of a function, as of an NTP client and its counter, or of an [`Anchor`](super::Anchor) in
/// a simulated world.
///
/// ```
/// use synod_clock::interval::{Anchor, BoundError, BoundedTime, from_fn};
/// use synod_clock::UnixTime;
///
/// let anchor = Anchor {
///     counter_ns: 0,
///     time: UnixTime::from_secs(100),
///     error_ns: 1000,
///     drift_bound_ppb: 50_000,
///     valid_for_ns: 1_000_000_000,
/// };
/// let counter = || 500_000_000;
/// let clock = from_fn(|| anchor.at(counter()));
/// assert!(clock.now()?.after(UnixTime::from_secs(100)));
/// # Ok::<(), BoundError>(())
/// ```
pub const fn from_fn<F: Fn() -> Result<Interval, BoundError>>(now: F) -> FromFn<F> {
    FromFn(now)
}

impl<F: Fn() -> Result<Interval, BoundError>> BoundedTime for FromFn<F> {
    fn now(&self) -> Result<Interval, BoundError> {
        (self.0)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_bound_goes_to_either_side() {
        let clock = Fixed::new(|| UnixTime::from_nanos(100), Duration::from_nanos(7));
        let now = (&clock as &dyn BoundedTime).now().unwrap();
        assert_eq!(now, Interval::new(UnixTime::from_nanos(93), UnixTime::from_nanos(107)));
    }
}
