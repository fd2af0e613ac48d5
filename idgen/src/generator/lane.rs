//! A thread's own ids, reserved a block at a time.

use super::error::GeneratorError;
use super::{Block, Generator};
use crate::layout::{Fields as _, Id, Layout};
use crate::node::Hold;
use crate::wall::Wall;
use core::fmt;
use core::time::Duration;

/// Hands out ids of a generator without touching what threads share, but once a block. Made by [`Generator::lane`].
///
/// Every id is greater than the lane's earlier ones, of one node. Of two lanes' ids the younger may be smaller: an id has
/// the time at which its block was reserved. It is as stale as the block is old, and a block lasts as long as its ids do.
/// Where that is too long, [`try_next_within`](Self::try_next_within) reads the wall and begins a new block;
/// [`discard`](Self::discard) begins one without a reading. What is left of a block that is given up, at the latest when the
/// lane is dropped, is a gap.
///
/// A lane borrows its generator. A value that owns an `Arc` of it can keep a [`Block`] beside that instead, and
/// [`reserve`](Generator::reserve) the next; then nobody asks between its ids whether the node is held.
///
/// ```
/// use synod_idgen::generator::Generator;
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::node::NodeId;
/// use synod_idgen::wall::System;
///
/// let generator = Generator::new(NodeId::<Twitter>::new(7)?, System)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             let mut lane = generator.lane(64);
///             (0..1_000).map(|_| lane.next()).collect::<Result<Vec<_>, _>>()
///         });
///     }
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lane<'g, L: Layout, W, H> {
    generator: &'g Generator<L, W, H>,
    length: u32,
    block: Block<L>,
}

impl<L: Layout, W, H> fmt::Debug for Lane<'_, L, W, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("length", &self.length)
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

impl<'g, L: Layout, W: Wall, H: Hold> Lane<'g, L, W, H> {
    pub(super) fn new(generator: &'g Generator<L, W, H>, length: u32) -> Self {
        let block = Block::empty(generator.node(), generator.process.clone());
        Self { generator, length, block }
    }

    /// The next id. Never waits. Asks first whether the node is held, and whether this is still the same process.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Stalled`.
    #[inline]
    pub fn try_next(&mut self) -> Result<Id<L>, GeneratorError> {
        if !self.generator.hold.is_held() {
            return Err(GeneratorError::NotHeld);
        }
        match self.block.next() {
            Some(id) => Ok(id),
            None => {
                self.block = begin(self.generator, self.length)?;
                self.block.next().ok_or(GeneratorError::Forked)
            }
        }
    }

    /// The next id, of a tick that is at most `age` ago, in whole ticks. Costs a reading of the wall, but touches nothing that
    /// threads share.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Stalled`.
    #[inline]
    pub fn try_next_within(&mut self, age: Duration) -> Result<Id<L>, GeneratorError> {
        let oldest = L::ticks_of(self.generator.wall.now().saturating_sub(age));
        if self.block.start().tick() < oldest {
            self.discard();
        }
        self.try_next()
    }

    /// The next id; waits where [`Generator::next`] does.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `NotYet`.
    #[cfg(feature = "std")]
    #[expect(
        clippy::should_implement_trait,
        reason = "as the generator's; an iterator cannot say why it ends"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Id<L>, GeneratorError> {
        match self.try_next() {
            Err(GeneratorError::NotYet { wait }) => super::wait::until(wait, || self.try_next()),
            other => other,
        }
    }

    /// Gives up what is left of the block.
    pub fn discard(&mut self) {
        self.block = Block::empty(self.block.node(), self.generator.process.clone());
    }

    /// What is left of the block.
    pub fn block(&self) -> &Block<L> {
        &self.block
    }
}

/// Off the short way, once a block.
#[cold]
#[inline(never)]
fn begin<L: Layout, W: Wall, H: Hold>(
    generator: &Generator<L, W, H>,
    length: u32,
) -> Result<Block<L>, GeneratorError> {
    generator.reserve(length)
}
