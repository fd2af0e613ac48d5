//! Who makes ids, and whether it still may.
//!
//! No two generators may use one node at once. Where a node is leased, a [`Hold`] says whether the lease still stands; the
//! generator asks before each id.

use core::fmt;
use core::marker::PhantomData;

use crate::layout::{Fields, Layout};

/// A node of a layout: a number that its field holds. It comes from a checked conversion alone, so that no bit of it ever
/// reaches the field beside it.
///
/// ```
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::node::NodeId;
///
/// assert_eq!(NodeId::<Twitter>::new(40)?.get(), 40);
/// assert!(NodeId::<Twitter>::new(1024).is_err()); // 10 bits
/// # Ok::<(), synod_idgen::node::NodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId<L>(u32, PhantomData<L>);

/// The number does not fit the layout's node field. The caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("node {node} is out of range: {layout} has nodes 0 to {greatest}")]
#[non_exhaustive]
pub struct NodeError {
    /// What was asked for.
    pub node: u64,
    /// [`Layout::NAME`].
    pub layout: &'static str,
    /// The greatest node of the layout.
    pub greatest: u32,
}

impl<L: Layout> NodeId<L> {
    /// The greatest node of the layout. [`Hold`]s that share nodes out count from zero to it.
    pub const GREATEST: u32 = Self::field(L::NODE_MASK);

    /// The node of this number.
    ///
    /// # Errors
    /// [`NodeError`] when the layout's field does not hold it.
    pub const fn new(node: u64) -> Result<Self, NodeError> {
        if node > L::NODE_MASK {
            return Err(NodeError { node, layout: L::NAME, greatest: Self::GREATEST });
        }
        Ok(Self(Self::field(node), PhantomData))
    }

    /// The number.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Of a field's bits.
    #[inline]
    pub(crate) const fn of_field(bits: u64) -> Self {
        Self(Self::field(bits & L::NODE_MASK), PhantomData)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a node has at most 32 bits; `try_from` is not const"
    )]
    #[inline]
    const fn field(bits: u64) -> u32 {
        bits as u32
    }
}

macro_rules! from_integer {
    ($($integer:ty),+) => {$(
        impl<L: Layout> TryFrom<$integer> for NodeId<L> {
            type Error = NodeError;

            fn try_from(node: $integer) -> Result<Self, NodeError> {
                Self::new(u64::from(node))
            }
        }
    )+};
}

from_integer!(u8, u16, u32, u64);

impl<L: Layout> From<NodeId<L>> for u32 {
    fn from(node: NodeId<L>) -> Self {
        node.get()
    }
}

impl<L: Layout> fmt::Display for NodeId<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<L: Layout> fmt::Debug for NodeId<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} node {}", L::NAME, self.0)
    }
}

/// Whether a node is still held. Asked before each id and each block, by any thread: cheap, and never waits.
pub trait Hold {
    /// Whether it is. Once it is not, this hold should not say so again: somebody else may have the node by now.
    fn is_held(&self) -> bool;
}

/// A node that nobody takes away: fixed by configuration. Costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Always;

impl Hold for Always {
    #[inline]
    fn is_held(&self) -> bool {
        true
    }
}

impl<H: Hold + ?Sized> Hold for &H {
    #[inline]
    fn is_held(&self) -> bool {
        (**self).is_held()
    }
}

impl<H: Hold + ?Sized> Hold for alloc::boxed::Box<H> {
    #[inline]
    fn is_held(&self) -> bool {
        (**self).is_held()
    }
}

impl<H: Hold + ?Sized> Hold for alloc::sync::Arc<H> {
    #[inline]
    fn is_held(&self) -> bool {
        (**self).is_held()
    }
}
