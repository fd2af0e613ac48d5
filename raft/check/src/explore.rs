//! Every state that real Raft nodes reach in a small world.
//!
//! A [`Setup`] says how small, and which fault is planted, if any. [`explore`] visits it all and judges it by
//! [`Figure3`]; [`find`] does so in a world that is known to be large enough for a fault to show.
//!
//! ```
//! use synod_raft_check::explore::{Setup, explore};
//!
//! let found = explore(&Setup::tiny(), 1, |_| {})?;
//! assert!(found.report.holds());
//! assert_eq!(found.report.states, 6759);
//! # Ok::<(), synod_raft_check::explore::Failure>(())
//! ```

mod faults;
mod figure3;
mod setup;

use synod_sim::explore::cluster::{Action, BoundsError, Breach, Cluster, State, Tables};
use synod_sim::explore::{ExploreError, Explorer, Path, Progress, Report};

use crate::Node;

pub use faults::{Found, find, find_in, setup_for};
pub use figure3::{Facts, Figure3, Past};
pub use setup::{Setup, cluster};

/// Raft nodes in a small world.
pub type World = Cluster<Node, Figure3>;

/// What came of an exploration.
#[derive(Debug)]
pub struct Explored {
    /// States, steps, verdict, and the shortest counterexample if there is one.
    pub report: Report<State, Action>,
    /// The world, which tells the counterexample.
    pub world: World,
}

impl Explored {
    /// The shortest way to a breach, if there is one.
    pub fn counterexample(&self) -> Option<&Path<State, Action>> {
        self.report.broken()?.path.as_ref()
    }

    /// The property that is broken, with what is wrong.
    pub fn broken(&self) -> Option<Breach> {
        self.world.check(self.counterexample()?.last()).err()
    }

    /// What never happened, by name.
    pub fn unseen(&self) -> Vec<&'static str> {
        self.world.sights().filter(|(_, seen)| !seen).map(|(name, _)| name).collect()
    }

    /// How many different things were met.
    pub fn tables(&self) -> Tables {
        self.world.tables()
    }
}

/// Why an exploration could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The bounds do not fit.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// The explorer could not do it.
    #[error(transparent)]
    Explore(#[from] ExploreError),
}

/// The name under which the report lists all properties of [`Figure3`] together.
pub const SAFETY: &str = "figure 3";

/// Visits everything within the setup, and stops at the first breach.
///
/// # Errors
/// When the setup's bounds do not fit.
pub fn explore(
    setup: &Setup,
    threads: usize,
    progress: impl Fn(&Progress) + Sync,
) -> Result<Explored, Failure> {
    let world = cluster(setup)?;
    let report = {
        let explorer = Explorer::new(&world)
            .threads(threads)
            .max_states(setup.max_states)
            .always(SAFETY, |state| world.check(state).map_err(|breach| breach.to_string()))
            .on_progress(progress);
        if setup.symmetric { explorer.symmetric() } else { explorer }.run()?
    };
    Ok(Explored { report, world })
}
