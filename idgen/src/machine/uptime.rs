//! Where leases are timed.

use core::time::Duration;

/// A clock that nobody sets. Of any origin.
pub trait Monotonic {
    /// A reading that is never less than an earlier one.
    fn now(&self) -> Duration;

    /// How old a reading may be at most. A term is taken to be shorter by so much.
    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

impl<F: Fn() -> Duration> Monotonic for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// The time since the system started. On Linux it counts sleep, as a lease must: a grantor does not sleep with its holders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uptime(#[cfg(not(target_os = "linux"))] synod_transport::time::SystemTime);

impl Monotonic for Uptime {
    #[inline]
    fn now(&self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            span(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
        }
        #[cfg(not(target_os = "linux"))]
        {
            Duration::from_nanos(synod_transport::time::TimeSource::monotonic(&self.0).as_nanos())
        }
    }
}

/// The time since the system started as of the last tick of its timer, for a fraction of the price, where each id asks. Its
/// [`lag`](Monotonic::lag) is two ticks, some milliseconds. A host that holds up a virtual machine's timer for longer makes it
/// older, and it does not count sleep: what is late then is left to the ceiling.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
pub struct CoarseUptime {
    lag: Duration,
}

#[cfg(target_os = "linux")]
impl CoarseUptime {
    /// Asks the system how long its ticks are.
    pub fn new() -> Self {
        // The last tick, and one that comes late.
        Self { lag: 2 * span(rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse)) }
    }
}

#[cfg(target_os = "linux")]
impl Default for CoarseUptime {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(target_os = "linux")]
impl Monotonic for CoarseUptime {
    #[inline]
    fn now(&self) -> Duration {
        span(rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse))
    }

    fn lag(&self) -> Duration {
        self.lag
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn span(time: rustix::time::Timespec) -> Duration {
    match (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
        (Ok(seconds), Ok(nanos @ 0..=999_999_999)) => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_reading_is_not_of_the_future_and_says_how_old_it_may_be() {
        let coarse = CoarseUptime::new();
        assert!(
            coarse.lag() > Duration::ZERO && coarse.lag() <= Duration::from_millis(20),
            "{:?}",
            coarse.lag()
        );
        let exact = || span(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic));
        for _ in 0..100 {
            assert!(coarse.now() <= exact());
        }
    }
}
