//! Generators beside a slow, sequential twin that counts positions one by one and says the rules in words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use synod_idgen::generator::{Backward, Exhausted, Generator, GeneratorError, Options, Start};
use synod_idgen::layout::{Id, Position};
use synod_idgen::node::NodeId;
use synod_idgen::wall;

synod_idgen::layout! {
    /// 128 ticks of a millisecond from second 1 on, four nodes, eight ids in a tick: every end is near.
    struct Tiny { bits: 12, epoch_ms: 1_000, time: 7, node: 2, sequence: 3 }
}

const TICKS: u64 = 128;
const SEQUENCES: u64 = 8;

/// Tick and sequence.
type At = (u64, u64);

/// How the twin deviates, if it does: the comparison must notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flaw {
    None,
    /// A wall that is back counts as one whose ticks are used up.
    ForgetsTheWall,
    /// The ceiling itself is given.
    InclusiveCeiling,
    /// A block is judged by where it starts.
    JudgesTheStart,
    /// Spills to a node whose ids are not older.
    SpillsAnywhere,
    /// Beyond the last tick comes the first.
    Wraps,
    /// A failed call moves the node on.
    FailureCosts,
}

#[derive(Clone, Debug)]
struct Slot {
    node: u64,
    next: At,
    /// The latest reading, in ticks.
    seen: u64,
}

/// The twin.
#[derive(Clone, Debug)]
struct Model {
    flaw: Flaw,
    options: Options,
    slots: Vec<Slot>,
    current: usize,
    ceiling: At,
}

fn after(at: At) -> At {
    if at.1 + 1 < SEQUENCES { (at.0, at.1 + 1) } else { (at.0 + 1, 0) }
}

fn ticks(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}

impl Model {
    fn call(&mut self, count: u64, micros: u64) -> Result<(u64, Vec<At>), GeneratorError> {
        let most = match self.options.exhausted {
            Exhausted::Borrow(most) => (ticks(most) + 1) * SEQUENCES,
            _ => SEQUENCES,
        };
        if count == 0 || count > most {
            return Err(GeneratorError::Length { count, most });
        }
        let reading = (micros / 1_000).saturating_sub(1_000);
        if reading >= TICKS {
            return Err(GeneratorError::EpochExhausted);
        }
        let begun = self.current;
        for _ in 0..=self.slots.len() {
            match self.take(count, reading) {
                Err(Refused::Backward(None, _)) if self.spills(reading) => {}
                Ok(taken) => return Ok((self.slots[self.current].node, taken)),
                Err(refused) => {
                    self.current = begun;
                    return Err(self.say(refused, micros));
                }
            }
        }
        panic!("it spills for ever");
    }

    fn take(&mut self, count: u64, reading: u64) -> Result<Vec<At>, Refused> {
        let slot = self.slots[self.current].clone();
        let mut at = slot.next;
        if at.0 < reading {
            let sequence = match self.options.start {
                Start::Continue if count == 1 => slot.next.1 % (SEQUENCES / 2),
                _ => 0,
            };
            at = (reading, sequence);
        }
        let mut taken = Vec::new();
        for _ in 0..count {
            let is_beyond =
                if self.flaw == Flaw::InclusiveCeiling { at > self.ceiling } else { at >= self.ceiling };
            if is_beyond && !(self.flaw == Flaw::Wraps && self.ceiling == (TICKS, 0)) {
                return Err(Refused::Ceiling);
            }
            taken.push((at.0 % TICKS, at.1));
            at = after(at);
        }
        let judged = if self.flaw == Flaw::JudgesTheStart { taken[0] } else { taken[taken.len() - 1] };
        let verdict = self.judge(reading, slot.seen, judged.0);
        if verdict.is_ok() || self.flaw == Flaw::FailureCosts {
            let slot = &mut self.slots[self.current];
            slot.next = at;
            slot.seen = slot.seen.max(reading);
        }
        verdict.map(|()| taken)
    }

    /// Whether an id of this tick may be given at this reading.
    fn judge(&self, reading: u64, seen: u64, tick: u64) -> Result<(), Refused> {
        if tick <= reading {
            return Ok(());
        }
        let lead = tick - reading;
        if reading >= seen || self.flaw == Flaw::ForgetsTheWall {
            return match self.options.exhausted {
                Exhausted::Error => Err(Refused::Exhausted),
                Exhausted::Wait => Err(Refused::Until(tick)),
                Exhausted::Borrow(most) if lead <= ticks(most) => Ok(()),
                Exhausted::Borrow(most) => Err(Refused::Until(tick - ticks(most))),
            };
        }
        let by = seen - reading;
        match self.options.backward {
            Backward::Wait(most) if by <= ticks(most) => Err(Refused::Backward(Some(seen), by)),
            Backward::Borrow(most) if lead <= ticks(most) => Ok(()),
            Backward::Borrow(most) if by <= ticks(most) => {
                Err(Refused::Backward(Some(tick - ticks(most)), by))
            }
            _ => Err(Refused::Backward(None, by)),
        }
    }

    fn spills(&mut self, reading: u64) -> bool {
        if self.options.backward != Backward::Spill {
            return false;
        }
        let others = (1..self.slots.len()).map(|step| (self.current + step) % self.slots.len());
        let is_older = |slot: &Slot| {
            (slot.next.0 <= reading && slot.seen <= reading) || self.flaw == Flaw::SpillsAnywhere
        };
        let to = others.into_iter().find(|index| is_older(&self.slots[*index]));
        self.current = to.unwrap_or(self.current);
        to.is_some()
    }

    fn say(&self, refused: Refused, micros: u64) -> GeneratorError {
        match refused {
            Refused::Ceiling if self.ceiling == (TICKS, 0) => GeneratorError::EpochExhausted,
            Refused::Ceiling => GeneratorError::Ceiling,
            Refused::Exhausted => GeneratorError::Exhausted,
            Refused::Until(tick) | Refused::Backward(Some(tick), _) => {
                GeneratorError::NotYet { wait: Duration::from_micros((1_000 + tick) * 1_000 - micros) }
            }
            Refused::Backward(None, by) => GeneratorError::Backward { by: Duration::from_millis(by) },
        }
    }
}

#[derive(Clone, Copy)]
enum Refused {
    Ceiling,
    Exhausted,
    Until(u64),
    Backward(Option<u64>, u64),
}

#[derive(Clone, Debug)]
enum Call {
    Next(u64),
    Reserve(u64, u32),
    Raise(u64),
}

fn span() -> impl Strategy<Value = Duration> {
    (0u64..12_000).prop_map(Duration::from_micros)
}

fn options() -> impl Strategy<Value = Options> {
    let backward = prop_oneof![
        Just(Backward::Error),
        span().prop_map(Backward::Wait),
        span().prop_map(Backward::Borrow),
        Just(Backward::Spill)
    ];
    let exhausted =
        prop_oneof![Just(Exhausted::Wait), span().prop_map(Exhausted::Borrow), Just(Exhausted::Error)];
    let start = prop_oneof![Just(Start::Zero), Just(Start::Continue)];
    (backward, exhausted, start).prop_map(|(backward, exhausted, start)| Options {
        backward,
        exhausted,
        start,
    })
}

/// Calls with a wall that mostly goes on, often stands, sometimes steps back, and now and then is near the end or zero.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let wall = prop_oneof![
        4 => (0i64..1_500).boxed(),
        2 => Just(0i64).boxed(),
        2 => (-15_000i64..15_000).boxed(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)].boxed(),
    ];
    let call = (
        wall,
        prop_oneof![6 => Just(None), 2 => (0u32..40).prop_map(Some)],
        prop::option::weighted(0.05, 0u64..900),
    );
    prop::collection::vec(call, 1..120).prop_map(|calls| {
        let mut micros = 1_020_000i64;
        let step = |(by, count, raise): (i64, Option<u32>, Option<u64>)| {
            let reading = match by {
                i64::MIN => 0,
                i64::MAX => 1_127_900,
                by => {
                    micros = (micros + by).max(0);
                    micros
                }
            };
            let reading = u64::try_from(reading).unwrap();
            match (raise, count) {
                (Some(ceiling), _) => Call::Raise(ceiling),
                (None, None) => Call::Next(reading),
                (None, Some(count)) => Call::Reserve(reading, count),
            }
        };
        calls.into_iter().map(step).collect()
    })
}

type World = (Options, Vec<u64>, u64, Vec<Call>);

/// Options, where each node's positions start, the first ceiling, and what is called.
fn worlds() -> impl Strategy<Value = World> {
    let ceiling = prop_oneof![3 => Just(TICKS * SEQUENCES), 1 => 100u64..TICKS * SEQUENCES];
    (options(), prop::collection::vec(prop_oneof![Just(0), 0u64..400], 3), ceiling, calls())
}

fn at(position: u64) -> At {
    (position / SEQUENCES, position % SEQUENCES)
}

fn position(at: u64) -> Position<Tiny> {
    Position::from_u64(at.min(TICKS * SEQUENCES)).unwrap()
}

fn numbers(ids: impl IntoIterator<Item = Id<Tiny>>) -> Vec<u64> {
    ids.into_iter().map(Id::as_u64).collect()
}

/// Runs both, and compares every answer and every mark.
fn compare((options, starts, ceiling, calls): World, flaw: Flaw) -> Result<(), TestCaseError> {
    let nodes = [2u64, 0, 3].map(|node| NodeId::<Tiny>::new(node).unwrap());
    let mut builder =
        Generator::builder(nodes[0]).options(options).resume(position(starts[0])).ceiling(position(ceiling));
    let mut slots = vec![(nodes[0], starts[0])];
    if options.backward == Backward::Spill {
        for (node, start) in nodes.into_iter().zip(&starts).skip(1) {
            builder = builder.spare(node, position(*start));
            slots.push((node, *start));
        }
    }
    let wall = Cell::new(Duration::from_secs(1));
    let generator = builder.build(wall::from_fn(|| wall.get())).unwrap();
    let slot = |(node, start): (NodeId<Tiny>, u64)| Slot {
        node: node.get().into(),
        next: at(start),
        seen: start.saturating_sub(1) / SEQUENCES,
    };
    let slots = slots.into_iter().map(slot).collect();
    let mut model = Model { flaw, options, slots, current: 0, ceiling: at(ceiling) };
    let mut given = Vec::new();
    for call in calls {
        let (count, micros, answer) = match call {
            Call::Raise(to) => {
                generator.raise_ceiling(position(to));
                model.ceiling = model.ceiling.max(at(to));
                continue;
            }
            // By the own wall, which has a short way of its own, or by a reading that is given: the same answers.
            Call::Next(micros) => {
                wall.set(Duration::from_micros(micros));
                let id =
                    if micros % 2 == 0 { generator.try_next() } else { generator.try_next_at(wall.get()) };
                (1, micros, id.map(|id| numbers([id])))
            }
            Call::Reserve(micros, count) => {
                wall.set(Duration::from_micros(micros));
                let by_wall = micros % 2 == 0;
                let block =
                    if by_wall { generator.reserve(count) } else { generator.reserve_at(count, wall.get()) };
                (u64::from(count), micros, block.map(numbers))
            }
        };
        let id = |node: u64, (tick, sequence): At| tick << 5 | node << 3 | sequence;
        let expected = model.call(count, micros);
        let expected =
            expected.map(|(node, taken)| taken.into_iter().map(|at| id(node, at)).collect::<Vec<_>>());
        prop_assert_eq!(&answer, &expected, "{:?}", call);
        given.extend(answer.unwrap_or_default());
        let marks: Vec<At> = generator.marks().map(|(_, mark)| at(mark.as_u64())).collect();
        prop_assert_eq!(&marks, &model.slots.iter().map(|slot| slot.next).collect::<Vec<_>>());
        prop_assert_eq!(u64::from(generator.node().get()), model.slots[model.current].node);
        prop_assert_eq!(at(generator.high_water().as_u64()), marks.into_iter().max().unwrap());
    }
    let count = given.len();
    given.sort_unstable();
    given.dedup();
    prop_assert_eq!(count, given.len(), "an id was given twice");
    Ok(())
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() })
}

#[test]
fn generator_answers_as_its_slow_twin() {
    runner().run(&worlds(), |world| compare(world, Flaw::None)).unwrap();
}

#[test]
fn generator_comparison_finds_every_flaw_of_a_twin() {
    for flaw in [
        Flaw::ForgetsTheWall,
        Flaw::InclusiveCeiling,
        Flaw::JudgesTheStart,
        Flaw::SpillsAnywhere,
        Flaw::Wraps,
        Flaw::FailureCosts,
    ] {
        let found =
            runner().run(&worlds(), |world| match std::panic::catch_unwind(|| compare(world, flaw)) {
                Ok(result) => result,
                Err(_) => Err(TestCaseError::fail("the twin panicked")),
            });
        assert!(matches!(found, Err(TestError::Fail(..))), "{flaw:?} is not found");
    }
}
