//! What a keeper promises beside that: writes that fail, futures that were wrong, records of others.

use std::cell::Cell;
use std::time::Duration;

use synod_idgen::generator::{Backward, Generator, GeneratorError, Options};
use synod_idgen::keeper::{Keeper, KeeperError, KeeperOptions, RecordError, inspect, overrule};
use synod_idgen::layout::{Position, Twitter};
use synod_idgen::node::{Hold, NodeId};
use synod_idgen::wall;
use synod_transport::store::{MemStateStore, StateStore};

use crate::disk::{Disk, Fate};
use crate::keeper::{Hands, NOON, Small};

const WINDOW_MS: u64 = 2_000;
const HOUR_MS: u64 = 3_600_000;

fn node(node: u64) -> NodeId<Small> {
    NodeId::new(node).unwrap()
}

fn start<S: StateStore>(hands: &Hands, store: S) -> Result<Keeper<Small, Hands, S>, KeeperError> {
    Keeper::start(Generator::builder(node(3)), hands.clone(), store, KeeperOptions::default())
}

fn at(ms: u64) -> Position<Small> {
    Position::at(Duration::from_millis(ms))
}

#[test]
fn idgen_p06_a_restart_starts_at_the_ceiling_and_says_how_far_ahead_it_is() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let first = start(&hands, disk.clone()).unwrap();
    assert_eq!((first.started_at(), first.ahead()), (Position::ZERO, Duration::ZERO));
    let before = first.generator().try_next().unwrap();
    assert_eq!(before.position(), at(NOON));
    hands.back(5_000);
    let second = start(&hands, disk).unwrap();
    assert_eq!(second.started_at(), at(NOON + WINDOW_MS));
    assert_eq!(second.ahead(), Duration::from_millis(WINDOW_MS + 5_000));
    let after = second.generator().try_next().unwrap();
    assert_eq!(after.position(), at(NOON + WINDOW_MS), "goes on at once: the default policy borrows 10 s");
    assert!(after > before);
}

/// The figures of the README.
#[test]
fn idgen_p06_a_burst_far_ahead_of_the_wall_meets_a_ceiling_that_doubles() {
    let wall = |ms| wall::from_fn(move || Duration::from_millis(ms));
    let builder = || Generator::builder(NodeId::<Twitter>::new(7).unwrap());
    let noon = 1_767_268_800_000;
    let store = MemStateStore::new();
    let first = Keeper::start(builder(), wall(noon), store, KeeperOptions::default()).unwrap();
    let store = first.into_store();
    let mut keeper = Keeper::start(builder(), wall(noon - 3_000), store, KeeperOptions::default()).unwrap();
    assert_eq!(keeper.due_in(), Duration::from_secs(2) / 64, "31 ms");
    for burst in [8_000, 8_000, 16_000, 32_000] {
        let given = (0..).take_while(|_| keeper.generator().try_next().is_ok()).count();
        assert_eq!((given, keeper.generator().try_next()), (burst, Err(GeneratorError::Ceiling)));
        keeper.extend().unwrap();
    }
}

#[test]
fn idgen_p06_a_store_that_fails_leaves_the_ids_below_the_old_ceiling() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let mut keeper = start(&hands, disk.clone()).unwrap();
    hands.advance(WINDOW_MS / 2);
    assert!(keeper.is_due());
    for fate in [Fate::FailsBefore, Fate::FailsAfter] {
        disk.fates.plan(Some((0, fate)));
        assert!(matches!(keeper.extend(), Err(KeeperError::Store(_))));
        assert_eq!(keeper.generator().ceiling(), at(NOON + WINDOW_MS));
    }
    hands.set(NOON + WINDOW_MS - 1);
    assert!(keeper.generator().try_next().is_ok(), "below the old ceiling");
    hands.advance(1);
    assert_eq!(keeper.generator().try_next(), Err(GeneratorError::Ceiling));
    assert_eq!(keeper.extend(), Ok(at(NOON + 2 * WINDOW_MS)), "the store is well again");
    assert_eq!(keeper.generator().try_next().unwrap().position(), at(NOON + WINDOW_MS));
}

#[test]
fn idgen_p06_writes_are_as_rare_as_half_windows() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let mut keeper = start(&hands, disk).unwrap();
    let mut ceilings = vec![keeper.generator().ceiling()];
    for _ in 0..1_000 {
        hands.advance(10);
        keeper.generator().try_next().unwrap();
        ceilings.push(keeper.extend().unwrap());
    }
    ceilings.dedup();
    assert_eq!(ceilings.len(), 1 + 10, "once a second, of a window of two");
}

#[test]
fn idgen_p06_restarts_in_a_row_add_nothing_up() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    for _ in 0..1_000 {
        let keeper = start(&hands, disk.clone()).unwrap();
        keeper.generator().try_next().unwrap();
        assert!(keeper.ahead() <= Duration::from_millis(WINDOW_MS + 2), "{:?}", keeper.ahead());
        hands.advance(2);
    }
}

#[test]
fn idgen_p06_a_future_that_was_wrong_is_seen_and_overruled_on_purpose() {
    let (hands, mut store) = (Hands::at(NOON + 24 * HOUR_MS), MemStateStore::new());
    // A life with a wall of tomorrow.
    store = start(&hands, store).unwrap().into_store();
    hands.set(NOON);
    let ahead = Duration::from_millis(24 * HOUR_MS + WINDOW_MS);
    let most = Duration::from_millis(HOUR_MS);
    assert_eq!(start(&hands, store.clone()).unwrap_err(), KeeperError::Future { ahead, most });
    let kept = inspect(&store, "idgen").unwrap().unwrap();
    assert_eq!((kept.node, kept.time), (3, Duration::from_millis(NOON) + ahead));
    // Another node has no such past.
    let options = KeeperOptions::of_node(node(4));
    let other = Keeper::start(Generator::builder(node(4)), hands.clone(), store.clone(), options).unwrap();
    assert_eq!(other.generator().try_next().unwrap().position(), at(NOON));
    // Whoever knows that no id of tomorrow is left says so.
    overrule(&mut store, "idgen", node(3), at(NOON)).unwrap();
    assert_eq!(start(&hands, store).unwrap().generator().try_next().unwrap().position(), at(NOON));
}

#[test]
fn idgen_p06_a_wall_that_jumps_within_a_life_is_not_made_durable_unless_told() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let most = Duration::from_millis(HOUR_MS);
    let options = KeeperOptions { max_jump: most, ..KeeperOptions::default() };
    let mut keeper =
        Keeper::start(Generator::builder(node(3)), hands.clone(), disk.clone(), options).unwrap();
    hands.set(NOON + 24 * HOUR_MS);
    let by = Duration::from_millis(24 * HOUR_MS - WINDOW_MS);
    assert_eq!(keeper.extend(), Err(KeeperError::Jumped { by, most }));
    assert_eq!(keeper.generator().try_next(), Err(GeneratorError::Ceiling), "no id of the future either");
    assert_eq!(inspect(&disk, "idgen").unwrap().unwrap().ceiling, at(NOON + WINDOW_MS).as_u64());
    hands.set(NOON + 1);
    assert!(keeper.generator().try_next().is_ok(), "the wall is right again");
    hands.set(NOON + 24 * HOUR_MS);
    assert_eq!(keeper.extend_over_jump(), Ok(at(NOON + 24 * HOUR_MS + WINDOW_MS)));
}

#[test]
fn idgen_p06_a_life_that_was_taken_over_ends_below_the_other_and_says_so() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let mut first = start(&hands, disk.clone()).unwrap();
    let second = start(&hands, disk.clone()).unwrap();
    let of_second = second.generator().try_next().unwrap();
    assert!(of_second.position() >= first.generator().ceiling());
    assert!(first.generator().try_next().unwrap() < of_second, "up to its ceiling it may go on");
    hands.advance(WINDOW_MS);
    assert_eq!(first.extend(), Err(KeeperError::TakenOver { turn: 2, own: 1 }));
    assert_eq!(first.generator().try_next(), Err(GeneratorError::Ceiling));
    // A life that goes on while its ceiling is overruled hears of it.
    let mut second = second;
    overrule(&mut disk.clone(), "idgen", node(3), at(NOON)).unwrap();
    assert_eq!(second.extend(), Err(KeeperError::TakenOver { turn: 3, own: 2 }));
}

#[test]
fn a_record_of_others_is_an_error_and_is_left_alone() {
    let hands = Hands::at(NOON);
    let mut store = start(&hands, Disk::default()).unwrap().into_store();
    let before = inspect(&store, "idgen").unwrap();
    let other =
        Keeper::start(Generator::builder(node(4)), hands.clone(), store.clone(), KeeperOptions::default());
    assert!(matches!(other, Err(KeeperError::Record(RecordError::Node { stored: 3, node: 4 }))));
    assert_eq!(inspect(&store, "idgen").unwrap(), before);
    store.set("idgen", b"1704110400000").unwrap();
    let damaged = start(&hands, store.clone()).unwrap_err();
    assert_eq!(damaged, KeeperError::Record(RecordError::Damaged));
    assert_eq!(&store.get("idgen").unwrap().unwrap()[..], b"1704110400000");
}

#[test]
fn a_window_shorter_than_a_tick_or_longer_than_half_of_the_lead_is_refused() {
    let max_ahead = Duration::from_secs(60);
    let (least, most) = (Duration::from_millis(1), Duration::from_secs(30));
    let nano = Duration::from_nanos(1);
    for (window, is_good) in [(least - nano, false), (least, true), (most, true), (most + nano, false)] {
        let options = KeeperOptions { window, max_ahead, ..KeeperOptions::default() };
        let started =
            Keeper::start(Generator::builder(node(3)), Hands::at(NOON), MemStateStore::new(), options);
        match started {
            Ok(_) => assert!(is_good, "{window:?}"),
            Err(error) => assert_eq!((error, is_good), (KeeperError::Window { window, most }, false)),
        }
    }
}

#[test]
fn spare_nodes_start_at_the_ceiling_too() {
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let options = Options { backward: Backward::Spill, ..Options::default() };
    let builder = || Generator::builder(node(3)).options(options).spare(node(4), Position::ZERO);
    let kept = |hands: &Hands| {
        Keeper::start(builder(), hands.clone(), disk.clone(), KeeperOptions::default()).unwrap()
    };
    let mut first = kept(&hands);
    first.generator().try_next().unwrap();
    hands.back(500);
    let spilled = first.generator().try_next().unwrap();
    assert_eq!((spilled.node(), spilled.position()), (node(4), at(NOON - 500)));
    first.extend().unwrap();
    let second = kept(&hands);
    for (_, mark) in second.generator().marks() {
        assert!(mark >= at(NOON + WINDOW_MS), "{mark:?}");
    }
}

#[test]
fn a_node_that_is_lost_is_not_extended() {
    #[derive(Clone)]
    struct Lost(std::rc::Rc<Cell<bool>>);
    impl Hold for Lost {
        fn is_held(&self) -> bool {
            !self.0.get()
        }
    }
    let (hands, disk) = (Hands::at(NOON), Disk::default());
    let lost = Lost(std::rc::Rc::default());
    let builder = Generator::builder(node(3)).hold(lost.clone());
    let mut keeper = Keeper::start(builder, hands.clone(), disk.clone(), KeeperOptions::default()).unwrap();
    lost.0.set(true);
    let other = Generator::builder(node(4)).hold(lost.clone());
    let options = KeeperOptions::of_node(node(4));
    let refused = Keeper::start(other, hands.clone(), disk.clone(), options.clone());
    assert_eq!(refused.map(drop), Err(KeeperError::NotHeld));
    assert_eq!(inspect(&disk, &options.name).unwrap(), None, "nothing was written");
    hands.advance(WINDOW_MS);
    assert_eq!(keeper.extend(), Err(KeeperError::NotHeld));
    assert_eq!(inspect(&disk, "idgen").unwrap().unwrap().ceiling, at(NOON + WINDOW_MS).as_u64());
}

#[test]
fn idgen_p06_a_wall_that_steps_back_while_a_ceiling_is_worked_out_takes_no_stored_one_back() {
    let mut writes = 0;
    for steps_at in 0..6 {
        // One reading of those that `extend` takes is of an hour before.
        let (ms, left) = (Cell::new(NOON), Cell::new(u32::MAX));
        let wall = wall::from_fn(|| {
            left.set(left.get().wrapping_sub(1));
            Duration::from_millis(if left.get() == u32::MAX { ms.get() - HOUR_MS } else { ms.get() })
        });
        let disk = Disk::default();
        let builder = Generator::builder(node(3));
        let mut keeper = Keeper::start(builder, wall, disk.clone(), KeeperOptions::default()).unwrap();
        keeper.generator().try_next().unwrap();
        let before = keeper.generator().ceiling();
        ms.set(NOON + WINDOW_MS * 3 / 4);
        left.set(steps_at);
        keeper.extend().unwrap();
        let stored = inspect(&disk, "idgen").unwrap().unwrap().ceiling;
        assert!(stored >= before.as_u64(), "reading {steps_at} of an hour before");
        writes += u32::from(stored > before.as_u64());
    }
    assert!(writes > 0, "walls that step back after it are no trouble");
}
