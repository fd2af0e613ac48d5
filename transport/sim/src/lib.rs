#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! In reading order: [`options`] says which faults there are, [`world`] holds nodes, network, disks, clocks and clients,
//! [`history`] what clients asked; [`invariant`] and [`invariants`] say what must hold, [`run_seed`] runs it all.
//! [`disk`] and [`network`] are the seams' simulated implementations, for other drivers too. [`linear`] judges
//! histories of a key-value register. [`explore`] visits every state of a small world instead of sampling a large one.

mod clock;
pub mod disk;
pub mod explore;
pub mod history;
pub mod invariant;
pub mod invariants;
mod kept;
pub mod linear;
mod links;
pub mod network;
pub mod options;
mod run;
pub mod world;

pub use kept::Kept;
pub use run::{Outcome, run, run_seed, run_traced};
