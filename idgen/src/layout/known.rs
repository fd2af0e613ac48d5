//! Layouts that are in use in the world.

use super::{Layout, Order};

macro_rules! known {
    ($(#[$doc:meta])* $name:ident<$($const:ident: $type:ty = $default:literal),+>
     $text:literal $bits:literal $ticks:literal/s $time:expr, $node:expr, $sequence:expr, $order:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name<$(const $const: $type = $default),+>;

        impl<$(const $const: $type),+> Layout for $name<$($const),+> {
            const NAME: &'static str = $text;
            const BITS: u32 = $bits;
            const EPOCH_MS: u64 = EPOCH_MS;
            const TICKS_PER_SECOND: u64 = $ticks;
            const TIME_BITS: u32 = $time;
            const NODE_BITS: u32 = $node;
            const SEQUENCE_BITS: u32 = $sequence;
            const ORDER: Order = Order::$order;
        }
    };
}

known! {
    /// Snowflake with an epoch of one's own: a bit that is zero, 41 bits of milliseconds (69 years), 10 of the node, 12 of
    /// the sequence. Without an epoch, Twitter's.
    ///
    /// ```
    /// use synod_idgen::layout::{Id, Snowflake};
    /// use synod_idgen::node::NodeId;
    ///
    /// type Ours = Snowflake<1_609_459_200_000>; // 2021-01-01
    /// let machine = NodeId::<Ours>::new(1)?;
    /// let tick = 1_704_067_200_100 - 1_609_459_200_000; // 2024-01-01 00:00:00.100
    /// let id = Id::from_parts(tick, machine, 0)?;
    /// assert_eq!(id.as_u64(), 396_814_713_251_434_496);
    /// assert_eq!(Id::from_parts(tick, machine, 1)?.as_u64(), 396_814_713_251_434_496 + 1);
    /// assert_eq!(Id::from_parts(tick + 1, machine, 0)?.as_u64(), 396_814_713_251_434_496 + 4_194_304);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Snowflake<EPOCH_MS: u64 = 1_288_834_974_657> "Snowflake" 63 1_000/s 41, 10, 12, NodeThenSequence
}

/// Twitter's own Snowflake: epoch 2010-11-04 01:42:54.657, until 2080. The node is five bits of data centre and five of
/// worker.
pub type Twitter = Snowflake;

known! {
    /// Discord: 42 bits of milliseconds since 2015, until 2154, five of worker and five of process as the node, 12 of the
    /// sequence. All 64 bits: unsigned, or negative from 2084 on.
    Discord<EPOCH_MS: u64 = 1_420_070_400_000> "Discord" 64 1_000/s 42, 10, 12, NodeThenSequence
}

known! {
    /// Instagram: 41 bits of milliseconds since 2011-08-24 21:07:01.721, until 2081, 13 of the shard, 10 of the sequence.
    /// All 64 bits: unsigned, or negative from 2046 on.
    Instagram<EPOCH_MS: u64 = 1_314_220_021_721> "Instagram" 64 1_000/s 41, 13, 10, NodeThenSequence
}

known! {
    /// Sonyflake: a bit that is zero, 39 bits of 10 ms since 2014-09-01, until 2188, eight of the sequence, and then 16 of
    /// the machine. 256 ids in 10 ms.
    Sonyflake<EPOCH_MS: u64 = 1_409_529_600_000> "Sonyflake" 63 100/s 39, 16, 8, SequenceThenNode
}

known! {
    /// TSID: 42 bits of milliseconds since 2020, until 2159, then `NODE_BITS`, 0 to 20, and what is left of 22 bits as the
    /// sequence. All 64 bits: unsigned, or negative from 2089 on.
    Tsid<NODE_BITS: u32 = 10, EPOCH_MS: u64 = 1_577_836_800_000> "TSID" 64 1_000/s
        42, NODE_BITS, 22u32.saturating_sub(NODE_BITS), NodeThenSequence
}

known! {
    /// Mastodon: 48 bits of milliseconds since 1970, until 10889, and 16 that tell ids of a millisecond apart: the
    /// sequence. No node: one database gives them all.
    Mastodon<EPOCH_MS: u64 = 0> "Mastodon" 64 1_000/s 48, 0, 16, NodeThenSequence
}

known! {
    /// 53 bits, so that numbers of JavaScript, and every other double, hold each id exactly: 41 of milliseconds since
    /// 2020, until 2089, five of the node, seven of the sequence. 128 ids in a millisecond.
    JavaScript<EPOCH_MS: u64 = 1_577_836_800_000> "JavaScript" 53 1_000/s 41, 5, 7, NodeThenSequence
}
