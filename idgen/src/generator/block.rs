//! Positions reserved in a row.

use crate::layout::{Id, Layout, Position};
use crate::node::NodeId;

/// Ids reserved at once, one after the other: an iterator. What is not used of it is a gap.
#[derive(Debug)]
#[must_use = "what is not used is lost"]
pub struct Block<L: Layout> {
    /// Invariant: `next <= end <=` [`Position::END`].
    next: u64,
    end: u64,
    node: NodeId<L>,
}

impl<L: Layout> Block<L> {
    pub(super) fn new(first: u64, count: u64, node: NodeId<L>) -> Self {
        Self { next: first, end: first + count, node }
    }

    /// Where it starts now: of the next id.
    pub fn start(&self) -> Position<L> {
        Position::known(self.next)
    }

    /// The first position behind it.
    pub fn end(&self) -> Position<L> {
        Position::known(self.end)
    }

    /// Whose ids they are.
    pub fn node(&self) -> NodeId<L> {
        self.node
    }
}

impl<L: Layout> Iterator for Block<L> {
    type Item = Id<L>;

    #[inline]
    fn next(&mut self) -> Option<Id<L>> {
        let position = self.next;
        if position >= self.end {
            return None;
        }
        self.next = position + 1;
        Some(Id::join(position, self.node))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.end - self.next);
        (left.unwrap_or(usize::MAX), left.ok())
    }
}

impl<L: Layout> core::iter::FusedIterator for Block<L> {}
