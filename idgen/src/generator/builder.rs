//! What a generator is made of.

use alloc::vec::Vec;
use core::time::Duration;

use super::error::BuildError;
use super::policy::{Backward, Options};
use super::slot::{Limits, Slot};
use super::{Generator, Shared};
use crate::layout::{Fields, Layout, Position, time_left};
use crate::node::{Always, Hold, NodeId};
use crate::process::Process;
use crate::sync::AtomicU64;
use crate::wall::Wall;

/// Says what a [`Generator`] is to be like, and makes it.
///
/// ```
/// use core::time::Duration;
/// use synod_idgen::generator::{Exhausted, Generator, Options};
/// use synod_idgen::layout::{Position, Twitter};
/// use synod_idgen::node::NodeId;
/// use synod_idgen::wall;
///
/// let wall = wall::from_fn(|| Duration::from_secs(1_767_225_600));
/// let stored = Position::<Twitter>::at(Duration::from_secs(1_767_225_601)); // what an earlier life may have used
/// let generator = Generator::builder(NodeId::<Twitter>::new(7)?)
///     .options(Options { exhausted: Exhausted::Borrow(Duration::from_secs(1)), ..Options::default() })
///     .resume(stored)
///     .ceiling(stored.plus_time(Duration::from_secs(2)))
///     .build(wall)?;
/// assert!(generator.try_next()?.position() >= stored);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until it is asked to"]
pub struct Builder<L: Layout, H = Always> {
    node: NodeId<L>,
    hold: H,
    options: Options,
    from: Position<L>,
    ceiling: Position<L>,
    spares: Vec<(NodeId<L>, Position<L>)>,
    least_left: Duration,
}

impl<L: Layout> Builder<L> {
    pub(super) fn new(node: NodeId<L>) -> Self {
        Self {
            node,
            hold: Always,
            options: Options::default(),
            from: Position::ZERO,
            ceiling: Position::END,
            spares: Vec::new(),
            least_left: Duration::ZERO,
        }
    }
}

impl<L: Layout, H: Hold> Builder<L, H> {
    /// The policies.
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Who knows whether the node, and every spare one, is still held.
    pub fn hold<K: Hold>(self, hold: K) -> Builder<L, K> {
        let Self { node, hold: _, options, from, ceiling, spares, least_left } = self;
        Builder { node, hold, options, from, ceiling, spares, least_left }
    }

    /// Gives no id of this node below `from`: the [`high_water`](Generator::high_water) of an earlier life, or whatever is
    /// known to be at or above it. A wall that is behind it is treated as one that stepped back.
    pub fn resume(self, from: Position<L>) -> Self {
        Self { from, ..self }
    }

    /// The node whose ids come first.
    pub fn node(&self) -> NodeId<L> {
        self.node
    }

    /// Gives no id below `from`, of this node and of every spare one so far.
    #[cfg(feature = "std")]
    pub(crate) fn resume_all(mut self, from: Position<L>) -> Self {
        for (_, own) in &mut self.spares {
            *own = from.max(*own);
        }
        self.from = from.max(self.from);
        self
    }

    /// The first [ceiling](Generator::ceiling). Without it there is none but the layout's end.
    pub fn ceiling(self, ceiling: Position<L>) -> Self {
        Self { ceiling, ..self }
    }

    /// A node to spill over to, and the position from which its ids may go on; [`Position::ZERO`] when it never had any.
    pub fn spare(mut self, node: NodeId<L>, from: Position<L>) -> Self {
        self.spares.push((node, from));
        self
    }

    /// Makes no generator when less than this is left of the layout's time: [`BuildError::EndsSoon`].
    pub fn require_left(self, least_left: Duration) -> Self {
        Self { least_left, ..self }
    }

    /// Makes the generator. Reads the wall once.
    ///
    /// # Errors
    /// Any [`BuildError`].
    pub fn build<W: Wall>(self, wall: W) -> Result<Generator<L, W, H>, BuildError> {
        if (self.options.backward == Backward::Spill) == self.spares.is_empty() {
            return Err(BuildError::Spares);
        }
        let mut nodes: Vec<_> = self.spares.iter().map(|(node, _)| *node).chain([self.node]).collect();
        nodes.sort_unstable();
        let same = nodes.windows(2).find_map(|pair| match pair {
            [node, other] if node == other => Some(node.get()),
            _ => None,
        });
        if let Some(node) = same {
            return Err(BuildError::SameNode { node });
        }
        let now = wall.now();
        let epoch = L::time_of(0);
        if now < epoch {
            return Err(BuildError::EpochAhead { ahead: epoch - now, layout: L::NAME });
        }
        let left = time_left::<L>(now);
        if left < self.least_left {
            return Err(BuildError::EndsSoon { left, layout: L::NAME });
        }
        Ok(Generator {
            shared: Shared {
                first: Slot::new(self.node, self.from),
                ceiling: AtomicU64::new(self.ceiling.as_u64()),
                current: AtomicU64::new(0),
                spares: self.spares.into_iter().map(|(node, from)| Slot::new(node, from)).collect(),
            },
            limits: Limits::new::<L>(&self.options),
            options: self.options,
            process: Process::current(),
            wall,
            hold: self.hold,
        })
    }
}
