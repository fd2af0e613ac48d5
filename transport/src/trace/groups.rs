//! From lines back to steps.

use super::{Line, ReadError};

/// What belongs together in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// One step of one node, atomic: no line of another node stands between its lines.
    Step {
        /// What the node was told.
        input: Line,
        /// What it asked for, in the order of the trace.
        effects: Vec<Line>,
        /// `Ready`, or `Failed` when it was the node's last; with the state.
        end: Line,
    },
    /// A line that is no part of a step: a node's start, a frame that could not be read, a fault of the world.
    Alone(Line),
}

/// Where in a step an event stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It is an input, and opens a step.
    Opens,
    /// It is an effect.
    Within,
    /// It ends a step.
    Closes,
    /// It is no part of a step.
    Alone,
}

/// Where an event of this name stands, in traces of hosts and worlds and in those of an exploration. An exploration's
/// `Crash` opens a step; every other stands alone, and that is what is said of it.
pub fn place(event: &str) -> Place {
    match event {
        "Wake" | "Propose" | "Read" | "Persisted" | "Command" | "Timeout" | "Interval" | "Persist" => {
            Place::Opens
        }
        "Write" | "Seal" | "Commit" | "Replicate" | "Refuse" | "ReadReady" | "Lost" => Place::Within,
        "Ready" | "Failed" => Place::Closes,
        _ if event.starts_with("Receive") => Place::Opens,
        _ if event.starts_with("Send") || event.starts_with("Become") => Place::Within,
        _ => Place::Alone,
    }
}

/// Puts the lines of each step together. A trace that ends within a step is cut; lines that make no step are malformed.
/// Nothing comes after the first error.
pub fn groups(
    lines: impl IntoIterator<Item = Result<Line, ReadError>>,
) -> impl Iterator<Item = Result<Group, ReadError>> {
    let mut lines = lines.into_iter();
    let (mut number, mut over) = (0, false);
    core::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = next_group(&mut lines, &mut number).transpose();
        over = !matches!(next, Some(Ok(_)));
        next
    })
}

fn next_group(
    lines: &mut impl Iterator<Item = Result<Line, ReadError>>,
    number: &mut u64,
) -> Result<Option<Group>, ReadError> {
    let mut next = || {
        let line = lines.next().transpose()?;
        *number += u64::from(line.is_some());
        Ok((*number, line))
    };
    let (at, Some(first)) = next()? else { return Ok(None) };
    let alone = place(&first.event) == Place::Alone || first.event == "Failed";
    if alone {
        return Ok(Some(Group::Alone(first)));
    }
    if place(&first.event) != Place::Opens {
        return Err(ReadError::Malformed { line: at, problem: format!("{} outside of a step", first.event) });
    }
    let (input, mut effects) = (first, Vec::new());
    loop {
        let (at, line) = match next()? {
            (at, Some(line)) => (at, line),
            (at, None) => return Err(ReadError::Cut { line: at + 1 }),
        };
        let same = line.node == input.node;
        match place(&line.event) {
            Place::Within if same => effects.push(line),
            Place::Closes if same => return Ok(Some(Group::Step { input, effects, end: line })),
            _ => {
                let problem = format!(
                    "{} of node {} within the step of node {} that {} began",
                    line.event, line.node, input.node, input.event
                );
                return Err(ReadError::Malformed { line: at, problem });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Result<Line, ReadError>> {
        let line = |word: &str| {
            let (node, event) = word.split_once(':').unwrap_or_else(|| panic!("{word}"));
            Ok(Line { node: node.parse().expect("a node"), event: event.to_owned(), ..Line::default() })
        };
        text.split_whitespace().map(line).collect()
    }

    /// Steps as `input+effects>end`.
    fn shown(text: &str) -> String {
        let shown = groups(lines(text)).map(|group| match group {
            Ok(Group::Alone(line)) => line.event,
            Ok(Group::Step { input, effects, end }) => {
                format!("{}+{}>{}", input.event, effects.len(), end.event)
            }
            Err(error) => format!("({error})"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn steps_are_found_and_what_stands_alone_is_left_alone() {
        let text =
            "1:InitState 1:Wake 1:BecomeLeader 1:Write 1:SendX 1:Ready 1:Crash 2:ReceiveX 2:Failed 2:Failed";
        assert_eq!(shown(text), "InitState Wake+3>Ready Crash ReceiveX+0>Failed Failed");
    }

    #[test]
    fn an_open_step_at_the_end_is_a_cut_and_elsewhere_an_error() {
        assert_eq!(
            shown("1:Wake 1:Ready 1:Wake 1:Write"),
            "Wake+0>Ready (line 5: the trace is cut off here)"
        );
        let problem = "Ready of node 2 within the step of node 1 that Wake began";
        assert_eq!(shown("1:Wake 2:Ready 1:Wake"), format!("(line 2: {problem})"));
        let problem = "Wake of node 1 within the step of node 1 that Read began";
        assert_eq!(shown("1:Read 1:Wake"), format!("(line 2: {problem})"));
        assert_eq!(shown("1:Ready"), "(line 1: Ready outside of a step)");
    }
}
