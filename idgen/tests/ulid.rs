//! ULID: the vectors of the specification and of its implementations, and what must be refused.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests of UUIDs")]
#[path = "uuid/support.rs"]
mod support;

use std::time::Duration;

use serde_json::Value;
use support::{Fixed, Listed, Settable};
use synod_idgen::codec::CodecError;
use synod_idgen::random::{RandomError, SeededRandom};
use synod_idgen::ulid::{OverflowPolicy, Ulid, UlidError, UlidGenerator, UlidOptions, UlidStepper};
use synod_idgen::uuid::Uuid;

const MS: Duration = Duration::from_millis(1);
const LAST_MS: u64 = (1 << 48) - 1;
const ALL_RANDOM: u128 = (1 << 80) - 1;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/ulid.json")).unwrap()
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().unwrap().iter().collect()
}

fn ulid(value: &Value) -> Ulid {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn idgen_ulid_every_vector_of_the_file_has_a_test() {
    let vectors = vectors();
    let mut names: Vec<&str> = vectors.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let known = [
        "decode_time",
        "known_nonconforming",
        "max",
        "monotonic",
        "must_reject",
        "overflow_after",
        "source",
        "time",
    ];
    assert_eq!(names, known);
}

#[test]
fn idgen_ulid_ten_symbols_of_time() {
    let vectors = vectors();
    assert_eq!(list(&vectors["time"]).len(), 2);
    for vector in list(&vectors["time"]) {
        let ms = vector["ms"].as_u64().unwrap();
        for random in [0, ALL_RANDOM] {
            let text = Ulid::from_parts(ms, random).unwrap().to_string();
            assert!(text.starts_with(vector["prefix"].as_str().unwrap()), "{text}");
        }
    }
    assert_eq!(list(&vectors["decode_time"]).len(), 1);
    for vector in list(&vectors["decode_time"]) {
        let id = ulid(&vector["ulid"]);
        assert_eq!(Some(id.unix_ms()), vector["ms"].as_u64());
        assert_eq!(id.time(), Duration::from_millis(id.unix_ms()));
        assert_eq!(id.to_string(), vector["ulid"].as_str().unwrap());
    }
}

#[test]
fn idgen_ulid_within_a_millisecond_the_random_part_is_one_more() {
    let vectors = vectors();
    assert_eq!(list(&vectors["monotonic"]).len(), 2);
    for run in list(&vectors["monotonic"]) {
        let run: Vec<Ulid> = list(run).into_iter().map(ulid).collect();
        let mut ids = UlidStepper::after(run[0], OverflowPolicy::Error);
        for expected in &run[1..] {
            assert_eq!(ids.try_next_at(run[0].time(), &Fixed(0)), Ok(*expected));
        }
    }
}

#[test]
fn idgen_p13_after_the_greatest_of_a_millisecond_comes_an_error_or_the_next_millisecond() {
    let greatest = ulid(&vectors()["overflow_after"]);
    assert_eq!(greatest.random(), ALL_RANDOM);
    assert_eq!(greatest.increment(), Err(UlidError::Overflow));

    let mut strict = UlidStepper::after(greatest, OverflowPolicy::Error);
    for _ in 0..3 {
        assert_eq!(strict.try_next_at(greatest.time(), &Fixed(u128::MAX)), Err(UlidError::Overflow));
    }
    let later = strict.try_next_at(greatest.time() + MS, &Fixed(u128::MAX)).unwrap();
    // The first of a millisecond leaves the first bit free.
    assert_eq!((later.unix_ms(), later.random()), (greatest.unix_ms() + 1, ALL_RANDOM >> 1));

    let mut lenient = UlidStepper::after(greatest, OverflowPolicy::NextMs);
    let ahead = lenient.try_next_at(greatest.time(), &Fixed(u128::MAX)).unwrap();
    assert_eq!(ahead, later);
    assert_eq!(lenient.try_next_at(greatest.time(), &Fixed(0)), later.increment());
    // And back to the clock's time.
    let back = lenient.try_next_at(greatest.time() + 2 * MS, &Fixed(0)).unwrap();
    assert_eq!((back.unix_ms(), back.random()), (greatest.unix_ms() + 2, 0));
}

#[test]
fn idgen_p13_the_shared_generator_counts_16_bits_under_either_policy() {
    let now = Duration::from_millis(1_469_918_176_385);
    for (overflow, expected) in [
        (OverflowPolicy::Error, Err(UlidError::Overflow)),
        (OverflowPolicy::NextMs, Ulid::from_parts(1_469_918_176_386, 5)),
    ] {
        let wall = Settable::at(now);
        let ids =
            UlidGenerator::with(&wall, Fixed(5 << 64), UlidOptions { overflow, ..UlidOptions::default() });
        let in_this_ms: Vec<Ulid> = (0..0x1_0000 - 5).map(|_| ids.try_next().unwrap()).collect();
        assert!(in_this_ms.iter().all(|id| id.time() == now));
        assert!(in_this_ms.is_sorted_by(|a, b| a < b));
        assert_eq!(ids.try_next(), expected);
        wall.set(now + 2 * MS);
        assert_eq!(ids.try_next().unwrap().time(), now + 2 * MS);
        assert_eq!(ids.lead(), Ok(Duration::ZERO));
    }
}

#[test]
fn idgen_p11_what_is_no_ulid_is_refused() {
    let vectors = vectors();
    assert_eq!(ulid(&vectors["max"]), Ulid::MAX);
    assert_eq!(Ulid::MAX.to_string(), vectors["max"].as_str().unwrap());
    assert_eq!(list(&vectors["must_reject"]).len(), 6);
    for text in list(&vectors["must_reject"]) {
        let text = text.as_str().unwrap();
        assert!(text.parse::<Ulid>().is_err(), "{text}");
        assert!(Ulid::decode_with_aliases(text).is_err(), "{text}");
    }
    let refused = |text| Ulid::decode(text).unwrap_err();
    assert_eq!(refused("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"), CodecError::Overflow);
    assert_eq!(refused("01ARYZ6S41TSV4RRFFQ69G5FA"), CodecError::Length { expected: 26, actual: 25 });
    assert_eq!(refused("01ARYZ6S41TSV4RRFFQ69G5FAU"), CodecError::Symbol { position: 25, found: 'U' });
}

#[test]
fn idgen_p11_letters_like_digits_are_read_only_where_asked_for() {
    for text in ["O1ARZ3NDEKTSV4RRFFQ69G5FAV", "0iARZ3NDEKTSV4RRFFQ69G5FAV", "0LARZ3NDEKTSV4RRFFQ69G5FAV"] {
        assert!(matches!(Ulid::decode(text), Err(CodecError::Symbol { .. })), "{text}");
        assert_eq!(Ulid::decode_with_aliases(text), Ulid::decode("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "{text}");
    }
    assert_eq!(Ulid::decode("01arz3ndektsv4rrffq69g5fav"), Ulid::decode("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
}

#[test]
fn idgen_p12_two_to_the_48_milliseconds_are_an_error() {
    let beyond = Duration::from_millis(LAST_MS + 11);
    assert_eq!(Ulid::from_parts(LAST_MS + 11, 0), Err(UlidError::TimeOverflow));
    assert_eq!(Ulid::from_parts(0, ALL_RANDOM + 1), Err(UlidError::RandomOverflow));
    assert_eq!(Ulid::random_at(beyond, &Fixed(0)), Err(UlidError::TimeOverflow));
    assert_eq!(Ulid::random_at(Duration::MAX, &Fixed(0)), Err(UlidError::TimeOverflow));
    let mut stepper = UlidStepper::new(OverflowPolicy::NextMs);
    assert_eq!(stepper.try_next_at(beyond, &Fixed(0)), Err(UlidError::TimeOverflow));
    let far = synod_idgen::wall::from_fn(|| Duration::from_millis(LAST_MS + 11));
    let ids = UlidGenerator::with(far, Fixed(0), UlidOptions::default());
    assert_eq!((ids.try_next(), ids.lead()), (Err(UlidError::TimeOverflow), Err(UlidError::TimeOverflow)));
}

#[test]
fn idgen_p12_ids_ahead_of_the_clock_end_with_the_field_and_do_not_begin_again() {
    let end = synod_idgen::wall::from_fn(|| Duration::from_millis(LAST_MS));
    let ids = UlidGenerator::with(end, Fixed(u128::MAX), UlidOptions::default());
    // Two are left: a block of three is refused and takes nothing.
    assert!(ids.raise_above(Ulid::from_parts(LAST_MS, 0xfffd << 64).unwrap()));
    assert_eq!(ids.reserve(3).map(|block| block.len()), Err(UlidError::TimeOverflow));
    assert!(ids.try_next().unwrap() < Ulid::MAX);
    let last = ids.try_next().unwrap();
    assert_eq!(last, Ulid::MAX);
    for _ in 0..3 {
        assert_eq!(ids.try_next(), Err(UlidError::TimeOverflow));
        assert_eq!(ids.reserve(2).map(|block| block.len()), Err(UlidError::TimeOverflow));
    }
    let mut stepper = UlidStepper::after(Ulid::MAX, OverflowPolicy::NextMs);
    assert_eq!(stepper.try_next_at(Ulid::MAX.time(), &Fixed(0)), Err(UlidError::TimeOverflow));
}

#[test]
fn idgen_ulid_a_failing_source_of_random_bits_is_an_error_and_not_an_id() {
    let ids = UlidGenerator::with(Settable::at(MS), Listed::new(&[]), UlidOptions::default());
    assert_eq!(ids.try_next(), Err(UlidError::Random(RandomError::Source)));
    let mut stepper = UlidStepper::new(OverflowPolicy::Error);
    assert_eq!(stepper.try_next_at(MS, &Listed::new(&[1])), Err(RandomError::Source.into()));
    assert!(stepper.try_next_at(MS, &Listed::new(&[1, 1])).is_ok());
}

#[test]
fn idgen_ulid_text_bytes_and_numbers_sort_alike() {
    let random = SeededRandom::new(11);
    let mut ids: Vec<Ulid> = (0..500_u64)
        .map(|at| Ulid::random_at(MS * u32::try_from(at * 7919 % 500).unwrap(), &random).unwrap())
        .collect();
    ids.sort_unstable();
    assert!(ids.is_sorted_by_key(ToString::to_string));
    assert!(ids.is_sorted_by_key(|id| id.to_bytes()));
    assert!(ids.is_sorted_by_key(|id| id.unix_ms()));
    for id in ids {
        assert_eq!((Ulid::from_bytes(id.to_bytes()), Ulid::from(Uuid::from(id))), (id, id));
        assert_eq!(Ulid::from_parts(id.unix_ms(), id.random()), Ok(id));
    }
}
