//! Small worlds of real machines, as a [`Model`].
//!
//! One step is one input to one node with all its effects. Nodes, messages and what is remembered are kept once each in
//! tables and named by small numbers, so that a state of the world is a few words; and because a machine is deterministic, what an
//! input does to a node is worked out once, however many states of the world it is met in:
//!
//! ```text
//!   state   [budgets · memory · node node node · message message …]     numbers, 48 bytes
//!              │                    │                │
//!              │        (node, message) ──▶ reaction: node', messages, events      worked out once
//!              └── (memory, reaction) ──▶ memory' or breach                         worked out once
//!   next states: every choice of what the network loses of the new messages
//! ```
//!
//! The rules of the world, which a specification of the protocol can share word for word:
//!
//! - **Network:** a bag of messages, at most [`Bounds::in_flight`]. Of what a step sends any part that fits may enter, the
//!   rest is lost; without [`Bounds::loss`] all must fit. A message that is delivered leaves, or stays at the price of a duplicate.
//! - **Disk:** the durable image, and one more for each write that is not synced, at most [`Bounds::unsynced`]. What waits
//!   for them is a bag of at most [`Bounds::sealed`] messages. A step that would need more of either cannot happen.
//! - **Persist:** some of the writes become durable, what they sealed is sent, the machine gets the receipt.
//! - **Crash:** some of the pending writes survive; the node starts anew from them in the same step, for being down is
//!   the same as hearing nothing.
//! - **Timeout:** anybody but a leader may campaign at any moment. **Interval:** a leader's heartbeat interval passes
//!   twice; what the first wake sends is lost.

mod bounds;
mod local;
mod state;
mod steps;
mod tables;
mod tell;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use synod_transport::explore::{Explorable, MessageOf, Renaming};
use synod_transport::ids::NodeId;
use synod_transport::quorum::{Members, NodeSet};
use synod_transport::store::LogSummary;

pub use bounds::{Bounds, BoundsError, Budget, Spent};
pub use local::{Local, Packet, Seal};
pub use state::State;
pub use steps::Action;
pub use tell::{Told, View};
pub use watch::{Breach, Cause, Step, Watch};

use super::model::Model;
use super::path::Path;
use steps::Reaction;
use tables::{Arena, Interner, Memo};

/// Makes a machine from what its disk holds, at the beginning and after each crash.
pub type Start<M> = Box<dyn Fn(NodeId, &LogSummary) -> Result<M, String> + Send + Sync>;

/// Every small world of these machines, watched by `W`. A [`Model`] for the [`Explorer`](super::Explorer).
pub struct Cluster<M: Explorable, W: Watch<M>> {
    bounds: Bounds,
    members: Members,
    start: Start<M>,
    watch: W,
    /// Every permutation of the members that changes nothing but names, the identity first.
    renamings: Vec<Renaming>,
    locals: Interner<Local<M>, LocalEntry<M>>,
    packets: Interner<Packet<MessageOf<M>>, PacketEntry<MessageOf<M>>>,
    facts: Interner<W::Facts, Arc<W::Facts>>,
    memories: Interner<W::Memory, MemoryEntry<W::Memory>>,
    breaches: Interner<Breach, Arc<Breach>>,
    reactions: Arena<Reaction>,
    /// Node and cause to reaction.
    reacted: Memo<(u32, u64)>,
    /// Memory and reaction to memory, or to a breach.
    remembered: Memo<(u32, u32)>,
    /// Memory and facts to nothing, or to a breach.
    checked: Memo<[u32; Bounds::WORDS + 1]>,
    seen: AtomicU64,
}

struct LocalEntry<M> {
    local: Arc<Local<M>>,
    facts: u32,
    /// What can happen to it without a message.
    own: OnceLock<Box<[(Cause, u32)]>>,
    renamed: OnceLock<Box<[u32]>>,
}

struct PacketEntry<T> {
    packet: Arc<Packet<T>>,
    to: usize,
    renamed: OnceLock<Box<[u32]>>,
}

struct MemoryEntry<T> {
    memory: Arc<T>,
    renamed: OnceLock<Box<[u32]>>,
}

impl<M: Explorable, W: Watch<M>> Cluster<M, W> {
    /// Nodes 1, 2, … that start with empty disks.
    ///
    /// # Errors
    /// When the bounds do not fit.
    pub fn new(bounds: Bounds, start: Start<M>, watch: W) -> Result<Self, BoundsError> {
        bounds.check()?;
        let ids = (1..=bounds.nodes as u64).map(NodeId::new);
        let members = Members::new(ids)
            .map_err(|_| BoundsError::TooWide { nodes: bounds.nodes, in_flight: bounds.in_flight })?;
        let reactions = Arena::new();
        reactions.push(Reaction::default());
        Ok(Self {
            bounds,
            renamings: renamings(&members, bounds.campaigners),
            members,
            start,
            watch,
            locals: Interner::new(),
            packets: Interner::new(),
            facts: Interner::new(),
            memories: Interner::new(),
            breaches: Interner::new(),
            reactions,
            reacted: Memo::new(),
            remembered: Memo::new(),
            checked: Memo::new(),
            seen: AtomicU64::new(0),
        })
    }

    /// How small the world is.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The nodes' names.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// Which of [`Watch::SIGHTS`] were seen so far: each name, and whether some step of some visited state shows it.
    pub fn sights(&self) -> impl Iterator<Item = (&'static str, bool)> + use<M, W> {
        let seen = self.seen.load(Ordering::Relaxed);
        W::SIGHTS.iter().enumerate().map(move |(bit, name)| (*name, seen & (1 << bit) != 0))
    }

    /// What is broken in a state: by the step that led to it, or by what it is. A state that is broken by a step has no
    /// next one.
    ///
    /// # Errors
    /// The property that does not hold.
    pub fn check(&self, state: &State) -> Result<(), Breach> {
        let broken = match state.memory() {
            Err(breach) => breach + 1,
            Ok(memory) => self.judged(memory, state.nodes(self.bounds.nodes)),
        };
        match broken.checked_sub(1).and_then(|breach| self.breaches.get(breach)) {
            None => Ok(()),
            Some(breach) => Err(Breach::clone(breach)),
        }
    }

    /// How many different nodes, messages, reactions, memories and judgements were met.
    pub fn tables(&self) -> Tables {
        Tables {
            nodes: self.locals.len(),
            messages: self.packets.len(),
            reactions: self.reacted.len(),
            memories: self.memories.len(),
            judgements: self.checked.len(),
        }
    }

    /// Zero, or one more than the number of the breach.
    fn judged(&self, memory: u32, nodes: &[u32]) -> u32 {
        let mut key = [u32::MAX; Bounds::WORDS + 1];
        let mut facts = nodes.iter().filter_map(|node| self.locals.get(*node)).map(|entry| entry.facts);
        for (place, value) in key.iter_mut().zip(core::iter::once(memory).chain(facts.by_ref())) {
            *place = value;
        }
        self.checked.get(key, || {
            let facts = key.iter().skip(1).filter_map(|facts| self.facts.get(*facts)).map(Arc::as_ref);
            let facts: Vec<&W::Facts> = facts.collect();
            let Some(entry) = self.memories.get(memory) else { return 0 };
            match self.watch.check(&facts, &entry.memory) {
                Ok(()) => 0,
                Err(breach) => self.breach(breach) + 1,
            }
        })
    }

    fn breach(&self, breach: Breach) -> u32 {
        self.breaches.intern(breach, Arc::clone)
    }

    fn node(&self, local: Local<M>) -> u32 {
        self.locals.intern(local, |local| LocalEntry {
            local: Arc::clone(local),
            facts: self.facts.intern(self.watch.facts(local), Arc::clone),
            own: OnceLock::new(),
            renamed: OnceLock::new(),
        })
    }

    /// Messages are counted from 1, so that a zero can mean none.
    fn number(&self, packet: Packet<MessageOf<M>>) -> u32 {
        1 + self.packets.intern(packet, |packet| PacketEntry {
            packet: Arc::clone(packet),
            to: self.members.slot(packet.to).unwrap_or(0),
            renamed: OnceLock::new(),
        })
    }

    fn packet_entry(&self, number: u32) -> Option<&PacketEntry<MessageOf<M>>> {
        self.packets.get(number.checked_sub(1)?)
    }

    fn memory(&self, memory: W::Memory) -> u32 {
        let entry =
            |memory: &Arc<W::Memory>| MemoryEntry { memory: Arc::clone(memory), renamed: OnceLock::new() };
        self.memories.intern(memory, entry)
    }

    /// The number of a node under each renaming, in their order.
    fn renamed_node(&self, node: u32) -> Option<&[u32]> {
        let entry = self.locals.get(node)?;
        Some(entry.renamed.get_or_init(|| {
            let under = |(at, names): (usize, &Renaming)| {
                let packet = |number| {
                    self.renamed_packet(number).and_then(|all| all.get(at)).copied().unwrap_or(number)
                };
                self.node(entry.local.renamed(names, packet))
            };
            self.renamings.iter().enumerate().map(under).collect()
        }))
    }

    fn renamed_packet(&self, number: u32) -> Option<&[u32]> {
        let entry = self.packet_entry(number)?;
        Some(entry.renamed.get_or_init(|| {
            let under = |names: &Renaming| {
                let Packet { from, to, message } = Packet::clone(&entry.packet);
                let message = M::rename_message(message, names);
                self.number(Packet { from: names.node(from), to: names.node(to), message })
            };
            self.renamings.iter().map(under).collect()
        }))
    }

    fn renamed_memory(&self, memory: u32) -> Option<&[u32]> {
        let entry = self.memories.get(memory)?;
        Some(entry.renamed.get_or_init(|| {
            let under = |names: &Renaming| {
                let mut renamed = W::Memory::clone(&entry.memory);
                self.watch.rename(&mut renamed, names);
                self.memory(renamed)
            };
            self.renamings.iter().map(under).collect()
        }))
    }

    /// The state under one renaming.
    fn renamed(&self, state: &State, at: usize, names: &Renaming) -> Option<State> {
        let count = self.bounds.nodes;
        let memory = *self.renamed_memory(state.memory().ok()?)?.get(at)?;
        let mut it = State::new(&[], memory);
        it.set_spent(state.spent());
        for (slot, node) in state.nodes(count).iter().enumerate() {
            it.set_node(names.slot(slot), *self.renamed_node(*node)?.get(at)?);
        }
        let mut network = [0; Bounds::WORDS];
        let packets = state.network(count);
        for (place, packet) in network.iter_mut().zip(packets) {
            *place = *self.renamed_packet(*packet)?.get(at)?;
        }
        let network = network.get_mut(..packets.len())?;
        network.sort_unstable();
        it.set_network(count, network.iter().copied(), core::iter::empty());
        Some(it)
    }

    /// How many different states differ from this one only in names, this one included.
    pub fn orbit(&self, state: &State) -> usize {
        let renamings = self.renamings.iter().enumerate();
        let mut all: Vec<State> =
            renamings.filter_map(|(at, names)| self.renamed(state, at, names)).collect();
        all.sort_unstable();
        all.dedup();
        all.len().max(1)
    }
}

impl<M: Explorable, W: Watch<M>> Model for Cluster<M, W> {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let start = |id: &NodeId| {
            let stored = LogSummary::default();
            (self.start)(*id, &stored).map(|machine| self.node(Local::start(machine, stored)))
        };
        let memory = self.memory(W::Memory::default());
        match self.members.ids().iter().map(start).collect::<Result<Vec<u32>, String>>() {
            Ok(nodes) => vec![State::new(&nodes, memory)],
            Err(error) => {
                let mut broken = State::new(&[], memory);
                broken.set_memory(Err(self.breach(Breach::new("start", error))));
                vec![broken]
            }
        }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Action, State)>) {
        self.all_steps(state, out);
    }

    /// Broken states of one property count as one, whose check names the property alone.
    fn representative(&self, state: State) -> State {
        if let Err(breach) = state.memory() {
            let invariant = self.breaches.get(breach).map_or("", |breach| breach.invariant);
            let mut broken = State::new(&[], 0);
            broken.set_memory(Err(self.breach(Breach::new(invariant, ""))));
            return broken;
        }
        let others = self.renamings.iter().enumerate().skip(1);
        others.filter_map(|(at, names)| self.renamed(&state, at, names)).fold(state, Ord::min)
    }
}

impl<M: Explorable, W: Watch<M>> core::fmt::Debug for Cluster<M, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tables = self.tables();
        f.debug_struct("Cluster")
            .field("bounds", &self.bounds)
            .field("tables", &tables)
            .finish_non_exhaustive()
    }
}

/// Who may campaign is known apart from who may not, so these are not each other's likes.
fn renamings(members: &Members, campaigners: NodeSet) -> Vec<Renaming> {
    let here = campaigners.and(NodeSet::first(members.len()));
    Renaming::all(members).into_iter().filter(|names| names.set(here) == here).collect()
}

/// How many different things an exploration met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tables {
    /// Nodes with their disks.
    pub nodes: u32,
    /// Messages.
    pub messages: u32,
    /// Pairs of a node and what happens to it.
    pub reactions: usize,
    /// Pasts to remember.
    pub memories: u32,
    /// Combinations of facts and memory that were judged.
    pub judgements: usize,
}
