//! Versions 1 and 6 (sections 5.1 and 5.6): no random bits, so that no two ids may share tick, clock sequence and node.
//!
//! ```text
//!  bit 63    59                                                      0
//!   ┌───────┬─────────────────────────────────────────────────────────┐
//!   │ which │ ticks of 100 ns since 1582                              │   the last id given
//!   └───────┴─────────────────────────────────────────────────────────┘
//!
//!  the clock is later             its tick
//!  at most max_lead behind        last tick + 1: ahead of the clock, which is certain to be new (section 6.1)
//!  further behind                 its tick, and the next of sixteen clock sequences (section 5.1)
//! ```
//!
//! A clock sequence and a tick must change together, so both stand in one atomic number: of the sequence four bits, which
//! count from the first of sixteen that belong to this life. The next life, from the same store, has the next sixteen,
//! whatever the clock did meanwhile.

use core::time::Duration;

#[cfg(feature = "std")]
mod state;

#[cfg(feature = "std")]
pub use state::StateError;

use super::Uuid;
use super::error::UuidError;
use super::fields::{LAST_TICK, Node, TIME_BITS, ticks_of};
use crate::process::Process;
use crate::random::{Random, RandomError};
use crate::sync::{AtomicU64, Ordering};
use crate::wall::Wall;

/// Clock sequences of one life.
const SEQUENCES: u16 = 16;
/// Lives until clock sequences come again: 14 bits in sixteens.
const LIVES: u16 = 1 << 10;

/// Options of a [`TimeGenerator`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOptions {
    /// How far ids may be ahead of the clock, because it was set back or because more than ten ids were wanted in a
    /// microsecond, before the next clock sequence is taken. A second by default: small steps back cost none.
    pub max_lead: Duration,
}

impl Default for TimeOptions {
    fn default() -> Self {
        Self { max_lead: Duration::from_secs(1) }
    }
}

/// Gives ids of versions 1 and 6, no two alike, to any number of threads. One atomic number, no lock.
///
/// Where nothing is kept from life to life, [`TimeGenerator::new`] takes a random node and a random clock sequence each
/// time, as section 6.3 asks. `TimeGenerator::restore` keeps both in a store, so that a restart changes the clock sequence
/// and no more.
///
/// In a forked child there is nothing but [`UuidError::Forked`]: node and sequences are the parent's.
#[derive(Debug)]
pub struct TimeGenerator<W> {
    /// Invariant: it only grows.
    last: AtomicU64,
    /// Which sixteen clock sequences, from 0 to 1023.
    life: u16,
    node: Node,
    max_lead: u64,
    process: Process,
    wall: W,
}

impl<W: Wall> TimeGenerator<W> {
    /// With a random node and clock sequence.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn new(wall: W, random: &impl Random, options: TimeOptions) -> Result<Self, RandomError> {
        Self::with_node(wall, Node::random(random)?, random, options)
    }

    /// With a node of the caller's, and a random clock sequence: the first of one of 1024 times sixteen. Two generators that
    /// share a node at a time may meet in it, so a node belongs to one; `restore` keeps lives of one node apart.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn with_node(
        wall: W,
        node: Node,
        random: &impl Random,
        options: TimeOptions,
    ) -> Result<Self, RandomError> {
        Ok(Self::of_life(wall, node, random_life(random)?, options))
    }

    fn of_life(wall: W, node: Node, life: u16, options: TimeOptions) -> Self {
        let max_lead = u64::try_from(options.max_lead.as_nanos() / 100).unwrap_or(LAST_TICK);
        let (last, process) = (AtomicU64::new(0), Process::current());
        Self { last, life, node, max_lead, process, wall }
    }

    /// The next id of version 1.
    ///
    /// # Errors
    /// Any [`UuidError`] but [`UuidError::Random`].
    pub fn try_next_v1(&self) -> Result<Uuid, UuidError> {
        let (ticks, clock_sequence) = self.advance()?;
        Uuid::v1_of(ticks, clock_sequence, self.node)
    }

    /// The next id of version 6.
    ///
    /// # Errors
    /// As [`try_next_v1`](Self::try_next_v1).
    pub fn try_next_v6(&self) -> Result<Uuid, UuidError> {
        let (ticks, clock_sequence) = self.advance()?;
        Uuid::v6_of(ticks, clock_sequence, self.node)
    }

    /// Its node.
    pub fn node(&self) -> Node {
        self.node
    }

    /// The clock sequence of the last id.
    pub fn clock_sequence(&self) -> u16 {
        self.sequence(self.last.load(Ordering::Relaxed))
    }

    fn advance(&self) -> Result<(u64, u16), UuidError> {
        if self.process.is_another() {
            return Err(UuidError::Forked);
        }
        let next = self.advance_at(ticks_of(self.wall.now())?)?;
        Ok((next & LAST_TICK, self.sequence(next)))
    }

    fn advance_at(&self, wall: u64) -> Result<u64, UuidError> {
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = self.after(last, wall)?;
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(next),
                Err(other) => last = other,
            }
        }
    }

    /// The number that follows.
    fn after(&self, last: u64, wall: u64) -> Result<u64, UuidError> {
        let (which, ticks) = (last >> TIME_BITS, last & LAST_TICK);
        let lead = ticks.saturating_sub(wall);
        let (which, ticks) = if wall > ticks {
            (which, wall)
        } else if lead < self.max_lead {
            (which, ticks + 1)
        } else if which + 1 < u64::from(SEQUENCES) {
            (which + 1, wall)
        } else {
            let lead = Duration::from_micros(lead / 10);
            return Err(UuidError::NoClockSequence { lead });
        };
        if ticks > LAST_TICK { Err(UuidError::TimeOverflow) } else { Ok(which << TIME_BITS | ticks) }
    }

    fn sequence(&self, last: u64) -> u16 {
        // Four bits.
        let which = u16::try_from(last >> TIME_BITS).unwrap_or_default();
        self.life * SEQUENCES + which
    }
}

fn random_life(random: &impl Random) -> Result<u16, RandomError> {
    const { assert!(LIVES == 1024, "a mask of ten bits") };
    Ok((random.next_u64()? & 1023) as u16)
}

#[cfg(test)]
#[cfg(feature = "std")]
mod threads;
