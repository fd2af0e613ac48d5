//! What a trace of a Raft world tells is enough to replay it: every kind of event comes, and the log, the ballot and
//! the durable writes that the lines give are those of the states.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use synod_raft_check::{run, run_traced};
use synod_sim::{Kept, Outcome};
use synod_transport::trace::{Group, Line, Value, groups, read};

fn traced(seed: u64) -> (Outcome, Vec<u8>) {
    let out = Kept::default();
    let outcome = run_traced(seed, 3, None, Box::new(out.clone())).unwrap();
    (outcome, out.take())
}

#[test]
fn a_seed_is_the_same_run_traced_or_not_and_the_same_trace_again() {
    for seed in 0..3 {
        let (outcome, bytes) = traced(seed);
        assert_eq!(outcome, run(seed, 3, None));
        assert!(traced(seed).1 == bytes, "the traces of seed {seed} differ");
    }
}

/// What the lines of a life say about one node.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Replica {
    /// The term of each entry.
    log: Vec<u64>,
    ballot: (u64, u64),
    written: u64,
    durable: u64,
    ballot_write: u64,
}

fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_number).expect("a number")
}

fn terms(runs: Option<&Value>) -> impl Iterator<Item = u64> + '_ {
    let runs = runs.and_then(Value::as_list).expect("runs").iter();
    runs.flat_map(|run| {
        let run = run.as_list().expect("a run");
        (0..number(run.get(1))).map(|_| number(run.first()))
    })
}

impl Replica {
    fn restored(state: &Value) -> Self {
        let log = terms(state.get("log").and_then(|log| log.get("runs"))).collect();
        let ballot = (number(state.get("term")), number(state.get("vote")));
        Self { log, ballot, written: 0, durable: 0, ballot_write: 0 }
    }

    fn write(&mut self, write: &Line) {
        self.written += 1;
        assert_eq!(number(write.get("id")), self.written, "writes count without gaps");
        if let Some(from) = write.get("truncate_from") {
            self.log.truncate(usize::try_from(number(Some(from)) - 1).unwrap());
        }
        if let Some(append) = write.get("append") {
            let after = append.get("after").and_then(Value::as_list).expect("a position");
            assert_eq!(number(after.get(1)), self.log.len() as u64, "no hole in {write:?}");
            assert_eq!(number(after.first()), self.log.last().copied().unwrap_or_default());
            self.log.extend(terms(append.get("runs")));
        }
        if let Some(state) = write.get("hard_state") {
            self.ballot = (number(state.get("term")), number(state.get("vote")));
            self.ballot_write = self.written;
        }
    }

    /// What a state must say if the lines before it said everything.
    fn check(&self, state: &Value) {
        let shown = Self::restored(state);
        assert_eq!((&shown.log, shown.ballot), (&self.log, self.ballot));
        assert_eq!(number(state.get("unsaved")), self.written - self.durable);
        assert_eq!(number(state.get("ballot_after")), self.ballot_write.saturating_sub(self.durable));
    }
}

#[test]
fn the_lines_of_a_life_give_its_states_and_every_kind_is_seen() {
    let (mut events, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let mut checked = 0;
    for seed in 0..12 {
        let mut nodes: BTreeMap<u64, Replica> = BTreeMap::new();
        for group in groups(read(&*traced(seed).1)) {
            let (lines, end) = match group.unwrap() {
                Group::Alone(line) if line.event == "InitState" => {
                    let restored = Replica::restored(line.state.as_ref().expect("a state"));
                    nodes.insert(line.node, restored);
                    (vec![line], None)
                }
                Group::Alone(line) => (vec![line], None),
                Group::Step { input, effects, end } => {
                    let lines = [vec![input], effects].concat();
                    (lines, Some(end))
                }
            };
            for line in &lines {
                events.insert(line.event.clone());
                let kind = line.message.as_ref().and_then(|message| message.get("kind"));
                kinds.extend(kind.and_then(Value::as_text).map(str::to_owned));
                match &*line.event {
                    "Write" => nodes.get_mut(&line.node).expect("a life").write(line),
                    "Persisted" => {
                        nodes.get_mut(&line.node).expect("a life").durable = number(line.get("through"));
                    }
                    _ => {}
                }
            }
            if let Some(end) = end.filter(|end| end.event == "Ready") {
                nodes.get(&end.node).expect("a life").check(end.state.as_ref().expect("a state"));
                checked += 1;
            }
        }
    }
    assert!(checked > 10_000, "{checked} states");
    let want =
        "Append Appended Conflict Heartbeat HeartbeatReply Outdated PreVote PreVoteReply Vote VoteReply";
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), want.split(' ').collect::<Vec<_>>());
    let messages =
        ["RequestPreVote", "RequestVote", "AppendEntries", "Heartbeat"].into_iter().flat_map(|noun| {
            ["Request", "Response"].into_iter().flat_map(move |end| {
                ["Send", "Receive"].into_iter().map(move |verb| format!("{verb}{noun}{end}"))
            })
        });
    let others = "InitState BecomeFollower BecomePreCandidate BecomeCandidate BecomeLeader Commit Replicate Wake Propose Read \
                  Persisted Write Seal Refuse ReadReady Start Crash Drop Duplicate Invoke Complete";
    for event in messages.chain(others.split_whitespace().map(str::to_owned)) {
        assert!(events.contains(&event), "no {event}");
    }
}

/// Who asked, and what: by the tag under which nodes hear of it.
#[test]
fn nodes_are_asked_what_clients_ask_and_clients_hear_at_most_once() {
    let (mut asked, mut answered) = (0, 0);
    for seed in 0..6 {
        let mut open: BTreeMap<u64, (Line, bool)> = BTreeMap::new();
        for line in read(&*traced(seed).1).map(Result::unwrap) {
            let operation = line.get("operation").and_then(Value::as_number);
            match &*line.event {
                "Invoke" => {
                    let again = open.insert(operation.expect("a number"), (line, false));
                    assert_eq!(again, None, "an operation is asked for once");
                }
                "Complete" => {
                    let (invoke, over) = open.get_mut(&operation.unwrap()).expect("it was asked for");
                    assert!(!*over, "{line:?} comes twice");
                    assert_eq!((invoke.node, invoke.get("client")), (line.node, line.get("client")));
                    *over = true;
                    answered += 1;
                }
                "Propose" | "Read" => {
                    let (invoke, _) = &open[&number(line.get("tag"))];
                    assert_eq!(invoke.node, line.node);
                    assert_eq!(invoke.get("request").and_then(Value::as_text), Some(&*line.event));
                    assert_eq!(invoke.get("count"), line.get("count"));
                    asked += 1;
                }
                _ => {}
            }
        }
    }
    assert!(asked > 100 && answered > 100, "{asked} asked, {answered} answered");
}
