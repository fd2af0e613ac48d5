//! Ids reserved in a row.

use core::iter::FusedIterator;

use crate::layout::{Fields, Id, Layout, Position};
use crate::node::NodeId;
use crate::process::Process;

/// Ids reserved at once, one after the other: an iterator. What is not used of it is a gap.
///
/// A block outlives what the generator is asked before: its ids were taken while the node was held, below the ceiling
/// of then, and whoever has the node next starts above. In a child after a fork a block is empty: its ids are the
/// parent's.
///
/// ```
/// use synod_idgen::generator::Generator;
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::node::NodeId;
/// use synod_idgen::wall::System;
///
/// let generator = Generator::new(NodeId::<Twitter>::new(7)?, System)?;
/// let ids: Vec<_> = generator.reserve(100)?.collect();
/// assert_eq!(ids.len(), 100);
/// assert!(ids.is_sorted() && generator.try_next()? > ids[99]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "what is not used is lost"]
pub struct Block<L: Layout> {
    /// The next id, as a number, and the one behind the last of its tick, by which it wraps where the id is the greatest.
    id: u64,
    run_end: u64,
    /// Positions of the ticks to come. Invariant: `next <= end <=` [`Position::END`].
    next: u64,
    end: u64,
    node: NodeId<L>,
    process: Process,
}

impl<L: Layout> Block<L> {
    /// Of positions that all lie below the end.
    pub(super) fn new(first: u64, count: u64, node: NodeId<L>, process: Process) -> Self {
        let mut block = Self { id: 0, run_end: 0, next: first, end: first + count, node, process };
        block.turn();
        block
    }

    /// One of no ids.
    pub(super) fn empty(node: NodeId<L>, process: Process) -> Self {
        Self::new(0, 0, node, process)
    }

    /// The position of the next id; the [`end`](Self::end) when there is none.
    pub fn start(&self) -> Position<L> {
        Position::known(self.next - self.run_end.wrapping_sub(self.id) / L::STRIDE)
    }

    /// The first position behind it.
    pub fn end(&self) -> Position<L> {
        Position::known(self.end)
    }

    /// Whose ids they are.
    pub fn node(&self) -> NodeId<L> {
        self.node
    }

    /// How many ids are left.
    pub fn left(&self) -> u64 {
        self.end - self.start().as_u64()
    }

    /// Goes on to the next tick. False when there is none.
    #[inline]
    fn turn(&mut self) -> bool {
        let (id, run) = next_run(self.next, self.end, self.node);
        self.id = id;
        self.run_end = id.wrapping_add(run * L::STRIDE);
        self.next += run;
        run > 0
    }
}

/// The first id from a position on, and how many follow it in its tick. Takes and gives numbers, not the block, which so
/// may stay in registers while its ids are handed out.
#[cold]
#[inline(never)]
fn next_run<L: Layout>(next: u64, end: u64, node: NodeId<L>) -> (u64, u64) {
    let run = (L::SEQUENCE_MASK + 1 - (next & L::SEQUENCE_MASK)).min(end - next);
    (L::join(next, u64::from(node.get())), run)
}

impl<L: Layout> Iterator for Block<L> {
    type Item = Id<L>;

    #[inline]
    fn next(&mut self) -> Option<Id<L>> {
        if (self.id == self.run_end && !self.turn()) || self.process.is_another() {
            return None;
        }
        let id = self.id;
        self.id = id.wrapping_add(L::STRIDE);
        Some(Id::known(id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left());
        // None at all after a fork.
        (0, left.ok())
    }
}

impl<L: Layout> FusedIterator for Block<L> {}
