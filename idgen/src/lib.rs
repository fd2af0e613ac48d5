#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! In reading order; each opens with why it is there, the sketch of its algorithm and its source.
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
