#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bloom;
pub mod causality;
pub mod itc;
pub mod lamport;
pub mod vector;

mod sync;
