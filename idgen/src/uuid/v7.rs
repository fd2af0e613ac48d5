//! Version 7 (section 5.7), in order across threads.

use core::time::Duration;

use super::Uuid;
use super::error::UuidError;
use crate::monotonic::{COUNTER_BITS, Counting, Limits, Refusal, Tick, block};
use crate::random::{Random, RandomError};
use crate::wall::Wall;
#[cfg(feature = "std")]
use crate::{random::SystemRandom, wall::System};

/// How ids of one tick are kept in order (section 6.2). The third method of the section, a random part that grows by
/// random steps, needs more than one atomic number: [`V7Random`](super::V7Random).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum V7Method {
    /// Method 1, a counter of fixed length: 16 bits, `rand_a` and the first four of `rand_b`, started at random below the
    /// half in each millisecond. 58 bits of each id are random.
    #[default]
    Counter,
    /// Method 3, more precise time in place of the left-most random bits: `rand_a` is the fraction of the millisecond in
    /// units of 244 ns, and the first four bits of `rand_b` count within it. 58 bits of each id are random. Wants a clock
    /// that tells such fractions.
    Precision,
}

/// Options of a [`V7Generator`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct V7Options {
    /// How ids of one tick are kept in order.
    pub method: V7Method,
    /// How far ids may be ahead of the clock, rounded down to milliseconds, before there are none. They come to be ahead
    /// when the clock is set back, and when a tick's counter is used up; a block counts as a whole. Unlimited by default:
    /// an order that holds is worth more than a time that is right, and [`V7Generator::lead`] tells.
    pub max_lead: Duration,
}

impl Default for V7Options {
    fn default() -> Self {
        Self { method: V7Method::Counter, max_lead: Duration::MAX }
    }
}

/// Gives ids of version 7, each greater than all it gave before, to any number of threads. One atomic number, no lock.
///
/// * *give*: [`try_next`](Self::try_next), [`reserve`](Self::reserve);
/// * *ask*: [`lead`](Self::lead); *tell*: [`raise_above`](Self::raise_above).
///
/// At least 32 768 ids fit a millisecond, by [`V7Method::Precision`] eight a unit of 244 ns. What is more goes into the
/// next, ahead of the clock; as soon as the clock is in a later millisecond or unit than the last id, ids have its time
/// again. The same when the clock is set back.
///
/// A forked child goes on with the parent's counter, and with random bits of its own: 58 for each id.
#[derive(Debug)]
pub struct V7Generator<
    #[cfg(feature = "std")] W = System,
    #[cfg(feature = "std")] R = SystemRandom,
    #[cfg(not(feature = "std"))] W,
    #[cfg(not(feature = "std"))] R,
> {
    counting: Counting<W, R>,
    options: V7Options,
}

#[cfg(feature = "std")]
impl V7Generator<System, SystemRandom> {
    /// Of the system's clock and random bits, with the default options.
    pub fn new() -> Self {
        Self::with(System, SystemRandom, V7Options::default())
    }
}

#[cfg(feature = "std")]
impl Default for V7Generator<System, SystemRandom> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wall, R: Random> V7Generator<W, R> {
    /// Of any clock and random bits.
    pub fn with(wall: W, random: R, options: V7Options) -> Self {
        let limits = Limits::new(options.max_lead, true);
        Self { counting: Counting::new(wall, random, limits), options }
    }

    /// The next id.
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`], [`UuidError::Ahead`], [`UuidError::Random`].
    #[inline]
    pub fn try_next(&self) -> Result<Uuid, UuidError> {
        let drawn = self.counting.draw(self.tick());
        drawn.map(|(position, random)| id_of(position, random)).map_err(|refusal| self.error(refusal))
    }

    /// The next ids, in one atomic operation: between them stands no other of this generator.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    ///
    /// ```
    /// use synod_idgen::uuid::V7Generator;
    ///
    /// let rows = V7Generator::new().reserve(1000)?.collect::<Result<Vec<_>, _>>()?;
    /// assert!(rows.len() == 1000 && rows.is_sorted());
    /// # Ok::<(), synod_idgen::uuid::UuidError>(())
    /// ```
    pub fn reserve(&self, count: u16) -> Result<V7Block<'_, R>, UuidError> {
        let drawn = self.counting.reserve(self.tick(), count);
        drawn.map(V7Block).map_err(|refusal| self.error(refusal))
    }

    /// How far the ids given are ahead of the clock, zero when they are not.
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`].
    pub fn lead(&self) -> Result<Duration, UuidError> {
        Ok(self.counting.lead(self.tick().ok_or(UuidError::TimeOverflow)?))
    }

    /// From now on ids are greater than this one: the greatest of an earlier life, say, whose clock may have been ahead.
    /// False, and nothing changes, when it is not of version 7, or further ahead of the clock than
    /// [`max_lead`](V7Options::max_lead).
    ///
    /// Ids follow it as far as it says: where `max_lead` is unlimited, one of the year 10889 leaves no id to give. Set one
    /// before ids that others made are told.
    #[must_use = "ids may be smaller than this one"]
    pub fn raise_above(&self, id: Uuid) -> bool {
        position_of(id).is_some_and(|position| self.counting.raise(self.tick(), position))
    }

    #[inline]
    fn tick(&self) -> Option<Tick> {
        let time = self.counting.now();
        match self.options.method {
            V7Method::Counter => Tick::of_ms(time),
            V7Method::Precision => Tick::of_fraction(time),
        }
    }

    #[cold]
    fn error(&self, refusal: Refusal<RandomError>) -> UuidError {
        match refusal {
            // A counter that carries is never full.
            Refusal::End | Refusal::Full => UuidError::TimeOverflow,
            Refusal::Ahead(lead) => UuidError::Ahead { lead, most: self.options.max_lead },
            Refusal::Seed(error) => UuidError::Random(error),
        }
    }
}

block!(V7Block, Uuid, id_of);

/// `unix_ts_ms`, `rand_a` and four bits of `rand_b` are the position; the rest of `rand_b` is random.
#[inline]
fn id_of(position: u64, random: u64) -> Uuid {
    let front = position >> COUNTER_BITS << 16 | position >> 4 & 0x0fff;
    let back = (position & 0xf) << 58 | random >> 6;
    Uuid::with_version(u128::from(front) << 64 | u128::from(back), 7)
}

fn position_of(id: Uuid) -> Option<u64> {
    let bits = id.as_u128();
    let counter = (bits >> 64 & 0x0fff) << 4 | bits >> 58 & 0xf;
    Some(id.unix_ms()? << COUNTER_BITS | u64::try_from(counter).ok()?)
}

#[cfg(all(test, not(synod_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn idgen_p14_no_position_touches_version_and_variant(position: u64, random: u64) {
            let id = id_of(position, random);
            prop_assert_eq!((id.version(), id.variant()), (Some(7), crate::uuid::Variant::Rfc));
            prop_assert_eq!(position_of(id), Some(position));
            prop_assert_eq!(id.unix_ms(), Some(position >> 16));
            prop_assert_eq!(id.as_u128() & u128::from(u64::MAX >> 6), u128::from(random >> 6));
            // Whatever the random bits, the next position's id is greater.
            if let Some(next) = position.checked_add(1) {
                prop_assert!(id_of(position, u64::MAX) < id_of(next, 0));
            }
        }
    }
}
