//! What happened before what, by walking from cause to cause: no clocks.

use std::collections::BTreeSet;

use synod_picture::Run;

/// Every step's causes and effects.
#[derive(Clone, Debug)]
pub struct Causes {
    causes: Vec<Vec<usize>>,
    effects: Vec<Vec<usize>>,
}

impl Causes {
    /// Of a run: the step before on the same lane, the sending of what came, the call that reached a node.
    pub fn of(run: &Run) -> Self {
        let count = run.steps.len();
        let mut all = Self { causes: vec![Vec::new(); count], effects: vec![Vec::new(); count] };
        let mut last = vec![None; run.lanes.len()];
        for (at, step) in run.steps.iter().enumerate() {
            if let Some(before) = last.get_mut(step.lane).and_then(|last| last.replace(at)) {
                all.lead(before, at);
            }
        }
        for arrow in &run.arrows {
            if let (Some(from), Some(to)) = (arrow.from.1, arrow.to.1) {
                all.lead(from, to);
            }
        }
        for (from, to) in &run.links {
            all.lead(*from, *to);
        }
        all
    }

    /// All that led to a step.
    pub fn past(&self, step: usize) -> BTreeSet<usize> {
        walk(&self.causes, step)
    }

    /// All that came of it.
    pub fn future(&self, step: usize) -> BTreeSet<usize> {
        walk(&self.effects, step)
    }

    fn lead(&mut self, from: usize, to: usize) {
        if let (true, Some(causes), Some(effects)) =
            (from < to, self.causes.get_mut(to), self.effects.get_mut(from))
        {
            causes.push(from);
            effects.push(to);
        }
    }
}

fn walk(ways: &[Vec<usize>], from: usize) -> BTreeSet<usize> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(step) = open.pop() {
        for next in ways.get(step).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_picture::{Arrow, Fate, Step};

    #[test]
    fn a_message_leads_from_one_lane_to_another() {
        let step = |lane| Step { lane, number: 1, at: 0, lines: Vec::new() };
        let arrow = Arrow {
            from: (0, Some(1)),
            to: (1, Some(3)),
            fate: Fate::Delivered,
            copy: false,
            kind: String::new(),
            brief: String::new(),
        };
        // 0 and 1 on the first lane, 2 and 3 on the second, 4 on the first again; 1 sends to 3.
        let steps = [0, 0, 1, 1, 0].map(step).to_vec();
        let lanes = vec![0, 1].into_iter().map(lane).collect();
        let run = Run { steps, lanes, arrows: vec![arrow], ..Run::default() };
        let causes = Causes::of(&run);
        assert_eq!(causes.past(3), BTreeSet::from([0, 1, 2]));
        assert_eq!(causes.future(0), BTreeSet::from([1, 3, 4]));
        assert_eq!(causes.future(2), BTreeSet::from([3]));
        assert_eq!(causes.past(4), BTreeSet::from([0, 1]));
    }

    fn lane(id: u64) -> synod_picture::Lane {
        synod_picture::Lane { kind: synod_picture::LaneKind::Node, id, name: String::new(), uncertainty: 0 }
    }
}
