//! Runs to look at.

use std::time::Duration;

use synod_picture::{PictureError, Run, read_lines};
use synod_raft_check::factory;
use synod_raft_check::registry::Plant;
use synod_sim::Kept;
use synod_sim::options::{Fault, Options, Rate};
use synod_transport::trace::{Line, Value, read};

/// A world as the seed draws it.
///
/// # Panics
/// When its trace is none, which would be the simulator's fault.
pub fn world(seed: u64, nodes: u64) -> Run {
    covered(seed, nodes, None)
}

/// The same with a planted fault.
///
/// # Panics
/// When no fault has this name.
pub fn planted_world(seed: u64, nodes: u64, plant: &str) -> Run {
    let plant = Plant::from_name(plant);
    assert!(plant.is_some(), "no such fault");
    covered(seed, nodes, plant)
}

/// A world of some hundred steps: three nodes, one client, messages that get lost and come twice.
///
/// # Panics
/// As [`world`].
pub fn short_world(seed: u64) -> Run {
    let for_long = Duration::from_millis(900);
    let options = Options { faulty: (for_long, for_long), clients: (1, 1), ..Options::quiet(3) }
        .with(Fault::Loss, Rate::Fixed(60_000))
        .with(Fault::Duplicate, Rate::Fixed(60_000));
    run_of(lines(seed, &options))
}

/// A world in which nothing goes wrong.
///
/// # Panics
/// As [`world`].
pub fn quiet_world(seed: u64, nodes: u64) -> Run {
    let for_long = Duration::from_millis(800);
    run_of(lines(seed, &Options { faulty: (for_long, for_long), clients: (2, 2), ..Options::quiet(nodes) }))
}

/// A world whose trace has this many lines: it runs for longer until it has them, and is cut there.
///
/// # Panics
/// As [`world`].
pub fn long_world(seed: u64, nodes: u64, count: usize) -> Run {
    let mut seconds = 1;
    loop {
        let for_long = Duration::from_secs(seconds);
        let options = Options { faulty: (for_long, for_long), clients: (5, 5), ..Options::quiet(nodes) }
            .with(Fault::Loss, Rate::Fixed(5_000))
            .with(Fault::Crash, Rate::Fixed(1_000))
            .with(Fault::Partition, Rate::Fixed(1_000));
        let mut found = lines(seed, &options);
        if found.len() >= count {
            found.truncate(count);
            return run_of(found);
        }
        seconds *= 2;
    }
}

/// Runs that nobody meant to be drawn, each with a name: hostile strings, no state, numbers at their ends, one step,
/// very many nodes.
///
/// # Panics
/// When one of them cannot be read.
pub fn monsters() -> Vec<(&'static str, Run)> {
    const HOSTILE: [&str; 6] = [
        "</script><script>window.broken = 1</script>",
        "<img src=x onerror=\"window.broken = 2\">",
        "\"'`><svg onload='window.broken = 3'>",
        "<!--<script>",
        "{data} {details} \u{2028} \u{202e}\\u003c",
        "__proto__",
    ];
    let long = "wide ".repeat(2_000);
    let line = |at: u64, node: u64, event: &str, peer: Option<u64>| Line {
        at,
        node,
        event: event.to_owned(),
        peer,
        ..Line::default()
    };
    let text = |it: &str| Value::from(it.to_owned());
    let mut hostile = Vec::new();
    for (at, word) in HOSTILE.iter().chain([&&*long]).enumerate() {
        let at = at as u64 + 1;
        let message = Value::Record(vec![("kind".into(), text(word)), ("brief".into(), text(word))]);
        let state = Value::Record(vec![("role".into(), text(word)), ((*word).to_owned().into(), text(word))]);
        let send = Line { message: Some(message.clone()), ..line(at * 10, 1, "SendVote", Some(2)) };
        let ready = Line { state: Some(state), ..line(at * 10, 1, "Ready", None) };
        let take =
            Line { message: Some(message), ..line(at * 10 + 5, 2, &format!("Receive{word}"), Some(1)) };
        hostile.extend([line(at * 10, 1, "Wake", None), send, ready, take, line(at * 10 + 5, 2, word, None)]);
        hostile.push(Line {
            fields: vec![("role".into(), text(word)), ((*word).to_owned().into(), text(word))],
            ..line(at * 10 + 6, 2, "LinkDown", Some(1))
        });
    }
    let broken = vec![("invariant".into(), text(HOSTILE[0])), ("text".into(), text(&long))];
    hostile.push(Line { fields: broken, ..line(999, 0, "Violation", None) });
    let ends = [0, 1, 1 << 63, u64::MAX];
    let wide = ends.map(|node| line(node, node, "Wake", Some(u64::MAX - node)));
    let crowd = (1..=64).map(|node| line(node, node, "Start", Some(node % 64 + 1)));
    let at_once =
        (1..=60).flat_map(|step| [line(7, step % 3 + 1, "Wake", None), line(7, step % 3 + 1, "Ready", None)]);
    let all: [(&str, Vec<Line>); 5] = [
        ("hostile strings", hostile),
        ("numbers at their ends", wide.to_vec()),
        ("one step", vec![line(5, 1, "Wake", None)]),
        ("64 nodes", crowd.collect()),
        ("all at once", at_once.collect()),
    ];
    all.map(|(name, lines)| (name, run_of(lines))).into()
}

fn covered(seed: u64, nodes: u64, plant: Option<Plant>) -> Run {
    let kept = Kept::default();
    let outcome = synod_raft_check::run_covered_traced(seed, nodes, plant, Box::new(kept.clone()));
    assert!(outcome.is_ok(), "memory can be written to");
    run_of(read_back(&kept))
}

fn lines(seed: u64, options: &Options) -> Vec<Line> {
    let kept = Kept::default();
    let nodes = factory(seed, options.nodes, None);
    let outcome = synod_sim::run_traced(seed, options, nodes, &mut [], Box::new(kept.clone()));
    assert!(outcome.is_ok(), "memory can be written to");
    read_back(&kept)
}

fn run_of(lines: Vec<Line>) -> Run {
    let run: Result<Run, PictureError> = read_lines(lines, "a test's run");
    assert!(run.is_ok(), "{:?}", run.err());
    run.unwrap_or_default()
}

fn read_back(kept: &Kept) -> Vec<Line> {
    let lines: Result<Vec<Line>, _> = read(&*kept.take()).collect();
    assert!(lines.is_ok(), "{:?}", lines.err());
    lines.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_world_has_as_many_lines_as_were_asked_for() {
        let run = long_world(1, 3, 1_000);
        let drawn: usize = run.steps.iter().map(|step| step.lines.len()).sum();
        // What the network did is told by arrows.
        assert!(drawn > 900 && drawn <= 1_000, "{drawn}");
    }

    #[test]
    fn a_short_world_loses_and_doubles() {
        let run = short_world(1);
        assert!((150..1_200).contains(&run.steps.len()), "{}", run.steps.len());
        assert!(run.arrows.iter().any(|arrow| matches!(arrow.fate, synod_picture::Fate::Lost(..))));
        assert!(run.arrows.iter().any(|arrow| arrow.copy));
    }
}
