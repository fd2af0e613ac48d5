//! UUID version 7 and ULID across threads and steps of the clock: unique, in order, and back to the clock's time.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests of UUIDs")]
#[path = "uuid/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

use support::{Fixed, Settable, VECTORS};
use synod_idgen::random::{Random, SeededRandom, SystemRandom};
use synod_idgen::ulid::{Ulid, UlidError, UlidGenerator, UlidOptions};
use synod_idgen::uuid::{TimeGenerator, TimeOptions, Uuid, UuidError, V7Generator, V7Method, V7Options};
use synod_idgen::wall::{System, Wall};

const MS: Duration = Duration::from_millis(1);
const THREADS: usize = 8;
const EACH: usize = 250_000;

/// Eight threads make ids at once; each sees its own rise, and no two are alike.
fn unique<Id: Ord + Copy + Send>(make: impl Fn() -> Id + Sync) -> Vec<Id> {
    let barrier = Barrier::new(THREADS);
    let thread = || {
        barrier.wait();
        let ids: Vec<Id> = (0..EACH).map(|_| make()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "a thread's ids go back");
        ids
    };
    let mut all: Vec<Id> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(thread)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), THREADS * EACH);
    all
}

#[test]
fn idgen_p14_eight_threads_make_uuids_of_version_7_that_rise() {
    for method in [V7Method::Counter, V7Method::Precision] {
        // Random bits that are always the same: only the counter keeps ids apart.
        let options = V7Options { method, ..V7Options::default() };
        let ids = V7Generator::with(System, Fixed(u128::MAX), options);
        let all = unique(|| ids.try_next().unwrap());
        assert!(all.iter().all(|id| id.version() == Some(7)));
    }
}

#[test]
fn idgen_p14_eight_threads_make_ulids_and_uuids_of_version_1_and_6() {
    let ids = UlidGenerator::with(System, Fixed(0), UlidOptions::default());
    unique(|| ids.try_next().unwrap());
    let options = TimeOptions { max_lead: Duration::from_secs(3600) };
    let ids = TimeGenerator::new(System, &SystemRandom, options).unwrap();
    unique(|| ids.try_next_v6().unwrap());
}

/// What both generators are asked, at a clock that the test sets.
struct Kind<'a> {
    next: Box<dyn Fn() -> u128 + 'a>,
    lead: Box<dyn Fn() -> Duration + 'a>,
    ms: fn(u128) -> u64,
    /// The 16 bits that count.
    counter: fn(u128) -> u128,
}

fn kinds<'a>(wall: &'a Settable, random: &'a (impl Random + Sync)) -> [Kind<'a>; 2] {
    let v7 = std::rc::Rc::new(V7Generator::with(wall, random, V7Options::default()));
    let ulid = std::rc::Rc::new(UlidGenerator::with(wall, random, UlidOptions::default()));
    let (v7_lead, ulid_lead) = (v7.clone(), ulid.clone());
    [
        Kind {
            next: Box::new(move || v7.try_next().unwrap().as_u128()),
            lead: Box::new(move || v7_lead.lead().unwrap()),
            ms: |bits| Uuid::from_u128(bits).unix_ms().unwrap(),
            counter: |bits| (bits >> 64 & 0xfff) << 4 | bits >> 58 & 0xf,
        },
        Kind {
            next: Box::new(move || ulid.try_next().unwrap().as_u128()),
            lead: Box::new(move || ulid_lead.lead().unwrap()),
            ms: |bits| Ulid::from_u128(bits).unix_ms(),
            counter: |bits| bits >> 64 & 0xffff,
        },
    ]
}

fn ms_of(wall: &Settable) -> u64 {
    wall.now().as_millis().try_into().unwrap()
}

#[test]
fn idgen_p05_a_clock_set_back_by_any_step_breaks_no_order_and_is_followed_again() {
    for step in [MS, 5 * MS, Duration::from_secs(10), Duration::from_secs(3600)] {
        let wall = Settable::at(VECTORS);
        let random = SeededRandom::new(1);
        for kind in kinds(&wall, &random) {
            wall.set(VECTORS);
            let mut all = vec![(kind.next)()];
            wall.set(VECTORS - step);
            all.extend((0..1000).map(|_| (kind.next)()));
            // It holds the time it had.
            assert_eq!((kind.ms)(all[1000]), (kind.ms)(all[0]));
            assert_eq!((kind.lead)(), step);
            wall.set(VECTORS + MS);
            all.push((kind.next)());
            assert_eq!((kind.ms)(all[1001]), ms_of(&wall));
            assert!(all.is_sorted_by(|a, b| a < b));
            assert_eq!((kind.lead)(), Duration::ZERO);
        }
    }
}

#[test]
fn idgen_p15_after_the_counter_ran_over_ids_return_to_the_clock() {
    let wall = Settable::at(VECTORS);
    for kind in kinds(&wall, &Fixed(u128::MAX)) {
        wall.set(VECTORS);
        // From 0x7fff on, 32 769 fit.
        let all: Vec<u128> = (0..32_769).map(|_| (kind.next)()).collect();
        assert_eq!(((kind.counter)(all[0]), (kind.counter)(all[32_768])), (0x7fff, 0xffff));
        assert!(all.iter().all(|id| (kind.ms)(*id) == ms_of(&wall)));
        // A millisecond ahead, around version and variant.
        let ahead = (kind.next)();
        assert_eq!(((kind.ms)(ahead), (kind.counter)(ahead)), (ms_of(&wall) + 1, 0));
        assert_eq!((kind.lead)(), MS);
        // The clock comes to the same millisecond: it is gone on with. One later: its time, and a new counter.
        wall.set(VECTORS + MS);
        let same = (kind.next)();
        assert_eq!(((kind.ms)(same), (kind.counter)(same)), (ms_of(&wall), 1));
        wall.set(VECTORS + 2 * MS);
        let back = (kind.next)();
        assert_eq!(((kind.ms)(back), (kind.counter)(back)), (ms_of(&wall), 0x7fff));
        assert!(ahead < same && same < back);
    }
}

#[test]
fn idgen_p05_the_lead_has_a_limit_if_one_is_asked_for() {
    let wall = Settable::at(VECTORS);
    let max_lead = Duration::from_secs(10);
    let v7 = V7Generator::with(&wall, Fixed(0), V7Options { max_lead, ..V7Options::default() });
    let ulid = UlidGenerator::with(&wall, Fixed(0), UlidOptions { max_lead, ..UlidOptions::default() });
    let first = v7.try_next().unwrap();
    ulid.try_next().unwrap();
    wall.set(VECTORS - max_lead);
    assert!(v7.try_next().is_ok() && ulid.try_next().is_ok());
    wall.set(VECTORS - max_lead - MS);
    let lead = max_lead + MS;
    for _ in 0..3 {
        assert_eq!(v7.try_next(), Err(UuidError::Ahead { lead, most: max_lead }));
        assert_eq!(v7.reserve(9).map(|block| block.len()), Err(UuidError::Ahead { lead, most: max_lead }));
        assert_eq!(ulid.try_next(), Err(UlidError::Ahead { lead, most: max_lead }));
    }
    // What was refused took nothing.
    wall.set(VECTORS);
    assert_eq!((v7.try_next().unwrap().as_u128() - first.as_u128()) >> 58, 2);
}

#[test]
fn idgen_p12_uuids_of_version_7_end_with_the_field_and_do_not_begin_again() {
    let last_ms = (1 << 48) - 1;
    let wall = synod_idgen::wall::from_fn(move || Duration::from_millis(last_ms));
    let ids = V7Generator::with(wall, Fixed(0), V7Options::default());
    assert!(ids.raise_above(Uuid::v7_of(last_ms, 0xfff, 0xe << 58).unwrap()));
    let last = ids.try_next().unwrap();
    assert_eq!((last.unix_ms(), last.as_u128() >> 64 & 0xfff), (Some(last_ms), 0xfff));
    for _ in 0..3 {
        assert_eq!(ids.try_next(), Err(UuidError::TimeOverflow));
    }
    let beyond = synod_idgen::wall::from_fn(move || Duration::from_millis(last_ms + 1));
    for method in [V7Method::Counter, V7Method::Precision] {
        let ids = V7Generator::with(&beyond, Fixed(0), V7Options { method, ..V7Options::default() });
        assert_eq!(ids.try_next(), Err(UuidError::TimeOverflow));
    }
    assert_eq!(Uuid::v7_of(last_ms + 1, 0, 0), Err(UuidError::TimeOverflow));
}

#[test]
fn idgen_p06_a_restart_goes_on_above_what_was_given() {
    let wall = Settable::at(VECTORS);
    let before = V7Generator::with(&wall, Fixed(u128::MAX), V7Options::default()).try_next().unwrap();
    wall.set(VECTORS - Duration::from_secs(3600));
    let ids = V7Generator::with(&wall, Fixed(0), V7Options::default());
    assert!(ids.raise_above(before));
    let after = ids.try_next().unwrap();
    assert!(after > before);
    // One that is smaller takes nothing back.
    assert!(ids.raise_above(Uuid::v7_of(1, 0, 0).unwrap()));
    assert!(ids.try_next().unwrap() > after);
    // Of another version there is nothing to be learnt.
    assert!(!ids.raise_above(Uuid::MAX));
    assert_eq!(ids.try_next().unwrap().unix_ms(), before.unix_ms());
}

/// A peer's id of the year 10889 must not end the generator for ever.
#[test]
fn idgen_p06_an_id_from_far_ahead_is_not_followed_beyond_the_greatest_lead() {
    let wall = Settable::at(VECTORS);
    let max_lead = Duration::from_secs(1);
    let ms = u64::try_from(VECTORS.as_millis()).unwrap();
    let last_ms = (1 << 48) - 1;

    for method in [V7Method::Counter, V7Method::Precision] {
        let ids = V7Generator::with(&wall, Fixed(0), V7Options { method, max_lead });
        for far in [last_ms, ms + 1002] {
            assert!(!ids.raise_above(Uuid::v7_of(far, 0, 0).unwrap()), "{far}");
            assert_eq!(ids.try_next().unwrap().unix_ms(), Some(ms));
        }
        assert!(ids.raise_above(Uuid::v7_of(ms + 999, 0, 0).unwrap()));
        assert_eq!(ids.try_next().unwrap().unix_ms(), Some(ms + 999));
    }

    let ids = UlidGenerator::with(&wall, Fixed(0), UlidOptions { max_lead, ..UlidOptions::default() });
    for far in [last_ms, ms + 1002] {
        assert!(!ids.raise_above(Ulid::from_parts(far, 0).unwrap()), "{far}");
        assert_eq!(ids.try_next().unwrap().unix_ms(), ms);
    }
    assert!(ids.raise_above(Ulid::from_parts(ms + 999, 0).unwrap()));
    assert_eq!(ids.try_next().unwrap().unix_ms(), ms + 999);

    // The last that is near enough, after which there is none until the clock moves.
    assert!(!ids.raise_above(Ulid::from_parts(ms + 1001, 0).unwrap()));
    assert!(ids.raise_above(Ulid::from_parts(ms + 1000, 0xffff << 64).unwrap()));
    assert!(matches!(ids.try_next(), Err(UlidError::Ahead { .. })));

    // Where the clock itself is past the end, there is nothing to hold the id against.
    let beyond = synod_idgen::wall::from_fn(|| Duration::from_millis(last_ms + 1));
    let ids = UlidGenerator::with(beyond, Fixed(0), UlidOptions::default());
    assert!(!ids.raise_above(Ulid::NIL));
}

#[test]
fn idgen_p15_without_a_lead_ids_are_of_the_clocks_own_millisecond() {
    let wall = Settable::at(VECTORS);
    let options = V7Options { max_lead: Duration::ZERO, ..V7Options::default() };
    let ids = V7Generator::with(&wall, Fixed(u128::MAX), options);
    // From 0x7fff, the greatest start, to 0xffff.
    assert_eq!((0..0x9000).map_while(|_| ids.try_next().ok()).count(), 0x8001);
    let ahead = UuidError::Ahead { lead: Duration::from_millis(1), most: Duration::ZERO };
    assert_eq!(ids.try_next(), Err(ahead));
    assert_eq!(ids.lead(), Ok(Duration::ZERO));
    // A block is whole or refused.
    wall.set(VECTORS + Duration::from_millis(1));
    assert_eq!(ids.reserve(0x8002).map(|block| block.len()), Err(ahead));
    assert_eq!(ids.reserve(0x8001).map(|block| block.len()), Ok(0x8001));
    assert_eq!(ids.try_next(), Err(ahead));
    // Set back by less than a millisecond is no lead; by one it is.
    wall.set(VECTORS);
    assert_eq!(ids.lead(), Ok(Duration::from_millis(1)));
}

#[test]
fn idgen_v7_blocks_are_whole_and_apart() {
    let wall = Settable::at(VECTORS);
    let ids = V7Generator::with(&wall, SystemRandom, V7Options::default());
    let mut all = BTreeSet::new();
    for count in [0, 1, 7, u16::MAX] {
        let single = ids.try_next().unwrap();
        let block: Vec<Uuid> = ids.reserve(count).unwrap().map(Result::unwrap).collect();
        assert_eq!(block.len(), usize::from(count));
        assert!(block.is_sorted_by(|a, b| a < b) && block.iter().all(|id| *id > single));
        assert!(block.iter().all(|id| id.version() == Some(7)));
        all.extend(block);
        all.insert(single);
    }
    assert_eq!(all.len(), usize::from(u16::MAX) + 12);
    assert!(ids.try_next().unwrap() > *all.last().unwrap());
    let ulids = UlidGenerator::with(&wall, SystemRandom, UlidOptions::default());
    let block: Vec<Ulid> = ulids.reserve(1000).unwrap().map(Result::unwrap).collect();
    assert!(
        block.len() == 1000 && block.is_sorted_by(|a, b| a < b) && ulids.try_next().unwrap() > block[999]
    );
}

#[test]
fn idgen_p34_a_clock_before_1970_gives_ids_and_does_not_panic() {
    let wall = Settable::default();
    for kind in kinds(&wall, &Fixed(0)) {
        wall.set(Duration::ZERO);
        let first = (kind.next)();
        assert_eq!((kind.ms)(first), 0);
        assert!((kind.next)() > first);
    }
}
