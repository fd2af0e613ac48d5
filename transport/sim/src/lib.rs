//! A seeded world in virtual time that drives any Synod machine.
//!
//! In reading order: [`options`], [`world`], [`history`], [`invariant`] and [`invariants`], [`run_seed`]; [`disk`];
//! [`linear`] judges histories of a key-value register.

mod clock;
pub mod disk;
pub mod history;
pub mod invariant;
pub mod invariants;
pub mod linear;
mod links;
pub mod options;
mod run;
pub mod world;

pub use run::{Outcome, run, run_seed, run_traced};
