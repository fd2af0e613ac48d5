#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! In reading order; each opens with why it is there, the sketch of its algorithm and its source.
//!
//! | what happened before what | |
//! |---|---|
//! | [`causality`] | the four answers: equal, before, after, concurrent |
//! | [`lamport`] | one number: a total order that agrees with causality |
//! | [`vector`] | a number for each process: causality itself, sparse, dense, pruned, dotted |
//! | [`itc`] | the same for processes that fork and join and have no names |
//! | [`bloom`] | the same in fixed space, with a known probability of being wrong |
//! | **what time it is, and how surely** | |
//! | [`hybrid`] | stamps that follow causality and stay close to the wall clock |
//! | [`interval`] | an interval that holds true time; commit wait |
//! | [`ntp`] | asking servers for the time, without a socket |
//! | [`smear`] | a leap second spread over a day |
//! | [`drift`] | how far peers' clocks are off, and how fast they run away |
//! | `source` (feature `std`) | the system's clocks, and simulated ones |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bloom;
pub mod causality;
pub mod drift;
pub mod hybrid;
pub mod interval;
pub mod itc;
pub mod lamport;
pub mod ntp;
#[cfg(feature = "serde")]
mod number;
pub mod smear;
#[cfg(feature = "std")]
pub mod source;
mod sync;
mod unix;
pub mod vector;

pub use unix::UnixTime;
