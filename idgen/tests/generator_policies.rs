//! What a generator does when the wall steps back, stands still, or is asked for too much.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::cell::Cell;
use std::time::Duration;

use synod_idgen::generator::{Backward, BuildError, Exhausted, Generator, GeneratorError, Options};
use synod_idgen::layout::{Layout, Position, Twitter, end_of};
use synod_idgen::node::{Always, Hold, NodeId};
use synod_idgen::wall::{self, Wall};

const START: Duration = Duration::from_secs(1_767_225_600);

/// A lease that the test ends.
struct Held(Cell<bool>);

impl Hold for Held {
    fn is_held(&self) -> bool {
        self.0.get()
    }
}

fn node(node: u64) -> NodeId<Twitter> {
    NodeId::new(node).unwrap()
}

fn generator(options: Options) -> Generator<Twitter, impl Wall> {
    Generator::builder(node(7)).options(options).build(wall::from_fn(|| START)).unwrap()
}

#[test]
fn idgen_p01_the_end_of_time_is_an_error_for_ever() {
    let end = Position::<Twitter>::END;
    let generator = Generator::builder(node(7)).resume(Position::from_u64(end.as_u64() - 2).unwrap());
    let generator =
        generator.options(Options { backward: Backward::Borrow(Duration::MAX), ..Options::default() });
    let generator = generator.build(wall::from_fn(|| START)).unwrap();
    let ids = [generator.try_next().unwrap(), generator.try_next().unwrap()];
    assert!(ids[0] < ids[1]);
    for _ in 0..10 {
        assert_eq!(generator.try_next(), Err(GeneratorError::EpochExhausted));
        assert_eq!(generator.try_next_at(end.time()), Err(GeneratorError::EpochExhausted));
    }
    assert_eq!(generator.high_water(), end);
}

#[test]
fn idgen_p04_an_epoch_in_the_future_is_refused_when_a_generator_is_made() {
    let early = Duration::from_millis(Twitter::EPOCH_MS - 1);
    let made = Generator::new(node(7), wall::from_fn(|| early));
    let ahead = Duration::from_millis(1);
    assert_eq!(made.err(), Some(BuildError::EpochAhead { ahead, layout: "Snowflake" }));
}

#[test]
fn idgen_p05_a_step_back_is_borrowed_over_by_default() {
    let generator = generator(Options::default());
    let before = generator.try_next_at(START).unwrap();
    let after = generator.try_next_at(START - Duration::from_secs(10)).unwrap();
    assert_eq!(after.as_u64(), before.as_u64() + 1);
    let by = Duration::from_secs(3600);
    assert_eq!(generator.try_next_at(START - by), Err(GeneratorError::Backward { by }));
}

#[test]
fn a_full_tick_waits_borrows_or_refuses() {
    let full = |exhausted| {
        let generator = generator(Options { exhausted, ..Options::default() });
        assert_eq!(generator.reserve(4096).unwrap().count(), 4096);
        generator.try_next()
    };
    assert_eq!(full(Exhausted::Wait), Err(GeneratorError::NotYet { wait: Duration::from_millis(1) }));
    assert_eq!(full(Exhausted::Error), Err(GeneratorError::Exhausted));
    let borrowed = full(Exhausted::Borrow(Duration::from_millis(1))).unwrap();
    assert_eq!((borrowed.time(), borrowed.sequence()), (START + Duration::from_millis(1), 0));
}

#[test]
fn nothing_reaches_a_ceiling_before_it_is_raised() {
    let ceiling = Position::at(START).plus(1);
    let generator = Generator::builder(node(7)).ceiling(ceiling).build(wall::from_fn(|| START)).unwrap();
    assert!(generator.try_next().unwrap().position() < ceiling);
    assert_eq!(generator.try_next(), Err(GeneratorError::Ceiling));
    generator.raise_ceiling(ceiling.plus(1));
    assert_eq!(generator.try_next().unwrap().position(), ceiling);
    assert_eq!(generator.try_next(), Err(GeneratorError::Ceiling));
}

#[test]
fn idgen_p32_what_is_not_held_any_more_is_refused_before_the_next_id() {
    let lease = Held(Cell::new(true));
    let generator = Generator::builder(node(7)).hold(&lease).build(wall::from_fn(|| START)).unwrap();
    generator.try_next().unwrap();
    let mark = generator.high_water();
    lease.0.set(false);
    assert_eq!(generator.try_next(), Err(GeneratorError::NotHeld));
    assert_eq!(generator.try_next_at(START).err(), Some(GeneratorError::NotHeld));
    assert_eq!(generator.reserve(1).err(), Some(GeneratorError::NotHeld));
    assert_eq!(generator.high_water(), mark);
}

#[test]
fn a_spare_node_takes_over_after_a_step_back() {
    let generator = Generator::builder(node(7))
        .options(Options { backward: Backward::Spill, ..Options::default() })
        .spare(node(8), Position::ZERO)
        .build(wall::from_fn(|| START))
        .unwrap();
    assert_eq!(generator.try_next_at(START).unwrap().node(), node(7));
    let back = START - Duration::from_secs(3600);
    assert_eq!(generator.try_next_at(back).unwrap().node(), node(8));
    assert_eq!(generator.try_next_at(back).unwrap().time(), back);
    // No spare node is left whose ids are older.
    let by = Duration::from_secs(1);
    assert_eq!(generator.try_next_at(back - by), Err(GeneratorError::Backward { by }));
    assert_eq!(generator.marks().count(), 2);
}

#[test]
fn idgen_p01_a_generator_whose_time_ends_soon_is_refused_if_asked() {
    let left = end_of::<Twitter>() - START;
    let build = |least| Generator::builder(node(7)).require_left(least).build(wall::from_fn(|| START));
    assert_eq!(build(left).unwrap().time_left(), left);
    let error = BuildError::EndsSoon { left, layout: "Snowflake" };
    assert_eq!(build(left + Duration::from_nanos(1)).err(), Some(error));
    // What an earlier life used up is gone as well.
    let year = Duration::from_secs(365 * 86_400);
    let resumed =
        Generator::builder(node(7)).resume(Position::at(START + year)).build(wall::from_fn(|| START));
    assert_eq!(resumed.unwrap().time_left(), left - year);
}

#[test]
fn what_contradicts_itself_is_not_built() {
    let spill = Options { backward: Backward::Spill, ..Options::default() };
    let build = |options, spares: &[u64]| {
        let builder = Generator::builder(node(7)).options(options);
        let builder =
            spares.iter().fold(builder, |builder, spare| builder.spare(node(*spare), Position::ZERO));
        builder.build(wall::from_fn(|| START)).err()
    };
    assert_eq!(build(spill, &[]), Some(BuildError::Spares));
    assert_eq!(build(Options::default(), &[8]), Some(BuildError::Spares));
    assert_eq!(build(spill, &[8, 7]), Some(BuildError::SameNode { node: 7 }));
    assert_eq!(build(spill, &[8, 9, 8]), Some(BuildError::SameNode { node: 8 }));
    assert_eq!(build(spill, &[8, 9]), None);
    assert_eq!(build(Options::default(), &[]), None);
}

#[test]
fn a_generator_begins_at_the_epoch_and_ends_at_the_last_tick() {
    let epoch = Duration::from_millis(Twitter::EPOCH_MS);
    let generator = Generator::new(node(7), wall::from_fn(|| epoch)).unwrap();
    assert_eq!(
        (generator.try_next().unwrap().tick(), generator.time_left()),
        (0, end_of::<Twitter>() - epoch)
    );
    let last = end_of::<Twitter>() - Duration::from_nanos(1);
    assert_eq!(generator.try_next_at(last).unwrap().tick(), (1 << 41) - 1);
    assert_eq!(generator.try_next_at(end_of::<Twitter>()), Err(GeneratorError::EpochExhausted));
    assert_eq!(generator.try_next_at(Duration::MAX), Err(GeneratorError::EpochExhausted));
    assert!(generator.try_next_at(last).is_ok(), "a wall that was wrong once has broken nothing");
}

#[test]
fn who_adopts_a_generator_goes_on_above_its_ids_with_nothing_of_its_nodes() {
    let (theirs, ours) = (Held(Cell::new(false)), Held(Cell::new(true)));
    theirs.0.set(true);
    let options = Options { backward: Backward::Spill, ..Options::default() };
    let builder = Generator::builder(node(7)).hold(&theirs).options(options).spare(node(8), Position::ZERO);
    let mut generator = builder.build(wall::from_fn(|| START)).unwrap();
    let newest = generator.try_next_at(START).unwrap();
    let back = START - Duration::from_secs(1);
    assert_eq!(generator.try_next_at(back).unwrap().node(), node(8));
    theirs.0.set(false);
    assert_eq!(generator.try_next(), Err(GeneratorError::NotHeld));

    generator.adopt(node(9), Position::ZERO, &ours);
    assert_eq!(generator.node(), node(9));
    let by = Duration::from_secs(1);
    assert_eq!(generator.try_next_at(back), Err(GeneratorError::Backward { by }), "the spare node is theirs");
    let id = generator.try_next().unwrap();
    assert!(id > newest && id.position() > newest.position() && id.node() == node(9));
    assert_eq!(generator.marks().collect::<Vec<_>>(), [(node(9), generator.high_water())]);
    ours.0.set(false);
    assert_eq!(generator.try_next(), Err(GeneratorError::NotHeld));
}

#[test]
fn idgen_p09_who_adopts_a_generator_goes_on_above_the_ids_of_the_new_node_as_well() {
    let mut generator = generator(Options::default());
    let own = generator.try_next().unwrap();
    // Node 8 was another process's, which was two seconds ahead.
    let from = Position::at(START + Duration::from_secs(2));
    generator.adopt(node(8), from, Always);
    let id = generator.try_next().unwrap();
    assert!(id.position() >= from && id > own && id.node() == node(8));
    generator.adopt(node(9), Position::ZERO, Always);
    assert!(generator.try_next().unwrap().position() > id.position(), "what the generator gave counts too");
}

#[test]
fn idgen_p09_a_ceiling_of_the_old_node_is_none_of_the_new_one() {
    let ceiling = Position::at(START + Duration::from_secs(1));
    let builder = Generator::builder(node(7)).ceiling(ceiling);
    let mut generator = builder.build(wall::from_fn(|| START)).unwrap();
    generator.try_next().unwrap();
    generator.adopt(node(8), Position::ZERO, Always);
    assert_eq!(generator.try_next(), Err(GeneratorError::Ceiling), "nothing is durable or granted of node 8");
    generator.raise_ceiling(ceiling);
    assert_eq!(generator.try_next().unwrap().sequence(), 1);
}
