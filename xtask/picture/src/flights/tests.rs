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

#[test]
fn what_was_lost_is_the_newest_that_says_so() {
    // Else the one that came would seem to be of a sending that had nothing to do with it.
    check("1>2 vote:3, 1>2 vote:3, 1x2 vote:3, 2<1 vote:3", "0-3 1-x");
}

mod causes {
    use proptest::prelude::*;

    use super::*;

    /// What a network does next with messages of node 1 to node 2, by place among those on their way.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Send(u8),
        Deliver(usize),
        Lose(usize),
        /// As it is sent: that is when a network says so.
        Double,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..2u8).prop_map(Act::Send),
            (0..8usize).prop_map(Act::Deliver),
            (0..8usize).prop_map(Act::Lose),
            Just(Act::Double),
        ]
    }

    /// The steps as a trace tells them, and of each step that took a message the one that truly sent it.
    fn play(acts: &[Act]) -> (String, Vec<Option<usize>>) {
        let (mut words, mut sent_by, mut sky) = (Vec::new(), Vec::new(), Vec::<(usize, u8)>::new());
        for act in acts {
            let place = |at: usize, sky: &[(usize, u8)]| (!sky.is_empty()).then(|| at % sky.len());
            let (word, sender) = match *act {
                Act::Send(content) => {
                    sky.push((words.len(), content));
                    (format!("1>2 vote:{content}"), None)
                }
                Act::Deliver(at) => {
                    let Some(at) = place(at, &sky) else { continue };
                    let (sender, content) = sky.remove(at);
                    (format!("2<1 vote:{content}"), Some(sender))
                }
                Act::Lose(at) => {
                    let Some(at) = place(at, &sky) else { continue };
                    let (_, content) = sky.remove(at);
                    (format!("1x2 vote:{content}"), None)
                }
                Act::Double => {
                    let Some(copy) = sky.iter().copied().max() else { continue };
                    if copy.0 + 1 != words.len() {
                        continue;
                    }
                    sky.push(copy);
                    (format!("1=2 vote:{}", copy.1), None)
                }
            };
            words.push(word);
            sent_by.push(sender);
        }
        (words.join(", "), sent_by)
    }

    proptest! {
        #[test]
        fn an_arrow_never_claims_a_cause_that_was_none(acts in proptest::collection::vec(act(), 1..40)) {
            let (text, sent_by) = play(&acts);
            if text.is_empty() {
                return Ok(());
            }
            let steps = steps(&text);
            let at: Vec<u64> = (0..steps.len() as u64).collect();
            for found in flights(&steps, &at, Order::Any) {
                let (Some(from), Some(to)) = (found.from.1, found.to.1) else { continue };
                // Node 2 knew of it if it had taken a message that was sent then or later.
                let knew = sent_by[..=to].iter().flatten().any(|sender| *sender >= from);
                prop_assert!(knew, "{text}: {from} is no cause of {to}");
            }
        }
    }
}
