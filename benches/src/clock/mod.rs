//! Clocks: what a stamp, a comparison or a reading costs, one operation after the other, alone and with two threads on
//! one object.
//!
//! Each family of clocks has a file with a `figures()` of its own.

mod hybrid;
mod logical;
mod physical;
pub mod suite;
