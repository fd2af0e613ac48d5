#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! In reading order; each opens with why it is there, the sketch of its algorithm and its source.
//!
//! | ids of 128 bits and more | |
//! |---|---|
//! | [`uuid`] | RFC 9562, versions 1 to 8 |
//! | [`ulid`] | 26 symbols, sorted by the millisecond |
//! | [`ksuid`] | 27 symbols, sorted by the second |
//! | [`random`] | bits that nobody guesses, and that a fork does not repeat |
//! | [`codec`] | numbers as text that sorts |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "serde")]
mod binary;
mod bits;
pub mod codec;
pub mod ksuid;
mod monotonic;
mod process;
pub mod random;
mod sync;
pub mod ulid;
pub mod uuid;
pub mod wall;
