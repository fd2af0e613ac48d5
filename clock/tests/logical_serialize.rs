//! Logical clocks through serde: read back as they were, and refused when they lie.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde::de::DeserializeOwned;
use synod_clock::itc::{History, Stamp};
use synod_clock::lamport::LamportStamp;
use synod_clock::vector::{DenseClock, Epoch, PrunedClock, Siblings, VectorClock};

/// The text is what is written, and what is read.
fn check<T: serde::Serialize + DeserializeOwned + std::fmt::Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
    let back: T = serde_json::from_str(text).unwrap();
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
}

fn refused<T: DeserializeOwned + std::fmt::Debug>(texts: &[&str]) {
    for text in texts {
        let outcome = serde_json::from_str::<T>(text);
        assert!(outcome.is_err(), "{text}: {outcome:?}");
    }
}

fn clock(entries: &[(u8, u64)]) -> VectorClock<u8> {
    VectorClock::try_from(entries.to_vec()).unwrap()
}

#[test]
fn clock_lamport_stamps_are_read_back() {
    check(&LamportStamp { time: 3, node: "b".to_owned() }, r#"{"time":3,"node":"b"}"#);
}

#[test]
fn clock_vector_clocks_are_read_back() {
    check(&clock(&[(2, 3), (1, 4)]), "[[1,4],[2,3]]");
    let zero: VectorClock<u8> = serde_json::from_str("[[2,3],[1,0]]").unwrap();
    assert_eq!(zero, clock(&[(2, 3)]), "absent is zero");
    refused::<VectorClock<u8>>(&["[[2,3],[2,4]]", "[[2,-1]]", "{}"]);
    let mut dense = DenseClock::new(Epoch(7), 2);
    dense.tick(1).unwrap();
    check(&dense, r#"{"epoch":7,"counters":[0,1]}"#);
}

#[test]
fn clock_p25_pruned_clocks_are_read_back() {
    let mut pruned = clock(&[(1, 4), (2, 3), (3, 1)]).prune(|id, _| *id != 2);
    pruned.merge(&PrunedClock::from(clock(&[(4, 1)])));
    check(&pruned, r#"{"entries":[[1,4,4],[3,1,1],[4,1,3]],"ceiling":3}"#);
    refused::<PrunedClock<u8>>(&[
        r#"{"entries":[[2,1,1],[1,1,1]],"ceiling":0}"#,
        r#"{"entries":[[1,1,1],[1,1,1]],"ceiling":0}"#,
        r#"{"entries":[[1,2,1]],"ceiling":0}"#,
        r#"{"entries":[[1,0,1]],"ceiling":0}"#,
    ]);
}

#[test]
fn clock_dotted_siblings_are_read_back() {
    let mut siblings = Siblings::new();
    for value in ["milk", "bread"] {
        siblings.write(&1u8, &VectorClock::new(), value.to_owned()).unwrap();
    }
    let versions = r#"[[{"id":1,"counter":1},"milk"],[{"id":1,"counter":2},"bread"]]"#;
    check(&siblings, &format!(r#"{{"context":[[1,2]],"versions":{versions}}}"#));
    refused::<Siblings<u8, String>>(&[
        &format!(r#"{{"context":[[1,1]],"versions":{versions}}}"#),
        r#"{"context":[[1,1]],"versions":[[{"id":1,"counter":0},"milk"]]}"#,
        r#"{"context":[[1,1]],"versions":[[{"id":1,"counter":1},"a"],[{"id":1,"counter":1},"b"]]}"#,
        r#"{"context":[[1,2]],"versions":[[{"id":1,"counter":2},"a"],[{"id":1,"counter":1},"b"]]}"#,
    ]);
}

#[test]
fn clock_itc_stamps_are_read_back() {
    let mut one = Stamp::seed();
    let two = one.fork().unwrap();
    one.event().unwrap();
    check(&one, "\"8990\"");
    check(&two, "\"4c00\"");
    check(one.peek(), "\"0640\"");
    refused::<Stamp>(&["\"0640\"", "\"899\"", "\"8990 \"", "\"8G\"", "\"899000\"", "\"\"", "[137,144]"]);
    refused::<History>(&["\"8990\"", "\"3\"", "7"]);
}
