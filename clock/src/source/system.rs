//! Linux's clocks, through rustix, which reads them without a system call.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use synod_transport::time::{Instant, TimeSource, WallTime};

use crate::unix::UnixTime;

/// The wall clock (`CLOCK_REALTIME`), before 1970 too.
#[inline]
pub fn realtime() -> UnixTime {
    unix(clock_gettime(ClockId::Realtime))
}

/// The wall clock as of the last tick (`CLOCK_REALTIME_COARSE`): some milliseconds old, for a sixth of the price.
#[inline]
pub fn realtime_coarse() -> UnixTime {
    unix(clock_gettime(ClockId::RealtimeCoarse))
}

/// Nanoseconds since some start, slewed with the wall clock; stands still while the machine is suspended
/// (`CLOCK_MONOTONIC`, which `std::time::Instant` reads).
#[inline]
pub fn monotonic_ns() -> u64 {
    count(clock_gettime(ClockId::Monotonic))
}

/// Nanoseconds since the machine was started, suspended or not; slewed (`CLOCK_BOOTTIME`).
#[inline]
pub fn boot_ns() -> u64 {
    count(clock_gettime(ClockId::Boottime))
}

/// Nanoseconds since some start by the bare oscillator, which nothing slews; stands still while the machine is
/// suspended (`CLOCK_MONOTONIC_RAW`).
#[inline]
pub fn raw_ns() -> u64 {
    count(clock_gettime(ClockId::MonotonicRaw))
}

/// The wall clock, and a counter that counts suspend.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl TimeSource for System {
    fn monotonic(&self) -> Instant {
        Instant::from_nanos(boot_ns())
    }

    fn wall(&self) -> WallTime {
        wall(realtime())
    }
}

/// The clocks as of the last tick: cheap, and late. The counter stands still in suspend.
///
/// How late is no promise: a virtual machine that is not let run misses ticks, and readings more than two ticks old
/// were seen on one that was busy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coarse;

impl Coarse {
    /// What lies between two ticks, in nanoseconds, while none is missed.
    pub fn tick_ns() -> u64 {
        count(clock_getres(ClockId::RealtimeCoarse))
    }
}

impl TimeSource for Coarse {
    fn monotonic(&self) -> Instant {
        Instant::from_nanos(count(clock_gettime(ClockId::MonotonicCoarse)))
    }

    fn wall(&self) -> WallTime {
        wall(realtime_coarse())
    }
}

/// The seam's wall time has no numbers for what was before 1970: a clock set there reads 1970.
#[inline]
fn wall(time: UnixTime) -> WallTime {
    WallTime(u64::try_from(time.as_nanos()).unwrap_or_default())
}

#[inline]
fn unix(time: Timespec) -> UnixTime {
    UnixTime::from_nanos(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

#[inline]
fn count(time: Timespec) -> u64 {
    u64::try_from(unix(time).as_nanos()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_p34_a_wall_clock_before_1970_is_a_number_and_no_panic() {
        let before = Timespec { tv_sec: -2, tv_nsec: 999_999_999 };
        assert_eq!(unix(before), UnixTime::from_nanos(-1_000_000_001));
        assert_eq!(wall(unix(before)), WallTime(0));
        assert_eq!(unix(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }), UnixTime::MAX);
        assert_eq!(count(before), 0);
    }

    #[test]
    fn each_counter_goes_on() {
        for counter in [monotonic_ns, boot_ns, raw_ns] {
            let first = counter();
            // Ends because time goes on.
            while counter() == first {}
            assert!(counter() > first);
        }
    }

    #[test]
    fn the_coarse_clock_shows_what_the_fine_one_showed() {
        let tick = Coarse::tick_ns();
        assert!((1..=10_000_000).contains(&tick));
        // Ends with a tick; between it and the next the coarse clock stands still.
        let first = realtime_coarse();
        while realtime_coarse() == first {}
        // Unless somebody sets the clock between two readings: then once more.
        assert!((0..100).any(|_| realtime_coarse() <= realtime()));
    }
}
