//! A primary with copies: node 1 leads term 1 until a message names another leader. No elections, no retries.

use std::collections::BTreeMap;
use std::time::Duration;

use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Input, Machine, Message, Refusal, Role};
use synod_transport::net::Class;
use synod_transport::store::{Append, Body, Write};
use synod_transport::time::Instant;
use synod_transport::wire::{Reader, WireError, Writer};

/// What nodes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// The leader's entries.
    Append(Span),
    /// The sender holds everything through this index, durably.
    Ack(LogIndex),
    /// Everything through this index is committed. Also the heartbeat.
    Commit(LogIndex),
    /// Am I still the leader?
    Ping(u64),
    /// Yes.
    Pong(u64),
    /// This node leads this term.
    Lead(Term, NodeId),
    /// Breaks the receiver.
    Break,
}

impl Message for Say {
    fn class(&self) -> Class {
        if self.span().is_some() { Class::Data } else { Class::Control }
    }

    fn span(&self) -> Option<&Span> {
        if let Self::Append(span) = self { Some(span) } else { None }
    }

    fn split(self, keep: u32) -> (Self, Option<Self>) {
        let Self::Append(span) = self else { return (self, None) };
        let (head, tail) = span.split(keep);
        (Self::Append(head), (!tail.is_empty()).then_some(Self::Append(tail)))
    }

    fn encode(&self, out: &mut Writer) {
        let mut number = |kind, value| {
            out.u8(kind);
            out.u64(value);
        };
        match self {
            Self::Append(span) => {
                out.u8(0);
                span.encode(out);
            }
            Self::Ack(index) => number(1, index.get()),
            Self::Commit(index) => number(2, index.get()),
            Self::Ping(nonce) => number(3, *nonce),
            Self::Pong(nonce) => number(4, *nonce),
            Self::Lead(term, leader) => {
                number(5, term.get());
                out.u64(leader.get());
            }
            Self::Break => number(6, 0),
        }
    }

    fn decode(from: &mut Reader) -> Result<Self, WireError> {
        let kind = from.u8()?;
        if kind == 0 {
            return Span::decode(from, u32::MAX).map(Self::Append);
        }
        let value = from.u64()?;
        Ok(match kind {
            1 => Self::Ack(LogIndex::new(value)),
            2 => Self::Commit(LogIndex::new(value)),
            3 => Self::Ping(value),
            4 => Self::Pong(value),
            5 => Self::Lead(Term::new(value), NodeId::new(from.u64()?)),
            6 => Self::Break,
            _ => return Err(WireError::Undefined { field: "kind", value: kind.into() }),
        })
    }
}

pub struct Toy {
    id: NodeId,
    peers: Vec<NodeId>,
    term: Term,
    leader: NodeId,
    started: bool,
    last: Position,
    commit: LogIndex,
    next_write: WriteId,
    written: BTreeMap<WriteId, LogIndex>,
    acked: BTreeMap<NodeId, LogIndex>,
    reads: BTreeMap<u64, (Tag, LogIndex)>,
    nonce: u64,
}

/// How often a leader speaks, in milliseconds.
pub const HEARTBEAT_MS: u64 = 100;

impl Toy {
    pub fn new(id: u64, of: u64) -> Self {
        let peers = (1..=of).filter(|peer| *peer != id).map(NodeId::new).collect();
        Self {
            id: NodeId::new(id),
            peers,
            term: Term::new(1),
            leader: NodeId::new(1),
            started: false,
            last: Position::ZERO,
            commit: LogIndex::ZERO,
            next_write: WriteId::new(1),
            written: BTreeMap::new(),
            acked: BTreeMap::new(),
            reads: BTreeMap::new(),
            nonce: 0,
        }
    }

    fn leads(&self) -> bool {
        self.leader == self.id
    }

    fn everyone(&self, say: &Say, effects: &mut Effects<Say>) {
        for peer in &self.peers {
            effects.send(*peer, say.clone());
        }
    }

    fn append(&mut self, span: Span, body: Body, effects: &mut Effects<Say>) -> WriteId {
        let truncate_from = (span.first() <= self.last.index).then(|| span.first());
        let id = self.next_write;
        self.next_write = id.next();
        self.last = span.last();
        self.written.insert(id, self.last.index);
        let append = Some(Append { span, body });
        effects.write = Some(Write { id, truncate_from, append, hard_state: None, purge_through: None });
        id
    }

    fn acked(&mut self, by: NodeId, index: LogIndex, effects: &mut Effects<Say>) {
        self.acked.insert(by, index);
        let mut all: Vec<LogIndex> = self.acked.values().copied().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let agreed = all.get(self.peers.len().div_ceil(2)).copied().unwrap_or_default();
        if self.leads() && agreed > self.commit {
            self.commit = agreed;
            effects.apply_through = agreed;
            self.everyone(&Say::Commit(agreed), effects);
        }
    }

    fn role(&self, effects: &mut Effects<Say>) {
        let role = if self.leads() { Role::Leader } else { Role::Follower };
        effects.events.push(Event::Role { role, term: self.term, leader: Some(self.leader) });
    }

    fn hear(&mut self, from: NodeId, say: &Say, effects: &mut Effects<Say>) -> Result<(), Fatal> {
        match *say {
            Say::Append(span) if span.after.index <= self.last.index => {
                let through = span.last().index;
                let write = self.append(span, Body::Received, effects);
                effects.send_after(write, from, Say::Ack(through));
            }
            Say::Append(_) => {}
            Say::Ack(index) => self.acked(from, index, effects),
            Say::Commit(index) => {
                self.commit = self.commit.max(index.min(self.last.index));
                effects.apply_through = self.commit;
            }
            Say::Ping(nonce) => effects.send(from, Say::Pong(nonce)),
            Say::Pong(nonce) => {
                if let Some((tag, index)) = self.reads.remove(&nonce) {
                    effects.events.push(Event::ReadReady { tag, index });
                }
            }
            Say::Lead(term, leader) => {
                self.term = term;
                self.leader = leader;
                self.reads.clear();
                self.role(effects);
            }
            Say::Break => return Err(Fatal("the test broke it")),
        }
        Ok(())
    }
}

impl Machine for Toy {
    type Message = Say;
    type Command = ();

    fn id(&self) -> NodeId {
        self.id
    }

    fn step(&mut self, now: Instant, input: Input<Say, ()>, effects: &mut Effects<Say>) -> Result<(), Fatal> {
        let not_leader = Refusal::NotLeader { leader: Some(self.leader) };
        match input {
            Input::Wake => {
                effects.wake_at = now.plus(Duration::from_millis(HEARTBEAT_MS));
                if !self.started {
                    self.started = true;
                    self.role(effects);
                } else if self.leads() {
                    self.everyone(&Say::Commit(self.commit), effects);
                }
            }
            Input::Message { from, message } => return self.hear(from, &message, effects),
            Input::Persisted(receipt) => {
                let newer = self.written.split_off(&receipt.through().next());
                if let Some(index) = core::mem::replace(&mut self.written, newer).into_values().max() {
                    self.acked(self.id, index, effects);
                }
            }
            Input::Propose { tag, .. } | Input::Read { tag } if !self.leads() => {
                effects.events.push(Event::Refused { tag, reason: not_leader });
            }
            Input::Propose { tag, count } => {
                let span = Span { after: self.last, runs: Runs::one(self.term, count) };
                self.append(span, Body::Proposed, effects);
                effects.events.push(Event::Accepted { tag, term: self.term, first: span.first(), count });
                self.everyone(&Say::Append(span), effects);
            }
            Input::Read { tag } if self.peers.is_empty() => {
                effects.events.push(Event::ReadReady { tag, index: self.commit });
            }
            Input::Read { tag } => {
                self.nonce += 1;
                self.reads.insert(self.nonce, (tag, self.commit));
                self.everyone(&Say::Ping(self.nonce), effects);
            }
            Input::Command(()) => {}
        }
        Ok(())
    }
}
