#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! In reading order; each opens with why it is there, the sketch of its algorithm and its source.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod process;
#[cfg(feature = "std")]
mod record;
pub mod sequence;
mod sync;
pub mod wall;
