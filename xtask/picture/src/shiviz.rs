//! The format that ShiViz reads: a line for each event, with a vector clock.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use synod_transport::trace::Line;

use crate::brief::brief;
use crate::clocks::clocks;
use crate::run::{Fate, LaneKind, Run};

/// What to tell ShiViz about the lines: the expression to parse them by.
const PARSER: &str = r"(?<date>\d+) (?<host>\S+) (?<clock>{.*?}) (?<event>.*)";

/// The run for ShiViz. The first line is the expression that parses the others, the second is empty.
pub fn shiviz(run: &Run) -> String {
    let clocks = clocks(run);
    let mut text = format!("{PARSER}\n\n");
    let mut lost: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for arrow in &run.arrows {
        if let (Fate::Lost(loss), Some(from)) = (&arrow.fate, arrow.from.1) {
            lost.entry(from).or_default().push(format!("(lost: {}, {})", arrow.brief, loss.why));
        }
    }
    // What broke is told of the world; the last step of a node before it brought it about.
    let violation = run.violation.as_ref().and_then(|(step, what)| {
        let lane = |step: &usize| run.steps.get(*step).and_then(|step| run.lanes.get(step.lane));
        let culprit =
            (0..*step).rev().find(|step| lane(step).is_some_and(|lane| lane.kind == LaneKind::Node))?;
        Some((culprit, what.replace('\n', " ")))
    });
    let host = |lane: usize| run.lanes.get(lane).map_or_else(String::new, |lane| lane.name.replace(' ', "-"));
    for (at, step) in run.steps.iter().enumerate() {
        // Faults are nobody's steps.
        if run.lanes.get(step.lane).is_none_or(|lane| lane.kind == LaneKind::World) {
            continue;
        }
        let known = clocks.of(at).iter().enumerate().filter(|(_, count)| **count > 0);
        let known: Vec<String> = known.map(|(lane, count)| format!("{:?}:{count}", host(lane))).collect();
        let mut events: Vec<String> = step.lines.iter().map(event).collect();
        events.extend(lost.remove(&at).unwrap_or_default());
        if let Some((_, what)) = violation.as_ref().filter(|(step, _)| *step == at) {
            events.push(format!("VIOLATION {what}"));
        }
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{} {} {{{}}} {}", step.at, host(step.lane), known.join(","), events.join("; "));
    }
    text
}

/// What happened, on one line: the event, and of a message to or from whom it is and what it says.
fn event(line: &Line) -> String {
    match (&line.message, line.peer) {
        (Some(message), Some(peer)) => {
            let way = if line.event.starts_with("Receive") { "from" } else { "to" };
            format!("{} {way} {peer}: {}", line.event, brief(message)).replace('\n', " ")
        }
        _ => line.event.replace('\n', " "),
    }
}
