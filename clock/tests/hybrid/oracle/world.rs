//! The world of the oracle.

use std::time::Duration;

use synod_clock::hybrid::{HybridError, Keeper, KeeperError, KeeperOptions, Micros, Options, Timestamp};
use synod_transport::rng::Rng;

use crate::hands::{Hands, MILLI, NOW, SECOND};
use crate::restart::{Crash, Disk};

/// What the clocks may be ahead of their walls, in microseconds.
pub(crate) const MAX_LEAD: u64 = 4 * SECOND;

/// How far walls differ at first in a calm world.
const CALM_SKEW: u64 = 200 * MILLI;

/// Deviations that the oracle must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// A new life knows nothing of the one before.
    ForgetsItsBound,
    /// The bound is used before it is stored.
    UsesItsBoundFirst,
    /// A receipt is stamped as if no message had come.
    IgnoresWhatComes,
    /// A message that was read, but not answered, leaves no trace.
    DoesNotObserve,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] =
        [Self::ForgetsItsBound, Self::UsesItsBoundFirst, Self::IgnoresWhatComes, Self::DoesNotObserve];
}

/// Something that a node stamped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    pub(crate) node: usize,
    pub(crate) stamp: Timestamp,
    /// Of the stamp over the node's wall, in microseconds.
    pub(crate) lead: u64,
    /// The greatest difference between two walls so far.
    pub(crate) skew: u64,
    /// How many events of each node it knows of, itself included.
    past: Vec<u32>,
}

impl Event {
    pub(crate) fn happened_before(&self, other: &Self) -> bool {
        self.past != other.past && self.past[self.node] <= other.past[self.node]
    }
}

/// How often what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    received: u32,
    observed: u32,
    rejected: u32,
    restarts: u32,
    crashes_before: u32,
    crashes_after: u32,
    unable_to_start: u32,
    at_the_bound: u32,
    at_the_lead: u32,
    set_back: u32,
}

impl Seen {
    pub(crate) fn named(&self) -> [(&'static str, u32); 10] {
        [
            ("received", self.received),
            ("observed", self.observed),
            ("rejected", self.rejected),
            ("restarts", self.restarts),
            ("crashes before a write", self.crashes_before),
            ("crashes after a write", self.crashes_after),
            ("unable to start", self.unable_to_start),
            ("at the bound", self.at_the_bound),
            ("at the lead", self.at_the_lead),
            ("set back", self.set_back),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.observed += other.observed;
        self.rejected += other.rejected;
        self.restarts += other.restarts;
        self.crashes_before += other.crashes_before;
        self.crashes_after += other.crashes_after;
        self.unable_to_start += other.unable_to_start;
        self.at_the_bound += other.at_the_bound;
        self.at_the_lead += other.at_the_lead;
        self.set_back += other.set_back;
    }
}

struct Node {
    hands: Hands,
    drift_ppm: u64,
    disk: Disk,
    process: Option<Keeper<Hands, Disk, Micros>>,
    past: Vec<u32>,
}

#[derive(Clone)]
struct Message {
    to: usize,
    stamp: Timestamp,
    past: Vec<u32>,
}

pub(crate) struct World {
    rng: Rng,
    calm: bool,
    fault: Option<Fault>,
    nodes: Vec<Node>,
    messages: Vec<Message>,
    skew: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) seen: Seen,
}

fn options() -> Options {
    Options { max_lead: Duration::from_micros(MAX_LEAD), ..Options::default() }
}

impl World {
    pub(crate) fn new(seed: u64, calm: bool, fault: Option<Fault>) -> Self {
        let mut rng = Rng::new(seed);
        let count = rng.between(2, 5) as usize;
        let spread = if calm { CALM_SKEW } else { SECOND };
        let node = |rng: &mut Rng| Node {
            hands: Hands::at(NOW + rng.below(spread)),
            drift_ppm: rng.below(200),
            disk: Disk::default(),
            process: None,
            past: vec![0; count],
        };
        let nodes = (0..count).map(|_| node(&mut rng)).collect();
        let mut world = Self {
            rng,
            calm,
            fault,
            nodes,
            messages: Vec::new(),
            skew: 0,
            events: Vec::new(),
            seen: Seen::default(),
        };
        (0..count).for_each(|node| world.start(node));
        world
    }

    pub(crate) fn step(&mut self) {
        self.pass();
        let node = self.rng.below(self.nodes.len() as u64) as usize;
        match self.rng.below(100) {
            0..30 => self.stamp(node, None),
            30..55 => self.send(node),
            55..85 => self.deliver(),
            85..92 => self.extend(node),
            // A calm world has no crash and no step.
            _ if self.calm => {}
            92..95 => self.crash(node),
            95..98 => self.start(node),
            _ => self.set_wall(node),
        }
    }

    /// Time passes, at each node's own rate.
    fn pass(&mut self) {
        let micros = match self.rng.below(10) {
            0..5 => 0,
            5..9 => self.rng.below(20 * MILLI),
            _ => self.rng.below(SECOND / 2),
        };
        for node in &self.nodes {
            node.hands.advance(micros + micros * node.drift_ppm / 1_000_000);
        }
        let walls = || self.nodes.iter().map(|node| node.hands.wall_us());
        self.skew = self.skew.max(walls().max().unwrap() - walls().min().unwrap());
    }

    fn set_wall(&mut self, node: usize) {
        let by = self.rng.below(12 * SECOND) as i64 - 6 * SECOND as i64;
        self.seen.set_back += u32::from(by < 0);
        let hands = &self.nodes[node].hands;
        hands.set(hands.wall_us().checked_add_signed(by).unwrap());
    }

    /// Stamps a local event, or the receipt of a message.
    fn stamp(&mut self, at: usize, message: Option<&Message>) {
        let ignores = self.fault == Some(Fault::IgnoresWhatComes);
        let node = &mut self.nodes[at];
        let Some(keeper) = &node.process else { return };
        let result = match message {
            Some(message) if !ignores => keeper.clock().recv(message.stamp),
            _ => keeper.clock().now(),
        };
        let stamp = match result {
            Ok(stamp) => stamp,
            Err(error) => return self.count(error),
        };
        if let Some(message) = message {
            self.seen.received += 1;
            join(&mut node.past, &message.past);
        }
        node.past[at] += 1;
        let lead = stamp.physical().saturating_sub(node.hands.wall_us());
        let past = node.past.clone();
        self.events.push(Event { node: at, stamp, lead, skew: self.skew, past });
    }

    fn count(&mut self, error: HybridError) {
        match error {
            HybridError::Offset { .. } => self.seen.rejected += 1,
            HybridError::UpperBound => self.seen.at_the_bound += 1,
            HybridError::Lead { .. } => self.seen.at_the_lead += 1,
            other => panic!("{other}"),
        }
    }

    fn send(&mut self, at: usize) {
        let before = self.events.len();
        self.stamp(at, None);
        if let Some(event) = self.events.get(before) {
            let to = self.rng.below(self.nodes.len() as u64) as usize;
            self.messages.push(Message { to, stamp: event.stamp, past: event.past.clone() });
        }
    }

    /// Any message, however late; one in four stays to come again.
    fn deliver(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let at = self.rng.below(self.messages.len() as u64) as usize;
        let message =
            if self.rng.below(4) == 0 { self.messages[at].clone() } else { self.messages.swap_remove(at) };
        match self.rng.below(4) {
            0 => self.observe(&message),
            _ => self.stamp(message.to, Some(&message)),
        }
    }

    fn observe(&mut self, message: &Message) {
        let node = &mut self.nodes[message.to];
        let Some(keeper) = &node.process else { return };
        let result = match self.fault {
            Some(Fault::DoesNotObserve) => Ok(()),
            _ => keeper.clock().observe(message.stamp).map(drop),
        };
        match result {
            Ok(()) => {
                join(&mut node.past, &message.past);
                self.seen.observed += 1;
            }
            Err(error) => self.count(error),
        }
    }

    /// Extends a bound; one in three processes dies on the way.
    fn extend(&mut self, at: usize) {
        let crash = match self.rng.below(6) {
            _ if self.calm => None,
            0 => Some(Crash::Before),
            1 => Some(Crash::After),
            _ => None,
        };
        let node = &mut self.nodes[at];
        let Some(keeper) = &mut node.process else { return };
        node.disk.crash_at(crash.map(|crash| (0, crash)));
        let extended = keeper.extend();
        node.disk.crash_at(None);
        if let (Err(KeeperError::Store(_)), Some(crash)) = (extended, crash) {
            match crash {
                Crash::Before => self.seen.crashes_before += 1,
                Crash::After => self.seen.crashes_after += 1,
            }
            node.process = None;
        }
    }

    fn crash(&mut self, at: usize) {
        self.nodes[at].process = None;
    }

    fn start(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.process.is_some() {
            return;
        }
        let disk = match self.fault {
            Some(Fault::ForgetsItsBound) => Disk::default(),
            _ => node.disk.clone(),
        };
        match Keeper::start(node.hands.clone(), options(), disk, KeeperOptions::default()) {
            Ok(keeper) => {
                if self.fault == Some(Fault::UsesItsBoundFirst) {
                    keeper.clock().raise_bound(Timestamp::MAX);
                }
                self.seen.restarts += u32::from(!self.events.is_empty());
                node.process = Some(keeper);
            }
            Err(KeeperError::Future { .. }) => self.seen.unable_to_start += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

fn join(past: &mut [u32], other: &[u32]) {
    for (own, other) in past.iter_mut().zip(other) {
        *own = (*own).max(*other);
    }
}
