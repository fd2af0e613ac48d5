//! Files of several processes, or of several lives of one, to a single run.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use synod_transport::trace::{Line, Value};

use crate::align::{Aligned, Crossing, align};
use crate::flights::{Found, Order, flights};
use crate::read::{Parts, PictureError, assemble, lines_of};
use crate::run::{Kind, Run};
use crate::steps::{Lines, steps};

/// Clocks that were set by the same hand are not further apart, in nanoseconds.
const TOLERANCE: u64 = 50_000_000;

/// Reads every trace of a folder as one run.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn processes_in(folder: &Path) -> Result<Run, PictureError> {
    let io = |error| PictureError::Io { path: folder.display().to_string(), error };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    paths.sort();
    processes(&paths)
}

/// Reads a trace of several files, each with a clock of its own, as one run.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn processes(paths: &[PathBuf]) -> Result<Run, PictureError> {
    let name = paths.first().map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    let (mut files, mut cut) = (Vec::new(), 0usize);
    for path in paths {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| PictureError::Io { path: name.clone(), error })?;
        let (lines, is_cut) = lines_of(BufReader::new(file), &name)?;
        cut += usize::from(is_cut);
        if !lines.is_empty() {
            files.push(lines);
        }
    }
    let mut run = merge(files, &name)?;
    if cut > 0 {
        run.notes.push(format!("{cut} of the traces are cut off: their writers were killed."));
    }
    Ok(run)
}

/// A step of one file, by the wall clock that the file names.
struct Placed {
    file: usize,
    /// By the file's own clock.
    own: u64,
    lines: Lines,
}

/// Lays the files beside each other, in an order in which causes come first.
pub(crate) fn merge(files: Vec<Vec<Line>>, name: &str) -> Result<Run, PictureError> {
    let walls: Vec<i128> = files.iter().map(|lines| wall(lines)).collect();
    let mut placed: Vec<Placed> = Vec::new();
    for (file, lines) in files.into_iter().enumerate() {
        for lines in steps(lines, Kind::Processes) {
            placed.push(Placed { file, own: lines.first().map_or(0, |line| line.at), lines });
        }
    }
    let by = |offset: i128, own: u64| nanos(offset + i128::from(own));
    let wall_of = |it: &Placed| by(walls.get(it.file).copied().unwrap_or(0), it.own);
    placed.sort_by_key(wall_of);
    let at: Vec<u64> = placed.iter().map(wall_of).collect();
    let (owners, lines): (Vec<(usize, u64)>, Vec<Lines>) =
        placed.into_iter().map(|it| ((it.file, it.own), it.lines)).unzip();
    let found = flights(&lines, &at, Order::Kept(TOLERANCE));
    let aligned = align(&walls, &crossings(&found, &owners));
    let offset = |file: usize| aligned.get(file).map_or(0, |it| it.offset);
    let at: Vec<u64> = owners.iter().map(|(file, own)| by(offset(*file), *own)).collect();

    let uncertainty = uncertainty(&aligned, &owners, &lines);
    let order = causes_first(&owners, &at, &found);
    let parts = reordered(&order, lines, &at, found);
    let mut run = assemble(Parts { kind: Kind::Processes, uncertainty, ..parts }, name)?;
    let worst = run.lanes.iter().map(|lane| lane.uncertainty).max().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let millis = worst as f64 / 1e6;
    run.notes.push(format!(
        "Each process has a clock of its own. They are laid beside each other by wall clocks and by messages, which \
         leave {millis:.3} ms of doubt at most."
    ));
    Ok(run)
}

fn nanos(it: i128) -> u64 {
    u64::try_from(it.max(0)).unwrap_or(u64::MAX)
}

/// The wall clock's reading at a file's origin.
fn wall(lines: &[Line]) -> i128 {
    let start = lines.iter().find(|line| line.event == "Start");
    let reading = |line: &Line| line.get("unix_nanos").and_then(Value::as_number);
    start.and_then(|line| Some(i128::from(reading(line)?) - i128::from(line.at))).unwrap_or(0)
}

/// Every message that came, by the clocks of both ends.
fn crossings(found: &[Found], owners: &[(usize, u64)]) -> Vec<Crossing> {
    let ends = |it: &Found| Some((owners.get(it.from.1?)?, owners.get(it.to.1?)?));
    let crossing = |((from, sent), (to, came)): (&(usize, u64), &(usize, u64))| Crossing {
        from: *from,
        to: *to,
        sent: i128::from(*sent),
        came: i128::from(*came),
    };
    found.iter().filter_map(ends).map(crossing).collect()
}

/// Of each node, the most that the clock of any of its lives may be off.
fn uncertainty(aligned: &[Aligned], owners: &[(usize, u64)], lines: &[Lines]) -> Vec<(u64, u64)> {
    let mut worst: Vec<(u64, u64)> = Vec::new();
    let mut known = vec![false; aligned.len()];
    for ((file, _), lines) in owners.iter().zip(lines) {
        let (Some(known), Some(line), Some(it)) = (known.get_mut(*file), lines.first(), aligned.get(*file))
        else {
            continue;
        };
        if !std::mem::replace(known, true) {
            match worst.iter_mut().find(|(node, _)| *node == line.node) {
                Some((_, most)) => *most = (*most).max(it.uncertainty),
                None => worst.push((line.node, it.uncertainty)),
            }
        }
    }
    worst
}

/// An order by time in which each file keeps its own and no message comes before it is sent.
fn causes_first(owners: &[(usize, u64)], at: &[u64], found: &[Found]) -> Vec<usize> {
    let files = owners.iter().map(|(file, _)| file + 1).max().unwrap_or(0);
    let mut queues: Vec<VecDeque<usize>> = vec![VecDeque::new(); files];
    for (step, (file, _)) in owners.iter().enumerate() {
        if let Some(queue) = queues.get_mut(*file) {
            queue.push_back(step);
        }
    }
    let mut waits: Vec<Vec<usize>> = vec![Vec::new(); owners.len()];
    for (from, to) in found.iter().filter_map(|it| it.from.1.zip(it.to.1)) {
        if let Some(waits) = waits.get_mut(to) {
            waits.push(from);
        }
    }
    let (mut order, mut done) = (Vec::with_capacity(owners.len()), vec![false; owners.len()]);
    loop {
        let heads = || queues.iter().enumerate().filter_map(|(file, queue)| Some((file, *queue.front()?)));
        let time = |step: usize| at.get(step).copied().unwrap_or(0);
        let ready = |step: usize| {
            waits
                .get(step)
                .is_none_or(|waits| waits.iter().all(|from| done.get(*from).copied().unwrap_or(true)))
        };
        // Two files that each wait for the other contradict each other; then time alone decides.
        let next = heads()
            .filter(|(_, step)| ready(*step))
            .min_by_key(|(_, step)| time(*step))
            .or_else(|| heads().min_by_key(|(_, step)| time(*step)));
        let Some((file, step)) = next else { return order };
        if let Some(queue) = queues.get_mut(file) {
            queue.pop_front();
        }
        if let Some(done) = done.get_mut(step) {
            *done = true;
        }
        order.push(step);
    }
}

/// The same in another order. Times within it do not go back: where one would, the step is drawn at the time of its cause.
fn reordered(order: &[usize], mut lines: Vec<Lines>, at: &[u64], mut found: Vec<Found>) -> Parts {
    let mut places = vec![0usize; order.len()];
    let (mut steps, mut times) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
    let mut latest = 0;
    for (place, step) in order.iter().enumerate() {
        if let Some(it) = places.get_mut(*step) {
            *it = place;
        }
        latest = at.get(*step).copied().unwrap_or(0).max(latest);
        times.push(latest);
        steps.push(lines.get_mut(*step).map(std::mem::take).unwrap_or_default());
    }
    for it in &mut found {
        for end in [&mut it.from.1, &mut it.to.1] {
            *end = end.and_then(|step| places.get(step).copied());
        }
    }
    found.sort_by_key(|it| (it.from.1.or(it.to.1), it.to.1));
    Parts { kind: Kind::Processes, steps, at: times, found, uncertainty: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Fate;
    use synod_transport::trace::read;

    fn lines(text: &str) -> Vec<Line> {
        read(text.as_bytes()).collect::<Result<_, _>>().expect("a trace")
    }

    /// A process whose clock began at `origin` of the wall; each line is `at event peer term`.
    fn process(node: u64, origin: u64, events: &[(u64, &str, u64, u64)]) -> Vec<Line> {
        let mut text =
            format!("{{\"at\":0,\"node\":{node},\"event\":\"Start\",\"life\":1,\"unix_nanos\":{origin}}}\n");
        for (at, event, peer, term) in events {
            let input = if *event == "Send" { "Wake" } else { "" };
            if !input.is_empty() {
                text.push_str(&format!("{{\"at\":{at},\"node\":{node},\"event\":\"{input}\"}}\n"));
            }
            text.push_str(&format!(
                "{{\"at\":{at},\"node\":{node},\"event\":\"{event}\",\"peer\":{peer},\"message\":{{\"kind\":\"Vote\",\"term\":{term}}}}}\n\
                 {{\"at\":{at},\"node\":{node},\"event\":\"Ready\",\"state\":{{\"role\":\"Follower\",\"term\":{term}}}}}\n"
            ));
        }
        lines(&text)
    }

    const WALL: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn no_message_comes_before_it_was_sent_whatever_the_walls_say() {
        // The second process began 1000 later, and its wall says 5000 earlier.
        let one = process(1, WALL, &[(2000, "Send", 2, 1), (2900, "Receive", 2, 2)]);
        let two = process(2, WALL - 5000, &[(1100, "Receive", 1, 1), (1200, "Send", 1, 2)]);
        let run = merge(vec![one, two], "two").expect("a run");
        assert_eq!(run.arrows.len(), 2);
        for arrow in &run.arrows {
            let (from, to) = (arrow.from.1.expect("sent"), arrow.to.1.expect("came"));
            assert!(from < to && run.steps[from].at <= run.steps[to].at, "{arrow:?}");
        }
        // It may have begun 900 to 1700 after the first: the nearest to the wall's word is taken.
        let second = run.lanes.iter().find(|lane| lane.id == 2).expect("a lane");
        assert_eq!(second.uncertainty, 800);
        assert!(run.notes.iter().any(|note| note.contains("0.001 ms of doubt")), "{:?}", run.notes);
    }

    #[test]
    fn a_file_that_was_cut_leaves_messages_that_come_from_nowhere() {
        let one = process(1, WALL, &[(10, "Send", 2, 1)]);
        let two = process(2, WALL, &[(20, "Receive", 1, 1), (30, "Receive", 1, 2)]);
        let run = merge(vec![one, two], "two").expect("a run");
        let shown: Vec<_> = run.arrows.iter().map(|arrow| (arrow.from.1, arrow.fate.clone())).collect();
        assert_eq!(shown, [(Some(2), Fate::Delivered), (None, Fate::Delivered)]);
    }

    #[test]
    fn files_that_contradict_each_other_are_merged_all_the_same() {
        let one = process(1, WALL, &[(10, "Receive", 2, 1), (20, "Send", 2, 2)]);
        let two = process(2, WALL, &[(10, "Receive", 1, 2), (20, "Send", 1, 1)]);
        let run = merge(vec![one, two], "two").expect("a run");
        assert_eq!(run.steps.len(), 6);
        let times: Vec<u64> = run.steps.iter().map(|step| step.at).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}
