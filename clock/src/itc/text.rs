//! The paper's notation: `((1, 0), (0, 1, 0))`. Values of inner nodes are relative to the node above.

use core::fmt;

use super::stamp::{History, Stamp};
use super::tree::Node;

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        write_id(f, &self.id.nodes(|left, right| left || right), 0)?;
        write!(f, ", {})", self.history)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_events(f, &self.events.nodes(u64::min), 0, 0)
    }
}

fn write_id(f: &mut fmt::Formatter<'_>, nodes: &[Node<bool>], place: usize) -> fmt::Result {
    let Some(Node { value, right }) = nodes.get(place).copied() else { return Ok(()) };
    let Some(right) = right else { return f.write_str(if value { "1" } else { "0" }) };
    f.write_str("(")?;
    write_id(f, nodes, place + 1)?;
    f.write_str(", ")?;
    write_id(f, nodes, right)?;
    f.write_str(")")
}

fn write_events(f: &mut fmt::Formatter<'_>, nodes: &[Node<u64>], place: usize, base: u64) -> fmt::Result {
    let Some(Node { value: lowest, right }) = nodes.get(place).copied() else { return Ok(()) };
    let own = lowest.saturating_sub(base);
    let Some(right) = right else { return write!(f, "{own}") };
    write!(f, "({own}, ")?;
    write_events(f, nodes, place + 1, lowest)?;
    f.write_str(", ")?;
    write_events(f, nodes, right, lowest)?;
    f.write_str(")")
}
