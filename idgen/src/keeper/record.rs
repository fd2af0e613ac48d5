//! What is stored: whose ceiling, of which layout, and where it is.

use alloc::vec::Vec;
use core::time::Duration;

use crate::layout::{Layout, Order, Position};
use crate::node::NodeId;
use crate::record;

/// The last letter is the version.
const KIND: [u8; 4] = *b"IDG1";

/// Why a stored value is not this generator's ceiling.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// No record of a ceiling, or one whose checksum does not fit: bytes of others, or a disk that lies.
    #[error("the stored value is no ceiling, or damaged")]
    Damaged,
    /// The ceiling of another node. Two generators under one name, or the node's number was changed: under a new name the
    /// new node starts at the wall.
    #[error("the stored ceiling is that of node {stored}, not of node {node}")]
    Node {
        /// Whose it is.
        stored: u64,
        /// Who asks.
        node: u32,
    },
    /// A ceiling of another layout: its positions are other numbers here.
    #[error("the stored ceiling is one of another layout than {layout}, or of another epoch")]
    Layout {
        /// [`Layout::NAME`] of who asks.
        layout: &'static str,
    },
}

/// A stored ceiling, as it stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// Whose.
    pub node: u64,
    /// [`Position::as_u64`].
    pub ceiling: u64,
    /// How many lives have written it.
    pub turn: u64,
    /// The ceiling as time since 1970, by the stored layout's epoch and ticks.
    pub time: Duration,
    epoch_ms: u64,
    ticks_per_second: u64,
    shape: u64,
}

impl Kept {
    pub(super) fn read(value: &[u8]) -> Result<Self, RecordError> {
        let [node, epoch_ms, ticks_per_second, shape, ceiling, turn] =
            record::decode(KIND, value).ok_or(RecordError::Damaged)?;
        let sequence_bits = u32::try_from(shape & 0xff).map_err(|_| RecordError::Damaged)?;
        let ticks = ceiling.checked_shr(sequence_bits).ok_or(RecordError::Damaged)?;
        let seconds = ticks.checked_div(ticks_per_second).ok_or(RecordError::Damaged)?;
        let nanos = u128::from(ticks % ticks_per_second) * 1_000_000_000 / u128::from(ticks_per_second);
        let part = Duration::from_nanos(u64::try_from(nanos).map_err(|_| RecordError::Damaged)?);
        let time =
            Duration::from_millis(epoch_ms).saturating_add(Duration::from_secs(seconds)).saturating_add(part);
        Ok(Self { node, ceiling, turn, time, epoch_ms, ticks_per_second, shape })
    }

    fn of<L: Layout>(node: NodeId<L>, ceiling: Position<L>, turn: u64) -> Self {
        let order = match L::ORDER {
            Order::NodeThenSequence => 0,
            Order::SequenceThenNode => 1,
        };
        let widths = [order, L::BITS, L::TIME_BITS, L::NODE_BITS, L::SEQUENCE_BITS];
        Self {
            node: node.get().into(),
            ceiling: ceiling.as_u64(),
            turn,
            time: ceiling.time(),
            epoch_ms: L::EPOCH_MS,
            ticks_per_second: L::TICKS_PER_SECOND,
            shape: widths.into_iter().fold(0, |shape, width| shape << 8 | u64::from(width)),
        }
    }
}

pub(super) fn encode<L: Layout>(node: NodeId<L>, ceiling: Position<L>, turn: u64) -> Vec<u8> {
    let Kept { node, ceiling, turn, epoch_ms, ticks_per_second, shape, .. } = Kept::of(node, ceiling, turn);
    record::encode(KIND, [node, epoch_ms, ticks_per_second, shape, ceiling, turn])
}

/// Ceiling and turn.
pub(super) fn decode<L: Layout>(node: NodeId<L>, value: &[u8]) -> Result<(Position<L>, u64), RecordError> {
    let kept = Kept::read(value)?;
    let own = Kept::of(node, Position::ZERO, 0);
    if (kept.epoch_ms, kept.ticks_per_second, kept.shape) != (own.epoch_ms, own.ticks_per_second, own.shape) {
        return Err(RecordError::Layout { layout: L::NAME });
    }
    if kept.node != own.node {
        return Err(RecordError::Node { stored: kept.node, node: node.get() });
    }
    let ceiling = Position::from_u64(kept.ceiling).ok_or(RecordError::Damaged)?;
    Ok((ceiling, kept.turn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Discord, Snowflake, Sonyflake, Twitter};

    crate::layout! {
        /// As Twitter's, but for the order.
        struct Turned {
            bits: 63, order: SequenceThenNode, epoch_ms: 1_288_834_974_657, time: 41, node: 10, sequence: 12
        }
    }

    fn node<L: Layout>(node: u64) -> NodeId<L> {
        NodeId::new(node).unwrap()
    }

    #[test]
    fn a_ceiling_is_read_back_by_its_own_node_and_layout_alone() {
        let ceiling = Position::<Twitter>::at(Duration::from_millis(1_767_225_600_000)).plus(5);
        let value = encode(node(7), ceiling, 3);
        assert_eq!(decode(node(7), &value), Ok((ceiling, 3)));
        assert_eq!(decode::<Twitter>(node(8), &value), Err(RecordError::Node { stored: 7, node: 8 }));
        assert!(matches!(decode::<Discord>(node(7), &value), Err(RecordError::Layout { .. })));
        assert!(matches!(decode::<Sonyflake>(node(7), &value), Err(RecordError::Layout { .. })));
        type Later = Snowflake<1_288_834_974_658>;
        assert!(matches!(decode::<Later>(node(7), &value), Err(RecordError::Layout { .. })));
        assert!(matches!(decode::<Turned>(node(7), &value), Err(RecordError::Layout { .. })));
        let kept = Kept::read(&value).unwrap();
        assert_eq!((kept.node, kept.ceiling, kept.turn, kept.time), (7, ceiling.as_u64(), 3, ceiling.time()));
    }

    #[test]
    fn bytes_of_others_and_positions_that_are_none_are_damaged() {
        for value in [&b""[..], b"41", b"HLC1\0\0\0\x0c\0\0\0\0\0\x0fB@\x06\x08\x01\x02\x03\x04\x05\x06"] {
            assert_eq!(decode::<Twitter>(node(7), value), Err(RecordError::Damaged));
        }
        let Kept { epoch_ms, ticks_per_second, shape, .. } = Kept::of(node::<Twitter>(7), Position::ZERO, 1);
        let beyond = record::encode(KIND, [7, epoch_ms, ticks_per_second, shape, u64::MAX, 1]);
        assert_eq!(decode::<Twitter>(node(7), &beyond), Err(RecordError::Damaged));
        let timeless = record::encode(KIND, [7, epoch_ms, 0, shape, 1, 1]);
        assert_eq!(Kept::read(&timeless), Err(RecordError::Damaged));
    }

    proptest::proptest! {
        /// Whatever was stored with a sound checksum: read or refused, and never a position that does not exist.
        #[test]
        fn any_numbers_are_read_or_refused(
            numbers: [u64; 6],
            edges in proptest::array::uniform6(proptest::option::of(0_usize..5)),
        ) {
            let Kept { epoch_ms, ticks_per_second, shape, .. } = Kept::of(node::<Twitter>(7), Position::ZERO, 1);
            let own = [7, epoch_ms, ticks_per_second, shape, Position::<Twitter>::END.as_u64(), 1];
            let mut record = numbers;
            for ((number, own), edge) in record.iter_mut().zip(own).zip(edges) {
                *number = edge.map_or(*number, |edge| [0, 1, own, own.wrapping_add(1), u64::MAX][edge]);
            }
            let value = record::encode(KIND, record);
            if let Ok(kept) = Kept::read(&value) {
                proptest::prop_assert_eq!((kept.node, kept.ceiling, kept.turn), (record[0], record[4], record[5]));
            }
            if let Ok((ceiling, turn)) = decode::<Twitter>(node(7), &value) {
                proptest::prop_assert!(ceiling <= Position::END);
                proptest::prop_assert_eq!(encode(node(7), ceiling, turn), value);
            }
        }
    }
}
