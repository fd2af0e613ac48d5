//! How the 64 bits of a stamp are shared between time and the logical counter.

use core::fmt::Debug;
use core::hash::Hash;
use core::time::Duration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// 2100-01-01, which every layout must reach.
const YEAR_2100: u64 = 4_102_444_800;

/// A way to pack a stamp, as a type. The logical part takes the low bits, time since 1970 the others.
///
/// Every use of a layout whose numbers do not fit is an error of the compiler: 1 to 32 logical bits, ticks of a
/// nanosecond at least, and time that lasts beyond the year 2100. Every stamp of every other layout comes back from its
/// text, and from [`wall`](super::Timestamp::wall).
///
/// ```compile_fail
/// use synod_clock::hybrid::{Layout, Timestamp};
///
/// #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
/// struct Nanos; // 2^44 ns are five hours
/// impl Layout for Nanos {
///     const LOGICAL_BITS: u32 = 20;
///     const TICKS_PER_SECOND: u64 = 1_000_000_000;
/// }
/// assert_eq!(Timestamp::<Nanos>::from_u64(7).logical(), 7);
/// ```
///
/// ```compile_fail
/// use synod_clock::hybrid::{Layout, Timestamp};
///
/// #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
/// struct Fine; // ticks of 0.93 ns: no number of nanoseconds tells some of them apart
/// impl Layout for Fine {
///     const LOGICAL_BITS: u32 = 1;
///     const TICKS_PER_SECOND: u64 = 1 << 30;
/// }
/// assert_eq!(Timestamp::<Fine>::from_u64(1).logical(), 1);
/// ```
pub trait Layout: Copy + Ord + Hash + Debug + Send + Sync + 'static {
    /// Width of the logical part, 1 to 32.
    const LOGICAL_BITS: u32;
    /// Ticks of the physical part in a second, at most 10⁹.
    const TICKS_PER_SECOND: u64;
}

/// 52 bits of microseconds, until 2112, and 12 logical bits: the default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Micros;

impl Layout for Micros {
    const LOGICAL_BITS: u32 = 12;
    const TICKS_PER_SECOND: u64 = 1_000_000;
}

/// 48 bits of milliseconds, until 10889, and 16 logical bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Millis48;

impl Layout for Millis48 {
    const LOGICAL_BITS: u32 = 16;
    const TICKS_PER_SECOND: u64 = 1_000;
}

/// 42 bits of milliseconds, until 2109, and 22 logical bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Millis42;

impl Layout for Millis42 {
    const LOGICAL_BITS: u32 = 22;
    const TICKS_PER_SECOND: u64 = 1_000;
}

/// NTP's 64-bit shape, but since 1970: 32 bits of seconds, until 2106, 28 bits of their fraction (3.7 ns), 4 logical.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ntp64;

impl Layout for Ntp64 {
    const LOGICAL_BITS: u32 = 4;
    const TICKS_PER_SECOND: u64 = 1 << 28;
}

/// What follows from a layout's two numbers.
pub(super) trait Derived: Layout {
    /// The logical part of a stamp; holds only of a layout that fits.
    const LOGICAL_MASK: u64 = {
        assert!(Self::LOGICAL_BITS >= 1 && Self::LOGICAL_BITS <= 32, "a layout has 1 to 32 logical bits");
        assert!(
            Self::TICKS_PER_SECOND >= 1 && Self::TICKS_PER_SECOND <= NANOS_PER_SECOND,
            "a second has 1 to 10^9 ticks"
        );
        let mask = (1 << Self::LOGICAL_BITS) - 1;
        assert!(
            u64::MAX >> Self::LOGICAL_BITS >= YEAR_2100 * Self::TICKS_PER_SECOND,
            "time ends before 2100"
        );
        mask
    };

    /// The second since 1970 in which the layout ends.
    const SECONDS: u64 = (u64::MAX >> Self::LOGICAL_BITS) / Self::TICKS_PER_SECOND;

    /// Digits behind the decimal point of a second: as few as say every tick exactly, else all nine that a span has.
    const DIGITS: usize = match Self::TICKS_PER_SECOND {
        1 => 0,
        ticks if 1_000 % ticks == 0 => 3,
        ticks if 1_000_000 % ticks == 0 => 6,
        _ => 9,
    };

    /// Ticks since 1970, rounded down; `None` beyond the layout's end.
    #[inline]
    fn ticks(since_1970: Duration) -> Option<u64> {
        let (seconds, nanos) = (since_1970.as_secs(), u64::from(since_1970.subsec_nanos()));
        if seconds > Self::SECONDS {
            return None;
        }
        let part = if NANOS_PER_SECOND % Self::TICKS_PER_SECOND == 0 {
            nanos / (NANOS_PER_SECOND / Self::TICKS_PER_SECOND)
        } else {
            nanos * Self::TICKS_PER_SECOND / NANOS_PER_SECOND
        };
        let ticks = seconds * Self::TICKS_PER_SECOND + part;
        (ticks <= u64::MAX >> Self::LOGICAL_BITS).then_some(ticks)
    }

    /// Ticks in so many nanoseconds since 1970, rounded down; `None` beyond the layout's end.
    #[inline]
    fn ticks_of_ns(nanos: u64) -> Option<u64> {
        if NANOS_PER_SECOND % Self::TICKS_PER_SECOND == 0 {
            let ticks = nanos / (NANOS_PER_SECOND / Self::TICKS_PER_SECOND);
            (ticks <= u64::MAX >> Self::LOGICAL_BITS).then_some(ticks)
        } else {
            Self::ticks(Duration::from_nanos(nanos))
        }
    }

    /// Ticks of a span, rounded down, as the physical part of a stamp; stays at the end of the layout.
    fn packed(span: Duration) -> u64 {
        Self::ticks(span).map_or(u64::MAX, |ticks| ticks << Self::LOGICAL_BITS)
    }

    /// The span of so many ticks, rounded up to a nanosecond, so that [`Derived::ticks`] gives them back.
    fn span(ticks: u64) -> Duration {
        let (seconds, part) = (ticks / Self::TICKS_PER_SECOND, ticks % Self::TICKS_PER_SECOND);
        Duration::from_secs(seconds)
            + Duration::from_nanos((part * NANOS_PER_SECOND).div_ceil(Self::TICKS_PER_SECOND))
    }
}

impl<L: Layout> Derived for L {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back<L: Layout>(seconds: u64, part: u64) {
        let ticks = (seconds % L::SECONDS) * L::TICKS_PER_SECOND + part % L::TICKS_PER_SECOND;
        assert_eq!(L::ticks(L::span(ticks)), Some(ticks), "{}", core::any::type_name::<L>());
    }

    proptest! {
        #[test]
        fn a_tick_is_found_again_from_its_span(seconds: u64, part: u64) {
            there_and_back::<Micros>(seconds, part);
            there_and_back::<Millis48>(seconds, part);
            there_and_back::<Millis42>(seconds, part);
            there_and_back::<Ntp64>(seconds, part);
        }

        #[test]
        fn a_reading_is_never_rounded_up(seconds in 0..Ntp64::SECONDS, nanos in 0u32..1_000_000_000) {
            let reading = Duration::new(seconds, nanos);
            prop_assert!(Ntp64::ticks(reading).map(Ntp64::span).unwrap() <= reading);
            prop_assert!(Micros::ticks(reading).map(Micros::span).unwrap() <= reading);
        }

        #[test]
        fn nanoseconds_and_spans_have_the_same_ticks(nanos: u64) {
            let span = Duration::from_nanos(nanos);
            prop_assert_eq!(Micros::ticks_of_ns(nanos), Micros::ticks(span));
            prop_assert_eq!(Millis48::ticks_of_ns(nanos), Millis48::ticks(span));
            prop_assert_eq!(Ntp64::ticks_of_ns(nanos), Ntp64::ticks(span));
        }
    }

    #[test]
    fn what_lies_beyond_the_layout_has_no_ticks() {
        let end = Duration::from_micros((1 << 52) - 1);
        assert_eq!(Micros::ticks(end), Some((1 << 52) - 1));
        assert_eq!(Micros::ticks(end + Duration::from_micros(1)), None);
        assert_eq!(Micros::ticks(Duration::MAX), None);
        assert_eq!(Micros::packed(Duration::MAX), u64::MAX);
        assert_eq!((Micros::DIGITS, Millis48::DIGITS, Ntp64::DIGITS), (6, 3, 9));
    }
}
