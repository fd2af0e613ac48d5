//! Small random graphs, and a slow twin of the explorer that tries every set of states.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use synod_sim::explore::{Explorer, Model, Path};

/// States are numbers; an action has a label and, so that no two are the same, a number.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) initial: BTreeSet<u8>,
    pub(crate) edges: Vec<(u8, u8, u8)>,
    /// Where the property begins and where it is fulfilled.
    pub(crate) from: BTreeSet<u8>,
    pub(crate) to: BTreeSet<u8>,
    /// Fair sets of labels, and whether each is strong.
    pub(crate) fair: Vec<(BTreeSet<u8>, bool)>,
}

impl Model for Graph {
    type State = u8;
    type Action = u8;

    fn initial(&self) -> Vec<u8> {
        self.initial.iter().copied().collect()
    }

    fn steps(&self, state: &u8, out: &mut Vec<(u8, u8)>) {
        let here = self.edges.iter().filter(|(before, ..)| before == state);
        out.extend(here.map(|(_, label, after)| (*label, *after)));
    }
}

pub(crate) fn graph() -> impl Strategy<Value = Graph> {
    let some = |range| proptest::collection::btree_set(0u8..7, range);
    let edges = proptest::collection::vec((0u8..7, 0u8..4, 0u8..7), 0..16);
    let labels = proptest::collection::btree_set(0u8..4, 0..3);
    let fair = proptest::collection::vec((labels, any::<bool>()), 0..4);
    (some(1..3), edges, some(0..7), some(0..4), fair).prop_map(|(initial, edges, from, to, fair)| Graph {
        initial,
        edges,
        from,
        to,
        fair,
    })
}

impl Graph {
    pub(crate) fn explorer(&self) -> Explorer<'_, Self> {
        let explorer = Explorer::new(self).keep_going().leads_to(
            "live",
            |state| self.from.contains(state),
            |state| self.to.contains(state),
        );
        self.fair.iter().fold(explorer, |explorer, (labels, strong)| {
            let set = move |label: &u8| labels.contains(label);
            if *strong { explorer.strongly_fair(set) } else { explorer.weakly_fair(set) }
        })
    }

    /// Length of the shortest way to each state that can be reached.
    pub(crate) fn distances(&self) -> BTreeMap<u8, usize> {
        self.relax(self.initial.iter().map(|state| (*state, 0)).collect(), |_| true)
    }

    /// Tries everything until nothing changes.
    fn relax(&self, mut lengths: BTreeMap<u8, usize>, within: impl Fn(u8) -> bool) -> BTreeMap<u8, usize> {
        loop {
            let before = lengths.clone();
            for (from, _, to) in self.edges.iter().filter(|(_, _, to)| within(*to)) {
                if let Some(length) = lengths.get(from).map(|length| length + 1) {
                    let known = lengths.entry(*to).or_insert(length);
                    *known = length.min(*known);
                }
            }
            if before == lengths {
                return lengths;
            }
        }
    }

    /// Steps that change something.
    fn moves(&self) -> impl Iterator<Item = &(u8, u8, u8)> {
        self.edges.iter().filter(|(before, _, after)| before != after)
    }

    fn possible(&self, state: u8, labels: &BTreeSet<u8>) -> bool {
        self.moves().any(|(before, label, _)| *before == state && labels.contains(label))
    }

    /// Whether a run that meets just these states for ever, and takes just these labels within, is fair.
    fn is_fair(&self, states: &BTreeSet<u8>, taken: &BTreeSet<u8>) -> bool {
        self.fair.iter().all(|(labels, strong)| {
            let mut possible = states.iter().map(|state| self.possible(*state, labels));
            let put_off = if *strong { possible.any(|it| it) } else { possible.all(|it| it) };
            !put_off || !labels.is_disjoint(taken)
        })
    }

    /// The shortest way into a cycle of a fair run that breaks the property, if there is one: tries every set of states
    /// that a run could meet for ever.
    pub(crate) fn can_break(&self) -> Option<usize> {
        let open = |state: u8| !self.to.contains(&state);
        let begins = |state: &u8| self.from.contains(state) && open(*state);
        let begin = self.distances().into_iter().filter(|(state, _)| begins(state)).collect();
        let lengths = self.relax(begin, open);
        let region: Vec<u8> = lengths.keys().copied().collect();
        let sets = (1u32..1 << region.len()).map(|bits| {
            let chosen = region.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            chosen.map(|(_, state)| *state).collect::<BTreeSet<u8>>()
        });
        let fair = sets.filter(|states| {
            let inside = |state: u8| states.contains(&state);
            let together = states
                .iter()
                .all(|state| self.relax(BTreeMap::from([(*state, 0)]), inside).len() == states.len());
            let within = self.moves().filter(|(before, _, after)| inside(*before) && inside(*after));
            let taken: BTreeSet<u8> = within.map(|(_, label, _)| *label).collect();
            together && self.is_fair(states, &taken)
        });
        fair.flat_map(|states| states.into_iter().map(|state| lengths[&state])).min()
    }

    /// Whether this is a counterexample, step by step.
    pub(crate) fn confirms(&self, path: &Path<u8, u8>) -> Result<(), String> {
        let say = |it: bool, what: &str| if it { Ok(()) } else { Err(format!("{what}: {path:?}")) };
        let states: Vec<u8> = path.states().copied().collect();
        say(self.initial.contains(&path.initial), "not initial")?;
        for (pair, (label, _)) in states.windows(2).zip(&path.steps) {
            say(self.edges.contains(&(pair[0], *label, pair[1])), "no such step")?;
        }
        let cycle = path.cycle_from.ok_or("no cycle")?;
        say(states[cycle] == *path.last(), "not closed")?;
        let begins = (0..=cycle).any(|at| {
            self.from.contains(&states[at]) && states[at..].iter().all(|state| !self.to.contains(state))
        });
        say(begins, "the property is not broken")?;
        let taken = path.steps[cycle..].iter().map(|(label, _)| *label).collect();
        let met = states[cycle..].iter().copied().collect();
        say(self.is_fair(&met, &taken), "not fair")
    }
}
