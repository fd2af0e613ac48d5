//! Lamport's clock against causal histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use synod_clock::lamport::{Exhausted, LamportClock, LamportStamp};

#[test]
fn clock_lamport_saturation_is_an_error_and_changes_nothing() {
    let clock = LamportClock::after(u64::MAX - 1);
    assert_eq!(clock.receive(u64::MAX), Err(Exhausted(u64::MAX)));
    assert_eq!(clock.latest(), u64::MAX - 1);
    assert_eq!(clock.tick(), Ok(u64::MAX));
    for outcome in [clock.tick(), clock.send(), clock.receive(0), clock.receive(7)] {
        assert_eq!(outcome, Err(Exhausted(u64::MAX)));
    }
    assert_eq!(clock.latest(), u64::MAX);
}

/// What a process does next: an event of its own, or the receipt of what a process sent latest.
#[derive(Clone, Copy, Debug)]
enum Step {
    Event(usize),
    Message { from: usize, to: usize },
}

fn steps(processes: usize) -> impl Strategy<Value = Vec<Step>> {
    let event = (0..processes).prop_map(Step::Event);
    let message = (0..processes, 0..processes).prop_map(|(from, to)| Step::Message { from, to });
    prop::collection::vec(prop_oneof![event, message], 1..60)
}

/// Stamps of all events, each with the set of events that happened before it and itself.
fn run(
    steps: &[Step],
    processes: usize,
    receive: impl Fn(&LamportClock, u64) -> u64,
) -> Vec<(LamportStamp<usize>, BTreeSet<usize>)> {
    let clocks: Vec<LamportClock> = (0..processes).map(|_| LamportClock::new()).collect();
    let mut pasts = vec![BTreeSet::new(); processes];
    let mut events = Vec::new();
    for step in steps {
        let (process, before) = match *step {
            Step::Event(process) => (process, clocks[process].tick().unwrap()),
            Step::Message { from, to } => {
                let sent = clocks[from].send().unwrap();
                let id = events.len();
                pasts[from].insert(id);
                events.push((LamportStamp { time: sent, node: from }, pasts[from].clone()));
                let past = pasts[from].clone();
                pasts[to].extend(past);
                (to, receive(&clocks[to], sent))
            }
        };
        pasts[process].insert(events.len());
        events.push((LamportStamp { time: before, node: process }, pasts[process].clone()));
    }
    events
}

/// The clock condition: what happened before is smaller; and no two events are equal.
fn clock_condition(events: &[(LamportStamp<usize>, BTreeSet<usize>)]) -> Result<(), TestCaseError> {
    for (id, (stamp, past)) in events.iter().enumerate() {
        for (other_id, (other, _)) in events.iter().enumerate().filter(|(other, _)| *other != id) {
            prop_assert_ne!(stamp, other);
            if past.contains(&other_id) {
                prop_assert!(other < stamp, "{other} happened before {stamp}");
                prop_assert!(other.time < stamp.time, "{other} happened before {stamp}");
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn clock_lamport_agrees_with_happened_before(steps in steps(4)) {
        clock_condition(&run(&steps, 4, |clock, sent| clock.receive(sent).unwrap()))?;
    }
}

#[test]
fn clock_lamport_a_clock_that_ignores_messages_is_found() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let broken =
        runner.run(&steps(4), |steps| clock_condition(&run(&steps, 4, |clock, _| clock.tick().unwrap())));
    assert!(broken.is_err(), "no run shows that messages are ignored");
}
