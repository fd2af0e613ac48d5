//! The checker of linearizability against histories that are, and histories that are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use proptest::prelude::*;
use synod_sim::linear::{Answer, Kind, Operation, check};
use synod_transport::rng::Rng;

fn at(client: u64, invoke: u64, complete: u64, kind: Kind, result: Answer) -> Operation {
    Operation { client, key: "k".into(), kind, invoke, complete: Some(complete), result }
}

fn put(invoke: u64, complete: u64, value: &str) -> Operation {
    at(1, invoke, complete, Kind::Put(value.into()), Answer::Done)
}

fn get(invoke: u64, complete: u64, value: Option<&str>) -> Operation {
    at(2, invoke, complete, Kind::Get, Answer::Value(value.map(str::to_owned)))
}

fn swap(invoke: u64, complete: u64, expect: Option<&str>, new: &str, done: bool) -> Operation {
    let kind = Kind::CompareAndSet { expect: expect.map(str::to_owned), new: new.into() };
    at(3, invoke, complete, kind, Answer::Swapped(done))
}

fn delete(invoke: u64, complete: u64) -> Operation {
    at(4, invoke, complete, Kind::Delete, Answer::Done)
}

fn open(mut operation: Operation) -> Operation {
    operation.complete = None;
    operation.result = Answer::Unknown;
    operation
}

#[track_caller]
fn good(history: &[Operation]) {
    if let Err(offence) = check(history) {
        panic!("{offence}");
    }
}

#[track_caller]
fn bad(history: &[Operation], window: usize) {
    let offence = check(history).expect_err("must be refused");
    assert_eq!(offence.window.len(), window, "{offence}");
    assert!(offence.window.contains(&offence.culprit), "{offence}");
}

#[test]
fn a_sequence_of_every_kind_is_linearizable() {
    good(&[
        get(0, 1, None),
        put(2, 3, "a"),
        get(4, 5, Some("a")),
        swap(6, 7, Some("a"), "b", true),
        swap(8, 9, Some("a"), "c", false),
        get(10, 11, Some("b")),
        delete(12, 13),
        get(14, 15, None),
        swap(16, 17, None, "d", true),
        get(18, 19, Some("d")),
    ]);
}

#[test]
fn concurrent_operations_may_go_either_way() {
    good(&[put(0, 10, "a"), get(1, 2, None), get(3, 4, Some("a"))]);
    good(&[put(0, 10, "a"), put(0, 10, "b"), get(1, 2, Some("a")), get(3, 4, Some("b"))]);
    good(&[put(0, 10, "a"), get(10, 11, None)]);
}

#[test]
fn a_stale_read_is_refused() {
    bad(&[put(0, 1, "a"), put(2, 3, "b"), get(4, 5, Some("a"))], 2);
    bad(&[put(0, 10, "a"), get(1, 2, Some("a")), get(3, 4, None)], 3);
}

#[test]
fn a_lost_update_is_refused() {
    bad(&[put(0, 1, "a"), get(2, 3, None)], 2);
    bad(&[put(0, 1, "a"), swap(2, 9, Some("a"), "b", true), swap(2, 9, Some("a"), "c", true)], 2);
}

#[test]
fn a_read_of_what_was_never_written_is_refused() {
    bad(&[put(0, 1, "a"), get(2, 3, Some("z"))], 2);
}

#[test]
fn a_swap_that_should_have_succeeded_is_refused() {
    bad(&[put(0, 1, "a"), swap(2, 3, Some("a"), "b", false)], 2);
    bad(&[swap(2, 3, None, "b", false)], 1);
}

#[test]
fn a_command_applied_twice_is_refused() {
    // The first put comes back after the second, as if a retry had been applied again.
    bad(
        &[put(0, 1, "a"), get(2, 3, Some("a")), put(4, 5, "b"), get(6, 7, Some("b")), get(8, 9, Some("a"))],
        2,
    );
}

#[test]
fn an_unknown_write_may_have_happened_at_any_later_moment_or_never() {
    good(&[open(put(0, 0, "a")), get(5, 6, None), get(7, 8, Some("a"))]);
    good(&[open(put(0, 0, "a")), put(1, 2, "b"), get(3, 4, Some("b")), get(5, 6, Some("a"))]);
    good(&[open(put(0, 0, "a")), get(5, 6, None)]);
    good(&[open(delete(0, 0)), put(1, 2, "a"), get(3, 4, None)]);
    good(&[open(swap(0, 0, Some("a"), "b", true)), put(1, 2, "a"), get(3, 4, Some("b"))]);
    bad(&[open(put(0, 0, "a")), get(5, 6, Some("a")), get(7, 8, None)], 3);
    bad(&[open(put(9, 0, "a")), get(5, 6, Some("a"))], 1);
    bad(&[open(swap(0, 0, Some("x"), "b", true)), put(1, 2, "a"), get(3, 4, Some("b"))], 3);
}

#[test]
fn two_unknown_writes_may_follow_each_other_before_a_read() {
    let first = open(put(0, 0, "a"));
    good(&[first.clone(), open(swap(0, 0, Some("a"), "b", true)), get(3, 4, Some("b"))]);
    good(&[first, open(put(0, 0, "b")), swap(1, 2, Some("q"), "r", false), get(3, 4, Some("b"))]);
}

#[test]
fn an_unknown_read_says_nothing() {
    good(&[put(0, 1, "a"), open(get(2, 0, Some("zzz")))]);
}

#[test]
fn an_answer_without_a_return_says_nothing() {
    let mut read = get(2, 3, Some("zzz"));
    read.complete = None;
    let mut failed = swap(2, 3, None, "b", false);
    failed.complete = None;
    good(&[read, failed]);
}

#[test]
fn keys_do_not_mix() {
    let mut other = get(2, 3, None);
    other.key = "other".into();
    good(&[put(0, 1, "a"), other.clone()]);
    other.result = Answer::Value(Some("a".into()));
    assert_eq!(check(&[put(0, 1, "a"), other]).expect_err("never written there").key, "other");
}

#[test]
fn an_offence_reads_as_text() {
    let offence = check(&[put(0, 1, "a"), put(2, 3, "b"), get(4, 5, Some("a"))]).expect_err("stale");
    let text = offence.to_string();
    assert!(text.contains("> [4 .. 5] client 2: get k -> \"a\""), "{text}");
    assert!(text.contains("  [2 .. 3] client 1: put k = \"b\" -> done"), "{text}");
}

/// A history of a real register: each operation takes effect at a random moment between call and return.
fn simulated(seed: u64, clients: u64, operations: u64, keys: u64, unknown_ppm: u64) -> Vec<Operation> {
    let mut rng = Rng::new(seed);
    let mut planned: Vec<(u64, u64, u64, u64)> = Vec::new();
    for client in 0..clients {
        let mut now = rng.below(1000);
        for _ in 0..operations / clients {
            let (effect, end) = (now + rng.below(500), now + 500 + rng.below(500));
            planned.push((effect, client, now, end));
            now = end + 1 + rng.below(100);
        }
    }
    planned.sort_unstable();
    let mut values: Vec<Option<String>> = vec![None; usize::try_from(keys).unwrap()];
    let mut history = Vec::new();
    for (at, (_, client, invoke, complete)) in planned.into_iter().enumerate() {
        let key = rng.below(keys);
        let value = &mut values[usize::try_from(key).unwrap()];
        let lost = rng.chance_ppm(unknown_ppm);
        let happens = !lost || rng.chance_ppm(500_000);
        let (kind, result, after) = match rng.below(5) {
            0 | 1 => (Kind::Get, Answer::Value(value.clone()), value.clone()),
            2 => (Kind::Put(format!("v{at}")), Answer::Done, Some(format!("v{at}"))),
            3 => {
                let expect = if rng.chance_ppm(700_000) { value.clone() } else { Some("other".into()) };
                let done = expect == *value;
                let new = format!("v{at}");
                let after = if done { Some(new.clone()) } else { value.clone() };
                (Kind::CompareAndSet { expect, new }, Answer::Swapped(done), after)
            }
            _ => (Kind::Delete, Answer::Done, None),
        };
        if happens {
            *value = after;
        }
        let operation =
            Operation { client, key: format!("k{key}"), kind, invoke, complete: Some(complete), result };
        history.push(if lost { open(operation) } else { operation });
    }
    history
}

#[test]
fn a_hundred_thousand_operations_over_three_hundred_keys() {
    let mut history = simulated(1, 60, 100_000, 300, 20_000);
    assert!(history.len() >= 99_000);
    good(&history);
    let victim = history
        .iter()
        .rposition(|it| it.complete.is_some() && matches!(it.kind, Kind::Get))
        .expect("there are reads");
    history[victim].result = Answer::Value(Some("v-never".into()));
    let offence = check(&history).expect_err("one answer is false");
    assert_eq!(offence.culprit, history[victim]);
}

#[test]
fn one_hot_key_with_many_unknown_writes() {
    good(&simulated(2, 8, 1_000, 1, 50_000));
}

/// Tries every order of every subset of the open operations.
fn brute(history: &[Operation]) -> bool {
    fn go(left: &[Operation], value: Option<&str>) -> bool {
        if left.iter().all(|it| it.complete.is_none()) {
            return true;
        }
        let bound = left.iter().filter_map(|it| it.complete).min().unwrap();
        (0..left.len()).filter(|at| left[*at].invoke <= bound).any(|at| {
            let mut rest = left.to_vec();
            let it = rest.remove(at);
            let known = it.complete.is_some();
            let after: Option<&str> = match (&it.kind, &it.result) {
                (Kind::Get, Answer::Value(seen)) if known && seen.as_deref() != value => return false,
                (Kind::Get, _) => value,
                (Kind::Put(new), _) => Some(new),
                (Kind::Delete, _) => None,
                (Kind::CompareAndSet { expect, new }, answer) => {
                    let found = expect.as_deref() == value;
                    if known && *answer != Answer::Swapped(found) {
                        return false;
                    }
                    if found { Some(new) } else { value }
                }
            };
            go(&rest, after)
        })
    }
    go(history, None)
}

fn tiny() -> impl Strategy<Value = Vec<Operation>> {
    let value = || prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
    let kind = prop_oneof![
        proptest::option::of(value()).prop_map(|seen| (Kind::Get, Answer::Value(seen))),
        value().prop_map(|value| (Kind::Put(value), Answer::Done)),
        Just((Kind::Delete, Answer::Done)),
        (proptest::option::of(value()), value(), any::<bool>())
            .prop_map(|(expect, new, done)| (Kind::CompareAndSet { expect, new }, Answer::Swapped(done))),
    ];
    let operation = (kind, 0u64..12, 0u64..8, 0u32..5).prop_map(|((kind, result), invoke, long, fate)| {
        let operation = at(0, invoke, invoke + long, kind, result);
        if fate == 0 { open(operation) } else { operation }
    });
    proptest::collection::vec(operation, 0..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn agrees_with_every_order_on_tiny_histories(history in tiny()) {
        let verdict = check(&history);
        prop_assert_eq!(verdict.is_ok(), brute(&history));
        if let Err(offence) = verdict {
            // What is shown must be a proof by itself, when nothing before it was cut.
            prop_assert!(offence.cut || !brute(&offence.window), "{}", offence);
        }
    }

    #[test]
    fn a_real_register_is_always_accepted(seed in any::<u64>()) {
        prop_assert!(check(&simulated(seed, 5, 60, 2, 100_000)).is_ok());
    }
}
