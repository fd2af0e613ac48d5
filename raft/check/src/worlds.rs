//! Seeded worlds of Raft nodes, with every invariant checked after every step.

use std::time::Duration;

use synod_raft::fault::{Fault, Planted};
use synod_raft::{Config, Raft};
use synod_sim::Outcome;
use synod_sim::invariant::Invariant;
use synod_sim::options::Options;
use synod_sim::world::{Factory, World};
use synod_transport::ids::NodeId;
use synod_transport::quorum::{Members, Static};

use crate::coverage::Coverage;
use crate::registry::Plant;
use crate::{Node, watchers};

/// The generic properties of a replicated log and those of Raft.
pub fn invariants() -> Vec<Box<dyn Invariant<Node>>> {
    let mut all = watchers::all();
    all.extend(synod_sim::invariants::all::<Node>());
    all
}

/// Makes the nodes of a world; some seeds get small windows and batches, so that their edges are met.
pub fn factory(seed: u64, nodes: u64, plant: Option<Fault>) -> Factory<Node> {
    Box::new(move |id, _life, own_seed, stored| {
        let members = Members::new((1..=nodes).map(NodeId::new)).map_err(|error| error.to_string())?;
        let mut config = Config::new(id);
        config.seed = own_seed;
        config.election_timeout = Duration::from_millis(300);
        config.heartbeat_interval = Duration::from_millis(50);
        if seed % 2 == 1 {
            config.max_batch = 3;
            config.max_messages_in_flight = 2;
            config.max_uncommitted = 64;
        }
        config.pre_vote = seed % 5 != 4;
        config.check_quorum = seed % 7 != 6;
        Raft::with_faults(config, Static::new(members), stored, Planted(plant))
            .map_err(|error| error.to_string())
    })
}

/// One world from its seed, all faults as the seed draws them, every invariant after every step.
pub fn run(seed: u64, nodes: u64, plant: Option<Fault>) -> Outcome {
    run_covered(seed, nodes, plant.map(Plant::Core)).0
}

/// The same with any planted fault, and what the run saw.
pub fn run_covered(seed: u64, nodes: u64, plant: Option<Plant>) -> (Outcome, Coverage) {
    let (mut world, mut watched, coverage) = world(seed, nodes, plant);
    let outcome = synod_sim::run(&mut world, &mut watched);
    coverage.add_counts(&outcome.counts);
    (outcome, coverage)
}

/// One world with its trace written to `out` as JSON lines.
///
/// # Errors
/// When the trace could not be written.
pub fn run_traced(
    seed: u64,
    nodes: u64,
    plant: Option<Fault>,
    out: Box<dyn std::io::Write + Send>,
) -> std::io::Result<Outcome> {
    run_covered_traced(seed, nodes, plant.map(Plant::Core), out).map(|(outcome, _)| outcome)
}

/// The same with any planted fault, and what the run saw.
///
/// # Errors
/// When the trace could not be written.
pub fn run_covered_traced(
    seed: u64,
    nodes: u64,
    plant: Option<Plant>,
    out: Box<dyn std::io::Write + Send>,
) -> std::io::Result<(Outcome, Coverage)> {
    let (mut world, mut watched, coverage) = world(seed, nodes, plant);
    world.trace_to(out);
    let outcome = synod_sim::run(&mut world, &mut watched);
    coverage.add_counts(&outcome.counts);
    world.finish_trace().map(|()| (outcome, coverage))
}

fn world(
    seed: u64,
    nodes: u64,
    plant: Option<Plant>,
) -> (World<Node>, Vec<Box<dyn Invariant<Node>>>, Coverage) {
    let (core, driver) = match plant {
        Some(Plant::Core(fault)) => (Some(fault), None),
        Some(Plant::Driver(fault)) => (None, Some(fault)),
        None => (None, None),
    };
    let options = Options { driver_fault: driver, ..Options::new(nodes) };
    let coverage = Coverage::default();
    let mut watched = invariants();
    watched.push(coverage.watcher());
    (World::new(seed, &options, factory(seed, nodes, core)), watched, coverage)
}
