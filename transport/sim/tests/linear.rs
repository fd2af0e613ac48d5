//! The checker of linearizability against histories that are, and histories that are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use proptest::prelude::*;
use synod_sim::linear::{Answer, Failure, Kind, Offence, Operation, check, check_within, parse};

#[path = "linear/brute.rs"]
mod brute;
#[path = "linear/corpus.rs"]
mod corpus;
#[path = "linear/simulated.rs"]
mod simulated;
use brute::brute;
use simulated::{Shape, simulated, stale};

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
fn refused(history: &[Operation]) -> Offence {
    match check(history) {
        Err(Failure::Offence(offence)) => *offence,
        other => panic!("must be refused: {other:?}"),
    }
}

#[track_caller]
fn bad(history: &[Operation], window: usize) {
    let offence = refused(history);
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
    bad(&[put(0, 1, "a"), get(2, 3, Some("z"))], 1);
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
    bad(&[open(swap(0, 0, Some("x"), "b", true)), put(1, 2, "a"), get(3, 4, Some("b"))], 2);
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
    assert_eq!(refused(&[put(0, 1, "a"), other]).key, "other");
}

#[test]
fn an_offence_reads_as_text() {
    let offence = refused(&[put(0, 1, "a"), put(2, 3, "b"), get(4, 5, Some("a"))]);
    let text = offence.to_string();
    assert!(text.contains("> [4 .. 5] client 2: get k -> \"a\""), "{text}");
    assert!(text.contains("  [2 .. 3] client 1: put k = \"b\" -> done"), "{text}");
}

#[test]
fn a_hundred_thousand_operations_over_three_hundred_keys() {
    let mut history =
        simulated(1, &Shape { clients: 60, operations: 100_000, keys: 300, ..Shape::default() });
    assert!(history.len() >= 99_000);
    good(&history);
    let victim = stale(&mut history, "v-never");
    let offence = refused(&history);
    assert_eq!(offence.culprit, history[victim]);
}

#[test]
fn one_hot_key_with_many_unknown_writes() {
    good(&simulated(2, &Shape { unknown_ppm: 50_000, ..Shape::default() }));
}

#[test]
fn many_unknown_outcomes_on_one_key_get_a_verdict() {
    // Writes of values all different, and of four values; 40 unknown writes or so.
    for values in [None, Some(4)] {
        let shape = Shape { operations: 1500, unknown_ppm: 50_000, values, swaps: false, ..Shape::default() };
        let mut history = simulated(3, &shape);
        let unknown = history.iter().filter(|it| it.complete.is_none() && it.kind != Kind::Get).count();
        assert!(unknown > 30, "{unknown}");
        good(&history);
        stale(&mut history, "never");
        let offence = refused(&history);
        assert!(offence.window.len() < 100, "{}", offence.window.len());
    }
}

#[test]
fn a_search_that_costs_too_much_is_undecided() {
    let mut history = simulated(3, &Shape { operations: 400, unknown_ppm: 50_000, ..Shape::default() });
    assert_eq!(check_within(&history, 1000), Ok(()));
    stale(&mut history, "never");
    let Err(Failure::Undecided { key, operations, configurations }) = check_within(&history, 1000) else {
        panic!("a thousand configurations are too few")
    };
    assert_eq!((key.as_str(), operations, configurations), ("k0", history.len(), 1000));
    // What is surely wrong elsewhere is found all the same.
    history.push(Operation { key: "z".into(), ..get(0, 1, Some("z")) });
    assert!(matches!(check_within(&history, 1000), Err(Failure::Offence(offence)) if offence.key == "z"));
}

#[test]
fn lines_that_say_no_operation_are_refused() {
    for line in
        ["1 put k", "1 put k a 5", "x put k a 0..1", "1 get k 0..1", "1 cas k a b 0..1 maybe", "1 pet k 0..1"]
    {
        let error = parse(&format!("1 put k a 0..1\n{line}\n")).expect_err(line);
        assert_eq!((error.line, error.text.as_str()), (2, line));
    }
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
        prop_assert_eq!(verdict.is_ok(), brute(&history, None));
        if let Err(Failure::Offence(offence)) = verdict {
            // What is shown must be a proof by itself, whatever the key held before when something was cut.
            let before = [None, Some("a"), Some("b"), Some("another")];
            let before = if offence.cut { &before[..] } else { &before[..1] };
            prop_assert!(before.iter().all(|before| !brute(&offence.window, *before)), "{}", offence);
        }
    }

    #[test]
    fn a_real_register_is_always_accepted(seed in any::<u64>(), values in proptest::option::of(1u64..4)) {
        let shape =
            Shape { clients: 5, operations: 60, keys: 2, unknown_ppm: 100_000, values, swaps: true };
        prop_assert!(check(&simulated(seed, &shape)).is_ok());
    }
}
