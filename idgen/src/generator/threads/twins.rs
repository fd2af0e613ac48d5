//! The generator as one might write it first, with one flaw, or none.

use alloc::sync::Arc;
use alloc::vec::Vec;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds};

use super::{
    Giving, Settable, TICK, Tiny, a_race_is_no_trouble, blocks_are_disjoint, ids_are_unique,
    spilling_repeats_nothing, the_ceiling_comes_first,
};
use crate::generator::GeneratorError;
use crate::layout::Fields;
use crate::wall::Wall;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// A position is stored without asking whether another thread stored one meanwhile.
    Stores,
    /// After a lost race the position that was worked out before is tried again.
    KeepsItsPosition,
    /// A block is begun where the next position was a moment ago.
    BlockInTwoSteps,
    /// The ceiling is asked once, not again after a lost race.
    CeilingOnce,
    /// The ceiling promises nothing of what was done before it was raised.
    CeilingRelaxed,
    /// A late, lower ceiling replaces a higher one.
    CeilingStores,
    /// A late reading is believed to be a step back.
    BelievesItsReading,
    /// The reading is told after the position: who finds the position alone sees a tick used up.
    TellsLate,
    /// The node is no part of what is swapped.
    NodeApart,
}

/// Refuses a wall that is back, and a tick that is used up, unless it borrows. Spills to one other node.
struct Twin {
    flaw: Flaw,
    wall: Settable,
    borrows: bool,
    spills: bool,
    next: [AtomicU64; 2],
    seen: [AtomicU64; 2],
    current: AtomicU64,
    ceiling: AtomicU64,
}

impl Twin {
    fn new(flaw: Flaw, wall: &Settable, ceiling: u64, borrows: bool, spills: bool) -> Arc<Self> {
        Arc::new(Self {
            flaw,
            wall: wall.clone(),
            borrows,
            spills,
            next: [AtomicU64::new(0), AtomicU64::new(0)],
            seen: [AtomicU64::new(0), AtomicU64::new(0)],
            current: AtomicU64::new(0),
            ceiling: AtomicU64::new(ceiling),
        })
    }

    fn borrowing(flaw: Flaw) -> Arc<Self> {
        Self::new(flaw, &Settable::at(TICK), u64::MAX, true, false)
    }

    fn bounded(flaw: Flaw) -> Arc<Self> {
        Self::new(flaw, &Settable::at(TICK), (TICK << 1) + 2, true, false)
    }

    fn strict(flaw: Flaw, wall: &Settable) -> Arc<Self> {
        Self::new(flaw, wall, u64::MAX, false, false)
    }

    fn spilling(flaw: Flaw, wall: &Settable) -> Arc<Self> {
        Self::new(flaw, wall, u64::MAX, true, true)
    }

    fn order(&self, sound: Ordering) -> Ordering {
        if self.flaw == Flaw::CeilingRelaxed { Ordering::Relaxed } else { sound }
    }

    fn reading(&self) -> u64 {
        Tiny::ticks_of(self.wall.now())
    }

    fn take(&self, count: u64) -> Result<(u64, u64), GeneratorError> {
        loop {
            let slot = self.current.load(Ordering::SeqCst);
            // One set of positions for both nodes, which another thread may begin anew.
            let apart = self.flaw == Flaw::NodeApart;
            let index = usize::from(slot == 1 && !apart);
            match self.take_of(index, count, self.reading()) {
                Ok(first) => return Ok((first, slot)),
                Err(Refused::Ceiling) => return Err(GeneratorError::Ceiling),
                Err(Refused::UsedUp) => return Err(GeneratorError::Exhausted),
                Err(Refused::Back) => {}
            }
            let seen = self.seen[index].load(Ordering::SeqCst);
            if self.flaw != Flaw::BelievesItsReading && self.reading() >= seen {
                continue;
            }
            if !self.spills || slot == 1 {
                return Err(GeneratorError::Exhausted);
            }
            if self.current.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() && apart {
                self.seen[0].store(0, Ordering::SeqCst);
                self.next[0].store(self.reading() << 1, Ordering::SeqCst);
            }
        }
    }

    fn take_of(&self, index: usize, count: u64, reading: u64) -> Result<u64, Refused> {
        let (cell, seen_cell) = (&self.next[index], &self.seen[index]);
        let mut next = cell.load(Ordering::SeqCst);
        let mut first = next.max(reading << 1);
        for attempt in 0.. {
            let asks = attempt == 0 || self.flaw != Flaw::CeilingOnce;
            if asks && first + count > self.ceiling.load(self.order(Ordering::Acquire)) {
                return Err(Refused::Ceiling);
            }
            let seen = seen_cell.load(Ordering::SeqCst);
            if (first + count - 1) >> 1 > reading {
                if seen > reading {
                    return Err(Refused::Back);
                }
                if !self.borrows {
                    return Err(Refused::UsedUp);
                }
            }
            if self.flaw != Flaw::TellsLate {
                seen_cell.fetch_max(reading, Ordering::SeqCst);
            }
            let taken = if self.flaw == Flaw::Stores {
                cell.store(first + count, Ordering::SeqCst);
                Ok(0)
            } else if self.flaw == Flaw::BlockInTwoSteps && first == next {
                Ok(cell.fetch_add(count, Ordering::SeqCst))
            } else {
                cell.compare_exchange(next, first + count, Ordering::SeqCst, Ordering::SeqCst)
            };
            match taken {
                Ok(_) => {
                    seen_cell.fetch_max(reading, Ordering::SeqCst);
                    return Ok(first);
                }
                Err(seen) => next = seen,
            }
            if self.flaw != Flaw::KeepsItsPosition {
                first = next.max(reading << 1);
            }
        }
        Err(Refused::UsedUp)
    }
}

enum Refused {
    Ceiling,
    Back,
    UsedUp,
}

impl Giving for Twin {
    fn give(&self) -> Result<u64, GeneratorError> {
        self.take(1).map(|(position, node)| Tiny::join(position, node))
    }
    fn give_block(&self, count: u32) -> Result<Vec<u64>, GeneratorError> {
        let (first, node) = self.take(u64::from(count))?;
        Ok((0..u64::from(count)).map(|step| Tiny::join(first + step, node)).collect())
    }
    fn raise_ceiling(&self, ceiling: u64) {
        if self.flaw == Flaw::CeilingStores {
            self.ceiling.store(ceiling, Ordering::SeqCst);
        } else {
            self.ceiling.fetch_max(ceiling, self.order(Ordering::Release));
        }
    }
}

/// Called with a twin that is at this tick already.
fn begun(twin: Arc<Twin>) -> Arc<Twin> {
    twin.give().unwrap();
    twin
}

#[test]
fn without_a_flaw_the_twin_holds() {
    holds("generator twin: without a flaw", Bound::Preemptions(3), || {
        ids_are_unique(&Twin::borrowing(Flaw::None), 2);
    });
    holds("generator twin: without a flaw, blocks", Bound::All, || {
        blocks_are_disjoint(&begun(Twin::borrowing(Flaw::None)));
    });
    holds("generator twin: without a flaw, bounded", Bound::Preemptions(3), || {
        the_ceiling_comes_first(&Twin::bounded(Flaw::None));
    });
    holds("generator twin: without a flaw, racing", Bound::All, || {
        let wall = Settable::at(TICK);
        a_race_is_no_trouble(&Twin::strict(Flaw::None, &wall), &wall);
    });
    holds("generator twin: without a flaw, spilling", Bound::All, || {
        let wall = Settable::at(TICK);
        spilling_repeats_nothing(&Twin::spilling(Flaw::None, &wall), &wall);
    });
}

#[cfg(synod_loom)]
#[test]
fn every_flaw_is_found() {
    use synod_interleave::breaks;
    breaks("generator twin: stores", Bound::All, "an id was given twice", || {
        ids_are_unique(&Twin::borrowing(Flaw::Stores), 2);
    });
    breaks("generator twin: keeps its position", Bound::All, "an id was given twice", || {
        ids_are_unique(&Twin::borrowing(Flaw::KeepsItsPosition), 2);
    });
    breaks("block twin: in two steps", Bound::All, "an id was given twice", || {
        blocks_are_disjoint(&begun(Twin::borrowing(Flaw::BlockInTwoSteps)));
    });
    breaks("lane twin: blocks in two steps", Bound::All, "an id was given twice", || {
        // A lane is a block after the other.
        ids_are_unique(&begun(Twin::borrowing(Flaw::BlockInTwoSteps)), 2);
    });
    breaks("generator twin: the ceiling once", Bound::All, "a ceiling that is not durable", || {
        the_ceiling_comes_first(&Twin::bounded(Flaw::CeilingOnce));
    });
    breaks("generator twin: a relaxed ceiling", Bound::All, "a ceiling that is not durable", || {
        the_ceiling_comes_first(&Twin::bounded(Flaw::CeilingRelaxed));
    });
    breaks("generator twin: a late ceiling", Bound::All, "a durable ceiling was lost", || {
        the_ceiling_comes_first(&Twin::bounded(Flaw::CeilingStores));
    });
    breaks("generator twin: believes its reading", Bound::All, "a race was taken for trouble", || {
        let wall = Settable::at(TICK);
        a_race_is_no_trouble(&Twin::strict(Flaw::BelievesItsReading, &wall), &wall);
    });
    breaks("generator twin: tells late", Bound::All, "a race was taken for trouble", || {
        let wall = Settable::at(TICK);
        a_race_is_no_trouble(&Twin::strict(Flaw::TellsLate, &wall), &wall);
    });
    breaks("spill twin: the node apart", Bound::All, "an id was given twice", || {
        let wall = Settable::at(TICK);
        spilling_repeats_nothing(&Twin::spilling(Flaw::NodeApart, &wall), &wall);
    });
}
