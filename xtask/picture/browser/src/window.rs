//! What a window of a run holds.

use std::collections::BTreeSet;

use synod_picture::{Arrow, Fate, LaneKind, Run};

/// What runs from left to right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axis {
    /// Nanoseconds.
    Time,
    /// Steps, as the trace counts them.
    Order,
}

impl Axis {
    /// As an address names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Order => "order",
        }
    }
}

/// A part of a run: nanoseconds or steps, both ends in it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    /// What its ends are.
    pub axis: Axis,
    /// Its left end.
    pub from: f64,
    /// Its right end.
    pub to: f64,
}

impl Window {
    /// The part of the address that shows it.
    pub fn fragment(&self) -> String {
        format!("axis={}&from={}&to={}", self.axis.name(), self.from, self.to)
    }

    /// The messages that are on their way in it, by place in the run. What did not come is drawn for a part of what
    /// messages usually take.
    pub fn arrows(&self, run: &Run) -> BTreeSet<usize> {
        let delay = usual_delay(run, self.axis);
        let is_in = |arrow: &Arrow| {
            let (start, end) = self.interval(run, arrow, delay);
            start <= self.to && end >= self.from
        };
        run.arrows.iter().enumerate().filter(|(_, arrow)| is_in(arrow)).map(|(place, _)| place).collect()
    }

    /// The steps of nodes in it.
    pub fn steps(&self, run: &Run) -> BTreeSet<usize> {
        let is_in = |step: usize| {
            let x = place(run, self.axis, step);
            x >= self.from && x <= self.to && is_node(run, step)
        };
        (0..run.steps.len()).filter(|step| is_in(*step)).collect()
    }

    fn interval(&self, run: &Run, arrow: &Arrow, delay: f64) -> (f64, f64) {
        let came = arrow.to.1.map(|step| place(run, self.axis, step));
        let sent = arrow.from.1.map(|step| place(run, self.axis, step));
        let start = sent.or_else(|| came.map(|came| came - delay)).unwrap_or_default();
        let end = match (came, self.axis, &arrow.fate) {
            (Some(came), ..) => came,
            (None, Axis::Time, Fate::Lost(loss)) => number(loss.at).max(start + delay * 0.6),
            (None, Axis::Order, Fate::Lost(loss)) => number(loss.number as u64).max(start + delay * 0.6),
            _ => start + delay * 0.8,
        };
        (start, end)
    }
}

/// Whether a step is a node's.
fn is_node(run: &Run, step: usize) -> bool {
    let lane = run.steps.get(step).and_then(|step| run.lanes.get(step.lane));
    lane.is_some_and(|lane| lane.kind == LaneKind::Node)
}

/// Where a step stands.
fn place(run: &Run, axis: Axis, step: usize) -> f64 {
    match axis {
        Axis::Time => run.steps.get(step).map_or(0.0, |step| number(step.at)),
        Axis::Order => run.steps.get(step).map_or(0.0, |step| number(step.number as u64)),
    }
}

/// The middle of what the first messages that came took; in the order of steps at most four.
fn usual_delay(run: &Run, axis: Axis) -> f64 {
    const ENOUGH: usize = 999;
    let both = run.arrows.iter().filter_map(|arrow| Some((arrow.from.1?, arrow.to.1?)));
    let mut delays: Vec<f64> =
        both.take(ENOUGH).map(|(from, to)| place(run, axis, to) - place(run, axis, from)).collect();
    delays.sort_by(f64::total_cmp);
    let middle = delays.get(delays.len() / 2).copied().filter(|delay| *delay != 0.0);
    match axis {
        Axis::Time => {
            let end = place(run, axis, run.steps.len().saturating_sub(1)).max(1.0);
            middle.unwrap_or(end / 50.0)
        }
        Axis::Order => middle.unwrap_or(2.0).min(4.0),
    }
}

/// Exact below 2^53 nanoseconds, a hundred days.
#[expect(clippy::cast_precision_loss, reason = "a page's numbers are of this type")]
fn number(it: u64) -> f64 {
    it as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::short_world;

    #[test]
    fn the_whole_run_holds_everything() {
        let run = short_world(1);
        for axis in [Axis::Time, Axis::Order] {
            let all = Window { axis, from: -1e18, to: 1e18 };
            assert_eq!(all.arrows(&run).len(), run.arrows.len());
            assert_eq!(
                all.steps(&run).len(),
                (0..run.steps.len()).filter(|step| is_node(&run, *step)).count()
            );
        }
    }

    #[test]
    fn a_window_holds_what_touches_it() {
        let run = short_world(1);
        let came =
            |arrow: &Arrow| matches!((arrow.from.1, arrow.to.1), (Some(from), Some(to)) if to > from + 1);
        let place = run.arrows.iter().position(came).expect("a message that takes two steps");
        let arrow = &run.arrows[place];
        let at = |step: Option<usize>| super::place(&run, Axis::Order, step.unwrap());
        let (from, to) = (at(arrow.from.1), at(arrow.to.1));
        let holds = |from, to| Window { axis: Axis::Order, from, to }.arrows(&run).contains(&place);
        assert!(holds(from + 0.5, to - 0.5), "it begins before and ends behind");
        assert!(holds(from - 1.0, from) && holds(to, to + 1.0), "both ends are in it");
        assert!(!holds(from - 2.0, from - 0.5) && !holds(to + 0.5, to + 2.0), "it is elsewhere");
    }
}
