//! Milliseconds and a counter in one atomic number, for ids that sort across threads: UUID version 7 and ULID.
//!
//! ```text
//!  bit 63                                            15              0
//!   ┌───────────────────────────────────────────────┬────────────────┐
//!   │ milliseconds since 1970, 48 bits              │ counter        │    a position; it only ever grows
//!   └───────────────────────────────────────────────┴────────────────┘
//!
//!  the wall is in a later tick    position = its tick, and a random counter whose first bit is 0
//!  it is not                      position + 1; a carry out of the counter is the next millisecond
//! ```
//!
//! The counter starts below its half, so that at least 32 768 ids fit a millisecond, and what one generator counts says
//! little of how many it made. A wall that went back, or stands still, changes nothing but the lead: ids stay in order,
//! ahead of the wall, which is followed again once it is in a later tick. No reading of the wall takes a position back.
//!
//! Uniqueness within a generator is that of positions, and a compare-and-swap gives each to one caller; nothing else is
//! published, so `Relaxed` is enough.

use core::time::Duration;

use crate::random::{Random, RandomError};
use crate::sync::{AtomicU64, Ordering};
use crate::wall::Wall;

pub(crate) const COUNTER_BITS: u32 = 16;
pub(crate) const LAST_MS: u64 = u64::MAX >> COUNTER_BITS;

/// Why no position was given. None was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal<E> {
    /// Time does not fit 48 bits.
    End,
    /// The positions would be this far ahead of the wall.
    Ahead(Duration),
    /// The counter of this tick is used up.
    Full,
    /// There is no random counter to start from.
    Seed(E),
}

/// A reading of the wall as a position whose counter is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tick {
    pub(crate) position: u64,
    /// Bits of the position that count within the tick.
    pub(crate) counter_bits: u32,
}

impl Tick {
    /// The whole of 16 bits counts.
    #[inline]
    pub(crate) fn of_ms(time: Duration) -> Option<Self> {
        let position = unix_ms(time)? << COUNTER_BITS;
        Some(Self { position, counter_bits: COUNTER_BITS })
    }

    /// 12 of them tell the time more precisely, to 244 ns, and 4 count.
    #[inline]
    pub(crate) fn of_fraction(time: Duration) -> Option<Self> {
        let below_ms = u64::from(time.subsec_nanos() % 1_000_000);
        let fraction = below_ms * 4096 / 1_000_000;
        Some(Self { position: unix_ms(time)? << COUNTER_BITS | fraction << 4, counter_bits: 4 })
    }

    /// The last position of this tick.
    #[inline]
    fn end(self) -> u64 {
        self.position | self.counter_mask()
    }

    /// By how many positions one is ahead of this tick's last.
    #[inline]
    fn lead_of(self, position: u64) -> u64 {
        position.saturating_sub(self.end())
    }

    #[inline]
    fn counter_mask(self) -> u64 {
        (1 << self.counter_bits) - 1
    }
}

#[inline]
fn unix_ms(time: Duration) -> Option<u64> {
    let ms = time.as_secs().checked_mul(1000)?.checked_add(time.subsec_millis().into())?;
    (ms <= LAST_MS).then_some(ms)
}

/// What is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// Positions ahead of the wall's tick.
    pub(crate) lead: u64,
    /// Whether a counter that is used up goes on in the next tick.
    pub(crate) carries: bool,
}

impl Limits {
    pub(crate) fn new(most: Duration, carries: bool) -> Self {
        let ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Self { lead: ms.saturating_mul(1 << COUNTER_BITS), carries }
    }
}

/// The last position given.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Last(AtomicU64);

impl Last {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn position(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Positions given from now on are greater than this one.
    pub(crate) fn raise(&self, position: u64) {
        self.0.fetch_max(position, Ordering::Relaxed);
    }

    /// Takes `count` positions, one at least, and gives the first.
    #[inline]
    pub(crate) fn advance<E>(
        &self,
        wall: Tick,
        count: u64,
        limits: Limits,
        mut seed: impl FnMut() -> Result<u64, E>,
    ) -> Result<u64, Refusal<E>> {
        let mut last = self.position();
        let mut fresh = None;
        loop {
            let first = if wall.position > last | wall.counter_mask() {
                // A seed that lost its race to another thread will do as well.
                match fresh {
                    Some(first) => first,
                    None => *fresh.insert(first_of(wall, seed().map_err(Refusal::Seed)?)),
                }
            } else if last & wall.counter_mask() == wall.counter_mask() && !limits.carries {
                return Err(Refusal::Full);
            } else {
                last.checked_add(1).ok_or(Refusal::End)?
            };
            let end = first.checked_add(count - 1).ok_or(Refusal::End)?;
            let lead = wall.lead_of(end);
            if lead > limits.lead {
                return Err(Refusal::Ahead(duration(lead)));
            }
            match self.0.compare_exchange_weak(last, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(first),
                Err(other) => last = other,
            }
        }
    }
}

/// The tick and a counter below its half.
#[inline]
fn first_of(wall: Tick, random: u64) -> u64 {
    wall.position | random & wall.counter_mask() >> 1
}

/// Of a difference of positions, rounded up.
fn duration(positions: u64) -> Duration {
    Duration::from_millis(positions.div_ceil(1 << COUNTER_BITS))
}

/// What a generator of either kind of id is made of.
#[derive(Debug)]
pub(crate) struct Counting<W, R> {
    last: Last,
    limits: Limits,
    wall: W,
    random: R,
}

impl<W: Wall, R: Random> Counting<W, R> {
    pub(crate) fn new(wall: W, random: R, limits: Limits) -> Self {
        Self { last: Last::new(), limits, wall, random }
    }

    /// How far what was given is ahead of the wall.
    pub(crate) fn lead(&self, wall: Tick) -> Duration {
        duration(wall.lead_of(self.last.position()))
    }

    /// Positions given from now on are greater than this one, unless it is further ahead of the wall than is allowed;
    /// whether it is not.
    pub(crate) fn raise(&self, wall: Option<Tick>, position: u64) -> bool {
        let is_near = wall.is_some_and(|wall| wall.lead_of(position) <= self.limits.lead);
        if is_near {
            self.last.raise(position);
        }
        is_near
    }

    pub(crate) fn now(&self) -> Duration {
        self.wall.now()
    }

    /// A position, and 64 random bits to go with it.
    #[inline]
    pub(crate) fn draw(&self, tick: Option<Tick>) -> Result<(u64, u64), Refusal<RandomError>> {
        // First the bits: a position is not taken in vain.
        let random = self.random.next_u64().map_err(Refusal::Seed)?;
        Ok((self.advance(tick, 1)?, random))
    }

    pub(crate) fn reserve(
        &self,
        tick: Option<Tick>,
        count: u16,
    ) -> Result<Drawn<'_, R>, Refusal<RandomError>> {
        let next = if count == 0 { 0 } else { self.advance(tick, count.into())? };
        Ok(Drawn { next, left: count, random: &self.random })
    }

    #[inline]
    fn advance(&self, tick: Option<Tick>, count: u64) -> Result<u64, Refusal<RandomError>> {
        let tick = tick.ok_or(Refusal::End)?;
        self.last.advance(tick, count, self.limits, || self.random.next_u64())
    }
}

/// Positions that were reserved together, each with random bits.
#[derive(Debug)]
pub(crate) struct Drawn<'a, R> {
    next: u64,
    left: u16,
    random: &'a R,
}

impl<R> Drawn<'_, R> {
    pub(crate) fn left(&self) -> usize {
        self.left.into()
    }
}

impl<R: Random> Iterator for Drawn<'_, R> {
    type Item = Result<(u64, u64), RandomError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let left = self.left.checked_sub(1)?;
        let position = self.next;
        // What has no random bits is a gap: a block ends, however its source fails.
        (self.left, self.next) = (left, position.wrapping_add(1));
        Some(self.random.next_u64().map(|random| (position, random)))
    }
}

/// The iterator of a block, around a [`Drawn`].
macro_rules! block {
    ($block:ident, $id:ty, $id_of:path) => {
        /// Ids that were reserved together. Those that are not taken are a gap in the counter, no more, and so is one
        /// whose random bits the source failed to give.
        #[derive(Debug)]
        pub struct $block<'a, R>($crate::monotonic::Drawn<'a, R>);

        impl<R: Random> Iterator for $block<'_, R> {
            type Item = Result<$id, RandomError>;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|drawn| drawn.map(|(position, random)| $id_of(position, random)))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.0.left(), Some(self.0.left()))
            }
        }

        impl<R: Random> ExactSizeIterator for $block<'_, R> {}
    };
}
pub(crate) use block;

#[cfg(test)]
#[cfg(feature = "std")]
mod threads;
