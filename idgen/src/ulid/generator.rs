//! ULIDs in order across threads.

use core::time::Duration;

use super::{OverflowPolicy, Ulid, UlidError};
use crate::monotonic::{COUNTER_BITS, Counting, Limits, Refusal, Tick, block};
use crate::random::{Random, RandomError};
use crate::wall::Wall;
#[cfg(feature = "std")]
use crate::{random::SystemRandom, wall::System};

/// Options of a [`UlidGenerator`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UlidOptions {
    /// What follows when a millisecond's counter is used up: after 32 768 to 65 536 ids in one.
    pub overflow: OverflowPolicy,
    /// How far ids may be ahead of the clock, rounded down to milliseconds, before there are none. They come to be ahead
    /// when the clock is set back, and by [`OverflowPolicy::NextMs`]; a block counts as a whole. Unlimited by default: an
    /// order that holds is worth more than a time that is right, and [`UlidGenerator::lead`] tells.
    pub max_lead: Duration,
}

impl Default for UlidOptions {
    fn default() -> Self {
        Self { overflow: OverflowPolicy::NextMs, max_lead: Duration::MAX }
    }
}

/// Gives ULIDs, each greater than all it gave before, to any number of threads. One atomic number, no lock.
///
/// The first 16 bits of the random part count up, from a random start below the half in each millisecond, and the other 64
/// are random in each id. Once the clock is in a later millisecond than the last id, ids have its time again, whatever was
/// before.
///
/// A forked child goes on with the parent's counter, and with random bits of its own: 64 for each id.
#[derive(Debug)]
pub struct UlidGenerator<
    #[cfg(feature = "std")] W = System,
    #[cfg(feature = "std")] R = SystemRandom,
    #[cfg(not(feature = "std"))] W,
    #[cfg(not(feature = "std"))] R,
> {
    counting: Counting<W, R>,
    max_lead: Duration,
}

#[cfg(feature = "std")]
impl UlidGenerator<System, SystemRandom> {
    /// Of the system's clock and random bits, with the default options.
    pub fn new() -> Self {
        Self::with(System, SystemRandom, UlidOptions::default())
    }
}

#[cfg(feature = "std")]
impl Default for UlidGenerator<System, SystemRandom> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wall, R: Random> UlidGenerator<W, R> {
    /// Of any clock and random bits.
    pub fn with(wall: W, random: R, options: UlidOptions) -> Self {
        let UlidOptions { overflow, max_lead } = options;
        let limits = Limits::new(max_lead, overflow == OverflowPolicy::NextMs);
        Self { counting: Counting::new(wall, random, limits), max_lead }
    }

    /// The next id.
    ///
    /// # Errors
    /// [`UlidError::TimeOverflow`], [`UlidError::Overflow`], [`UlidError::Ahead`], [`UlidError::Random`].
    #[inline]
    pub fn try_next(&self) -> Result<Ulid, UlidError> {
        let drawn = self.counting.draw(self.tick());
        drawn.map(|(position, random)| id_of(position, random)).map_err(|refusal| self.error(refusal))
    }

    /// The next ids, in one atomic operation: between them stands no other of this generator. They may reach into the
    /// next millisecond, also where the policy is [`OverflowPolicy::Error`].
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn reserve(&self, count: u16) -> Result<UlidBlock<'_, R>, UlidError> {
        let drawn = self.counting.reserve(self.tick(), count);
        drawn.map(UlidBlock).map_err(|refusal| self.error(refusal))
    }

    /// How far the ids given are ahead of the clock, zero when they are not.
    ///
    /// # Errors
    /// [`UlidError::TimeOverflow`].
    pub fn lead(&self) -> Result<Duration, UlidError> {
        Ok(self.counting.lead(self.tick().ok_or(UlidError::TimeOverflow)?))
    }

    /// From now on ids are greater than this one: the greatest of an earlier life, say, whose clock may have been ahead.
    /// False, and nothing changes, when it is further ahead of the clock than [`max_lead`](UlidOptions::max_lead).
    ///
    /// Ids follow it as far as it says: where `max_lead` is unlimited, [`Ulid::MAX`] leaves no id to give. Set one before
    /// ids that others made are told.
    #[must_use = "ids may be smaller than this one"]
    pub fn raise_above(&self, id: Ulid) -> bool {
        self.counting.raise(self.tick(), position_of(id))
    }

    #[inline]
    fn tick(&self) -> Option<Tick> {
        Tick::of_ms(self.counting.now())
    }

    #[cold]
    fn error(&self, refusal: Refusal<RandomError>) -> UlidError {
        match refusal {
            Refusal::End => UlidError::TimeOverflow,
            Refusal::Full => UlidError::Overflow,
            Refusal::Ahead(lead) => UlidError::Ahead { lead, most: self.max_lead },
            Refusal::Seed(error) => UlidError::Random(error),
        }
    }
}

block!(UlidBlock, Ulid, id_of);

/// Milliseconds and counter are the position; the rest is random.
#[inline]
fn id_of(position: u64, random: u64) -> Ulid {
    Ulid::from_u128(u128::from(position) << 64 | u128::from(random))
}

fn position_of(id: Ulid) -> u64 {
    let counter = u64::try_from(id.random() >> 64).unwrap_or_default();
    id.unix_ms() << COUNTER_BITS | counter
}
