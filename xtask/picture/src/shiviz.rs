//! The format that ShiViz reads: a line for each event, with a vector clock.

use std::fmt::Write as _;

use crate::clocks::clocks;
use crate::run::{LaneKind, Run};

/// What to tell ShiViz about the lines: the expression to parse them by.
const PARSER: &str = r"(?<date>\d+) (?<host>\S+) (?<clock>{.*?}) (?<event>.*)";

/// The run for ShiViz. The first line is the expression that parses the others, the second is empty.
pub fn shiviz(run: &Run) -> String {
    let clocks = clocks(run);
    let mut text = format!("{PARSER}\n\n");
    let host = |lane: usize| run.lanes.get(lane).map_or_else(String::new, |lane| lane.name.replace(' ', "-"));
    for (at, step) in run.steps.iter().enumerate() {
        // Faults are nobody's steps.
        if run.lanes.get(step.lane).is_none_or(|lane| lane.kind == LaneKind::World) {
            continue;
        }
        let known = clocks.of(at).iter().enumerate().filter(|(_, count)| **count > 0);
        let known: Vec<String> = known.map(|(lane, count)| format!("{:?}:{count}", host(lane))).collect();
        let events: Vec<&str> = step.lines.iter().map(|line| line.event.as_str()).collect();
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{} {} {{{}}} {}", step.at, host(step.lane), known.join(","), events.join(" "));
    }
    text
}
