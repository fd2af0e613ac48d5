//! Lives of one node: restarts at every operation of the store, with clocks that step back (P6).

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use synod_idgen::generator::{Backward, Exhausted, Generator, Options, Start};
use synod_idgen::keeper::{Keeper, KeeperOptions};
use synod_idgen::layout::{Id, Position};
use synod_idgen::node::NodeId;
use synod_idgen::wall::Wall;
use synod_transport::rng::Rng;
use synod_transport::store::StateStore;

use crate::disk::{Disk, FATES, Plan, plan};

synod_idgen::layout! {
    /// Four ids in a millisecond, so that sequences carry and ceilings are reached.
    pub(crate) struct Small { bits: 48, epoch_ms: 0, time: 42, node: 4, sequence: 2 }
}

/// A wall in milliseconds, set by hand. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Hands(pub(crate) Rc<Cell<u64>>);

impl Hands {
    pub(crate) fn at(ms: u64) -> Self {
        Self(Rc::new(Cell::new(ms)))
    }
    pub(crate) fn set(&self, ms: u64) {
        self.0.set(ms);
    }
    pub(crate) fn advance(&self, ms: u64) {
        self.0.set(self.0.get() + ms);
    }
    pub(crate) fn back(&self, ms: u64) {
        self.0.set(self.0.get().saturating_sub(ms));
    }
}

impl Wall for Hands {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

pub(crate) const NOON: u64 = 1_704_110_400_000;

/// Who makes ids durable, and how. All but the first are naive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Keeper,
    /// Nothing is durable.
    Never,
    /// What was given is stored, afterwards.
    UseFirst,
    /// The ceiling is raised, then stored.
    RaiseFirst,
    /// The ceiling is raised whatever the store said.
    IgnoreFailure,
    /// The next life starts at the last id below the ceiling.
    OneBelow,
}

const NAIVE: [Order; 5] =
    [Order::Never, Order::UseFirst, Order::RaiseFirst, Order::IgnoreFailure, Order::OneBelow];

type Ids = Generator<Small, Hands>;

/// A generator and what makes its ceiling durable.
enum Life {
    Sound(Keeper<Small, Hands, Disk>),
    Naive { generator: Ids, disk: Disk, order: Order, window: Duration },
}

impl Life {
    fn start(order: Order, options: Options, window: Duration, hands: &Hands, disk: &Disk) -> Option<Self> {
        let builder = Generator::builder(NodeId::new(3).unwrap()).options(options);
        if order == Order::Keeper {
            let options =
                KeeperOptions { window, max_ahead: Duration::from_secs(10_000), ..KeeperOptions::default() };
            let keeper = Keeper::start(builder, hands.clone(), disk.clone(), options).ok()?;
            return Some(Self::Sound(keeper));
        }
        let read = |value: Bytes| u64::from_be_bytes(value[..].try_into().unwrap());
        let stored = disk.get("mark").ok()?.map_or(0, read);
        let from = if order == Order::OneBelow { stored.saturating_sub(1) } else { stored };
        let ceiling = if matches!(order, Order::Never | Order::UseFirst) {
            Position::END
        } else {
            Position::from_u64(stored).unwrap()
        };
        let from = Position::from_u64(if order == Order::Never { 0 } else { from }).unwrap();
        let generator = builder.resume(from).ceiling(ceiling).build(hands.clone()).unwrap();
        let mut life = Self::Naive { generator, disk: disk.clone(), order, window };
        life.extend();
        (!disk.fates.is_dead()).then_some(life)
    }

    fn generator(&self) -> &Ids {
        match self {
            Self::Sound(keeper) => keeper.generator(),
            Self::Naive { generator, .. } => generator,
        }
    }

    fn extend(&mut self) {
        match self {
            Self::Sound(keeper) => drop(keeper.extend()),
            Self::Naive { generator, disk, order, window } => {
                let high = generator.high_water();
                let target = Position::at(generator.wall().now()).plus_time(*window).max(high.plus(4));
                let mut store =
                    |position: Position<Small>| disk.set("mark", &position.as_u64().to_be_bytes()).is_ok();
                match order {
                    Order::Keeper | Order::Never => {}
                    Order::UseFirst => drop(store(high)),
                    Order::RaiseFirst => {
                        generator.raise_ceiling(target);
                        store(target);
                    }
                    Order::IgnoreFailure => {
                        store(target);
                        generator.raise_ceiling(target);
                    }
                    Order::OneBelow => {
                        if target > generator.ceiling() && store(target) {
                            generator.raise_ceiling(target);
                        }
                    }
                }
            }
        }
    }
}

/// All ids of a node, in the order in which they were given.
#[derive(Default)]
struct Given {
    last: Option<Id<Small>>,
    count: usize,
    rises: bool,
}

impl Given {
    fn new() -> Self {
        Self { rises: true, ..Self::default() }
    }
    fn push(&mut self, id: Id<Small>) {
        self.rises &= self.last.is_none_or(|last| last < id);
        self.last = Some(id);
        self.count += 1;
    }
}

fn options(rng: &mut Rng) -> Options {
    let borrow = Duration::from_millis(rng.below(3_000));
    Options {
        backward: [Backward::Error, Backward::Wait(borrow), Backward::Borrow(borrow)][rng.below(3) as usize],
        exhausted: [Exhausted::Wait, Exhausted::Error, Exhausted::Borrow(borrow)][rng.below(3) as usize],
        start: [Start::Zero, Start::Continue, Start::Random(7)][rng.below(3) as usize],
    }
}

/// One life, until its disk lets it die or it is over.
fn live(rng: &mut Rng, life: &mut Life, hands: &Hands, disk: &Disk, given: &mut Given) {
    for _ in 0..rng.between(1, 40) {
        match rng.below(10) {
            0..=3 => (0..rng.between(1, 6)).for_each(|_| {
                if let Ok(id) = life.generator().try_next() {
                    given.push(id);
                }
            }),
            4 => {
                let block = life.generator().reserve(rng.between(1, 8) as u32);
                block.into_iter().flatten().for_each(|id| given.push(id));
            }
            5 => hands.advance(rng.below(30)),
            6 => hands.back(rng.below(200)),
            7 => hands.advance(rng.below(400)),
            _ => {
                life.extend();
                if disk.fates.is_dead() {
                    return;
                }
            }
        }
    }
}

/// A node's lives, one after the other. Whether all of its ids rise, and how many there were.
fn lives(seed: u64, count: u64, order: Order) -> Given {
    let mut rng = Rng::new(seed);
    let (hands, disk, mut given) = (Hands::at(NOON), Disk::default(), Given::new());
    for _ in 0..count {
        disk.fates.plan(plan(&mut rng, 6));
        let window = Duration::from_millis(rng.between(1, 60));
        let options = options(&mut rng);
        if let Some(mut life) = Life::start(order, options, window, &hands, &disk) {
            live(&mut rng, &mut life, &hands, &disk, &mut given);
        }
        match rng.below(4) {
            0 => hands.back(rng.below(3_000)),
            1 => hands.advance(rng.below(6_000)),
            _ => {}
        }
    }
    given
}

#[test]
fn idgen_p06_a_hundred_thousand_lives_repeat_no_id_wherever_they_crash() {
    let mut ids = 0;
    for seed in 0..5_000 {
        let given = lives(seed, 20, Order::Keeper);
        assert!(given.rises, "seed {seed}");
        ids += given.count;
    }
    assert!(ids > 400_000, "lives give ids: {ids}");
}

#[test]
fn idgen_p06_naive_keepers_repeat_within_a_hundred_worlds() {
    for order in NAIVE {
        let found = (0..100).find(|seed| !lives(*seed, 20, order).rises);
        assert!(found.is_some(), "{order:?} is not found out");
    }
}

/// Three lives of twelve rounds, the first two of which are fated, with the wall set by so much between. A life whose store
/// failed ends a round later, or goes on.
fn three_lives(fates: [Plan; 2], set_by: i64, goes_on: bool, order: Order) -> Given {
    let (hands, disk, mut given) = (Hands::at(NOON), Disk::default(), Given::new());
    let borrow = Duration::from_secs(1 << 30);
    let options = Options {
        backward: Backward::Borrow(borrow),
        exhausted: Exhausted::Borrow(borrow),
        ..Options::default()
    };
    for fate in fates.into_iter().chain([None]) {
        disk.fates.plan(fate);
        if let Some(mut life) = Life::start(order, options, Duration::from_millis(8), &hands, &disk) {
            for _ in 0..12 {
                let is_last = disk.fates.has_struck() && !goes_on;
                (0..20).flat_map(|_| life.generator().try_next()).for_each(|id| given.push(id));
                if is_last {
                    break;
                }
                hands.advance(2);
                life.extend();
                if disk.fates.is_dead() {
                    break;
                }
            }
        }
        hands.set(hands.0.get().checked_add_signed(set_by).unwrap());
    }
    given
}

fn every_fate(operations: u64) -> impl Iterator<Item = Plan> + Clone {
    (0..operations).flat_map(|at| FATES.map(|fate| Some((at, fate)))).chain([None])
}

const SETS_MS: [i64; 7] = [0, 5, -5, 1_000, -1_000, 3_600_000, -3_600_000];

#[test]
fn idgen_p06_a_crash_or_failure_at_every_operation_of_two_lives_repeats_nothing() {
    let mut tried = 0;
    for first in every_fate(15) {
        for second in every_fate(15) {
            for (set_by, goes_on) in SETS_MS.into_iter().flat_map(|set_by| [(set_by, false), (set_by, true)])
            {
                let given = three_lives([first, second], set_by, goes_on, Order::Keeper);
                assert!(given.rises, "{first:?}, {second:?}, wall set by {set_by} ms, {goes_on}");
                assert!(given.count >= 12, "the last life gives ids");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 61 * 61 * 14);
}

#[test]
fn idgen_p06_naive_keepers_repeat_after_some_crash() {
    for order in NAIVE {
        let repeats = every_fate(15).any(|first| {
            SETS_MS.iter().any(|set_by| !three_lives([first, None], *set_by, false, order).rises)
        });
        assert!(repeats, "{order:?} is not found out");
    }
}
