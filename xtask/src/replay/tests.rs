//! Sessions as scripts, and what must hold of any session.

use std::fs;

use anstream::StripStream;
use expect_test::expect_file;
use proptest::prelude::*;

use super::read;
use super::recording::Recording;
use super::session::{Answer, Session};
use super::testing::{any_recording, any_value, file};
use super::*;

/// What a session prints, without colours.
fn printed(session: &mut Session<'_>, line: &str) -> (Answer, String) {
    let mut out = StripStream::new(Vec::new());
    let answer = session.obey(line, &mut out).expect("memory takes everything");
    (answer, String::from_utf8(out.into_inner()).expect("text"))
}

/// A script is the name of a trace, and commands behind `$ `, each with what it printed and its status if it is not 0.
/// `UPDATE_EXPECT=1` writes it anew.
fn replay(name: &str) {
    let path = file(name);
    let script = fs::read_to_string(&path).expect("a script");
    let trace = script.lines().next().expect("the name of a trace").trim_start_matches("trace ");
    let (run, notes) = read::open(&[file(trace)]).expect("a trace");
    let mut session = Session::new(&run);
    let mut produced = format!("trace {trace}\n");
    produced.extend(notes.iter().map(|note| format!("note: {note}\n")));
    let commands: Vec<_> = script.lines().filter_map(|line| line.strip_prefix('$')).collect();
    assert!(commands.len() > 5, "a script with few commands says little");
    for command in commands {
        let (answer, text) = printed(&mut session, command);
        let status = if answer == Answer::Refused { "(refused)\n" } else { "" };
        produced.push_str(&format!("\n${command}\n{text}{status}"));
    }
    expect_file![path].assert_eq(&produced);
}

#[test]
fn an_election_step_by_step() {
    replay("election.txt");
}

#[test]
fn the_counterexample_of_an_exploration_step_by_step() {
    replay("counterexample.txt");
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    replay("refused.txt");
}

#[test]
fn a_cut_trace_is_shown_to_its_end() {
    replay("cut.txt");
}

#[test]
fn a_script_whose_command_was_refused_ends_badly_and_does_the_rest() {
    let (run, _) = read::open(&[file("election.ndjson")]).expect("a trace");
    let done = |lines: &[&str]| {
        let (mut session, mut out) = (Session::new(&run), StripStream::new(Vec::new()));
        let lines = lines.iter().map(|line| Ok((*line).to_owned()));
        let verdict = obey_all(&mut session, lines, &mut out).expect("memory takes everything");
        (verdict, String::from_utf8(out.into_inner()).expect("text"))
    };
    assert_eq!(done(&["next", "states"]).0, Verdict::Holds);
    let (verdict, text) = done(&["fly", "next"]);
    assert!(verdict == Verdict::Broken && text.contains("#1 of 75"), "{text}");
    assert_eq!(done(&["quit", "fly"]), (Verdict::Holds, String::new()));
    assert_eq!(done(&["", ""]), (Verdict::Holds, String::new()), "there is nothing to do again");
}

#[test]
fn colours_are_there_until_they_are_stripped() {
    let (run, _) = read::open(&[file("election.ndjson")]).expect("a trace");
    let (mut plain, mut coloured) = (Session::new(&run), Vec::new());
    Session::new(&run).obey("next", &mut coloured).expect("memory takes everything");
    assert!(coloured.contains(&0x1b));
    assert!(!printed(&mut plain, "next").1.contains('\u{1b}'));
}

/// Where the session stands, and what it shows there.
fn view(session: &mut Session<'_>, run: &Recording) -> String {
    let nodes = run.nodes().map(|node| format!("state {node}"));
    let commands: Vec<_> = ["list 1".to_owned(), "states".to_owned()].into_iter().chain(nodes).collect();
    commands.iter().map(|command| printed(session, command).1).collect()
}

proptest! {
    #[test]
    fn back_undoes_next_anywhere(run in any_recording(), start in 0usize..40, count in 1usize..40) {
        let start = start % (run.len() + 1);
        let mut session = Session::new(&run);
        printed(&mut session, &format!("goto {start}"));
        let before = view(&mut session, &run);
        let moved = count.min(run.len() - start);
        let (answer, there) = printed(&mut session, &format!("next {count}"));
        prop_assert_eq!(answer, if moved == 0 { Answer::Refused } else { Answer::Given });
        let mut direct = Session::new(&run);
        if moved > 0 {
            // The way does not matter.
            prop_assert_eq!(there, printed(&mut direct, &format!("goto {}", start + moved)).1);
            printed(&mut session, &format!("back {moved}"));
        }
        prop_assert_eq!(view(&mut session, &run), before);
    }

    #[test]
    fn the_stops_of_run_are_those_of_a_walk_and_reverse_meets_them_in_turn(run in any_recording()) {
        let text = "event ~ Vote or changed(state) and not node = 2";
        let predicate = predicate::Predicate::parse(text).expect("well formed");
        let mut walked: Vec<_> = (1..=run.len()).filter(|number| predicate.holds(&run, *number)).collect();
        let mut session = Session::new(&run);
        printed(&mut session, &format!("break {text}"));
        let mut stops = |command: &str| {
            let mut stops = Vec::new();
            for _ in 0..=run.len() {
                let (Answer::Given, text) = printed(&mut session, command) else { break };
                let stop = text.lines().nth(1).and_then(|head| head.strip_prefix('#')?.split(' ').next());
                stops.extend(stop.and_then(|stop| stop.parse::<usize>().ok()).filter(|_| text.starts_with("break 1")));
            }
            stops
        };
        prop_assert_eq!(&stops("run"), &walked);
        // It stands on the last unit, which cannot be met from there.
        walked.retain(|stop| *stop < run.len());
        walked.reverse();
        prop_assert_eq!(stops("reverse"), walked);
    }

    #[test]
    fn any_line_is_done_or_refused(lines in proptest::collection::vec(any_line(), 0..12), run in any_recording()) {
        let mut session = Session::new(&run);
        for line in lines {
            let (_, text) = printed(&mut session, &line);
            prop_assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
        }
    }

    #[test]
    fn any_file_is_shown_or_refused(lines in proptest::collection::vec(any_trace_line(), 0..12)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.ndjson");
        fs::write(&path, lines.concat()).expect("a file");
        if let Ok((run, _)) = read::open(&[path]) {
            let mut session = Session::new(&run);
            for line in ["goto end", "list 20", "states", "why", "diff", "break event ~ e and state", "reverse"] {
                printed(&mut session, line);
            }
        }
    }
}

fn any_line() -> impl Strategy<Value = String> {
    let words = &[
        "next",
        "back",
        "goto",
        "run",
        "reverse",
        "break",
        "breaks",
        "delete",
        "state",
        "states",
        "diff",
        "list",
        "find",
        "why",
        "help",
        "1",
        "7",
        "18446744073709551615",
        "n2",
        "end",
        "violation",
        "node",
        "=",
        "(",
        "not",
        "state.term",
        "\u{1b}",
        "Vote",
    ];
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(proptest::sample::select(&words[..]), 0..5)
            .prop_map(|words| words.join(" ")),
    ]
}

fn any_trace_line() -> impl Strategy<Value = String> {
    let events =
        &["Wake", "Ready", "Failed", "Crash", "SendX", "ReceiveX", "Seal", "Start", "Timeout", "Violation"];
    let state = any_value().prop_map(|state| serde_json::to_string(&state).expect("JSON"));
    prop_oneof![
        1 => any::<String>(),
        9 => (0u64..3, 0u64..3, proptest::sample::select(&events[..]), state).prop_map(|(at, node, event, state)| {
            format!(
                "{{\"at\":{at},\"node\":{node},\"event\":\"{event}\",\"peer\":1,\"seal\":1,\"message\":{state},\"state\":{state}}}\n"
            )
        }),
    ]
}
