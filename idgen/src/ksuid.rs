//! K-sortable unique identifiers (<https://github.com/segmentio/ksuid>).
//!
//! ```text
//!  0ujtsYcgvSTl8PAuAdqWYSMnLOv      27 symbols of base 62
//!  32 bits         128 bits
//!  time, seconds   payload          sorts by time, as text and as bytes
//! ```
//!
//! Seconds count from 2014-05-13 16:53:20 UTC and end in 2150. Within a second there is no order: where that matters, take
//! UUID version 7 or ULID.
//!
//! ```
//! use synod_idgen::ksuid::Ksuid;
//! use synod_idgen::{random::SystemRandom, wall::System};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let id: Ksuid = "0ujtsYcgvSTl8PAuAdqWYSMnLOv".parse()?;
//! assert_eq!(id.time().as_secs(), 1_507_608_047); // 2017-10-10 04:00:47 UTC
//! assert_eq!(id.payload(), 0xb5a1_cd34_b5f9_9d11_54fb_6853_345c_9735);
//! assert!(Ksuid::generate(&System, &SystemRandom)? > id);
//! # Ok(())
//! # }
//! ```

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::codec::{CodecError, Text, decode_base62_160, encode_base62_160};
use crate::random::{Random, RandomError};
use crate::wall::Wall;

/// Seconds from 1970 to the first second of a KSUID.
pub const EPOCH_SECONDS: u64 = 1_400_000_000;

/// Why there is no id. Nothing was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KsuidError {
    /// The clock reads a time before 2014-05-13 16:53:20 UTC, or after 2150-06-19 23:21:35 UTC. The clock's fault.
    #[error("the time is outside of what 32 bits of seconds from 2014 hold")]
    Time,
    /// The source of random bits failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// 32 bits of seconds and a payload of 128. Sorts as its bytes and its text do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ksuid {
    seconds: u32,
    payload: u128,
}

impl Ksuid {
    /// The least.
    pub const NIL: Self = Self { seconds: 0, payload: 0 };
    /// The greatest.
    pub const MAX: Self = Self { seconds: u32::MAX, payload: u128::MAX };

    /// Of the clock's time and 128 random bits.
    ///
    /// # Errors
    /// Any [`KsuidError`].
    #[inline]
    pub fn generate(wall: &impl Wall, random: &impl Random) -> Result<Self, KsuidError> {
        Self::at(wall.now(), random.next_u128()?)
    }

    /// Of a time since 1970, of which fractions of a second are left out, and a payload.
    ///
    /// # Errors
    /// [`KsuidError::Time`].
    #[inline]
    pub fn at(time: Duration, payload: u128) -> Result<Self, KsuidError> {
        let seconds = time.as_secs().checked_sub(EPOCH_SECONDS).ok_or(KsuidError::Time)?;
        Ok(Self { seconds: u32::try_from(seconds).map_err(|_| KsuidError::Time)?, payload })
    }

    /// Of its parts: seconds since [`EPOCH_SECONDS`], and the payload.
    pub const fn from_parts(seconds: u32, payload: u128) -> Self {
        Self { seconds, payload }
    }

    /// Seconds since [`EPOCH_SECONDS`].
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// The time since 1970.
    pub const fn time(self) -> Duration {
        Duration::from_secs(self.seconds as u64 + EPOCH_SECONDS)
    }

    /// The payload.
    pub const fn payload(self) -> u128 {
        self.payload
    }

    /// Of 20 octets, most significant first.
    pub const fn from_bytes(octets: [u8; 20]) -> Self {
        let [a, b, c, d, payload @ ..] = octets;
        Self { seconds: u32::from_be_bytes([a, b, c, d]), payload: u128::from_be_bytes(payload) }
    }

    /// The octets.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut octets = [0; 20];
        let (seconds, payload) = octets.split_at_mut(4);
        seconds.copy_from_slice(&self.seconds.to_be_bytes());
        payload.copy_from_slice(&self.payload.to_be_bytes());
        octets
    }

    /// 27 symbols.
    #[inline]
    pub fn encode(self) -> Text<27> {
        encode_base62_160((self.seconds, self.payload))
    }

    /// Reads 27 symbols.
    ///
    /// # Errors
    /// Any [`CodecError`]; [`CodecError::Overflow`] above `aWgEPTl1tmebfsQzFP4bxwgy80V`.
    #[inline]
    pub fn decode(text: &str) -> Result<Self, CodecError> {
        let (seconds, payload) = decode_base62_160(text)?;
        Ok(Self { seconds, payload })
    }
}

impl fmt::Display for Ksuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.encode(), f)
    }
}

impl fmt::Debug for Ksuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ksuid({self})")
    }
}

/// As [`Ksuid::decode`].
impl FromStr for Ksuid {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        Self::decode(text)
    }
}

impl From<[u8; 20]> for Ksuid {
    fn from(octets: [u8; 20]) -> Self {
        Self::from_bytes(octets)
    }
}

impl From<Ksuid> for [u8; 20] {
    fn from(id: Ksuid) -> Self {
        id.to_bytes()
    }
}

#[cfg(feature = "serde")]
crate::binary::text_or_bytes!(Ksuid, "a KSUID");
