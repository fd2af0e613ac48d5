//! Seeded worlds of Raft: sound ones hold, planted faults are found, and a seed always gives the same run.

use synod_raft_check::run;

/// Seeds of each size in this test; `cargo xtask sim raft --seeds N` runs more.
const SEEDS: u64 = 150;

#[test]
fn every_invariant_holds_and_every_kind_of_fault_came() {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for nodes in [1, 2, 3, 4, 5] {
        for seed in 0..SEEDS {
            let outcome = run(seed, nodes, None);
            assert_eq!(outcome.violation, None, "{nodes} nodes");
            for (kind, count) in outcome.counts {
                *counts.entry(kind).or_default() += count;
            }
        }
    }
    let expected = [
        "loss",
        "duplicate",
        "reorder",
        "delay",
        "partition",
        "flap",
        "crash",
        "crash-before-sync",
        "crash-all",
        "pause",
        "slow-disk",
        "disk-failure",
        "clock-rate",
        "torn-write",
        "unsynced-writes-lost",
        "leaders",
        "lived",
        "read-refused",
        "proposal-lost-to-another-leader",
    ];
    for kind in expected {
        assert!(counts.get(kind).is_some_and(|count| *count > 0), "{kind} never came: {counts:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let (first, second) = (run(seed, 3, None), run(seed, 3, None));
        assert_eq!(first, second);
        assert_ne!(first.hash, run(seed + 1000, 3, None).hash);
    }
}
