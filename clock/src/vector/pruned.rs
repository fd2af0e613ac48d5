use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::{VectorClock, VectorError};
use crate::causality::Causality;
#[cfg(feature = "serde")]
use crate::number::Number;

/// A vector clock that has forgotten processes, and knows that it has.
///
/// A clock that drops entries as if they were zero claims orders that never were: of two concurrent events, the one
/// whose own entry was dropped seems to have happened before. This one keeps, for each process, the least and the most
/// that its counter may be, and for all those it does not name the most that any of them may be. An order is claimed
/// when it holds whatever the counters were; otherwise the answer is `None`, not known.
///
/// It is not `PartialEq`: two that look alike may have forgotten different things.
///
/// A process counts on in its own clock only while its own counter is exact: keep it when pruning, and take what others
/// send with [`receive`](Self::receive). It cannot begin with a copy of another's pruned clock, in which nobody can tell
/// whether it ever counted; with an id that is surely new there is [`newcomer`](Self::newcomer).
///
/// ```
/// use synod_clock::causality::Causality;
/// use synod_clock::vector::{PrunedClock, VectorClock};
///
/// # fn main() -> Result<(), synod_clock::vector::VectorError> {
/// let old = VectorClock::try_from(vec![("gone", 1), ("a", 1)])?;
/// let new = VectorClock::try_from(vec![("a", 2)])?;
/// assert_eq!(old.compare(&new), Causality::Concurrent);
/// let old = old.prune(|id, _| *id != "gone");
/// // [a:1] and [a:2]: before, had it not known that it forgot.
/// assert_eq!(old.compare(&PrunedClock::from(new)), None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        try_from = "Parts<Id>",
        into = "Parts<Id>",
        bound(serialize = "Id: Clone + serde::Serialize", deserialize = "Id: Ord + serde::Deserialize<'de>")
    )
)]
pub struct PrunedClock<Id> {
    /// Invariant: sorted by id, each once; 1 <= least <= most.
    entries: Vec<(Id, Bounds)>,
    /// The most that a process without an entry may have counted; zero when nothing was forgotten.
    ceiling: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: u64,
    most: u64,
}

impl<Id> PrunedClock<Id> {
    /// Whether nothing was forgotten.
    pub const fn is_whole(&self) -> bool {
        self.ceiling == 0
    }

    /// How many processes it names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The processes it names, in the order of their ids, with the least that each has counted.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, u64)> {
        self.entries.iter().map(|(id, bounds)| (id, bounds.least))
    }

    /// Forgets more: what `keep` refuses, given the least that the process has counted. Do not forget the process whose
    /// clock it is, or it cannot count on.
    #[must_use]
    pub fn prune(mut self, mut keep: impl FnMut(&Id, u64) -> bool) -> Self {
        let ceiling = &mut self.ceiling;
        self.entries.retain(|(id, bounds)| {
            let keeps = keep(id, bounds.least);
            if !keeps {
                *ceiling = bounds.most.max(*ceiling);
            }
            keeps
        });
        self
    }
}

impl<Id: Ord> PrunedClock<Id> {
    /// What the counter of this process may be.
    pub fn bounds(&self, id: &Id) -> RangeInclusive<u64> {
        let Bounds { least, most } = self.of(id);
        least..=most
    }

    fn of(&self, id: &Id) -> Bounds {
        let place = self.entries.binary_search_by(|(it, _)| it.cmp(id)).ok();
        let found = place.and_then(|place| self.entries.get(place));
        found.map_or(self.of_strangers(), |(_, bounds)| *bounds)
    }

    const fn of_strangers(&self) -> Bounds {
        Bounds { least: 0, most: self.ceiling }
    }

    /// Whether the other knows all that this one knows; `None` when that hangs on what was forgotten.
    /// O(n log m).
    pub fn is_within(&self, other: &Self) -> Option<bool> {
        let mut is_certain = self.is_whole();
        for (id, here) in &self.entries {
            let there = other.of(id);
            if here.least > there.most {
                return Some(false);
            }
            is_certain &= here.most <= there.least;
        }
        is_certain.then_some(true)
    }

    /// How this clock stands to another; `None` when that hangs on what was forgotten.
    pub fn compare(&self, other: &Self) -> Option<Causality> {
        Some(Causality::from_inclusion(self.is_within(other)?, other.is_within(self)?))
    }
}

impl<Id: Ord + Clone> PrunedClock<Id> {
    /// The clock of a process that joins with what `known` knows, which counts as its first event (number 1).
    ///
    /// The caller vouches that nobody ever counted under this id: take a random one of 128 bits, or one handed out once.
    /// A host's name will not do, since the host may have been here before; who comes back under an old id numbers its
    /// events anew, and orders are claimed that never were.
    ///
    /// ```
    /// use synod_clock::vector::{PrunedClock, VectorClock, VectorError};
    ///
    /// # fn main() -> Result<(), VectorError> {
    /// let known = VectorClock::try_from(vec![("a", 3), ("gone", 2)])?.prune(|id, _| *id == "a");
    /// assert_eq!(known.clone().tick(&"new"), Err(VectorError::OwnCounterPruned));
    /// let mut clock = PrunedClock::newcomer(&"new", &known)?;
    /// assert_eq!(clock.tick(&"new")?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`VectorError::NotNew`] when `known` names the process. What was forgotten cannot be asked.
    pub fn newcomer(id: &Id, known: &Self) -> Result<Self, VectorError> {
        if known.of(id).least > 0 {
            return Err(VectorError::NotNew);
        }
        let mut clock = Self { entries: Vec::new(), ceiling: 0 };
        clock.receive(id, known)?;
        Ok(clock)
    }

    /// Counts an event of this process and returns its number.
    ///
    /// # Errors
    /// [`VectorError::OwnCounterPruned`], [`VectorError::CounterOverflow`].
    pub fn tick(&mut self, id: &Id) -> Result<u64, VectorError> {
        let next = self.next_of(id)?;
        self.set(id, Bounds { least: next, most: next });
        Ok(next)
    }

    /// Counts the receipt of a message that carries `sent`, and returns the event's number. Nobody knows more of a
    /// process than it does itself: its own counter stays exact, whatever `sent` has forgotten.
    ///
    /// # Errors
    /// [`VectorError::OwnCounterPruned`], [`VectorError::CounterOverflow`].
    pub fn receive(&mut self, id: &Id, sent: &Self) -> Result<u64, VectorError> {
        let next = self.next_of(id)?;
        let next = sent.of(id).least.checked_add(1).ok_or(VectorError::CounterOverflow)?.max(next);
        self.merge(sent);
        self.set(id, Bounds { least: next, most: next });
        Ok(next)
    }

    fn next_of(&self, id: &Id) -> Result<u64, VectorError> {
        let Bounds { least, most } = self.of(id);
        if least != most {
            return Err(VectorError::OwnCounterPruned);
        }
        least.checked_add(1).ok_or(VectorError::CounterOverflow)
    }

    fn set(&mut self, id: &Id, bounds: Bounds) {
        match self.entries.binary_search_by(|(it, _)| it.cmp(id)) {
            Ok(place) => self.entries.iter_mut().skip(place).take(1).for_each(|(_, it)| *it = bounds),
            Err(place) => self.entries.insert(place, (id.clone(), bounds)),
        }
    }

    /// Takes the larger counter of each process, as far as it is known. O(n + m).
    ///
    /// Of the process whose clock it is too, which may then not count on: it takes what others send with
    /// [`receive`](Self::receive).
    pub fn merge(&mut self, other: &Self) {
        let larger = |left: Bounds, right: Bounds| Bounds {
            least: left.least.max(right.least),
            most: left.most.max(right.most),
        };
        let (here, there) = (self.of_strangers(), other.of_strangers());
        let own = core::mem::take(&mut self.entries);
        self.entries.reserve(own.len().max(other.entries.len()));
        let mut others = other.entries.iter().peekable();
        for (id, bounds) in own {
            while let Some((stranger, bounds)) = others.next_if(|(other, _)| *other < id) {
                self.entries.push((stranger.clone(), larger(here, *bounds)));
            }
            let theirs = others.next_if(|(other, _)| *other == id).map_or(there, |(_, bounds)| *bounds);
            self.entries.push((id, larger(bounds, theirs)));
        }
        self.entries.extend(others.map(|(id, bounds)| (id.clone(), larger(here, *bounds))));
        self.ceiling = self.ceiling.max(other.ceiling);
    }
}

/// All is known.
impl<Id> From<VectorClock<Id>> for PrunedClock<Id> {
    fn from(clock: VectorClock<Id>) -> Self {
        let exact = |counter| Bounds { least: counter, most: counter };
        let entries = Vec::from(clock).into_iter().map(|(id, counter)| (id, exact(counter))).collect();
        Self { entries, ceiling: 0 }
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Parts<Id> {
    /// Id, least, most.
    entries: Vec<(Id, Number<u64>, Number<u64>)>,
    #[serde(with = "crate::number")]
    ceiling: u64,
}

#[cfg(feature = "serde")]
impl<Id> From<PrunedClock<Id>> for Parts<Id> {
    fn from(clock: PrunedClock<Id>) -> Self {
        let entries = clock.entries.into_iter().map(|(id, it)| (id, Number(it.least), Number(it.most)));
        Self { entries: entries.collect(), ceiling: clock.ceiling }
    }
}

#[cfg(feature = "serde")]
impl<Id: Ord> TryFrom<Parts<Id>> for PrunedClock<Id> {
    type Error = &'static str;

    fn try_from(parts: Parts<Id>) -> Result<Self, &'static str> {
        if !parts.entries.is_sorted_by(|(left, ..), (right, ..)| left < right) {
            return Err("processes are not in order, or named twice");
        }
        if !parts.entries.iter().all(|(_, least, most)| (1..=most.0).contains(&least.0)) {
            return Err("bounds of a counter are not in order, or zero");
        }
        let entries = parts.entries.into_iter().map(|(id, least, most)| {
            let bounds = Bounds { least: least.0, most: most.0 };
            (id, bounds)
        });
        Ok(Self { entries: entries.collect(), ceiling: parts.ceiling })
    }
}
