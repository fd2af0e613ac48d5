//! What a grantor and a holder agree on.

use core::fmt;
use core::time::Duration;

use super::Monotonic;
use crate::layout::{Layout, Position};
use crate::node::{Hold, NodeId};
use crate::process::Process;
use crate::sync::{AtomicU64, Ordering};

/// A node for a while, and the positions that may be used of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant<L: Layout> {
    /// Which node.
    pub node: NodeId<L>,
    /// How often the node was granted, this one included: tells an old grant from a new one.
    pub turn: u64,
    /// At or above each ceiling that was ever granted of this node before: nothing from here on was given.
    pub floor: Position<L>,
    /// Ids stay below it. Durable at the grantor.
    pub ceiling: Position<L>,
    /// For so long from the moment the grantor decides; the holder counts from before it asked.
    pub term: Duration,
}

/// Grants nodes: over a lease and a replicated log, a database, or [`MemGrants`](super::MemGrants).
///
/// ```text
///  grantor ──────────●───────── term ─────────┐ from here on the node is free
///  holder  ────┬───────────── term ────┐      │     next holder: floor = the ceiling on record
///            asked                     └ no id any more
/// ```
///
/// The contract:
///
/// 1. A node has one grant at a time; its turns count up. A grant ends when its term is over by the grantor's clock, which
///    starts no earlier than the holder's.
/// 2. A grant's floor is at or above every ceiling of that node's earlier turns; a ceiling is durable before it is told.
/// 3. A ceiling is raised for the newest turn alone.
///
/// The second and third hold up uniqueness even when clocks lie about the first.
pub trait NodeGrants<L: Layout> {
    /// Why not.
    type Error;

    /// Grants a node, with a ceiling at `wanted` at least, and above the floor.
    ///
    /// # Errors
    /// No node is free, or nobody answers. A node may have been granted all the same, and nobody has it until its term is
    /// over.
    fn acquire(&mut self, wanted: Position<L>) -> Result<Grant<L>, Self::Error>;

    /// Grants the same turn for a term from now, with a ceiling at `wanted` at least, and never a lower one.
    ///
    /// # Errors
    /// The node was granted to somebody else, or nobody answers; the renewal may have taken place.
    fn renew(&mut self, grant: &Grant<L>, wanted: Position<L>) -> Result<Grant<L>, Self::Error>;

    /// Gives the node back before its term is over. Its ceiling stays on record.
    ///
    /// # Errors
    /// Nobody answers; the term will end by itself.
    fn release(&mut self, grant: &Grant<L>) -> Result<(), Self::Error>;
}

impl<L: Layout, G: NodeGrants<L> + ?Sized> NodeGrants<L> for &mut G {
    type Error = G::Error;

    fn acquire(&mut self, wanted: Position<L>) -> Result<Grant<L>, G::Error> {
        (**self).acquire(wanted)
    }
    fn renew(&mut self, grant: &Grant<L>, wanted: Position<L>) -> Result<Grant<L>, G::Error> {
        (**self).renew(grant, wanted)
    }
    fn release(&mut self, grant: &Grant<L>) -> Result<(), G::Error> {
        (**self).release(grant)
    }
}

/// Until when a grant holds, by this process's own monotonic clock. Once over, it stays over.
pub struct GrantHold<M> {
    clock: M,
    /// In nanoseconds of the clock; zero when it is over.
    until_ns: AtomicU64,
    process: Process,
}

impl<M: Monotonic> GrantHold<M> {
    /// Held until then.
    pub fn new(clock: M, until: Duration) -> Self {
        Self { clock, until_ns: AtomicU64::new(nanos(until)), process: Process::current() }
    }

    /// Held until then instead, if that is later and it is not over yet. Whether it is held now.
    pub fn prolong(&self, until: Duration) -> bool {
        let until = nanos(until);
        let mut old = self.until_ns.load(Ordering::Acquire);
        while self.is_held() && old < until {
            match self.until_ns.compare_exchange(old, until, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => old = now,
            }
        }
        self.is_held()
    }

    /// Ends it.
    pub fn end(&self) {
        self.until_ns.store(0, Ordering::Release);
    }

    /// For how long it is still held.
    pub fn left(&self) -> Duration {
        Duration::from_nanos(self.until_ns.load(Ordering::Acquire)).saturating_sub(self.clock.now())
    }

    pub(super) fn is_another_process(&self) -> bool {
        self.process.is_another()
    }

    /// Where its readings come from.
    pub fn clock(&self) -> &M {
        &self.clock
    }
}

impl<M: Monotonic> Hold for GrantHold<M> {
    #[inline]
    fn is_held(&self) -> bool {
        let mut until = self.until_ns.load(Ordering::Acquire);
        while nanos(self.clock.now()) >= until {
            // Who sees it end is not told otherwise later; unless somebody has prolonged it just now.
            match self.until_ns.compare_exchange(until, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return false,
                Err(now) => until = now,
            }
        }
        !self.process.is_another()
    }
}

impl<M> fmt::Debug for GrantHold<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantHold").field("until_ns", &self.until_ns).finish_non_exhaustive()
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
