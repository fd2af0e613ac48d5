//! The code does only what the specification allows, and a check of that which is given other code says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use synod_raft::fault::Fault;
use synod_raft_check::explore::Setup;
use synod_raft_check::refine::{Module, RunError, TraceError, edges, setup_of, simulated};

fn validated(seed: u64, nodes: u64, plant: Option<Fault>) -> Result<u64, TraceError> {
    simulated(&Module::read().unwrap(), seed, nodes, plant)
}

/// A small part of raft/spec/election.cfg, to be quick.
fn small() -> Setup {
    let cfg =
        include_str!("../../spec/election.cfg").replace("Campaigners = {1, 2, 3}", "Campaigners = {1, 2}");
    setup_of(&cfg).expect("a world that can be explored")
}

#[test]
fn every_explored_step_is_one_of_the_specification() {
    let found = edges(&small(), 2, |_| {}).unwrap();
    assert_eq!(found.refused.map(|refusal| refusal.to_string()), None);
    assert_eq!(found.error, None);
    // The number of states that the model checker finds in the module within these bounds.
    assert_eq!((found.states, found.edges), (590, 1364));
}

#[test]
fn a_step_of_other_code_is_refused_with_what_the_module_makes_of_it() {
    let setup = small().with(Some(Fault::AckBeforeSync));
    let found = edges(&setup, 2, |_| {}).unwrap();
    let refused = found.refused.expect("a refusal").to_string();
    assert!(refused.contains("Receive") && refused.contains("Appended"), "{refused}");
}

#[test]
fn simulated_runs_are_behaviours_of_the_specification() {
    for seed in 0..6 {
        match validated(seed, 3 + 2 * (seed % 2), None) {
            Ok(steps) => assert!(steps > 300, "seed {seed}: {steps} steps"),
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}

/// The specification refuses the very step in which the code deviates, long before an invariant breaks.
#[test]
fn runs_with_a_planted_fault_are_not() {
    for fault in [Fault::VoteNotPersisted, Fault::AckBeforeSync, Fault::CommitOlderTerm] {
        let refused = (0..40).find_map(|seed| validated(seed, 3, Some(fault)).err());
        match refused.unwrap_or_else(|| panic!("{} was accepted", fault.name())) {
            TraceError::Run(RunError::Refused { .. } | RunError::Unfit { .. }) => {}
            other => panic!("{}: {other}", fault.name()),
        }
    }
}
