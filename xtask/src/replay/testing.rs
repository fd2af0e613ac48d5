//! Runs for tests, written down or made up.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;
use synod_transport::trace::{Value, read};

use super::read::{Part, merge};
use super::recording::Recording;

/// A recorded run, or a script.
pub(super) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay").join(name)
}

/// The run of these lines.
pub(super) fn recording(text: &str) -> Recording {
    let text: String = text.lines().map(|line| format!("{}\n", line.trim())).collect();
    let (part, error) = Part::read("run.ndjson".to_owned(), read(text.as_bytes()));
    assert!(error.is_none(), "{error:?}");
    merge(vec![part]).expect("one part")
}

/// A value from JSON.
pub(super) fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A value of a few names, so that two have something in common.
pub(super) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0u64..3).prop_map(Value::Number),
        select(&["Leader", "two words", "\u{1b}[2J"][..]).prop_map(Value::word),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = select(&["role", "term", "base", "\u{7}"][..]).prop_map(Into::into);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            proptest::collection::vec((name, inner), 0..3).prop_map(Value::Record),
        ]
    })
}

/// A run of three nodes: starts, crashes, pauses, steps with what they send, frames that arrive.
pub(super) fn any_recording() -> impl Strategy<Value = Recording> {
    let step = (1u64..4, 1u64..4, 0usize..6, any_value());
    proptest::collection::vec(step, 1..30).prop_map(|steps| {
        let mut text = String::new();
        for ((node, peer, kind, state), at) in steps.into_iter().zip(0..) {
            let state = serde_json::to_string(&state).expect("a value is JSON");
            let mut line = |rest: &str| text.push_str(&format!("{{\"at\":{at},\"node\":{node},{rest}}}\n"));
            let message = format!(r#""peer":{peer},"message":{{"kind":"Vote","term":{}}}"#, at % 3);
            match kind {
                0 => line(r#""event":"Crash","life":1"#),
                1 => line(r#""event":"Pause","until":9"#),
                2 => line(&format!(r#""event":"InitState","state":{state}"#)),
                3 => line(r#""event":"Wake""#),
                4 => line(&format!(r#""event":"ReceiveRequestVoteRequest",{message}"#)),
                _ => line(r#""event":"Timeout""#),
            }
            if kind > 2 {
                line(&format!(r#""event":"SendRequestVoteRequest",{message}"#));
                line(&format!(r#""event":"Ready","state":{state}"#));
            }
        }
        recording(&text)
    })
}
