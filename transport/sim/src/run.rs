//! A whole run, and what came of it.

use std::collections::BTreeMap;
use std::io;

use synod_transport::machine::Machine;

use crate::invariant::{Invariant, Violation};
use crate::options::Options;
use crate::world::{Factory, World};

/// What came of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// How many steps it took.
    pub steps: u64,
    /// Virtual time at its end, in nanoseconds.
    pub virtual_nanos: u64,
    /// Faults injected and things covered, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// Messages handed to the network.
    pub messages: u64,
    /// Requests that clients made.
    pub operations: usize,
    /// Requests that were answered with success.
    pub completed: usize,
    /// A hash of everything that happened: the same seed and options give the same.
    pub hash: u64,
    /// What went wrong, if anything did.
    pub violation: Option<Violation>,
}

/// Runs a seed to its end: faults, then none, then the proof that the world lives. Every invariant is checked after
/// every step that touched a node.
pub fn run_seed<M: Machine>(
    seed: u64,
    options: &Options,
    factory: Factory<M>,
    invariants: &mut [Box<dyn Invariant<M>>],
) -> Outcome {
    run(&mut World::new(seed, options, factory), invariants)
}

/// The same, with a trace of one JSON object per line written to `out`. The outcome is the same as without.
///
/// # Errors
/// When the trace could not be written.
pub fn run_traced<M: Machine>(
    seed: u64,
    options: &Options,
    factory: Factory<M>,
    invariants: &mut [Box<dyn Invariant<M>>],
    out: Box<dyn io::Write + Send>,
) -> io::Result<Outcome> {
    let mut world = World::new(seed, options, factory);
    world.trace_to(out);
    let outcome = run(&mut world, invariants);
    world.finish_trace().map(|()| outcome)
}

/// Steps a world to its end.
pub fn run<M: Machine>(world: &mut World<M>, invariants: &mut [Box<dyn Invariant<M>>]) -> Outcome {
    while let Some(touched) = world.step() {
        let Some(node) = touched else { continue };
        for invariant in invariants.iter_mut() {
            if let Err(broken) = invariant.check(world, node) {
                world.violate(invariant.name(), broken.0);
            }
        }
    }
    Outcome {
        seed: world.seed(),
        steps: world.steps(),
        virtual_nanos: world.now(),
        counts: world.counts().clone(),
        messages: world.messages().0,
        operations: world.history().len(),
        completed: world.completions().len(),
        hash: world.hash(),
        violation: world.violation().cloned(),
    }
}
