//! What clients asked, and how that hangs together with what nodes did.

use std::collections::BTreeMap;

use synod_transport::trace::{Line, Value};

use crate::run::{LaneKind, Operation, Run};

/// Whether a line is a client's, and whose.
pub(crate) fn client_of(line: &Line) -> Option<u64> {
    matches!(line.event.as_str(), "Invoke" | "Complete")
        .then(|| line.get("client").and_then(Value::as_number))
        .flatten()
}

/// Fills in the operations, and links calls and answers with the steps of the nodes that were asked.
pub(crate) fn find(run: &mut Run) {
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    let mut last: BTreeMap<u64, usize> = BTreeMap::new();
    let mut asked: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut operations, mut links): (Vec<Operation>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
    for (at, step) in run.steps.iter().enumerate() {
        let Some(line) = step.lines.first() else { continue };
        let Some(lane) = run.lanes.get(step.lane) else { continue };
        if lane.kind == LaneKind::Node {
            last.insert(lane.id, at);
            let tag = line.get("tag").and_then(Value::as_number);
            if let Some(call) = tag.filter(|_| matches!(line.event.as_str(), "Propose" | "Read")) {
                links.extend(asked.remove(&call).map(|call| (call, at)));
            }
            continue;
        }
        let Some(number) = line.get("operation").and_then(Value::as_number) else { continue };
        match line.event.as_str() {
            "Invoke" => {
                open.insert(number, operations.len());
                asked.insert(number, at);
                let operation = Operation {
                    lane: step.lane,
                    from: at,
                    to: None,
                    asked: describe(line),
                    status: String::new(),
                };
                operations.push(operation);
            }
            "Complete" => {
                let status = line.get("status").and_then(Value::as_text).unwrap_or_default();
                let operation = open.remove(&number).and_then(|place| operations.get_mut(place));
                if let Some(operation) = operation {
                    (operation.to, operation.status) = (Some(at), status.to_owned());
                }
                // Nobody told a client that gave up.
                if status != "Unknown" {
                    links.extend(last.get(&line.node).map(|node| (*node, at)));
                }
            }
            _ => {}
        }
    }
    (run.operations, run.links) = (operations, links);
}

/// `Put k = v`, `Propose 3 commands`, `Read`.
fn describe(line: &Line) -> String {
    let word = |name: &str| match line.get(name) {
        Some(Value::Text(text)) => Some(text.to_string()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let mut text = word("request").unwrap_or_default();
    if let Some(count) = line.get("count").and_then(Value::as_number) {
        text.push_str(&format!(" {count} {}", if count == 1 { "command" } else { "commands" }));
    }
    for (before, name) in [(" ", "key"), (" if ", "expect"), (" = ", "value")] {
        if let Some(word) = word(name) {
            text.push_str(before);
            text.push_str(&word);
        }
    }
    text
}
