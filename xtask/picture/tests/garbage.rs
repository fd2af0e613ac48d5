//! Whatever stands in a trace, there is a picture or an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use synod_picture::{Look, clocks, data, page, processes_in, read_lines, shiviz};
use synod_transport::trace::{Line, Ndjson, Recorder as _, Value};

const EVENTS: &[&str] = &[
    "Start",
    "InitState",
    "Wake",
    "Propose",
    "Read",
    "Persisted",
    "Command",
    "ReceiveX",
    "SendX",
    "Seal",
    "BecomeLeader",
    "Write",
    "Commit",
    "Ready",
    "Failed",
    "Crash",
    "Pause",
    "Resume",
    "Partition",
    "PartitionHealed",
    "LinkDown",
    "LinkUp",
    "Drop",
    "Duplicate",
    "Apply",
    "Heal",
    "Violation",
    "Invoke",
    "Complete",
    "Timeout",
    "Lost",
    "Broken",
    "</script>",
    "",
];

const NAMES: &[&str] = &[
    "kind",
    "term",
    "after",
    "runs",
    "granted",
    "matched",
    "refused",
    "round",
    "proposed",
    "role",
    "commit",
    "id",
    "through",
    "life",
    "tag",
    "client",
    "operation",
    "status",
    "cut",
    "reason",
    "invariant",
    "text",
    "why",
    "unix_nanos",
    "command",
    "request",
    "count",
    "key",
    "state",
];

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4u64, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        prop_oneof![Just("Leader".to_owned()), Just("loss".to_owned()), any::<String>()]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let field = (proptest::sample::select(NAMES).prop_map(Into::into), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::List),
            proptest::collection::vec(field, 0..4).prop_map(Value::Record),
        ]
    })
}

fn line() -> impl Strategy<Value = Line> {
    let fields =
        proptest::collection::vec((proptest::sample::select(NAMES).prop_map(Into::into), value()), 0..4);
    let head = (number(), number(), proptest::sample::select(EVENTS), proptest::option::of(number()));
    let rest = (proptest::option::of(value()), fields, proptest::option::of(value()));
    (head, rest).prop_map(|((at, node, event, peer), (message, fields, state))| Line {
        at,
        node,
        event: event.to_owned(),
        peer,
        message,
        fields: fields.into_iter().filter(|(name, _)| name != "state").collect(),
        state,
    })
}

proptest! {
    #[test]
    fn any_lines_give_a_picture_or_an_error(lines in proptest::collection::vec(line(), 0..40)) {
        let empty = lines.is_empty();
        let run = read_lines(lines, "anything");
        prop_assert_eq!(run.is_err(), empty);
        if let Ok(run) = run {
            let (data, details) = data(&run, &Look::default());
            prop_assert!(serde_json::from_str::<serde_json::Value>(&data).is_ok());
            prop_assert_eq!(details.lines().count(), run.steps.len());
            prop_assert_eq!(page(&run, &Look::default()).matches("<script").count(), 4);
            let text = shiviz(&run);
            prop_assert!(text.lines().count() >= 2);
            let clocks = clocks(&run);
            prop_assert!((0..run.steps.len()).all(|step| !clocks.before(step, step)));
        }
    }

    #[test]
    fn any_files_of_processes_give_a_picture_or_an_error(files in proptest::collection::vec(proptest::collection::vec(line(), 1..15), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        for (at, lines) in files.iter().enumerate() {
            let mut out = Ndjson::new(std::fs::File::create(folder.path().join(format!("{at}.ndjson"))).unwrap());
            lines.iter().for_each(|line| out.record(line.to_event()));
            out.finish().unwrap();
        }
        if let Ok(run) = processes_in(folder.path()) {
            let times: Vec<u64> = run.steps.iter().map(|step| step.at).collect();
            prop_assert!(times.is_sorted());
            let forward = run.arrows.iter().filter_map(|arrow| Some((arrow.from.1?, arrow.to.1?)));
            prop_assert!(forward.clone().all(|(from, to)| from < run.steps.len() && to < run.steps.len()));
            prop_assert!(!shiviz(&run).is_empty());
        }
    }
}

#[test]
fn a_file_that_is_no_trace_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.ndjson");
    std::fs::write(&path, "{\"at\":1}\n").unwrap();
    let error = synod_picture::read_file(&path).unwrap_err().to_string();
    assert!(error.contains("no.ndjson") && error.contains("line 1"), "{error}");
    std::fs::write(&path, "").unwrap();
    assert!(synod_picture::read_file(&path).unwrap_err().to_string().contains("nothing happened"));
    assert!(processes_in(&folder.path().join("none")).is_err());
    assert!(synod_picture::processes(&[]).is_err());
}
