//! The Bloom clock: causality among any number of processes in a fixed space, with a probability of being wrong.
//!
//! A counting Bloom filter of all events that are known. An event raises a few cells, chosen by hashing its name. If one
//! event happened before another, its clock is nowhere higher; so what the clock calls concurrent *is* concurrent. The
//! other way it may err: [`compare`](BloomClock::compare) says how probably (Ramabaja, *The Bloom Clock*, 2019).
//!
//! It errs seldom only as long as few of the cells of the clocks compared are raised, by own events or by what was
//! merged. Where an order that is not there does harm, use [`vector`](crate::vector) or [`itc`](crate::itc).
//!
//! ```
//! use synod_clock::bloom::BloomClock;
//! use synod_clock::causality::Causality;
//! use synod_clock::vector::Dot;
//!
//! # fn main() -> Result<(), synod_clock::bloom::CellOverflow> {
//! let mut a = BloomClock::<256, 3>::new();
//! let mut b = BloomClock::new();
//! a.tick(&Dot { id: 1, counter: 1 })?;
//! b.tick(&Dot { id: 2, counter: 1 })?;
//! assert_eq!(a.compare(&b).causality, Causality::Concurrent);
//!
//! b.merge(&a);
//! b.tick(&Dot { id: 2, counter: 2 })?;
//! let verdict = a.compare(&b);
//! assert_eq!(verdict.causality, Causality::Before);
//! assert!(verdict.false_positive < 0.000_1);
//! # Ok(())
//! # }
//! ```

use crate::causality::Causality;
use crate::vector::Dot;

/// A cell counted to its end: a message made it up. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a cell of the Bloom clock is at its end")]
pub struct CellOverflow;

/// A clock of `CELLS` counters, of which each event raises `HASHES` (the same one more than once where hashes agree).
///
/// Clocks of different sizes are different types. All operations are O(`CELLS`), ticks O(`HASHES`); none allocates.
///
/// With the feature `serde`: its number of hashes and its cells. A clock of another size is refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct BloomClock<const CELLS: usize, const HASHES: usize> {
    cells: [u64; CELLS],
}

/// What two Bloom clocks say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    /// Concurrent is certain, the others are not.
    pub causality: Causality,
    /// If the clock that seems earlier (either, of equal ones) knows an event that the other does not, the probability
    /// that they look like this all the same is at most this: that each of the event's hashes falls on one of the
    /// later clock's cells that are raised, `(raised / CELLS)^HASHES`. However many events there are, shared or not,
    /// and whatever was merged; as long as nobody chooses ids whose hashes fit. 0 when there is no doubt: for concurrent
    /// clocks, and for one that knows nothing, which is within every other.
    ///
    /// It is not the probability that this verdict is wrong: that depends on how often concurrent clocks are compared.
    pub false_positive: f64,
}

impl<const CELLS: usize, const HASHES: usize> BloomClock<CELLS, HASHES> {
    /// Nothing has happened.
    pub const fn new() -> Self {
        const { assert!(CELLS > 0 && HASHES > 0, "a Bloom clock has cells and hashes") };
        Self { cells: [0; CELLS] }
    }

    /// Counts an event, which no other has the name of.
    ///
    /// # Errors
    /// [`CellOverflow`].
    pub fn tick(&mut self, event: &Dot<u64>) -> Result<(), CellOverflow> {
        let mut raised = self.cells;
        for place in places::<CELLS>(event).take(HASHES) {
            // Always there: a place is less than `CELLS`.
            if let Some(cell) = raised.get_mut(place) {
                *cell = cell.checked_add(1).ok_or(CellOverflow)?;
            }
        }
        self.cells = raised;
        Ok(())
    }

    /// Learns what another clock knows: the higher of each pair of cells.
    pub fn merge(&mut self, other: &Self) {
        for (cell, other) in self.cells.iter_mut().zip(&other.cells) {
            *cell = (*cell).max(*other);
        }
    }

    /// How this clock stands to another, and how probably that is chance.
    pub fn compare(&self, other: &Self) -> Verdict {
        let (mut here, mut there) = (false, false);
        for (own, other) in self.cells.iter().zip(&other.cells) {
            here |= own > other;
            there |= other > own;
        }
        let causality = Causality::from_inclusion(!here, !there);
        let false_positive = match causality {
            Causality::Concurrent => 0.0,
            Causality::After => self.covers_what_is_unseen_in(other),
            Causality::Equal | Causality::Before => other.covers_what_is_unseen_in(self),
        };
        Verdict { causality, false_positive }
    }

    /// The most that the probability may be that every cell of an event, which this clock does not know and `other` does,
    /// is raised here.
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 cells")]
    fn covers_what_is_unseen_in(&self, other: &Self) -> f64 {
        if other.raised() == 0 {
            return 0.0;
        }
        // The event's cells do not depend on those of the events that are known here.
        power(self.raised() as f64 / CELLS as f64, HASHES)
    }

    /// How many cells some event has raised. Merging hides how many events there were, but not this.
    fn raised(&self) -> usize {
        self.cells.iter().filter(|cell| **cell > 0).count()
    }
}

impl<const CELLS: usize, const HASHES: usize> Default for BloomClock<CELLS, HASHES> {
    fn default() -> Self {
        Self::new()
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Parts {
    hashes: usize,
    cells: alloc::vec::Vec<crate::number::Number<u64>>,
}

#[cfg(feature = "serde")]
impl<const CELLS: usize, const HASHES: usize> From<BloomClock<CELLS, HASHES>> for Parts {
    fn from(clock: BloomClock<CELLS, HASHES>) -> Self {
        Self { hashes: HASHES, cells: clock.cells.into_iter().map(crate::number::Number).collect() }
    }
}

#[cfg(feature = "serde")]
impl<const CELLS: usize, const HASHES: usize> TryFrom<Parts> for BloomClock<CELLS, HASHES> {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, &'static str> {
        if parts.hashes != HASHES || parts.cells.len() != CELLS {
            return Err("a Bloom clock of another size");
        }
        let mut clock = Self::new();
        for (cell, number) in clock.cells.iter_mut().zip(parts.cells) {
            *cell = number.0;
        }
        Ok(clock)
    }
}

/// The cells that an event hashes to, without end. Part of the format: all nodes must agree.
fn places<const CELLS: usize>(event: &Dot<u64>) -> impl Iterator<Item = usize> {
    let mut state = mix(event.id ^ mix(event.counter));
    core::iter::from_fn(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        // The high half of the product: as even as the hash, without a division.
        let place = (u128::from(mix(state)) * (CELLS as u128)) >> u64::BITS;
        usize::try_from(place).ok()
    })
}

/// The finalizer of splitmix64.
const fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// By squaring; the core library has no `powf`.
fn power(mut base: f64, mut exponent: usize) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}
