#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod drift;
pub mod hybrid;
pub mod interval;
pub mod ntp;
pub mod smear;
#[cfg(feature = "std")]
pub mod source;
mod sync;
mod unix;

pub use unix::UnixTime;
