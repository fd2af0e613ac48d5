//! Commit wait: a commit is told to nobody before its timestamp has surely passed (Spanner §4.1.2). Whoever then
//! begins anything anywhere gets a larger timestamp.

use core::time::Duration;

use super::Interval;
use crate::unix::UnixTime;

/// Nobody waits longer without looking again: the clock may have been set.
const LONGEST: Duration = Duration::from_secs(1);
/// Nobody waits shorter: what is left after a wait is a rounding, and a loop over nanoseconds is a busy one.
const SHORTEST: Duration = Duration::from_micros(50);

/// A wait for a timestamp to pass. Holds no clock and no timer: show it an interval, and it says what to do.
///
/// ```
/// use std::time::Duration;
/// use synod_clock::interval::{CommitWait, Interval, Wait};
/// use synod_clock::UnixTime;
///
/// let wait = CommitWait::new(UnixTime::from_millis(100));
/// let now = |earliest, latest| Interval::new(UnixTime::from_millis(earliest), UnixTime::from_millis(latest));
/// assert_eq!(wait.check(now(98, 105)), Wait::For(Duration::from_nanos(2_000_001)));
/// assert_eq!(wait.check(now(101, 108)), Wait::Done);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitWait {
    timestamp: UnixTime,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The timestamp has passed: tell.
    Done,
    /// Sleep this long and show a new interval. At least 50 µs, so that nobody spins, and at most one second, so that
    /// a clock that was set meanwhile costs no more than that.
    For(Duration),
}

impl CommitWait {
    /// Waits until `timestamp` has surely passed. A commit takes its timestamp from an interval's
    /// [latest](Interval::latest), so that it is not before true time either.
    pub const fn new(timestamp: UnixTime) -> Self {
        Self { timestamp }
    }

    /// What is waited for.
    pub const fn timestamp(self) -> UnixTime {
        self.timestamp
    }

    /// What to do, now being `now`.
    pub fn check(self, now: Interval) -> Wait {
        if now.after(self.timestamp) {
            return Wait::Done;
        }
        let left = self.timestamp.shifted(1).since(now.earliest());
        Wait::For(left.clamp(SHORTEST, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a wait against a clock of `rate` parts per billion and `error_ns`, which `set` may set. Says how often it
    /// looked and when, in true time, it was done.
    fn run(
        wait: CommitWait,
        rate_ppb: i64,
        error_ns: i64,
        set: impl Fn(i64) -> i64,
        poll_every: Option<Duration>,
    ) -> (u32, i64) {
        let mut now_ns = 0_i64;
        for looks in 1..1_000_000 {
            let reading = now_ns + now_ns * rate_ppb / 1_000_000_000 + set(now_ns);
            match wait.check(Interval::around(UnixTime::from_nanos(reading), error_ns)) {
                Wait::Done => return (looks, now_ns),
                // The planted fault does not sleep as long as it is told.
                Wait::For(told) => now_ns += crate::unix::nanos_of(poll_every.unwrap_or(told)),
            }
        }
        panic!("never done");
    }

    #[test]
    fn clock_p23_a_wait_looks_a_few_times_and_a_poll_many() {
        let wait = CommitWait::new(UnixTime::from_nanos(7_000_000));
        for rate_ppb in [-500_000, 0, 500_000] {
            let (looks, done) = run(wait, rate_ppb, 3_000_000, |_| 0, None);
            assert!(looks <= 3, "{looks} looks at {rate_ppb} ppb");
            assert!((10_000_000..10_200_000).contains(&done), "done at {done}");
        }
        let (looks, _) = run(wait, 0, 3_000_000, |_| 0, Some(Duration::from_micros(25)));
        assert!(looks > 300, "the planted poll looked {looks} times only");
    }

    #[test]
    fn clock_p23_a_wait_survives_steps_of_the_clock() {
        const SECOND: i64 = 1_000_000_000;
        let wait = CommitWait::new(UnixTime::from_nanos(20 * SECOND));
        // Set back by ten seconds after three: done ten seconds later, and no earlier.
        let back = |now: i64| if now >= 3 * SECOND { -10 * SECOND } else { 0 };
        let (looks, done) = run(wait, 0, 1000, back, None);
        assert!(looks <= 33 && (30 * SECOND..30 * SECOND + 100_000).contains(&done), "{looks} {done}");
        // Set forward by an hour after three: done within a second of it.
        let forward = |now: i64| if now >= 3 * SECOND { 3600 * SECOND } else { 0 };
        let (_, done) = run(wait, 0, 1000, forward, None);
        assert!(done <= 4 * SECOND, "{done}");
    }

    #[test]
    fn clock_p34_the_end_of_time_never_passes() {
        let wait = CommitWait::new(UnixTime::MAX);
        assert_eq!(wait.check(Interval::new(UnixTime::MAX, UnixTime::MAX)), Wait::For(SHORTEST));
        assert_eq!(wait.check(Interval::new(UnixTime::MIN, UnixTime::MAX)), Wait::For(LONGEST));
    }
}
