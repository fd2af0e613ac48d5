//! The generator's read-modify-writes in every interleaving, and naive ones that some interleaving breaks.

mod twins;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn};

use super::{Backward, Exhausted, Generator, GeneratorError, Options};
use crate::layout::{Id, Position};
use crate::node::NodeId;
use crate::wall::Wall;

crate::layout! {
    /// Two ids in a tick, so that ticks are used up soon.
    pub(super) struct Tiny { bits: 32, epoch_ms: 0, time: 28, node: 3, sequence: 1 }
}

/// A wall that tests set, in ticks.
#[derive(Clone)]
struct Settable(Arc<AtomicU64>);

impl Settable {
    fn at(tick: u64) -> Self {
        Self(Arc::new(AtomicU64::new(tick)))
    }

    fn set(&self, tick: u64) {
        self.0.store(tick, Ordering::SeqCst);
    }
}

impl Wall for Settable {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// What gives ids, or only looks like it.
trait Giving: Send + Sync + 'static {
    fn give(&self) -> Result<u64, GeneratorError>;
    fn give_block(&self, count: u32) -> Result<Vec<u64>, GeneratorError>;
    /// Allows positions below this one.
    fn raise_ceiling(&self, ceiling: u64);
}

impl Giving for Generator<Tiny, Settable> {
    fn give(&self) -> Result<u64, GeneratorError> {
        self.try_next().map(Id::as_u64)
    }
    fn give_block(&self, count: u32) -> Result<Vec<u64>, GeneratorError> {
        self.reserve(count).map(|block| block.map(Id::as_u64).collect())
    }
    fn raise_ceiling(&self, ceiling: u64) {
        self.raise_ceiling(position(ceiling));
    }
}

/// A thread's own block at a time.
struct Lanes(Arc<Generator<Tiny, Settable>>);

fn position(at: u64) -> Position<Tiny> {
    Position::from_u64(at).unwrap()
}

fn node(node: u64) -> NodeId<Tiny> {
    NodeId::new(node).unwrap()
}

const TICK: u64 = 5;

fn borrowing() -> Options {
    Options { exhausted: Exhausted::Borrow(Duration::from_secs(1)), ..Options::default() }
}

/// Refuses whatever can be refused.
fn strict() -> Options {
    Options { backward: Backward::Error, exhausted: Exhausted::Error, ..Options::default() }
}

fn generator(options: Options, wall: &Settable) -> Arc<Generator<Tiny, Settable>> {
    Arc::new(Generator::builder(node(1)).options(options).build(wall.clone()).unwrap())
}

fn assert_unique(mut ids: Vec<u64>) {
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id was given twice");
}

/// Both threads' ids rise, and no two are the same.
fn ids_are_unique(giving: &Arc<impl Giving>, each: usize) {
    let ask = move |giving: &dyn Giving| -> Vec<u64> { (0..each).map(|_| giving.give().unwrap()).collect() };
    let other = Arc::clone(giving);
    let thread = spawn(move || ask(&*other));
    let mine = ask(&**giving);
    let theirs = thread.join();
    assert!(mine.is_sorted() && theirs.is_sorted(), "a thread's ids go back");
    assert_unique([mine, theirs].concat());
}

/// Whatever is reserved or given meanwhile, a block is one's own.
fn blocks_are_disjoint(giving: &Arc<impl Giving>) {
    let other = Arc::clone(giving);
    let thread = spawn(move || [other.give_block(3).unwrap(), Vec::from([other.give().unwrap()])].concat());
    let mine = giving.give_block(2).unwrap();
    assert_unique([mine, thread.join()].concat());
}

/// No id reaches a ceiling that is not durable yet, and a durable one lets ids go on.
fn the_ceiling_comes_first(giving: &Arc<impl Giving>) {
    let from = TICK << 1;
    let durable = Arc::new(AtomicU64::new(from + 2));
    let (other, stored) = (Arc::clone(giving), Arc::clone(&durable));
    let thread = spawn(move || {
        let _ = other.give();
        stored.store(from + 5, Ordering::SeqCst);
        other.raise_ceiling(from + 5);
        other.raise_ceiling(from + 2); // late, of an earlier write
    });
    for _ in 0..2 {
        if let Ok(id) = giving.give() {
            let position = Id::<Tiny>::from_u64(id).unwrap().position().as_u64();
            assert!(position < durable.load(Ordering::SeqCst), "an id reached a ceiling that is not durable");
        }
    }
    thread.join();
    assert!(giving.give().is_ok(), "a durable ceiling was lost");
}

/// A wall that only goes forward is never taken for one that stepped back, nor a later reading of another thread for a
/// tick that is used up.
fn a_race_is_no_trouble(giving: &Arc<impl Giving>, wall: &Settable) {
    let (other, later) = (Arc::clone(giving), wall.clone());
    let thread = spawn(move || {
        later.set(TICK + 1);
        other.give()
    });
    let mine = giving.give();
    let ids = [mine, thread.join()].map(|id| id.expect("a race was taken for trouble"));
    assert_unique(ids.into());
}

/// A wall that steps back while two threads ask: no node repeats what it gave before.
fn spilling_repeats_nothing(giving: &Arc<impl Giving>, wall: &Settable) {
    let before = giving.give().unwrap();
    wall.set(TICK + 2);
    let later = giving.give().unwrap();
    let (other, back) = (Arc::clone(giving), wall.clone());
    let thread = spawn(move || {
        back.set(TICK);
        other.give().unwrap()
    });
    let mine = giving.give().unwrap();
    assert_unique([before, later, mine, thread.join()].into());
}

#[test]
fn two_threads_make_ids() {
    holds("generator: ids are unique", Bound::All, || {
        let generator = generator(borrowing(), &Settable::at(TICK));
        generator.give().unwrap();
        ids_are_unique(&generator, 2);
    });
    holds("generator: the first ids of a tick are unique", Bound::All, || {
        let generator = generator(borrowing(), &Settable::at(TICK));
        ids_are_unique(&generator, 2);
        // Two ticks and no gap.
        assert_eq!(generator.high_water(), position((TICK + 2) << 1));
    });
}

#[test]
fn three_threads_make_ids() {
    holds("generator: three threads", Bound::Preemptions(3), || {
        let generator = generator(borrowing(), &Settable::at(TICK));
        let third = Arc::clone(&generator);
        let thread = spawn(move || third.give().unwrap());
        ids_are_unique(&generator, 2);
        thread.join();
        assert_eq!(generator.high_water(), position((TICK << 1) + 5));
    });
}

#[test]
fn two_threads_use_a_tick_up() {
    holds("generator: a tick gives its sequence and no more", Bound::All, || {
        let generator = generator(Options::default(), &Settable::at(TICK));
        let other = Arc::clone(&generator);
        let thread = spawn(move || [other.give(), other.give()]);
        let answers = [[generator.give(), generator.give()], thread.join()].concat();
        let ids: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
        assert_eq!(ids.len(), 2);
        assert_unique(ids);
        let wait = Duration::from_millis(1);
        assert!(
            answers.iter().all(|answer| answer.is_ok() || *answer == Err(GeneratorError::NotYet { wait }))
        );
    });
}

#[test]
fn two_threads_reserve_blocks() {
    holds("block: blocks are disjoint", Bound::All, || {
        blocks_are_disjoint(&generator(borrowing(), &Settable::at(TICK)));
    });
}

impl Lanes {
    fn of(&self, count: usize) -> Vec<u64> {
        let mut lane = self.0.lane(2);
        (0..count).map(|_| lane.try_next().unwrap().as_u64()).collect()
    }
}

#[test]
fn two_threads_have_lanes() {
    holds("lane: lanes share no id", Bound::All, || {
        let generator = generator(borrowing(), &Settable::at(TICK));
        let lanes = Lanes(Arc::clone(&generator));
        let thread = spawn(move || lanes.of(3));
        let mine = Lanes(generator).of(3);
        let theirs = thread.join();
        assert!(mine.is_sorted() && theirs.is_sorted());
        assert_unique([mine, theirs].concat());
    });
}

#[test]
fn a_keeper_raises_the_ceiling() {
    holds("generator: the ceiling comes first", Bound::All, || {
        let builder = Generator::builder(node(1)).options(borrowing()).ceiling(position((TICK << 1) + 2));
        the_ceiling_comes_first(&Arc::new(builder.build(Settable::at(TICK)).unwrap()));
    });
}

#[test]
fn two_threads_read_a_wall_that_goes_on() {
    holds("generator: a race is no trouble", Bound::All, || {
        let wall = Settable::at(TICK);
        a_race_is_no_trouble(&generator(strict(), &wall), &wall);
    });
    holds("generator: a race is no trouble in a tick that was used", Bound::All, || {
        let wall = Settable::at(TICK);
        let generator = generator(strict(), &wall);
        generator.give().unwrap();
        a_race_is_no_trouble(&generator, &wall);
    });
}

#[test]
fn two_threads_begin_a_tick_without_a_bound_on_the_lead() {
    holds("generator: no id is older than its reading", Bound::All, || {
        let wall = Settable::at(TICK);
        let options = Options { exhausted: Exhausted::Borrow(Duration::MAX), ..Options::default() };
        let generator = generator(options, &wall);
        generator.give().unwrap();
        wall.set(TICK + 1);
        let other = Arc::clone(&generator);
        let thread = spawn(move || other.give().unwrap());
        for id in [generator.give().unwrap(), thread.join()] {
            assert!(Id::<Tiny>::from_u64(id).unwrap().tick() > TICK, "an id is older than its reading");
        }
    });
}

#[test]
fn two_threads_spill() {
    holds("spill: no node repeats an id", Bound::All, || {
        let wall = Settable::at(TICK);
        let options = Options { backward: Backward::Spill, ..Options::default() };
        let builder = Generator::builder(node(1)).options(options).spare(node(2), Position::ZERO);
        spilling_repeats_nothing(&Arc::new(builder.build(wall.clone()).unwrap()), &wall);
    });
}

#[test]
fn two_nodes_do_not_send_a_call_to_and_fro() {
    holds("spill: a call ends, whoever has stopped in the middle", Bound::All, || {
        // One id is left of both nodes' ticks, and a block of two does not fit behind a reading of it.
        let from = position((TICK << 1) + 1);
        let options = Options { backward: Backward::Spill, ..Options::default() };
        let builder = Generator::builder(node(1)).options(options).resume(from).spare(node(2), from);
        let generator = builder.build(Settable::at(TICK)).unwrap();
        // A thread for each node has noted a later reading, and stopped before it took the id.
        for slot in generator.slots() {
            slot.seen.fetch_max(TICK + 4, Ordering::Relaxed);
        }
        let refused = generator.reserve_at(2, Duration::from_millis(TICK));
        assert_eq!(refused.err(), Some(GeneratorError::Backward { by: Duration::from_millis(4) }));
    });
}

#[test]
fn a_ceiling_that_is_taken_away_meanwhile_is_not_the_end_of_time() {
    holds("generator: a ceiling is not the end", Bound::All, || {
        let builder = Generator::builder(node(1)).options(borrowing()).ceiling(position(TICK << 1));
        let generator = Arc::new(builder.build(Settable::at(TICK)).unwrap());
        let other = Arc::clone(&generator);
        let thread = spawn(move || other.raise_ceiling(Position::END));
        let first = generator.try_next();
        assert!(first.is_ok() || first == Err(GeneratorError::Ceiling), "{first:?}");
        thread.join();
        assert!(generator.try_next().is_ok());
    });
}

#[test]
fn a_thread_that_stopped_after_its_reading_makes_no_id_older_than_that() {
    holds("generator: a reading that is noted and not used", Bound::All, || {
        let wall = Settable::at(TICK);
        let generator = generator(Options::default(), &wall);
        generator.give().unwrap();
        wall.set(TICK + 1);
        generator.shared.first.seen.fetch_max(TICK + 1, Ordering::Relaxed);
        let id = Id::<Tiny>::from_u64(generator.give().unwrap()).unwrap();
        assert_eq!((id.tick(), id.sequence()), (TICK + 1, 0));
    });
}
