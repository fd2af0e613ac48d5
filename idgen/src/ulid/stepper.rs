//! ULIDs by the letter of the specification.

use core::time::Duration;

use super::{LAST_MS, OverflowPolicy, RANDOM_MASK, Ulid, UlidError};
use crate::random::Random;

/// Gives ULIDs whose random part grows by one within a millisecond, for one thread. From an id the next is known: where
/// that matters, take [`UlidGenerator`](super::UlidGenerator).
///
/// The first of each millisecond has a random part whose first bit is zero, so that 2⁷⁹ fit at least. When the clock is set
/// back, ids keep the time of the last.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::random::SystemRandom;
/// use synod_idgen::ulid::{OverflowPolicy, UlidStepper};
///
/// let mut ids = UlidStepper::new(OverflowPolicy::Error);
/// let now = Duration::from_millis(1_469_918_176_385);
/// let first = ids.try_next_at(now, &SystemRandom)?;
/// assert_eq!(ids.try_next_at(now, &SystemRandom)?, first.increment()?);
/// # Ok::<(), synod_idgen::ulid::UlidError>(())
/// ```
#[derive(Clone, Debug)]
pub struct UlidStepper {
    last: Option<Ulid>,
    overflow: OverflowPolicy,
}

impl UlidStepper {
    /// One that has given nothing.
    pub const fn new(overflow: OverflowPolicy) -> Self {
        Self { last: None, overflow }
    }

    /// One that goes on after an id.
    pub const fn after(last: Ulid, overflow: OverflowPolicy) -> Self {
        Self { last: Some(last), overflow }
    }

    /// The next id, at a reading of the clock as the time since 1970.
    ///
    /// # Errors
    /// [`UlidError::TimeOverflow`], [`UlidError::Overflow`], [`UlidError::Random`].
    pub fn try_next_at(&mut self, now: Duration, random: &impl Random) -> Result<Ulid, UlidError> {
        let wall_ms = u64::try_from(now.as_millis()).map_err(|_| UlidError::TimeOverflow)?;
        if wall_ms > LAST_MS {
            return Err(UlidError::TimeOverflow);
        }
        let next = match self.last {
            Some(last) if last.unix_ms() >= wall_ms => match (last.increment(), self.overflow) {
                (Err(UlidError::Overflow), OverflowPolicy::NextMs) => first_of(last.unix_ms() + 1, random)?,
                (next, _) => next?,
            },
            _ => first_of(wall_ms, random)?,
        };
        self.last = Some(next);
        Ok(next)
    }
}

/// The first of a millisecond: random, its first bit zero.
fn first_of(unix_ms: u64, random: &impl Random) -> Result<Ulid, UlidError> {
    Ulid::from_parts(unix_ms, random.next_u128()? & RANDOM_MASK >> 1)
}
