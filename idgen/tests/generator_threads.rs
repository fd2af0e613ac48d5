//! Many threads, one generator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use synod_idgen::generator::{Exhausted, Generator, GeneratorError, Options};
use synod_idgen::layout::{Id, Position, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall::{self, System};

type Ids = Id<Twitter>;

fn node() -> NodeId<Twitter> {
    NodeId::new(7).unwrap()
}

fn borrowing() -> Options {
    Options { exhausted: Exhausted::Borrow(Duration::from_secs(86_400)), ..Options::default() }
}

/// Which positions were given, from one on: a bit each.
struct Given {
    from: u64,
    bits: Vec<AtomicU64>,
}

impl Given {
    fn new(from: Position<Twitter>, count: usize) -> Self {
        Self {
            from: from.as_u64(),
            bits: std::iter::repeat_with(AtomicU64::default).take(count / 64 + 1).collect(),
        }
    }

    /// Notes an id; false when it was given before.
    fn note(&self, id: Ids) -> bool {
        let offset = id.position().as_u64() - self.from;
        let bit = 1 << (offset % 64);
        let word = &self.bits[usize::try_from(offset / 64).unwrap()];
        id.node() == node() && word.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    fn count(&self) -> u64 {
        self.bits.iter().map(|word| u64::from(word.load(Ordering::Relaxed).count_ones())).sum()
    }
}

/// Eight threads make so many ids each. `Err` says which id came twice or out of order.
fn eight_threads(
    each: u64,
    given: &Given,
    make: impl Fn() -> Box<dyn FnMut() -> Ids + Send> + Sync,
) -> Result<(), Ids> {
    std::thread::scope(|scope| {
        let run = || {
            let mut next = make();
            let mut last = None;
            for _ in 0..each {
                let id = next();
                if !given.note(id) || last >= Some(id) {
                    return Err(id);
                }
                last = Some(id);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })
}

#[test]
fn eight_threads_make_50_million_ids_without_a_repeat() {
    const EACH: u64 = 6_250_000;
    let generator: &'static _ =
        Box::leak(Box::new(Generator::builder(node()).options(borrowing()).build(System).unwrap()));
    let start = generator.try_next().unwrap().position().plus(1);
    // Room for a machine that needs minutes for it.
    let given = Given::new(start, 1 << 30);
    eight_threads(EACH, &given, || Box::new(|| generator.try_next().unwrap())).unwrap();
    assert_eq!(given.count(), 8 * EACH);
    assert!(generator.high_water().as_u64() >= start.as_u64() + 8 * EACH);
}

#[test]
fn eight_lanes_and_blocks_repeat_nothing() {
    let generator: &'static _ =
        Box::leak(Box::new(Generator::builder(node()).options(borrowing()).build(System).unwrap()));
    let start = generator.try_next().unwrap().position().plus(1);
    let given = Given::new(start, 1 << 30);
    let length = AtomicU64::new(0);
    let make = || -> Box<dyn FnMut() -> Ids + Send> {
        let mut lane = generator
            .lane([1, 7, 256, 5_000][usize::try_from(length.fetch_add(1, Ordering::Relaxed) % 4).unwrap()]);
        Box::new(move || lane.try_next().unwrap())
    };
    eight_threads(500_000, &given, make).unwrap();
    assert_eq!(given.count(), 8 * 500_000);
}

#[test]
fn a_generator_that_loads_and_stores_is_found() {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let given = Given::new(Position::ZERO, 1 << 26);
    let naive = || {
        let position = NEXT.load(Ordering::SeqCst);
        // Another thread's turn, as the system gives it now and then.
        if position % 1_000 == 0 {
            std::thread::yield_now();
        }
        NEXT.store(position + 1, Ordering::SeqCst);
        Position::from_u64(position).unwrap().id(node()).unwrap()
    };
    assert!(eight_threads(1_000_000, &given, || Box::new(naive)).is_err());
}

#[test]
fn idgen_p07_a_frozen_tick_gives_exactly_its_sequence_to_two_threads() {
    let millis = AtomicU64::new(1_767_225_600_000);
    let wall = wall::from_fn(|| Duration::from_millis(millis.load(Ordering::Relaxed)));
    let generator = Generator::new(node(), wall).unwrap();
    let barrier = Barrier::new(2);
    let mut all: Vec<Ids> = Vec::new();
    for tick in 0..3 {
        let take_all = || {
            barrier.wait();
            let mut ids = Vec::new();
            loop {
                match generator.try_next() {
                    Ok(id) => ids.push(id),
                    Err(GeneratorError::NotYet { wait }) => break (ids, wait),
                    Err(other) => panic!("{other}"),
                }
            }
        };
        let (mine, theirs) = std::thread::scope(|scope| {
            let thread = scope.spawn(take_all);
            (take_all(), thread.join().unwrap())
        });
        assert_eq!(mine.1.max(theirs.1), Duration::from_millis(1));
        assert_eq!(mine.0.len() + theirs.0.len(), 4096, "tick {tick}");
        all.extend(mine.0.into_iter().chain(theirs.0));
        millis.fetch_add(1, Ordering::Relaxed);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3 * 4096);
    assert_eq!(all[3 * 4096 - 1].time() - all[0].time(), Duration::from_millis(2));
}

#[test]
fn idgen_p05_a_thread_does_not_wait_for_ever_for_a_wall_that_stands() {
    let generator = Generator::new(node(), wall::from_fn(|| Duration::from_secs(1_767_225_600))).unwrap();
    assert_eq!(generator.reserve_next(4_096).unwrap().count(), 4_096);
    let Err(GeneratorError::Stalled { waited }) = generator.next() else { panic!("an id of a frozen tick") };
    assert!(waited > Duration::from_secs(1));
}

#[test]
fn threads_that_wait_get_whole_ticks_in_order() {
    let generator = Generator::new(node(), System).unwrap();
    let given = Given::new(Position::at(wall::Wall::now(&System)), 1 << 30);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = None;
                for _ in 0..40_000 {
                    let id = generator.next().unwrap();
                    assert!(given.note(id) && last < Some(id));
                    assert!(id.time() <= wall::Wall::now(&System), "an id of the future");
                    last = Some(id);
                }
            });
        }
    });
    assert_eq!(given.count(), 80_000);
}
