//! Version 7 by a random part that grows by random steps.

use core::time::Duration;

use super::Uuid;
use super::error::UuidError;
use super::fields::LAST_MS;
use crate::process::Process;
use crate::random::Random;

/// Bits of `rand_a` and `rand_b` together.
const RANDOM_BITS: u32 = 74;
const RANDOM_MASK: u128 = (1 << RANDOM_BITS) - 1;

/// Gives ids of version 7 by method 2 of section 6.2: within a millisecond the whole random part, 74 bits, grows by a
/// random step of up to 2³². The next id of one that is known is as good as one in 2³². For one thread: a value of 122 bits
/// is no atomic number.
///
/// Each millisecond starts below the half, so that 2⁴¹ of the greatest steps fit. Should they not, ids go on in the next
/// millisecond, ahead of the clock. When the clock is set back, they keep the time of the last. A forked child goes on in
/// the next millisecond as well, so that it does not step where its parent does.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::random::SystemRandom;
/// use synod_idgen::uuid::V7Random;
///
/// let mut ids = V7Random::new();
/// let now = Duration::from_millis(1_645_557_742_000);
/// let (first, second) = (ids.try_next_at(now, &SystemRandom)?, ids.try_next_at(now, &SystemRandom)?);
/// assert!(first < second);
/// # Ok::<(), synod_idgen::uuid::UuidError>(())
/// ```
#[derive(Debug)]
pub struct V7Random {
    /// Milliseconds and the random part, 122 bits.
    last: Option<u128>,
    process: Process,
}

impl Default for V7Random {
    fn default() -> Self {
        Self::new()
    }
}

impl V7Random {
    /// One that has given nothing.
    pub fn new() -> Self {
        Self { last: None, process: Process::current() }
    }

    /// The next id, at a reading of the clock as the time since 1970.
    ///
    /// # Errors
    /// [`UuidError::TimeOverflow`], [`UuidError::Random`].
    pub fn try_next_at(&mut self, now: Duration, random: &impl Random) -> Result<Uuid, UuidError> {
        let wall_ms = now.as_millis();
        if wall_ms > LAST_MS.into() {
            return Err(UuidError::TimeOverflow);
        }
        let is_copy = self.process.is_another();
        let next = match self.last {
            Some(last) if last >> RANDOM_BITS >= wall_ms => {
                let step = u128::from(random.next_u64()? >> 32) + 1;
                let stepped = last + step;
                if stepped >> RANDOM_BITS == last >> RANDOM_BITS && !is_copy {
                    stepped
                } else {
                    first_of((last >> RANDOM_BITS) + 1, random.next_u128()?)
                }
            }
            _ => first_of(wall_ms, random.next_u128()?),
        };
        if next >> RANDOM_BITS > LAST_MS.into() {
            return Err(UuidError::TimeOverflow);
        }
        if is_copy {
            self.process = Process::current();
        }
        self.last = Some(next);
        // Around version and variant.
        let (front, back) = (next >> RANDOM_BITS << 16 | next >> 62 & 0x0fff, next & ((1 << 62) - 1));
        Ok(Uuid::with_version(front << 64 | back, 7))
    }
}

/// The first of a millisecond: random, its first bit zero.
fn first_of(ms: u128, random: u128) -> u128 {
    ms << RANDOM_BITS | random & RANDOM_MASK >> 1
}

#[cfg(all(test, not(synod_loom)))]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn idgen_p15_a_random_part_that_is_used_up_goes_on_ahead_and_comes_back() {
        let random = SeededRandom::new(1);
        let now = Duration::from_millis(1000);
        let mut ids = V7Random { last: Some((1000 << RANDOM_BITS) | RANDOM_MASK), ..V7Random::new() };
        let ahead = ids.try_next_at(now, &random).unwrap();
        assert_eq!((ahead.unix_ms(), ahead.version()), (Some(1001), Some(7)));
        assert_eq!(ids.try_next_at(now, &random).unwrap().unix_ms(), Some(1001));
        let back = ids.try_next_at(Duration::from_millis(1002), &random).unwrap();
        assert_eq!(back.unix_ms(), Some(1002));
        assert!(back > ahead);
    }

    #[test]
    fn idgen_p12_the_end_of_the_field_is_an_error_and_changes_nothing() {
        let random = SeededRandom::new(1);
        let end = Duration::from_millis(LAST_MS);
        let mut ids = V7Random::new();
        let last = ids.try_next_at(end, &random).unwrap();
        let beyond = ids.try_next_at(Duration::from_millis(LAST_MS + 1), &random);
        assert_eq!(beyond, Err(UuidError::TimeOverflow));
        assert!(ids.try_next_at(end, &random).unwrap() > last);
        ids.last = Some((u128::from(LAST_MS) << RANDOM_BITS) | RANDOM_MASK);
        assert_eq!(ids.try_next_at(end, &random), Err(UuidError::TimeOverflow));
        assert_eq!(ids.try_next_at(end, &random), Err(UuidError::TimeOverflow));
    }
}
