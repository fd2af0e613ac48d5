//! What a [`Host`](super::Host) gives to its recorder: every step as a group of events, from the input to `Ready`.

use core::fmt;

use super::HostError;
use crate::ids::{LogIndex, NodeId};
use crate::machine::{Effects, Event, Input, Machine, Message, Outgoing, Refusal};
use crate::store::{Append, Body, HardState, Sealed, Write};
use crate::time::Instant;
use crate::trace::{Fields, Recorder, TraceEvent, Value, message, named};
use crate::wire::WireError;

/// The recorder, and what makes the events of a life hang together.
pub(super) struct Recording {
    to: Box<dyn Recorder + Send>,
    /// Whether `InitState` was given.
    begun: bool,
    now: Instant,
    /// What the last `Commit` said.
    commit: LogIndex,
    /// How many messages were sealed in this life, and how many of them were opened: they open in order.
    sealed: u64,
    opened: u64,
    /// How much of the caller's news is of earlier steps.
    told: usize,
}

impl Recording {
    pub(super) fn new(to: Box<dyn Recorder + Send>, commit: LogIndex, sealed: u64) -> Self {
        Self { to, begun: false, now: Instant::ZERO, commit, sealed, opened: 0, told: 0 }
    }

    /// A step begins.
    pub(super) fn input<M: Machine>(
        &mut self,
        machine: &M,
        now: Instant,
        input: &Input<M::Message, M::Command>,
        told: usize,
    ) {
        (self.now, self.told) = (now, told);
        if !self.begun {
            self.begun = true;
            self.note(TraceEvent { state: Some(&machine.observe()), ..event(machine, now, "InitState") });
        }
        let (name, fields, detail): (_, _, &dyn fmt::Debug) = match input {
            Input::Wake => ("Wake", Fields::new(), &()),
            Input::Message { from, message } => {
                return self.message(machine, "Receive", *from, message, None);
            }
            Input::Persisted(receipt) => {
                ("Persisted", named([("through", receipt.through().into())]), &receipt.through())
            }
            Input::Propose { tag, count } => {
                ("Propose", named([("tag", (*tag).into()), ("count", (*count).into())]), &(*tag, *count))
            }
            Input::Read { tag } => ("Read", named([("tag", (*tag).into())]), tag),
            Input::Command(command) => {
                ("Command", named([("command", machine.observe_command(command))]), &())
            }
        };
        self.note(TraceEvent { fields: &fields, detail, ..event(machine, now, name) });
    }

    /// A receipt opened the oldest sealed message: it leaves.
    pub(super) fn opened<M: Machine>(&mut self, machine: &M, outgoing: &Outgoing<M::Message>) {
        self.opened += 1;
        self.message(machine, "Send", outgoing.to, &outgoing.message, Some(self.opened));
    }

    /// What the step made of this node, and what it writes. Before the store has taken it.
    pub(super) fn changed<M: Machine>(
        &mut self,
        machine: &M,
        effects: &Effects<M::Message>,
        write: Option<&Write>,
    ) {
        for news in effects.events.get(self.told..).unwrap_or_default() {
            if let Event::Role { role, term, leader } = *news {
                let fields = named([("term", term.into()), ("leader", leader.unwrap_or_default().into())]);
                let name = format!("Become{}", role.name());
                self.note(TraceEvent { fields: &fields, detail: news, ..event(machine, self.now, &name) });
            }
        }
        if let Some(write) = write {
            let fields = write_fields(machine, write);
            self.note(TraceEvent { fields: &fields, detail: write, ..event(machine, self.now, "Write") });
        }
    }

    /// What the step says, to peers and to the caller. The step ends.
    pub(super) fn said<M: Machine>(&mut self, machine: &M, effects: &Effects<M::Message>) {
        for Outgoing { to, message } in &effects.send {
            self.message(machine, "Send", *to, message, None);
        }
        for sealed in &effects.sealed {
            self.seal(machine, sealed);
        }
        if effects.apply_through > self.commit {
            self.commit = effects.apply_through;
            let fields = named([("index", self.commit.into())]);
            let detail = &effects.apply_through;
            self.note(TraceEvent { fields: &fields, detail, ..event(machine, self.now, "Commit") });
        }
        for news in effects.events.get(self.told..).unwrap_or_default() {
            self.news(machine, news);
        }
        self.note(TraceEvent { state: Some(&machine.observe()), ..event(machine, self.now, "Ready") });
    }

    /// The host stops for good; ends the step, if one was begun.
    pub(super) fn failed<M: Machine>(&mut self, machine: &M, error: &HostError) {
        let fields = named([("error", error.to_string().into())]);
        let state = machine.observe();
        let state = Some(&state);
        self.note(TraceEvent { fields: &fields, state, detail: error, ..event(machine, self.now, "Failed") });
    }

    /// A frame could not be read: no step.
    pub(super) fn unreadable<M: Machine>(
        &mut self,
        machine: &M,
        now: Instant,
        from: NodeId,
        error: WireError,
    ) {
        let fields = named([("error", error.to_string().into())]);
        let peer = Some(from);
        let detail = &error;
        self.note(TraceEvent { peer, fields: &fields, detail, ..event(machine, now, "Unreadable") });
    }

    fn seal<M: Machine>(&mut self, machine: &M, sealed: &Sealed<Outgoing<M::Message>>) {
        self.sealed += 1;
        let Outgoing { to, message: content } = sealed.content_for_trace();
        let fields = named([
            ("seal", self.sealed.into()),
            ("after", sealed.after().into()),
            ("sends", format!("Send{}", content.noun()).into()),
        ]);
        let peer = Some(*to);
        let message = message(content);
        let message = Some(&message);
        self.note(TraceEvent {
            peer,
            message,
            fields: &fields,
            detail: sealed,
            ..event(machine, self.now, "Seal")
        });
    }

    fn news<M: Machine>(&mut self, machine: &M, news: &Event) {
        let (name, fields) = match *news {
            Event::Role { .. } => return,
            Event::Accepted { tag, term, first, count } => (
                "Replicate",
                named([
                    ("tag", tag.into()),
                    ("term", term.into()),
                    ("first", first.into()),
                    ("count", count.into()),
                ]),
            ),
            Event::Refused { tag, reason } => {
                let mut fields = named([("tag", tag.into())]);
                match reason {
                    Refusal::NotLeader { leader } => fields.extend(named([
                        ("reason", Value::word("NotLeader")),
                        ("leader", leader.unwrap_or_default().into()),
                    ])),
                    Refusal::Busy => fields.extend(named([("reason", Value::word("Busy"))])),
                    Refusal::Unsupported => fields.extend(named([("reason", Value::word("Unsupported"))])),
                }
                ("Refuse", fields)
            }
            Event::ReadReady { tag, index } => {
                ("ReadReady", named([("tag", tag.into()), ("index", index.into())]))
            }
        };
        self.note(TraceEvent { fields: &fields, detail: news, ..event(machine, self.now, name) });
    }

    fn message<M: Machine>(
        &mut self,
        machine: &M,
        verb: &str,
        peer: NodeId,
        content: &M::Message,
        seal: Option<u64>,
    ) {
        let fields = seal.map(|seal| named([("seal", seal.into())])).unwrap_or_default();
        let name = format!("{verb}{}", content.noun());
        self.note(TraceEvent {
            peer: Some(peer),
            message: Some(&message(content)),
            fields: &fields,
            detail: content,
            ..event(machine, self.now, &name)
        });
    }

    fn note(&mut self, event: TraceEvent<'_>) {
        self.to.record(event);
    }
}

fn event<'a, M: Machine>(machine: &M, at: Instant, name: &'a str) -> TraceEvent<'a> {
    TraceEvent::new(at, machine.id(), name)
}

fn write_fields<M: Machine>(machine: &M, write: &Write) -> Fields {
    let mut fields = named([("id", write.id.into())]);
    if let Some(from) = write.truncate_from {
        fields.extend(named([("truncate_from", from.into())]));
    }
    if let Some(Append { span, body }) = write.append {
        let body = match body {
            Body::Blank => "Blank",
            Body::Proposed => "Proposed",
            Body::Received => "Received",
        };
        let append = Value::record([
            ("after", span.after.into()),
            ("runs", span.runs.into()),
            ("body", Value::word(body)),
        ]);
        fields.extend(named([("append", append)]));
    }
    if let Some(state) = &write.hard_state {
        fields.extend(named([("hard_state", hard_state(machine, state))]));
    }
    if let Some(through) = write.purge_through {
        fields.extend(named([("purge_through", through.into())]));
    }
    fields
}

/// As the machine reads it; as its bytes in hexadecimal when the machine says nothing.
fn hard_state<M: Machine>(machine: &M, state: &HardState) -> Value {
    match machine.observe_hard_state(state) {
        Value::Null => state.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        said => said,
    }
}
