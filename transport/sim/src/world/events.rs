//! What is to happen, in order of time and then of planning.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use bytes::Bytes;
use synod_transport::ids::{Incarnation, NodeId};

/// Something that is to happen.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Boot {
        at: usize,
    },
    Deliver {
        at: usize,
        from: NodeId,
        frame: Bytes,
        garbled: bool,
    },
    Wake {
        at: usize,
        life: Incarnation,
        due: u64,
    },
    Synced {
        at: usize,
        life: Incarnation,
    },
    Crash {
        at: usize,
        life: Incarnation,
    },
    Resume {
        at: usize,
        life: Incarnation,
    },
    Nemesis,
    HealPartition,
    Flap {
        a: usize,
        b: usize,
        left: u64,
    },
    /// The faults end.
    Heal,
    /// A client does its next thing.
    Client {
        client: u64,
    },
    /// A client gives up on an operation.
    TimedOut {
        operation: u64,
    },
    /// A client's request reaches a node.
    Ask {
        at: usize,
        operation: u64,
        life: Incarnation,
    },
    /// A look at whether the world lives.
    Probe,
}

impl Happening {
    /// A number for the hash.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Boot { at } => 1 | (*at as u64) << 8,
            Self::Deliver { at, .. } => 2 | (*at as u64) << 8,
            Self::Wake { at, .. } => 3 | (*at as u64) << 8,
            Self::Synced { at, .. } => 4 | (*at as u64) << 8,
            Self::Crash { at, .. } => 5 | (*at as u64) << 8,
            Self::Resume { at, .. } => 6 | (*at as u64) << 8,
            Self::Nemesis => 7,
            Self::HealPartition => 8,
            Self::Flap { a, b, .. } => 9 | (*a as u64) << 8 | (*b as u64) << 16,
            Self::Heal => 10,
            Self::Client { client } => 11 | client << 8,
            Self::TimedOut { operation } => 12 | operation << 8,
            Self::Ask { at, operation, .. } => 13 | (*at as u64) << 8 | operation << 16,
            Self::Probe => 14,
        }
    }
}

#[derive(Debug)]
struct Planned {
    when: u64,
    sequence: u64,
    what: Happening,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.when, self.sequence).cmp(&(other.when, other.sequence))
    }
}

/// The plan.
#[derive(Debug, Default)]
pub(super) struct Heap {
    heap: BinaryHeap<Reverse<Planned>>,
    sequence: u64,
}

impl Heap {
    pub(super) fn push(&mut self, when: u64, what: Happening) {
        self.sequence += 1;
        self.heap.push(Reverse(Planned { when, sequence: self.sequence, what }));
    }

    pub(super) fn pop(&mut self) -> Option<(u64, Happening)> {
        self.heap.pop().map(|Reverse(planned)| (planned.when, planned.what))
    }
}
