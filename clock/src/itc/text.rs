//! The paper's notation: `((1, 0), (0, 1, 0))`. Values of inner nodes are relative to the node above.

use alloc::vec::Vec;
use core::fmt;

use super::stamp::{History, Stamp};
use super::tree::Leaf;

/// A node of the paper's event tree, in preorder.
#[derive(Clone, Copy)]
pub(super) struct Node {
    /// The lowest step below it, absolute.
    pub(super) lowest: u64,
    /// Where its right child stands; a leaf has none.
    pub(super) right: Option<usize>,
}

/// The paper's tree of these steps.
pub(super) fn nodes(leaves: &[Leaf<u64>]) -> Vec<Node> {
    let mut nodes = Vec::with_capacity(leaves.len().saturating_mul(2));
    add_node(&mut nodes, &mut leaves.iter().peekable(), 0);
    nodes
}

type Leaves<'a, T> = core::iter::Peekable<core::slice::Iter<'a, Leaf<T>>>;

/// Adds the node at this level and all below; returns its lowest step.
fn add_node(nodes: &mut Vec<Node>, leaves: &mut Leaves<'_, u64>, level: u16) -> u64 {
    let place = nodes.len();
    if let Some(leaf) = leaves.next_if(|leaf| leaf.depth == level) {
        nodes.push(Node { lowest: leaf.value, right: None });
        return leaf.value;
    }
    if leaves.peek().is_none() {
        return 0; // never: leaves tile the interval
    }
    nodes.push(Node { lowest: 0, right: None });
    let left = add_node(nodes, leaves, level + 1);
    let right = nodes.len();
    let lowest = add_node(nodes, leaves, level + 1).min(left);
    nodes.iter_mut().skip(place).take(1).for_each(|node| *node = Node { lowest, right: Some(right) });
    lowest
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        write_id(f, &mut self.id.leaves().iter().peekable(), 0)?;
        write!(f, ", {})", self.history)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_events(f, &nodes(self.events.leaves()), 0, 0)
    }
}

fn write_id(f: &mut fmt::Formatter<'_>, leaves: &mut Leaves<'_, bool>, level: u16) -> fmt::Result {
    if let Some(leaf) = leaves.next_if(|leaf| leaf.depth <= level) {
        return f.write_str(if leaf.value { "1" } else { "0" });
    }
    if leaves.peek().is_none() {
        return Ok(()); // never: leaves tile the interval
    }
    f.write_str("(")?;
    write_id(f, leaves, level + 1)?;
    f.write_str(", ")?;
    write_id(f, leaves, level + 1)?;
    f.write_str(")")
}

fn write_events(f: &mut fmt::Formatter<'_>, nodes: &[Node], place: usize, base: u64) -> fmt::Result {
    let Some(Node { lowest, right }) = nodes.get(place).copied() else { return Ok(()) };
    let own = lowest.saturating_sub(base);
    let Some(right) = right else { return write!(f, "{own}") };
    write!(f, "({own}, ")?;
    write_events(f, nodes, place + 1, lowest)?;
    f.write_str(", ")?;
    write_events(f, nodes, right, lowest)?;
    f.write_str(")")
}
