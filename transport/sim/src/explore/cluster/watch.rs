//! Who looks on: what of a node matters to the properties, what must be remembered of the past, and what must hold.

use core::fmt::{self, Debug};
use core::hash::Hash;

use synod_transport::explore::{Explorable, Renaming};
use synod_transport::ids::{NodeId, Tag};
use synod_transport::machine::Event;

use super::local::Local;

/// Properties of a cluster of `M`.
///
/// They see of each node only its facts, so that a property is worked out once for all states that differ in other things.
pub trait Watch<M: Explorable>: Send + Sync {
    /// What of one node matters to the properties. The smaller, the faster.
    type Facts: Clone + Eq + Hash + Debug + Send + Sync;
    /// What must be remembered of the past. A part of the state, so the less the better.
    type Memory: Clone + Eq + Hash + Debug + Default + Send + Sync;

    /// Things that a thorough exploration has seen happen, by name, at most 64. See [`Watch::sights`].
    const SIGHTS: &'static [&'static str] = &[];

    /// Looks at a node.
    fn facts(&self, node: &Local<M>) -> Self::Facts;

    /// Takes note of a step at one node, and judges it. Called for each step that changes facts, tells events or asks a
    /// read.
    ///
    /// # Errors
    /// The property that this step breaks.
    fn remember(&self, memory: &mut Self::Memory, step: &Step<'_, M, Self::Facts>) -> Result<(), Breach>;

    /// Judges a state: the facts of all nodes, in the order of their names, and what is remembered.
    ///
    /// # Errors
    /// The property that does not hold.
    fn check(&self, nodes: &[&Self::Facts], memory: &Self::Memory) -> Result<(), Breach>;

    /// Gives other names to the nodes that are remembered.
    fn rename(&self, memory: &mut Self::Memory, names: &Renaming);

    /// Which of [`Watch::SIGHTS`] this step shows, a bit each.
    fn sights(&self, _step: &Step<'_, M, Self::Facts>) -> u64 {
        0
    }
}

/// One step of one node, for those who look on.
#[derive(Debug)]
pub struct Step<'a, M: Explorable, F> {
    /// The node.
    pub node: NodeId,
    /// What happened to it.
    pub cause: Cause,
    /// The node before.
    pub from: &'a Local<M>,
    /// The node after.
    pub to: &'a Local<M>,
    /// Its facts before.
    pub before: &'a F,
    /// Its facts after.
    pub after: &'a F,
    /// News for its caller.
    pub events: &'a [Event],
}

/// What happens to a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// Its election timeout passes.
    Timeout,
    /// Its heartbeat interval passes, twice.
    Interval,
    /// Somebody offers it an entry.
    Propose,
    /// Somebody asks it for a read under this mark.
    Read(Tag),
    /// This many more of its writes become durable, and it learns of it.
    Persist(u32),
    /// The power goes and comes back; so many of the writes that were not durable survive.
    Crash(u32),
    /// A message comes: its number, see [`Cluster::packet`](super::Cluster::packet).
    Deliver(u32),
}

impl Cause {
    /// A number for tables, all different.
    pub(crate) fn code(self) -> u64 {
        let (kind, argument) = match self {
            Self::Timeout => (0, 0),
            Self::Interval => (1, 0),
            Self::Propose => (2, 0),
            Self::Read(tag) => (3, tag.get()),
            Self::Persist(count) => (4, count.into()),
            Self::Crash(kept) => (5, kept.into()),
            Self::Deliver(packet) => (6, packet.into()),
        };
        kind | argument << 3
    }
}

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Breach {
    /// The property.
    pub invariant: &'static str,
    /// What is wrong, for a person.
    pub text: String,
}

impl Breach {
    /// A property and what is wrong.
    pub fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self { invariant, text: text.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}
