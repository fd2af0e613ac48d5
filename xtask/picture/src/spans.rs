//! What lasts: roles, crashes, pauses, cuts, writes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use synod_transport::trace::{Line, Value};

use crate::run::{DiskWrite, Kind, LaneKind, Lasting, Run, Span, WriteEnd};

/// Fills in what lasts, from the steps.
pub(crate) fn find(run: &mut Run) {
    let mut open = Open::default();
    let steps = std::mem::take(&mut run.steps);
    for (at, step) in steps.iter().enumerate() {
        let Some(kind) = run.lanes.get(step.lane).map(|lane| lane.kind) else { continue };
        for line in &step.lines {
            match kind {
                LaneKind::Node => open.node_line(run, step.lane, at, line),
                LaneKind::World => open.world_line(run, step.lane, at, line),
                LaneKind::Client => {}
            }
        }
        if let (Some(state), LaneKind::Node) = (step.state(), kind) {
            open.state(run, step.lane, at, state);
        }
    }
    run.steps = steps;
    // What began and did not end.
    let rest = open.spans.into_values();
    run.spans.extend(rest);
    run.spans.sort_by_key(|span| (span.from, span.lane));
    run.writes.extend(open.writes.into_values().flatten());
    run.writes.sort_by_key(|write| (write.from, write.lane));
}

/// A kind of span, of which a lane has one at a time; cuts are told apart by what is cut.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Role,
    Down,
    Paused,
    Cut(String),
}

/// What has begun.
#[derive(Default)]
struct Open {
    spans: BTreeMap<(usize, Slot), Span>,
    writes: BTreeMap<usize, Vec<DiskWrite>>,
    commits: BTreeMap<usize, u64>,
}

impl Open {
    fn begin(&mut self, run: &mut Run, lane: usize, at: usize, slot: Slot, what: Lasting) {
        self.end(run, lane, at, &slot);
        self.spans.insert((lane, slot), Span { lane, from: at, to: None, what });
    }

    fn end(&mut self, run: &mut Run, lane: usize, at: usize, slot: &Slot) {
        if let Some(span) = self.spans.remove(&(lane, slot.clone())) {
            run.spans.push(Span { to: Some(at), ..span });
        }
    }

    fn node_line(&mut self, run: &mut Run, lane: usize, at: usize, line: &Line) {
        match line.event.as_str() {
            "Start" => {
                // A process that was killed left no word.
                self.stop(run, lane, at, None);
                self.end(run, lane, at, &Slot::Down);
            }
            "Crash" | "Failed" => {
                self.stop(run, lane, at, Some(line));
                // An explored crash starts again within its step.
                if run.kind != Kind::Explored || line.event == "Failed" {
                    self.begin(run, lane, at, Slot::Down, Lasting::Down);
                }
            }
            "Pause" => self.begin(run, lane, at, Slot::Paused, Lasting::Paused),
            "Resume" => self.end(run, lane, at, &Slot::Paused),
            "Write" => {
                let id = line.get("id").and_then(Value::as_number).unwrap_or(0);
                self.writes.entry(lane).or_default().push(DiskWrite {
                    lane,
                    from: at,
                    to: None,
                    end: WriteEnd::Open,
                    id,
                });
            }
            "Persisted" => {
                let through = line.get("through").and_then(Value::as_number).unwrap_or(0);
                let writes = self.writes.entry(lane).or_default();
                let done = writes.iter().take_while(|write| write.id <= through).count();
                run.writes.extend(writes.drain(..done).map(|write| DiskWrite {
                    to: Some(at),
                    end: WriteEnd::Synced,
                    ..write
                }));
            }
            _ => {}
        }
    }

    /// A life ends, or had ended: what is open of it is closed. The line may say what the disk has of it.
    fn stop(&mut self, run: &mut Run, lane: usize, at: usize, line: Option<&Line>) {
        for slot in [Slot::Role, Slot::Paused] {
            self.end(run, lane, at, &slot);
        }
        self.commits.remove(&lane);
        let survived = line.and_then(|line| line.get("survived")?.as_number()).unwrap_or(0);
        let torn = line.and_then(|line| line.get("torn")?.as_bool()).unwrap_or(false);
        for (write, number) in self.writes.remove(&lane).unwrap_or_default().into_iter().zip(0u64..) {
            let end = match number.cmp(&survived) {
                Ordering::Less => WriteEnd::Survived,
                Ordering::Equal if torn => WriteEnd::Torn,
                _ => WriteEnd::Lost,
            };
            run.writes.push(DiskWrite { to: Some(at), end, ..write });
        }
    }

    fn world_line(&mut self, run: &mut Run, lane: usize, at: usize, line: &Line) {
        match line.event.as_str() {
            "Partition" => {
                let kind = line.get("kind").and_then(Value::as_text).unwrap_or("partition");
                let cut = cuts(line);
                let nothing = cut.is_empty();
                let what = Lasting::Cut(if nothing {
                    format!("{kind} (cuts nothing)")
                } else {
                    format!("{kind}: {cut}")
                });
                self.begin(run, lane, at, Slot::Cut(String::new()), what);
            }
            "LinkDown" | "LinkUp" => {
                let cut = format!("{}–{}", line.node, line.peer.unwrap_or(0));
                let slot = Slot::Cut(cut.clone());
                if line.event == "LinkDown" {
                    self.begin(run, lane, at, slot, Lasting::Cut(cut));
                } else {
                    self.end(run, lane, at, &slot);
                }
            }
            "PartitionHealed" => self.end(run, lane, at, &Slot::Cut(String::new())),
            "Heal" => {
                let cut: Vec<(usize, Slot)> =
                    self.spans.keys().filter(|(_, slot)| matches!(slot, Slot::Cut(_))).cloned().collect();
                cut.into_iter().for_each(|(lane, slot)| self.end(run, lane, at, &slot));
            }
            _ => {}
        }
    }

    /// A state that says a role, a term or a commit index.
    fn state(&mut self, run: &mut Run, lane: usize, at: usize, state: &Value) {
        if self.spans.contains_key(&(lane, Slot::Down)) {
            return;
        }
        if let Some(role) = state.get("role").and_then(Value::as_text) {
            let term = state.get("term").and_then(Value::as_number);
            let what = Lasting::Role(role.to_owned(), term);
            let same = self.spans.get(&(lane, Slot::Role)).is_some_and(|span| span.what == what);
            if !same {
                self.begin(run, lane, at, Slot::Role, what);
            }
        }
        if let Some(commit) = state.get("commit").and_then(Value::as_number) {
            if self.commits.insert(lane, commit) != Some(commit) {
                run.commits.push((lane, at, commit));
            }
        }
    }
}

/// `1→2 2→1` as `1–2`, one way as it is.
fn cuts(line: &Line) -> String {
    let list = line.get("cut").and_then(Value::as_list).unwrap_or_default();
    let pair = |value: &Value| {
        let pair = value.as_list()?;
        Some((pair.first()?.as_number()?, pair.get(1)?.as_number()?))
    };
    let cut: Vec<(u64, u64)> = list.iter().filter_map(pair).collect();
    let shown = cut.iter().filter_map(|(from, to)| {
        let both = cut.contains(&(*to, *from));
        (!both || from < to).then(|| format!("{from}{}{to}", if both { "–" } else { "→" }))
    });
    shown.collect::<Vec<_>>().join(" ")
}
