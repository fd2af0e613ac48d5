use core::cmp::Ordering;
use core::fmt;

use super::ItcError;
use super::event::Events;
use super::id::Id;
use crate::causality::Causality;

/// One process's stamp: the part of the interval that it owns, and its history.
///
/// Equality is that of both parts; to ask what happened before what, compare what [`peek`](Self::peek) shows.
///
/// There is no second copy:
///
/// ```compile_fail,E0599
/// let stamp = synod_clock::itc::Stamp::seed();
/// let copy = stamp.clone();
/// ```
#[derive(PartialEq, Eq)]
pub struct Stamp {
    /// Invariant: something is owned.
    pub(super) id: Id,
    pub(super) history: History,
}

impl Stamp {
    /// The first stamp of a system, which owns everything. A second one makes two systems, whose stamps must not meet.
    pub fn seed() -> Self {
        Self { id: Id::constant(true), history: History::new() }
    }

    /// Gives half of what this stamp owns to a new one with the same history.
    ///
    /// # Errors
    /// [`ItcError::TooDeep`].
    pub fn fork(&mut self) -> Result<Self, ItcError> {
        let (kept, given) = self.id.split()?;
        self.id = kept;
        Ok(Self { id: given, history: self.history.clone() })
    }

    /// Counts an event.
    ///
    /// # Errors
    /// [`ItcError::CounterOverflow`].
    pub fn event(&mut self) -> Result<(), ItcError> {
        self.history.events.event(&self.id)
    }

    /// The history: what is sent along with messages and compared.
    pub const fn peek(&self) -> &History {
        &self.history
    }

    /// Counts the sending of a message, which carries the history that is returned.
    ///
    /// # Errors
    /// [`ItcError::CounterOverflow`].
    pub fn send(&mut self) -> Result<History, ItcError> {
        self.event()?;
        Ok(self.history.clone())
    }

    /// Counts the receipt of a message that carries `sent`: all that was known there is known here.
    ///
    /// # Errors
    /// [`ItcError::CounterOverflow`].
    pub fn receive(&mut self, sent: &History) -> Result<(), ItcError> {
        let mut events = self.history.events.join(&sent.events);
        events.event(&self.id)?;
        self.history.events = events;
        Ok(())
    }

    /// Learns what a history knows, without an event.
    pub fn merge(&mut self, other: &History) {
        self.history.merge(other);
    }

    /// Takes over the part and the history of a stamp that retires.
    ///
    /// # Errors
    /// [`Overlap`] when both own some of the interval; the other stamp is in it, and nothing changed.
    pub fn join(&mut self, other: Self) -> Result<(), Overlap> {
        let Some(id) = self.id.sum(&other.id) else { return Err(Overlap { other }) };
        self.id = id;
        self.history.merge(&other.history);
        Ok(())
    }
}

/// Two stamps own the same part of the interval: one of them was copied, restored from an old file, or comes from
/// another seed. Whoever did that is at fault; events that both counted cannot be told apart any more.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
#[error("stamps that own the same part of the interval do not join: the other is {other}")]
pub struct Overlap {
    /// The stamp that was to be joined.
    pub other: Stamp,
}

/// What is known to have happened: an anonymous stamp, which owns nothing and so cannot count.
///
/// Ordered by knowledge; concurrent histories have no order.
///
/// ```compile_fail,E0599
/// synod_clock::itc::History::new().event();
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct History {
    pub(super) events: Events,
}

impl History {
    /// Nothing has happened.
    pub fn new() -> Self {
        Self { events: Events::constant(0) }
    }

    /// Whether the other knows all that this one knows (the paper's leq).
    pub fn is_within(&self, other: &Self) -> bool {
        self.events.is_within(&other.events)
    }

    /// How this history stands to another.
    pub fn compare(&self, other: &Self) -> Causality {
        let (here, there) = self.events.higher_on(&other.events);
        Causality::from_inclusion(!here, !there)
    }

    /// Learns what another knows.
    pub fn merge(&mut self, other: &Self) {
        self.events = self.events.join(&other.events);
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialOrd for History {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.compare(other).ordering()
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
