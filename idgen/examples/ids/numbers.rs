//! Decimal numbers of up to 64 bits, and the 13 characters that stand for one.

use std::time::Duration;

use synod_idgen::codec::crockford;
use synod_idgen::layout::{
    Discord, Id, Instagram, JavaScript, Layout, Mastodon, Order, Sonyflake, Tsid, Twitter,
};

use crate::finding::Finding;

/// What a number can be, and text of a TSID.
pub(crate) fn all(text: &str) -> Vec<Finding> {
    let number = number(text);
    let in_text = (text.len() == 13).then(|| crockford::decode_u64_with_aliases(text).ok()).flatten();
    let mut found: Vec<Finding> =
        in_text.and_then(|number| tsid(number, "TSID, as text")).into_iter().collect();
    if let Some(number) = number {
        found.extend(of_number(number));
    }
    found
}

/// With the caller's epoch.
pub(crate) fn own(text: &str, epoch_ms: Option<u64>) -> Result<Vec<Finding>, String> {
    let Some(epoch_ms) = epoch_ms else { return Ok(Vec::new()) };
    let number = number(text).ok_or("--epoch-ms is for a decimal number of up to 64 bits")?;
    let id = Id::<Twitter>::from_u64(number).map_err(|error| error.to_string())?;
    let since = epoch_ms.checked_add(id.tick()).map(Duration::from_millis);
    let kind = "Snowflake of your epoch: 41 bits of milliseconds, 10 of the node, 12 of the sequence";
    let found = Finding::new(kind, since).with("node", id.node().get()).with("sequence", id.sequence());
    Ok(vec![found])
}

/// Why a text that looks like a number is none of them.
pub(crate) fn against(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let tsid = crockford::decode_u64_with_aliases(text);
        return tsid
            .err()
            .filter(|_| text.chars().count() == 13)
            .map(|error| format!("not a TSID: {error}."));
    }
    Some(if text.starts_with('-') {
        "not an id: negative. If it came from a signed column, ask for the same bits unsigned.".to_owned()
    } else {
        "not an id: a number of more than 64 bits.".to_owned()
    })
}

fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// 2016-01-01: the year in which Mastodon came out.
const MASTODON: Duration = Duration::from_secs(1_451_606_400);

fn of_number(number: u64) -> Vec<Finding> {
    let node = |name| Shown { node: Some(name), ..Shown::default() };
    let found = [
        of::<Twitter>(number, "Twitter (X): a Snowflake", &node("node")),
        discord(number),
        of::<Instagram>(number, "Instagram", &node("shard")),
        of::<Sonyflake>(number, "Sonyflake", &Shown { tick: "10 ms", ..node("machine") }),
        tsid(number, "TSID"),
        of::<Mastodon>(number, "Mastodon", &Shown::default()).map(|found| found.since(MASTODON)),
        of::<JavaScript>(number, "53 bits, for JavaScript", &node("node")),
    ];
    found.into_iter().flatten().collect()
}

/// What a layout calls its parts.
struct Shown {
    tick: &'static str,
    node: Option<&'static str>,
}

impl Default for Shown {
    fn default() -> Self {
        Self { tick: "milliseconds", node: None }
    }
}

fn of<L: Layout>(number: u64, name: &str, shown: &Shown) -> Option<Finding> {
    let id = Id::<L>::from_u64(number).ok()?;
    let time = format!("{} bits of {}", L::TIME_BITS, shown.tick);
    let node = shown.node.map(|node| format!("{} of the {node}", L::NODE_BITS));
    let sequence = format!("{} of the sequence", L::SEQUENCE_BITS);
    let parts: Vec<String> = match L::ORDER {
        Order::NodeThenSequence => [Some(time), node, Some(sequence)],
        Order::SequenceThenNode => [Some(time), Some(sequence), node],
    }
    .into_iter()
    .flatten()
    .collect();
    let found = Finding::new(format!("{name}: {}", parts.join(", ")), Some(id.time()));
    let sequence = ("sequence", id.sequence().to_string());
    let node = shown.node.map(|node| (node, id.node().get().to_string()));
    let fields = match L::ORDER {
        Order::NodeThenSequence => [node, Some(sequence)],
        Order::SequenceThenNode => [Some(sequence), node],
    };
    Some(Finding { fields: fields.into_iter().flatten().collect(), ..found })
}

fn discord(number: u64) -> Option<Finding> {
    let id = Id::<Discord>::from_u64(number).ok()?;
    let kind = "Discord: 42 bits of milliseconds, 5 of worker, 5 of process, 12 of the sequence";
    let found = Finding::new(kind, Some(id.time()));
    Some(found.with("worker", id.worker()).with("process", id.process()).with("sequence", id.sequence()))
}

fn tsid(number: u64, name: &str) -> Option<Finding> {
    let found = of::<Tsid>(number, name, &Shown { node: Some("node"), ..Shown::default() })?;
    Some(found.with("text", crockford::encode_u64(number)))
}
