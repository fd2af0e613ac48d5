//! Positions, and the ids made of them, in every interleaving; and naive ones that some interleaving breaks.

use std::sync::Arc;
use std::time::Duration;

use synod_interleave::{Bound, holds, spawn};

use super::{Last, Limits, Tick};
use crate::random::{Random, RandomError};
use crate::ulid::{Ulid, UlidGenerator, UlidOptions};
use crate::uuid::{Uuid, V7Generator, V7Method, V7Options};
use crate::wall::{FromFn, Wall, from_fn};

/// The tick of a millisecond.
fn ms(ms: u64) -> Tick {
    Tick::of_ms(Duration::from_millis(ms)).unwrap()
}

const UNLIMITED: Limits = Limits { lead: u64::MAX, carries: true };

/// What gives positions, or only looks like it.
trait Positions: Send + Sync + 'static {
    fn take(&self, wall: Tick, count: u64) -> u64;
}

impl Positions for Last {
    fn take(&self, wall: Tick, count: u64) -> u64 {
        // The start of every tick is the same, so that only positions keep threads apart.
        self.advance(wall, count, UNLIMITED, || Ok::<_, ()>(0)).unwrap()
    }
}

fn after(position: u64) -> Last {
    let last = Last::new();
    last.raise(position);
    last
}

/// Two threads, whose readings of the wall differ, take one at a time.
fn positions_are_unique(last: &Arc<impl Positions>, [mine, theirs]: [u64; 2]) -> Vec<u64> {
    let other = Arc::clone(last);
    let thread = spawn(move || [other.take(ms(theirs), 1), other.take(ms(theirs), 1)]);
    let own = [last.take(ms(mine), 1), last.take(ms(mine), 1)];
    let others = thread.join();
    assert!(own[0] < own[1] && others[0] < others[1], "a thread's positions go back");
    let mut all = [own, others].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "a position was given twice");
    let later = last.take(ms(0), 1);
    assert!(later > all[3], "a reading took positions back");
    all.push(later);
    all
}

/// A thread takes blocks while another takes single ones.
fn blocks_are_disjoint(last: &Arc<impl Positions>) {
    let other = Arc::clone(last);
    let thread = spawn(move || [other.take(ms(1), 3), other.take(ms(1), 1)]);
    let own = [last.take(ms(1), 1), last.take(ms(1), 3)];
    let others = thread.join();
    let of_block = |first: u64| first..first + 3;
    let mut all: Vec<u64> = of_block(others[0]).chain(of_block(own[1])).chain([own[0], others[1]]).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8, "a position of a block was given twice");
}

#[test]
fn idgen_p33_two_threads_take_positions() {
    holds("monotonic: the first positions race for the tick", Bound::All, || {
        positions_are_unique(&Arc::new(Last::new()), [1, 1]);
    });
    holds("monotonic: one thread's reading is older", Bound::All, || {
        positions_are_unique(&Arc::new(Last::new()), [1, 2]);
    });
    holds("monotonic: the wall was set back", Bound::All, || {
        positions_are_unique(&Arc::new(after(ms(9).position)), [1, 2]);
    });
    holds("monotonic: the counter carries into the next millisecond", Bound::All, || {
        let last = Arc::new(after(ms(1).position | 0xfffd));
        positions_are_unique(&last, [1, 1]);
        assert_eq!(last.position(), ms(2).position + 2);
    });
}

#[test]
fn idgen_p33_three_threads_take_positions() {
    holds("monotonic: three threads", Bound::Preemptions(3), || {
        let last = Arc::new(Last::new());
        let third = Arc::clone(&last);
        let thread = spawn(move || third.take(ms(1), 1));
        let all = positions_are_unique(&last, [1, 2]);
        let third = thread.join();
        assert!(!all.contains(&third), "a position was given twice");
        assert_eq!(last.position(), all[4].max(third));
    });
}

#[test]
fn idgen_p33_one_takes_blocks() {
    holds("monotonic: blocks are disjoint", Bound::All, || blocks_are_disjoint(&Arc::new(Last::new())));
    holds("monotonic: blocks are disjoint while the counter carries", Bound::All, || {
        blocks_are_disjoint(&Arc::new(after(ms(1).position | 0xfffb)));
    });
}

/// The worst random bits there can be: always the same, so that ids differ by their positions alone.
#[derive(Clone, Copy)]
struct Same(u64);

impl Random for Same {
    fn next_u64(&self) -> Result<u64, RandomError> {
        Ok(self.0)
    }
}

type Fixed = FromFn<fn() -> Duration>;

fn fixed() -> Fixed {
    from_fn(|| Duration::from_micros(3_700))
}

/// Two threads make two ids each.
fn ids_are_unique<Id: Ord + Copy + Send + 'static>(make: impl Fn() -> Id + Send + Sync + 'static) -> Vec<Id> {
    let make = Arc::new(make);
    let other = Arc::clone(&make);
    let thread = spawn(move || [other(), other()]);
    let own = [make(), make()];
    let others = thread.join();
    assert!(own[0] < own[1] && others[0] < others[1], "a thread's ids go back");
    let mut all = [own, others].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "an id was given twice");
    all
}

fn v7(method: V7Method, start: Option<Uuid>) -> V7Generator<impl Wall + Sync, Same> {
    let options = V7Options { method, ..V7Options::default() };
    let ids = V7Generator::with(fixed(), Same(u64::MAX), options);
    start.inspect(|id| assert!(ids.raise_above(*id)));
    ids
}

#[test]
fn idgen_p33_two_threads_make_uuids_of_version_7() {
    holds("v7: ids are unique", Bound::All, || {
        let ids = v7(V7Method::Counter, None);
        ids_are_unique(move || ids.try_next().unwrap());
    });
    holds("v7: ids are unique with a precise time", Bound::All, || {
        let ids = v7(V7Method::Precision, None);
        ids_are_unique(move || ids.try_next().unwrap());
    });
    holds("idgen_p14: v7 ids are unique while the counter carries", Bound::All, || {
        // Two of this millisecond are left, then two of the next, around version and variant.
        let ids = v7(V7Method::Counter, Some(Uuid::v7_of(3, 0xfff, 0xd << 58).unwrap()));
        let all = ids_are_unique(move || ids.try_next().unwrap());
        let times: Vec<_> = all.iter().map(|id| (id.unix_ms(), id.version())).collect();
        assert_eq!(times, [(Some(3), Some(7)), (Some(3), Some(7)), (Some(4), Some(7)), (Some(4), Some(7))]);
    });
}

#[test]
fn idgen_p33_two_threads_make_ulids() {
    let ulids = |start: Ulid| {
        let ids = UlidGenerator::with(fixed(), Same(0), UlidOptions::default());
        assert!(ids.raise_above(start));
        ids_are_unique(move || ids.try_next().unwrap())
    };
    holds("ulid: ids are unique", Bound::All, move || {
        ulids(Ulid::NIL);
    });
    holds("ulid: ids are unique while the counter carries", Bound::All, move || {
        let all = ulids(Ulid::from_parts(3, 0xfffd << 64).unwrap());
        let times: Vec<_> = all.iter().map(|id| id.unix_ms()).collect();
        assert_eq!(times, [3, 3, 4, 4]);
    });
}

/// Positions as one might take them first, with one flaw, or none.
mod twins {
    use super::{Positions, Tick, blocks_are_disjoint, ms, positions_are_unique};
    use std::sync::Arc;
    use synod_interleave::sync::atomic::{AtomicU64, Ordering};
    use synod_interleave::{Bound, holds};

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Flaw {
        None,
        /// A position is stored without asking whether another thread stored one meanwhile.
        Stores,
        /// After a lost race the position that was worked out before is tried again.
        KeepsItsPosition,
        /// The tick of the wall is stored first, and the counter taken after that.
        RaisesFirst,
        /// A block is taken position by position.
        StepsThroughBlocks,
    }

    struct Twin(Flaw, AtomicU64);

    impl Twin {
        fn new(flaw: Flaw, last: u64) -> Arc<Self> {
            Arc::new(Self(flaw, AtomicU64::new(last)))
        }

        fn step(&self, wall: Tick, count: u64) -> u64 {
            let after = |last: u64| {
                if wall.position > last | 0xffff { wall.position } else { last + 1 }
            };
            let mut last = self.1.load(Ordering::SeqCst);
            if self.0 == Flaw::RaisesFirst {
                if wall.position > last | 0xffff {
                    self.1.store(wall.position, Ordering::SeqCst);
                }
                return self.1.fetch_add(count, Ordering::SeqCst) + 1;
            }
            let mut first = after(last);
            loop {
                if self.0 == Flaw::Stores {
                    self.1.store(first + count - 1, Ordering::SeqCst);
                    return first;
                }
                let end = first + count - 1;
                match self.1.compare_exchange(last, end, Ordering::SeqCst, Ordering::SeqCst) {
                    Ok(_) => return first,
                    Err(other) => last = other,
                }
                if self.0 != Flaw::KeepsItsPosition {
                    first = after(last);
                }
            }
        }
    }

    impl Positions for Twin {
        fn take(&self, wall: Tick, count: u64) -> u64 {
            if self.0 == Flaw::StepsThroughBlocks {
                let first = self.step(wall, 1);
                (1..count).for_each(|_| {
                    self.step(wall, 1);
                });
                return first;
            }
            self.step(wall, count)
        }
    }

    #[test]
    fn without_a_flaw_holds() {
        holds("monotonic twin: none", Bound::All, || {
            positions_are_unique(&Twin::new(Flaw::None, 0), [1, 2]);
        });
        holds("monotonic twin: none, blocks", Bound::All, || blocks_are_disjoint(&Twin::new(Flaw::None, 0)));
    }

    #[cfg(synod_loom)]
    #[test]
    fn each_flaw_breaks() {
        use synod_interleave::breaks;
        breaks("monotonic twin: stores", Bound::All, "a position was given twice", || {
            positions_are_unique(&Twin::new(Flaw::Stores, ms(1).position), [1, 1]);
        });
        breaks("monotonic twin: keeps its position", Bound::All, "a position was given twice", || {
            positions_are_unique(&Twin::new(Flaw::KeepsItsPosition, ms(1).position), [1, 1]);
        });
        breaks("monotonic twin: raises first", Bound::All, "a position was given twice", || {
            positions_are_unique(&Twin::new(Flaw::RaisesFirst, 0), [1, 1]);
        });
        breaks(
            "monotonic twin: steps through blocks",
            Bound::All,
            "a position of a block was given twice",
            || {
                blocks_are_disjoint(&Twin::new(Flaw::StepsThroughBlocks, ms(1).position));
            },
        );
    }

    #[cfg(not(synod_loom))]
    #[test]
    fn the_flaws_are_flaws_only_among_threads() {
        for flaw in [Flaw::Stores, Flaw::KeepsItsPosition, Flaw::RaisesFirst, Flaw::StepsThroughBlocks] {
            let twin = Twin::new(flaw, 0);
            let taken: Vec<u64> = (0..4).map(|_| twin.take(ms(1), 1)).collect();
            assert!(taken.is_sorted_by(|a, b| a < b));
        }
    }
}
