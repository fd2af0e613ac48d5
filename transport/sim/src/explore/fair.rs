//! Runs without end that are fair and yet never do what they should.
//!
//! `from ~> to` is broken by a run that meets `from`, and from there on never `to`, and is fair. In a finite graph such a
//! run ends in a strongly connected component of the states without `to`, or stays in one state for ever. A component
//! has a fair run through all its states if each weakly fair set has a step within, or a state where it is not
//! possible; and each strongly fair set has a step within, or is possible in no state. Where only a strong set is
//! missing, a fair run may still keep to the states where that set is not possible: they are looked at anew.
//!
//! After Emerson and Lei, "Modalities for model checking", 1987, section 5; components by Tarjan, 1972, without recursion.

use std::collections::{BTreeMap, VecDeque};

use super::fingerprint::NONE;

/// The steps between states that change something, with the fair sets each belongs to.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// By state: where its steps end in the two lists below.
    ends: Vec<usize>,
    targets: Vec<u32>,
    sets: Vec<u32>,
    /// By state: two bits for each liveness property, `from` and `to`.
    marks: Vec<u32>,
}

/// A counterexample: from an initial state the shortest way to `entry`, then the stem, then the cycle for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lasso {
    /// Where `from` holds.
    pub(super) entry: u32,
    /// The states after it up to the cycle, each with the fair sets of the step that leads there.
    pub(super) stem: Vec<(u32, u32)>,
    /// The states of the cycle, which ends where the stem ends. Empty when it stays there.
    pub(super) cycle: Vec<(u32, u32)>,
}

impl Graph {
    /// Adds the next state.
    pub(super) fn push(&mut self, marks: u32, steps: impl Iterator<Item = (u32, u32)>) {
        for (target, sets) in steps {
            self.targets.push(target);
            self.sets.push(sets);
        }
        self.ends.push(self.targets.len());
        self.marks.push(marks);
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, state: u32) -> core::ops::Range<usize> {
        let end = |index: usize| self.ends.get(index).copied().unwrap_or(0);
        let index = state as usize;
        if index == 0 { 0..end(0) } else { end(index - 1)..end(index) }
    }

    fn steps(&self, state: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let range = self.range(state);
        let targets = self.targets.get(range.clone()).unwrap_or_default();
        let sets = self.sets.get(range).unwrap_or_default();
        targets.iter().copied().zip(sets.iter().copied())
    }

    /// The fair sets that are possible in a state.
    fn possible(&self, state: u32) -> u32 {
        self.steps(state).fold(0, |all, (_, sets)| all | sets)
    }
}

/// A fair run that breaks the property of this number, by the shortest way to its cycle. `levels` holds the first state
/// of each depth.
pub(super) fn lasso(graph: &Graph, levels: &[u32], property: u32, weak: u32, strong: u32) -> Option<Lasso> {
    let mut region = Region::new(graph, property);
    region.flood(levels, property);
    let mut best: Option<(u32, u32, u32)> = None;
    let mut waiting = vec![region.all()];
    while let Some(states) = waiting.pop() {
        for component in region.components(&states) {
            match region.judge(&component, weak, strong) {
                Judgement::Fair => {
                    let near = component.iter().map(|id| (at(&region.reach, *id), *id)).min();
                    if let Some((reach, id)) =
                        near.filter(|near| best.is_none_or(|best| *near < (best.0, best.1)))
                    {
                        best = Some((reach, id, at(&region.label, id)));
                    }
                }
                Judgement::Without(sets) => {
                    let calm = |id: &u32| graph.possible(*id) & sets == 0;
                    let rest: Vec<u32> = component.iter().copied().filter(calm).collect();
                    if !rest.is_empty() {
                        waiting.push(rest);
                    }
                }
                Judgement::Never => {}
            }
        }
    }
    let (_, start, label) = best?;
    let cycle = region.cycle(start, label, weak, strong);
    let (entry, stem) = region.stem(start);
    Some(Lasso { entry, stem, cycle })
}

enum Judgement {
    /// A fair run goes through all its states for ever.
    Fair,
    /// Only states where these strongly fair sets are not possible may hold one.
    Without(u32),
    /// No fair run stays within.
    Never,
}

/// The states without `to` that a run may meet after `from` without meeting `to`.
struct Region<'g> {
    graph: &'g Graph,
    /// Bit of `to`.
    done: u32,
    /// By state: length of the shortest way there by `from`; `NONE` outside.
    reach: Vec<u32>,
    /// By state: the one before on that way; `NONE` where `from` holds at its end.
    via: Vec<u32>,
    /// By state: which set or component it is in at present.
    label: Vec<u32>,
    labels: u32,
    /// Scratch of Tarjan's: order of discovery, zero before, and whether the state still waits for its component.
    order: Vec<u32>,
    low: Vec<u32>,
    waiting: Vec<bool>,
}

impl<'g> Region<'g> {
    fn new(graph: &'g Graph, property: u32) -> Self {
        let none = vec![NONE; graph.len()];
        Self {
            graph,
            done: 2 << (2 * property),
            reach: none.clone(),
            via: none.clone(),
            label: none,
            labels: 0,
            order: vec![0; graph.len()],
            low: vec![0; graph.len()],
            waiting: vec![false; graph.len()],
        }
    }

    /// Finds the states, by length of the way.
    fn flood(&mut self, levels: &[u32], property: u32) {
        let begins = |marks: u32| (marks >> (2 * property)) & 3 == 1;
        let mut sources =
            (0u32..).zip(&self.graph.marks).filter(|(_, marks)| begins(**marks)).map(|it| it.0).peekable();
        let mut current: Vec<u32> = Vec::new();
        for length in 0u32.. {
            let depth_ends = levels.get(length as usize + 1).copied().unwrap_or(NONE);
            while let Some(source) = sources.next_if(|source| *source < depth_ends) {
                if at(&self.reach, source) == NONE {
                    set(&mut self.reach, source, length);
                    current.push(source);
                }
            }
            if current.is_empty() && sources.peek().is_none() {
                return;
            }
            let mut next = Vec::new();
            for state in current.drain(..) {
                for (target, _) in self.graph.steps(state) {
                    if at(&self.graph.marks, target) & self.done == 0 && at(&self.reach, target) == NONE {
                        set(&mut self.reach, target, length + 1);
                        set(&mut self.via, target, state);
                        next.push(target);
                    }
                }
            }
            current = next;
        }
    }

    /// All of it, under one label.
    fn all(&mut self) -> Vec<u32> {
        (0u32..).zip(&self.reach).filter(|(_, reach)| **reach != NONE).map(|(id, _)| id).collect()
    }

    /// The strongly connected components of these states, each under a label of its own.
    fn components(&mut self, states: &[u32]) -> Vec<Vec<u32>> {
        self.labels += 1;
        let label = self.labels;
        for id in states {
            set(&mut self.label, *id, label);
            set(&mut self.order, *id, 0);
        }
        let mut found = Vec::new();
        let mut seen = 0;
        let mut stack = Vec::new();
        for root in states {
            if at(&self.order, *root) == 0 {
                self.tarjan(*root, label, &mut seen, &mut stack, &mut found);
            }
        }
        for component in &found {
            self.labels += 1;
            for id in component {
                set(&mut self.label, *id, self.labels);
            }
        }
        found
    }

    fn tarjan(
        &mut self,
        root: u32,
        label: u32,
        seen: &mut u32,
        stack: &mut Vec<u32>,
        found: &mut Vec<Vec<u32>>,
    ) {
        self.discover(root, seen, stack);
        let mut calls = vec![(root, self.graph.range(root))];
        while let Some((state, range)) = calls.last_mut() {
            let state = *state;
            if let Some(target) = range.next().and_then(|index| self.graph.targets.get(index).copied()) {
                if at(&self.label, target) != label {
                    continue;
                }
                if at(&self.order, target) == 0 {
                    self.discover(target, seen, stack);
                    calls.push((target, self.graph.range(target)));
                } else if self.waiting.get(target as usize) == Some(&true) {
                    let low = at(&self.low, state).min(at(&self.order, target));
                    set(&mut self.low, state, low);
                }
                continue;
            }
            calls.pop();
            if let Some((caller, _)) = calls.last() {
                let low = at(&self.low, *caller).min(at(&self.low, state));
                set(&mut self.low, *caller, low);
            }
            if at(&self.low, state) == at(&self.order, state) {
                let begin = stack.iter().rposition(|id| *id == state).unwrap_or(0);
                let component = stack.split_off(begin);
                for id in &component {
                    set(&mut self.waiting, *id, false);
                }
                found.push(component);
            }
        }
    }

    fn discover(&mut self, state: u32, seen: &mut u32, stack: &mut Vec<u32>) {
        *seen += 1;
        set(&mut self.order, state, *seen);
        set(&mut self.low, state, *seen);
        set(&mut self.waiting, state, true);
        stack.push(state);
    }

    fn judge(&self, component: &[u32], weak: u32, strong: u32) -> Judgement {
        let (mut everywhere, mut somewhere, mut taken) = (u32::MAX, 0, 0);
        for id in component {
            let possible = self.graph.possible(*id);
            everywhere &= possible;
            somewhere |= possible;
            let label = at(&self.label, *id);
            let within = self.graph.steps(*id).filter(|(target, _)| at(&self.label, *target) == label);
            taken |= within.fold(0, |all, (_, sets)| all | sets);
        }
        if weak & everywhere & !taken != 0 {
            return Judgement::Never;
        }
        match strong & somewhere & !taken {
            0 => Judgement::Fair,
            missing => Judgement::Without(missing),
        }
    }

    /// A way round from `start`, within its fair component, that gives each fair set its due.
    fn cycle(&self, start: u32, label: u32, weak: u32, strong: u32) -> Vec<(u32, u32)> {
        if self.graph.possible(start) & (weak | strong) == 0 {
            return Vec::new();
        }
        let members = || (0u32..).zip(&self.label).filter(|(_, it)| **it == label).map(|(id, _)| id);
        let mut due = weak | (strong & members().fold(0, |all, id| all | self.graph.possible(id)));
        let calm = |id: u32| weak & !self.graph.possible(id);
        due &= !calm(start);
        let mut cycle: Vec<(u32, u32)> = Vec::new();
        let mut here = start;
        while due != 0 {
            let Some(way) = self.way(here, label, |id, sets| (sets | calm(id)) & due != 0) else { break };
            due = way.iter().fold(due, |due, (id, sets)| due & !(sets | calm(*id)));
            here = way.last().map_or(here, |(id, _)| *id);
            cycle.extend(way);
        }
        if here != start || cycle.is_empty() {
            cycle.extend(self.way(here, label, |id, _| id == start).unwrap_or_default());
        }
        cycle
    }

    /// The shortest way of at least one step, within one component, to a step that will do.
    fn way(&self, from: u32, label: u32, will_do: impl Fn(u32, u32) -> bool) -> Option<Vec<(u32, u32)>> {
        let mut before: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(state) = queue.pop_front() {
            for (target, sets) in self.graph.steps(state).filter(|(it, _)| at(&self.label, *it) == label) {
                if will_do(target, sets) {
                    let mut way = vec![(target, sets)];
                    let mut here = state;
                    while here != from {
                        let (previous, sets) = before.get(&here).copied()?;
                        way.push((here, sets));
                        here = previous;
                    }
                    way.reverse();
                    return Some(way);
                }
                if target != from && !before.contains_key(&target) {
                    before.insert(target, (state, sets));
                    queue.push_back(target);
                }
            }
        }
        None
    }

    /// The way to a state of the region from where `from` holds.
    fn stem(&self, end: u32) -> (u32, Vec<(u32, u32)>) {
        let mut stem = Vec::new();
        let mut here = end;
        loop {
            let previous = at(&self.via, here);
            if previous == NONE {
                stem.reverse();
                return (here, stem);
            }
            let step = self.graph.steps(previous).find(|(target, _)| *target == here);
            stem.push((here, step.map_or(0, |(_, sets)| sets)));
            here = previous;
        }
    }
}

fn at(list: &[u32], id: u32) -> u32 {
    list.get(id as usize).copied().unwrap_or(NONE)
}

fn set<T>(list: &mut [T], id: u32, value: T) {
    if let Some(place) = list.get_mut(id as usize) {
        *place = value;
    }
}
