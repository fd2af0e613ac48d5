//! What must hold after every step.

use core::fmt;

use synod_transport::ids::NodeId;
use synod_transport::machine::Machine;

use crate::world::World;

/// A sentence about the world, checked after every step that touched a node.
pub trait Invariant<M: Machine> {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Looks at the world after a step at `touched`.
    ///
    /// # Errors
    /// What is wrong, for a person.
    fn check(&mut self, world: &World<M>, touched: NodeId) -> Result<(), Broken>;
}

/// What an invariant found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken(pub String);

impl From<String> for Broken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A run that must not be: enough to see it again and to know what to look for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The run's seed.
    pub seed: u64,
    /// How many steps had been taken.
    pub step: u64,
    /// Virtual time in nanoseconds.
    pub at: u64,
    /// The invariant; `liveness`, `machine`, `store`, `garbled` or `endless` for what the world itself watches.
    pub invariant: &'static str,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, at, invariant, text } = self;
        write!(
            f,
            "{invariant} (seed {seed}, step {step}, {}.{:06} ms): {text}",
            at / 1_000_000,
            at % 1_000_000
        )
    }
}

impl core::error::Error for Violation {}
