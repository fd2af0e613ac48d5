//! A grantor in memory, for tests, examples, and the threads of one process.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::{Grant, Monotonic, NodeGrants};
use crate::layout::{Layout, Position};
use crate::node::NodeId;

/// Why a grantor in memory refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemGrantsError {
    /// Every node has a holder whose term is not over.
    #[error("no node is free")]
    NoneFree,
    /// The node was granted to somebody else since, or was given back.
    #[error("turn {turn} of node {node} is over")]
    Over {
        /// Which node.
        node: u32,
        /// The turn that is over.
        turn: u64,
    },
}

/// Grants nodes of a range for a term each. Clones are the same grantor. What it has on record is gone with its process:
/// nodes that outlive one need a grantor whose record is durable.
///
/// Of the free nodes it grants the one whose ceiling is lowest, so that the next holder is as little ahead of its wall as
/// can be.
#[derive(Debug)]
pub struct MemGrants<L: Layout, M> {
    record: Arc<Mutex<BTreeMap<NodeId<L>, Entry<L>>>>,
    term: Duration,
    clock: M,
}

#[derive(Clone, Copy, Debug)]
struct Entry<L: Layout> {
    turn: u64,
    ceiling: Position<L>,
    /// When its grant is over; `None` when nobody has it.
    until: Option<Duration>,
}

impl<L: Layout, M: Clone> Clone for MemGrants<L, M> {
    fn clone(&self) -> Self {
        Self { record: Arc::clone(&self.record), term: self.term, clock: self.clock.clone() }
    }
}

impl<L: Layout, M: Monotonic> MemGrants<L, M> {
    /// Grants the nodes of this range that the layout has.
    pub fn new(nodes: RangeInclusive<u32>, term: Duration, clock: M) -> Self {
        let entry = Entry { turn: 0, ceiling: Position::ZERO, until: None };
        let nodes = nodes.map_while(|node| NodeId::try_from(node).ok());
        Self { record: Arc::new(Mutex::new(nodes.map(|node| (node, entry)).collect())), term, clock }
    }

    fn entry<T>(
        &self,
        grant: &Grant<L>,
        change: impl FnOnce(&mut Entry<L>, Duration) -> T,
    ) -> Result<T, MemGrantsError> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let over = MemGrantsError::Over { node: grant.node.get(), turn: grant.turn };
        let entry = record.get_mut(&grant.node).ok_or(over)?;
        // Nobody else had it since: a term that is over may go on.
        if entry.turn != grant.turn || entry.until.is_none() {
            return Err(over);
        }
        Ok(change(entry, self.clock.now().saturating_add(self.term)))
    }
}

impl<L: Layout, M: Monotonic> NodeGrants<L> for MemGrants<L, M> {
    type Error = MemGrantsError;

    fn acquire(&mut self, wanted: Position<L>) -> Result<Grant<L>, MemGrantsError> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let free = record.iter_mut().filter(|(_, entry)| entry.until.is_none_or(|until| until <= now));
        let (node, entry) = free.min_by_key(|(_, entry)| entry.ceiling).ok_or(MemGrantsError::NoneFree)?;
        let floor = entry.ceiling;
        let ceiling = wanted.max(floor.plus(1 << L::SEQUENCE_BITS));
        *entry = Entry { turn: entry.turn + 1, ceiling, until: Some(now.saturating_add(self.term)) };
        Ok(Grant { node: *node, turn: entry.turn, floor, ceiling, term: self.term })
    }

    fn renew(&mut self, grant: &Grant<L>, wanted: Position<L>) -> Result<Grant<L>, MemGrantsError> {
        self.entry(grant, |entry, until| {
            entry.until = Some(until);
            entry.ceiling = entry.ceiling.max(wanted);
            Grant { ceiling: entry.ceiling, term: self.term, ..*grant }
        })
    }

    fn release(&mut self, grant: &Grant<L>) -> Result<(), MemGrantsError> {
        self.entry(grant, |entry, _| entry.until = None)
    }
}
