//! Stamps through serde.

use serde_test::{Configure as _, Token, assert_de_tokens, assert_de_tokens_error, assert_tokens};
use synod_clock::hybrid::{Layout, NodeTimestamp, Timestamp};

use crate::hands::{NOW, stamp};

const TEXT: &str = "2024-01-01T00:00:00.000000Z#0042";

#[test]
fn text_for_people_and_a_number_for_machines() {
    let stamp = stamp(NOW, 42);
    assert_tokens(&stamp.readable(), &[Token::Str(TEXT)]);
    assert_tokens(&stamp.compact(), &[Token::U64(NOW << 12 | 42)]);
    // A number beyond 2^53 does not survive every reader of JSON; one that did is taken.
    assert_de_tokens(&stamp.readable(), &[Token::U64(NOW << 12 | 42)]);
    assert_de_tokens_error::<serde_test::Readable<Timestamp>>(
        &[Token::Str("2024-02-30T00:00:00Z")],
        "no such date or time of day from 1970 on",
    );
}

#[test]
fn with_its_node_as_json() {
    let it = NodeTimestamp::<u64>::new(stamp(NOW, 42), 3);
    let json = format!(r#"{{"stamp":"{TEXT}","node":3}}"#);
    assert_eq!(serde_json::to_string(&it).unwrap(), json);
    assert_eq!(serde_json::from_str::<NodeTimestamp>(&json).unwrap(), it);
}

/// Ticks of a watch crystal: none but the whole second is a short decimal fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Crystal;

impl Layout for Crystal {
    const LOGICAL_BITS: u32 = 16;
    const TICKS_PER_SECOND: u64 = 32_768;
}

#[test]
fn every_tick_of_a_second_comes_back_from_json() {
    for tick in 0..32_768 {
        let stamp = Timestamp::<Crystal>::from_parts(5 * 32_768 + tick, 1).unwrap();
        let json = serde_json::to_string(&stamp).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp<Crystal>>(&json).unwrap(), stamp, "{json}");
    }
}
