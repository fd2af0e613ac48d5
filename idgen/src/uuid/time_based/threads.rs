//! Ticks and clock sequences in every interleaving; and a naive pair that some interleaving breaks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use synod_interleave::{Bound, holds, spawn};

use super::{LAST_TICK, Node, TIME_BITS, TimeGenerator, TimeOptions};
use crate::wall::{FromFn, from_fn};

/// What gives pairs of clock sequence and tick at a reading of the wall, or only looks like it.
trait Pairs: Send + Sync + 'static {
    fn take(&self, wall: u64) -> (u64, u64);
}

type Idle = FromFn<fn() -> Duration>;

impl Pairs for TimeGenerator<Idle> {
    fn take(&self, wall: u64) -> (u64, u64) {
        let next = self.advance_at(wall).unwrap();
        (next >> TIME_BITS, next & LAST_TICK)
    }
}

const MAX_LEAD: u64 = 3;

fn sound() -> Arc<TimeGenerator<Idle>> {
    let options = TimeOptions { max_lead: Duration::from_nanos(100 * MAX_LEAD) };
    let wall: Idle = from_fn(|| Duration::ZERO);
    Arc::new(TimeGenerator::of_life(wall, Node::from_bytes([1; 6]), 0, options))
}

/// The wall is set back while two threads take pairs; then time passes where it passed before.
fn pairs_are_unique(pairs: &Arc<impl Pairs>) {
    let mut all = vec![pairs.take(9)];
    let other = Arc::clone(pairs);
    let thread = spawn(move || [other.take(9), other.take(1)]);
    all.push(pairs.take(1));
    all.extend(thread.join());
    all.extend((2..12).map(|wall| pairs.take(wall)));
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "a tick was given twice in one clock sequence: {all:?}");
}

#[test]
fn idgen_p33_two_threads_take_ticks_while_the_wall_is_set_back() {
    holds("uuid v1: ticks and clock sequences are unique", Bound::All, || pairs_are_unique(&sound()));
}

/// Clock sequence and tick apart, as one might write it first.
mod twins {
    use super::{MAX_LEAD, Pairs, pairs_are_unique};
    use std::sync::Arc;
    use synod_interleave::sync::atomic::{AtomicU64, Ordering};
    use synod_interleave::{Bound, holds};

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Flaw {
        None,
        /// The sequence is counted on its own, before the tick is set back.
        Apart,
        /// The wall that was set back is followed in the old sequence.
        SameSequence,
    }

    /// The sequence stands above 32 bits of tick, or beside them.
    struct Twin {
        flaw: Flaw,
        last: AtomicU64,
        beside: AtomicU64,
    }

    impl Twin {
        fn new(flaw: Flaw) -> Arc<Self> {
            Arc::new(Self { flaw, last: AtomicU64::new(0), beside: AtomicU64::new(0) })
        }
    }

    impl Pairs for Twin {
        fn take(&self, wall: u64) -> (u64, u64) {
            loop {
                let last = self.last.load(Ordering::SeqCst);
                let (which, tick) = (last >> 32, last & 0xffff_ffff);
                let next = if wall > tick {
                    which << 32 | wall
                } else if tick - wall < MAX_LEAD {
                    last + 1
                } else {
                    match self.flaw {
                        Flaw::None => (which + 1) << 32 | wall,
                        Flaw::SameSequence => which << 32 | wall,
                        Flaw::Apart => {
                            self.beside.fetch_add(1, Ordering::SeqCst);
                            wall
                        }
                    }
                };
                if self.last.compare_exchange(last, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    let beside =
                        if self.flaw == Flaw::Apart { self.beside.load(Ordering::SeqCst) } else { 0 };
                    return ((next >> 32) + beside, next & 0xffff_ffff);
                }
            }
        }
    }

    #[test]
    fn without_a_flaw_holds() {
        holds("uuid v1 twin: none", Bound::All, || pairs_are_unique(&Twin::new(Flaw::None)));
    }

    #[cfg(synod_loom)]
    #[test]
    fn each_flaw_breaks() {
        use synod_interleave::breaks;
        let reason = "a tick was given twice";
        breaks("uuid v1 twin: apart", Bound::All, reason, || pairs_are_unique(&Twin::new(Flaw::Apart)));
        breaks("uuid v1 twin: the same sequence", Bound::All, reason, || {
            pairs_are_unique(&Twin::new(Flaw::SameSequence));
        });
    }

    #[cfg(not(synod_loom))]
    #[test]
    fn sequences_that_are_apart_are_right_in_one_thread() {
        let twin = Twin::new(Flaw::Apart);
        assert_eq!([9, 9, 1, 1].map(|wall| twin.take(wall)), [(0, 9), (0, 10), (1, 1), (1, 2)]);
        assert_eq!([9, 1].map(|wall| Twin::new(Flaw::SameSequence).take(wall)), [(0, 9), (0, 1)]);
    }
}
