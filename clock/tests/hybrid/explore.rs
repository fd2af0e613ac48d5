//! The real clock under the bounds of the specification: every state is visited, and there must be as many as the
//! module has (`clock/spec/Hybrid.tla`, the cfgs named below). A tick is a second here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use synod_clock::hybrid::{HybridClock, JumpPolicy, Jumps, Layout, Options, Timestamp, from_fn};

/// A layout of so many logical bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Seconds<const BITS: u32>;

impl<const BITS: u32> Layout for Seconds<BITS> {
    const LOGICAL_BITS: u32 = BITS;
    const TICKS_PER_SECOND: u64 = 1;
}

/// What a cfg binds, and what it expects.
struct Bounds {
    nodes: usize,
    max_wall: u64,
    skew: u64,
    max_offset: u64,
    max_lead: u64,
    events: usize,
    steps: u32,
    states: usize,
}

impl Bounds {
    /// Reads them, and that the cfg is one without bounds on disk, crashes or faults.
    fn read(name: &str, logical_bits: u32) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("spec/{name}.cfg"));
        let text = fs::read_to_string(path).unwrap();
        let number = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert_eq!(number("Logicals"), 1 << logical_bits);
        assert_eq!((number("Window"), number("Crashes")), (0, 0));
        assert!(text.contains("Fault = \"none\"") && text.contains("Nodes = {1, 2}"));
        Self {
            nodes: 2,
            max_wall: number("MaxWall"),
            skew: number("Skew"),
            max_offset: number("MaxOffset"),
            max_lead: number("MaxLead"),
            events: number("Events") as usize,
            steps: number("Steps") as u32,
            states: number("\\* expect: states") as usize,
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Event {
    node: usize,
    number: usize,
    stamp: u64,
    wall: u64,
    past: Vec<usize>,
}

/// The module's variables that these worlds change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct State {
    wall: Vec<u64>,
    last: Vec<u64>,
    past: Vec<Vec<usize>>,
    events: BTreeSet<Event>,
    steps: u32,
}

/// The real clock as it stands in a state, and a call of it. What it gave, and its last stamp afterwards.
fn ask<const BITS: u32, T>(
    state: &State,
    bounds: &Bounds,
    node: usize,
    call: impl Fn(&HybridClock<synod_clock::hybrid::FromFn<&dyn Fn() -> Duration>, Seconds<BITS>>) -> Option<T>,
) -> Option<(T, u64)> {
    let wall: &dyn Fn() -> Duration = &|| Duration::from_secs(state.wall[node]);
    let options = Options {
        max_offset: Duration::from_secs(bounds.max_offset),
        max_lead: Duration::from_secs(bounds.max_lead),
        jumps: Jumps { policy: JumpPolicy::Ignore, ..Jumps::default() },
        ..Options::default()
    };
    let last = Timestamp::from_u64(state.last[node]);
    let clock = HybridClock::resume(from_fn(wall), options, last, Timestamp::MAX);
    let given = call(&clock)?;
    Some((given, clock.last().as_u64()))
}

fn join(a: &[usize], b: &[usize]) -> Vec<usize> {
    a.iter().zip(b).map(|(a, b)| *a.max(b)).collect()
}

/// `Next`, action by action.
fn successors<const BITS: u32>(state: &State, bounds: &Bounds) -> Vec<State> {
    let mut out = Vec::new();
    for node in 0..bounds.nodes {
        let wall = state.wall[node];
        if wall < bounds.max_wall && state.wall.iter().all(|other| wall < other + bounds.skew) {
            let mut next = state.clone();
            next.wall[node] += 1;
            out.push(next);
        }
        for to in (0..wall).filter(|_| state.steps < bounds.steps) {
            let mut next = state.clone();
            next.wall[node] = to;
            next.steps += 1;
            out.push(next);
        }
        let own = state.past[node].clone();
        stamp(state, bounds, node, &own, ask::<BITS, _>(state, bounds, node, |it| it.now().ok()), &mut out);
        for event in state.events.iter().filter(|event| event.node != node) {
            let remote = Timestamp::from_u64(event.stamp);
            let received = ask::<BITS, _>(state, bounds, node, |it| it.recv(remote).ok());
            stamp(state, bounds, node, &join(&own, &event.past), received, &mut out);
            let observed = ask::<BITS, _>(state, bounds, node, |it| it.observe(remote).ok());
            if let (Some((_, last)), true) = (observed, event.number > own[event.node]) {
                let mut next = state.clone();
                next.last[node] = last;
                next.past[node] = join(&own, &event.past);
                out.push(next);
            }
        }
    }
    out
}

fn stamp<const BITS: u32>(
    state: &State,
    bounds: &Bounds,
    node: usize,
    past: &[usize],
    given: Option<(Timestamp<Seconds<BITS>>, u64)>,
    out: &mut Vec<State>,
) {
    let Some((stamp, last)) = given.filter(|_| state.events.len() < bounds.events) else { return };
    assert_eq!(stamp.as_u64(), last);
    let mut next = state.clone();
    next.last[node] = last;
    next.past[node] = past.to_vec();
    next.past[node][node] += 1;
    let (number, past) = (next.past[node][node], next.past[node].clone());
    next.events.insert(Event { node, number, stamp: last, wall: state.wall[node], past });
    out.push(next);
}

/// `Causality`.
fn follows_causality(state: &State) -> bool {
    state.events.iter().all(|late| {
        let before = |early: &&Event| *early != late && early.number <= late.past[early.node];
        state.events.iter().filter(before).all(|early| early.stamp < late.stamp)
    })
}

fn explore<const BITS: u32>(name: &str) {
    let bounds = Bounds::read(name, BITS);
    let nodes = bounds.nodes;
    let first = State {
        wall: vec![0; nodes],
        last: vec![0; nodes],
        past: vec![vec![0; nodes]; nodes],
        events: BTreeSet::new(),
        steps: 0,
    };
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        assert!(follows_causality(&state), "{state:?}");
        for next in successors::<BITS>(&state, &bounds) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    assert_eq!(seen.len(), bounds.states, "{name}: the module has another number of states");
}

#[test]
fn the_clock_reaches_the_states_of_the_specification() {
    explore::<3>("hybrid-paper");
    explore::<1>("hybrid-carry");
    explore::<2>("hybrid-steps");
}
