//! ULIDs by the letter of the specification.

use core::time::Duration;

use super::{LAST_MS, OverflowPolicy, RANDOM_MASK, Ulid, UlidError};
use crate::process::Process;
use crate::random::Random;

/// Gives ULIDs whose random part grows by one within a millisecond, for one thread. From an id the next is known: where
/// that matters, take [`UlidGenerator`](super::UlidGenerator).
///
/// The first of each millisecond has a random part whose first bit is zero, so that 2⁷⁹ fit at least. When the clock is set
/// back, ids keep the time of the last. A forked child does not count on where its parent does: the rest of the
/// millisecond is the parent's, and what follows is as after the greatest of it.
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
#[derive(Debug)]
pub struct UlidStepper {
    last: Option<Ulid>,
    overflow: OverflowPolicy,
    process: Process,
}

impl UlidStepper {
    /// One that has given nothing.
    pub fn new(overflow: OverflowPolicy) -> Self {
        Self { last: None, overflow, process: Process::current() }
    }

    /// One that goes on after an id.
    pub fn after(last: Ulid, overflow: OverflowPolicy) -> Self {
        Self { last: Some(last), ..Self::new(overflow) }
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
        let is_copy = self.process.is_another();
        let next = match self.last {
            Some(last) if last.unix_ms() >= wall_ms => match (last.increment(), self.overflow) {
                (Ok(next), _) if !is_copy => next,
                (_, OverflowPolicy::Error) => return Err(UlidError::Overflow),
                (_, OverflowPolicy::NextMs) => first_of(last.unix_ms() + 1, random)?,
            },
            _ => first_of(wall_ms, random)?,
        };
        if is_copy {
            self.process = Process::current();
        }
        self.last = Some(next);
        Ok(next)
    }
}

/// The first of a millisecond: random, its first bit zero.
fn first_of(unix_ms: u64, random: &impl Random) -> Result<Ulid, UlidError> {
    Ulid::from_parts(unix_ms, random.next_u128()? & RANDOM_MASK >> 1)
}
