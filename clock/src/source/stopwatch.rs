//! How long something took, at most and at least.

use core::time::Duration;

/// Two counters read at one moment: one that nothing slews, and one that counts suspend.
///
/// In suspend the first stands still; while a clock is slewed the second runs fast or slow. So of a lease, the
/// *holder* takes [`longest`](Self::longest) and stops in time; the *grantor* takes [`shortest`](Self::shortest) and
/// gives it to nobody else too early. Late is safe, early never.
///
/// Up to the oscillator's own error, true time is never less than the shortest. It is never more than the longest
/// either, unless the clock was slewed back *and* the machine slept in between, and then by no more than what was
/// slewed. [`Elapsed`] adds up stretches that are short enough for one of the two.
///
/// ```
/// use std::time::Duration;
/// use synod_clock::source::Stopwatch;
///
/// let granted = Stopwatch::new(0, 0);
/// // A laptop sleeps for an hour: the bare oscillator saw one second.
/// let now = Stopwatch::new(1_000_000_000, 3_601_000_000_000);
/// assert_eq!(granted.longest(now), Duration::from_secs(3601)); // the holder has lost its lease
/// assert_eq!(granted.shortest(now), Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stopwatch {
    raw_ns: u64,
    boot_ns: u64,
}

impl Stopwatch {
    /// From readings of `CLOCK_MONOTONIC_RAW` and `CLOCK_BOOTTIME`, or of what is like them.
    pub const fn new(raw_ns: u64, boot_ns: u64) -> Self {
        Self { raw_ns, boot_ns }
    }

    /// Reads the system's two.
    #[cfg(target_os = "linux")]
    pub fn now() -> Self {
        Self::new(super::raw_ns(), super::boot_ns())
    }

    /// The most that passed until `now`: for who must stop in time. Nothing when `now` was before.
    pub const fn longest(self, now: Self) -> Duration {
        let (raw, boot) = self.differences(now);
        Duration::from_nanos(if raw > boot { raw } else { boot })
    }

    /// The least that passed until `now`: for who must not begin early. Nothing when `now` was before.
    pub const fn shortest(self, now: Self) -> Duration {
        let (raw, boot) = self.differences(now);
        Duration::from_nanos(if raw < boot { raw } else { boot })
    }

    const fn differences(self, now: Self) -> (u64, u64) {
        (now.raw_ns.saturating_sub(self.raw_ns), now.boot_ns.saturating_sub(self.boot_ns))
    }
}

/// What has passed since a start, added up over the stretches between looks: of each stretch the longest and the
/// shortest. Look at least as often as the machine may change its mind between sleeping and slewing; every heartbeat
/// of a lease is a look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed {
    last: Stopwatch,
    longest: Duration,
    shortest: Duration,
}

impl Elapsed {
    /// Begins at `start`.
    pub const fn since(start: Stopwatch) -> Self {
        Self { last: start, longest: Duration::ZERO, shortest: Duration::ZERO }
    }

    /// Looks.
    pub const fn look(&mut self, now: Stopwatch) {
        self.longest = self.longest.saturating_add(self.last.longest(now));
        self.shortest = self.shortest.saturating_add(self.last.shortest(now));
        self.last = now;
    }

    /// The most that had passed at the last look.
    pub const fn longest(self) -> Duration {
        self.longest
    }

    /// The least that had passed at the last look.
    pub const fn shortest(self) -> Duration {
        self.shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SimulatedClock;
    use synod_transport::rng::Rng;

    /// Runs ten-second leases. `believe` is told where both counters began and now stand, and what was added up; it
    /// says what holder and grantor believe has passed. The first seed at which the holder held on too long or the
    /// grantor let go too early.
    fn overlap(believe: impl Fn(Stopwatch, Stopwatch, Elapsed) -> (Duration, Duration)) -> Option<u64> {
        let lease = Duration::from_secs(10);
        (0..200).find(|seed| {
            let mut rng = Rng::new(*seed);
            let clock = SimulatedClock::new(crate::UnixTime::EPOCH, 0);
            let granted = clock.stopwatch();
            let mut added = Elapsed::since(granted);
            (0..40).any(|_| {
                // chrony's fastest slew, either way; or sleep.
                let most = rng.below(1000);
                match rng.below(4) {
                    0 => clock.suspend(Duration::from_millis(most * 3)),
                    slew => {
                        clock.set_slew([0, 83_333_000, -83_333_000][usize::try_from(slew - 1).unwrap()]);
                        clock.advance(Duration::from_millis(most));
                    }
                }
                added.look(clock.stopwatch());
                let (holder, grantor) = believe(granted, clock.stopwatch(), added);
                let passed = clock.elapsed();
                // A counter of whole nanoseconds loses less than one of them in each stretch.
                let slack = Duration::from_nanos(40);
                (holder.saturating_add(slack) < lease && passed >= lease)
                    || (grantor >= lease && passed < lease)
            })
        })
    }

    #[test]
    fn a_holder_by_the_longest_and_a_grantor_by_the_shortest_never_overlap() {
        assert_eq!(overlap(|_, _, added| (added.longest(), added.shortest())), None);
    }

    #[test]
    fn other_ways_to_tell_let_them_overlap() {
        let raw = |from: Stopwatch, to: Stopwatch| Duration::from_nanos(to.raw_ns - from.raw_ns);
        let boot = |from: Stopwatch, to: Stopwatch| Duration::from_nanos(to.boot_ns - from.boot_ns);
        assert!(overlap(|from, to, _| (raw(from, to), raw(from, to))).is_some());
        assert!(overlap(|from, to, _| (boot(from, to), boot(from, to))).is_some());
        assert!(overlap(|_, _, added| (added.shortest(), added.longest())).is_some());
        // Sleep and a slew back in one stretch.
        assert!(overlap(|from, to, _| (from.longest(to), from.shortest(to))).is_some());
    }

    #[test]
    fn a_grantor_needs_the_two_ends_alone() {
        let held_on = Duration::MAX;
        assert_eq!(overlap(|from, to, _| (held_on, from.shortest(to))), None);
    }

    #[test]
    fn counters_that_go_back_say_that_nothing_passed() {
        let (early, late) = (Stopwatch::new(1, 1), Stopwatch::new(5, 5));
        assert_eq!((late.longest(early), late.shortest(early)), (Duration::ZERO, Duration::ZERO));
    }
}
