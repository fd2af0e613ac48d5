//! Siblings against a store that remembers which writes each write had seen.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod histories;

use std::collections::{BTreeMap, BTreeSet};

use histories::assert_some_case_breaks;
use proptest::prelude::*;
use synod_clock::vector::{Dot, Siblings, VectorClock, VectorError};

const REPLICAS: usize = 3;
const CLIENTS: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    Read { client: usize, replica: usize },
    Write { client: usize, replica: usize },
    Remove { client: usize, replica: usize },
    Sync { from: usize, to: usize },
}

fn runs() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0..4u8, 0..CLIENTS, 0..REPLICAS, 0..REPLICAS).prop_map(|(kind, client, replica, to)| match kind {
            0 => Step::Read { client, replica },
            1 => Step::Write { client, replica },
            2 if to == 0 => Step::Remove { client, replica },
            _ => Step::Sync { from: replica, to },
        });
    prop::collection::vec(step, 1..50)
}

/// The store under test: what a client sees of a replica, and what it does with what it saw.
trait Store {
    type Context: Clone + Default;
    fn read(&self, replica: usize) -> (Vec<usize>, Self::Context);
    fn write(&mut self, replica: usize, seen: &Self::Context, value: usize);
    fn remove(&mut self, replica: usize, seen: &Self::Context);
    fn sync(&mut self, from: usize, to: usize);
}

#[derive(Default)]
struct Dotted([Siblings<usize, usize>; REPLICAS]);

impl Store for Dotted {
    type Context = VectorClock<usize>;
    fn read(&self, replica: usize) -> (Vec<usize>, Self::Context) {
        (self.0[replica].values().copied().collect(), self.0[replica].context().clone())
    }
    fn write(&mut self, replica: usize, seen: &Self::Context, value: usize) {
        self.0[replica].write(&replica, seen, value).unwrap();
    }
    fn remove(&mut self, replica: usize, seen: &Self::Context) {
        self.0[replica].remove(seen);
    }
    fn sync(&mut self, from: usize, to: usize) {
        let other = self.0[from].clone();
        self.0[to].sync(&other);
    }
}

/// The naive twin: one version vector of replicas for each value, which a write extends.
#[derive(Default)]
struct PlainVectors([Vec<(VectorClock<usize>, usize)>; REPLICAS]);

impl Store for PlainVectors {
    type Context = VectorClock<usize>;
    fn read(&self, replica: usize) -> (Vec<usize>, Self::Context) {
        let mut context = VectorClock::new();
        self.0[replica].iter().for_each(|(clock, _)| context.merge(clock));
        (self.0[replica].iter().map(|(_, value)| *value).collect(), context)
    }
    fn write(&mut self, replica: usize, seen: &Self::Context, value: usize) {
        let mut clock = seen.clone();
        let latest = self.0[replica].iter().map(|(clock, _)| clock.get(&replica)).max().unwrap_or(0);
        while clock.get(&replica) <= latest {
            clock.tick(&replica).unwrap();
        }
        self.0[replica].retain(|(other, _)| !other.compare(&clock).is_within());
        self.0[replica].push((clock, value));
    }
    fn remove(&mut self, replica: usize, seen: &Self::Context) {
        self.0[replica].retain(|(clock, _)| !clock.compare(seen).is_within());
    }
    fn sync(&mut self, from: usize, to: usize) {
        for version in self.0[from].clone() {
            let known = self.0[to].iter().any(|(clock, _)| version.0.compare(clock).is_within());
            if !known {
                self.0[to].retain(|(clock, _)| !clock.compare(&version.0).is_within());
                self.0[to].push(version);
            }
        }
    }
}

/// What a replica, or a client, has heard of: all writes, and those that somebody overwrote who had seen them.
#[derive(Clone, Default)]
struct Known {
    writes: BTreeSet<usize>,
    overwritten: BTreeSet<usize>,
}

impl Known {
    fn learn(&mut self, other: &Self) {
        self.writes.extend(&other.writes);
        self.overwritten.extend(&other.overwritten);
    }
    fn overwrites(&mut self, seen: &Self) {
        self.learn(seen);
        self.overwritten.extend(&seen.writes);
    }
}

/// After each step, each replica holds exactly the writes that it has heard of and nobody overwrote.
fn nothing_is_lost_or_comes_back<S: Store + Default>(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut store = S::default();
    let mut replicas: [Known; REPLICAS] = Default::default();
    let mut clients: BTreeMap<usize, (S::Context, Known)> = BTreeMap::new();
    for (value, step) in steps.iter().enumerate() {
        match *step {
            Step::Read { client, replica } => {
                let (_, context) = store.read(replica);
                clients.insert(client, (context, replicas[replica].clone()));
            }
            Step::Write { client, replica } => {
                let (context, seen) = clients.entry(client).or_default();
                store.write(replica, context, value);
                replicas[replica].overwrites(seen);
                replicas[replica].writes.insert(value);
            }
            Step::Remove { client, replica } => {
                let (context, seen) = clients.entry(client).or_default();
                store.remove(replica, context);
                replicas[replica].overwrites(seen);
            }
            Step::Sync { from, to } => {
                store.sync(from, to);
                let other = replicas[from].clone();
                replicas[to].learn(&other);
            }
        }
        for (replica, known) in replicas.iter().enumerate() {
            let values = BTreeSet::from_iter(store.read(replica).0);
            let expected: BTreeSet<usize> = known.writes.difference(&known.overwritten).copied().collect();
            prop_assert_eq!(values, expected, "replica {} after step {}", replica, value);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn clock_dotted_nothing_is_lost_or_comes_back(steps in runs()) {
        nothing_is_lost_or_comes_back::<Dotted>(&steps)?;
    }

    #[test]
    fn clock_dotted_sync_is_idempotent_commutative_and_associative(steps in runs()) {
        let mut store = Dotted::default();
        let mut contexts: [VectorClock<usize>; CLIENTS] = Default::default();
        for (value, step) in steps.iter().enumerate() {
            match *step {
                Step::Read { client, replica } => contexts[client] = store.read(replica).1,
                Step::Write { client, replica } => store.write(replica, &contexts[client], value),
                Step::Remove { client, replica } => store.remove(replica, &contexts[client]),
                Step::Sync { from, to } => store.sync(from, to),
            }
        }
        let [one, two, three] = &store.0;
        let synced = |left: &Siblings<_, _>, right: &Siblings<_, _>| { let mut it = left.clone(); it.sync(right); it };
        prop_assert_eq!(&synced(one, one), one);
        prop_assert_eq!(synced(one, two), synced(two, one));
        prop_assert_eq!(synced(&synced(one, two), three), synced(one, &synced(two, three)));
    }
}

#[test]
fn clock_dotted_plain_version_vectors_lose_a_sibling() {
    assert_some_case_breaks(runs(), |steps| nothing_is_lost_or_comes_back::<PlainVectors>(&steps));
    let nothing = VectorClock::new();
    let (mut plain, mut dotted) = (PlainVectors::default(), Dotted::default());
    for value in [1, 2] {
        plain.write(0, &nothing, value);
        dotted.write(0, &nothing, value);
    }
    assert_eq!((plain.read(0).0, dotted.read(0).0), (vec![2], vec![1, 2]));
}

#[test]
fn clock_dotted_overflow_changes_nothing() {
    let mut siblings = Siblings::new();
    assert_eq!(siblings.write(&1u8, &VectorClock::new(), "kept"), Ok(Dot { id: 1, counter: 1 }));
    assert!(siblings.versions().eq([(&Dot { id: 1, counter: 1 }, &"kept")]));
    assert!(siblings.context().contains(&Dot { id: 1, counter: 1 }));
    assert!(!siblings.context().contains(&Dot { id: 1, counter: 2 }));
    let before = siblings.clone();
    let made_up = VectorClock::try_from(vec![(1, u64::MAX)]).unwrap();
    assert_eq!(siblings.write(&1, &made_up, "refused"), Err(VectorError::CounterOverflow));
    assert_eq!(siblings, before);
}
