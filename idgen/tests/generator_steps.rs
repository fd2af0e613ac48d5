//! P5: the wall steps back while ids are made, under each policy, in simulated time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use synod_idgen::generator::{Backward, Exhausted, Generator, GeneratorError, Options, Timer};
use synod_idgen::layout::{Id, Position, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall::Wall;

type Ids = Id<Twitter>;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const STEPS: [Duration; 4] =
    [MS, Duration::from_millis(5), Duration::from_secs(10), Duration::from_secs(3_600)];

/// Simulated time, and a wall that was set back from it. A sleep passes time; nothing else does.
struct Sim {
    passed: Cell<Duration>,
    back: Cell<Duration>,
    frozen: bool,
}

impl Sim {
    fn new() -> Self {
        Self { passed: Cell::default(), back: Cell::default(), frozen: false }
    }

    fn pass(&self, span: Duration) {
        self.passed.set(self.passed.get() + span);
    }

    fn step_back(&self, by: Duration) {
        self.back.set(self.back.get() + by);
    }
}

impl Wall for Sim {
    fn now(&self) -> Duration {
        let passed = if self.frozen { Duration::ZERO } else { self.passed.get() };
        Duration::from_secs(1_767_225_600) + passed - self.back.get()
    }
}

impl Timer for Sim {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
        self.pass(span);
        std::future::ready(())
    }
}

/// A future that never has to wait: all its sleeps are simulated.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated sleep does not end"),
    }
}

fn node(node: u64) -> NodeId<Twitter> {
    NodeId::new(node).unwrap()
}

/// What comes of asking for an id: as of a generator that waits.
type Make<'a> = &'a dyn Fn() -> Result<Ids, GeneratorError>;

/// What is to hold of every policy, of a run of ids with one step back in it. The longest wait is given in whole.
fn check(sim: &Sim, step: Duration, longest_wait: Duration, make: Make<'_>) -> Result<Outcome, &'static str> {
    let (mut ids, mut outcome) = (Vec::new(), Outcome::default());
    for call in 0..3_000u32 {
        if call == 1_000 {
            sim.step_back(step);
        }
        if call % 3 == 0 {
            sim.pass(MS / 2);
        }
        let before = sim.passed.get();
        match make() {
            Ok(id) => {
                ids.push(id);
                outcome.nodes.insert(id.node().get());
                if call >= 1_000 {
                    outcome.given_after += 1;
                }
            }
            Err(GeneratorError::Backward { by }) => outcome.refused_by = outcome.refused_by.max(by),
            Err(_) => return Err("another error"),
        }
        let waited = sim.passed.get() - before;
        if waited > longest_wait {
            return Err("a wait is too long");
        }
        outcome.waited = outcome.waited.max(waited);
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err("an id was given twice");
    }
    let mut last = BTreeMap::new();
    for id in ids {
        if last.insert(id.node(), id) >= Some(id) {
            return Err("ids of a node are out of order");
        }
    }
    Ok(outcome)
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    given_after: u32,
    refused_by: Duration,
    waited: Duration,
    nodes: BTreeSet<u32>,
}

/// One policy under each step.
fn under(backward: Backward, longest_wait: Duration) -> [Outcome; 4] {
    STEPS.map(|step| {
        let sim = Sim::new();
        let builder = Generator::builder(node(7)).options(Options { backward, ..Options::default() });
        let builder = if backward == Backward::Spill {
            builder.spare(node(8), Position::ZERO).spare(node(9), Position::ZERO)
        } else {
            builder
        };
        let generator = builder.build(&sim).unwrap();
        check(&sim, step, longest_wait, &|| run(generator.next_async(&sim))).unwrap()
    })
}

#[test]
fn idgen_p05_error_refuses_until_the_wall_is_back() {
    let outcomes = under(Backward::Error, Duration::ZERO);
    for (outcome, step) in outcomes.iter().zip(STEPS) {
        // The first id after the step may still be of the tick before; a reading is a whole tick.
        assert!(outcome.refused_by >= step - MS && outcome.refused_by <= step, "{outcome:?}");
        assert_eq!(outcome.waited, Duration::ZERO);
    }
    assert!(outcomes[0].given_after > 1_990 && outcomes[1].given_after > 1_900);
    assert_eq!((outcomes[2].given_after, outcomes[3].given_after), (0, 0));
}

#[test]
fn idgen_p05_wait_waits_no_longer_than_the_step_and_refuses_a_greater_one() {
    let outcomes = under(Backward::Wait(10 * SECOND), 10 * SECOND);
    for (outcome, step) in outcomes[..3].iter().zip(STEPS) {
        assert_eq!((outcome.given_after, outcome.refused_by), (2_000, Duration::ZERO));
        assert!(outcome.waited > step - MS && outcome.waited <= step, "{outcome:?}");
    }
    assert_eq!((outcomes[3].given_after, outcomes[3].waited), (0, Duration::ZERO));
}

#[test]
fn idgen_p05_borrow_waits_for_nothing_and_refuses_a_greater_step() {
    let outcomes = under(Backward::Borrow(10 * SECOND), Duration::ZERO);
    for outcome in &outcomes[..3] {
        assert_eq!((outcome.given_after, outcome.refused_by), (2_000, Duration::ZERO));
    }
    assert_eq!(outcomes[3].given_after, 0);
    assert!(outcomes[3].refused_by > 3_599 * SECOND);
}

#[test]
fn idgen_p05_spill_goes_over_to_another_node_at_once() {
    for (outcome, step) in under(Backward::Spill, Duration::ZERO).iter().zip(STEPS) {
        assert_eq!((outcome.given_after, outcome.refused_by), (2_000, Duration::ZERO), "{step:?}");
        assert_eq!(outcome.nodes, [7, 8].into());
    }
}

#[test]
fn idgen_p05_borrowing_is_bounded_and_ends_when_the_wall_is_back() {
    let sim = Sim::new();
    let options = Options { backward: Backward::Borrow(5 * MS), ..Options::default() };
    let generator = Generator::builder(node(7)).options(options).build(&sim).unwrap();
    generator.try_next().unwrap();
    sim.step_back(3 * MS);
    // 4095 of the tick of before, and two ticks more, until the lead is 5 ms; then a wait, not an error.
    for _ in 0..4_095 + 2 * 4_096 {
        generator.try_next().unwrap();
    }
    assert_eq!(generator.try_next(), Err(GeneratorError::NotYet { wait: MS }));
    let id = run(generator.next_async(&sim)).unwrap();
    assert_eq!(id.time(), sim.now() + 5 * MS);
    sim.pass(SECOND);
    assert_eq!(generator.try_next().unwrap().time(), sim.now());
}

#[test]
fn idgen_p05_a_wait_goes_on_when_the_wall_is_set_meanwhile_and_ends_when_it_stands() {
    let options = |backward| Options { backward, exhausted: Exhausted::Wait, ..Options::default() };
    // Set back again and again: bounded all the same.
    let sim = Sim::new();
    let generator = Generator::builder(node(7)).options(options(Backward::Wait(SECOND))).build(&sim).unwrap();
    generator.try_next().unwrap();
    sim.step_back(SECOND);
    struct Pushed<'a>(&'a Sim);
    impl Timer for Pushed<'_> {
        fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
            self.0.pass(span);
            self.0.step_back(span);
            std::future::ready(())
        }
    }
    let Err(GeneratorError::Stalled { waited }) = run(generator.next_async(&Pushed(&sim))) else {
        panic!("it waits for ever");
    };
    assert!(waited > 3 * SECOND && waited <= 4 * SECOND);
    // A wall that stands still.
    let frozen = Sim { frozen: true, ..Sim::new() };
    let generator = Generator::builder(node(7)).options(options(Backward::Error)).build(&frozen).unwrap();
    assert_eq!(generator.reserve(4_096).unwrap().count(), 4_096);
    assert!(matches!(run(generator.next_async(&frozen)), Err(GeneratorError::Stalled { .. })));
}

#[test]
fn idgen_p05_a_task_does_not_sleep_for_ever_by_the_nanosecond() {
    // A nanosecond before the next tick, for ever: a timer that ends no sleep before a millisecond must not be asked for 10⁹.
    let frozen = Sim { frozen: true, ..Sim::new() };
    frozen.step_back(Duration::from_nanos(1));
    let generator = Generator::new(node(7), &frozen).unwrap();
    assert_eq!(generator.reserve(4_096).unwrap().count(), 4_096);
    struct Counted<'a>(&'a Sim, Cell<u32>);
    impl Timer for Counted<'_> {
        fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
            self.1.set(self.1.get() + 1);
            assert!(self.1.get() < 1_000, "sleeps without an end");
            self.0.sleep(span)
        }
    }
    let counted = Counted(&frozen, Cell::new(0));
    let Err(GeneratorError::Stalled { waited }) = run(generator.next_async(&counted)) else {
        panic!("an id of a frozen tick")
    };
    assert!(waited > SECOND && waited <= 2 * SECOND, "{waited:?}");
}

#[test]
fn a_block_of_a_whole_tick_is_told_that_others_are_quicker() {
    let sim = Sim::new();
    let generator = Generator::new(node(7), &sim).unwrap();
    generator.try_next().unwrap();
    // The wall goes on as it should, and somebody else has each tick's first id.
    struct Greedy<'a>(&'a Sim, &'a Generator<Twitter, &'a Sim>);
    impl Timer for Greedy<'_> {
        fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
            self.0.pass(span);
            self.1.try_next().unwrap();
            std::future::ready(())
        }
    }
    let starved = run(generator.reserve_async(4_096, &Greedy(&sim, &generator))).unwrap_err();
    assert!(matches!(starved, GeneratorError::Stalled { .. }), "{starved:?}");
    assert!(starved.to_string().contains("or others were quicker"), "{starved}");
    assert!(run(generator.reserve_async(4_095, &Greedy(&sim, &generator))).is_ok());
}

#[test]
fn idgen_p34_a_wall_before_the_epoch_is_a_step_back() {
    for now in [Duration::ZERO, Duration::from_millis(1_288_834_974_656)] {
        let sim = Sim::new();
        let generator = Generator::new(node(7), &sim).unwrap();
        generator.try_next().unwrap();
        assert!(matches!(generator.try_next_at(now), Err(GeneratorError::Backward { .. })));
        assert!(generator.try_next().is_ok());
    }
}

#[test]
fn idgen_p06_a_restart_with_a_wall_set_back_repeats_nothing() {
    let sim = Sim::new();
    let mut high_water = Position::ZERO;
    for back in STEPS {
        let builder = Generator::builder(node(7)).resume(high_water);
        let generator = builder.build(&sim).unwrap();
        let id = match generator.try_next() {
            Ok(id) => id,
            Err(GeneratorError::Backward { by }) => {
                assert!(by > 10 * SECOND);
                sim.step_back(Duration::ZERO);
                sim.pass(by);
                generator.try_next().unwrap()
            }
            Err(other) => panic!("{other}"),
        };
        assert!(id.position() >= high_water);
        high_water = generator.high_water();
        assert!(high_water > id.position());
        sim.step_back(back);
    }
}

/// What crates of the field do, or did.
#[test]
fn idgen_p05_the_checks_find_naive_generators() {
    for (step, naive, finds) in [
        (STEPS[1], "follows the wall", "an id was given twice"),
        (STEPS[3], "sleeps it off", "a wait is too long"),
        (STEPS[2], "follows the wall with a sequence of its own", "ids of a node are out of order"),
    ] {
        let sim = Sim::new();
        let (last, sequence) = (Cell::new(Duration::ZERO), Cell::new(0));
        let make = || {
            if naive == "sleeps it off" && sim.now() < last.get() {
                sim.pass(last.get() - sim.now());
            }
            let tick = Position::<Twitter>::at(sim.now()).tick();
            let same_tick = tick == Position::<Twitter>::at(last.replace(sim.now())).tick();
            let goes_on = same_tick || naive == "follows the wall with a sequence of its own";
            sequence.set(if goes_on { (sequence.get() + 1) % 4_096 } else { 0 });
            Ok(Id::from_parts(tick, node(7), sequence.get()).unwrap())
        };
        assert_eq!(check(&sim, step, 10 * SECOND, &make), Err(finds), "{naive}");
    }
}
