//! Universally unique identifiers (RFC 9562).
//!
//! | version | made of | how |
//! |---|---|---|
//! | 1 | ticks of 100 ns, clock sequence, node | [`TimeGenerator::try_next_v1`] |
//! | 3, 5 | a name within a namespace | [`Uuid::v3`](Uuid#method.v3), [`Uuid::v5`](Uuid#method.v5) (feature `name-based`) |
//! | 4 | random bits | [`Uuid::v4`] |
//! | 6 | as 1, in an order that sorts | [`TimeGenerator::try_next_v6`], [`Uuid::to_v6`] |
//! | 7 | milliseconds, a counter, random bits | [`V7Generator`]; [`V7Random`] for one thread |
//! | 8 | what you like | [`Uuid::v8`] |
//!
//! Take version 7 unless something else asks for another: it sorts by time, keeps databases' indices compact, and names
//! no host. Version 4 tells nothing at all.
//!
//! ```
//! use synod_idgen::random::SystemRandom;
//! use synod_idgen::uuid::{Uuid, V7Generator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ids = V7Generator::new(); // threads share it
//! let (first, second) = (ids.try_next()?, ids.try_next()?);
//! assert!(first < second);
//!
//! // The example of many an introduction, where it is called one of version 1.
//! let id: Uuid = "550e8400-e29b-41d4-a716-446655440000".parse()?;
//! assert_eq!(id.version(), Some(4));
//! assert_eq!(id.to_string(), "550e8400-e29b-41d4-a716-446655440000");
//! assert_ne!(Uuid::v4(&SystemRandom)?, id);
//! # Ok(())
//! # }
//! ```

mod error;
mod fields;
#[cfg(feature = "uuid")]
mod interop;
#[cfg(feature = "name-based")]
mod name_based;
mod text;
mod time_based;
mod v7;
mod v7_random;

pub use error::UuidError;
pub use fields::{Node, Variant};
#[cfg(feature = "name-based")]
pub use name_based::namespace;
#[cfg(feature = "std")]
pub use time_based::StateError;
pub use time_based::{TimeGenerator, TimeOptions};
pub use v7::{V7Block, V7Generator, V7Method, V7Options};
pub use v7_random::V7Random;

use crate::random::{Random, RandomError};

/// 128 bits that name a thing. Of any version or none: what comes from elsewhere is taken as it is, as the RFC's section
/// 6.12 asks.
///
/// Ids sort as their bytes do, and as their text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(u128);

impl Uuid {
    /// All bits zero (section 5.9).
    pub const NIL: Self = Self(0);
    /// All bits one (section 5.10).
    pub const MAX: Self = Self(u128::MAX);

    /// Whether it is [`NIL`](Self::NIL).
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }

    /// Random (section 5.4): 122 bits that tell nothing.
    ///
    /// # Errors
    /// [`RandomError`].
    #[inline]
    pub fn v4(random: &impl Random) -> Result<Self, RandomError> {
        Ok(Self::with_version(random.next_u128()?, 4))
    }

    /// Of the caller's own meaning (section 5.8). The six bits of version and variant are set, whatever they were.
    #[inline]
    pub const fn v8(bits: u128) -> Self {
        Self::with_version(bits, 8)
    }
}

crate::bits::bits!(Uuid);
#[cfg(feature = "serde")]
crate::binary::text_or_bytes!(Uuid, "a UUID");
