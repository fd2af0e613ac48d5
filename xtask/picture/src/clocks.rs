//! What happened before what (Lamport 1978), as vector clocks (Mattern 1989).

use crate::run::Run;

/// A vector clock for each step: how many steps of each lane it knows of, its own among them.
#[derive(Clone, Debug)]
pub struct Clocks {
    lanes: usize,
    /// A row for each step.
    counts: Vec<u32>,
    /// The lane of each step and its place there, from 1.
    places: Vec<(usize, u32)>,
}

impl Clocks {
    /// The clock of a step, a count for each lane.
    pub fn of(&self, step: usize) -> &[u32] {
        self.counts.get(step * self.lanes..(step + 1) * self.lanes).unwrap_or_default()
    }

    /// Whether the first of two different steps happened before the second.
    pub fn before(&self, first: usize, second: usize) -> bool {
        let Some((lane, place)) = self.places.get(first) else { return false };
        first != second && self.of(second).get(*lane).is_some_and(|known| known >= place)
    }
}

/// The clocks of a run, in time and space of steps × lanes.
pub fn clocks(run: &Run) -> Clocks {
    let lanes = run.lanes.len();
    let mut causes: Vec<Vec<usize>> = vec![Vec::new(); run.steps.len()];
    let arrows = run.arrows.iter().filter_map(|arrow| Some((arrow.from.1?, arrow.to.1?)));
    for (from, to) in arrows.chain(run.links.iter().copied()) {
        if let Some(causes) = causes.get_mut(to).filter(|_| from < to) {
            causes.push(from);
        }
    }
    let mut clocks =
        Clocks { lanes, counts: Vec::with_capacity(run.steps.len() * lanes), places: Vec::new() };
    // The last step of each lane so far.
    let mut last: Vec<Option<usize>> = vec![None; lanes];
    for (at, (step, causes)) in run.steps.iter().zip(&causes).enumerate() {
        let mut clock = vec![0u32; lanes];
        let own = last.get(step.lane).copied().flatten();
        for cause in causes.iter().copied().chain(own) {
            for (mine, known) in clock.iter_mut().zip(clocks.of(cause)) {
                *mine = (*mine).max(*known);
            }
        }
        let mut place = 0;
        if let Some(mine) = clock.get_mut(step.lane) {
            *mine += 1;
            place = *mine;
        }
        clocks.counts.append(&mut clock);
        clocks.places.push((step.lane, place));
        if let Some(last) = last.get_mut(step.lane) {
            *last = Some(at);
        }
    }
    clocks
}
