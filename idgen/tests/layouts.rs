//! Layouts: ids of the world, the limits of every field, text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use synod_idgen::layout::{
    Discord, Id, IdError, Instagram, JavaScript, Layout, Mastodon, Order, Position, Snowflake, Sonyflake,
    Tsid, Twitter, end_of, time_left,
};
use synod_idgen::node::NodeId;

synod_idgen::layout! {
    /// Time and nothing else.
    struct Bare { bits: 63, epoch_ms: 0, time: 63, node: 0, sequence: 0 }
}
synod_idgen::layout! {
    /// Ticks of a nanosecond, sequence above the node.
    struct Nanos {
        bits: 64,
        ticks_per_second: 1_000_000_000,
        order: SequenceThenNode,
        epoch_ms: 1_700_000_000_000,
        time: 59,
        node: 3,
        sequence: 2,
    }
}

fn parts<L: Layout>(id: u64) -> (u128, u32, u64) {
    let id = Id::<L>::from_u64(id).unwrap();
    (id.time().as_millis(), id.node().get(), id.sequence())
}

#[test]
fn layout_ids_of_the_world_are_read() {
    // Discord's documentation: 2016-04-30 11:18:25.796 UTC, worker 1, process 0, increment 7.
    assert_eq!(parts::<Discord>(175_928_847_299_117_063), (1_462_015_105_796, 1 << 5, 7));
    // Wikipedia on Snowflake ids: a post of 2022-06-28 16:07:40.105 UTC, machine 378, sequence 0.
    assert_eq!(parts::<Twitter>(1_541_815_603_606_036_480), (1_656_432_460_105, 378, 0));
    // Instagram's article: 1387263000 ms after the epoch, user 31341 of 2000 shards, the 5001st row.
    let id = Id::<Instagram>::from_u64(11_637_205_501_278_089).unwrap();
    assert_eq!((id.tick(), id.node().get(), id.sequence()), (1_387_263_000, 31_341 % 2_000, 5_001 % 1_024));
    // Mastodon's documentation: a status of 2019-12-08 03:48:33.901 UTC, whose row was made 52 ms before.
    assert_eq!(parts::<Mastodon>(103_270_115_826_048_975), (1_575_776_913_901 - 52, 0, 40_911));
    // tsid-creator's README: one after the other, and a millisecond later.
    let ids = [38_352_658_567_418_867, 38_352_658_567_418_868, 38_352_658_573_940_759];
    let ids = ids.map(|id| Id::<Tsid>::from_u64(id).unwrap());
    assert_eq!(
        (ids[0].tick(), ids[0].node(), ids[0].sequence() + 1),
        (ids[1].tick(), ids[1].node(), ids[1].sequence())
    );
    assert!(ids[2].time() > ids[1].time() && ids[2].time() < ids[1].time() + Duration::from_millis(3));
    // Sonyflake: the machine is lowest, a tick is 10 ms.
    let start = u128::from(Sonyflake::<1_409_529_600_000>::EPOCH_MS);
    assert_eq!(parts::<Sonyflake>(5 << 24 | 7 << 16 | 300), (start + 50, 300, 7));
    // Every double holds a JavaScript id.
    let greatest = Id::<JavaScript>::from_u64((1 << 53) - 1).unwrap();
    assert_eq!(greatest.to_string().parse::<f64>().unwrap().to_string(), greatest.to_string());
    assert!(Id::<JavaScript>::from_u64(1 << 53).is_err());
}

#[test]
fn idgen_p02_signed_ids_are_never_negative() {
    let greatest = Id::<Twitter>::from_u64(i64::MAX as u64).unwrap();
    assert_eq!(greatest.as_i64(), i64::MAX);
    assert_eq!(greatest.tick(), (1 << 41) - 1);
    let wide = IdError::TooWide { layout: "Snowflake", bits: 63 };
    for negative in [1 << 63, u64::MAX] {
        assert_eq!(Id::<Twitter>::from_u64(negative), Err(wide));
        assert_eq!(Id::<Twitter>::try_from(negative as i64), Err(wide));
    }
    // 96 years after the epoch there is no tick, no id, and no position.
    let tick = 96 * 365 * 86_400_000;
    let node = NodeId::<Twitter>::new(1).unwrap();
    let part = IdError::Part { part: "tick", layout: "Snowflake", bits: 41 };
    assert_eq!(Id::from_parts(tick, node, 0), Err(part));
    let at = Position::<Twitter>::at(Duration::from_millis(Twitter::EPOCH_MS + tick));
    assert_eq!((at, at.id(node)), (Position::END, None));
}

#[test]
fn idgen_p03_a_node_out_of_range_is_refused() {
    for node in [1024, 1 << 32, u64::MAX] {
        let error = NodeId::<Twitter>::new(node).unwrap_err();
        assert_eq!(error.to_string(), format!("node {node} is out of range: Snowflake has nodes 0 to 1023"));
        assert!(NodeId::<Twitter>::try_from(node).is_err());
    }
    assert!(NodeId::<Tsid>::try_from(1_024_u16).is_err());
    assert_eq!(NodeId::<Mastodon>::new(0).unwrap().get(), 0);
    assert!(NodeId::<Mastodon>::new(1).is_err());
    // Decoded, each node is itself and the time is untouched.
    for node in 0..=NodeId::<Twitter>::GREATEST {
        let id = Id::from_parts(9, NodeId::<Twitter>::try_from(node).unwrap(), 4095).unwrap();
        assert_eq!((id.tick(), id.node().get(), id.sequence()), (9, node, 4095));
    }
    let sequence = IdError::Part { part: "sequence", layout: "Snowflake", bits: 12 };
    assert_eq!(Id::from_parts(9, NodeId::<Twitter>::new(0).unwrap(), 4096), Err(sequence));
}

#[test]
fn idgen_p01_the_end_is_known_years_before() {
    let year = Duration::from_secs(365 * 86_400);
    let end = end_of::<Twitter>();
    assert_eq!(time_left::<Twitter>(end - year), year);
    assert_eq!(time_left::<Twitter>(end + year), Duration::ZERO);
    assert_eq!(end_of::<Snowflake<0>>(), Duration::from_millis(1 << 41));
    assert_eq!(end_of::<Bare>(), Duration::from_millis(1 << 63));
}

#[test]
fn layout_one_text_for_one_id() {
    let id = Id::<Twitter>::from_u64(1_541_815_603_606_036_480).unwrap();
    assert_eq!(id.to_string(), "1541815603606036480");
    assert_eq!("0".parse::<Id<Twitter>>().unwrap().as_u64(), 0);
    for text in ["", "+7", "-7", "07", "00", " 7", "7 ", "7a", "0x7", "٧", "7.0"] {
        assert_eq!(text.parse::<Id<Twitter>>(), Err(IdError::Text), "{text:?}");
    }
    let wide = Err(IdError::TooWide { layout: "Snowflake", bits: 63 });
    for text in ["9223372036854775808", "18446744073709551616", "99999999999999999999999"] {
        assert_eq!(text.parse::<Id<Twitter>>(), wide, "{text}");
    }
    assert_eq!(format!("{id:?}"), "Snowflake 1541815603606036480 (367597485448:378:0)");
}

/// Fields by division and remainder instead of shifts and masks.
fn by_hand<L: Layout>(id: u64) -> (u64, u64, u64) {
    let (node, sequence) = (1u128 << L::NODE_BITS, 1u128 << L::SEQUENCE_BITS);
    let id = u128::from(id);
    let (low, high) = match L::ORDER {
        Order::NodeThenSequence => (sequence, node),
        Order::SequenceThenNode => (node, sequence),
    };
    let fields = (id / low / high, id / low % high, id % low);
    let [tick, low, high] = [fields.0, fields.2, fields.1].map(|field| u64::try_from(field).unwrap());
    match L::ORDER {
        Order::NodeThenSequence => (tick, high, low),
        Order::SequenceThenNode => (tick, low, high),
    }
}

fn check<L: Layout>(bits: u64) {
    let id = Id::<L>::from_u64(bits & (u64::MAX >> (64 - L::BITS))).unwrap();
    let (tick, node, sequence) = by_hand::<L>(id.as_u64());
    assert_eq!((id.tick(), u64::from(id.node().get()), id.sequence()), (tick, node, sequence));
    let node = NodeId::new(node).unwrap();
    assert_eq!(Id::from_parts(tick, node, sequence), Ok(id));
    assert_eq!(id.position().as_u64(), tick << L::SEQUENCE_BITS | sequence);
    assert!(id.position() == Position::END || id.position().id(node) == Some(id));
    assert_eq!(id.to_string().parse(), Ok(id));
    // The time of an id is the beginning of its tick.
    let first = Id::from_parts(tick, node, 0).unwrap().position();
    assert_eq!(Position::<L>::at(id.time()), first);
    let before = id.time().checked_sub(Duration::from_nanos(1));
    assert!(tick == 0 || before.is_none_or(|before| Position::<L>::at(before) < first));
}

proptest! {
    #[test]
    fn layout_fields_are_what_division_gives(bits: u64) {
        check::<Twitter>(bits);
        check::<Discord>(bits);
        check::<Instagram>(bits);
        check::<Sonyflake>(bits);
        check::<Tsid>(bits);
        check::<Tsid<0>>(bits);
        check::<Tsid<20>>(bits);
        check::<Mastodon>(bits);
        check::<JavaScript>(bits);
        check::<Bare>(bits);
        check::<Nanos>(bits);
    }

    #[test]
    fn layout_ids_sort_by_time_then_by_the_order_of_the_fields(a: u64, b: u64) {
        let [a, b] = [a, b].map(|bits| Id::<Sonyflake>::from_u64(bits >> 1).unwrap());
        let key = |id: Id<Sonyflake>| (id.tick(), id.sequence(), id.node().get());
        prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
        let [a, b] = [a, b].map(|id| Id::<Twitter>::from_u64(id.as_u64()).unwrap());
        let key = |id: Id<Twitter>| (id.tick(), id.node().get(), id.sequence());
        prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
    }
}
