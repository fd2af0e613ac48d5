//! Conditions on a unit of a run, as `break` takes them.
//!
//! A condition is asked of each line of a unit and holds where it does for one of them: `peer = 2 and message.kind =
//! Append` wants both of the same line. `not` is of the unit as a whole: no line of it has what follows. `state` is that
//! of the node after the unit, on every line.

use core::cmp::Ordering;
use core::fmt;

use synod_transport::trace::{Line, Value};

use super::grammar;
use super::recording::Recording;
use super::value::Shown;

/// Why a text is no predicate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misread {
    /// The character at which it is not understood, from 1.
    pub(super) column: usize,
    pub(super) problem: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "column {}: {}", self.column, self.problem)
    }
}

/// A condition, and the text that it was read from.
#[derive(Debug)]
pub(super) struct Predicate {
    text: String,
    condition: Condition,
}

impl Predicate {
    /// Reads `text`. What it nests is bounded.
    pub(super) fn parse(text: &str) -> Result<Self, Misread> {
        Ok(Self { text: text.trim().to_owned(), condition: grammar::parse(text)? })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds at the unit of this number.
    pub(super) fn holds(&self, run: &Recording, number: usize) -> bool {
        Scene::of(run, number).is_some_and(|scene| self.condition.truth(&scene).contains(&true))
    }

    /// The paths in it that lead nowhere in the whole run.
    pub(super) fn unknown_paths(&self, run: &Recording) -> Vec<String> {
        let mut paths = Vec::new();
        self.condition.paths(&mut paths);
        for number in 1..=run.len() {
            if paths.is_empty() {
                break;
            }
            if let Some(scene) = Scene::of(run, number) {
                paths.retain(|path| scene.lines.iter().all(|line| path.seen(line, scene.state).is_none()));
            }
        }
        paths.iter().map(ToString::to_string).collect()
    }
}

/// What a unit shows.
struct Scene<'a> {
    lines: &'a [Line],
    /// The node's state after it.
    state: Option<&'a Value>,
    /// The states before and after, where the unit has one of its own and is not the node's first.
    step: Option<(&'a Value, &'a Value)>,
}

impl<'a> Scene<'a> {
    fn of(run: &'a Recording, number: usize) -> Option<Self> {
        let unit = run.unit(number)?;
        let before = run.state(unit.node(), number.saturating_sub(1)).map(|(_, state)| state);
        let own = unit.state();
        Some(Self { lines: &unit.lines, state: own.or(before), step: before.zip(own) })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Path, Comparison, Operand),
    /// The field is there, and neither `false` nor null.
    Given(Path),
    Changed(Path),
}

impl Condition {
    /// For each line, whether it holds there. Costs as many comparisons as conditions times lines, whatever is nested.
    fn truth(&self, scene: &Scene<'_>) -> Vec<bool> {
        let each = |holds: &dyn Fn(&Line) -> bool| scene.lines.iter().map(holds).collect();
        match self {
            Self::All(parts) => fold(parts, scene, |one, other| one && other),
            Self::Any(parts) => fold(parts, scene, |one, other| one || other),
            Self::Not(inner) => vec![!inner.truth(scene).contains(&true); scene.lines.len()],
            Self::Compare(path, comparison, operand) => each(&|line| {
                let (Some(left), Some(right)) =
                    (path.seen(line, scene.state), operand.seen(line, scene.state))
                else {
                    return false;
                };
                comparison.holds(&left, &right)
            }),
            Self::Given(path) => each(&|line| {
                let seen = path.seen(line, scene.state);
                seen.is_some_and(|seen| !matches!(seen, Seen::Bool(false) | Seen::Null))
            }),
            Self::Changed(path) => {
                let changed =
                    scene.step.is_some_and(|(before, after)| path.within(before) != path.within(after));
                vec![changed; scene.lines.len()]
            }
        }
    }

    fn paths<'a>(&'a self, out: &mut Vec<&'a Path>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.paths(out)),
            Self::Not(inner) => inner.paths(out),
            Self::Compare(path, _, Operand::Field(other)) => out.extend([path, other]),
            Self::Compare(path, _, Operand::Value(_)) | Self::Given(path) | Self::Changed(path) => {
                out.push(path);
            }
        }
    }
}

fn fold(parts: &[Condition], scene: &Scene<'_>, join: impl Fn(bool, bool) -> bool) -> Vec<bool> {
    let truths = parts.iter().map(|part| part.truth(scene));
    truths
        .reduce(|sum, next| sum.into_iter().zip(next).map(|(one, other)| join(one, other)).collect())
        .unwrap_or_default()
}

/// The way to a field: names, and places in lists. Has a part at least.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(super) struct Path(pub(super) Vec<String>);

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("."))
    }
}

impl Path {
    pub(super) fn root(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    fn seen<'a>(&self, line: &'a Line, state: Option<&'a Value>) -> Option<Seen<'a>> {
        let only = |seen: Seen<'a>| (self.0.len() == 1).then_some(seen);
        match self.root() {
            "at" => only(Seen::Number(line.at)),
            "node" => only(Seen::Number(line.node)),
            "event" => only(Seen::Text(&line.event)),
            "peer" => only(Seen::Number(line.peer?)),
            "message" => self.within(line.message.as_ref()?).map(Seen::of),
            "state" => self.within(state?).map(Seen::of),
            name => self.within(line.get(name)?).map(Seen::of),
        }
    }

    /// What lies behind the first part.
    fn within<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().skip(1).try_fold(value, |value, part| match value {
            Value::List(values) => values.get(part.parse::<usize>().ok()?),
            _ => value.get(part),
        })
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

impl Comparison {
    /// Values of different kinds are not equal, and none is the greater.
    fn holds(self, left: &Seen<'_>, right: &Seen<'_>) -> bool {
        let order = left.compare(right);
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Self::Contains => left.to_string().contains(&right.to_string()),
        }
    }
}

/// The right side of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Value(Value),
    Field(Path),
}

impl Operand {
    fn seen<'a>(&'a self, line: &'a Line, state: Option<&'a Value>) -> Option<Seen<'a>> {
        match self {
            Self::Value(value) => Some(Seen::of(value)),
            Self::Field(path) => path.seen(line, state),
        }
    }
}

/// What stands at the end of a path.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Seen<'a> {
    Null,
    Bool(bool),
    Number(u64),
    Text(&'a str),
    List(&'a [Value]),
    Record(&'a Value),
}

impl<'a> Seen<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(it) => Self::Bool(*it),
            Value::Number(it) => Self::Number(*it),
            Value::Text(it) => Self::Text(it),
            Value::List(it) => Self::List(it),
            Value::Record(_) => Self::Record(value),
        }
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::List(one), Self::List(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// As `~` looks at it: text without quotes.
impl fmt::Display for Seen<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Shown(&Value::Null).fmt(out),
            Self::Bool(it) => it.fmt(out),
            Self::Number(it) => it.fmt(out),
            Self::Text(it) => it.fmt(out),
            Self::List(it) => Shown(&Value::List(it.to_vec())).fmt(out),
            Self::Record(it) => Shown(it).fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::replay::testing::{any_recording, recording};

    fn run() -> Recording {
        recording(
            r#"{"at":1,"node":1,"event":"InitState","state":{"role":"Follower","term":0,"matched":[],"log":{"base":[0,0]}}}
               {"at":5,"node":1,"event":"Wake"}
               {"at":5,"node":1,"event":"BecomeLeader","term":3}
               {"at":5,"node":1,"event":"SendX","peer":2,"message":{"kind":"Append","term":3,"granted":true}}
               {"at":5,"node":1,"event":"SendX","peer":3,"message":{"kind":"Vote","term":4,"granted":false}}
               {"at":5,"node":1,"event":"Ready","state":{"role":"Leader","term":3,"matched":[7,2],"log":{"base":[2,9]}}}
               {"at":6,"node":1,"event":"Crash","life":1,"why":"two words"}
               {"at":7,"node":0,"event":"Heal"}
               {"at":8,"node":1,"event":"Wake"}
               {"at":8,"node":1,"event":"Ready","state":{"role":"Leader","term":3,"matched":[7,3],"log":{"base":[2,9]}}}"#,
        )
    }

    /// The units at which it holds.
    #[track_caller]
    fn check(text: &str, expected: &[usize]) {
        let (run, predicate) = (run(), Predicate::parse(text).unwrap_or_else(|error| panic!("{error}")));
        let held: Vec<_> = (1..=run.len()).filter(|number| predicate.holds(&run, *number)).collect();
        assert_eq!(held, expected, "{text}");
    }

    #[test]
    fn a_comparison_holds_where_some_line_has_it() {
        check("node = 1", &[1, 2, 3, 5]);
        check("node != 1", &[4]);
        check("at >= 6", &[3, 4, 5]);
        check("event ~ Become", &[2]);
        check("event = Become", &[]);
        check("peer = 3", &[2]);
        check("message.kind = Append", &[2]);
        check("message.term > 3", &[2]);
        check("term == 3", &[2]);
        check("life", &[3]);
        check("why = \"two words\"", &[3]);
        check("message.granted = false", &[2]);
        check("message.granted and peer = 2", &[2]);
        check("message.granted and peer = 3", &[]);
    }

    #[test]
    fn state_is_that_after_the_unit_and_stays_until_the_next() {
        check("state.role = Leader", &[2, 3, 5]);
        check("state.term < 3", &[1]);
        check("state.matched.0 = 7", &[2, 3, 5]);
        check("state.matched.2", &[]);
        check("state.matched = [7, 3]", &[5]);
        check("state.log.base >= [2, 0]", &[2, 3, 5]);
        check("state.log ~ \"[2, 9]\"", &[2, 3, 5]);
        check("state.term = message.term", &[2]);
        check("changed(state.term)", &[2]);
        check("changed(state.matched.1)", &[2, 5]);
        check("changed(state)", &[2, 5]);
        check("changed(state.none)", &[]);
    }

    #[test]
    fn and_is_of_one_line_and_not_of_the_whole_unit() {
        check("peer = 2 and message.kind = Append", &[2]);
        check("peer = 2 and message.kind = Vote", &[]);
        check("peer = 3 and message.kind = Vote or life = 1", &[2, 3]);
        check("peer = 3 and (message.kind = Append or life = 1)", &[]);
        check("not event ~ Send", &[1, 3, 4, 5]);
        check("event = Wake and not event ~ Send", &[5]);
        check("not not peer = 2", &[2]);
        check("not (peer = 2 or life = 1)", &[1, 4, 5]);
    }

    #[test]
    fn kinds_that_differ_are_unequal_and_in_no_order() {
        check("event = 1", &[]);
        check("message.kind >= 0 or message.kind <= 0", &[]);
        check("message.kind != 0", &[2]);
        check("node.x = 1 or event.0 = W", &[]);
        check("message.term ~ 4", &[2]);
    }

    #[test]
    fn a_path_that_nothing_has_is_named() {
        let unknown = |text: &str| Predicate::parse(text).expect("well formed").unknown_paths(&run());
        assert_eq!(
            unknown("state.rolle = Leader or changed(state.x) or peer = message.y"),
            ["state.rolle", "state.x", "message.y"]
        );
        assert_eq!(unknown("state.matched.1 > 0 and not life"), Vec::<String>::new());
    }

    #[test]
    fn nested_negations_cost_no_more_than_others() {
        let text = format!("{}peer = 2", "not ".repeat(grammar::DEEPEST));
        check(&text, &[2]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _read = Predicate::parse(&text);
        }

        #[test]
        fn what_is_nearly_a_predicate_is_read_or_refused_and_asked(
            words in proptest::collection::vec(proptest::sample::select(WORDS), 0..20), run in any_recording(),
        ) {
            match Predicate::parse(&words.join(" ")) {
                Ok(predicate) => {
                    let negated = Predicate::parse(&format!("not ({})", words.join(" "))).expect("one deeper");
                    for number in 1..=run.len() {
                        prop_assert_ne!(predicate.holds(&run, number), negated.holds(&run, number));
                    }
                }
                Err(error) => prop_assert!(error.column <= words.join(" ").chars().count() + 1),
            }
        }
    }

    const WORDS: &[&str] = &[
        "node",
        "state.role",
        "state.term",
        "event",
        "=",
        "!=",
        "<",
        ">=",
        "~",
        "(",
        ")",
        "[",
        "]",
        ",",
        "and",
        "or",
        "not",
        "changed",
        "1",
        "Leader",
        "\"x\"",
        "true",
        "message.kind",
    ];
}
