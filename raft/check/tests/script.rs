//! Scripts as traces: whole, in order, the same each time, and behaviours of the specification.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proptest::prelude::*;
use synod_raft_check::refine::{Module, validate_world};
use synod_raft_check::script::{Problem, ScriptError, record, trace};
use synod_transport::trace::{Group, Line, Value, groups, read};

/// The scripts of synod-raft's tests, by name.
fn scripts() -> BTreeMap<String, String> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "tests", "scripts"].iter().collect();
    let files = std::fs::read_dir(folder).expect("the scripts").map(|file| file.unwrap().path());
    let named = files.map(|path| {
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    });
    named.collect()
}

fn traced(script: &str) -> Vec<u8> {
    let mut out = Vec::new();
    trace(script, &mut out).unwrap();
    out
}

fn lines(script: &str) -> Vec<Line> {
    read(&*traced(script)).map(Result::unwrap).collect()
}

fn word<'a>(line: &'a Line, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_text).unwrap_or_else(|| panic!("no {name} in {line:?}"))
}

fn number(line: &Line, name: &str) -> u64 {
    line.get(name).and_then(Value::as_number).unwrap_or_else(|| panic!("no {name} in {line:?}"))
}

/// The first message that arrives or is lost without being on its way. Frames are never cut here.
fn from_nowhere(lines: &[Line]) -> Option<&Line> {
    let mut away: Vec<(u64, u64, &Value)> = Vec::new();
    lines.iter().find(|line| {
        let (node, peer) = (line.node, line.peer.unwrap_or_default());
        let Some(message) = line.message.as_ref() else { return false };
        let (from, to) = if line.event.starts_with("Receive") { (peer, node) } else { (node, peer) };
        if line.event.starts_with("Send") {
            away.push((from, to, message));
        }
        let ends = line.event.starts_with("Receive") || line.event == "Drop";
        let found = away.iter().position(|it| *it == (from, to, message));
        ends && found.map(|at| away.remove(at)).is_none()
    })
}

#[test]
fn the_trace_of_every_script_is_whole_and_the_same_each_time() {
    let (scripts, mut events) = (scripts(), BTreeSet::new());
    assert!(scripts.len() >= 10);
    for (name, script) in &scripts {
        let bytes = traced(script);
        assert!(traced(script) == bytes, "{name}: two traces differ");
        let (mut steps, mut clock) = (0, 0);
        for group in groups(read(&*bytes)) {
            match group.unwrap_or_else(|error| panic!("{name}: {error}")) {
                Group::Step { input, effects, end } => {
                    assert_eq!(end.event, "Ready");
                    assert!(effects.iter().chain([&end]).all(|line| line.at == input.at));
                    assert!(input.at > clock || input.event == "Wake", "{name}: two steps at {clock}");
                    (steps, clock) = (steps + 1, input.at);
                }
                Group::Alone(line) => {
                    assert!(line.at >= clock, "{name}: back in time at {line:?}");
                    clock = line.at;
                }
            }
        }
        assert!(steps > 20, "{name}: {steps} steps");
        let lines = lines(script);
        println!("{name}: {steps} steps, {} lines", lines.len());
        assert_eq!(from_nowhere(&lines), None, "{name}");
        // A message whose sending is left out comes from nowhere.
        let received = lines.iter().find(|line| line.event.starts_with("Receive")).expect("a message");
        let sent = |line: &&Line| line.event.starts_with("Send") && line.message == received.message;
        let without: Vec<Line> = lines.iter().filter(|line| !sent(line)).cloned().collect();
        assert!(from_nowhere(&without).is_some(), "{name}");
        events.extend(lines.into_iter().map(|line| line.event));
    }
    let want = "Start InitState Crash Drop Partition PartitionHealed Pause Resume Apply Invoke Complete";
    for event in want.split(' ') {
        assert!(events.contains(event), "no {event}");
    }
}

#[test]
fn scripts_are_behaviours_of_the_specification() {
    let module = Module::read().unwrap();
    let mut steps = 0;
    // The specification's servers begin with nothing.
    for (name, script) in scripts().iter().filter(|(_, script)| !script.contains("\ndisk ")) {
        let allowed = validate_world(&module, &*traced(script));
        steps += allowed.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(steps > 500, "{steps} steps");
}

/// `client operation status` of each answer, in order.
fn answers(lines: &[Line]) -> Vec<(u64, u64, &str)> {
    let answers = lines.iter().filter(|line| line.event == "Complete");
    answers.map(|line| (number(line, "client"), number(line, "operation"), word(line, "status"))).collect()
}

#[test]
fn a_paused_leader_finds_another_and_its_clients_hear_of_it() {
    let lines = lines(&scripts()["paused_leader"]);
    let place = |event: &str| {
        lines
            .iter()
            .position(|line| line.event == event && line.node == 1)
            .unwrap_or_else(|| panic!("no {event}"))
    };
    let (paused, resumed) = (place("Pause"), place("Resume"));
    assert!(lines[paused + 1..resumed].iter().all(|line| line.node != 1), "it takes nothing meanwhile");
    assert!(lines[paused..resumed].iter().any(|line| line.event == "BecomeLeader" && line.node == 3));
    // Its read is refused, and x stands nowhere.
    assert_eq!(answers(&lines), [(2, 2, "Refused"), (1, 1, "Refused")]);
    let last = &lines.iter().rfind(|line| line.event == "Ready" && line.node == 1).unwrap().state;
    assert_eq!(last.as_ref().unwrap().get("role").and_then(Value::as_text), Some("Follower"));
}

#[test]
fn a_torn_write_is_dropped_and_sent_again() {
    let lines = lines(&scripts()["torn_write"]);
    let crash = lines.iter().find(|line| line.event == "Crash").expect("a crash");
    assert_eq!((number(crash, "unsynced"), number(crash, "survived")), (2, 1));
    assert_eq!(crash.get("torn").and_then(Value::as_bool), Some(true));
    let restored = lines.iter().rfind(|line| line.event == "InitState").and_then(|line| line.state.as_ref());
    let runs = restored.and_then(|state| state.get("log")?.get("runs")).expect("a log");
    assert_eq!(runs, &Value::from_iter([[1_u64, 3].into_iter().collect::<Value>()]), "z is gone");
    assert_eq!(answers(&lines), [(1, 1, "Done"), (1, 2, "Done"), (2, 3, "Done")]);
    let through = lines.iter().rfind(|line| line.event == "Apply" && line.node == 2).unwrap();
    assert_eq!(through.get("through"), Some(&[1_u64, 4].into_iter().collect()));
}

#[test]
fn what_a_crash_leaves_open_is_unknown() {
    let lines = lines("nodes 3\nlead 1\npropose 1 x\ncrash 1\n");
    assert_eq!(answers(&lines), [(1, 1, "Unknown")]);
    let refused = self::lines("nodes 3\nlead 1\npropose 2 x\n");
    let complete = refused.last().expect("lines");
    assert_eq!((word(complete, "status"), number(complete, "leader")), ("Refused", 1));
}

#[test]
fn a_bad_script_is_an_error_with_its_line() {
    let problem = |script: &str| match trace(script, Vec::new()).unwrap_err() {
        ScriptError::Command { line, problem } => (line, problem),
        error => panic!("{error}"),
    };
    assert_eq!(problem("dance"), (1, Problem::Unknown("dance".to_owned())));
    assert_eq!(problem("# three\n\nnodes x"), (3, Problem::Number("x".to_owned())));
    assert_eq!(problem("nodes 999999999999"), (1, Problem::Number("999999999999".to_owned())));
    assert_eq!(problem("nodes 3\n----\n\ncut 1-2"), (4, Problem::Link("1-2".to_owned())));
    let after = |command: &str| problem(&format!("nodes 3\n{command}")).1;
    assert_eq!(after("nodes 3"), Problem::Again);
    for nobody in
        ["read 4", "cut 1->4", "drop 4->1", "deliver 1->4", "disk 4 1 term 1", "restart 4", "crash 4"]
    {
        assert_eq!(after(nobody), Problem::Nobody(4), "{nobody}");
    }
    assert_eq!(after("restart 1"), Problem::Up(1));
    assert_eq!(after("resume 1"), Problem::NotPaused(1));
    assert_eq!(after("crash 1 torn"), Problem::Unsynced { node: 1, unsynced: 0 });
    assert_eq!(after("persist-one 1"), Problem::Unsynced { node: 1, unsynced: 0 });
    assert_eq!(after("campaign 1\ndisk 1 1 term 1"), Problem::NotFresh(1));
    for asked in ["read 2", "propose 2 x", "campaign 2", "persist 2", "pause 2"] {
        assert_eq!(after(&format!("crash 2\n{asked}")), Problem::Down(2), "{asked}");
        assert_eq!(after(&format!("pause 2\n{asked}")), Problem::Paused(2), "{asked}");
    }
    assert_eq!(after("pause 2\ndeliver 1->2"), Problem::Paused(2));
    assert!(matches!(after("disk 1 5 term 1"), Problem::Start { node: 1, .. }));
    assert!(matches!(record("nodes 0").map(drop), Ok(())));
}

/// What a writer says of itself.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_is_an_error() {
    assert!(matches!(trace("nodes 3", Full), Err(ScriptError::Write(_))));
}

/// A command of small numbers, most of which fit a cluster of three.
fn command() -> impl Strategy<Value = String> {
    let node = || 1_u8..4;
    let of_node = "(campaign|read|persist|persist-one|lead|crash|restart|pause|resume|propose)";
    prop_oneof![
        (of_node, node()).prop_map(|(command, node)| format!("{command} {node}")),
        ("propose", node(), "[a-c]( [a-c]){0,2}")
            .prop_map(|(command, node, what)| format!("{command} {node} {what}")),
        (node(), 0_u8..3).prop_map(|(node, keep)| format!("crash {node} keep {keep} torn")),
        ("(deliver|drop|cut)", node(), node())
            .prop_map(|(command, from, to)| format!("{command} {from}->{to}")),
        (node(), "[0-9](,[0-9]){0,3}", 0_u8..9)
            .prop_map(|(node, terms, term)| format!("disk {node} {terms} term {term}")),
        ("(tick|run)", 0_u16..1500).prop_map(|(command, millis)| format!("{command} {millis}")),
        "(settle|deliver-all|heal|queue|status|batch [0-2])".prop_map(|command| command),
        "[ -~]{0,12}".prop_map(|command| command),
    ]
}

proptest! {
    /// Of any script, the commands before the first that is an error make a whole trace.
    #[test]
    fn no_script_is_more_than_an_error(commands in prop::collection::vec(command(), 1..40)) {
        let mut script = "nodes 3\n".to_owned();
        for command in commands {
            let longer = format!("{script}{command}\n");
            match trace(&longer, std::io::sink()) {
                Ok(()) => script = longer,
                Err(ScriptError::Command { line, .. }) => prop_assert_eq!(line, longer.lines().count()),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        let lines = lines(&script);
        prop_assert_eq!(from_nowhere(&lines), None);
        prop_assert!(groups(lines.iter().cloned().map(Ok)).all(|group| group.is_ok()));
        let open = |event| lines.iter().filter(|line| line.event == event).count();
        prop_assert!(open("Complete") <= open("Invoke"));
    }
}
