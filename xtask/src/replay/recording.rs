//! A recorded run in memory: its units in order, and for each node where its states stand.
//!
//! Nothing is computed anew when a reader goes back: the state of a node at any place is found by a binary search among
//! the places where it was written down.

use std::collections::{BTreeMap, HashMap};

use synod_transport::trace::{Line, Value};

/// What is stepped over in one go: a step with its effects, or a line alone.
#[derive(Debug)]
pub(super) struct Unit {
    /// Which of the files it is from.
    pub(super) file: usize,
    /// The number of its first line there, from 1.
    pub(super) line: u64,
    /// Nanoseconds: its `at`; of several files, since the earliest line of all.
    pub(super) time: u64,
    /// At least one, all of the same node.
    pub(super) lines: Vec<Line>,
}

impl Unit {
    /// The node, 0 for the whole world.
    pub(super) fn node(&self) -> u64 {
        self.lines.first().map_or(0, |line| line.node)
    }

    /// The node's state after it, if it was written down here.
    pub(super) fn state(&self) -> Option<&Value> {
        self.lines.iter().rev().find_map(|line| line.state.as_ref())
    }

    /// Its first line with this event.
    pub(super) fn event(&self, is: impl Fn(&str) -> bool) -> Option<&Line> {
        self.lines.iter().find(|line| is(&line.event))
    }
}

/// Whether a node takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    Up,
    /// It crashed, and has not started since.
    Down,
    /// It stopped for good, by its own decision.
    Failed,
    Paused,
}

impl Standing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Failed => "failed",
            Self::Paused => "paused",
        }
    }
}

/// What is known of one node: numbers of units, ascending.
#[derive(Debug, Default)]
struct Lane {
    states: Vec<usize>,
    standings: Vec<(usize, Standing)>,
}

/// A run. Units count from 1; *here* is the number of the last one that has happened, 0 before all.
#[derive(Debug, Default)]
pub(super) struct Recording {
    units: Vec<Unit>,
    files: Vec<String>,
    lanes: BTreeMap<u64, Lane>,
    /// The units that hold what was sent, by sender and receiver.
    sends: HashMap<(u64, u64), Vec<usize>>,
    violation: Option<usize>,
    counts_steps: bool,
}

impl Recording {
    /// Units in the order in which they happened, and the names of the files that they are from.
    pub(super) fn new(units: Vec<Unit>, files: Vec<String>) -> Self {
        let mut run = Self { files, ..Self::default() };
        for (unit, number) in units.iter().zip(1..) {
            run.note(unit, number);
        }
        run.units = units;
        run
    }

    fn note(&mut self, unit: &Unit, number: usize) {
        if unit.node() != 0 {
            let lane = self.lanes.entry(unit.node()).or_default();
            if unit.state().is_some() {
                lane.states.push(number);
            }
            let standing = standing_after(unit);
            if let Some(standing) = standing.filter(|new| lane.standings.last().is_none_or(|it| it.1 != *new))
            {
                lane.standings.push((number, standing));
            }
        }
        for line in &unit.lines {
            match (&*line.event, line.peer) {
                ("Violation" | "Broken", _) => self.violation = self.violation.or(Some(number)),
                // Only the explorer has these; its `at` counts steps.
                ("Timeout" | "Interval" | "Persist" | "Lost", _) => self.counts_steps = true,
                (event, Some(peer)) if event.starts_with("Send") => {
                    let units = self.sends.entry((line.node, peer)).or_default();
                    if units.last() != Some(&number) {
                        units.push(number);
                    }
                }
                _ => {}
            }
        }
    }

    /// How many units there are.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// The unit of this number.
    pub(super) fn unit(&self, number: usize) -> Option<&Unit> {
        self.units.get(number.checked_sub(1)?)
    }

    /// The name of the file that a unit is from; nothing when there is but one.
    pub(super) fn file(&self, unit: &Unit) -> Option<&str> {
        self.files.get(unit.file).filter(|_| self.files.len() > 1).map(String::as_str)
    }

    /// Whether times are numbers of steps and no nanoseconds.
    pub(super) const fn counts_steps(&self) -> bool {
        self.counts_steps
    }

    /// The nodes of which something was recorded.
    pub(super) fn nodes(&self) -> impl Iterator<Item = u64> {
        self.lanes.keys().copied()
    }

    /// A node's state when this many units have happened, and the unit that wrote it down. `O(log n)`.
    pub(super) fn state(&self, node: u64, here: usize) -> Option<(usize, &Value)> {
        let states = &self.lanes.get(&node)?.states;
        let number = *states.get(states.partition_point(|number| *number <= here).checked_sub(1)?)?;
        Some((number, self.unit(number)?.state()?))
    }

    /// Whether a node takes part when this many units have happened, and since when. Nothing before its first line.
    pub(super) fn standing(&self, node: u64, here: usize) -> Option<(usize, Standing)> {
        let standings = &self.lanes.get(&node)?.standings;
        standings.get(standings.partition_point(|(number, _)| *number <= here).checked_sub(1)?).copied()
    }

    /// The units in which `from` sent something to `to`, ascending.
    pub(super) fn sends(&self, from: u64, to: u64) -> &[usize] {
        self.sends.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// The unit in which an invariant broke.
    pub(super) const fn violation(&self) -> Option<usize> {
        self.violation
    }
}

/// What a unit says of its node's standing. A process that is killed says nothing: it stays up until it starts again.
fn standing_after(unit: &Unit) -> Option<Standing> {
    let said = |line: &Line| match &*line.event {
        "Start" | "InitState" | "Resume" | "Ready" => Some(Standing::Up),
        "Crash" => Some(Standing::Down),
        "Failed" => Some(Standing::Failed),
        "Pause" => Some(Standing::Paused),
        _ => None,
    };
    unit.lines.iter().rev().find_map(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::replay::testing::{any_recording, recording};

    type Found = Option<(usize, Value)>;

    /// The slow twin: from the start, line by line.
    fn state_from_the_start(run: &Recording, node: u64, here: usize) -> Found {
        let mut state = None;
        for number in 1..=here {
            for line in &run.unit(number).expect("a unit").lines {
                if let Some(value) = line.state.as_ref().filter(|_| line.node == node) {
                    state = Some((number, value.clone()));
                }
            }
        }
        state
    }

    /// The first node and place at which a look-up differs from the twin.
    fn disagreement(run: &Recording, look_up: impl Fn(u64, usize) -> Found) -> Option<(u64, usize)> {
        let places = (0..=run.len()).flat_map(|here| (1..4).map(move |node| (node, here)));
        places
            .into_iter()
            .find(|(node, here)| look_up(*node, *here) != state_from_the_start(run, *node, *here))
    }

    fn found(run: &Recording, node: u64, here: usize) -> Found {
        run.state(node, here).map(|(number, state)| (number, state.clone()))
    }

    proptest! {
        #[test]
        fn the_state_at_any_place_is_what_a_walk_from_the_start_finds(run in any_recording()) {
            prop_assert_eq!(disagreement(&run, |node, here| found(&run, node, here)), None);
        }
    }

    #[test]
    fn a_look_up_that_is_one_off_or_forgets_the_node_is_found_out() {
        let run = recording(
            r#"{"at":1,"node":1,"event":"InitState","state":{"term":0}}
               {"at":2,"node":2,"event":"InitState","state":{"term":1}}"#,
        );
        assert_eq!(disagreement(&run, |node, here| found(&run, node, here)), None);
        assert_eq!(disagreement(&run, |node, here| found(&run, node, here.saturating_sub(1))), Some((1, 1)));
        assert_eq!(disagreement(&run, |node, here| found(&run, node, here + 1)), Some((1, 0)));
        assert_eq!(disagreement(&run, |_, here| found(&run, 1, here)), Some((2, 1)));
    }

    #[test]
    fn a_node_is_down_between_crash_and_start_and_paused_until_it_is_resumed() {
        let run = recording(
            r#"{"at":1,"node":1,"event":"Start","life":1}
               {"at":2,"node":1,"event":"Pause","until":9}
               {"at":3,"node":2,"event":"Start","life":1}
               {"at":4,"node":1,"event":"Resume"}
               {"at":5,"node":1,"event":"Crash","life":1}
               {"at":6,"node":1,"event":"Start","life":2}
               {"at":7,"node":1,"event":"Failed","error":"x"}"#,
        );
        let shown: Vec<_> =
            (0..=7).map(|here| run.standing(1, here).map_or("-", |(_, standing)| standing.name())).collect();
        assert_eq!(shown, ["-", "up", "paused", "paused", "up", "down", "up", "failed"]);
        assert_eq!(run.standing(2, 2), None);
        assert_eq!(run.standing(1, 3), Some((2, Standing::Paused)), "since when");
    }
}
