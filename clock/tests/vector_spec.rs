//! The code explored under the bounds of `spec/Vector.tla`: as many states, and its invariants hold in each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeSet, HashSet, VecDeque};

use synod_clock::causality::Causality::{Before, Equal};
use synod_clock::vector::VectorClock;

/// An event's name: whose, and which.
type Name = (usize, u64);
type Past = BTreeSet<Name>;
/// A clock in a set: clocks themselves have no total order.
type Entries = Vec<(usize, u64)>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    clocks: Vec<VectorClock<usize>>,
    pasts: Vec<Past>,
    events: BTreeSet<(Name, Entries, Past)>,
    sent: BTreeSet<(Entries, Past)>,
}

impl State {
    fn count(&self, process: usize) -> u64 {
        u64::try_from(self.pasts[process].iter().filter(|(whose, _)| *whose == process).count()).unwrap()
    }

    /// The process has an event, after what it does to its clock; it may hear of another past.
    fn happens(
        &self,
        process: usize,
        heard: Option<&Past>,
        act: impl Fn(&mut VectorClock<usize>),
    ) -> (Self, (Entries, Past)) {
        let mut next = self.clone();
        let name = (process, self.count(process) + 1);
        act(&mut next.clocks[process]);
        next.pasts[process].extend(heard.into_iter().flatten().chain([&name]));
        let stamp = (Vec::from(next.clocks[process].clone()), next.pasts[process].clone());
        next.events.insert((name, stamp.0.clone(), stamp.1.clone()));
        (next, stamp)
    }

    fn successors(&self, most_events: u64) -> Vec<Self> {
        let mut successors = Vec::new();
        for process in (0..self.clocks.len()).filter(|process| self.count(*process) < most_events) {
            successors.push(self.happens(process, None, |clock| _ = clock.tick(&process).unwrap()).0);
            let (mut next, stamp) = self.happens(process, None, |clock| _ = clock.send(&process).unwrap());
            next.sent.insert(stamp);
            successors.push(next);
            for (entries, past) in &self.sent {
                let sent = VectorClock::try_from(entries.clone()).unwrap();
                let receive = |clock: &mut VectorClock<usize>| _ = clock.receive(&process, &sent).unwrap();
                successors.push(self.happens(process, Some(past), receive).0);
            }
        }
        successors
    }

    fn check(&self) {
        let clock_of = |entries: &Entries| VectorClock::try_from(entries.clone()).unwrap();
        for (name, left, past) in &self.events {
            for (_, right, other) in &self.events {
                let within = matches!(clock_of(left).compare(&clock_of(right)), Equal | Before);
                assert_eq!(within, other.contains(name), "OrderIsHappenedBefore: {left:?} {right:?}");
                assert_eq!(within, past.is_subset(other), "OrderIsInclusion: {left:?} {right:?}");
            }
            assert!(left.iter().all(|(_, counter)| *counter > 0), "NoZeroKept: {left:?}");
        }
        for (clock, past) in self.clocks.iter().zip(&self.pasts) {
            for process in 0..self.clocks.len() {
                let known = past.iter().filter(|(whose, _)| *whose == process).count();
                assert_eq!(clock.get(&process), u64::try_from(known).unwrap(), "ClockCountsPast");
                assert!(clock.get(&process) <= self.clocks[process].get(&process), "OwnIsNewest");
            }
        }
    }
}

/// Breadth first, from nothing.
fn explore(processes: usize, most_events: u64) -> usize {
    let start = State {
        clocks: vec![VectorClock::new(); processes],
        pasts: vec![Past::new(); processes],
        events: BTreeSet::new(),
        sent: BTreeSet::new(),
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut queue = VecDeque::from([start]);
    while let Some(state) = queue.pop_front() {
        state.check();
        for next in state.successors(most_events) {
            for (old, new) in state.clocks.iter().zip(&next.clocks) {
                assert!(matches!(old.compare(new), Equal | Before), "ClocksGrow");
            }
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    seen.len()
}

/// What a cfg expects.
fn states(cfg: &str) -> usize {
    let line = cfg.lines().find_map(|line| line.strip_prefix("\\* expect: states ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn clock_vector_reaches_the_states_of_the_specification() {
    assert_eq!(explore(2, 3), states(include_str!("../spec/vector-two.cfg")));
    assert_eq!(explore(3, 2), states(include_str!("../spec/vector-three.cfg")));
}
