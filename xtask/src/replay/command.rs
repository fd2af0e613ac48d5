//! The commands of a session, read from a line each.

use super::predicate::{Misread, Predicate};

/// What a session can be asked.
#[derive(Debug)]
pub(super) enum Command {
    Next(usize),
    Back(usize),
    Goto(Place),
    Run,
    Reverse,
    Break(Predicate),
    Breaks,
    Delete(u64),
    State(Option<u64>),
    States,
    Difference(Span),
    List(usize),
    /// The text, or that of the last search.
    Find(Option<String>),
    Why,
    Help,
    Quit,
}

/// Where to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Number(usize),
    End,
    Violation,
}

/// What to compare: from the first place, or the state before this step, to the second, or here.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    pub(super) node: Option<u64>,
}

/// Why a line is no command.
#[derive(Debug)]
pub(super) enum Mistake {
    /// What is wrong with it.
    Other(String),
    /// The predicate is: its text, and where.
    Predicate(String, Misread),
}

/// How many units `list` shows on each side.
const AROUND: usize = 5;

/// Name, what follows, what it does. A shortened name is that of the first command here that begins so.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    ("next", "[COUNT]", "a step on, or some"),
    ("back", "[COUNT]", "a step back, or some"),
    ("goto", "NUMBER | end | violation", "to this step; 0 is before the first"),
    ("run", "", "on to the next break, or to the end"),
    ("reverse", "", "back to the break before, or to the start"),
    ("break", "PREDICATE", "stop where it holds: break node = 3 and event ~ Become"),
    ("breaks", "", "the breaks that are set"),
    ("state", "[NODE]", "a node's state, as of here"),
    ("states", "", "all nodes in a table, as of here"),
    (
        "diff",
        "[FROM [TO]] [NODE]",
        "what changed in a state: in this step, or between two; a node alone is n3",
    ),
    ("delete", "NUMBER", "remove a break"),
    ("list", "[COUNT]", "the steps around here"),
    ("find", "[TEXT]", "on to the next step that shows this text, or the last that was looked for"),
    ("why", "", "where the frame that came here, or was lost, was sent; where what was let out was sealed"),
    ("help", "", "this table"),
    ("quit", "", "end"),
];

/// Below the table of commands.
pub(super) const PREDICATES: &str = "\
An empty line does the last command again. A name may be shortened: n, b, g, r, re, br, s, d, l, f, w, h, q.

A predicate compares fields: node, peer, at, event, message.term, state.log.base, state.matched.0, or any other
field of the lines; with = != < <= > >= and ~ (contains); joined by and, or, not and parentheses. On the right stands a
number, a word, \"text\", a list, or a field with a dot in it. A field alone: it is there, and not false. changed(state.term):
this step changed it. A step has what one of its lines has; `not` means none of them. state is the node's after the step.
";

/// Reads a line that is not empty.
pub(super) fn parse(line: &str) -> Result<Command, Mistake> {
    let line = line.trim();
    let (word, rest) =
        line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
    let is =
        |wanted: &&&(&str, &str, &str)| wanted.0.starts_with(word) || (word == "?" && wanted.0 == "help");
    let Some((name, usage, _)) =
        COMMANDS.iter().find(|it| it.0 == word).or_else(|| COMMANDS.iter().find(|it| is(&it)))
    else {
        return Err(Mistake::Other(format!("there is no command {word:?}; help lists them")));
    };
    let wrong = || Mistake::Other(format!("this command is: {}", format!("{name} {usage}").trim_end()));
    let words: Vec<&str> = rest.split_whitespace().collect();
    let count = |otherwise| match words.as_slice() {
        [] => Ok(otherwise),
        [count] => count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong),
        _ => Err(wrong()),
    };
    let alone = |command| if rest.is_empty() { Ok(command) } else { Err(wrong()) };
    match *name {
        "next" => count(1).map(Command::Next),
        "back" => count(1).map(Command::Back),
        "list" => count(AROUND).map(Command::List),
        "goto" => place(rest).map(Command::Goto).ok_or_else(wrong),
        "break" if rest.is_empty() => Err(wrong()),
        "break" => match Predicate::parse(rest) {
            Ok(predicate) => Ok(Command::Break(predicate)),
            Err(misread) => Err(Mistake::Predicate(rest.to_owned(), misread)),
        },
        "delete" => rest.parse().map(Command::Delete).map_err(|_| wrong()),
        "state" if rest.is_empty() => Ok(Command::State(None)),
        "state" => node(rest).map(|node| Command::State(Some(node))).ok_or_else(wrong),
        "diff" => span(&words).map(Command::Difference).ok_or_else(wrong),
        "find" => Ok(Command::Find((!rest.is_empty()).then(|| rest.to_owned()))),
        "run" => alone(Command::Run),
        "reverse" => alone(Command::Reverse),
        "breaks" => alone(Command::Breaks),
        "states" => alone(Command::States),
        "why" => alone(Command::Why),
        "quit" => alone(Command::Quit),
        _ => alone(Command::Help),
    }
}

fn place(text: &str) -> Option<Place> {
    match text {
        "" => None,
        _ if "end".starts_with(text) => Some(Place::End),
        _ if "violation".starts_with(text) => Some(Place::Violation),
        _ => text.trim_start_matches('#').parse().ok().map(Place::Number),
    }
}

/// A node: `3` or `n3`.
fn node(text: &str) -> Option<u64> {
    text.strip_prefix('n').unwrap_or(text).parse().ok()
}

/// Numbers of steps, then a node. A node that is alone, or behind one number, begins with `n`.
fn span(words: &[&str]) -> Option<Span> {
    let (words, last) = match words {
        [rest @ .., last] if last.starts_with('n') || rest.len() == 2 => (rest, Some(node(last)?)),
        _ => (words, None),
    };
    let step = |text: &str| text.trim_start_matches('#').parse().ok();
    match words {
        [] => Some(Span { node: last, ..Span::default() }),
        [from] => Some(Span { from: Some(step(from)?), to: None, node: last }),
        [from, to] => Some(Span { from: Some(step(from)?), to: Some(step(to)?), node: last }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command as `Debug` shows it, or what is wrong.
    fn shown(line: &str) -> String {
        match parse(line) {
            Ok(command) => format!("{command:?}"),
            Err(Mistake::Other(text)) => text,
            Err(Mistake::Predicate(text, misread)) => format!("{text:?}, {misread}"),
        }
    }

    #[test]
    fn names_may_be_shortened_and_the_first_that_fits_is_meant() {
        let short = [
            ("n", "Next(1)"),
            ("b 3", "Back(3)"),
            ("g 4", "Goto(Number(4))"),
            ("goto end", "Goto(End)"),
            ("g e", "Goto(End)"),
            ("g v", "Goto(Violation)"),
            ("r", "Run"),
            ("re", "Reverse"),
            ("breaks", "Breaks"),
            ("de 2", "Delete(2)"),
            ("s", "State(None)"),
            ("s n3", "State(Some(3))"),
            ("state 3", "State(Some(3))"),
            ("states", "States"),
            ("l", "List(5)"),
            ("f", "Find(None)"),
            (" find  a  b ", "Find(Some(\"a  b\"))"),
            ("w", "Why"),
            ("?", "Help"),
            ("q", "Quit"),
        ];
        for (line, expected) in short {
            assert_eq!(shown(line), expected, "{line}");
        }
        assert!(shown("br a = 1").starts_with("Break("), "not `breaks`");
    }

    #[test]
    fn a_difference_is_between_steps_and_of_a_node() {
        let check = |line: &str, from, to, node| {
            let expected = Span { from, to, node };
            assert_eq!(shown(line), format!("Difference({expected:?})"), "{line}");
        };
        check("diff", None, None, None);
        check("d n3", None, None, Some(3));
        check("d 10", Some(10), None, None);
        check("d 10 n3", Some(10), None, Some(3));
        check("d 10 #20", Some(10), Some(20), None);
        check("d 10 20 3", Some(10), Some(20), Some(3));
        check("d 10 20 n3", Some(10), Some(20), Some(3));
        for line in ["d x", "d n", "d 1 2 3 4", "d n3 4"] {
            assert!(shown(line).starts_with("this command is: diff"), "{line}: {}", shown(line));
        }
    }

    #[test]
    fn what_is_no_command_says_what_is() {
        assert_eq!(shown("fly"), "there is no command \"fly\"; help lists them");
        assert_eq!(shown("next 0"), "this command is: next [COUNT]");
        assert_eq!(shown("next 99999999999999999999"), "this command is: next [COUNT]");
        assert_eq!(shown("run 3"), "this command is: run");
        assert_eq!(shown("goto"), "this command is: goto NUMBER | end | violation");
        assert_eq!(shown("break"), "this command is: break PREDICATE");
        assert!(shown("break  node =").starts_with("\"node =\", column 7: expected a number"));
    }
}
