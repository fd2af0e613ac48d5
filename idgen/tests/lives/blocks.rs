//! The real sequence under the bounds of the specification: every state is visited, and there must be as many as the
//! module has (`idgen/spec/Blocks.tla`, the cfgs named below).

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU64;
use std::path::Path;

use synod_idgen::sequence::{Answered, Block, Sequence, SequenceOptions, Ticket};

/// What a cfg binds, and what it expects.
struct Bounds {
    processes: usize,
    size: u64,
    refill: u64,
    end: u64,
    gives: u64,
    crashes: u32,
    loses: u32,
    doubles: u32,
    failures: u32,
    states: usize,
}

impl Bounds {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("spec/{name}.cfg"));
        let text = fs::read_to_string(path).unwrap();
        let value = |name: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_once(if name.starts_with('\\') { "states " } else { " = " }).unwrap().1
        };
        let number = |name: &str| -> u64 { value(name).parse().unwrap() };
        assert_eq!(value("Fault"), "\"none\"");
        Self {
            processes: value("Processes").split(',').count(),
            size: number("Size"),
            refill: number("Refill"),
            end: number("End"),
            gives: number("Gives"),
            crashes: number("Crashes") as u32,
            loses: number("Loses") as u32,
            doubles: number("Doubles") as u32,
            failures: number("Failures") as u32,
            states: number("\\* expect: states") as usize,
        }
    }
}

/// What a process of the real code was told in this life; the sequence is made anew from it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Told {
    Ask,
    Answer(u64, u64),
    Give,
    Lose(u64),
}

/// The module's variables, and how the real sequences came there.
#[derive(Clone, Debug)]
struct State {
    seen: Seen,
    told: Vec<Vec<Told>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Seen {
    counter: u64,
    calls: BTreeSet<(usize, u64)>,
    answers: BTreeSet<(usize, u64, u64)>,
    processes: Vec<Process>,
    given: BTreeSet<u64>,
    crashes: u32,
    loses: u32,
    doubles: u32,
    failures: u32,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Process {
    is_down: bool,
    /// Tickets drawn in all lives, and before this one.
    tickets: u64,
    before: u64,
    asked: bool,
    /// Numbers of block and spare block, as the real sequence would give them.
    held: Vec<u64>,
}

/// The sequence of a process that was told all this.
fn sequence(bounds: &Bounds, told: &[Told]) -> Sequence {
    let block = NonZeroU64::new(bounds.size).unwrap();
    let sequence = Sequence::new(SequenceOptions { block, refill: bounds.refill, life: 0 });
    for told in told {
        tell(bounds, &sequence, told);
    }
    sequence
}

/// What comes of it: a ticket, a number, or that an answer was taken.
fn tell(bounds: &Bounds, sequence: &Sequence, told: &Told) -> Option<u64> {
    let ticket = |serial| Ticket { life: 0, serial };
    match told {
        Told::Ask => sequence.request().map(|request| request.ticket.serial),
        Told::Give => sequence.try_next().ok(),
        Told::Answer(serial, first) => {
            let block = Block::new(*first, first + bounds.size).unwrap();
            (sequence.answer(ticket(*serial), block) == Ok(Answered::Taken)).then_some(0)
        }
        Told::Lose(serial) => (sequence.abandon(ticket(*serial)) == Answered::Taken).then_some(0),
    }
}

/// The state after a process was told something, if that changes anything, and what came of it.
fn after(bounds: &Bounds, state: &State, p: usize, told: Told) -> Option<(State, u64)> {
    let sequence = sequence(bounds, &state.told[p]);
    let came = tell(bounds, &sequence, &told)?;
    let mut next = state.clone();
    next.told[p].push(told);
    next.seen.processes[p].held = std::iter::from_fn(|| sequence.try_next().ok()).collect();
    Some((next, came))
}

/// `Next`, action by action.
fn successors(state: &State, bounds: &Bounds) -> Vec<State> {
    let mut out = Vec::new();
    for p in 0..bounds.processes {
        process(state, bounds, p, &mut out);
    }
    let seen = &state.seen;
    let has_room = seen.counter + bounds.size <= bounds.end;
    for call in seen.calls.iter().filter(|_| has_room) {
        let reserved = |change: &dyn Fn(&mut Seen)| {
            let mut next = state.clone();
            next.seen.answers.insert((call.0, call.1, seen.counter));
            next.seen.counter += bounds.size;
            change(&mut next.seen);
            next
        };
        out.push(reserved(&|seen| assert!(seen.calls.remove(call))));
        if seen.doubles < bounds.doubles {
            out.push(reserved(&|seen| seen.doubles += 1));
        }
        if seen.failures < bounds.failures {
            out.push(reserved(&|next| {
                next.answers.clone_from(&seen.answers);
                next.calls.remove(call);
                next.failures += 1;
            }));
        }
    }
    if seen.failures < bounds.failures {
        let mut next = state.clone();
        next.seen.failures += 1;
        out.push(next);
    }
    out
}

/// `Ask`, `Take`, `Give`, `Lose`, `Crash`, `Start`.
fn process(state: &State, bounds: &Bounds, p: usize, out: &mut Vec<State>) {
    let (seen, own) = (&state.seen, &state.seen.processes[p]);
    let left = seen.given.len() < bounds.gives as usize;
    if own.is_down {
        let mut next = state.clone();
        next.seen.processes[p] = Process { is_down: false, before: own.tickets, ..own.clone() };
        out.push(next);
        return;
    }
    if left {
        if let Some((mut next, serial)) = after(bounds, state, p, Told::Ask) {
            let own = &mut next.seen.processes[p];
            (own.tickets, own.asked) = (own.before + serial, true);
            let call = (p, own.tickets);
            next.seen.calls.insert(call);
            out.push(next);
        }
        if let Some((mut next, number)) = after(bounds, state, p, Told::Give) {
            assert!(next.seen.given.insert(number), "given twice: {state:?}");
            out.push(next);
        }
    }
    for (_, ticket, first) in seen.answers.iter().filter(|(to, ..)| *to == p) {
        // Lives are told apart: an answer to an earlier one has another life's ticket, and serials above all of this one.
        let serial = ticket.checked_sub(own.before).filter(|serial| *serial > 0).unwrap_or(u64::MAX - 1);
        if let Some((mut next, _)) = after(bounds, state, p, Told::Answer(serial, *first)) {
            next.seen.processes[p].asked = false;
            out.push(next);
        }
    }
    if own.asked && seen.loses < bounds.loses {
        let serial = own.tickets - own.before;
        let (mut next, _) = after(bounds, state, p, Told::Lose(serial)).expect("it is open");
        next.seen.processes[p].asked = false;
        next.seen.loses += 1;
        out.push(next);
    }
    if seen.crashes < bounds.crashes {
        let mut next = state.clone();
        // What was drawn before counts from the next start on.
        next.seen.processes[p] = Process { is_down: true, asked: false, held: Vec::new(), ..own.clone() };
        next.told[p].clear();
        next.seen.crashes += 1;
        out.push(next);
    }
}

fn explore(name: &str) {
    let bounds = Bounds::read(name);
    let first = State {
        seen: Seen {
            counter: 0,
            calls: BTreeSet::new(),
            answers: BTreeSet::new(),
            processes: vec![Process::default(); bounds.processes],
            given: BTreeSet::new(),
            crashes: 0,
            loses: 0,
            doubles: 0,
            failures: 0,
        },
        told: vec![Vec::new(); bounds.processes],
    };
    let mut seen = BTreeSet::from([first.seen.clone()]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        for process in &state.seen.processes {
            assert!(process.held.iter().all(|number| !state.seen.given.contains(number)), "{state:?}");
        }
        for next in successors(&state, &bounds) {
            if seen.insert(abstracted(&next.seen)) {
                open.push(next);
            }
        }
    }
    assert_eq!(seen.len(), bounds.states, "{name}: the module has another number of states");
}

/// Without what the module does not have: where the tickets of a life begin.
fn abstracted(seen: &Seen) -> Seen {
    let mut seen = seen.clone();
    seen.processes.iter_mut().for_each(|process| process.before = 0);
    seen
}

#[test]
fn the_sequence_reaches_the_states_of_the_specification() {
    for world in ["one", "two", "two-doubled", "end"] {
        explore(&format!("blocks-{world}"));
    }
}
