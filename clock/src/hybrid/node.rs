//! Stamps of several nodes in one total order.

use core::fmt;
use core::str::FromStr;

use super::layout::{Layout, Micros};
use super::text::ParseError;
use super::timestamp::Timestamp;

/// A stamp and the node that gave it. Two nodes may give equal stamps to concurrent events; the node breaks the tie,
/// as Lamport's total order does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(serialize = "N: serde::Serialize", deserialize = "N: serde::Deserialize<'de>"))
)]
pub struct NodeTimestamp<N = u64, L: Layout = Micros> {
    /// When.
    pub stamp: Timestamp<L>,
    /// By whom.
    pub node: N,
}

impl<N, L: Layout> NodeTimestamp<N, L> {
    /// A stamp of this node.
    pub const fn new(stamp: Timestamp<L>, node: N) -> Self {
        Self { stamp, node }
    }
}

impl<L: Layout> NodeTimestamp<u64, L> {
    /// Stamp, then node, both big-endian: bytes sort like what they say.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.stamp.as_u64()) << 64 | u128::from(self.node)).to_be_bytes()
    }

    /// From [`NodeTimestamp::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [s0, s1, s2, s3, s4, s5, s6, s7, node @ ..] = bytes;
        let stamp = Timestamp::from_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        Self { stamp, node: u64::from_be_bytes(node) }
    }
}

/// The stamp's text, `@`, and the node.
impl<N: fmt::Display, L: Layout> fmt::Display for NodeTimestamp<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.stamp, self.node)
    }
}

impl<N: FromStr, L: Layout> FromStr for NodeTimestamp<N, L> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (stamp, node) = text.split_once('@').ok_or(ParseError::Node)?;
        Ok(Self { stamp: stamp.parse()?, node: node.parse().map_err(|_| ParseError::Node)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_sort_like_what_they_say_and_text_is_read_back(a: (u64, u64), b: (u64, u64)) {
            let [a, b] = [a, b].map(|(stamp, node)| NodeTimestamp::<u64>::new(Timestamp::from_u64(stamp), node));
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
            prop_assert_eq!(NodeTimestamp::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }

    #[test]
    fn a_node_may_have_any_name() {
        let text = "2024-01-01T00:00:00.000000Z#0001@rack 3@paris";
        let it: NodeTimestamp<alloc::string::String> = text.parse().unwrap();
        assert_eq!((it.node.as_str(), it.stamp.logical()), ("rack 3@paris", 1));
        assert_eq!(it.to_string(), text);
    }

    #[test]
    fn the_node_breaks_a_tie_and_only_a_tie() {
        let at = |stamp, node| NodeTimestamp::<u64>::new(Timestamp::from_u64(stamp), node);
        assert!(at(7, 1) < at(7, 2) && at(7, 2) < at(8, 1));
        assert_eq!("2024-01-01T00:00:00Z#0001".parse::<NodeTimestamp>(), Err(ParseError::Node));
        assert_eq!("2024-01-01T00:00:00Z#0001@x".parse::<NodeTimestamp>(), Err(ParseError::Node));
    }
}
