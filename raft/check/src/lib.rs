//! The checks of synod-raft: the properties of figure 3 of the Raft paper, watched after every step of a seeded world,
//! and the planted faults that those watchers must find.
//!
//! ```
//! use synod_raft_check::run;
//!
//! let outcome = run(7, 3, None);
//! assert_eq!(outcome.violation, None);
//! assert!(outcome.completed > 0);
//! ```

pub mod coverage;
pub mod explore;
pub mod invariants;
pub mod refine;
pub mod registry;
pub mod script;
mod watchers;
mod worlds;

use synod_raft::Raft;
use synod_raft::fault::Planted;
use synod_transport::quorum::Static;

pub use worlds::{factory, invariants, run, run_covered, run_covered_traced, run_traced};

/// The core as the checks run it: with a fault or without.
pub type Node = Raft<Static, Planted>;
