//! Where the random parts of ids come from.
//!
//! A random part keeps apart what no clock and no node id keeps apart. So it must differ between threads, between
//! processes, and between a process and its forked child, which inherits every buffer. [`SystemRandom`] sees to that; a
//! simulation takes [`SeededRandom`] and gets the same ids again.
//!
//! ```
//! use synod_idgen::random::{Random, SeededRandom};
//!
//! let (one, two) = (SeededRandom::new(7), SeededRandom::new(7));
//! assert_eq!(one.next_u64()?, two.next_u64()?);
//! # Ok::<(), synod_idgen::random::RandomError>(())
//! ```

mod seeded;
#[cfg(feature = "std")]
mod system;

pub use seeded::SeededRandom;
#[cfg(feature = "std")]
pub use system::SystemRandom;

/// A source of random bits. Shared by reference; one that threads share is `Sync`.
pub trait Random {
    /// 64 bits.
    ///
    /// # Errors
    /// [`RandomError`] when the source has none to give. A seeded one always has.
    fn next_u64(&self) -> Result<u64, RandomError>;

    /// 128 bits.
    ///
    /// # Errors
    /// As [`next_u64`](Self::next_u64).
    #[inline]
    fn next_u128(&self) -> Result<u128, RandomError> {
        Ok(u128::from(self.next_u64()?) << 64 | u128::from(self.next_u64()?))
    }
}

/// The source has no random bits to give. Nothing was given, and the next call asks again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// The system's: before its first random bits at boot, say, or where it has none. Its fault, not the caller's.
    #[error("the system gave no random bits")]
    System,
    /// A source of the caller's.
    #[error("the source gave no random bits")]
    Source,
}

impl<R: Random + ?Sized> Random for &R {
    #[inline]
    fn next_u64(&self) -> Result<u64, RandomError> {
        (**self).next_u64()
    }

    #[inline]
    fn next_u128(&self) -> Result<u128, RandomError> {
        (**self).next_u128()
    }
}

impl<R: Random + ?Sized> Random for alloc::boxed::Box<R> {
    fn next_u64(&self) -> Result<u64, RandomError> {
        (**self).next_u64()
    }

    fn next_u128(&self) -> Result<u128, RandomError> {
        (**self).next_u128()
    }
}

impl<R: Random + ?Sized> Random for alloc::sync::Arc<R> {
    fn next_u64(&self) -> Result<u64, RandomError> {
        (**self).next_u64()
    }

    fn next_u128(&self) -> Result<u128, RandomError> {
        (**self).next_u128()
    }
}
