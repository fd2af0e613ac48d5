//! A toy: node 1 leads for ever, and everything is decided once all nodes have it on disk.

use synod_transport::ids::{Incarnation, LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Input, Machine, Message, Refusal, Role};
use synod_transport::net::Class;
use synod_transport::store::{Append, Body, LogSummary, Write};
use synod_transport::time::Instant;
use synod_transport::trace::Value;
use synod_transport::wire::{Reader, WireError, Writer};

const BEAT: core::time::Duration = core::time::Duration::from_millis(20);

/// What the toy does wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    Nothing,
    /// The leader decides as soon as it has submitted its own write, and waits for nobody.
    DecidesAlone,
    /// A follower answers reads by itself.
    ReadsAnywhere,
    /// Says nothing from its third life on.
    FallsSilent,
    /// Breaks an invariant of its own.
    Breaks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Append { span: Span, decided: LogIndex, beat: u64 },
    Have { last: LogIndex, beat: u64 },
}

impl Message for Say {
    fn class(&self) -> Class {
        Class::Data
    }
    fn span(&self) -> Option<&Span> {
        match self {
            Self::Append { span, .. } => Some(span),
            Self::Have { .. } => None,
        }
    }
    fn split(self, keep: u32) -> (Self, Option<Self>) {
        match self {
            Self::Append { span, decided, beat } => {
                let (head, tail) = span.split(keep);
                let rest = (!tail.is_empty()).then_some(Self::Append { span: tail, decided, beat });
                (Self::Append { span: head, decided, beat }, rest)
            }
            other => (other, None),
        }
    }
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Append { span, decided, beat } => {
                out.u8(1);
                span.encode(out);
                out.u64(decided.get());
                out.u64(*beat);
            }
            Self::Have { last, beat } => {
                out.u8(2);
                out.u64(last.get());
                out.u64(*beat);
            }
        }
    }
    fn name(&self) -> &'static str {
        match self {
            Self::Append { .. } => "Append",
            Self::Have { .. } => "Have",
        }
    }
    fn decode(from: &mut Reader) -> Result<Self, WireError> {
        match from.u8()? {
            1 => Ok(Self::Append {
                span: Span::decode(from, 1 << 16)?,
                decided: from.index()?,
                beat: from.u64()?,
            }),
            2 => Ok(Self::Have { last: from.index()?, beat: from.u64()? }),
            other => Err(WireError::Undefined { field: "say", value: other.into() }),
        }
    }
}

pub(crate) struct Toy {
    id: NodeId,
    nodes: u64,
    wrong: Wrong,
    life: Incarnation,
    /// Submitted, and durable as far as receipts say.
    last: LogIndex,
    stored: LogIndex,
    writes: Vec<(WriteId, LogIndex)>,
    next_write: WriteId,
    decided: LogIndex,
    /// Per node: what it has, and the last beat it answered.
    have: Vec<(LogIndex, u64)>,
    beat: u64,
    /// Reads that wait for all to answer a beat: mark, beat, index.
    reads: Vec<(Tag, u64, LogIndex)>,
    next_beat: Instant,
    announced: bool,
}

pub(crate) const TERM: Term = Term::new(1);

impl Toy {
    pub(crate) fn new(id: NodeId, nodes: u64, life: Incarnation, log: &LogSummary, wrong: Wrong) -> Self {
        let last = log.last().index;
        Self {
            id,
            nodes,
            wrong,
            life,
            last,
            stored: last,
            writes: Vec::new(),
            next_write: WriteId::new(1),
            decided: LogIndex::ZERO,
            have: vec![(LogIndex::ZERO, 0); usize::try_from(nodes).unwrap()],
            beat: life.get() << 32,
            reads: Vec::new(),
            next_beat: Instant::ZERO,
            announced: false,
        }
    }

    fn leads(&self) -> bool {
        self.id == NodeId::new(1)
    }

    fn write(&mut self, span: Span, body: Body, effects: &mut Effects<Say>) {
        let id = self.next_write;
        self.next_write = id.next();
        self.last = span.last().index;
        self.writes.push((id, self.last));
        let append = Some(Append { span, body });
        effects.write =
            Some(Write { id, truncate_from: None, append, hard_state: None, purge_through: None });
    }

    fn position(index: LogIndex) -> Position {
        if index == LogIndex::ZERO { Position::ZERO } else { Position { term: TERM, index } }
    }

    fn send_appends(&mut self, effects: &mut Effects<Say>) {
        self.beat += 1;
        for peer in 2..=self.nodes {
            let (have, _) = self.have[usize::try_from(peer - 1).unwrap()];
            let count = u32::try_from(self.stored.since(have).min(64)).unwrap();
            let span = Span { after: Self::position(have), runs: Runs::one(TERM, count) };
            effects.send(NodeId::new(peer), Say::Append { span, decided: self.decided, beat: self.beat });
        }
    }

    fn decide(&mut self, effects: &mut Effects<Say>) {
        let mine = if self.wrong == Wrong::DecidesAlone { self.last } else { self.stored };
        let all = self.have.iter().skip(1).map(|(have, _)| *have).min().unwrap_or(LogIndex::new(u64::MAX));
        let all = if self.wrong == Wrong::DecidesAlone { mine } else { all.min(mine) };
        self.decided = self.decided.max(all);
        effects.apply_through = self.decided;
        let answered = self.have.iter().skip(1).map(|(_, beat)| *beat).min().unwrap_or(u64::MAX);
        let decided = self.decided;
        self.reads.retain(|(tag, beat, index)| {
            // A new life first decides all that an earlier one may have.
            let ready = answered >= *beat && decided >= *index;
            if ready {
                effects.events.push(Event::ReadReady { tag: *tag, index: decided });
            }
            !ready
        });
    }

    fn message(&mut self, from: NodeId, message: &Say, effects: &mut Effects<Say>) {
        match *message {
            Say::Have { last, beat } if self.leads() => {
                let have = &mut self.have[usize::try_from(from.get() - 1).unwrap()];
                // Only what is durable is claimed, so neither ever shrinks.
                *have = (have.0.max(last), have.1.max(beat));
                self.decide(effects);
            }
            Say::Append { span, decided, beat } if !self.leads() => {
                let reaches = span.after.index <= self.last && span.last().index > self.last;
                if reaches {
                    let (_, fresh) = span.split(u32::try_from(self.last.since(span.after.index)).unwrap());
                    self.write(fresh, Body::Received, effects);
                }
                self.decided = self.decided.max(decided.min(self.last));
                effects.apply_through = self.decided;
                let last = self.last;
                if self.writes.is_empty() {
                    effects.send(from, Say::Have { last, beat });
                } else {
                    effects.send_after(self.next_write.previous(), from, Say::Have { last, beat });
                }
            }
            _ => {}
        }
    }
}

impl Machine for Toy {
    type Message = Say;
    type Command = ();

    fn id(&self) -> NodeId {
        self.id
    }

    fn observe(&self) -> Value {
        Value::record([("last", self.last.into()), ("decided", self.decided.into())])
    }

    fn step(&mut self, now: Instant, input: Input<Say, ()>, effects: &mut Effects<Say>) -> Result<(), Fatal> {
        if self.wrong == Wrong::Breaks && self.last > LogIndex::new(3) {
            return Err(Fatal("as planted"));
        }
        if !self.announced {
            self.announced = true;
            let role = if self.leads() { Role::Leader } else { Role::Follower };
            effects.events.push(Event::Role { role, term: TERM, leader: Some(NodeId::new(1)) });
        }
        if self.wrong == Wrong::FallsSilent && self.life > Incarnation::new(2) {
            effects.wake_at = Instant::MAX;
            return Ok(());
        }
        match input {
            Input::Wake => {
                if self.leads() && now >= self.next_beat {
                    self.next_beat = now.plus(BEAT);
                    self.send_appends(effects);
                    self.decide(effects);
                }
                effects.wake_at = if self.leads() { self.next_beat } else { Instant::MAX };
            }
            Input::Message { from, message } => self.message(from, &message, effects),
            Input::Persisted(receipt) => {
                let through = receipt.through();
                while self.writes.first().is_some_and(|(id, _)| *id <= through) {
                    self.stored = self.writes.remove(0).1;
                }
                if self.leads() {
                    self.decide(effects);
                }
            }
            Input::Propose { tag, count } => {
                if !self.leads() {
                    let reason = Refusal::NotLeader { leader: Some(NodeId::new(1)) };
                    effects.events.push(Event::Refused { tag, reason });
                    return Ok(());
                }
                let span = Span { after: Self::position(self.last), runs: Runs::one(TERM, count) };
                let first = span.first();
                self.write(span, Body::Proposed, effects);
                effects.events.push(Event::Accepted { tag, term: TERM, first, count });
                self.send_appends(effects);
                self.decide(effects);
            }
            Input::Read { tag } => {
                if self.leads() {
                    self.send_appends(effects);
                    self.reads.push((tag, self.beat, self.last));
                    self.decide(effects);
                } else if self.wrong == Wrong::ReadsAnywhere {
                    effects.events.push(Event::ReadReady { tag, index: self.decided });
                } else {
                    let reason = Refusal::NotLeader { leader: Some(NodeId::new(1)) };
                    effects.events.push(Event::Refused { tag, reason });
                }
            }
            Input::Command(()) => {}
        }
        Ok(())
    }
}
