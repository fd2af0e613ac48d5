//! Universally unique lexicographically sortable identifiers (<https://github.com/ulid/spec>).
//!
//! ```text
//!  01ARZ3NDEK TSV4RRFFQ69G5FAV      26 symbols of Crockford's base 32
//!  48 bits    80 bits
//!  time, ms   random                sorts by time, as text and as bytes
//! ```
//!
//! ```
//! use synod_idgen::ulid::{Ulid, UlidGenerator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let id: Ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse()?;
//! assert_eq!((id.unix_ms(), id.random()), (1_469_922_850_259, 0xd676_4c61_efb9_9302_bd5b));
//!
//! let ids = UlidGenerator::new(); // threads share it
//! assert!(ids.try_next()? < ids.try_next()?);
//!
//! // Decoding is strict: what needs more than 128 bits is refused, not cut off.
//! assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<Ulid>().is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Two generators keep ids of one millisecond in order. [`UlidStepper`] does it to the letter of the specification: the
//! random part plus one. It is a value of one thread, since 128 bits are no atomic number. [`UlidGenerator`] serves any
//! number of threads without a lock and keeps what the letter is for, that every id is greater than all before: the first
//! 16 of the 80 bits count, from a random start, and 64 are random in each id. So nobody guesses the next id from one.

mod generator;
mod stepper;

pub use generator::{UlidBlock, UlidGenerator, UlidOptions};
pub use stepper::UlidStepper;

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::codec::{CodecError, Text, crockford};
use crate::random::{Random, RandomError};
use crate::uuid::Uuid;

pub(crate) const RANDOM_BITS: u32 = 80;
const RANDOM_MASK: u128 = (1 << RANDOM_BITS) - 1;
const LAST_MS: u64 = (1 << 48) - 1;

/// Why there is no id. Nothing was given and nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UlidError {
    /// The clock reads a time that 48 bits of milliseconds cannot hold: they end in the year 10889. Or ids were taken
    /// ahead of the clock up to that end. The clock's fault.
    #[error("the time does not fit 48 bits of milliseconds")]
    TimeOverflow,
    /// There is no greater id in this millisecond, and [`OverflowPolicy::Error`] was asked for. Passes with the
    /// millisecond.
    #[error("this millisecond has no greater id")]
    Overflow,
    /// The ids given are further ahead of the clock than is allowed. Passes as the clock catches up.
    #[error("ids are {lead:?} ahead of the clock; at most {most:?} is allowed")]
    Ahead {
        /// By how much.
        lead: Duration,
        /// [`UlidOptions::max_lead`].
        most: Duration,
    },
    /// The random part was to have more than 80 bits. The caller's.
    #[error("the random part has 80 bits")]
    RandomOverflow,
    /// The source of random bits failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// What follows the greatest id of a millisecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OverflowPolicy {
    /// The first id of the next millisecond, ahead of the clock.
    #[default]
    NextMs,
    /// [`UlidError::Overflow`] until the millisecond is over, as the specification says.
    Error,
}

/// 48 bits of milliseconds and 80 random ones. Sorts as its bytes and its text do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ulid(u128);

impl Ulid {
    /// The least.
    pub const NIL: Self = Self(0);
    /// The greatest.
    pub const MAX: Self = Self(u128::MAX);

    /// Of its parts: milliseconds since 1970, of which there are 48 bits, and 80 bits.
    ///
    /// # Errors
    /// [`UlidError::TimeOverflow`], [`UlidError::RandomOverflow`].
    pub const fn from_parts(unix_ms: u64, random: u128) -> Result<Self, UlidError> {
        if unix_ms > LAST_MS {
            return Err(UlidError::TimeOverflow);
        }
        if random > RANDOM_MASK {
            return Err(UlidError::RandomOverflow);
        }
        Ok(Self((unix_ms as u128) << RANDOM_BITS | random))
    }

    /// A random one at a time since 1970, in no order with others of its millisecond.
    ///
    /// # Errors
    /// [`UlidError::TimeOverflow`], [`UlidError::Random`].
    pub fn random_at(time: Duration, random: &impl Random) -> Result<Self, UlidError> {
        let unix_ms = u64::try_from(time.as_millis()).map_err(|_| UlidError::TimeOverflow)?;
        Self::from_parts(unix_ms, random.next_u128()? & RANDOM_MASK)
    }

    /// The random part plus one: the next of its millisecond, by the specification.
    ///
    /// # Errors
    /// [`UlidError::Overflow`] after the greatest.
    pub const fn increment(self) -> Result<Self, UlidError> {
        if self.random() == RANDOM_MASK { Err(UlidError::Overflow) } else { Ok(Self(self.0 + 1)) }
    }

    /// Milliseconds since 1970.
    pub const fn unix_ms(self) -> u64 {
        (self.0 >> RANDOM_BITS) as u64
    }

    /// The time since 1970.
    pub const fn time(self) -> Duration {
        Duration::from_millis(self.unix_ms())
    }

    /// 80 bits.
    pub const fn random(self) -> u128 {
        self.0 & RANDOM_MASK
    }

    /// 26 symbols.
    #[inline]
    pub fn encode(self) -> Text<26> {
        crockford::encode_u128(self.0)
    }

    /// Reads 26 symbols, in either case. Letters that look like digits are refused; see
    /// [`decode_with_aliases`](Self::decode_with_aliases).
    ///
    /// # Errors
    /// Any [`CodecError`]; [`CodecError::Overflow`] above `7ZZZZZZZZZZZZZZZZZZZZZZZZZ`.
    #[inline]
    pub fn decode(text: &str) -> Result<Self, CodecError> {
        crockford::decode_u128(text).map(Self)
    }

    /// As [`decode`](Self::decode), but `I` and `L` may stand for 1 and `O` for 0: for what people type.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn decode_with_aliases(text: &str) -> Result<Self, CodecError> {
        crockford::decode_u128_with_aliases(text).map(Self)
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.encode(), f)
    }
}

impl fmt::Debug for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ulid({self})")
    }
}

/// As [`Ulid::decode`].
impl FromStr for Ulid {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        Self::decode(text)
    }
}

/// The same 128 bits, of no version but by accident.
impl From<Ulid> for Uuid {
    fn from(id: Ulid) -> Self {
        Self::from_u128(id.0)
    }
}

impl From<Uuid> for Ulid {
    fn from(id: Uuid) -> Self {
        Self(id.as_u128())
    }
}

crate::bits::bits!(Ulid);
#[cfg(feature = "serde")]
crate::binary::text_or_bytes!(Ulid, "a ULID");
