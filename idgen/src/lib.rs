#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! In reading order; each opens with why it is there, the sketch of its algorithm and its source.
//!
//! | ids of 64 bits | |
//! |---|---|
//! | [`layout`](mod@layout) | how the bits are shared: Twitter, Discord, Instagram, Sonyflake, TSID, Mastodon, one's own |
//! | [`node`] | who makes ids, and whether it still may |
//! | [`generator`] | makes them, from one atomic number |
//! | [`wall`] | where the time comes from |
//! | `keeper` | makes a generator's ceiling durable, so that no restart repeats an id |
//! | `machine` | where a node's number comes from: text, lock files, a lease |
//! | [`sequence`] | auto-increment: numbers in a row, from reserved blocks |
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
pub mod generator;
#[cfg(feature = "std")]
pub mod keeper;
pub mod ksuid;
pub mod layout;
#[cfg(feature = "std")]
pub mod machine;
mod monotonic;
pub mod node;
mod process;
pub mod random;
#[cfg(feature = "std")]
mod record;
pub mod sequence;
mod sync;
pub mod ulid;
pub mod uuid;
pub mod wall;
