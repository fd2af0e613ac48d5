//! The uploader's counterexamples as traces: who said what to whom, from the states that the explorer visited.

#[path = "../../../transport/sim/examples/uploader/model.rs"]
mod model;

use anyhow::{Context as _, Result};
use model::{Action, Phase, State, Uploader, Worker};
use synod_sim::explore::{Path, Verdict};
use synod_transport::trace::{Line, Value, named};

/// Who takes part.
const USER: u64 = 1;
const QUEUE: u64 = 2;
const STORAGE: u64 = 3;
/// Worker 0 is node 4.
const WORKERS: u64 = 4;

/// What the lanes are called.
pub(super) fn names() -> Vec<(u64, String)> {
    let fixed = [
        (USER, "user"),
        (QUEUE, "queue"),
        (STORAGE, "storage"),
        (WORKERS, "worker 0"),
        (WORKERS + 1, "worker 1"),
    ];
    fixed.map(|(id, name)| (id, name.to_owned())).to_vec()
}

/// The shortest run of a stage that breaks a property, as the lines of a trace.
pub(super) fn trace(stage: u8, property: &str) -> Result<Vec<Line>> {
    let model = Uploader::stage(stage).context("there are four stages")?;
    let report = model.explorer().threads(1).run()?;
    let finding = report.finding(property).context("no such property")?;
    let (Verdict::Broken(why), Some(path)) = (&finding.verdict, &finding.path) else {
        anyhow::bail!("stage {stage} does not break {property}");
    };
    let again = if path.cycle_from.is_some() { ", for the same comes again and again" } else { "" };
    Ok(lines(path, property, &format!("{why}{again}")))
}

fn lines(path: &Path<State, Action>, property: &str, why: &str) -> Vec<Line> {
    let mut tale = Tale { lines: Vec::new(), at: 0 };
    for ((before, (action, after)), number) in path.states().zip(&path.steps).zip(1..) {
        tale.at = number;
        tale.action(before, *action, after);
    }
    let broken = named([("invariant", Value::from(property.to_owned())), ("why", why.to_owned().into())]);
    tale.lines.push(Line { at: tale.at, event: "Broken".to_owned(), fields: broken, ..Line::default() });
    tale.lines
}

/// The lines so far. A step of the model is one moment in which several take part.
struct Tale {
    lines: Vec<Line>,
    at: u64,
}

impl Tale {
    fn action(&mut self, before: &State, action: Action, after: &State) {
        match action {
            Action::Upload => {
                let version = after.sent;
                let mut said = vec![(QUEUE, "Message", version)];
                if after.stored > before.stored {
                    said.insert(0, (STORAGE, "Upload", version));
                }
                self.says(USER, "Upload", &said, after);
            }
            Action::Store => self.says(USER, "Store", &[(STORAGE, "Upload", after.stored)], after),
            Action::Delete => self.says(USER, "Delete", &[(STORAGE, "Delete", before.stored)], after),
            Action::Take(worker) => {
                let version = before.queue.front().copied().unwrap_or(0);
                self.says(QUEUE, "Give", &[(lane(worker), "Message", version)], after);
            }
            Action::Write(worker) => {
                self.says(lane(worker), "Write", &[(STORAGE, "File", of(before, worker))], after);
            }
            Action::Link(worker) => {
                self.says(lane(worker), "Link", &[(STORAGE, "Link", of(before, worker))], after);
            }
            Action::Ack(worker) => {
                self.says(lane(worker), "Acknowledge", &[(QUEUE, "Done", of(before, worker))], after);
            }
            Action::Crash(worker) => {
                let life = named([("life", Value::Number(1))]);
                self.line(Line {
                    node: lane(worker),
                    event: "Crash".to_owned(),
                    fields: life,
                    ..Line::default()
                });
                self.line(Line { node: lane(worker), event: "Start".to_owned(), ..Line::default() });
                self.says(QUEUE, "Take back", &[], after);
            }
            Action::Clean(_) => self.says(STORAGE, "Clean", &[], after),
        }
    }

    /// Somebody does something and says so; those who are told take it.
    fn says(&mut self, node: u64, event: &str, said: &[(u64, &'static str, u8)], after: &State) {
        let command = named([("command", Value::from(event.to_owned()))]);
        self.line(Line { node, event: "Command".to_owned(), fields: command, ..Line::default() });
        for (to, kind, version) in said {
            let message = Some(message(kind, *version));
            self.line(Line { node, event: "Send".to_owned(), peer: Some(*to), message, ..Line::default() });
        }
        self.line(Line {
            node,
            event: "Ready".to_owned(),
            state: Some(state(node, after)),
            ..Line::default()
        });
        for (to, kind, version) in said {
            let message = Some(message(kind, *version));
            self.line(Line {
                node: *to,
                event: "Receive".to_owned(),
                peer: Some(node),
                message,
                ..Line::default()
            });
            let state = Some(state(*to, after));
            self.line(Line { node: *to, event: "Ready".to_owned(), state, ..Line::default() });
        }
    }

    fn line(&mut self, line: Line) {
        self.lines.push(Line { at: self.at, ..line });
    }
}

fn lane(worker: usize) -> u64 {
    WORKERS + worker as u64
}

fn of(state: &State, worker: usize) -> u8 {
    state.workers.get(worker).map_or(0, |worker| worker.version)
}

fn message(kind: &'static str, version: u8) -> Value {
    Value::record([("kind", Value::word(kind)), ("version", u64::from(version).into())])
}

/// What somebody has.
fn state(node: u64, all: &State) -> Value {
    let version = |version: u8| Value::Number(version.into());
    match node {
        USER => Value::record([("uploads", version(all.sent)), ("deleted", all.deleted.into())]),
        QUEUE => Value::record([("waiting", all.queue.iter().map(|it| u64::from(*it)).collect())]),
        STORAGE => Value::record([
            ("stored", version(all.stored)),
            ("files", all.outputs.iter().map(|it| u64::from(*it)).collect()),
            ("shown", version(all.link)),
        ]),
        _ => {
            let place = usize::try_from(node - WORKERS).unwrap_or(usize::MAX);
            let Worker { phase, version: on, old } = all.workers.get(place).copied().unwrap_or_default();
            let phase = match phase {
                Phase::Idle => "Idle",
                Phase::Taken => "Taken",
                Phase::Written => "Written",
                Phase::Done => "Done",
                Phase::Lost => "Lost",
            };
            Value::record([
                ("role", Value::word(phase)),
                ("version", version(on)),
                ("replaces", version(old)),
            ])
        }
    }
}
