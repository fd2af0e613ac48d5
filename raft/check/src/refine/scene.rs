//! A state and a step of the specification, as the code has them.

use std::collections::BTreeMap;

use tla_eval::{State, Value};

use super::log::Log;
use super::mail::Mail;
use super::module::number;

/// What a server holds in memory: a record of `node`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of a server in Raft.tla")]
pub struct Memory {
    pub role: String,
    pub term: u64,
    pub vote: u64,
    pub log: Log,
    pub commit: u64,
    pub leader: u64,
    pub yes: Vec<u64>,
    pub no: Vec<u64>,
    /// By server; who is not there has 0.
    pub matched: BTreeMap<u64, u64>,
    pub next: BTreeMap<u64, u64>,
    pub flow: BTreeMap<u64, String>,
}

/// A part of `disk`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the fields of an image in Raft.tla")]
pub struct Image {
    pub term: u64,
    pub vote: u64,
    pub log: Log,
}

/// A server with its disk and what waits for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// In memory.
    pub memory: Memory,
    /// On disk: the durable image first. Never empty.
    pub images: Vec<Image>,
    /// Messages that wait for so many images.
    pub seals: Vec<(u64, Mail)>,
}

/// A state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scene {
    /// Servers by name; those that are not here have just begun.
    pub servers: BTreeMap<u64, Server>,
    /// Messages on their way.
    pub net: Vec<Mail>,
    /// Proposals, crashes, duplicates, intervals.
    pub spent: [u64; 4],
    /// What was ever known to be committed.
    pub decided: Log,
    /// Who led terms 1, 2, …
    pub led: Vec<u64>,
}

/// Which action a step is, and what it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the actions of Raft.tla")]
pub enum Hint {
    Campaign { server: u64 },
    Propose { server: u64 },
    ProposeMany { server: u64, count: u64 },
    Interval { server: u64 },
    Persist { server: u64, count: u64 },
    Crash { server: u64, count: u64 },
    Quiet { server: u64 },
    Resign { server: u64 },
    Receive { message: Mail },
    Duplicate { message: Mail },
    Ignore { message: Mail },
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "nothing to add")]
pub struct Step {
    pub hint: Hint,
    pub before: Scene,
    pub after: Scene,
}

impl Memory {
    /// A server that has just started from this image.
    pub fn fresh(image: &Image) -> Self {
        Self {
            role: "Follower".to_owned(),
            term: image.term,
            vote: image.vote,
            log: image.log.clone(),
            commit: 0,
            leader: 0,
            yes: Vec::new(),
            no: Vec::new(),
            matched: BTreeMap::new(),
            next: BTreeMap::new(),
            flow: BTreeMap::new(),
        }
    }

    /// What of it is persistent.
    pub fn image(&self) -> Image {
        Image { term: self.term, vote: self.vote, log: self.log.clone() }
    }

    fn to_value(&self, servers: &[u64]) -> Value {
        let ids = |ids: &[u64]| Value::set(ids.iter().map(|id| number(*id)));
        let counts = |counts: &BTreeMap<u64, u64>| {
            each(servers, |server| number(counts.get(&server).copied().unwrap_or(0)))
        };
        let flow =
            each(servers, |server| Value::string(self.flow.get(&server).map_or("Probe", String::as_str)));
        record([
            ("role", Value::string(self.role.as_str())),
            ("term", number(self.term)),
            ("vote", number(self.vote)),
            ("log", self.log.to_value()),
            ("commit", number(self.commit)),
            ("leader", number(self.leader)),
            ("yes", ids(&self.yes)),
            ("no", ids(&self.no)),
            ("match", counts(&self.matched)),
            ("next", counts(&self.next)),
            ("flow", flow),
        ])
    }
}

impl Image {
    fn to_value(&self) -> Value {
        record([("term", number(self.term)), ("vote", number(self.vote)), ("log", self.log.to_value())])
    }
}

impl Server {
    /// A server that starts from this image.
    pub fn start(image: Image) -> Self {
        Self { memory: Memory::fresh(&image), images: vec![image], seals: Vec::new() }
    }
}

impl Scene {
    pub(crate) fn to_state(&self, servers: &[u64]) -> State {
        let blank = Server::start(Image::default());
        let of = |server| self.servers.get(&server).unwrap_or(&blank);
        let node = each(servers, |server| of(server).memory.to_value(servers));
        let disk =
            each(servers, |server| Value::Seq(of(server).images.iter().map(Image::to_value).collect()));
        let sealed = each(servers, |server| {
            bag(of(server)
                .seals
                .iter()
                .map(|(after, mail)| record([("after", number(*after)), ("message", mail.to_value())])))
        });
        let [proposals, crashes, duplicates, intervals] = self.spent.map(number);
        let spent = record([
            ("proposals", proposals),
            ("crashes", crashes),
            ("duplicates", duplicates),
            ("intervals", intervals),
        ]);
        let led = Value::Seq(self.led.iter().map(|server| number(*server)).collect());
        [
            ("node", node),
            ("disk", disk),
            ("sealed", sealed),
            ("net", bag(self.net.iter().map(Mail::to_value))),
            ("spent", spent),
            ("decided", self.decided.to_value()),
            ("led", led),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// One server, its disk and the network, for people.
    pub(crate) fn describe(&self, server: u64) -> String {
        let net: Vec<String> = self.net.iter().map(|mail| mail.to_value().to_string()).collect();
        let Some(it) = self.servers.get(&server) else { return "a server that has just begun".to_owned() };
        let servers: Vec<u64> = self.servers.keys().copied().collect();
        let disk: Vec<String> = it.images.iter().map(|image| image.to_value().to_string()).collect();
        let memory = it.memory.to_value(&servers);
        format!("node {memory} disk {} network {}", disk.join(" then "), net.join(", "))
    }
}

impl Hint {
    /// The action's name in the module.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Campaign { .. } => "Campaign",
            Self::Propose { .. } => "Propose",
            Self::ProposeMany { .. } => "ProposeMany",
            Self::Interval { .. } => "Interval",
            Self::Persist { .. } => "Persist",
            Self::Crash { .. } => "Crash",
            Self::Quiet { .. } => "Quiet",
            Self::Resign { .. } => "Resign",
            Self::Receive { .. } => "Receive",
            Self::Duplicate { .. } => "Duplicate",
            Self::Ignore { .. } => "Ignore",
        }
    }

    /// Who takes the step.
    pub const fn server(&self) -> u64 {
        match self {
            Self::Campaign { server }
            | Self::Propose { server }
            | Self::ProposeMany { server, .. }
            | Self::Interval { server }
            | Self::Persist { server, .. }
            | Self::Crash { server, .. }
            | Self::Quiet { server }
            | Self::Resign { server } => *server,
            Self::Receive { message } | Self::Duplicate { message } | Self::Ignore { message } => message.to,
        }
    }

    /// The same with all indexes lower.
    #[must_use]
    pub(crate) fn lowered(&self, by: u64) -> Self {
        match self {
            Self::Receive { message } => Self::Receive { message: message.lowered(by) },
            Self::Duplicate { message } => Self::Duplicate { message: message.lowered(by) },
            Self::Ignore { message } => Self::Ignore { message: message.lowered(by) },
            other => other.clone(),
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        let count = match self {
            Self::ProposeMany { count, .. } | Self::Persist { count, .. } | Self::Crash { count, .. } => {
                *count
            }
            _ => 0,
        };
        let message = match self {
            Self::Receive { message } | Self::Duplicate { message } | Self::Ignore { message } => {
                message.to_value()
            }
            _ => Value::record([]),
        };
        record([
            ("action", Value::string(self.action())),
            ("server", number(self.server())),
            ("count", number(count)),
            ("message", message),
        ])
    }
}

/// A record of these fields.
pub(crate) fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

fn each(servers: &[u64], value: impl Fn(u64) -> Value) -> Value {
    Value::function(servers.iter().map(|server| (number(*server), value(*server))).collect())
}

/// A bag: a function from value to count.
fn bag(values: impl Iterator<Item = Value>) -> Value {
    let mut counts: BTreeMap<Value, u64> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    Value::function(counts.into_iter().map(|(value, count)| (value, number(count))).collect())
}
