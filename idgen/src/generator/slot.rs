//! The positions of one node: the algorithm.
//!
//! ```text
//!                         given, for ever │ free
//!  position  ────────────────────────────▶ next ────────────▶ ceiling
//!  tick                            seen ─┘                        readings raise both, nothing lowers them
//! ```
//!
//! A call with the wall at tick `r` takes the positions from `max(next, first of r)` on, by one compare-and-swap of `next`.
//! Each position is given by the swap that passed it, so no two calls have one. All else is policy: the last position
//! taken lies in a tick after `r` because the wall went back (`r < seen`) or because ticks were used up (`r ≥ seen`).
//!
//! Orderings. Relaxed would do for uniqueness: it hangs on the order of changes of `next` alone. `seen` is raised before
//! `next`, and `next` is released and acquired, so that who finds `next` ahead of its reading because another thread's was
//! later also finds that reading: else it would take the race for an exhausted tick. The short way raises no `seen` and is
//! relaxed: as a read-modify-write it passes on what the swap before it released. The ceiling is acquired: who sees it
//! raised sees that it was made durable.

use super::policy::{Backward, Exhausted, Options, Start};
use crate::layout::{Fields, Layout, Position};
use crate::node::NodeId;
use crate::sync::{AtomicU64, Ordering};

/// One node's positions. A cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot<L: Layout> {
    /// The lowest position that was never given. Invariant: it only grows, up to [`Position::END`].
    pub(super) next: AtomicU64,
    /// The latest tick of a wall reading. Invariant: it only grows.
    pub(super) seen: AtomicU64,
    pub(super) node: NodeId<L>,
}

/// The options in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) backward: BackwardTicks,
    /// How far the last position may lead the reading when the wall did not step back. Invariant: less than all ticks of
    /// the layout, so that no difference the wrong way round looks like a lead.
    pub(super) lead: u64,
    pub(super) refuses_exhausted: bool,
    pub(super) start: Start,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BackwardTicks {
    Error,
    Wait(u64),
    Borrow(u64),
    Spill,
}

/// Why no position was taken, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// The wall is `by` behind its latest reading. May be a reading that is late, by the clock of another thread. What the
    /// policy bears is to be waited for until the tick.
    Backward { by: u64, until: Option<u64> },
    /// Ticks are used up; more come with the tick, if the policy waits.
    Exhausted { until: Option<u64> },
    /// The ceiling, which may be raised meanwhile.
    Ceiling,
    /// The end of the layout.
    End,
}

impl Limits {
    pub(super) fn new<L: Layout>(options: &Options) -> Self {
        Self {
            backward: match options.backward {
                Backward::Error => BackwardTicks::Error,
                Backward::Wait(most) => BackwardTicks::Wait(L::ticks_in(most)),
                Backward::Borrow(most) => BackwardTicks::Borrow(L::ticks_in(most)),
                Backward::Spill => BackwardTicks::Spill,
            },
            lead: match options.exhausted {
                Exhausted::Borrow(most) => L::ticks_in(most).min(L::END_TICK - 1),
                Exhausted::Wait | Exhausted::Error => 0,
            },
            refuses_exhausted: options.exhausted == Exhausted::Error,
            start: options.start,
        }
    }

    /// Whether a last position `ahead` ticks after the reading may be taken.
    fn judge(&self, reading: u64, seen: u64, ahead: u64) -> Result<(), Refusal> {
        let by = seen.saturating_sub(reading);
        if by == 0 {
            if ahead <= self.lead {
                return Ok(());
            }
            let until = (!self.refuses_exhausted).then(|| reading.saturating_add(ahead - self.lead));
            return Err(Refusal::Exhausted { until });
        }
        match self.backward {
            BackwardTicks::Borrow(most) if ahead <= most => Ok(()),
            BackwardTicks::Borrow(most) if by <= most => {
                Err(Refusal::Backward { by, until: Some(reading.saturating_add(ahead - most)) })
            }
            BackwardTicks::Wait(most) if by <= most => Err(Refusal::Backward { by, until: Some(seen) }),
            _ => Err(Refusal::Backward { by, until: None }),
        }
    }
}

impl<L: Layout> Slot<L> {
    /// A node whose ids were all below `from`.
    pub(super) fn new(node: NodeId<L>, from: Position<L>) -> Self {
        let last = from.as_u64().saturating_sub(1) >> L::SEQUENCE_BITS;
        Self { next: AtomicU64::new(from.as_u64()), seen: AtomicU64::new(last), node }
    }

    /// All given positions are below it.
    pub(super) fn mark(&self) -> Position<L> {
        Position::known(self.next.load(Ordering::Relaxed))
    }

    /// The short way, to be inlined: one try, of one position, in a tick in which the wall was read before.
    #[inline]
    pub(super) fn take_one(&self, reading: u64, limits: &Limits, ceiling: &AtomicU64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let ahead = (next >> L::SEQUENCE_BITS).wrapping_sub(reading);
        let is_plain = ahead <= limits.lead
            && reading == self.seen.load(Ordering::Relaxed)
            && next < ceiling.load(Ordering::Acquire);
        (is_plain && self.next.compare_exchange(next, next + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok())
            .then_some(next)
    }

    /// Takes `count` positions in a row, at least one, and gives the first. `reading` is a tick before the layout's end.
    pub(super) fn take(
        &self,
        count: u64,
        reading: u64,
        limits: &Limits,
        ceiling: &AtomicU64,
    ) -> Result<u64, Refusal> {
        let mut next = self.next.load(Ordering::Acquire);
        loop {
            let first = first::<L>(next, reading, count, limits.start);
            // No ceiling is above the greatest number, where a sum that is greater stays.
            let last = first.saturating_add(count - 1);
            let ceiling = ceiling.load(Ordering::Acquire);
            if last >= ceiling {
                return Err(if ceiling == L::END { Refusal::End } else { Refusal::Ceiling });
            }
            let ahead = (last >> L::SEQUENCE_BITS).saturating_sub(reading);
            let seen = self.seen.load(Ordering::Relaxed);
            if ahead > 0 {
                limits.judge(reading, seen, ahead)?;
            }
            if seen < reading {
                self.seen.fetch_max(reading, Ordering::Relaxed);
            }
            match self.next.compare_exchange_weak(next, last + 1, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return Ok(first),
                Err(seen) => next = seen,
            }
        }
    }
}

/// The first position to take: the next one, or the start of the reading's tick if that is later. A block starts at zero.
fn first<L: Layout>(next: u64, reading: u64, count: u64, start: Start) -> u64 {
    if next >> L::SEQUENCE_BITS >= reading {
        return next;
    }
    let sequence = if count == 1 { start.of(reading, next, L::SEQUENCE_MASK) } else { 0 };
    reading << L::SEQUENCE_BITS | sequence
}
