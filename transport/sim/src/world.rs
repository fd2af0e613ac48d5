//! Nodes, network, disks, clocks and clients under one heap of events.

mod clients;
mod events;
mod nemesis;
mod pump;
mod tracing;

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use synod_transport::host::Host;
use synod_transport::ids::{Incarnation, LogIndex, NodeId, Term};
use synod_transport::log::Entry;
use synod_transport::machine::{Event, Machine, Role};
use synod_transport::net::Class;
use synod_transport::rng::Rng;
use synod_transport::store::LogSummary;
use synod_transport::time::Instant;
use synod_transport::trace::{Value, named};

use crate::clock::Clock;
use crate::disk::SimDisk;
use crate::history::Operation;
use crate::invariant::Violation;
use crate::links::Links;
use crate::options::{Fault, Options};
use clients::Clients;
use events::{Happening, Heap};
use tracing::{Did, Trace};

/// Makes a machine for a node's next life: its id, which life it is, a seed, and what its log holds.
pub type Factory<M> = Box<dyn FnMut(NodeId, Incarnation, u64, &LogSummary) -> Result<M, String>>;

const MILLISECOND: u64 = 1_000_000;

/// One place where a machine lives, dies and lives again.
struct Node<M: Machine> {
    /// `None` while it is down.
    host: Option<Host<M, SimDisk>>,
    /// The disk while the node is down; an empty stand-in while it is up.
    disk: SimDisk,
    life: Incarnation,
    clock: Clock,
    clock_ppm: i64,
    applied: Vec<Entry>,
    role: Option<(Role, Term, Option<NodeId>)>,
    paused: bool,
    /// What waits for the end of a pause, or for room on the disk.
    deferred: Vec<Happening>,
    /// When the next wake is in the heap for.
    wake_in_heap: Option<u64>,
    slow_until: u64,
    /// Proposals by index of their last command, and reads by the index they wait for: operations of this life.
    waiting: Vec<(LogIndex, u64)>,
}

/// A seeded world. Most callers want [`run_seed`](crate::run_seed), which steps it and checks invariants; they look
/// at it through the accessors.
pub struct World<M: Machine> {
    seed: u64,
    now: u64,
    steps: u64,
    options: Options,
    rates: Vec<u64>,
    nodes: Vec<Node<M>>,
    links: Links,
    heap: Heap,
    factory: Factory<M>,
    clients: Clients,
    /// The request that a node is being asked just now.
    asking: Option<u64>,
    faulty: bool,
    faulty_until: u64,
    sync_delay: (u64, u64),
    soft_window: usize,
    in_flight: usize,
    counts: BTreeMap<&'static str, u64>,
    messages: u64,
    message_bytes: u64,
    hash: u64,
    violation: Option<Violation>,
    done: bool,
    trace: Option<Trace>,
    rng_network: Rng,
    rng_disk: Rng,
    rng_nemesis: Rng,
    rng_boot: Rng,
    frames: Vec<(NodeId, Class, Bytes)>,
    events: Vec<Event>,
}

impl<M: Machine> World<M> {
    /// A world in which every node has just started.
    pub fn new(seed: u64, options: &Options, factory: Factory<M>) -> Self {
        let mut rng = Rng::new(seed);
        let count = usize::try_from(options.nodes.clamp(1, 7)).unwrap_or(1);
        let rates = options.draw(&mut rng.fork(1));
        let links = Links::new(count, &mut rng.fork(2));
        let span = |it: core::time::Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
        let faulty_until = rng.fork(3).between(span(options.faulty.0), span(options.faulty.1));
        let mut draws = rng.fork(4);
        let least = draws.between(20_000, 5 * MILLISECOND);
        let sync_delay = (least, least + draws.between(1, 10 * MILLISECOND));
        let soft_window = usize::try_from(draws.between(2, 64)).unwrap_or(64);
        let clients = Clients::new(&mut rng.fork(5), options.clients);
        let mut rng_boot = rng.fork(6);
        let wild = rates.get(Fault::ClockRate as usize).copied().unwrap_or(0);
        let nodes = (0..count).map(|_| Node::new(&mut rng_boot, wild)).collect();
        let mut world = Self {
            seed,
            now: 0,
            steps: 0,
            options: options.clone(),
            rates,
            nodes,
            links,
            heap: Heap::default(),
            factory,
            clients,
            asking: None,
            faulty: true,
            faulty_until,
            sync_delay,
            soft_window,
            in_flight: 0,
            counts: BTreeMap::new(),
            messages: 0,
            message_bytes: 0,
            hash: 0xcbf2_9ce4_8422_2325 ^ seed,
            violation: None,
            done: false,
            trace: None,
            rng_network: rng.fork(7),
            rng_disk: rng.fork(8),
            rng_nemesis: rng.fork(9),
            rng_boot,
            frames: Vec::new(),
            events: Vec::new(),
        };
        if wild > 0 {
            world.count("clock-rate");
        }
        for at in 0..count {
            world.heap.push(0, Happening::Boot { at });
        }
        world.heap.push(faulty_until, Happening::Heal);
        world.heap.push(20 * MILLISECOND, Happening::Nemesis);
        world.start_clients();
        world
    }

    /// Writes every step of every node, and every fault, as JSON lines; `at` is virtual time. The run is the same
    /// with and without. Call it before the first step.
    pub fn trace_to(&mut self, out: Box<dyn io::Write + Send>) {
        self.trace = Some(Trace::new(out));
    }

    /// Ends the trace and says whether all of it was written.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish_trace(&mut self) -> io::Result<()> {
        self.trace.take().map_or(Ok(()), Trace::finish)
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Virtual time in nanoseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether faults are still injected.
    pub fn is_faulty(&self) -> bool {
        self.faulty
    }

    /// The ids of all nodes, up or down.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<M> {
        (1..=self.nodes.len() as u64).map(NodeId::new)
    }

    /// The machine of a node; `None` while it is down.
    pub fn machine(&self, id: NodeId) -> Option<&M> {
        self.node(id)?.host.as_ref().map(Host::machine)
    }

    /// A node's disk, up or down.
    pub fn disk(&self, id: NodeId) -> Option<&SimDisk> {
        let node = self.node(id)?;
        Some(node.host.as_ref().map_or(&node.disk, Host::store))
    }

    /// What a node has applied in its current life, from index 1 on without gaps (if invariants hold).
    pub fn applied(&self, id: NodeId) -> &[Entry] {
        self.node(id).map_or(&[], |node| &node.applied)
    }

    /// The index through which a node's machine allows to apply.
    pub fn apply_through(&self, id: NodeId) -> LogIndex {
        let host = self.node(id).and_then(|node| node.host.as_ref());
        host.map_or(LogIndex::ZERO, Host::apply_through)
    }

    /// Which life of a node this is, or was the last.
    pub fn life(&self, id: NodeId) -> Incarnation {
        self.node(id).map_or(Incarnation::ZERO, |node| node.life)
    }

    /// Role, term and leader as the node last announced them in this life.
    pub fn role(&self, id: NodeId) -> Option<(Role, Term, Option<NodeId>)> {
        self.node(id)?.role
    }

    /// Whether a node is up; a paused one is.
    pub fn is_up(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| node.host.is_some())
    }

    /// A node's own reading of its clock.
    pub fn local_time(&self, id: NodeId) -> Instant {
        self.node(id).map_or(Instant::ZERO, |node| node.clock.reading(self.now))
    }

    /// All operations of all clients, in order of call.
    pub fn history(&self) -> &[Operation] {
        &self.clients.history
    }

    /// Numbers (places in [`World::history`]) of the operations that were answered with success, in order of answer.
    pub fn completions(&self) -> &[usize] {
        &self.clients.completions
    }

    /// Faults injected and things covered so far, by name.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// Messages handed to the network, and their bytes.
    pub fn messages(&self) -> (u64, u64) {
        (self.messages, self.message_bytes)
    }

    /// A hash of everything that happened so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// What the world itself found wrong.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Ends the run because of this.
    pub fn violate(&mut self, invariant: &'static str, text: String) {
        if self.violation.is_none() {
            let (seed, step, at) = (self.seed, self.steps, self.now);
            self.note(|| {
                let fields = [("invariant", Value::word(invariant)), ("text", text.clone().into())];
                Did::new(NodeId::ZERO, "Violation", named(fields))
            });
            self.violation = Some(Violation { seed, step, at, invariant, text });
        }
        self.done = true;
    }

    fn node(&self, id: NodeId) -> Option<&Node<M>> {
        self.nodes.get(place(id)?)
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn mix(&mut self, word: u64) {
        // FNV-1a over words, with a shift so that high bits reach low ones.
        let hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.hash = hash ^ (hash >> 29);
    }

    fn mix_bytes(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(bytes.len() as u64);
    }

    /// Puts something that the world did into the trace, if there is one.
    fn note<'a>(&self, did: impl FnOnce() -> Did<'a>) {
        if let Some(trace) = &self.trace {
            trace.note(&did());
        }
    }
}

impl<M: Machine> Node<M> {
    fn new(rng: &mut Rng, wild: u64) -> Self {
        let most = if wild > 0 { wild.min(100_000) } else { 500 };
        let ppm = i64::try_from(rng.between(0, 2 * most)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
        Self {
            host: None,
            disk: SimDisk::default(),
            life: Incarnation::ZERO,
            clock: Clock::new(0, rng.below(1 << 40), ppm),
            clock_ppm: ppm,
            applied: Vec::new(),
            role: None,
            paused: false,
            deferred: Vec::new(),
            wake_in_heap: None,
            slow_until: 0,
            waiting: Vec::new(),
        }
    }
}

/// The name of the node at this place.
fn id(at: usize) -> NodeId {
    NodeId::new(at as u64 + 1)
}

/// The place of a node.
fn place(id: NodeId) -> Option<usize> {
    usize::try_from(id.get().checked_sub(1)?).ok()
}
