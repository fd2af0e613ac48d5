//! What changed between two values, read from their pretty `Debug` text: `name.of.field: before → after`.

use core::fmt::Debug;

/// Values shown whole are at most this long.
const SHORT: usize = 60;

/// A line for each thing that changed; of things in a list whose length changed, those gone and those new.
pub(super) fn lines(before: &impl Debug, after: &impl Debug) -> Vec<String> {
    let (before, after) = (Tree::of(before), Tree::of(after));
    let mut out = Vec::new();
    compare(&before, &after, "", &mut out);
    out
}

/// A piece of `Debug` text: `key: head child, child tail`.
#[derive(Default)]
struct Tree {
    key: String,
    /// Up to and with the opening bracket, or the whole value.
    head: String,
    children: Vec<Tree>,
    tail: String,
}

impl Tree {
    fn of(value: &impl Debug) -> Self {
        let text = format!("{value:#?}");
        // The one child of an outermost tree.
        let mut open = vec![Self::default()];
        for line in text.lines().map(|line| line.trim().trim_end_matches(',')) {
            if matches!(line.chars().next(), Some('}' | ')' | ']')) && open.len() > 1 {
                if let Some(mut done) = open.pop() {
                    line.clone_into(&mut done.tail);
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(done);
                    }
                }
                continue;
            }
            let (key, head) = split(line);
            let tree = Self { key: key.to_owned(), head: head.to_owned(), ..Self::default() };
            if head.ends_with(['{', '(', '[']) {
                open.push(tree);
            } else if let Some(parent) = open.last_mut() {
                parent.children.push(tree);
            }
        }
        let mut outermost = open.swap_remove(0);
        outermost.children.pop().unwrap_or_default()
    }

    /// Whether anything within has a name.
    fn has_names(&self) -> bool {
        self.children.iter().any(|child| !child.key.is_empty() || child.has_names())
    }

    /// The value in one line, without its key.
    fn text(&self) -> String {
        let inner: Vec<String> =
            self.children
                .iter()
                .map(|child| {
                    if child.key.is_empty() {
                        child.text()
                    } else {
                        format!("{}: {}", child.key, child.text())
                    }
                })
                .collect();
        let space = if self.head.ends_with(" {") && !inner.is_empty() { " " } else { "" };
        format!("{}{space}{}{space}{}", self.head, inner.join(", "), self.tail)
    }
}

/// `key: value`, where the key is a plain word or number.
fn split(line: &str) -> (&str, &str) {
    match line.split_once(": ") {
        Some((key, value)) if key.chars().all(|it| it.is_alphanumeric() || it == '_') => (key, value),
        _ => ("", line),
    }
}

fn compare(before: &Tree, after: &Tree, place: &str, out: &mut Vec<String>) {
    let (old, new) = (before.text(), after.text());
    if old == new {
        return;
    }
    let alike = before.head == after.head && !before.children.is_empty() && !after.children.is_empty();
    let same_keys = before.children.len() == after.children.len()
        && before.children.iter().zip(&after.children).all(|(one, other)| one.key == other.key);
    // The whole state is never shown as one thing, nor is a record with names when it can be told by them.
    let short = old.chars().count() <= SHORT
        && new.chars().count() <= SHORT
        && !(alike && same_keys && before.has_names());
    if !alike || (short && !place.is_empty()) {
        out.push(format!("{}{old} → {new}", colon(place)));
    } else if same_keys {
        for (number, (one, other)) in before.children.iter().zip(&after.children).enumerate() {
            let name = if one.key.is_empty() { number.to_string() } else { one.key.clone() };
            let place = if place.is_empty() { name } else { format!("{place}.{name}") };
            compare(one, other, &place, out);
        }
    } else {
        gone_and_new(before, after, place, out);
    }
}

fn gone_and_new(before: &Tree, after: &Tree, place: &str, out: &mut Vec<String>) {
    let whole = |child: &Tree| {
        if child.key.is_empty() { child.text() } else { format!("{}: {}", child.key, child.text()) }
    };
    let mut new: Vec<String> = after.children.iter().map(whole).collect();
    for child in before.children.iter().map(whole) {
        match new.iter().position(|it| *it == child) {
            Some(at) => {
                new.remove(at);
            }
            None => out.push(format!("{}gone {child}", colon(place))),
        }
    }
    out.extend(new.into_iter().map(|child| format!("{}new {child}", colon(place))));
}

fn colon(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{place}: ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    struct Node {
        term: u64,
        role: Option<&'static str>,
        log: Vec<u8>,
    }

    #[derive(Clone, Debug)]
    struct World {
        nodes: Vec<Node>,
        network: Vec<(u8, String)>,
        budget: BTreeMap<u8, u8>,
    }

    fn world() -> World {
        let node = Node { term: 1, role: None, log: vec![] };
        let message =
            |from| (from, "a message that is so long that no two of them fit into a line".to_owned());
        World {
            nodes: vec![node.clone(), node],
            network: vec![message(1), message(2)],
            budget: BTreeMap::from([(1, 2)]),
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let mut after = world();
        after.nodes[1].term = 2;
        after.nodes[1].role = Some("Leader: for ever");
        after.nodes[0].log.push(7);
        after.network.remove(0);
        after.budget.insert(1, 1);
        assert_eq!(
            lines(&world(), &after),
            [
                "nodes.0.log: [] → [7]",
                "nodes.1.term: 1 → 2",
                "nodes.1.role: None → Some(\"Leader: for ever\")",
                "network: gone (1, \"a message that is so long that no two of them fit into a line\")",
                "budget.1: 2 → 1",
            ]
        );
        assert!(lines(&after, &after.clone()).is_empty());
    }

    #[test]
    fn plain_values_and_whole_enumerations_are_told_too() {
        assert_eq!(lines(&1, &2), ["1 → 2"]);
        assert_eq!(lines(&Some(1), &None::<u8>), ["Some(1) → None"]);
        assert_eq!(lines(&(1, 2), &(1, 3)), ["1: 2 → 3"]);
        assert_eq!(lines(&vec![1, 2], &vec![2]), ["gone 1"]);
    }
}
