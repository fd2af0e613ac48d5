//! The Bloom clock: causality among any number of processes in a fixed space, with a probability of being wrong.
//!
//! A counting Bloom filter of all events that are known. An event raises a few cells, chosen by hashing its name. If one
//! event happened before another, its clock is nowhere higher; so what the clock calls concurrent *is* concurrent. The
//! other way it may err: [`compare`](BloomClock::compare) says how probably (Ramabaja, *The Bloom Clock*, 2019).
//!
//! It errs seldom only as long as the clocks compared hold few events beside the number of cells. Where an order that is
//! not there does harm, use [`vector`](crate::vector) or [`itc`](crate::itc).
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
    /// An upper bound of the probability that clocks of so many events, which have nothing to do with each other, look
    /// like this; 0 for concurrent ones.
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
            Causality::After => chance::<CELLS>(other.total(), self.total()),
            Causality::Equal | Causality::Before => chance::<CELLS>(self.total(), other.total()),
        };
        Verdict { causality, false_positive }
    }

    /// All cells together: `HASHES` for every event that only one of the merged clocks knew, fewer for others.
    fn total(&self) -> u64 {
        self.cells.iter().fold(0, |total, cell| total.saturating_add(*cell))
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

/// `(1 - (1 - 1/m)^large)^small`: every one of `small` hits a cell that one of `large` hit. An upper bound, since cells
/// must not only be hit but be hit as often.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 cells")]
fn chance<const CELLS: usize>(small: u64, large: u64) -> f64 {
    let missed_once = 1.0 - 1.0 / CELLS as f64;
    power(1.0 - power(missed_once, large), small)
}

/// By squaring; the core library has no `powf`.
fn power(mut base: f64, mut exponent: u64) -> f64 {
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
