//! Layouts at the limits of what a layout may be, with readings, spans and counts at theirs: nothing panics, wraps, repeats
//! or goes back, and what fails changes nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use synod_idgen::generator::{Backward, Exhausted, Generator, GeneratorError, Options, Start};
use synod_idgen::layout::{Id, Layout, Position, end_of};
use synod_idgen::node::NodeId;
use synod_idgen::wall;

const LAST_EPOCH_MS: u64 = 4_102_444_799_000;

synod_idgen::layout! { struct Bit { bits: 1, epoch_ms: 0, time: 1, node: 0, sequence: 0 } }
synod_idgen::layout! { struct Time63 { bits: 63, epoch_ms: 0, time: 63, node: 0, sequence: 0 } }
synod_idgen::layout! {
    struct Time63Of64 { bits: 64, ticks_per_second: 1_000_000_000, epoch_ms: LAST_EPOCH_MS, time: 63, node: 0, sequence: 1 }
}
synod_idgen::layout! {
    struct Wide { bits: 64, ticks_per_second: 1, order: SequenceThenNode, epoch_ms: 0, time: 1, node: 31, sequence: 32 }
}
synod_idgen::layout! { struct AllNode { bits: 33, ticks_per_second: 10, epoch_ms: 0, time: 1, node: 32, sequence: 0 } }
synod_idgen::layout! { struct AllSequence { bits: 64, epoch_ms: 1_000, time: 32, node: 0, sequence: 32 } }

#[derive(Clone, Debug)]
enum Call {
    Next,
    Reserve(u32),
    Lane(u32),
    Raise(u64),
}

/// A moment of a layout by name: its two ends, to a nanosecond, and beyond.
fn moment<L: Layout>(name: u8, some: u64) -> Duration {
    let (epoch, end, nano) = (Duration::from_millis(L::EPOCH_MS), end_of::<L>(), Duration::from_nanos(1));
    let tick = Duration::from_secs(1) / u32::try_from(L::TICKS_PER_SECOND).unwrap();
    match name {
        0 => Duration::ZERO,
        1 => epoch.saturating_sub(nano),
        2 => epoch,
        3 => epoch + tick,
        4 => end - tick,
        5 => end - nano,
        6 => end,
        7 => Duration::MAX,
        8 => Duration::new(u64::MAX, 0),
        _ => epoch + (end - epoch).min(Duration::from_nanos(some)).mul_f64(0.5),
    }
}

fn number<L: Layout>(name: u8, some: u64) -> Position<L> {
    let end = Position::<L>::END.as_u64();
    let at = match name {
        0 => 0,
        1 => 1,
        2 => end,
        3 => end - 1,
        4 => end.saturating_sub(2),
        _ => some % end,
    };
    Position::from_u64(at.min(end)).unwrap()
}

fn options() -> impl Strategy<Value = Options> {
    let spans = || {
        select(vec![
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_secs(1),
            Duration::new(u64::MAX, 0),
            Duration::MAX,
        ])
    };
    let backward = prop_oneof![
        Just(Backward::Error),
        spans().prop_map(Backward::Wait),
        spans().prop_map(Backward::Borrow),
        Just(Backward::Spill),
    ];
    let exhausted =
        prop_oneof![Just(Exhausted::Wait), spans().prop_map(Exhausted::Borrow), Just(Exhausted::Error)];
    let start = prop_oneof![Just(Start::Zero), Just(Start::Continue), any::<u64>().prop_map(Start::Random)];
    (backward, exhausted, start).prop_map(|(backward, exhausted, start)| Options {
        backward,
        exhausted,
        start,
    })
}

#[derive(Clone, Debug)]
struct World {
    options: Options,
    from: [(u8, u64); 2],
    ceiling: Option<(u8, u64)>,
    calls: Vec<(Call, u8, u64)>,
}

fn worlds() -> impl Strategy<Value = World> {
    let call = prop_oneof![
        4 => Just(Call::Next),
        2 => select(vec![0, 1, 2, 3, 1_000, u32::MAX - 1, u32::MAX]).prop_map(Call::Reserve),
        1 => select(vec![0, 1, 2, u32::MAX]).prop_map(Call::Lane),
        1 => any::<u64>().prop_map(Call::Raise),
    ];
    let calls = prop::collection::vec((call, 0u8..12, any::<u64>()), 1..40);
    (options(), any::<[(u8, u64); 2]>(), prop::option::of((0u8..8, any::<u64>())), calls).prop_map(
        |(options, from, ceiling, calls)| World {
            options,
            from: from.map(|(name, some)| (name % 8, some)),
            ceiling,
            calls,
        },
    )
}

/// What was given: by node, the position that is free; and how many ids.
struct Given<L: Layout>(BTreeMap<u32, Position<L>>, u32);

impl<L: Layout> Given<L> {
    fn push(&mut self, id: Id<L>) {
        let free = self.0.entry(id.node().get()).or_insert(Position::ZERO);
        assert!(id.position() >= *free, "{id:?} is given again, or late");
        *free = id.position().plus(1);
        self.1 += 1;
    }
}

/// How many ids there were.
fn check<L: Layout>(world: &World) -> u32 {
    let node = |node| NodeId::<L>::new(node).ok();
    let [first, second] = world.from.map(|(name, some)| number::<L>(name, some));
    let mut options = world.options;
    let spare = node(1).filter(|_| options.backward == Backward::Spill);
    if spare.is_none() && options.backward == Backward::Spill {
        options.backward = Backward::Error;
    }
    let mut builder = Generator::builder(node(0).unwrap()).options(options).resume(first);
    if let Some((name, some)) = world.ceiling {
        builder = builder.ceiling(number(name, some));
    }
    let builder = spare.into_iter().fold(builder, |builder, spare| builder.spare(spare, second));
    let now = Cell::new(moment::<L>(2, 0));
    let generator = builder.build(wall::from_fn(|| now.get())).unwrap();
    let mut given = Given(generator.marks().map(|(node, mark)| (node.get(), mark)).collect(), 0);
    for (call, name, some) in &world.calls {
        now.set(moment::<L>(*name, *some));
        let (before, node) = (generator.marks().collect::<Vec<_>>(), generator.node());
        let outcome = match call {
            Call::Next if some % 2 == 0 => generator.try_next().map(|id| given.push(id)),
            Call::Next => generator.try_next_at(now.get()).map(|id| given.push(id)),
            Call::Reserve(count) => generator.reserve(*count).map(|mut block| {
                assert_eq!(block.left(), u64::from(*count));
                let end = block.end();
                (0..5).map_while(|_| block.next()).for_each(|id| given.push(id));
                assert!(block.end() == end && block.left() == u64::from(*count).saturating_sub(5));
                given.0.insert(block.node().get(), end);
            }),
            Call::Lane(length) => {
                let mut lane = generator.lane(*length);
                let outcome = lane.try_next_within(Duration::from_nanos(*some)).map(|id| given.push(id));
                given.0.insert(
                    lane.block().node().get(),
                    lane.block().end().max(given.0[&generator.node().get()]),
                );
                outcome
            }
            Call::Raise(to) => {
                generator.raise_ceiling(number(*name, *to));
                continue;
            }
        };
        let after: Vec<_> = generator.marks().collect();
        match outcome {
            Ok(()) => assert!(before.iter().zip(&after).all(|(old, new)| old.1 <= new.1)),
            Err(GeneratorError::Forked | GeneratorError::NotHeld | GeneratorError::Stalled { .. }) => {
                panic!("{outcome:?}")
            }
            Err(GeneratorError::NotYet { wait }) => {
                assert!(!wait.is_zero() && before == after);
            }
            Err(_) => assert_eq!(before, after, "{outcome:?} changed something"),
        }
        if outcome.is_err() {
            assert_eq!(generator.node(), node, "{outcome:?} went over to another node");
        }
        assert!(generator.high_water() <= Position::END && generator.time_left() <= end_of::<L>());
    }
    for (node, mark) in generator.marks() {
        assert_eq!(given.0[&node.get()], mark);
    }
    given.1
}

#[test]
fn generator_bears_every_extreme() {
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let ids = Cell::new([0; 6]);
    let check_all = |world: World| {
        let counts = [
            check::<Bit>(&world),
            check::<Time63>(&world),
            check::<Time63Of64>(&world),
            check::<Wide>(&world),
            check::<AllNode>(&world),
            check::<AllSequence>(&world),
        ];
        ids.set(std::array::from_fn(|layout| ids.get()[layout] + counts[layout]));
        Ok(())
    };
    TestRunner::new(config).run(&worlds(), check_all).unwrap();
    assert!(ids.get().into_iter().all(|count| count > 1_000), "each layout gives ids: {:?}", ids.get());
}
