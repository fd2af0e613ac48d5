//! The code does only what the specification allows, and a check of that which is given other code says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io;
use std::sync::{Arc, Mutex};

use synod_raft::fault::Fault;
use synod_raft_check::refine::{Module, TraceError, validate_world};
use synod_raft_check::run_traced;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn validated(seed: u64, nodes: u64, plant: Option<Fault>) -> Result<u64, TraceError> {
    let out = Shared::default();
    run_traced(seed, nodes, plant, Box::new(out.clone())).unwrap();
    let bytes = std::mem::take(&mut *out.0.lock().unwrap());
    validate_world(&Module::read().unwrap(), &bytes[..])
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
        let text = refused.unwrap_or_else(|| panic!("{} was accepted", fault.name())).to_string();
        assert!(text.contains("does not allow"), "{}: {text}", fault.name());
        println!("{}: {text}", fault.name());
    }
}
