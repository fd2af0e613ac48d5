//! Plain values with names, and what they are made of.

use std::borrow::Cow;

use crate::ids::{Incarnation, LogIndex, NodeId, Position, Tag, Term, WriteId};
use crate::log::{Run, Runs};

/// What a trace or a checker may know of a state or a message: plain values with names.
///
/// With the feature `trace` it is plain JSON; a record's fields keep their order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Value {
    /// Nothing to say.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A count, an index, a term, a node.
    Number(u64),
    /// A word.
    Text(Cow<'static, str>),
    /// Values in order.
    List(Vec<Self>),
    /// Values by name.
    Record(Fields),
}

/// Named values, in order.
pub type Fields = Vec<(Cow<'static, str>, Value)>;

impl Value {
    /// A record of these fields, in this order.
    pub fn record<const N: usize>(fields: [(&'static str, Self); N]) -> Self {
        Self::Record(named(fields))
    }

    /// A word that the program knows.
    pub const fn word(word: &'static str) -> Self {
        Self::Text(Cow::Borrowed(word))
    }

    /// A field of a record.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => field(fields, name),
            _ => None,
        }
    }

    /// Whether it says nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The answer, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(it) => Some(*it),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub const fn as_number(&self) -> Option<u64> {
        match self {
            Self::Number(it) => Some(*it),
            _ => None,
        }
    }

    /// The word, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(it) => Some(it),
            _ => None,
        }
    }

    /// The values, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(it) => Some(it),
            _ => None,
        }
    }
}

/// Fields with names that the program knows.
pub fn named<const N: usize>(fields: [(&'static str, Value); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()
}

/// The field of this name.
pub(super) fn field<'a>(fields: &'a [(Cow<'static, str>, Value)], name: &str) -> Option<&'a Value> {
    fields.iter().find(|(it, _)| it == name).map(|(_, value)| value)
}

macro_rules! from_number {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(it: $type) -> Self {
                Self::Number(it.get())
            }
        }
    )*};
}

from_number!(NodeId, Incarnation, Term, LogIndex, WriteId, Tag);

impl From<u64> for Value {
    fn from(it: u64) -> Self {
        Self::Number(it)
    }
}

impl From<u32> for Value {
    fn from(it: u32) -> Self {
        Self::Number(it.into())
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}

impl From<String> for Value {
    fn from(it: String) -> Self {
        Self::Text(Cow::Owned(it))
    }
}

/// Term, then index.
impl From<Position> for Value {
    fn from(it: Position) -> Self {
        Self::List(vec![it.term.into(), it.index.into()])
    }
}

/// Term, then count.
impl From<Run> for Value {
    fn from(it: Run) -> Self {
        Self::List(vec![it.term.into(), it.count.into()])
    }
}

/// A list of its runs.
impl From<Runs> for Value {
    fn from(it: Runs) -> Self {
        it.as_slice().iter().copied().collect()
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
