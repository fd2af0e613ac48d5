//! What a picture says of simulated worlds is what their traces say, counted another way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use synod_picture::{Clocks, Fate, LaneKind, Lasting, Run, WriteEnd, clocks, read_lines};
use synod_raft_check::registry::Plant;
use synod_raft_check::run_covered_traced;
use synod_sim::Kept;
use synod_transport::trace::{Line, Value, read};

fn trace(seed: u64, nodes: u64, plant: Option<&str>) -> Vec<Line> {
    let out = Kept::default();
    let plant = plant.map(|name| Plant::from_name(name).unwrap());
    run_covered_traced(seed, nodes, plant, Box::new(out.clone())).unwrap();
    read(&*out.take()).collect::<Result<_, _>>().unwrap()
}

fn count(lines: &[Line], event: impl Fn(&str) -> bool) -> usize {
    lines.iter().filter(|line| event(&line.event)).count()
}

/// What is wrong with the picture of these lines.
fn faults(lines: &[Line], run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    let mut same = |what: &str, drawn: usize, told: usize| {
        if drawn != told {
            faults.push(format!("{what}: {drawn} drawn, {told} told"));
        }
    };
    let arrows = |fate: fn(&Fate) -> bool| run.arrows.iter().filter(|arrow| fate(&arrow.fate)).count();
    let came = arrows(|fate| *fate == Fate::Delivered);
    same("came", came, count(lines, |event| event.starts_with("Receive")));
    same("lost", arrows(|fate| matches!(fate, Fate::Lost(_))), count(lines, |event| event == "Drop"));
    same("without a sender", run.arrows.iter().filter(|arrow| arrow.from.1.is_none()).count(), 0);
    let copies = run.arrows.iter().filter(|arrow| arrow.copy && arrow.fate == Fate::Delivered).count();
    let doubled = count(lines, |event| event == "Duplicate");
    if copies > doubled {
        faults.push(format!("copies: {copies} drawn, at most {doubled} told"));
    }
    for arrow in &run.arrows {
        if let (Some(from), Some(to)) = (arrow.from.1, arrow.to.1) {
            let (sent, received) = (&run.steps[from], &run.steps[to]);
            if from >= to || sent.at > received.at || sent.lane != arrow.from.0 || received.lane != arrow.to.0
            {
                faults.push(format!("an arrow from {from} to {to}"));
            }
        }
    }
    faults
}

#[test]
fn arrows_are_what_the_trace_says_became_of_messages() {
    let (mut lost, mut copies) = (0, 0);
    for seed in 0..40 {
        let lines = trace(seed, if seed % 2 == 0 { 3 } else { 5 }, None);
        let run = read_lines(lines.clone(), "a world").unwrap();
        assert_eq!(faults(&lines, &run), [""; 0], "seed {seed}");
        lost += run.arrows.iter().filter(|arrow| matches!(arrow.fate, Fate::Lost(_))).count();
        copies += run.arrows.iter().filter(|arrow| arrow.copy).count();
    }
    assert!(lost > 100 && copies > 100, "{lost} lost, {copies} copies: these seeds prove little");
}

#[test]
fn a_sending_that_is_left_out_is_noticed() {
    let mut lines = trace(0, 3, None);
    let came = lines.iter().position(|line| line.event.starts_with("ReceiveAppend")).unwrap();
    let (to, message) = (lines[came].node, lines[came].message.clone());
    // All that say the same, or another one would pass for it.
    lines
        .retain(|line| !(line.event.starts_with("Send") && line.peer == Some(to) && line.message == message));
    let run = read_lines(lines.clone(), "a world").unwrap();
    assert!(faults(&lines, &run).iter().any(|fault| fault.starts_with("without a sender")));
}

/// Every step that happened before this one, by walking back.
fn past(run: &Run, step: usize) -> BTreeSet<usize> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![step]);
    while let Some(at) = open.pop() {
        let own = (0..at).rev().find(|before| run.steps[*before].lane == run.steps[at].lane);
        let sent = run.arrows.iter().filter(|arrow| arrow.to.1 == Some(at)).filter_map(|arrow| arrow.from.1);
        let told = run.links.iter().filter(|(_, to)| *to == at).map(|(from, _)| *from);
        for before in own.into_iter().chain(sent).chain(told) {
            if seen.insert(before) {
                open.push(before);
            }
        }
    }
    seen
}

fn agrees(run: &Run, clocks: &Clocks) -> bool {
    (0..run.steps.len()).step_by(7).all(|step| {
        let past = past(run, step);
        (0..run.steps.len()).all(|other| clocks.before(other, step) == past.contains(&other))
    })
}

#[test]
fn clocks_say_what_a_walk_along_the_arrows_says() {
    for seed in [3, 7] {
        let lines = trace(seed, 3, None);
        let run = read_lines(lines.into_iter().take(1500).collect(), "a world").unwrap();
        assert!(agrees(&run, &clocks(&run)), "seed {seed}");
        // Where a node hears of nobody, they do not.
        let mut less = run.clone();
        less.arrows.retain(|arrow| arrow.to.0 != 1);
        assert!(!agrees(&run, &clocks(&less)), "seed {seed}");
    }
}

#[test]
fn roles_commits_and_crashes_are_those_of_the_states() {
    let run = read_lines(trace(7, 3, None), "a world").unwrap();
    let mut down = BTreeSet::new();
    for (at, step) in run.steps.iter().enumerate() {
        let Some(lane) = run.lanes.get(step.lane).filter(|lane| lane.kind == LaneKind::Node) else {
            continue;
        };
        match step.cause() {
            "Crash" => drop(down.insert(lane.id)),
            "Start" => drop(down.remove(&lane.id)),
            _ => {}
        }
        let here = |span: &&synod_picture::Span| {
            span.lane == step.lane && span.from <= at && span.to.is_none_or(|to| at < to)
        };
        let spans: Vec<_> = run.spans.iter().filter(here).map(|span| span.what.clone()).collect();
        assert_eq!(spans.contains(&Lasting::Down), down.contains(&lane.id), "step {at}");
        let Some(state) = step.state() else { continue };
        let text = state.get("role").and_then(Value::as_text).unwrap().to_owned();
        let term = state.get("term").and_then(Value::as_number);
        assert!(spans.contains(&Lasting::Role(text, term)), "step {at}: {spans:?}");
        let commit =
            run.commits.iter().rfind(|(lane, from, _)| *lane == step.lane && *from <= at).map(|it| it.2);
        assert_eq!(commit, state.get("commit").and_then(Value::as_number), "step {at}");
    }
    assert!(run.spans.iter().any(|span| span.what == Lasting::Down && span.to.is_some()));
    assert!(run.spans.iter().any(|span| span.what == Lasting::Paused));
}

#[test]
fn writes_end_with_their_receipt_or_with_a_crash() {
    let (mut lost, mut synced) = (0, 0);
    for seed in 0..6 {
        let lines = trace(seed, 3, None);
        let run = read_lines(lines.clone(), "a world").unwrap();
        assert_eq!(run.writes.len(), count(&lines, |event| event == "Write"), "seed {seed}");
        for write in &run.writes {
            let Some(to) = write.to else { continue };
            let end = run.steps[to].cause();
            assert_eq!(end == "Persisted", write.end == WriteEnd::Synced, "{write:?} ends with {end}");
            assert_eq!(run.steps[to].lane, write.lane);
            *if write.end == WriteEnd::Synced { &mut synced } else { &mut lost } += 1;
        }
        for (at, step) in run.steps.iter().enumerate().filter(|(_, step)| step.cause() == "Crash") {
            // What the crash says the disk has is what is drawn of its writes.
            let ends = run.writes.iter().filter(|write| write.lane == step.lane && write.to == Some(at));
            let ends: Vec<WriteEnd> = ends.map(|write| write.end).collect();
            let told = |name: &str| step.lines[0].get(name).unwrap().clone();
            let drawn = |end: WriteEnd| ends.iter().filter(|it| **it == end).count();
            assert_eq!(told("unsynced").as_number(), Some(ends.len() as u64), "seed {seed}");
            assert_eq!(told("survived").as_number(), Some(drawn(WriteEnd::Survived) as u64), "seed {seed}");
            assert_eq!(told("torn").as_bool().unwrap(), drawn(WriteEnd::Torn) == 1, "seed {seed}");
        }
    }
    assert!(lost > 0 && synced > 100, "{lost} lost, {synced} synced: these seeds prove little");
}

#[test]
fn operations_have_the_times_of_their_lines_and_hang_together_with_nodes() {
    let lines = trace(7, 3, None);
    let run = read_lines(lines.clone(), "a world").unwrap();
    assert_eq!(run.operations.len(), count(&lines, |event| event == "Invoke"));
    let ended = run.operations.iter().filter(|operation| operation.to.is_some()).count();
    assert_eq!(ended, count(&lines, |event| event == "Complete"));
    let clocks = clocks(&run);
    let done = run.operations.iter().filter(|operation| operation.status == "Done");
    for operation in done.clone() {
        // A node took a step in between.
        let between = (operation.from..operation.to.unwrap())
            .any(|step| clocks.before(operation.from, step) && clocks.before(step, operation.to.unwrap()));
        assert!(between, "{operation:?}");
    }
    assert!(done.count() > 10);
}

#[test]
fn a_violation_is_where_the_trace_ends() {
    let run = read_lines(trace(13, 5, Some("commit-older-term")), "a world").unwrap();
    let (step, text) = run.violation.clone().unwrap();
    assert_eq!(step, run.steps.len() - 1);
    assert!(text.starts_with("read-freshness: ") && text.len() > 30, "{text}");
    assert!(read_lines(trace(13, 5, None), "a world").unwrap().violation.is_none());
}

#[test]
fn nothing_is_no_picture_and_half_a_trace_is_one() {
    assert!(read_lines(Vec::new(), "nothing").is_err());
    let lines = trace(7, 3, None);
    for cut in [1, 2, 3, 50, 333] {
        let run = read_lines(lines[..cut].to_vec(), "a part").unwrap();
        assert_eq!(run.steps.iter().map(|step| step.lines.len()).sum::<usize>() + hidden(&lines[..cut]), cut);
    }
}

/// Lines that are told by arrows.
fn hidden(lines: &[Line]) -> usize {
    count(lines, |event| matches!(event, "Drop" | "Duplicate"))
}
