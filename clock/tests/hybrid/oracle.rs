//! Random worlds of a few nodes whose clocks drift and are set, whose processes crash at any operation of their
//! store, and whose messages are lost, doubled and late. Vector clocks beside them know what happened before what.

mod world;

use std::collections::BTreeSet;

use synod_clock::hybrid::NodeTimestamp;
use world::{Event, Fault, Seen, World};

/// What a run broke, if anything.
fn offence(events: &[Event]) -> Option<String> {
    let mut all = BTreeSet::new();
    for event in events {
        if !all.insert(NodeTimestamp::<usize>::new(event.stamp, event.node)) {
            return Some(format!("given twice: {event:?}"));
        }
        if event.lead > world::MAX_LEAD {
            return Some(format!("too far ahead of its wall: {event:?}"));
        }
    }
    for late in events {
        for early in events {
            if early.happened_before(late) && early.stamp >= late.stamp {
                return Some(format!("{early:?} happened before {late:?}"));
            }
        }
    }
    None
}

fn run(seed: u64, calm: bool, fault: Option<Fault>) -> (Vec<Event>, Seen) {
    let mut world = World::new(seed, calm, fault);
    for _ in 0..300 {
        world.step();
    }
    (world.events, world.seen)
}

#[test]
fn stamps_follow_causality_over_drift_steps_restarts_and_crashes() {
    let mut seen = Seen::default();
    for seed in 0..400 {
        let (events, of_run) = run(seed, false, None);
        assert_eq!(offence(&events), None, "seed {seed}");
        seen.add(&of_run);
    }
    // A world in which these never happen proves little.
    for (what, count) in seen.named() {
        assert!(count >= 20, "{what}: {count}");
    }
}

#[test]
fn without_steps_no_clock_is_further_ahead_than_clocks_differ() {
    let mut most = 0;
    for seed in 0..200 {
        let (events, _) = run(seed, true, None);
        assert_eq!(offence(&events), None, "seed {seed}");
        for event in &events {
            assert!(event.lead <= event.skew + 1, "seed {seed}: {event:?}");
            most = most.max(event.lead);
        }
    }
    assert!(most > 1_000, "nobody was ever ahead");
}

#[test]
fn the_same_seed_is_the_same_world() {
    assert_eq!(run(7, false, None).0, run(7, false, None).0);
}

#[test]
fn every_planted_fault_is_found() {
    for fault in Fault::ALL {
        let found = (0..400).find(|seed| offence(&run(*seed, false, Some(fault)).0).is_some());
        assert!(found.is_some(), "{fault:?} is not found");
    }
}
