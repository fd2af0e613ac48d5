//! States and steps in full, for checkers and for people.

use core::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use synod_transport::explore::{Explorable, MessageOf};
use synod_transport::ids::NodeId;
use synod_transport::machine::Event;
use synod_transport::time::Instant;
use synod_transport::trace::{Line, TraceEvent, Value, message};

use super::bounds::Spent;
use super::local::{Local, Packet};
use super::state::State;
use super::steps::Action;
use super::watch::{Breach, Cause, Watch};
use super::{Cluster, Path};

/// A state in full.
#[derive(Clone, Debug)]
pub struct View<M: Explorable, R> {
    /// Every node, in the order of their names.
    pub nodes: Vec<Arc<Local<M>>>,
    /// What is on its way, equal messages next to each other.
    pub network: Vec<Arc<Packet<MessageOf<M>>>>,
    /// What of the budgets is used up.
    pub spent: Spent,
    /// What is remembered, or what the step to this state broke.
    pub memory: Result<Arc<R>, Breach>,
}

/// A step in full.
#[derive(Clone, Debug)]
pub struct Told<M: Explorable> {
    /// To whom it happened.
    pub node: NodeId,
    /// What happened.
    pub cause: Cause,
    /// The message that was delivered.
    pub delivered: Option<Arc<Packet<MessageOf<M>>>>,
    /// Whether the network kept it.
    pub repeated: bool,
    /// What the step sent, and whether it entered the network.
    pub sends: Vec<(Arc<Packet<MessageOf<M>>>, bool)>,
    /// News for the caller.
    pub events: Vec<Event>,
    /// The node before.
    pub before: Arc<Local<M>>,
    /// The node after.
    pub after: Arc<Local<M>>,
}

impl<M: Explorable, W: Watch<M>> Cluster<M, W> {
    /// A state in full. `None` for one of another cluster.
    pub fn decode(&self, state: &State) -> Option<View<M, W::Memory>> {
        let count = self.bounds.nodes;
        let node = |id: &u32| self.locals.get(*id).map(|entry| Arc::clone(&entry.local));
        let memory = match state.memory() {
            Ok(id) => Ok(Arc::clone(&self.memories.get(id)?.memory)),
            Err(breach) => Err(Breach::clone(self.breaches.get(breach)?)),
        };
        Some(View {
            nodes: state.nodes(count).iter().map(node).collect::<Option<_>>()?,
            network: state.network(count).iter().map(|id| self.packet(*id)).collect::<Option<_>>()?,
            spent: state.spent(),
            memory,
        })
    }

    /// A message by its number, as it stands in a [`Seal`](super::Seal) or a [`Cause`].
    pub fn packet(&self, number: u32) -> Option<Arc<Packet<MessageOf<M>>>> {
        self.packet_entry(number).map(|entry| Arc::clone(&entry.packet))
    }

    /// A step from this state in full. `None` when it is not one.
    pub fn tell(&self, state: &State, action: &Action) -> Option<Told<M>> {
        let node = *state.nodes(self.bounds.nodes).get(usize::from(action.slot))?;
        let reaction = self.reactions.get(self.reaction(node, action.cause))?;
        let sent = |(at, number): (usize, &u32)| Some((self.packet(*number)?, action.entered >> at & 1 == 1));
        let delivered = match action.cause {
            Cause::Deliver(number) => Some(self.packet(number)?),
            _ => None,
        };
        Some(Told {
            node: self.members.id(action.slot.into())?,
            cause: action.cause,
            delivered,
            repeated: action.repeated,
            sends: reaction.sends.iter().enumerate().map(sent).collect::<Option<_>>()?,
            events: reaction.events.to_vec(),
            before: Arc::clone(&self.locals.get(node)?.local),
            after: Arc::clone(&self.locals.get(reaction.after)?.local),
        })
    }

    /// A way through the states, as a person reads it: each step, what it sent and what was lost of that, and the node after it.
    pub fn tale(&self, path: &Path<State, Action>) -> String {
        let mut text = String::new();
        let steps = path.states().zip(&path.steps).zip(1..);
        for ((before, (action, _)), number) in steps {
            let Some(told) = self.tell(before, action) else { continue };
            let lines = format!("{told}").replace('\n', "\n      ");
            text.push_str(&format!("{number:>4}  {lines}\n"));
        }
        if let Err(breach) = self.check(path.last()) {
            text.push_str(&format!("      {breach}\n"));
        }
        text
    }

    /// Writes a way through the states as trace lines, a JSON object each: for each step its cause, a line for each
    /// message that was sent or lost, and `Ready` with the node's state. `at` is the step's number.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_trace(&self, path: &Path<State, Action>, mut out: impl Write) -> io::Result<()> {
        let mut line = |event: TraceEvent<'_>| -> io::Result<()> {
            serde_json::to_writer(&mut out, &Line::of(event))?;
            out.write_all(b"\n")
        };
        for ((before, (action, _)), number) in path.states().zip(&path.steps).zip(1..) {
            let Some(told) = self.tell(before, action) else { continue };
            let at = Instant::from_nanos(number);
            let new = |event| TraceEvent::new(at, told.node, event);
            let delivered = told.delivered.as_ref().map(|packet| (packet.from, message(&packet.message)));
            line(TraceEvent {
                peer: delivered.as_ref().map(|(from, _)| *from),
                message: delivered.as_ref().map(|(_, message)| message),
                ..new(cause_name(told.cause))
            })?;
            for (packet, entered) in &told.sends {
                let value = message(&packet.message);
                let name = if *entered { "Send" } else { "Lost" };
                line(TraceEvent { peer: Some(packet.to), message: Some(&value), ..new(name) })?;
            }
            let state = told.after.machine.observe();
            line(TraceEvent { state: Some(&state), ..new("Ready") })?;
        }
        if let Err(breach) = self.check(path.last()) {
            let fields = [
                ("invariant".into(), Value::word(breach.invariant)),
                ("why".into(), Value::from(breach.text)),
            ];
            let at = Instant::from_nanos(path.steps.len() as u64);
            line(TraceEvent { fields: &fields, ..TraceEvent::new(at, NodeId::ZERO, "Broken") })?;
        }
        out.flush()
    }
}

const fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Timeout => "Timeout",
        Cause::Interval => "Interval",
        Cause::Propose => "Propose",
        Cause::Read(_) => "Read",
        Cause::Persist(_) => "Persist",
        Cause::Crash(_) => "Crash",
        Cause::Deliver(_) => "Receive",
    }
}

impl<M: Explorable> fmt::Display for Told<M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node;
        match self.cause {
            Cause::Timeout => write!(out, "{node:?} times out")?,
            Cause::Interval => write!(out, "{node:?} sends again what is unanswered")?,
            Cause::Propose => write!(out, "{node:?} is offered an entry")?,
            Cause::Read(tag) => write!(out, "{node:?} is asked for read {tag}")?,
            Cause::Persist(count) => write!(out, "{node:?} has {count} more writes durable")?,
            Cause::Crash(kept) => {
                let lost = self.before.pending().saturating_sub(kept as usize);
                write!(out, "{node:?} crashes, loses {lost} writes and starts again")?;
            }
            Cause::Deliver(_) => {
                if let Some(packet) = &self.delivered {
                    write!(out, "{node:?} takes from {:?}: {:?}", packet.from, packet.message)?;
                }
                if self.repeated {
                    write!(out, " (which will come again)")?;
                }
            }
        }
        for (packet, entered) in &self.sends {
            let verb = if *entered { "sends" } else { "loses" };
            write!(out, "\n{verb} to {:?}: {:?}", packet.to, packet.message)?;
        }
        for event in self.events.iter().filter(|event| !matches!(event, Event::Role { .. })) {
            write!(out, "\ntells {event:?}")?;
        }
        if self.before != self.after {
            write!(out, "\nis now {}", short(&self.after.machine.observe()))?;
            if self.after.pending() > 0 {
                write!(
                    out,
                    ", {} writes not durable, {} seals",
                    self.after.pending(),
                    self.after.seals.len()
                )?;
            }
        }
        Ok(())
    }
}

/// A value on a line: a record's fields that say something.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Number(it) => it.to_string(),
        Value::Text(it) => it.to_string(),
        Value::List(all) => format!("[{}]", all.iter().map(short).collect::<Vec<_>>().join(" ")),
        Value::Record(fields) => {
            let says = |value: &Value| {
                !matches!(value, Value::Null | Value::Number(0)) && *value != Value::List(Vec::new())
            };
            let fields = fields.iter().filter(|(_, value)| says(value));
            fields.map(|(name, value)| format!("{name} {}", short(value))).collect::<Vec<_>>().join(", ")
        }
    }
}
