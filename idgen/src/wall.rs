//! Where generators read the time.
//!
//! An id holds wall time for people and for sorting; that no two are alike never rests on it. So a reading may jump either
//! way, stand still, or lie, and a generator's policy says what then happens.

use core::time::Duration;

/// A clock on the wall.
pub trait Wall {
    /// The time since 1970-01-01 UTC, zero when the clock stands before that. May jump either way.
    fn now(&self) -> Duration;
}

impl<W: Wall + ?Sized> Wall for &W {
    #[inline]
    fn now(&self) -> Duration {
        (**self).now()
    }
}

impl<W: Wall + ?Sized> Wall for alloc::boxed::Box<W> {
    #[inline]
    fn now(&self) -> Duration {
        (**self).now()
    }
}

impl<W: Wall + ?Sized> Wall for alloc::sync::Arc<W> {
    #[inline]
    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// A clock that asks a function. See [`from_fn`].
#[derive(Clone, Copy, Debug)]
pub struct FromFn<F>(F);

/// A clock of a function that gives the time since 1970: for a board's own clock or a test's.
pub const fn from_fn<F: Fn() -> Duration>(wall: F) -> FromFn<F> {
    FromFn(wall)
}

impl<F: Fn() -> Duration> Wall for FromFn<F> {
    #[inline]
    fn now(&self) -> Duration {
        (self.0)()
    }
}

/// Any [`TimeSource`](synod_transport::time::TimeSource) of the seams, as a wall clock.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Seam<T>(pub T);

#[cfg(feature = "std")]
impl<T: synod_transport::time::TimeSource> Wall for Seam<T> {
    #[inline]
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.wall().0)
    }
}

/// The system's wall clock.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct System;

#[cfg(feature = "std")]
impl Wall for System {
    #[inline]
    fn now(&self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            since_1970(rustix::time::clock_gettime(rustix::time::ClockId::Realtime))
        }
        #[cfg(not(target_os = "linux"))]
        {
            Seam(synod_transport::time::SystemTime::new()).now()
        }
    }
}

/// The system's wall clock as of the last tick of its timer: up to some milliseconds old, for a sixth of the price.
#[cfg(all(feature = "std", target_os = "linux"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coarse;

#[cfg(all(feature = "std", target_os = "linux"))]
impl Wall for Coarse {
    #[inline]
    fn now(&self) -> Duration {
        since_1970(rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse))
    }
}

#[cfg(all(feature = "std", target_os = "linux"))]
#[inline]
fn since_1970(time: rustix::time::Timespec) -> Duration {
    match (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
        (Ok(seconds), Ok(nanos @ 0..=999_999_999)) => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(feature = "std", target_os = "linux"))]
    #[test]
    fn idgen_p34_a_clock_before_1970_reads_zero_and_does_not_panic() {
        use rustix::time::Timespec;
        assert_eq!(since_1970(Timespec { tv_sec: -1, tv_nsec: 5 }), Duration::ZERO);
        assert_eq!(since_1970(Timespec { tv_sec: 0, tv_nsec: 0 }), Duration::ZERO);
        assert_eq!(since_1970(Timespec { tv_sec: 2, tv_nsec: 5 }), Duration::new(2, 5));
    }

    #[test]
    fn pointers_and_functions_are_clocks() {
        let fixed = from_fn(|| Duration::from_millis(7));
        let boxed: alloc::boxed::Box<dyn Wall + Send + Sync> = alloc::boxed::Box::new(fixed);
        assert_eq!(alloc::sync::Arc::new(&boxed).now(), Duration::from_millis(7));
    }
}
