//! A trace event as it stands in a file.

use core::fmt;
use std::borrow::Cow;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::value::field;
use super::{Fields, TraceEvent, Value};
use crate::ids::NodeId;
use crate::time::Instant;

/// A trace event as it stands in a file: one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Line {
    /// Nanoseconds on the node's monotonic clock; virtual time in a simulated world.
    pub at: u64,
    /// The node; 0 for what happens to a whole world.
    pub node: u64,
    /// What happened.
    pub event: String,
    /// The other node.
    pub peer: Option<u64>,
    /// The message: `kind` and its fields.
    pub message: Option<Value>,
    /// What else the event has, in the order of the file.
    pub fields: Fields,
    /// The machine's state, where a step ends.
    pub state: Option<Value>,
}

impl Line {
    /// The line that stands for an event.
    pub fn of(event: TraceEvent<'_>) -> Self {
        Self {
            at: event.at.as_nanos(),
            node: event.node.get(),
            event: event.event.to_owned(),
            peer: event.peer.map(Into::into),
            message: event.message.cloned(),
            fields: event.fields.to_vec(),
            state: event.state.cloned(),
        }
    }

    /// The event that it stands for.
    pub fn to_event(&self) -> TraceEvent<'_> {
        TraceEvent {
            peer: self.peer.map(NodeId::new),
            message: self.message.as_ref(),
            fields: &self.fields,
            state: self.state.as_ref(),
            ..TraceEvent::new(Instant::from_nanos(self.at), NodeId::new(self.node), &self.event)
        }
    }

    /// A field that only this event has, by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        field(&self.fields, name)
    }

    /// From a record; says what is wrong with one that is no line.
    fn from_value(value: Value) -> Result<Self, String> {
        let Value::Record(fields) = value else { return Err("a line is an object".to_owned()) };
        let (mut at, mut node, mut event, mut peer) = (None, None, None, None);
        let mut line = Self::default();
        for (name, value) in fields {
            let (slot, value) = match (&*name, value) {
                ("at", Value::Number(number)) => (&mut at, number),
                ("node", Value::Number(number)) => (&mut node, number),
                ("peer", Value::Number(number)) => (&mut peer, number),
                ("event", Value::Text(text)) if event.is_none() => {
                    event = Some(text.into_owned());
                    continue;
                }
                ("message", value) if line.message.is_none() => {
                    line.message = Some(value);
                    continue;
                }
                ("state", value) if line.state.is_none() => {
                    line.state = Some(value);
                    continue;
                }
                ("at" | "node" | "peer" | "event" | "message" | "state", _) => {
                    return Err(format!("{name} is given twice, or of the wrong type"));
                }
                (_, value) => {
                    line.fields.push((name, value));
                    continue;
                }
            };
            if slot.replace(value).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        line.at = at.ok_or("at is missing")?;
        line.node = node.ok_or("node is missing")?;
        line.event = event.ok_or("event is missing")?;
        line.peer = peer;
        Ok(line)
    }
}

impl Serialize for TraceEvent<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("at", &self.at.as_nanos())?;
        map.serialize_entry("node", &self.node.get())?;
        map.serialize_entry("event", self.event)?;
        if let Some(peer) = self.peer {
            map.serialize_entry("peer", &peer.get())?;
        }
        if let Some(message) = self.message {
            map.serialize_entry("message", message)?;
        }
        for (name, value) in self.fields {
            map.serialize_entry(name, value)?;
        }
        if let Some(state) = self.state {
            map.serialize_entry("state", state)?;
        }
        map.end()
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_event().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(from)?).map_err(de::Error::custom)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(it) => to.serialize_bool(*it),
            Self::Number(it) => to.serialize_u64(*it),
            Self::Text(it) => to.serialize_str(it),
            Self::List(it) => to.collect_seq(it),
            Self::Record(fields) => to.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Plain)
    }
}

/// Takes any JSON but negative and broken numbers.
struct Plain;

impl<'de> Visitor<'de> for Plain {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a flag, a whole number from 0 to 2^64 - 1, text, a list or an object")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(Value::Number(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(Value::Text(Cow::Owned(it.to_owned())))
    }

    fn visit_string<E>(self, it: String) -> Result<Value, E> {
        Ok(Value::Text(Cow::Owned(it)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = from.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, value)) = from.next_entry::<String, Value>()? {
            fields.push((Cow::Owned(name), value));
        }
        Ok(Value::Record(fields))
    }
}
