use alloc::boxed::Box;
use alloc::vec;
use core::fmt;

use super::{VectorError, larger_on, raise};
use crate::causality::Causality;

/// Names a group of members, in an order that gives each its slot. A change of the group is another epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Epoch(#[cfg_attr(feature = "serde", serde(with = "crate::number"))] pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}", self.0)
    }
}

/// A vector clock of a fixed group: a counter for each member, no ids.
///
/// Slot 2 of one epoch and slot 2 of another are different processes. Clocks of different epochs are therefore not
/// concurrent and not equal either: to ask is an error, and the type has no `PartialOrd`.
///
/// ```
/// use synod_clock::causality::Causality;
/// use synod_clock::vector::{DenseClock, Epoch};
///
/// # fn main() -> Result<(), synod_clock::vector::VectorError> {
/// let (mut a, mut b) = (DenseClock::new(Epoch(1), 3), DenseClock::new(Epoch(1), 3));
/// a.tick(0)?;
/// b.receive(1, &a)?;
/// assert_eq!(b.counters(), [1, 1, 0]);
/// assert_eq!(a.compare(&b)?, Causality::Before);
/// assert!(a.compare(&DenseClock::new(Epoch(2), 3)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Parts", into = "Parts"))]
pub struct DenseClock {
    epoch: Epoch,
    counters: Box<[u64]>,
}

impl DenseClock {
    /// Nothing has happened in this epoch.
    pub fn new(epoch: Epoch, members: usize) -> Self {
        Self { epoch, counters: vec![0; members].into() }
    }

    /// With these counters, one for each member: from a message or a file.
    pub fn from_counters(epoch: Epoch, counters: impl Into<Box<[u64]>>) -> Self {
        Self { epoch, counters: counters.into() }
    }

    /// Whose slots the counters are.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The counter of each member.
    pub fn counters(&self) -> &[u64] {
        &self.counters
    }

    /// Counts an event of this member and returns its number.
    ///
    /// # Errors
    /// [`VectorError::NoSuchMember`], [`VectorError::CounterOverflow`].
    pub fn tick(&mut self, member: usize) -> Result<u64, VectorError> {
        let members = self.counters.len();
        let counter = self.counters.get_mut(member).ok_or(VectorError::NoSuchMember { member, members })?;
        *counter = counter.checked_add(1).ok_or(VectorError::CounterOverflow)?;
        Ok(*counter)
    }

    /// Counts the sending of a message, which carries the clock that is returned.
    ///
    /// # Errors
    /// [`VectorError::NoSuchMember`], [`VectorError::CounterOverflow`].
    pub fn send(&mut self, member: usize) -> Result<Self, VectorError> {
        self.tick(member)?;
        Ok(self.clone())
    }

    /// Counts the receipt of a message that carries `sent`, and returns the event's number.
    ///
    /// # Errors
    /// Those of [`tick`](Self::tick) and [`merge`](Self::merge).
    pub fn receive(&mut self, member: usize, sent: &Self) -> Result<u64, VectorError> {
        self.check_group(sent)?;
        let members = self.counters.len();
        let own = self.counters.get(member).ok_or(VectorError::NoSuchMember { member, members })?;
        let theirs = sent.counters.get(member).copied().unwrap_or(0);
        if theirs.max(*own) == u64::MAX {
            return Err(VectorError::CounterOverflow);
        }
        raise(&mut self.counters, &sent.counters);
        self.tick(member)
    }

    /// Takes the larger counter of each member.
    ///
    /// # Errors
    /// [`VectorError::DifferentEpochs`], [`VectorError::DifferentMembers`].
    pub fn merge(&mut self, other: &Self) -> Result<(), VectorError> {
        self.check_group(other)?;
        raise(&mut self.counters, &other.counters);
        Ok(())
    }

    /// How this clock stands to another of the same epoch.
    ///
    /// # Errors
    /// [`VectorError::DifferentEpochs`], [`VectorError::DifferentMembers`].
    pub fn compare(&self, other: &Self) -> Result<Causality, VectorError> {
        self.check_group(other)?;
        let (here, there) = larger_on(&self.counters, &other.counters);
        Ok(Causality::from_inclusion(!here, !there))
    }

    fn check_group(&self, other: &Self) -> Result<(), VectorError> {
        if self.epoch != other.epoch {
            return Err(VectorError::DifferentEpochs { left: self.epoch, right: other.epoch });
        }
        let (left, right) = (self.counters.len(), other.counters.len());
        if left == right { Ok(()) } else { Err(VectorError::DifferentMembers { left, right }) }
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Parts {
    epoch: Epoch,
    counters: alloc::vec::Vec<crate::number::Number<u64>>,
}

#[cfg(feature = "serde")]
impl From<DenseClock> for Parts {
    fn from(clock: DenseClock) -> Self {
        Self { epoch: clock.epoch, counters: clock.counters.into_iter().map(crate::number::Number).collect() }
    }
}

#[cfg(feature = "serde")]
impl From<Parts> for DenseClock {
    fn from(parts: Parts) -> Self {
        Self { epoch: parts.epoch, counters: parts.counters.into_iter().map(|counter| counter.0).collect() }
    }
}
