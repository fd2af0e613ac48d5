//! Lamport's clock against causal histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod histories;

use histories::{Clocks, Step, assert_some_case_breaks, for_all_pairs, run, steps};
use proptest::prelude::*;
use synod_clock::causality::Causality;
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

/// Four processes; the naive twin does not listen.
struct Numbers {
    clocks: [LamportClock; 4],
    listens: bool,
}

impl Clocks for Numbers {
    type Stamp = LamportStamp<usize>;
    fn event(&mut self, process: usize) -> Self::Stamp {
        LamportStamp { time: self.clocks[process].tick().unwrap(), node: process }
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        let sent = if self.listens { sent.time } else { 0 };
        LamportStamp { time: self.clocks[process].receive(sent).unwrap(), node: process }
    }
}

/// What happened before has the smaller number, and different events have different stamps.
fn clock_condition(steps: &[Step], listens: bool) -> Result<(), TestCaseError> {
    let events = run(steps, Numbers { clocks: [(); 4].map(|()| LamportClock::new()), listens });
    for_all_pairs(&events, |truth, left, right| {
        match truth {
            Causality::Equal => prop_assert_eq!(left, right),
            Causality::Before => prop_assert!(left.time < right.time && left < right),
            Causality::After => prop_assert!(left.time > right.time && left > right),
            Causality::Concurrent => prop_assert_ne!(left, right),
        }
        Ok(())
    })
}

proptest! {
    #[test]
    fn clock_lamport_agrees_with_happened_before(steps in steps(4)) {
        clock_condition(&steps, true)?;
    }
}

#[test]
fn clock_lamport_a_clock_that_ignores_messages_is_found() {
    assert_some_case_breaks(steps(4), |steps| clock_condition(&steps, false));
}
