//! Time as protocols see it: an argument, never a call.
//!
//! An [`Instant`] is monotonic and means nothing outside its process. A [`WallTime`] is for people and for id
//! layouts; no protocol here orders or expires anything by it.

use core::fmt;
use core::time::Duration;
use std::sync::atomic::{AtomicU64, Ordering};

/// A monotonic reading in nanoseconds since an origin that the process chose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// The end of time: a deadline that never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// A reading from nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A reading from milliseconds.
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the origin.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The reading `duration` later; stays at the end of time instead of wrapping.
    #[inline]
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}ms", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Nanoseconds since 1970-01-01 UTC by the local wall clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WallTime(pub u64);

/// Where readings come from. Drivers hold one; machines never do.
pub trait TimeSource {
    /// A reading that never goes back.
    fn monotonic(&self) -> Instant;
    /// A reading that may jump either way.
    fn wall(&self) -> WallTime;
}

impl<T: TimeSource + ?Sized> TimeSource for &T {
    fn monotonic(&self) -> Instant {
        (**self).monotonic()
    }
    fn wall(&self) -> WallTime {
        (**self).wall()
    }
}

/// The operating system's clocks. The origin of [`Instant`] is the moment of construction.
#[derive(Clone, Copy, Debug)]
pub struct SystemTime {
    origin: std::time::Instant,
}

impl SystemTime {
    /// Starts counting now.
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }

    /// The same moment on tokio's or std's clock.
    pub fn to_std(&self, at: Instant) -> Option<std::time::Instant> {
        self.origin.checked_add(at.since(Instant::ZERO))
    }
}

impl Default for SystemTime {
    fn default() -> Self {
        Self::new()
    }
}

impl TimeSource for SystemTime {
    fn monotonic(&self) -> Instant {
        Instant::ZERO.plus(self.origin.elapsed())
    }

    fn wall(&self) -> WallTime {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        WallTime(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug, Default)]
pub struct ManualTime {
    monotonic: AtomicU64,
    wall: AtomicU64,
}

impl ManualTime {
    /// Moves both readings forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.monotonic.fetch_add(nanos, Ordering::Relaxed);
        self.wall.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Sets the wall reading, backwards too.
    pub fn set_wall(&self, to: WallTime) {
        self.wall.store(to.0, Ordering::Relaxed);
    }
}

impl TimeSource for ManualTime {
    fn monotonic(&self) -> Instant {
        Instant(self.monotonic.load(Ordering::Relaxed))
    }
    fn wall(&self) -> WallTime {
        WallTime(self.wall.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Instant::MAX.plus(Duration::from_secs(1)), Instant::MAX);
        assert_eq!(Instant::ZERO.since(Instant::from_millis(1)), Duration::ZERO);
        assert_eq!(Instant::from_millis(3).since(Instant::from_millis(1)), Duration::from_millis(2));
    }

    #[test]
    fn the_manual_wall_may_go_back_while_the_monotonic_reading_stays() {
        let time = ManualTime::default();
        time.advance(Duration::from_secs(5));
        time.set_wall(WallTime(7));
        assert_eq!(time.wall(), WallTime(7));
        assert_eq!(time.monotonic(), Instant::from_millis(5000));
    }
}
