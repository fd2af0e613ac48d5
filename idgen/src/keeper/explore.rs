//! The real generator and the real reach of its ceilings under the bounds of the specification: every state is visited,
//! and there must be as many as the module has (`idgen/spec/Generator.tla`, the cfgs named below). A tick is a second.

#![allow(clippy::cast_possible_truncation, reason = "tests")]

use alloc::collections::BTreeSet;
use core::time::Duration;
use std::fs;
use std::path::Path;

use super::reach::Reach;
use crate::generator::{Backward, Exhausted, Generator, GeneratorError, Options};
use crate::layout::Position;
use crate::node::NodeId;
use crate::wall;

/// Two sequences to a tick.
macro_rules! layout_of {
    ($name:ident, $time:literal) => {
        crate::layout! {
            struct $name { bits: $time + 5, ticks_per_second: 1, epoch_ms: 0, time: $time, node: 4, sequence: 1 }
        }
    };
}

layout_of!(EightTicks, 3);
layout_of!(TwoTicks, 1);

/// What a cfg binds, and what it expects.
struct Bounds {
    processes: usize,
    nodes: usize,
    max_wall: u64,
    ticks: u64,
    max_lead: u64,
    window: u64,
    ids: usize,
    steps: u32,
    ends: u32,
    lies: bool,
    states: usize,
}

impl Bounds {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("spec/{name}.cfg"));
        let text = fs::read_to_string(path).unwrap();
        let value = |name: &str| -> String {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_once(if name.starts_with('\\') { "states " } else { " = " }).unwrap().1.to_owned()
        };
        let number = |name: &str| -> u64 { value(name).parse().unwrap() };
        assert_eq!((number("Sequences"), &*value("Fault")), (2, "\"none\""));
        Self {
            processes: value("Processes").split(',').count(),
            nodes: value("Nodes").split(',').count(),
            max_wall: number("MaxWall"),
            ticks: number("Ticks"),
            max_lead: number("MaxLead"),
            window: number("Window"),
            ids: number("Ids") as usize,
            steps: number("Steps") as u32,
            ends: number("Ends") as u32,
            lies: value("Lies") == "TRUE",
            states: number("\\* expect: states") as usize,
        }
    }
}

/// A life: all that a process forgets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Life {
    node: usize,
    turn: u32,
    next: u64,
    ceiling: u64,
    told: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Node {
    owner: Option<usize>,
    turns: u32,
    stored: u64,
}

/// The module's variables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct State {
    wall: Vec<u64>,
    lives: Vec<Option<Life>>,
    nodes: Vec<Node>,
    given: BTreeSet<(usize, u64, u32)>,
    steps: u32,
    ends: u32,
}

/// The real code, as it stands in a life.
macro_rules! real {
    ($module:ident, $layout:ty) => {
        mod $module {
            use super::*;

            fn position(number: u64) -> Position<$layout> {
                Position::from_u64(number).unwrap()
            }

            /// `Give`: the position, and the next.
            pub(super) fn give(life: &Life, wall: u64, max_lead: u64) -> Option<(u64, u64)> {
                let lead = Duration::from_secs(max_lead);
                let options = Options {
                    backward: Backward::Borrow(lead),
                    exhausted: Exhausted::Borrow(lead),
                    ..Options::default()
                };
                let generator = Generator::builder(NodeId::<$layout>::new(life.node as u64).unwrap())
                    .options(options)
                    .resume(position(life.next))
                    .ceiling(position(life.ceiling))
                    .build(wall::from_fn(|| Duration::ZERO))
                    .unwrap();
                match generator.try_next_at(Duration::from_secs(wall)) {
                    Ok(id) => Some((id.position().as_u64(), generator.high_water().as_u64())),
                    Err(
                        GeneratorError::Ceiling
                        | GeneratorError::EpochExhausted
                        | GeneratorError::NotYet { .. }
                        | GeneratorError::Backward { .. },
                    ) => None,
                    Err(other) => panic!("{other}"),
                }
            }

            /// `Target`, where `Due`.
            pub(super) fn target(life: &Life, wall: u64, window: u64) -> Option<u64> {
                let reach = Reach::new(Duration::from_secs(window), position(0));
                let (next, ceiling, wall) =
                    (position(life.next), position(life.ceiling), Duration::from_secs(wall));
                let is_due = reach.is_due(next, ceiling, wall);
                assert_eq!(is_due, reach.due_in(next, ceiling, wall).is_zero());
                is_due.then(|| reach.target(next, wall).as_u64())
            }
        }
    };
}

real!(eight, EightTicks);
real!(two, TwoTicks);

fn give(bounds: &Bounds, life: &Life, wall: u64) -> Option<(u64, u64)> {
    let give = if bounds.ticks == 2 { two::give } else { eight::give };
    give(life, wall, bounds.max_lead)
}

fn target(bounds: &Bounds, life: &Life, wall: u64) -> Option<u64> {
    let target = if bounds.ticks == 2 { two::target } else { eight::target };
    target(life, wall, bounds.window)
}

/// The state after a change of this one.
fn after(state: &State, change: impl FnOnce(&mut State)) -> State {
    let mut next = state.clone();
    change(&mut next);
    next
}

/// `Next`, action by action.
fn successors(state: &State, bounds: &Bounds) -> Vec<State> {
    let mut out = Vec::new();
    for p in 0..bounds.processes {
        let wall = state.wall[p];
        if wall < bounds.max_wall {
            out.push(after(state, |next| next.wall[p] += 1));
        }
        for to in (0..wall).filter(|_| state.steps < bounds.steps) {
            out.push(after(state, |next| (next.wall[p], next.steps) = (to, next.steps + 1)));
        }
        match &state.lives[p] {
            Some(life) => live(state, bounds, p, life, &mut out),
            None => begin(state, p, &mut out),
        }
    }
    for (n, node) in state.nodes.iter().enumerate() {
        let Some(p) = node.owner else { continue };
        let believes = state.lives[p].is_some_and(|life| (life.node, life.turn) == (n, node.turns));
        if !believes || bounds.lies {
            out.push(after(state, |next| next.nodes[n].owner = None));
        }
    }
    out
}

/// `Give`, `Store`, `Raise`, `Finish`.
fn live(state: &State, bounds: &Bounds, p: usize, life: &Life, out: &mut Vec<State>) {
    let (wall, node) = (state.wall[p], state.nodes[life.node]);
    let given = give(bounds, life, wall).filter(|_| state.given.len() < bounds.ids);
    if let Some((position, next_position)) = given {
        out.push(after(state, |next| {
            next.lives[p] = Some(Life { next: next_position, ..*life });
            assert!(next.given.insert((life.node, position, life.turn)), "given twice: {state:?}");
        }));
    }
    let is_entitled = node.owner == Some(p) && node.turns == life.turn;
    if let Some(new) = target(bounds, life, wall).filter(|new| is_entitled && *new > node.stored) {
        out.push(after(state, |next| {
            next.nodes[life.node].stored = new;
            next.lives[p] = Some(Life { told: new, ..*life });
        }));
    }
    if life.told > life.ceiling {
        out.push(after(state, |next| next.lives[p] = Some(Life { ceiling: life.told, ..*life })));
    }
    if state.ends < bounds.ends {
        out.push(after(state, |next| (next.lives[p], next.ends) = (None, next.ends + 1)));
    }
}

/// `Begin`.
fn begin(state: &State, p: usize, out: &mut Vec<State>) {
    for (n, node) in state.nodes.iter().enumerate() {
        if node.owner.is_none_or(|owner| owner == p) {
            let (turn, stored) = (node.turns + 1, node.stored);
            out.push(after(state, |next| {
                next.lives[p] = Some(Life { node: n, turn, next: stored, ceiling: stored, told: stored });
                next.nodes[n] = Node { owner: Some(p), turns: turn, stored };
            }));
        }
    }
}

/// `Unique`, `Ordered`, `DurableFirst`.
fn holds(state: &State) -> bool {
    let mut given = state.given.iter().zip(state.given.iter().skip(1));
    let rise = given
        .all(|(one, other)| one.0 < other.0 || (one.0 == other.0 && one.1 < other.1 && one.2 <= other.2));
    rise && state.given.iter().all(|(node, position, _)| *position < state.nodes[*node].stored)
}

fn explore(name: &str) {
    let bounds = Bounds::read(name);
    let first = State {
        wall: vec![0; bounds.processes],
        lives: vec![None; bounds.processes],
        nodes: vec![Node::default(); bounds.nodes],
        given: BTreeSet::new(),
        steps: 0,
        ends: 0,
    };
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        assert!(holds(&state), "{state:?}");
        for next in successors(&state, &bounds) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    assert_eq!(seen.len(), bounds.states, "{name}: the module has another number of states");
}

#[test]
fn the_generator_reaches_the_states_of_the_specification() {
    for world in ["restarts", "two-nodes", "handed-on", "lies", "lies-and-crashes", "end"] {
        explore(&format!("generator-{world}"));
    }
}
