use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{VectorClock, VectorError};

/// One event: the `counter`-th of a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dot<Id> {
    /// Whose event.
    pub id: Id,
    /// Its number, from 1.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub counter: u64,
}

/// The versions of one value at one replica that no later write has seen, by dotted version vectors (Preguiça, Baquero,
/// Almeida, Fonte, Gonçalves, *Dotted Version Vectors*, 2010; Almeida et al., *Scalable and Accurate Causality Tracking
/// for Eventually Consistent Stores*, 2014).
///
/// A client reads the values with their [`context`](Self::context) and writes with the context that it read. Each write
/// gets a dot of the replica that takes it; so the clocks name replicas, which are few, not clients, and two clients
/// that write through one replica without having seen each other still leave two siblings. A plain version vector of
/// replicas would take the second for a successor of the first.
///
/// ```
/// use synod_clock::vector::{Siblings, VectorClock};
///
/// # fn main() -> Result<(), synod_clock::vector::VectorError> {
/// let mut cart = Siblings::new();
/// let nothing = VectorClock::new();
/// cart.write(&"replica 1", &nothing, "milk")?;
/// cart.write(&"replica 1", &nothing, "bread")?; // by a client that had not seen the milk
/// assert!(cart.values().eq([&"milk", &"bread"]));
///
/// let seen = cart.context().clone();
/// cart.write(&"replica 2", &seen, "milk and bread")?;
/// assert!(cart.values().eq([&"milk and bread"]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        try_from = "Parts<Id, V>",
        bound(
            serialize = "Id: Clone + serde::Serialize, V: serde::Serialize",
            deserialize = "Id: Ord + serde::Deserialize<'de>, V: serde::Deserialize<'de>"
        )
    )
)]
pub struct Siblings<Id, V> {
    /// All writes that this replica knows of, overwritten ones included.
    context: VectorClock<Id>,
    /// Invariant: sorted by dot, each once; every dot is in the context.
    versions: Vec<(Dot<Id>, V)>,
}

impl<Id, V> Siblings<Id, V> {
    /// Never written.
    pub const fn new() -> Self {
        Self { context: VectorClock::new(), versions: Vec::new() }
    }

    /// The writes that whoever reads now has seen.
    pub const fn context(&self) -> &VectorClock<Id> {
        &self.context
    }

    /// The values that nobody has overwritten, in the order of their dots. Several are siblings.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.versions.iter().map(|(_, value)| value)
    }

    /// The same, with the dot of each.
    pub fn versions(&self) -> impl Iterator<Item = (&Dot<Id>, &V)> {
        self.versions.iter().map(|(dot, value)| (dot, value))
    }
}

impl<Id: Ord + Clone, V> Siblings<Id, V> {
    /// Takes a client's write at this replica. `seen` is the context that the client read: the values of then are
    /// overwritten, others become siblings of the new one.
    ///
    /// # Errors
    /// [`VectorError::CounterOverflow`].
    pub fn write(&mut self, replica: &Id, seen: &VectorClock<Id>, value: V) -> Result<Dot<Id>, VectorError> {
        let counter = self.context.receive(replica, seen)?;
        self.versions.retain(|(dot, _)| !seen.contains(dot));
        let dot = Dot { id: replica.clone(), counter };
        let place = self.versions.partition_point(|(other, _)| *other < dot);
        self.versions.insert(place, (dot.clone(), value));
        Ok(dot)
    }

    /// Takes a client's removal: the values that it has seen go, others stay.
    pub fn remove(&mut self, seen: &VectorClock<Id>) {
        self.context.merge(seen);
        self.versions.retain(|(dot, _)| !seen.contains(dot));
    }
}

impl<Id: Ord + Clone, V: Clone> Siblings<Id, V> {
    /// Learns what another replica knows. A version stays when both have it, or when the side that lacks it has never
    /// heard of it; what one side has heard of and lacks was overwritten.
    pub fn sync(&mut self, other: &Self) {
        let own = core::mem::take(&mut self.versions);
        let mut theirs = other.versions.iter().peekable();
        for (dot, value) in own {
            while let Some(version) = theirs.next_if(|(their, _)| *their < dot) {
                self.versions.extend((!self.context.contains(&version.0)).then(|| version.clone()));
            }
            let both_have_it = theirs.next_if(|(their, _)| their.cmp(&dot) == Ordering::Equal).is_some();
            if both_have_it || !other.context.contains(&dot) {
                self.versions.push((dot, value));
            }
        }
        for version in theirs {
            self.versions.extend((!self.context.contains(&version.0)).then(|| version.clone()));
        }
        self.context.merge(&other.context);
    }
}

impl<Id, V> Default for Siblings<Id, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(bound = "Id: Ord + serde::Deserialize<'de>, V: serde::Deserialize<'de>")]
struct Parts<Id, V> {
    context: VectorClock<Id>,
    versions: Vec<(Dot<Id>, V)>,
}

#[cfg(feature = "serde")]
impl<Id: Ord, V> TryFrom<Parts<Id, V>> for Siblings<Id, V> {
    type Error = &'static str;

    fn try_from(Parts { context, versions }: Parts<Id, V>) -> Result<Self, &'static str> {
        if !versions.is_sorted_by(|(left, _), (right, _)| left < right) {
            return Err("versions are not in the order of their dots, or there twice");
        }
        if !versions.iter().all(|(dot, _)| dot.counter > 0 && context.contains(dot)) {
            return Err("a version is not in the context");
        }
        Ok(Self { context, versions })
    }
}
