//! Where leases are timed.

use core::time::Duration;

/// A clock that nobody sets. Of any origin.
pub trait Monotonic {
    /// A reading that is never less than an earlier one.
    fn now(&self) -> Duration;
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
            let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            match (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
                (Ok(seconds), Ok(nanos @ 0..=999_999_999)) => Duration::new(seconds, nanos),
                _ => Duration::ZERO,
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            Duration::from_nanos(synod_transport::time::TimeSource::monotonic(&self.0).as_nanos())
        }
    }
}
