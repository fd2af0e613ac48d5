//! How the bits of an id are shared between time, node and sequence.
//!
//! ```text
//!  Twitter      0 │ time 41 │ node 10 │ sequence 12        position = time │ sequence      (53 bits of 63)
//!  Sonyflake    0 │ time 39 │ sequence 8 │ machine 16      an id    = a position and a node
//! ```
//!
//! Time counts ticks since the layout's epoch. The *position* is what is left when the node is taken out: ticks, then
//! sequence. The positions of one node only ever grow, so its ids never repeat, and a carry out of the sequence is the
//! next tick.
//!
//! A layout is a type, and what its numbers contradict is an error of the compiler. One of your own takes a few lines:
//! [`layout!`](crate::layout!).
//!
//! Sources: [Twitter](https://github.com/twitter-archive/snowflake/tree/snowflake-2010),
//! [Discord](https://discord.com/developers/docs/reference#snowflakes),
//! [Instagram](https://instagram-engineering.com/sharding-ids-at-instagram-1cf5a71e5a5c),
//! [Sonyflake](https://github.com/sony/sonyflake), [TSID](https://github.com/f4b6a3/tsid-creator),
//! [Mastodon](https://github.com/mastodon/mastodon/blob/main/lib/mastodon/snowflake.rb).

mod fields;
mod id;
mod known;
mod position;
#[cfg(feature = "serde")]
mod serialize;

use core::fmt::Debug;
use core::hash::Hash;

pub(crate) use fields::Fields;
pub use fields::{check, end_of, time_left};
pub use id::{Id, IdError};
pub use known::{Discord, Instagram, JavaScript, Mastodon, Snowflake, Sonyflake, Tsid, Twitter};
pub use position::Position;

/// Which of the two lower fields is the lowest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Time, node, sequence: ids of one node in one tick follow each other.
    NodeThenSequence,
    /// Time, sequence, node: ids of one tick sort by sequence, whoever made them.
    SequenceThenNode,
}

/// The shape of an id, as a type.
///
/// A layout whose numbers do not fit is an error of the compiler: where [`layout!`](crate::layout!) declares it, or where it
/// is used first, if it was written by hand (then [`check`] tells at once):
///
/// * the widths sum to `BITS`, at most 64; ids of up to 63 bits are never negative as an `i64`;
/// * 1 to 63 bits of time; at most 32 of the node and 32 of the sequence;
/// * a tick is a whole number of nanoseconds, and the epoch a whole number of ticks since 1970, before 2100.
///
/// ```compile_fail
/// use synod_idgen::layout::{Id, Layout, Order};
///
/// #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
/// struct Negative;
/// impl Layout for Negative {
///     const NAME: &str = "negative";
///     const BITS: u32 = 63; // 42 + 10 + 12 = 64: the time would reach the sign
///     const EPOCH_MS: u64 = 0;
///     const TICKS_PER_SECOND: u64 = 1_000;
///     const TIME_BITS: u32 = 42;
///     const NODE_BITS: u32 = 10;
///     const SEQUENCE_BITS: u32 = 12;
///     const ORDER: Order = Order::NodeThenSequence;
/// }
/// assert!(Id::<Negative>::from_u64(7).is_ok()); // or, beside the declaration: const _: () = check::<Negative>();
/// ```
pub trait Layout: Copy + Ord + Hash + Debug + Send + Sync + 'static {
    /// What people call it, for messages.
    const NAME: &'static str;
    /// Width of an id, 1 to 64. Up to 63, an id is never negative where integers are signed.
    const BITS: u32;
    /// Where ticks are counted from, in milliseconds since 1970-01-01 UTC.
    const EPOCH_MS: u64;
    /// Ticks in a second, 1 to 10⁹.
    const TICKS_PER_SECOND: u64;
    /// Width of the time, 1 to 63.
    const TIME_BITS: u32;
    /// Width of the node, 0 to 32.
    const NODE_BITS: u32;
    /// Width of the sequence, 0 to 32.
    const SEQUENCE_BITS: u32;
    /// Which of node and sequence is lower.
    const ORDER: Order;
}

/// Declares a [`Layout`] of one's own. What its numbers contradict is an error of the compiler there and then, of
/// `cargo check` too, used or not.
///
/// ```
/// use synod_idgen::layout;
/// use synod_idgen::layout::Id;
///
/// layout! {
///     /// Orders of a shop with at most 64 tills: 65 536 in a millisecond, until 2093.
///     pub struct OrderId {
///         bits: 63,
///         epoch_ms: 1_700_000_000_000,
///         time: 41,
///         node: 6,
///         sequence: 16,
///     }
/// }
/// assert_eq!(Id::<OrderId>::from_u64(5 << 22 | 3 << 16 | 9).map(|id| (id.tick(), id.node().get(), id.sequence())), Ok((5, 3, 9)));
/// ```
///
/// The parts stand in this order. Ticks are of a millisecond and the sequence is lowest, unless it is said otherwise behind
/// `bits`: `ticks_per_second: 100`, then `order: SequenceThenNode` (or `NodeThenSequence`).
///
/// ```compile_fail
/// synod_idgen::layout! {
///     struct Short { bits: 63, epoch_ms: 0, time: 41, node: 10, sequence: 11 } // 62 bits
/// }
/// ```
///
/// ```compile_fail
/// synod_idgen::layout! {
///     struct Short { bits: 63, epoch_ms: 0, time: 41, node: 10, sequence: 11 } // no constant of it exists either
/// }
/// let _zero = synod_idgen::layout::Position::<Short>::ZERO;
/// ```
///
/// ```compile_fail
/// synod_idgen::layout! {
///     struct Timeless { bits: 22, epoch_ms: 0, time: 0, node: 10, sequence: 12 }
/// }
/// ```
///
/// ```compile_fail
/// synod_idgen::layout! {
///     struct Micros { bits: 63, epoch_ms: 1_609_459_200_000_000, time: 41, node: 10, sequence: 12 } // an epoch in µs
/// }
/// ```
///
/// ```compile_fail
/// synod_idgen::layout! {
///     struct Between { bits: 63, ticks_per_second: 100, epoch_ms: 1_609_459_200_001, time: 41, node: 10, sequence: 12 }
/// }
/// ```
#[macro_export]
macro_rules! layout {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            bits: $bits:expr,
            $(ticks_per_second: $ticks:expr,)?
            $(order: $order:ident,)?
            epoch_ms: $epoch:expr,
            time: $time:expr,
            node: $node:expr,
            sequence: $sequence:expr $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        $visibility struct $name;

        impl $crate::layout::Layout for $name {
            const NAME: &'static str = stringify!($name);
            const BITS: u32 = $bits;
            const EPOCH_MS: u64 = $epoch;
            const TICKS_PER_SECOND: u64 = $crate::layout!(@or $($ticks)?, 1_000);
            const TIME_BITS: u32 = $time;
            const NODE_BITS: u32 = $node;
            const SEQUENCE_BITS: u32 = $sequence;
            const ORDER: $crate::layout::Order =
                $crate::layout!(@or $($crate::layout::Order::$order)?, $crate::layout::Order::NodeThenSequence);
        }

        const _: () = $crate::layout::check::<$name>();
    };
    (@or $given:expr, $default:expr) => { $given };
    (@or , $default:expr) => { $default };
}
