//! Messages, from the names under which the code shows them to those of the specification.

use synod_transport::trace::{Line, Value as Seen};
use tla_eval::Value;

use super::log::Log;
use super::module::number;

/// A message between two servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mail {
    /// The sender.
    pub from: u64,
    /// The receiver.
    pub to: u64,
    /// What kind of message.
    pub kind: String,
    /// Its fields, by the names of the specification.
    fields: Vec<(&'static str, Field)>,
}

/// What a field holds, as far as a window of the log must know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Field {
    Plain(u64),
    Flag(bool),
    Index(u64),
    /// Term and index.
    Position(u64, u64),
    /// Terms and counts.
    Entries(Vec<(u64, u64)>),
}

impl Mail {
    /// A message as a trace or a machine shows it; `None` when it is none of Raft's.
    pub fn read(from: u64, to: u64, message: &Seen) -> Option<Self> {
        let kind = message.get("kind")?.as_text()?.to_owned();
        let number = |name| message.get(name)?.as_number();
        let plain = |name, seen| Some((name, Field::Plain(number(seen)?)));
        let index = |name| Some((name, Field::Index(number(name)?)));
        let position =
            |name| pair(message.get(name)?).map(|(term, index)| (name, Field::Position(term, index)));
        let flag = |name| Some((name, Field::Flag(message.get(name)?.as_bool()?)));
        let mut fields = vec![plain("term", "term")?];
        fields.extend(match kind.as_str() {
            "PreVote" => vec![plain("proposed", "proposed")?, position("last")?],
            "PreVoteReply" => vec![plain("proposed", "proposed")?, flag("granted")?],
            "Vote" => vec![position("last")?],
            "VoteReply" => vec![flag("granted")?],
            "Append" => {
                let runs = message.get("runs")?.as_list()?.iter().map(pair).collect::<Option<_>>()?;
                vec![position("after")?, ("entries", Field::Entries(runs)), index("commit")?]
            }
            "Appended" => vec![index("matched")?],
            "Conflict" => vec![index("refused")?, position("hint")?],
            // Rounds belong to reads, of which the specification does not speak.
            "Heartbeat" => vec![index("commit")?],
            "HeartbeatReply" | "Outdated" => Vec::new(),
            _ => return None,
        });
        Some(Self { from, to, kind, fields })
    }

    /// The message of a line that sends, seals or receives one.
    pub(crate) fn of_line(line: &Line) -> Option<Self> {
        let (node, peer) = (line.node, line.peer?);
        let (from, to) = if line.event.starts_with("Receive") { (peer, node) } else { (node, peer) };
        Self::read(from, to, line.message.as_ref()?)
    }

    /// Whether this append is a piece of that one, as hosts cut those that are too long for a frame.
    pub(crate) fn is_piece_of(&self, whole: &Self) -> bool {
        let (Some((after, entries, commit)), Some((first, all, whole_commit))) =
            (self.append(), whole.append())
        else {
            return false;
        };
        let Some(skipped) = after.1.checked_sub(first.1) else { return false };
        let passed = all.front(skipped);
        let fits =
            if skipped == 0 { after == first } else { passed.len() == skipped && passed.ends_in(after.0) };
        fits && commit == whole_commit
            && self.term() == whole.term()
            && all.behind(skipped).front(entries.len()) == entries
    }

    /// Position before the entries, the entries, the commit index.
    fn append(&self) -> Option<((u64, u64), Log, u64)> {
        let (mut after, mut entries, mut commit) = (None, None, None);
        for (name, field) in &self.fields {
            match field {
                Field::Position(term, index) if *name == "after" => after = Some((*term, *index)),
                Field::Entries(runs) => entries = Some(Log::new(runs.iter().copied())),
                Field::Index(index) if *name == "commit" => commit = Some(*index),
                _ => {}
            }
        }
        Some((after?, entries?, commit?))
    }

    /// The term it carries.
    pub fn term(&self) -> u64 {
        self.fields
            .iter()
            .find_map(|field| if let ("term", Field::Plain(term)) = field { Some(*term) } else { None })
            .unwrap_or(0)
    }

    /// The lowest index that decides what it means, if it names any: where an append begins. All other indexes are only
    /// compared with such as are in the window, so that one below it may count as zero.
    pub(crate) fn lowest(&self) -> Option<u64> {
        self.append().map(|((_, index), _, _)| index)
    }

    /// The same with all indexes lower.
    #[must_use]
    pub(crate) fn lowered(&self, by: u64) -> Self {
        let mut it = self.clone();
        for (name, field) in &mut it.fields {
            match field {
                Field::Index(index) => *index = index.saturating_sub(by),
                Field::Position(term, index) => {
                    *index = index.saturating_sub(by);
                    // Votes compare terms first; elsewhere index zero is before everything.
                    if *index == 0 && *name != "last" {
                        *term = 0;
                    }
                }
                _ => {}
            }
        }
        it
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut all = vec![
            ("from".to_owned(), number(self.from)),
            ("to".to_owned(), number(self.to)),
            ("kind".to_owned(), Value::string(self.kind.as_str())),
        ];
        all.extend(self.fields.iter().map(|(name, field)| ((*name).to_owned(), field.to_value())));
        Value::record(all)
    }
}

impl Field {
    fn to_value(&self) -> Value {
        match self {
            Self::Plain(value) | Self::Index(value) => number(*value),
            Self::Flag(value) => Value::Bool(*value),
            Self::Position(term, index) => Value::Seq(vec![number(*term), number(*index)]),
            Self::Entries(runs) => Log::new(runs.iter().copied()).to_value(),
        }
    }
}

/// Two numbers: a position, or a run.
pub(crate) fn pair(value: &Seen) -> Option<(u64, u64)> {
    match value.as_list()? {
        [first, second] => Some((first.as_number()?, second.as_number()?)),
        _ => None,
    }
}
