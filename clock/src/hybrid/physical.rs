//! Where readings come from.

use core::time::Duration;

/// A clock on the wall, and perhaps one that only runs.
pub trait Physical {
    /// Nanoseconds since 1970-01-01 UTC, zero when the clock stands before that. May jump either way. Lasts until 2554.
    fn wall_ns(&self) -> u64;

    /// Nanoseconds since an origin of the source's own choice. Never goes back, and runs beside the wall clock except where
    /// that is set: the difference of the two is how a jump is told from a long silence.
    ///
    /// A source that has no such clock gives zero, always. Then every pause counts as a jump, so the hybrid clock must
    /// be asked for stamps at least as often as half of [`Jumps::forward`](super::Jumps::forward).
    fn monotonic_ns(&self) -> u64 {
        0
    }
}

macro_rules! through_a_pointer {
    ($($pointer:ty),*) => {$(
        impl<P: Physical + ?Sized> Physical for $pointer {
            #[inline]
            fn wall_ns(&self) -> u64 {
                (**self).wall_ns()
            }
            #[inline]
            fn monotonic_ns(&self) -> u64 {
                (**self).monotonic_ns()
            }
        }
    )*};
}

through_a_pointer!(&P, alloc::boxed::Box<P>, alloc::sync::Arc<P>);

/// A source that asks a function for the wall reading. See [`from_fn`].
#[derive(Clone, Copy, Debug)]
pub struct FromFn<F>(F);

/// A source without a monotonic clock, of a function that gives the time since 1970: for a board's own clock or a
/// test's.
pub const fn from_fn<F: Fn() -> Duration>(wall: F) -> FromFn<F> {
    FromFn(wall)
}

impl<F: Fn() -> Duration> Physical for FromFn<F> {
    #[inline]
    fn wall_ns(&self) -> u64 {
        let since_1970 = (self.0)();
        since_1970
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(since_1970.subsec_nanos()))
    }
}

/// Any [`TimeSource`](synod_transport::time::TimeSource) of the seams, as a source of a hybrid clock.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Seam<T>(pub T);

#[cfg(feature = "std")]
impl<T: synod_transport::time::TimeSource> Physical for Seam<T> {
    #[inline]
    fn wall_ns(&self) -> u64 {
        self.0.wall().0
    }
    #[inline]
    fn monotonic_ns(&self) -> u64 {
        self.0.monotonic().as_nanos()
    }
}
