//! The offending window as a picture: lanes in text, and a page of HTML.
//!
//! Both put the moments at even distances in order of time: what matters is which operation returned before which was
//! called, not how long it took.

use core::fmt::{self, Write as _};
use std::collections::BTreeMap;

use super::{Answer, Kind, Offence, Operation};

/// Columns between two moments of a lane.
const STEP: usize = 6;

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.sentence())?;
        for operation in &self.window {
            let mark = if *operation == self.culprit { ">" } else { " " };
            writeln!(f, "{mark} {operation}")?;
        }
        writeln!(f)?;
        self.lanes(f)?;
        writeln!(f, "{}", self.alternatives())
    }
}

impl Offence {
    fn sentence(&self) -> String {
        let before = if self.cut { "whatever its value before them" } else { "from absent" };
        format!(
            "key {:?} is not linearizable: no order of these {} operations\n\
             gives every client the answer it got, {before}:",
            self.key,
            self.window.len()
        )
    }

    /// What the culprit could have been answered.
    fn alternatives(&self) -> String {
        let answers: Vec<String> = self.possible.iter().map(Answer::to_string).collect();
        let asked = match self.culprit.kind {
            Kind::Get => "the read",
            Kind::CompareAndSet { .. } => "the compare-and-set",
            Kind::Put(_) | Kind::Delete => {
                return "no answer of the marked operation was false: with its return, one before it was"
                    .to_owned();
            }
        };
        match answers.as_slice() {
            [] => format!("no other answer to {asked} at the mark was found that would do"),
            answers => format!("{asked} at the mark could have been answered: {}", answers.join(", ")),
        }
    }

    /// Calls and returns in the window, by time: the place of each on the axis.
    fn axis(&self) -> BTreeMap<u64, usize> {
        let moments = self.window.iter().flat_map(|it| [Some(it.invoke), it.complete]).flatten();
        let mut axis: BTreeMap<u64, usize> = moments.map(|moment| (moment, 0)).collect();
        for (at, place) in axis.values_mut().enumerate() {
            *place = at;
        }
        axis
    }

    /// The window's operations in rows without overlap, the rows of a client together.
    fn rows(&self) -> Vec<(u64, Vec<&Operation>)> {
        let mut rows: Vec<(u64, Vec<&Operation>)> = Vec::new();
        let mut window: Vec<&Operation> = self.window.iter().collect();
        window.sort_by_key(|it| (it.client, it.invoke));
        for operation in window {
            let free = |row: &&mut (u64, Vec<&Operation>)| {
                let last = row.1.last().and_then(|last| last.complete);
                row.0 == operation.client && last.is_some_and(|last| last < operation.invoke)
            };
            match rows.iter_mut().find(free) {
                Some(row) => row.1.push(operation),
                None => rows.push((operation.client, vec![operation])),
            }
        }
        rows
    }

    /// A lane for each row: `|---a---|` from call to return, `>` where none came, and `^` below the impossible return.
    fn lanes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axis = self.axis();
        let rows = self.rows();
        let longest = self.window.iter().map(|it| label(it).chars().count()).max().unwrap_or(0);
        // Labels are written into the lanes: neighbours on the axis stand far enough apart for the longest.
        let step = STEP.max(longest + 3);
        let width = axis.len() * step + 1;
        let column = |moment: u64| axis.get(&moment).copied().unwrap_or(0) * step;
        for (client, operations) in rows {
            let mut lane = vec![' '; width];
            for operation in operations {
                let (from, to) = (column(operation.invoke), operation.complete.map_or(width - 1, column));
                for place in lane.iter_mut().take(to + 1).skip(from) {
                    *place = '-';
                }
                let open = operation.complete.is_none();
                for (at, sign) in [(from, '|'), (to, if open { '>' } else { '|' })] {
                    if let Some(place) = lane.get_mut(at) {
                        *place = sign;
                    }
                }
                for (place, sign) in lane.iter_mut().skip(from + 2).zip(label(operation).chars()) {
                    *place = sign;
                }
            }
            let lane: String = lane.into_iter().collect();
            writeln!(f, "{:>10}  {}", format!("client {client}"), lane.trim_end())?;
        }
        let mark = self.culprit.complete.map_or(width - 1, column);
        writeln!(f, "{:>10}  {:mark$}^ no order is possible once this has returned", "", "")
    }

    /// The window as one page that needs nothing else: a lane per client, the impossible return marked, and what could have
    /// been answered.
    pub fn html(&self) -> String {
        let axis = self.axis();
        let rows = self.rows();
        let longest = self.window.iter().map(|it| label(it).chars().count()).max().unwrap_or(0);
        let step = (longest * 8 + 24).max(60);
        let (left, width) = (90, 90 + axis.len() * step + 30);
        let column = |moment: u64| left + axis.get(&moment).copied().unwrap_or(0) * step;
        let mut bars = String::new();
        for (row, (client, operations)) in rows.iter().enumerate() {
            let y = 20 + row * 44;
            let _ = write!(bars, "<text x=\"8\" y=\"{}\" class=\"who\">client {client}</text>", y + 19);
            for operation in operations {
                let from = column(operation.invoke);
                let to = operation.complete.map_or(width - 8, column).max(from + 6);
                let class = match (operation.complete, **operation == self.culprit) {
                    (_, true) => "bad",
                    (None, _) => "open",
                    _ => "done",
                };
                let _ = write!(
                    bars,
                    "<g class=\"{class}\"><title>{title}</title><rect x=\"{from}\" y=\"{y}\" width=\"{}\" height=\"28\" \
                     rx=\"5\"/><text x=\"{}\" y=\"{}\">{text}</text></g>",
                    to - from,
                    from + 9,
                    y + 19,
                    title = escaped(&operation.to_string()),
                    text = escaped(&label(operation)),
                );
            }
        }
        let height = 20 + rows.len() * 44 + 28;
        let mark = self.culprit.complete.map_or(width - 8, column);
        let _ = write!(
            bars,
            "<line class=\"mark\" x1=\"{mark}\" x2=\"{mark}\" y1=\"8\" y2=\"{}\"/><text class=\"mark\" x=\"{}\" y=\"{}\" \
             text-anchor=\"end\">no order is possible from here</text>",
            height - 26,
            mark + 4,
            height - 8,
        );
        let lines: String = self.window.iter().fold(String::new(), |mut lines, operation| {
            let class = if *operation == self.culprit { " class=\"bad\"" } else { "" };
            let _ = write!(lines, "<li{class}>{}</li>", escaped(&operation.to_string()));
            lines
        });
        PAGE.replace("@TITLE@", &escaped(&format!("key {} is not linearizable", self.key)))
            .replace("@SENTENCE@", &escaped(&self.sentence()))
            .replace(
                "@SIZE@",
                &format!("viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\""),
            )
            .replace("@POSSIBLE@", &escaped(&self.alternatives()))
            .replace("@BARS@", &bars)
            .replace("@LINES@", &lines)
    }
}

/// An operation in a few characters.
fn label(operation: &Operation) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
    let text = match (&operation.kind, &operation.result) {
        (Kind::Get, Answer::Value(seen)) => format!("get {}", value(seen)),
        (Kind::Get, _) => "get ?".to_owned(),
        (Kind::Put(new), _) => format!("put {new}"),
        (Kind::Delete, _) => "delete".to_owned(),
        (Kind::CompareAndSet { expect, new }, answer) => {
            let sign = match answer {
                Answer::Swapped(true) => "",
                Answer::Swapped(false) => " no",
                _ => " ?",
            };
            format!("{}>{new}{sign}", value(expect))
        }
    };
    if text.chars().count() <= 24 { text } else { text.chars().take(23).chain(['…']).collect() }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page around the picture.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>@TITLE@</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --page: #fff; --bar: #d8e6f7; --edge: #4a7fb5; --bad: #f7d4d0; --alarm: #c0281c; --dim: #5c6570 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --page: #14171b; --bar: #223a54; --edge: #6fa4da; --bad: #5a231f; --alarm: #ff7b70; --dim: #98a2ad }
}
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 75rem }
h1 { font-size: 1.3rem } .scroll { overflow-x: auto } p.said { white-space: pre-line }
svg text { fill: var(--ink); font: 13px ui-monospace, monospace }
svg .who { fill: var(--dim) }
rect { fill: var(--bar); stroke: var(--edge) }
.open rect { stroke-dasharray: 5 3; fill-opacity: .5 }
.bad rect { fill: var(--bad); stroke: var(--alarm) }
line.mark { stroke: var(--alarm); stroke-width: 2; stroke-dasharray: 3 3 } svg text.mark { fill: var(--alarm) }
ol { font: 13px/1.7 ui-monospace, monospace } li.bad { color: var(--alarm) }
.key { color: var(--dim) }
</style></head><body>
<h1>@TITLE@</h1>
<p class="said">@SENTENCE@</p>
<div class="scroll"><svg role="img" aria-label="operations by client" @SIZE@>@BARS@</svg></div>
<p>@POSSIBLE@</p>
<p class="key">A bar reaches from call to return; a dashed one has no known outcome and may have happened at any later moment, or never. Moments stand at even distances.</p>
<ol>@LINES@</ol>
</body></html>
"#;
