//! Vector clocks: laws of the order (P24), and causal histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod histories;

use histories::{Clocks, Step, assert_some_case_breaks, for_all_pairs, run, steps};
use proptest::prelude::*;
use synod_clock::causality::Causality::{self, After, Before, Concurrent, Equal};
use synod_clock::vector::{DenseClock, Epoch, VectorClock, VectorError};

type Clock = VectorClock<u8>;

fn clock(entries: &[(u8, u64)]) -> Clock {
    VectorClock::try_from(entries.to_vec()).unwrap()
}

/// Few ids and small counters, so that every relation is met often; sometimes the very same ids.
fn clocks() -> impl Strategy<Value = Clock> {
    let any = prop::collection::btree_map(0..6u8, 0..4u64, 0..6);
    let alike = prop::collection::vec(1..3u64, 4).prop_map(|counters| (0..4u8).zip(counters).collect());
    prop_oneof![any, alike].prop_map(|entries| VectorClock::try_from(Vec::from_iter(entries)).unwrap())
}

/// The definition, counter by counter over all ids there can be.
fn by_definition(left: &Clock, right: &Clock) -> Causality {
    let is_within = |left: &Clock, right: &Clock| (0..6).all(|id| left.get(&id) <= right.get(&id));
    Causality::from_inclusion(is_within(left, right), is_within(right, left))
}

#[test]
fn clock_p24_absent_is_zero() {
    let zero = clock(&[(0, 0)]);
    assert_eq!(zero, VectorClock::new());
    assert_eq!(zero.compare(&VectorClock::new()), Equal);
    assert_eq!(clock(&[(1, 0), (2, 5)]), clock(&[(2, 5)]));
    assert_eq!(VectorClock::<u8>::new().get(&3), 0);
    assert_eq!((zero.len(), zero.is_empty()), (0, true));
    assert_eq!((clock(&[(1, 2), (4, 1)]).len(), clock(&[(1, 2)]).is_empty()), (2, false));
}

#[test]
fn clock_p24_neither_is_greater_both_ways() {
    let (left, right) = (clock(&[(0, 1)]), clock(&[(1, 1)]));
    assert_eq!((left.compare(&right), right.compare(&left)), (Concurrent, Concurrent));
    assert_eq!(left.partial_cmp(&right), None);
    assert_eq!(clock(&[(0, 1)]).compare(&clock(&[(0, 1), (1, 1)])), Before);
    assert_eq!(clock(&[(1, 2)]).compare(&clock(&[(0, 0), (1, 1)])), After);
}

#[test]
fn clock_p24_overflow_is_an_error_and_changes_nothing() {
    let full = clock(&[(1, u64::MAX), (2, 1)]);
    let mut sparse = full.clone();
    assert_eq!(sparse.tick(&1), Err(VectorError::CounterOverflow));
    assert_eq!(sparse.send(&1), Err(VectorError::CounterOverflow));
    assert_eq!(sparse, full);
    let mut other = clock(&[(3, 1)]);
    assert_eq!(other.receive(&1, &full), Err(VectorError::CounterOverflow));
    assert_eq!(other, clock(&[(3, 1)]), "not even half of the message was taken");
    assert_eq!(other.receive(&3, &full), Ok(2), "the made-up counter is somebody else's");

    let mut dense = DenseClock::new(Epoch(1), 2);
    let peer = DenseClock::from_counters(Epoch(1), [u64::MAX, 1]);
    assert_eq!(dense.receive(0, &peer), Err(VectorError::CounterOverflow));
    assert_eq!(dense.counters(), [0, 0]);
    dense.merge(&peer).unwrap();
    assert_eq!(dense.tick(0), Err(VectorError::CounterOverflow));
    assert_eq!(dense.send(0), Err(VectorError::CounterOverflow));
    assert_eq!(dense, peer);
}

#[test]
fn clock_vector_a_process_named_twice_is_refused() {
    let twice = VectorClock::try_from(vec![(1u8, 1), (2, 1), (1, 0)]);
    assert_eq!(twice, Err(VectorError::DuplicateProcess));
    assert_eq!(clock(&[(9, 1), (2, 1)]).iter().collect::<Vec<_>>(), [(&2, 1), (&9, 1)]);
}

proptest! {
    #[test]
    fn clock_p24_compare_is_the_definition(left in clocks(), right in clocks()) {
        is_an_order(&left, &right, VectorClock::compare)?;
        prop_assert_eq!(left.compare(&right), by_definition(&left, &right));
        prop_assert_eq!(left.partial_cmp(&right), left.compare(&right).ordering());
    }

    /// More processes than are compared in one go; what differs stands anywhere.
    #[test]
    fn clock_p24_many_processes_are_compared_to_the_last(
        width in 1..140usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4),
    ) {
        let (mut left, mut right) = (vec![5u64; width], vec![5u64; width]);
        for (place, is_left) in changes {
            let side = if is_left { &mut left } else { &mut right };
            side[place.index(width)] += 1;
        }
        let is_within = |left: &[u64], right: &[u64]| left.iter().zip(right).all(|(left, right)| left <= right);
        let truth = Causality::from_inclusion(is_within(&left, &right), is_within(&right, &left));
        let sparse = |counters: &[u64]| VectorClock::try_from(Vec::from_iter((0u64..).zip(counters.to_vec()))).unwrap();
        prop_assert_eq!(sparse(&left).compare(&sparse(&right)), truth);
        let dense = |counters: &[u64]| DenseClock::from_counters(Epoch(1), counters);
        prop_assert_eq!(dense(&left).compare(&dense(&right)), Ok(truth));
    }

    #[test]
    fn clock_p24_order_is_transitive(one in clocks(), two in clocks(), three in clocks()) {
        let larger = { let mut it = one.clone(); it.merge(&two); it };
        for (low, high) in [(&one, &larger), (&two, &larger)] {
            prop_assert!(low.compare(high).is_within());
        }
        if one.compare(&two).is_within() && two.compare(&three).is_within() {
            prop_assert!(one.compare(&three).is_within());
        }
    }

    #[test]
    fn clock_p24_merge_is_the_least_upper_bound(one in clocks(), two in clocks(), three in clocks()) {
        is_a_join([&one, &two, &three], |left, right| { let mut it = left.clone(); it.merge(right); it })?;
    }

    #[test]
    fn clock_p24_a_tick_strictly_grows(before in clocks(), id in 0..6u8) {
        let mut after = before.clone();
        let counter = after.tick(&id).unwrap();
        prop_assert_eq!(counter, before.get(&id) + 1);
        prop_assert_eq!(before.compare(&after), Before);
    }

    #[test]
    fn clock_vector_receive_is_merge_and_tick(own in clocks(), sent in clocks(), id in 0..6u8) {
        let mut received = own.clone();
        received.receive(&id, &sent).unwrap();
        let mut expected = own;
        expected.merge(&sent);
        expected.tick(&id).unwrap();
        prop_assert_eq!(received, expected);
    }
}

/// Both ways the same, and equal only what is equal.
fn is_an_order(
    left: &Clock,
    right: &Clock,
    compare: impl Fn(&Clock, &Clock) -> Causality,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(compare(right, left), compare(left, right).reverse());
    prop_assert_eq!(compare(left, right) == Equal, left == right);
    prop_assert_eq!(compare(left, left), Equal);
    Ok(())
}

/// Idempotent, commutative, associative; and the larger counter of each process, no more.
fn is_a_join(
    [one, two, three]: [&Clock; 3],
    merged: impl Fn(&Clock, &Clock) -> Clock,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(&merged(one, one), one);
    prop_assert_eq!(merged(one, two), merged(two, one));
    prop_assert_eq!(merged(&merged(one, two), three), merged(one, &merged(two, three)));
    for id in 0..6 {
        prop_assert_eq!(merged(one, two).get(&id), one.get(&id).max(two.get(&id)));
    }
    prop_assert!(one.compare(&merged(one, two)).is_within());
    Ok(())
}

#[test]
fn clock_p24_naive_orders_and_merges_are_found() {
    // Looks at its own processes only: greater both ways.
    let own_only = |left: &Clock, right: &Clock| {
        let larger = |left: &Clock, right: &Clock| left.iter().all(|(id, count)| count >= right.get(id));
        Causality::from_inclusion(larger(right, left), larger(left, right))
    };
    // Compares whole entries, as sets.
    let entries = |left: &Clock, right: &Clock| {
        let contains =
            |left: &Clock, right: &Clock| left.iter().all(|entry| right.iter().any(|it| it == entry));
        Causality::from_inclusion(contains(left, right), contains(right, left))
    };
    assert_some_case_breaks((clocks(), clocks()), |(left, right)| is_an_order(&left, &right, own_only));
    assert_some_case_breaks((clocks(), clocks()), |(left, right)| {
        prop_assert_eq!(entries(&left, &right), by_definition(&left, &right));
        Ok(())
    });

    let three = || (clocks(), clocks(), clocks());
    let combined = |combine: fn(u64, u64) -> u64| {
        move |left: &Clock, right: &Clock| {
            let counters = (0..6).map(|id| (id, combine(left.get(&id), right.get(&id))));
            VectorClock::try_from(counters.collect::<Vec<_>>()).unwrap()
        }
    };
    for naive in [|left, right| left + right, |_, right| right, |left: u64, right: u64| left.min(right)] {
        let check = |(one, two, three)| is_a_join([&one, &two, &three], combined(naive));
        assert_some_case_breaks(three(), check);
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sound = |(one, two, three)| is_a_join([&one, &two, &three], combined(u64::max));
    runner.run(&three(), sound).unwrap();
}

/// Which mistake the processes make.
#[derive(Clone, Copy, PartialEq)]
enum Twin {
    Sound,
    MergesWithoutTick,
    OverwritesInsteadOfMerging,
    TicksWithoutMerge,
}

struct Sparse {
    clocks: [VectorClock<usize>; 4],
    twin: Twin,
}

impl Clocks for Sparse {
    type Stamp = VectorClock<usize>;
    fn event(&mut self, process: usize) -> Self::Stamp {
        self.clocks[process].send(&process).unwrap()
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        let clock = &mut self.clocks[process];
        match self.twin {
            Twin::Sound => drop(clock.receive(&process, sent).unwrap()),
            Twin::MergesWithoutTick => clock.merge(sent),
            Twin::OverwritesInsteadOfMerging => {
                let own = clock.get(&process);
                *clock = sent.clone();
                while clock.get(&process) <= own {
                    clock.tick(&process).unwrap();
                }
            }
            Twin::TicksWithoutMerge => drop(clock.tick(&process).unwrap()),
        }
        clock.clone()
    }
}

fn order_is_happened_before(steps: &[Step], twin: Twin) -> Result<(), TestCaseError> {
    let events = run(steps, Sparse { clocks: [(); 4].map(|()| VectorClock::new()), twin });
    for_all_pairs(&events, |truth, left, right| {
        prop_assert_eq!(left.compare(right), truth);
        Ok(())
    })
}

#[derive(Clone)]
struct Dense([DenseClock; 4]);

impl Clocks for Dense {
    type Stamp = DenseClock;
    fn event(&mut self, process: usize) -> Self::Stamp {
        self.0[process].send(process).unwrap()
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        self.0[process].receive(process, sent).unwrap();
        self.0[process].clone()
    }
}

proptest! {
    #[test]
    fn clock_vector_order_is_happened_before(steps in steps(4)) {
        order_is_happened_before(&steps, Twin::Sound)?;
        let events = run(&steps, Dense([(); 4].map(|()| DenseClock::new(Epoch(7), 4))));
        for_all_pairs(&events, |truth, left, right| {
            prop_assert_eq!(left.compare(right).unwrap(), truth);
            Ok(())
        })?;
    }
}

#[test]
fn clock_vector_naive_twins_are_found() {
    for twin in [Twin::MergesWithoutTick, Twin::OverwritesInsteadOfMerging, Twin::TicksWithoutMerge] {
        assert_some_case_breaks(steps(4), |steps| order_is_happened_before(&steps, twin));
    }
}

#[test]
fn clock_vector_epochs_are_never_compared() {
    let (old, new) = (DenseClock::new(Epoch(1), 3), DenseClock::new(Epoch(2), 3));
    let different = VectorError::DifferentEpochs { left: Epoch(1), right: Epoch(2) };
    assert_eq!(old.compare(&new), Err(different));
    assert_eq!((old.epoch(), new.epoch()), (Epoch(1), Epoch(2)));
    let mut own = old.clone();
    assert_eq!(own.merge(&new), Err(different));
    assert_eq!(own.receive(0, &new), Err(different));
    assert_eq!(own, old);
    let wider = DenseClock::new(Epoch(1), 4);
    assert_eq!(own.merge(&wider), Err(VectorError::DifferentMembers { left: 3, right: 4 }));
    let stranger = VectorError::NoSuchMember { member: 3, members: 3 };
    assert_eq!((own.tick(3), own.receive(3, &old)), (Err(stranger), Err(stranger)));
    assert_eq!(own, old);
}

#[test]
fn clock_vector_processes_come_and_go() {
    let mut a: VectorClock<String> = VectorClock::new();
    let mut newcomer = VectorClock::new();
    a.tick(&"a".to_owned()).unwrap();
    let hello = newcomer.send(&"b".to_owned()).unwrap();
    a.receive(&"a".to_owned(), &hello).unwrap();
    // b is gone; what it did still happened before all that a does.
    let later = a.send(&"a".to_owned()).unwrap();
    assert_eq!(hello.compare(&later), Before);
    assert_eq!(later.to_string(), "[a:3 b:1]");
}
