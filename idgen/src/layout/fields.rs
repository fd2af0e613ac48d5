//! What follows from a layout's numbers.

use core::time::Duration;

use super::{Layout, Order};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// 2100-01-01: a later epoch is one in other units.
const YEAR_2100_MS: u64 = 4_102_444_800_000;

/// In a constant, an error of the compiler unless the numbers of the layout fit, which else shows at its first use.
/// [`layout!`](crate::layout!) checks those that it declares.
///
/// ```
/// use synod_idgen::layout::{Tsid, check};
/// const _: () = check::<Tsid<8>>();
/// ```
///
/// ```compile_fail
/// use synod_idgen::layout::{Tsid, check};
/// const _: () = check::<Tsid<23>>(); // 22 bits are for node and sequence
/// ```
///
/// # Panics
/// If they do not fit, and this is called at run time all the same.
#[track_caller]
pub const fn check<L: Layout>() {
    assert!(L::BITS >= 1 && L::BITS <= 64, "an id has 1 to 64 bits");
    // 63, so that the end of time since 1970 is a number of ticks as well.
    assert!(L::TIME_BITS >= 1 && L::TIME_BITS <= 63, "time has 1 to 63 bits");
    assert!(L::NODE_BITS <= 32, "a node has at most 32 bits");
    assert!(L::SEQUENCE_BITS <= 32, "a sequence has at most 32 bits");
    assert!(
        L::TIME_BITS + L::NODE_BITS + L::SEQUENCE_BITS == L::BITS,
        "the widths of time, node and sequence do not sum to those of the id"
    );
    assert!(
        L::TICKS_PER_SECOND >= 1 && NANOS_PER_SECOND % L::TICKS_PER_SECOND == 0,
        "a tick is not a whole number of nanoseconds, or longer than a second"
    );
    assert!(L::EPOCH_MS < YEAR_2100_MS, "the epoch lies after 2100: is it in milliseconds?");
    assert!(
        L::EPOCH_MS % 1_000 * L::TICKS_PER_SECOND % 1_000 == 0,
        "the epoch is not a whole number of ticks after 1970"
    );
}

/// The moment at which a layout's time ends, since 1970. No id of that moment or a later one exists.
///
/// ```
/// use synod_idgen::layout::{Twitter, end_of};
/// assert_eq!(end_of::<Twitter>().as_millis(), 1_288_834_974_657 + (1 << 41)); // 2080-07-10
/// ```
pub fn end_of<L: Layout>() -> Duration {
    L::time_of(L::END_TICK)
}

/// How much of a layout's time is left at this moment since 1970; zero at its end. For a warning years before.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::layout::{Twitter, time_left};
///
/// let year = Duration::from_secs(365 * 86_400);
/// let in_2026 = Duration::from_secs(1_767_225_600);
/// assert!(time_left::<Twitter>(in_2026) > 54 * year);
/// ```
pub fn time_left<L: Layout>(since_1970: Duration) -> Duration {
    end_of::<L>().saturating_sub(since_1970)
}

/// Derived numbers. Each hangs on [`Fields::CHECKED`], so that none of them exists of a layout that does not fit.
pub(crate) trait Fields: Layout {
    const CHECKED: () = check::<Self>();

    const NANOS_PER_TICK: u64 = {
        let () = Self::CHECKED;
        NANOS_PER_SECOND / Self::TICKS_PER_SECOND
    };

    /// Ticks from 1970 to the epoch.
    const EPOCH_TICKS: u64 = {
        let () = Self::CHECKED;
        let (seconds, millis) = (Self::EPOCH_MS / 1_000, Self::EPOCH_MS % 1_000);
        seconds * Self::TICKS_PER_SECOND + millis * 1_000_000 / Self::NANOS_PER_TICK
    };

    const POSITION_BITS: u32 = {
        let () = Self::CHECKED;
        Self::TIME_BITS + Self::SEQUENCE_BITS
    };

    /// The first position that does not exist. Where a position fills all 64 bits the last one is given up for it.
    const END: u64 = if Self::POSITION_BITS == 64 { u64::MAX } else { 1 << Self::POSITION_BITS };

    /// The first tick that does not exist.
    const END_TICK: u64 = {
        let () = Self::CHECKED;
        1 << Self::TIME_BITS
    };

    const SEQUENCE_MASK: u64 = {
        let () = Self::CHECKED;
        (1 << Self::SEQUENCE_BITS) - 1
    };

    const NODE_MASK: u64 = {
        let () = Self::CHECKED;
        (1 << Self::NODE_BITS) - 1
    };

    /// The greatest id.
    const ID_MASK: u64 = {
        let () = Self::CHECKED;
        u64::MAX >> (64 - Self::BITS)
    };

    const NODE_SHIFT: u32 = match Self::ORDER {
        Order::NodeThenSequence => Self::SEQUENCE_BITS,
        Order::SequenceThenNode => 0,
    };

    const SEQUENCE_SHIFT: u32 = match Self::ORDER {
        Order::NodeThenSequence => 0,
        Order::SequenceThenNode => Self::NODE_BITS,
    };

    /// From one id to the next of its tick and node.
    const STRIDE: u64 = {
        let () = Self::CHECKED;
        1 << Self::SEQUENCE_SHIFT
    };

    const TICK_SHIFT: u32 = {
        let () = Self::CHECKED;
        Self::NODE_BITS + Self::SEQUENCE_BITS
    };

    /// Ticks from the epoch to a moment since 1970, rounded down, zero before the epoch. May lie beyond the end.
    #[inline]
    fn ticks_of(since_1970: Duration) -> u64 {
        let part = u64::from(since_1970.subsec_nanos()) / Self::NANOS_PER_TICK;
        let whole = since_1970.as_secs().saturating_mul(Self::TICKS_PER_SECOND);
        whole.saturating_add(part).saturating_sub(Self::EPOCH_TICKS)
    }

    /// The moment at which a tick begins, since 1970; of a tick up to the end.
    fn time_of(tick: u64) -> Duration {
        let ticks = tick + Self::EPOCH_TICKS;
        let (seconds, part) = (ticks / Self::TICKS_PER_SECOND, ticks % Self::TICKS_PER_SECOND);
        Duration::from_secs(seconds) + Duration::from_nanos(part * Self::NANOS_PER_TICK)
    }

    /// Whole ticks in a span, rounded down.
    fn ticks_in(span: Duration) -> u64 {
        let part = u64::from(span.subsec_nanos()) / Self::NANOS_PER_TICK;
        span.as_secs().saturating_mul(Self::TICKS_PER_SECOND).saturating_add(part)
    }

    /// How long so many ticks last.
    fn span_of(ticks: u64) -> Duration {
        let (seconds, part) = (ticks / Self::TICKS_PER_SECOND, ticks % Self::TICKS_PER_SECOND);
        Duration::from_secs(seconds) + Duration::from_nanos(part * Self::NANOS_PER_TICK)
    }

    /// The id of a position below [`END`](Self::END) and a node that fits.
    #[inline]
    fn join(position: u64, node: u64) -> u64 {
        let (tick, sequence) = (position >> Self::SEQUENCE_BITS, position & Self::SEQUENCE_MASK);
        tick << Self::TICK_SHIFT | node << Self::NODE_SHIFT | sequence << Self::SEQUENCE_SHIFT
    }

    /// Position and node of an id.
    #[inline]
    fn split(id: u64) -> (u64, u64) {
        let sequence = id >> Self::SEQUENCE_SHIFT & Self::SEQUENCE_MASK;
        ((id >> Self::TICK_SHIFT) << Self::SEQUENCE_BITS | sequence, id >> Self::NODE_SHIFT & Self::NODE_MASK)
    }
}

impl<L: Layout> Fields for L {}
