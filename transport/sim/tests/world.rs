//! The world against a toy machine: every fault happens, every invariant can fire, the same seed is the same run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

mod toy;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use synod_sim::history::{Operation, Request, Status};
use synod_sim::options::{Fault, Options, Rate};
use synod_sim::world::{Factory, World};
use synod_sim::{Kept, Outcome, invariants, run_seed, run_traced};
use synod_transport::trace::{Group, Line, Value, groups, read};
use toy::{Toy, Wrong};

fn factory(nodes: u64, wrong: Wrong) -> Factory<Toy> {
    Box::new(move |id, life, _seed, log| Ok(Toy::new(id, nodes, life, log, wrong)))
}

fn run(seed: u64, options: &Options, wrong: Wrong) -> Outcome {
    run_seed(seed, options, factory(options.nodes, wrong), &mut invariants::all())
}

fn short(nodes: u64) -> Options {
    Options { faulty: (Duration::from_secs(1), Duration::from_secs(6)), ..Options::new(nodes) }
}

/// Which invariants the first seeds find broken, with the first seed of each.
fn broken(seeds: u64, options: &Options, wrong: Wrong) -> BTreeMap<&'static str, u64> {
    let mut found = BTreeMap::new();
    for seed in 0..seeds {
        if let Some(violation) = run(seed, options, wrong).violation {
            found.entry(violation.invariant).or_insert(seed);
        }
    }
    found
}

#[test]
fn a_correct_machine_passes_and_every_fault_happens() {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut completed = 0;
    for seed in 0..300 {
        let options = short(1 + seed % 5).with(Fault::Garble, Rate::Drawn);
        let outcome = run(seed, &options, Wrong::Nothing);
        if let Some(violation) = outcome.violation {
            panic!("{violation}");
        }
        completed += outcome.completed;
        for (name, count) in outcome.counts {
            *counts.entry(name).or_insert(0) += count;
        }
    }
    println!("{completed} completed, {counts:#?}");
    for fault in Fault::ALL {
        assert!(counts.contains_key(fault.name()), "{} never happened", fault.name());
    }
    for covered in [
        "restart",
        "lived",
        "leaders",
        "message-cut-off",
        "message-to-the-dead",
        "crashed-with-unsynced-writes",
        "unsynced-writes-lost",
        "torn-write",
        "stopped-by-disk",
        "garbled-refused",
        "refused-not-leader",
        "read-refused",
        "timed-out",
        "asked-the-dead",
        "waited-for-disk",
    ] {
        assert!(counts.contains_key(covered), "{covered} never happened");
    }
    assert_eq!(counts["garble"] > 0, counts["garbled-refused"] > 0);
}

#[test]
fn a_quiet_world_is_quiet() {
    let outcome = run(7, &Options::quiet(3), Wrong::Nothing);
    assert_eq!(outcome.violation, None);
    assert!(outcome.completed > 10, "{outcome:?}");
    for fault in Fault::ALL {
        assert!(!outcome.counts.contains_key(fault.name()), "{outcome:?}");
    }
}

#[test]
fn each_fault_can_be_had_alone() {
    for fault in Fault::ALL {
        let options = Options::quiet(3).with(*fault, Rate::Fixed(fault.most()));
        let options = Options { faulty: (Duration::from_secs(20), Duration::from_secs(20)), ..options };
        let counts = run(11, &options, Wrong::Nothing).counts;
        for other in Fault::ALL {
            assert_eq!(
                counts.contains_key(other.name()),
                other == fault,
                "{} and {}",
                fault.name(),
                other.name()
            );
        }
    }
}

#[test]
fn deciding_alone_loses_what_was_acknowledged() {
    let found = broken(60, &short(3), Wrong::DecidesAlone);
    assert!(found.contains_key("durability") || found.contains_key("state-machine-safety"), "{found:?}");
}

#[test]
fn reading_anywhere_is_stale() {
    let found = broken(20, &short(3), Wrong::ReadsAnywhere);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["read-freshness"], "{found:?}");
}

#[test]
fn a_lying_disk_is_found_by_its_receipts() {
    let options = Options { lying_disks: true, ..short(3) };
    let found = broken(5, &options, Wrong::Nothing);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["no-promise-before-sync"], "{found:?}");
}

#[test]
fn a_lying_disk_is_found_by_what_it_loses() {
    let options = Options { lying_disks: true, ..short(3) };
    let mut found = 0;
    for seed in 0..60 {
        let mut safety: Vec<Box<dyn synod_sim::invariant::Invariant<Toy>>> = vec![
            Box::new(invariants::StateMachineSafety::default()),
            Box::new(invariants::Durability::default()),
        ];
        let outcome = run_seed(seed, &options, factory(3, Wrong::Nothing), &mut safety);
        found +=
            u64::from(outcome.violation.is_some_and(|violation| {
                ["state-machine-safety", "durability"].contains(&violation.invariant)
            }));
    }
    assert!(found > 0);
}

#[test]
fn silence_is_found_after_the_faults() {
    let options = short(3).with(Fault::Crash, Rate::Fixed(40_000));
    let found = broken(10, &options, Wrong::FallsSilent);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["liveness"], "{found:?}");
}

#[test]
fn a_machine_that_breaks_is_reported() {
    let found = broken(3, &Options::quiet(1), Wrong::Breaks);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["machine"], "{found:?}");
}

#[test]
fn a_machine_that_cannot_start_is_reported() {
    let options = Options::quiet(1);
    let factory: Factory<Toy> = Box::new(|_, _, _, _| Err("unreadable".to_owned()));
    let violation = run_seed(1, &options, factory, &mut invariants::all()).violation.expect("reported");
    assert!(violation.text.contains("unreadable"), "{violation}");
}

fn traced(seed: u64, options: &Options) -> (Outcome, Vec<u8>) {
    let out = Kept::default();
    let boxed = Box::new(out.clone());
    let outcome =
        run_traced(seed, options, factory(options.nodes, Wrong::Nothing), &mut invariants::all(), boxed)
            .unwrap();
    (outcome, out.take())
}

#[test]
fn the_same_seed_is_the_same_run_traced_or_not_byte_for_byte() {
    for seed in 0..10 {
        let options = short(3);
        let (first, bytes) = traced(seed, &options);
        let (second, again) = traced(seed, &options);
        assert_eq!(first, second);
        assert!(bytes == again, "the traces of seed {seed} differ");
        assert_eq!(first, run(seed, &options, Wrong::Nothing));
        assert_ne!(first.hash, run(seed + 1000, &options, Wrong::Nothing).hash);
    }
}

#[test]
fn a_trace_is_in_order_of_virtual_time_and_names_faults() {
    let options = all_faults();
    let mut seen = BTreeSet::new();
    for seed in 0..10 {
        let (_, bytes) = traced(seed, &options);
        let lines: Vec<Line> = read(&*bytes).map(Result::unwrap).collect();
        assert!(lines.windows(2).all(|pair| pair[0].at <= pair[1].at));
        seen.extend(lines.into_iter().map(|line| line.event));
    }
    let hosts = "InitState Wake ReceiveAppend ReceiveHave Propose Read Persisted BecomeLeader BecomeFollower \
                 Write SendAppend SendHave Seal Commit Replicate Refuse ReadReady Ready Failed Unreadable";
    let world = "Start Crash Pause Resume SlowDisk DiskFailure Partition PartitionHealed LinkDown LinkUp Heal \
                 Drop Duplicate Apply Invoke Complete";
    for event in hosts.split_whitespace().chain(world.split_whitespace()) {
        assert!(seen.remove(event), "no {event}");
    }
    assert_eq!(seen, BTreeSet::new(), "events that nobody named here");
}

/// What a trace says of clients: each operation as the history has it, in the order of the calls.
fn operations(lines: &[Line]) -> Vec<(u64, u64, Request, u64, Option<u64>, Status)> {
    let number = |line: &Line, name| line.get(name).and_then(Value::as_number).expect("a number");
    let text = |line: &Line, name| line.get(name).and_then(Value::as_text).expect("a word").to_owned();
    let mut found = Vec::new();
    for line in lines {
        match &*line.event {
            "Invoke" => {
                assert_eq!(number(line, "operation"), found.len() as u64);
                let request = match &*text(line, "request") {
                    "Propose" => Request::Propose { count: number(line, "count").try_into().unwrap() },
                    "Read" => Request::Read,
                    other => panic!("{other}"),
                };
                found.push((number(line, "client"), line.node, request, line.at, None, Status::Pending));
            }
            "Complete" => {
                let operation = &mut found[usize::try_from(number(line, "operation")).unwrap()];
                assert_eq!(operation.5, Status::Pending, "{line:?}: it was complete");
                assert_eq!((operation.0, operation.1), (number(line, "client"), line.node));
                let leader = line.get("leader").is_some();
                (operation.4, operation.5) = match &*text(line, "status") {
                    "Done" => (Some(line.at), Status::Done(number(line, "index").into())),
                    "Refused" => (Some(line.at), Status::Refused),
                    "Unknown" => (Some(line.at), Status::Unknown),
                    other => panic!("{other}"),
                };
                let done = matches!(operation.5, Status::Done(_));
                assert!(!(leader && done), "{line:?}: who is done need not go elsewhere");
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_operations_of_a_trace_are_those_of_the_history() {
    let noted =
        |it: &Operation| (it.client, it.node.get(), it.request, it.invoked_at, it.completed_at, it.status);
    let (mut statuses, mut pointed) = ([0; 4], 0);
    for seed in 0..10 {
        let out = Kept::default();
        let options = all_faults();
        let mut world = World::new(seed, &options, factory(options.nodes, Wrong::Nothing));
        world.trace_to(Box::new(out.clone()));
        while world.step().is_some() {}
        world.finish_trace().unwrap();
        let lines: Vec<Line> = read(&*out.take()).map(Result::unwrap).collect();
        let history: Vec<_> = world.history().iter().map(noted).collect();
        assert_eq!(operations(&lines), history, "seed {seed}");
        for operation in &history {
            statuses[match operation.5 {
                Status::Pending => 0,
                Status::Done(_) => 1,
                Status::Refused => 2,
                Status::Unknown => 3,
            }] += 1;
        }
        pointed += lines.iter().filter(|it| it.event == "Complete" && it.get("leader").is_some()).count();
        // An answer that comes a moment later, or not at all, is another history.
        let last = lines.iter().rposition(|line| line.event == "Complete").expect("an answer");
        let mut late = lines.clone();
        late[last].at += 1;
        assert_ne!(operations(&late), history);
        let silent = [&lines[..last], &lines[last + 1..]].concat();
        assert_ne!(operations(&silent), history);
    }
    assert!(statuses[1..].iter().all(|count| *count > 10) && pointed > 0, "{statuses:?}, {pointed}");
}

/// The steps of each node: closed, between a start and a crash, and each seal opened once and in order.
#[test]
fn a_trace_tells_whole_lives_of_whole_steps() {
    let (mut lives, mut opened, mut lost) = (0, 0, 0);
    for seed in 0..10 {
        let (_, bytes) = traced(seed, &all_faults());
        let mut nodes: BTreeMap<u64, Life> = BTreeMap::new();
        for group in groups(read(&*bytes)) {
            match group.unwrap() {
                Group::Alone(line) => match &*line.event {
                    "Start" => {
                        lives += 1;
                        assert!(nodes.insert(line.node, Life::default()).is_none(), "{line:?}: it was up");
                    }
                    "InitState" => nodes.get_mut(&line.node).expect("started").state = line.state,
                    "Crash" => {
                        let life = nodes.remove(&line.node).expect("it was up");
                        assert!(life.state.is_some());
                        lost += life.seals.len();
                    }
                    _ => {}
                },
                Group::Step { input, effects, end } => {
                    let life = nodes.get_mut(&input.node).expect("only who is up takes steps");
                    assert!(life.state.is_some(), "no InitState before {input:?}");
                    opened += life.follow(&input, &effects);
                    life.state = end.state;
                }
            }
        }
    }
    assert!(lives > 50 && opened > 50 && lost > 0, "{lives} lives, {opened} seals opened, {lost} lost");
}

#[derive(Default)]
struct Life {
    state: Option<Value>,
    /// Number, receiver, message and the write it waits for.
    seals: VecDeque<(u64, Option<u64>, Option<Value>, u64)>,
}

impl Life {
    /// Checks a step's seals; how many it opened.
    fn follow(&mut self, input: &Line, effects: &[Line]) -> usize {
        let number = |line: &Line, name| line.get(name).and_then(Value::as_number);
        let mut opened = 0;
        for line in effects {
            if line.event == "Seal" {
                let seal = number(line, "seal").expect("a number");
                let after = number(line, "after").expect("a write");
                self.seals.push_back((seal, line.peer, line.message.clone(), after));
            } else if let Some(seal) = number(line, "seal") {
                assert_eq!(input.event, "Persisted");
                let (sealed, peer, message, after) = self.seals.pop_front().expect("it was sealed");
                assert_eq!((sealed, peer, message), (seal, line.peer, line.message.clone()));
                assert!(number(input, "through") >= Some(after), "opened too early");
                opened += 1;
            }
        }
        opened
    }
}

fn all_faults() -> Options {
    let options = short(3).with(Fault::Garble, Rate::Fixed(10_000));
    [Fault::Crash, Fault::Partition, Fault::Flap, Fault::Pause, Fault::SlowDisk, Fault::DiskFailure]
        .into_iter()
        .fold(options, |options, fault| options.with(fault, Rate::Fixed(50_000)))
        .with(Fault::Duplicate, Rate::Fixed(20_000))
        .with(Fault::Loss, Rate::Fixed(20_000))
        .with(Fault::CrashBeforeSync, Rate::Fixed(5_000))
}
