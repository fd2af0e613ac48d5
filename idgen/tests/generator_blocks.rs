//! Blocks and lanes: which ids they hold, and how old those may be.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use synod_idgen::generator::{Exhausted, Generator, GeneratorError, Options};
use synod_idgen::layout::{
    Discord, Id, Instagram, JavaScript, Layout, Mastodon, Position, Sonyflake, Tsid, Twitter, end_of,
};
use synod_idgen::node::{Hold, NodeId};
use synod_idgen::wall;

synod_idgen::layout! {
    /// No sequence: each id is a tick.
    struct Ticks { bits: 40, epoch_ms: 0, time: 36, node: 4, sequence: 0 }
}

const START: Duration = Duration::from_secs(1_767_225_600);

fn borrowing() -> Options {
    Options { exhausted: Exhausted::Borrow(Duration::from_secs(3_600)), ..Options::default() }
}

/// A block is the positions from its start on, each with the node, however much of it was used.
fn check<L: Layout>(node: u64, from: u64, count: u32, used: usize) {
    let node = NodeId::<L>::of_any(node);
    // Somewhere in the layout's time, wherever that is.
    let from = Position::<L>::from_u64(from % (Position::<L>::END.as_u64() - 100_000)).unwrap();
    let now = Duration::from_millis(L::EPOCH_MS).max(from.time());
    let generator =
        Generator::builder(node).options(borrowing()).resume(from).build(wall::from_fn(|| now)).unwrap();
    let mut block = generator.reserve(count).unwrap();
    let start = block.start();
    assert_eq!((start, block.node(), block.left()), (from, node, u64::from(count)));
    let ids: Vec<Id<L>> = block.by_ref().take(used).collect();
    assert_eq!(block.start(), from.plus(ids.len() as u64));
    assert_eq!(block.left(), u64::from(count) - ids.len() as u64);
    assert_eq!(block.size_hint().1, usize::try_from(block.left()).ok());
    let ids: Vec<_> = ids.into_iter().chain(block.by_ref()).collect();
    let expected: Vec<_> = (0..u64::from(count)).map(|step| from.plus(step).id(node).unwrap()).collect();
    assert_eq!(ids, expected);
    assert_eq!((block.next(), block.start(), block.left()), (None, block.end(), 0));
    assert_eq!(block.end(), generator.high_water());
}

trait OfAny {
    fn of_any(node: u64) -> Self;
}

impl<L: Layout> OfAny for NodeId<L> {
    fn of_any(node: u64) -> Self {
        Self::new(node % (u64::from(Self::GREATEST) + 1)).unwrap()
    }
}

proptest! {
    #[test]
    fn block_ids_are_the_positions_in_a_row(node: u64, from: u64, count in 1u32..10_000, used in 0usize..10_000) {
        check::<Twitter>(node, from, count, used);
        check::<Discord>(node, from, count, used);
        check::<Instagram>(node, from, count, used);
        check::<Sonyflake>(node, from, count, used);
        check::<Tsid<0>>(node, from, count, used);
        check::<Mastodon>(node, from, count, used);
        check::<JavaScript>(node, from, count, used);
        check::<Ticks>(node, from, count, used);
    }
}

fn node() -> NodeId<Twitter> {
    NodeId::new(7).unwrap()
}

#[test]
fn block_at_the_very_end_of_a_layout_of_64_bits_does_not_wrap() {
    let node = NodeId::<Mastodon>::new(0).unwrap();
    let from = Position::<Mastodon>::from_u64(u64::MAX - 3).unwrap();
    let now = end_of::<Mastodon>() - Duration::from_millis(1);
    let generator =
        Generator::builder(node).options(borrowing()).resume(from).build(wall::from_fn(|| now)).unwrap();
    assert_eq!(generator.reserve(4).err(), Some(GeneratorError::EpochExhausted));
    let ids: Vec<u64> = generator.reserve(3).unwrap().map(Id::as_u64).collect();
    assert_eq!(ids, [u64::MAX - 3, u64::MAX - 2, u64::MAX - 1]);
    assert_eq!(generator.try_next(), Err(GeneratorError::EpochExhausted));
}

#[test]
fn block_lengths_that_are_never_given_are_told() {
    let generator = Generator::new(node(), wall::from_fn(|| START)).unwrap();
    for count in [0, 4_097, u32::MAX] {
        let error = GeneratorError::Length { count: count.into(), most: 4_096 };
        assert_eq!(generator.reserve(count).err(), Some(error));
        assert_eq!(generator.reserve_at(count, START).err(), Some(error));
        assert_eq!(generator.lane(count).try_next(), Err(error));
    }
    assert_eq!(generator.high_water(), Position::ZERO);
    // What does not fit into the rest of a tick waits for the next one.
    generator.try_next().unwrap();
    let wait = Duration::from_millis(1);
    assert_eq!(generator.reserve(4_096).err(), Some(GeneratorError::NotYet { wait }));
    assert_eq!(generator.reserve_at(4_096, START + wait).unwrap().count(), 4_096);
}

#[test]
fn lane_ids_are_as_old_as_their_block_and_no_older_than_asked() {
    let now = Cell::new(START);
    let generator = Generator::new(node(), wall::from_fn(|| now.get())).unwrap();
    let mut lane = generator.lane(100);
    assert_eq!(lane.try_next().unwrap().time(), START);
    let second = Duration::from_secs(1);
    now.set(START + second);
    assert_eq!(lane.try_next().unwrap().time(), START, "the block is a second old");
    assert_eq!(lane.try_next_within(second).unwrap().time(), START);
    let a_tick_less = second - Duration::from_millis(1);
    assert_eq!(lane.try_next_within(a_tick_less).unwrap().time(), START + second);
    assert_eq!((lane.block().left(), lane.block().start().sequence()), (99, 1));
    now.set(START + 2 * second);
    lane.discard();
    assert_eq!(lane.try_next().unwrap().time(), START + 2 * second);
    // 100 of one block, and then the next.
    let ids: Vec<_> = (0..100).map(|_| lane.try_next().unwrap()).collect();
    assert!(ids.is_sorted() && ids[99].as_u64() == ids[0].as_u64() + 99);
}

#[test]
fn idgen_p32_a_lane_asks_before_each_id_and_a_ceiling_bounds_its_blocks() {
    struct Lease(Cell<bool>);
    impl Hold for Lease {
        fn is_held(&self) -> bool {
            self.0.get()
        }
    }
    let lease = Lease(Cell::new(true));
    let builder = Generator::builder(node()).hold(&lease).ceiling(Position::at(START).plus(15));
    let generator = builder.build(wall::from_fn(|| START)).unwrap();
    let mut lane = generator.lane(10);
    lane.try_next().unwrap();
    lease.0.set(false);
    assert_eq!(lane.try_next(), Err(GeneratorError::NotHeld));
    lease.0.set(true);
    assert_eq!((1..10).filter(|_| lane.try_next().is_ok()).count(), 9);
    assert_eq!(lane.try_next(), Err(GeneratorError::Ceiling));
    generator.raise_ceiling(Position::at(START).plus(20));
    assert_eq!(lane.try_next().unwrap().sequence(), 10);
}
