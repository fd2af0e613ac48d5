//! From a trace to a run.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use synod_transport::trace::{Line, Place, ReadError, Value, place, read};

use crate::clients::{self, client_of};
use crate::flights::{Found, Order, flights};
use crate::run::{Fate, Kind, Lane, LaneKind, Run, Step};
use crate::spans;
use crate::steps::{Lines, kind_of, steps};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// A file or folder could not be read.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: String,
        /// What went wrong.
        #[source]
        error: std::io::Error,
    },
    /// A line is not one of a trace.
    #[error("{path}: {error}")]
    Trace {
        /// The file.
        path: String,
        /// Which line, and what is wrong with it.
        #[source]
        error: ReadError,
    },
    /// Nothing happened.
    #[error("{0}: nothing happened in this trace")]
    Empty(String),
    /// The drawing code failed: a mistake in the page, not in the trace.
    #[error("the page's drawing code failed: {0}")]
    Drawing(String),
}

/// Reads a trace of one file: a world's, one process's, or an exploration's. One that is cut off is read to its end.
///
/// # Errors
/// When it is no trace, or nothing is in it.
pub fn read_file(path: &Path) -> Result<Run, PictureError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| PictureError::Io { path: name.clone(), error })?;
    let (lines, cut) = lines_of(BufReader::new(file), &name)?;
    let mut run = read_lines(lines, &name)?;
    if cut {
        run.notes.push("The trace is cut off: its writer was killed.".to_owned());
    }
    Ok(run)
}

/// The lines of a trace, and whether it is cut off.
pub(crate) fn lines_of(input: impl BufRead, name: &str) -> Result<(Vec<Line>, bool), PictureError> {
    let (mut lines, mut cut) = (Vec::new(), false);
    for line in read(input) {
        match line {
            Ok(line) => lines.push(line),
            Err(error) if error.is_cut() => cut = true,
            Err(error) => return Err(PictureError::Trace { path: name.to_owned(), error }),
        }
    }
    Ok((lines, cut))
}

/// The run of these lines, which are in order. `name` is for errors.
///
/// # Errors
/// When there are none.
pub fn read_lines(lines: Vec<Line>, name: &str) -> Result<Run, PictureError> {
    let kind = kind_of(lines.first());
    let steps = steps(lines, kind);
    let at: Vec<u64> = steps.iter().map(|step| step.first().map_or(0, |line| line.at)).collect();
    let found = flights(&steps, &at, Order::Any);
    assemble(Parts { kind, steps, at, found, uncertainty: Vec::new() }, name)
}

/// What a run is put together from.
pub(crate) struct Parts {
    pub(crate) kind: Kind,
    pub(crate) steps: Vec<Lines>,
    pub(crate) at: Vec<u64>,
    pub(crate) found: Vec<Found>,
    /// Of nodes, how far off their clocks may be.
    pub(crate) uncertainty: Vec<(u64, u64)>,
}

pub(crate) fn assemble(parts: Parts, name: &str) -> Result<Run, PictureError> {
    let Parts { kind, steps, at, found, uncertainty } = parts;
    if steps.is_empty() {
        return Err(PictureError::Empty(name.to_owned()));
    }
    let mut run = Run { kind, lanes: lanes(&steps, &uncertainty), ..Run::default() };
    let begin = at.iter().copied().min().unwrap_or(0);
    // What the network did is told by arrows.
    let mut places = Vec::with_capacity(steps.len());
    for (lines, at) in steps.into_iter().zip(at) {
        let first = lines.first();
        let kept = first.is_some_and(|line| !matches!(line.event.as_str(), "Drop" | "Duplicate"));
        let lane = first.and_then(|line| lane_of(&run.lanes, line));
        places.push(kept.then_some(run.steps.len()));
        let number = places.len();
        if let (true, Some(lane)) = (kept, lane) {
            run.steps.push(Step { lane, number, at: at - begin, lines });
        }
    }
    for Found { from, to, mut arrow } in found {
        let node = |id: u64| run.lanes.iter().position(|lane| lane.kind == LaneKind::Node && lane.id == id);
        let (Some(sender), Some(receiver)) = (node(from.0), node(to.0)) else { continue };
        let step = |step: Option<usize>| step.and_then(|step| places.get(step).copied().flatten());
        (arrow.from, arrow.to) = ((sender, step(from.1)), (receiver, step(to.1)));
        if let Fate::Lost(loss) = &mut arrow.fate {
            loss.at = loss.at.saturating_sub(begin);
        }
        run.arrows.push(arrow);
    }
    spans::find(&mut run);
    clients::find(&mut run);
    run.violation = violation(&run);
    if run.steps.last().is_some_and(is_cut) {
        run.notes.push("The trace ends in the middle of a step.".to_owned());
    }
    Ok(run)
}

/// Whether a step of a node has no end.
fn is_cut(step: &Step) -> bool {
    let (first, last) = (step.lines.first(), step.lines.last());
    first.is_some_and(|line| place(&line.event) == Place::Opens)
        && last.is_some_and(|line| place(&line.event) != Place::Closes)
}

/// Everybody who is named.
fn lanes(steps: &[Lines], uncertainty: &[(u64, u64)]) -> Vec<Lane> {
    let mut all: Vec<(LaneKind, u64)> = Vec::new();
    for line in steps.iter().flatten() {
        let own = whose(line);
        let peer = line.peer.filter(|peer| *peer > 0).map(|peer| (LaneKind::Node, peer));
        for lane in [Some(own), peer].into_iter().flatten() {
            if !all.contains(&lane) {
                all.push(lane);
            }
        }
    }
    all.sort_unstable();
    let lane = |(kind, id)| {
        let name = match kind {
            LaneKind::Node => format!("node {id}"),
            LaneKind::Client => format!("client {id}"),
            LaneKind::World => "network".to_owned(),
        };
        let known = uncertainty.iter().find(|(node, _)| kind == LaneKind::Node && *node == id);
        Lane { kind, id, name, uncertainty: known.map_or(0, |(_, nanos)| *nanos) }
    };
    all.into_iter().map(lane).collect()
}

fn lane_of(lanes: &[Lane], line: &Line) -> Option<usize> {
    let own = whose(line);
    lanes.iter().position(|lane| (lane.kind, lane.id) == own)
}

/// Whose line it is. Links go up and down for nobody in particular.
fn whose(line: &Line) -> (LaneKind, u64) {
    match client_of(line) {
        Some(client) => (LaneKind::Client, client),
        None if line.node == 0 || matches!(line.event.as_str(), "LinkDown" | "LinkUp") => {
            (LaneKind::World, 0)
        }
        None => (LaneKind::Node, line.node),
    }
}

/// The line that says that something broke.
fn violation(run: &Run) -> Option<(usize, String)> {
    let at = run.steps.iter().rposition(|step| matches!(step.cause(), "Violation" | "Broken"))?;
    let line = run.steps.get(at)?.lines.first()?;
    let word = |name: &str| line.get(name).and_then(Value::as_text).unwrap_or_default();
    let why = if line.event == "Violation" { word("text") } else { word("why") };
    Some((at, format!("{}: {why}", word("invariant"))))
}
