//! A step function over the unit interval as a binary tree, kept flat.
//!
//! ```text
//!        root            leaf   start  depth          start: the level of the topmost node that begins with this leaf
//!       /    \             a      0      2            depth: the level of the leaf itself
//!      x      c            b      2      2
//!     / \                  c      1      1            a leaf is a right child when start = depth
//!    a   b
//! ```
//!
//! `start` depends on where the leaf begins, not on the tree: so two trees can be walked side by side, always taking the
//! deeper of the two leaves, and a shallow leaf ends when the other tree's next leaf starts no deeper than it.

use alloc::vec;
use alloc::vec::Vec;

/// How often the interval can be halved. Bounds the recursion on whatever bytes come from outside.
pub const MAX_DEPTH: u16 = 1024;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Leaf<T> {
    /// Level of the topmost node that begins where this leaf does; 0 for the first leaf.
    pub(super) start: u16,
    /// Level of the leaf; 0 for a tree of one leaf.
    pub(super) depth: u16,
    pub(super) value: T,
}

/// Invariant: at least one leaf; they tile the interval; no two sibling leaves have the same value (normal form).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Tree<T> {
    leaves: Vec<Leaf<T>>,
}

impl<T: Copy + PartialEq> Tree<T> {
    /// The same value everywhere.
    pub(super) fn constant(value: T) -> Self {
        Self { leaves: vec![Leaf { start: 0, depth: 0, value }] }
    }

    /// From leaves that tile the interval; brought into normal form.
    pub(super) fn from_leaves(leaves: impl IntoIterator<Item = Leaf<T>>) -> Self {
        let leaves = leaves.into_iter();
        let mut tree = Self { leaves: Vec::with_capacity(leaves.size_hint().0) };
        leaves.for_each(|leaf| tree.push(leaf));
        tree
    }

    pub(super) fn leaves(&self) -> &[Leaf<T>] {
        &self.leaves
    }

    /// In place, for those who keep the invariant.
    pub(super) fn leaves_mut(&mut self) -> &mut Vec<Leaf<T>> {
        &mut self.leaves
    }

    /// All nodes, as a tree with inner nodes has them: each before what is below it, left before right. An inner node's
    /// value is that of its children, combined.
    pub(super) fn nodes(&self, combine: fn(T, T) -> T) -> Vec<Node<T>> {
        let mut nodes = Vec::with_capacity(self.leaves.len().saturating_mul(2));
        add_node(&mut nodes, &mut self.leaves.as_slice(), 0, combine);
        nodes
    }

    /// Whether the value is the same everywhere.
    pub(super) fn is_constant(&self, value: T) -> bool {
        self.leaves.iter().all(|leaf| leaf.value == value)
    }

    /// Puts a leaf behind the others. Siblings of one value become their parent, as often as it takes.
    fn push(&mut self, mut leaf: Leaf<T>) {
        while leaf.start == leaf.depth {
            let Some(left) = self.leaves.last() else { break };
            // A left child that is a leaf, so this right child is its sibling.
            if left.start == left.depth || left.value != leaf.value {
                break;
            }
            leaf = Leaf { start: left.start, depth: left.depth - 1, value: leaf.value };
            self.leaves.pop();
        }
        self.leaves.push(leaf);
    }
}

/// A node of a tree that is not flat.
#[derive(Clone, Copy)]
pub(super) struct Node<T> {
    pub(super) value: T,
    /// Where its right child stands, of an inner node; the left one stands next to it.
    pub(super) right: Option<usize>,
}

/// Adds the node at this level that the leaves begin with, and all below. `None` when there are no leaves.
fn add_node<T: Copy>(
    nodes: &mut Vec<Node<T>>,
    leaves: &mut &[Leaf<T>],
    level: u16,
    combine: fn(T, T) -> T,
) -> Option<T> {
    let (first, rest) = leaves.split_first()?;
    let place = nodes.len();
    nodes.push(Node { value: first.value, right: None });
    if first.depth <= level {
        *leaves = rest;
        return Some(first.value);
    }
    let left = add_node(nodes, leaves, level + 1, combine)?;
    let right = nodes.len();
    let value = combine(left, add_node(nodes, leaves, level + 1, combine)?);
    nodes.iter_mut().skip(place).take(1).for_each(|node| *node = Node { value, right: Some(right) });
    Some(value)
}

/// The pieces that two trees cut each other into, in order, each with both values.
pub(super) fn overlay<'a, T, U>(left: &'a Tree<T>, right: &'a Tree<U>) -> Overlay<'a, T, U> {
    Overlay { left: &left.leaves, right: &right.leaves }
}

pub(super) struct Overlay<'a, T, U> {
    left: &'a [Leaf<T>],
    right: &'a [Leaf<U>],
}

impl<T: Copy, U: Copy> Iterator for Overlay<'_, T, U> {
    type Item = Leaf<(T, U)>;

    fn next(&mut self) -> Option<Self::Item> {
        let ([left, lefts @ ..], [right, rights @ ..]) = (self.left, self.right) else { return None };
        let value = (left.value, right.value);
        let ends = |depth, next_start: Option<u16>| next_start.is_none_or(|start| start <= depth);
        if left.depth >= right.depth {
            self.left = lefts;
            if left.depth == right.depth || ends(right.depth, lefts.first().map(|leaf| leaf.start)) {
                self.right = rights;
            }
            Some(Leaf { start: left.start, depth: left.depth, value })
        } else {
            self.right = rights;
            if ends(left.depth, rights.first().map(|leaf| leaf.start)) {
                self.left = lefts;
            }
            Some(Leaf { start: right.start, depth: right.depth, value })
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.len().max(self.right.len()), None)
    }
}

/// Takes the node at this level off the front, and gives its leaves.
pub(super) fn take_node<'a, T>(leaves: &mut &'a [Leaf<T>], level: u16) -> &'a [Leaf<T>] {
    let later = leaves.iter().skip(1).position(|leaf| leaf.start <= level);
    let (node, rest) = leaves.split_at(later.map_or(leaves.len(), |later| later + 1));
    *leaves = rest;
    node
}
