//! The oracle: runs in which every event carries the set of all events that happened before it.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use synod_clock::causality::Causality;

/// What happens next: an event of one process, or a message from one to another (or to itself).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Event(usize),
    Message { from: usize, to: usize },
}

pub(crate) fn steps(processes: usize) -> impl Strategy<Value = Vec<Step>> {
    let event = (0..processes).prop_map(Step::Event);
    let message = (0..processes, 0..processes).prop_map(|(from, to)| Step::Message { from, to });
    prop::collection::vec(prop_oneof![event, message], 1..60)
}

/// Clocks of several processes: what is under test.
pub(crate) trait Clocks {
    type Stamp: Clone;
    fn event(&mut self, process: usize) -> Self::Stamp;
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp;
}

/// One event: its stamp, whose it is, and the numbers of all events within its past, itself included.
#[derive(Clone, Debug)]
pub(crate) struct Event<S> {
    pub(crate) stamp: S,
    pub(crate) process: usize,
    pub(crate) past: BTreeSet<usize>,
}

/// All events of a run; an event's number is its place.
pub(crate) fn run<C: Clocks>(steps: &[Step], mut clocks: C) -> Vec<Event<C::Stamp>> {
    let mut pasts = vec![BTreeSet::new(); 64];
    let mut events: Vec<Event<C::Stamp>> = Vec::new();
    let mut add = |pasts: &mut Vec<BTreeSet<usize>>, process: usize, stamp| {
        pasts[process].insert(events.len());
        events.push(Event { stamp, process, past: pasts[process].clone() });
    };
    for step in steps {
        match *step {
            Step::Event(process) => add(&mut pasts, process, clocks.event(process)),
            Step::Message { from, to } => {
                let sent = clocks.event(from);
                add(&mut pasts, from, sent.clone());
                let carried = pasts[from].clone();
                pasts[to].extend(carried);
                add(&mut pasts, to, clocks.receive(to, &sent));
            }
        }
    }
    events
}

/// How two pasts really stand to each other.
pub(crate) fn causality(left: &BTreeSet<usize>, right: &BTreeSet<usize>) -> Causality {
    Causality::from_inclusion(left.is_subset(right), right.is_subset(left))
}

/// Every pair of events is judged: `judge(truth, left, right)`.
pub(crate) fn for_all_pairs<S>(
    events: &[Event<S>],
    judge: impl Fn(Causality, &S, &S) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    for left in events {
        for right in events {
            judge(causality(&left.past, &right.past), &left.stamp, &right.stamp)?;
        }
    }
    Ok(())
}

/// The same check must fail for a naive twin within the runs that it makes, or it proves nothing.
pub(crate) fn assert_some_case_breaks<T: std::fmt::Debug>(
    cases: impl Strategy<Value = T>,
    check: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let broken = TestRunner::deterministic().run(&cases, check);
    assert!(broken.is_err(), "no case breaks the naive twin");
}
