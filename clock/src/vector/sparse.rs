use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use super::{Dot, PrunedClock, VectorError, larger_on, raise};
use crate::causality::Causality;

/// A vector clock of processes that come and go, each named by an id. A process that is not there has counted zero.
///
/// Ids and counters stand in two sorted vectors. Between clocks that name the same processes, which is the rule,
/// [`compare`](Self::compare) and [`merge`](Self::merge) are one pass over memory and allocate nothing; otherwise they
/// are linear in both.
///
/// A process that leaves stays in the clocks, since what it did still happened; to forget it, see
/// [`prune`](Self::prune). An id must not be given to another process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        try_from = "Entries<Id>",
        into = "Entries<Id>",
        bound(serialize = "Id: Clone + serde::Serialize", deserialize = "Id: Ord + serde::Deserialize<'de>")
    )
)]
pub struct VectorClock<Id> {
    /// Invariant: strictly rising.
    ids: Vec<Id>,
    /// Invariant: as long as `ids`, none zero; so equal clocks are equal values.
    counters: Vec<u64>,
}

impl<Id> VectorClock<Id> {
    /// Nothing has happened.
    pub const fn new() -> Self {
        Self { ids: Vec::new(), counters: Vec::new() }
    }

    /// How many processes have events in it.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The processes that have counted, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, u64)> {
        self.ids.iter().zip(self.counters.iter().copied())
    }
}

impl<Id: Ord> VectorClock<Id> {
    /// How many events of this process are known; zero when it is not there.
    pub fn get(&self, id: &Id) -> u64 {
        let place = self.ids.binary_search(id).ok();
        place.and_then(|place| self.counters.get(place)).copied().unwrap_or(0)
    }

    /// Whether this one event is known.
    pub fn contains(&self, dot: &Dot<Id>) -> bool {
        dot.counter <= self.get(&dot.id)
    }

    /// How this clock stands to another.
    pub fn compare(&self, other: &Self) -> Causality {
        let (larger_here, larger_there) = if self.ids == other.ids {
            larger_on(&self.counters, &other.counters)
        } else {
            self.larger_among_strangers(other)
        };
        Causality::from_inclusion(!larger_here, !larger_there)
    }

    /// [`larger_on`] for clocks that name different processes.
    fn larger_among_strangers(&self, other: &Self) -> (bool, bool) {
        let (mut here, mut there) = (false, false);
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        while !(here && there) {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            let of_left = if order.is_le() { left.next().map_or(0, |(_, counter)| counter) } else { 0 };
            let of_right = if order.is_ge() { right.next().map_or(0, |(_, counter)| counter) } else { 0 };
            here |= of_left > of_right;
            there |= of_right > of_left;
        }
        (here, there)
    }

    /// Forgets processes: what `keep` refuses. What is left compares as "not known" where it might otherwise lie.
    pub fn prune(self, keep: impl FnMut(&Id, u64) -> bool) -> PrunedClock<Id> {
        PrunedClock::from(self).prune(keep)
    }
}

impl<Id: Ord + Clone> VectorClock<Id> {
    /// Counts an event of this process, which enters the clock by its first. Returns the event's number.
    ///
    /// # Errors
    /// [`VectorError::CounterOverflow`].
    pub fn tick(&mut self, id: &Id) -> Result<u64, VectorError> {
        match self.ids.binary_search(id) {
            Ok(place) => {
                let counter = self.counters.get_mut(place).ok_or(VectorError::CounterOverflow)?;
                *counter = counter.checked_add(1).ok_or(VectorError::CounterOverflow)?;
                Ok(*counter)
            }
            Err(place) => {
                self.ids.insert(place, id.clone());
                self.counters.insert(place, 1);
                Ok(1)
            }
        }
    }

    /// Counts the sending of a message, which carries the clock that is returned.
    ///
    /// # Errors
    /// [`VectorError::CounterOverflow`].
    pub fn send(&mut self, id: &Id) -> Result<Self, VectorError> {
        self.tick(id)?;
        Ok(self.clone())
    }

    /// Counts the receipt of a message that carries `sent`: all that was known there is known here. Returns the
    /// event's number.
    ///
    /// # Errors
    /// [`VectorError::CounterOverflow`].
    pub fn receive(&mut self, id: &Id, sent: &Self) -> Result<u64, VectorError> {
        if self.get(id).max(sent.get(id)) == u64::MAX {
            return Err(VectorError::CounterOverflow);
        }
        self.merge(sent);
        self.tick(id)
    }

    /// Takes the larger counter of each process: the least clock that both are within.
    pub fn merge(&mut self, other: &Self) {
        if self.ids == other.ids {
            raise(&mut self.counters, &other.counters);
        } else if !other.is_empty() {
            *self = self.union(other);
        }
    }

    fn union(&self, other: &Self) -> Self {
        let most = self.len().saturating_add(other.len());
        let mut union = Self { ids: Vec::with_capacity(most), counters: Vec::with_capacity(most) };
        let mut others = other.iter().peekable();
        for (id, counter) in self.iter() {
            while let Some((other, counter)) = others.next_if(|(other, _)| *other < id) {
                union.push(other, counter);
            }
            let there = others.next_if(|(other, _)| *other == id).map_or(0, |(_, counter)| counter);
            union.push(id, counter.max(there));
        }
        others.for_each(|(id, counter)| union.push(id, counter));
        union
    }

    /// Behind all others.
    fn push(&mut self, id: &Id, counter: u64) {
        self.ids.push(id.clone());
        self.counters.push(counter);
    }
}

impl<Id> Default for VectorClock<Id> {
    fn default() -> Self {
        Self::new()
    }
}

/// Concurrent clocks have no order.
impl<Id: Ord> PartialOrd for VectorClock<Id> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.compare(other).ordering()
    }
}

/// Entries in any order; those that are zero say nothing.
///
/// # Errors
/// [`VectorError::DuplicateProcess`].
impl<Id: Ord> TryFrom<Vec<(Id, u64)>> for VectorClock<Id> {
    type Error = VectorError;

    fn try_from(mut entries: Vec<(Id, u64)>) -> Result<Self, VectorError> {
        entries.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let pairs = entries.iter().zip(entries.iter().skip(1));
        if pairs.into_iter().any(|((left, _), (right, _))| left == right) {
            return Err(VectorError::DuplicateProcess);
        }
        let (ids, counters) = entries.into_iter().filter(|(_, counter)| *counter > 0).unzip();
        Ok(Self { ids, counters })
    }
}

impl<Id> From<VectorClock<Id>> for Vec<(Id, u64)> {
    fn from(clock: VectorClock<Id>) -> Self {
        clock.ids.into_iter().zip(clock.counters).collect()
    }
}

/// As it is stored: each id and its counter.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Entries<Id>(Vec<(Id, crate::number::Number<u64>)>);

#[cfg(feature = "serde")]
impl<Id> From<VectorClock<Id>> for Entries<Id> {
    fn from(clock: VectorClock<Id>) -> Self {
        let counters = clock.counters.into_iter().map(crate::number::Number);
        Self(clock.ids.into_iter().zip(counters).collect())
    }
}

#[cfg(feature = "serde")]
impl<Id: Ord> TryFrom<Entries<Id>> for VectorClock<Id> {
    type Error = VectorError;

    fn try_from(entries: Entries<Id>) -> Result<Self, VectorError> {
        let entries: Vec<_> = entries.0.into_iter().map(|(id, counter)| (id, counter.0)).collect();
        Self::try_from(entries)
    }
}

/// `[A:2 B:3]`
impl<Id: fmt::Display> fmt::Display for VectorClock<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, (id, counter)) in self.iter().enumerate() {
            write!(f, "{}{id}:{counter}", if place == 0 { "" } else { " " })?;
        }
        f.write_str("]")
    }
}
