use synod_transport::trace::{Line, named};

use super::*;

/// `1>2 vote:3` sends, `2<1 vote:3` takes, `1x2 vote:3` loses, `1=2 vote:3` doubles; `append:5+2` moves two entries
/// behind index 5. Each is a step of its own.
fn steps(text: &str) -> Vec<Lines> {
    let step = |word: &str| {
        let (ends, message) = word.split_once(' ').expect("ends and a message");
        let at = ends.find(|letter: char| !letter.is_ascii_digit()).expect("a sign");
        let (node, rest) = ends.split_at(at);
        let (sign, peer) = rest.split_at(1);
        let event = match sign {
            ">" => "Send",
            "<" => "Receive",
            "x" => "Drop",
            "=" => "Duplicate",
            _ => panic!("{word}"),
        };
        let (kind, rest) = message.split_once(':').expect("kind and number");
        let mut fields = vec![("kind".into(), Value::from(kind.to_owned()))];
        match rest.split_once('+') {
            None => fields.push(("term".into(), Value::Number(rest.parse().expect("a term")))),
            Some((after, count)) => {
                let number = |text: &str| Value::Number(text.parse().expect("a number"));
                fields.push(("after".into(), Value::List(vec![Value::Number(1), number(after)])));
                fields.push((
                    "runs".into(),
                    Value::List(vec![Value::List(vec![Value::Number(1), number(count)])]),
                ));
            }
        }
        vec![Line {
            node: node.parse().expect("a node"),
            event: event.to_owned(),
            peer: Some(peer.parse().expect("a peer")),
            message: Some(Value::Record(fields)),
            fields: named([("reason", Value::word("loss"))]),
            ..Line::default()
        }]
    };
    text.split(", ").map(step).collect()
}

/// Arrows as `from-to`, by step; `-` for what is not there, `x` for lost, `*` for a copy.
fn shown(text: &str, order: Order) -> String {
    let steps = steps(text);
    let at: Vec<u64> = (0..steps.len() as u64).map(|step| step * 10).collect();
    let end = |step: Option<usize>| step.map_or_else(String::new, |step| step.to_string());
    let shown = flights(&steps, &at, order).into_iter().map(|Found { from, to, arrow }| {
        let came = match arrow.fate {
            Fate::Delivered => end(to.1),
            Fate::Lost(_) => "x".to_owned(),
            Fate::Unseen => "?".to_owned(),
        };
        format!("{}-{came}{}", end(from.1), if arrow.copy { "*" } else { "" })
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(text: &str, wanted: &str) {
    assert_eq!(shown(text, Order::Any), wanted, "{text}");
}

#[test]
fn a_message_that_came_is_the_oldest_that_says_so() {
    check("1>2 vote:3, 2<1 vote:3", "0-1");
    check("1>2 vote:3, 1>2 vote:4, 2<1 vote:4, 2<1 vote:3", "0-3 1-2");
    check("1>2 vote:3, 1>2 vote:3, 2<1 vote:3, 2<1 vote:3", "0-2 1-3");
    // Another way, another kind.
    check("1>2 vote:3, 1>3 vote:3, 3<1 vote:3", "0-? 1-2");
    check("1>2 vote:3, 2<1 yes:3", "0-? -1");
}

#[test]
fn what_was_lost_or_never_seen_is_told_apart() {
    check("1>2 vote:3, 1x2 vote:3, 1>2 vote:3, 2<1 vote:3", "0-x 2-3");
    check("1>2 vote:3", "0-?");
    // Nothing sent it: the sender's file is cut off, or lost it at once.
    check("2<1 vote:3", "-0");
    check("1x2 vote:3", "0-x");
}

#[test]
fn what_came_twice_was_doubled() {
    check("1>2 vote:3, 1=2 vote:3, 2<1 vote:3, 2<1 vote:3", "0-2 0-3*");
    // A network that doubles without saying so.
    check("1>2 vote:3, 2<1 vote:3, 2<1 vote:3", "0-1 0-2*");
    // The copy is still awaited when the same is sent again.
    check("1>2 vote:3, 1=2 vote:3, 2<1 vote:3, 1>2 vote:3, 2<1 vote:3, 2<1 vote:3", "0-2 0-4* 3-5");
}

#[test]
fn a_long_message_comes_in_pieces() {
    check("1>2 append:5+4, 2<1 append:5+3, 2<1 append:8+1", "0-1 0-2");
    check("1>2 append:5+4, 1x2 append:5+3, 2<1 append:8+1", "0-x 0-2");
    check("1>2 append:5+4, 2<1 append:8+2", "0-? -1");
    check("1>2 append:5+4, 2<1 append:4+2", "0-? -1");
    // All of it came: the same again is another.
    check("1>2 append:5+1, 2<1 append:5+1, 1>2 append:5+1, 2<1 append:5+1", "0-1 2-3");
}

#[test]
fn a_network_that_keeps_order_never_brings_what_was_overtaken() {
    let text = "1>2 vote:3, 1>2 vote:4, 2<1 vote:4, 2<1 vote:3";
    assert_eq!(shown(text, Order::Kept(0)), "0-? 1-2 -3");
    let text = "1>2 vote:3, 2<1 vote:3, 1>2 vote:3, 1>2 vote:3, 2<1 vote:3";
    assert_eq!(shown(text, Order::Kept(0)), "0-1 2-4 3-?");
    // Clocks may show the coming before the sending, but not by much.
    let text = "2<1 vote:3, 1>2 vote:3";
    assert_eq!(shown(text, Order::Kept(10)), "1-0");
    assert_eq!(shown(text, Order::Kept(9)), "-0 1-?");
    assert_eq!(shown(text, Order::Any), "-0 1-?");
}
