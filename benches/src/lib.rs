//! Each primitive beside what users would pick instead, in one process and in turns.
//!
//! A bench binary measures rounds: every implementation once, then every one again, so that a noisy neighbour hits
//! all alike. It prints one [`figure::Figure`] per line of JSON; [`table`] draws them with a ratio to each peer.
//! `cargo xtask bench` runs the binaries and collects what they print.
//!
//! In reading order: [`figure`] and [`table`], [`measure`] and [`callgrind`]; then a folder per primitive, each behind a feature of its
//! own name.

pub mod callgrind;
#[cfg(any(feature = "clock", feature = "idgen"))]
mod case;
#[cfg(feature = "clock")]
pub mod clock;
pub mod figure;
#[cfg(feature = "idgen")]
pub mod idgen;
pub mod measure;
#[cfg(feature = "raft")]
pub mod raft;
pub mod table;
#[cfg(feature = "wal")]
pub mod wal;
