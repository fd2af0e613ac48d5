//! What changed between two values: a line for each field that is not the same.

use synod_transport::trace::{Fields, Value};

use super::value::{Shown, printable};

/// A field that is not the same. At least one side is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// Names and places from the outside in: `log.base`, `matched.0`; empty for the whole.
    pub(super) path: String,
    pub(super) before: Option<&'a Value>,
    pub(super) after: Option<&'a Value>,
}

impl core::fmt::Display for Change<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let path = if self.path.is_empty() { "all" } else { &self.path };
        match (self.before, self.after) {
            (Some(before), Some(after)) => write!(out, "{path}: {} → {}", Shown(before), Shown(after)),
            (None, Some(after)) => write!(out, "{path}: new, {}", Shown(after)),
            (Some(before), None) => write!(out, "{path}: gone, was {}", Shown(before)),
            (None, None) => write!(out, "{path}: -"),
        }
    }
}

/// What must be changed in `before` to have `after`, in the order of `after`; what is gone comes last. Lists of the same
/// length are compared place by place, others are one change.
pub(super) fn changes<'a>(before: &'a Value, after: &'a Value) -> Vec<Change<'a>> {
    let mut out = Vec::new();
    compare(before, after, "", &mut out);
    out
}

fn compare<'a>(before: &'a Value, after: &'a Value, path: &str, out: &mut Vec<Change<'a>>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Record(old), Value::Record(new)) if named_once(old) && named_once(new) => {
            for (name, value) in new {
                let path = join(path, name);
                match before.get(name) {
                    Some(old) => compare(old, value, &path, out),
                    None => out.push(Change { path, before: None, after: Some(value) }),
                }
            }
            for (name, value) in old.iter().filter(|(name, _)| after.get(name).is_none()) {
                out.push(Change { path: join(path, name), before: Some(value), after: None });
            }
        }
        // A position is one thing: `[1, 4] → [2, 5]`.
        (Value::List(old), Value::List(new)) if old.len() == new.len() && !is_position(path, old) => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                compare(old, new, &join(path, &place.to_string()), out);
            }
        }
        _ => out.push(Change { path: path.to_owned(), before: Some(before), after: Some(after) }),
    }
}

/// Two numbers within a list, or in the log's `base`, are a term and an index or a count; a list of slots may have two
/// numbers as well, but stands in a field of its own.
fn is_position(path: &str, list: &[Value]) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    let inner = last == "base" || last.parse::<usize>().is_ok();
    inner && matches!(list, [Value::Number(_), Value::Number(_)])
}

/// Whether a field can be told by its name.
fn named_once(fields: &Fields) -> bool {
    fields.iter().enumerate().all(|(place, (name, _))| fields.iter().take(place).all(|(it, _)| it != name))
}

fn join(path: &str, name: &str) -> String {
    let name = printable(name);
    if path.is_empty() { name.into_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::replay::testing::{any_value, value};

    fn check(before: &str, after: &str, expected: &[&str]) {
        let (before, after) = (value(before), value(after));
        let shown: Vec<_> = changes(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn each_field_that_changed_has_a_line() {
        check(
            r#"{"role":"Follower","log":{"base":[0,0],"runs":[[1,3]]},"matched":[],"old":1}"#,
            r#"{"role":"Leader","log":{"base":[1,2],"runs":[[1,4]]},"matched":[0,4],"new":null}"#,
            &[
                "role: Follower → Leader",
                "log.base: [0, 0] → [1, 2]",
                "log.runs.0: [1, 3] → [1, 4]",
                "matched: [] → [0, 4]",
                "new: new, -",
                "old: gone, was 1",
            ],
        );
        check(r#"{"matched":[0,4]}"#, r#"{"matched":[3,4]}"#, &["matched.0: 0 → 3"]);
        check("1", "[1]", &["all: 1 → [1]"]);
        check(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#, &[]);
        check(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":3}"#, &["all: {a: 1, a: 2} → {a: 1, a: 3}"]);
    }

    proptest! {
        #[test]
        fn there_is_a_change_just_when_something_differs(one in any_value(), other in any_value()) {
            prop_assert_eq!(changes(&one, &one), vec![]);
            // Fields in another order are the same fields.
            prop_assert_eq!(changes(&one, &other).is_empty(), sorted(&one) == sorted(&other));
        }
    }

    fn sorted(value: &Value) -> Value {
        match value {
            Value::List(list) => Value::List(list.iter().map(sorted).collect()),
            Value::Record(fields) => {
                let mut fields: Fields =
                    fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
                if named_once(&fields) {
                    fields.sort();
                }
                Value::Record(fields)
            }
            other => other.clone(),
        }
    }
}
