//! Which line another answers: the sending of what was received, the sealing of what a receipt let out.

use synod_transport::trace::{Line, Value};

use super::recording::Recording;

/// Where something was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The unit.
    pub(super) number: usize,
    /// The line in it.
    pub(super) line: usize,
    /// How many sendings that say the same were recorded earlier; the network may have delivered one of those.
    pub(super) earlier: usize,
}

/// Whether a line is of a frame on its way, so that some `Send…` stands behind it.
pub(super) fn was_sent(event: &str) -> bool {
    event.starts_with("Receive") || matches!(event, "Drop" | "Duplicate")
}

/// The sending nearest before unit `number`, where the frame `seen` arrived or was lost or doubled; if there is none, the
/// first behind it, since clocks of processes differ. Costs a look at all that passed between the two nodes that way.
pub(super) fn sending(run: &Recording, number: usize, seen: &Line) -> Option<Said> {
    let (peer, message) = (seen.peer?, seen.message.as_ref()?);
    let (from, to) = if seen.event.starts_with("Receive") { (peer, seen.node) } else { (seen.node, peer) };
    let said = |at: &usize| {
        let lines = &run.unit(*at)?.lines;
        let says = |line: &Line| {
            line.event.starts_with("Send")
                && line.peer == Some(to)
                && line.message.as_ref().is_some_and(|sent| is_piece(message, sent))
        };
        lines.iter().position(says).map(|line| (*at, line))
    };
    let units = run.sends(from, to);
    let (before, after) = units.split_at(units.partition_point(|at| *at < number));
    let mut candidates = before.iter().rev().filter_map(said);
    let nearest = candidates.next();
    let earlier = candidates.count();
    // A node may send to itself in the very step that takes the frame; that one cannot be what it took.
    let (number, line) = nearest.or_else(|| after.iter().filter(|at| **at != number).find_map(said))?;
    Some(Said { number, line, earlier })
}

/// The `Seal` of this life that a `Send…` with a seal opened, at or before unit `number`.
pub(super) fn sealing(run: &Recording, number: usize, sent: &Line) -> Option<Said> {
    let seal = sent.get("seal")?;
    for number in (1..number).rev() {
        let unit = run.unit(number)?;
        if unit.node() != sent.node {
            continue;
        }
        if unit.event(|event| matches!(event, "Start" | "InitState" | "Crash")).is_some() {
            return None;
        }
        let sealed = |line: &Line| line.event == "Seal" && line.get("seal") == Some(seal);
        if let Some(line) = unit.lines.iter().position(sealed) {
            return Some(Said { number, line, earlier: 0 });
        }
    }
    None
}

/// Whether what was received is what was sent, or the piece of it that arrived: an append may be cut on its way out, so
/// that it begins later and ends earlier. All else is equal, field for field.
fn is_piece(received: &Value, sent: &Value) -> bool {
    if received == sent {
        return true;
    }
    let (Value::Record(got), Value::Record(had)) = (received, sent) else { return false };
    let moves = |name: &str| name == "after" || name == "runs";
    let rest = |fields: &[(std::borrow::Cow<'static, str>, Value)]| {
        fields.iter().filter(|(name, _)| !moves(name)).cloned().collect::<Vec<_>>()
    };
    let entries = |value: &Value| Entries::of(value.get("after")?, value.get("runs")?);
    match (entries(received), entries(sent)) {
        (Some(piece), Some(whole)) => rest(got) == rest(had) && piece.is_piece_of(&whole),
        _ => false,
    }
}

/// Terms of consecutive entries, as runs of equal ones; the first is that of the entry before them.
struct Entries {
    /// Index of the first.
    first: u64,
    /// Term and count, no two neighbours of the same term.
    runs: Vec<(u64, u64)>,
}

impl Entries {
    fn of(after: &Value, runs: &Value) -> Option<Self> {
        let (term, first) = pair(after)?;
        let mut entries = Self { first, runs: vec![(term, 1)] };
        for run in runs.as_list()? {
            let (term, count) = pair(run)?;
            entries.push(term, count);
        }
        Some(entries)
    }

    fn push(&mut self, term: u64, count: u64) {
        match self.runs.last_mut() {
            _ if count == 0 => {}
            Some((last, sum)) if *last == term => *sum = sum.saturating_add(count),
            _ => self.runs.push((term, count)),
        }
    }

    fn is_piece_of(&self, whole: &Self) -> bool {
        let Some(mut skip) = self.first.checked_sub(whole.first) else { return false };
        let mut left = self.runs.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
        let mut cut = Self { first: self.first, runs: Vec::new() };
        for (term, count) in &whole.runs {
            let skipped = skip.min(*count);
            skip -= skipped;
            let taken = left.min(count - skipped);
            left -= taken;
            cut.push(*term, taken);
        }
        cut.runs == self.runs
    }
}

fn pair(value: &Value) -> Option<(u64, u64)> {
    match value.as_list()? {
        [one, other] => Some((one.as_number()?, other.as_number()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::replay::testing::{recording, value};

    fn append(after: (u64, u64), terms: &[u64]) -> Value {
        let runs: Vec<_> = terms.iter().map(|term| format!("[{term},1]")).collect();
        let (term, index) = after;
        value(&format!(
            r#"{{"kind":"Append","term":9,"after":[{term},{index}],"runs":[{}],"commit":1}}"#,
            runs.join(",")
        ))
    }

    #[test]
    fn a_piece_lies_within_what_was_sent() {
        let sent = append((1, 4), &[1, 2, 2, 3]);
        assert!(is_piece(&sent, &sent));
        assert!(is_piece(&append((1, 5), &[2, 2]), &sent));
        assert!(is_piece(&append((3, 8), &[]), &sent));
        assert!(!is_piece(&append((2, 5), &[2, 2]), &sent), "another term before it");
        assert!(!is_piece(&append((1, 5), &[2, 2, 3, 3]), &sent), "longer than it was");
        assert!(!is_piece(&append((1, 3), &[1, 1]), &sent), "begins before it");
        assert!(!is_piece(&append((3, 9), &[]), &sent), "begins behind it");
        let other = value(r#"{"kind":"Append","term":8,"after":[1,4],"runs":[],"commit":1}"#);
        assert!(!is_piece(&other, &sent), "another term");
        assert!(!is_piece(&value("1"), &value("2")));
    }

    proptest! {
        #[test]
        fn pieces_are_those_that_a_look_at_each_entry_finds(
            sent in proptest::collection::vec(1u64..3, 1..6), got in proptest::collection::vec(1u64..3, 1..6),
            first in 0u64..6,
        ) {
            // The first of each is the term of the entry before.
            let of = |first, terms: &[u64]| append((terms[0], first), &terms[1..]);
            let begins = usize::try_from(first).expect("small");
            let expected = sent.get(begins..).is_some_and(|rest| rest.starts_with(&got));
            prop_assert_eq!(is_piece(&of(10 + first, &got), &of(10, &sent)), expected);
        }

        #[test]
        fn counts_of_any_size_are_no_trouble(count: u64, more: u64, index: u64) {
            let text = format!(r#"{{"after":[1,{index}],"runs":[[1,{count}],[2,{more}],[1,{count}]]}}"#);
            let (one, other) = (value(&text), value(r#"{"after":[0,0],"runs":[]}"#));
            prop_assert!(is_piece(&one, &one) && !is_piece(&one, &other) && !is_piece(&other, &one));
        }
    }

    #[test]
    fn a_receipt_is_answered_by_the_nearest_sending_before_it() {
        let message = r#""message":{"kind":"Vote","term":1}"#;
        let send = |at, to| {
            format!(
                "{{\"at\":{at},\"node\":1,\"event\":\"Wake\"}}\n\
                 {{\"at\":{at},\"node\":1,\"event\":\"SendX\",\"peer\":{to},{message}}}\n\
                 {{\"at\":{at},\"node\":1,\"event\":\"Ready\"}}\n"
            )
        };
        let receive = format!(
            "{{\"at\":9,\"node\":2,\"event\":\"ReceiveX\",\"peer\":1,{message}}}\n{{\"at\":9,\"node\":2,\"event\":\"Ready\"}}\n"
        );
        let find = |text: &str, number| {
            let run = recording(text);
            let line = run.unit(number).expect("a unit").lines.first().expect("a line").clone();
            sending(&run, number, &line)
        };
        let (two, three) = (send(1, 2), send(2, 3));
        let text = [&*two, &two, &three, &receive].concat();
        assert_eq!(find(&text, 4), Some(Said { number: 2, line: 1, earlier: 1 }));
        assert_eq!(
            find(&[&*receive, &three, &two].concat(), 1),
            Some(Said { number: 3, line: 1, earlier: 0 })
        );
        assert_eq!(find(&[&*three, &receive].concat(), 2), None, "sent to another");
        let twice = two.replace("{\"at\":1,\"node\":1,\"event\":\"Ready\"}\n", "");
        let twice = format!("{twice}{}", two.split_once('\n').expect("lines").1);
        assert_eq!(
            find(&[&*twice, &twice, &receive].concat(), 3),
            Some(Said { number: 2, line: 1, earlier: 1 })
        );
    }

    /// The first line of the unit of this number, as its sending or sealing is found.
    fn said_of(
        text: &str,
        number: usize,
        find: fn(&Recording, usize, &Line) -> Option<Said>,
    ) -> Option<(usize, usize)> {
        let run = recording(text);
        let unit = run.unit(number).expect("a unit");
        let line = unit.event(|event| was_sent(event) || event.starts_with("Send")).expect("a frame");
        find(&run, number, line).map(|said| (said.number, said.line))
    }

    #[test]
    fn a_sending_is_to_the_one_who_received_and_in_another_step() {
        let to_both = r#"{"at":1,"node":1,"event":"Wake"}
                         {"at":1,"node":1,"event":"SendX","peer":3,"message":7}
                         {"at":1,"node":1,"event":"SendX","peer":2,"message":7}
                         {"at":1,"node":1,"event":"Ready"}
                         {"at":2,"node":1,"event":"Drop","peer":2,"message":7}"#;
        assert_eq!(said_of(to_both, 2, sending), Some((1, 2)));
        let to_itself = r#"{"at":1,"node":1,"event":"ReceiveX","peer":1,"message":7}
                           {"at":1,"node":1,"event":"SendX","peer":1,"message":7}
                           {"at":1,"node":1,"event":"Ready"}"#;
        assert_eq!(said_of(to_itself, 1, sending), None);
    }

    #[test]
    fn a_seal_is_of_its_node_its_number_and_this_life() {
        let seal = |node: u64, seal: u64| {
            format!(
                "{{\"at\":1,\"node\":{node},\"event\":\"Wake\"}}\n\
                 {{\"at\":1,\"node\":{node},\"event\":\"Seal\",\"peer\":3,\"seal\":{seal}}}\n\
                 {{\"at\":1,\"node\":{node},\"event\":\"Ready\"}}\n"
            )
        };
        let opened = r#"{"at":2,"node":1,"event":"Persisted"}
                        {"at":2,"node":1,"event":"SendX","peer":3,"seal":1}
                        {"at":2,"node":1,"event":"Ready"}"#;
        let crash = "{\"at\":2,\"node\":1,\"event\":\"Crash\"}\n";
        let text = [&*seal(1, 1), &seal(1, 2), &seal(2, 1), opened].concat();
        assert_eq!(said_of(&text, 4, sealing), Some((1, 1)));
        assert_eq!(said_of(&[&*seal(1, 1), crash, opened].concat(), 3, sealing), None);
    }
}
