//! The paper's binary encoding, bit for bit as its authors' Erlang code has it: identity, then history,
//! most significant bit first. The last byte is filled up with zeros.

use alloc::vec::Vec;

use super::event::Events;
use super::id::Id;
use super::stamp::{History, Stamp};
use super::tree::{Leaf, MAX_DEPTH, Node, Tree};

/// Why bytes are not a stamp or a history. Whoever made them is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("the bytes end within the stamp")]
    Truncated,
    /// A tree is deeper than [`MAX_DEPTH`].
    #[error("a tree is deeper than {MAX_DEPTH}")]
    TooDeep,
    /// A height is over `u64::MAX`.
    #[error("a height of the history is over 2^64 - 1")]
    CounterOverflow,
    /// The same stamp has another encoding, the only one that is accepted: trees in normal form, the shortest form of
    /// each node, nothing behind it, and zeros in what is left of the last byte.
    #[error("this is not how the stamp is encoded")]
    NotCanonical,
    /// A stamp was asked for, and the bytes own nothing: they are a [`History`].
    #[error("the stamp is anonymous")]
    Anonymous,
    /// A history was asked for, and the bytes own something: they are a [`Stamp`], of which there must not be two.
    #[error("the stamp is not anonymous")]
    NotAnonymous,
}

impl Stamp {
    /// As bytes: a few for a few processes. O(leaves).
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.id, &self.history.events)
    }

    /// From bytes. The stamp that was encoded must not be used any more. Takes memory in proportion to the bytes.
    ///
    /// # Errors
    /// [`DecodeError`]; every stamp has exactly one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (id, events) = decode(bytes)?;
        if id.is_constant(false) {
            return Err(DecodeError::Anonymous);
        }
        Ok(Self { id, history: History { events } })
    }
}

impl History {
    /// As bytes, those of a stamp that owns nothing. O(leaves).
    pub fn encode(&self) -> Vec<u8> {
        encode(&Id::constant(false), &self.events)
    }

    /// From bytes. Takes memory in proportion to them.
    ///
    /// # Errors
    /// [`DecodeError`]; every history has exactly one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (id, events) = decode(bytes)?;
        if !id.is_constant(false) {
            return Err(DecodeError::NotAnonymous);
        }
        Ok(Self { events })
    }
}

fn encode(id: &Id, events: &Events) -> Vec<u8> {
    let mut bits = Writer::default();
    write_id(&mut bits, &id.nodes(|left, right| left || right), 0);
    write_events(&mut bits, &events.nodes(u64::min), 0, 0);
    bits.bytes
}

fn decode(bytes: &[u8]) -> Result<(Id, Events), DecodeError> {
    let mut bits = Reader { bytes, read: 0 };
    let (mut id, mut events) = (Vec::new(), Vec::new());
    read_id(&mut bits, &mut id, 0, 0)?;
    read_events(&mut bits, &mut events, 0, 0, 0)?;
    let (id, events) = (Tree::from_leaves(id), Tree::from_leaves(events));
    // There are many ways to say the same; comparing with the one that we say leaves out none of them.
    if encode(&id, &events) == bytes { Ok((id, events)) } else { Err(DecodeError::NotCanonical) }
}

fn write_id(bits: &mut Writer, nodes: &[Node<bool>], place: usize) {
    let Some(Node { value, right }) = nodes.get(place).copied() else { return };
    let Some(right) = right else { return bits.write(u64::from(value), 3) };
    let left = place + 1;
    let is_nothing = |place: usize| nodes.get(place).is_some_and(|node| node.right.is_none() && !node.value);
    // Of the children, one that is nothing is left out.
    let (kind, left_is_written, right_is_written) = match (is_nothing(left), is_nothing(right)) {
        (true, _) => (1, false, true),
        (false, true) => (2, true, false),
        (false, false) => (3, true, true),
    };
    bits.write(kind, 2);
    if left_is_written {
        write_id(bits, nodes, left);
    }
    if right_is_written {
        write_id(bits, nodes, right);
    }
}

fn read_id(
    bits: &mut Reader<'_>,
    leaves: &mut Vec<Leaf<bool>>,
    start: u16,
    level: u16,
) -> Result<(), DecodeError> {
    let leaf = |start, depth, value| Leaf { start, depth, value };
    let below = level + 1;
    let kind = bits.read(2)?;
    if kind == 0 {
        leaves.push(leaf(start, level, bits.read(1)? == 1));
        return Ok(());
    }
    if below > MAX_DEPTH {
        return Err(DecodeError::TooDeep);
    }
    match kind {
        1 => leaves.push(leaf(start, below, false)),
        _ => read_id(bits, leaves, start, below)?,
    }
    match kind {
        2 => leaves.push(leaf(below, below, false)),
        _ => read_id(bits, leaves, below, below)?,
    }
    Ok(())
}

fn write_events(bits: &mut Writer, nodes: &[Node<u64>], place: usize, base: u64) {
    let Some(Node { value: lowest, right }) = nodes.get(place).copied() else { return };
    let own = lowest.saturating_sub(base);
    let Some(right) = right else {
        bits.write(1, 1);
        bits.write_number(own);
        return;
    };
    let left = place + 1;
    let is_level =
        |place: usize| nodes.get(place).is_some_and(|node| node.right.is_none() && node.value == lowest);
    let (left_is_level, right_is_level) = (is_level(left), is_level(right));
    if own == 0 {
        bits.write(
            if left_is_level {
                0
            } else if right_is_level {
                1
            } else {
                2
            },
            3,
        );
    } else {
        bits.write(3, 3);
        match (left_is_level, right_is_level) {
            (true, _) => bits.write(0, 2),
            (false, true) => bits.write(1, 2),
            (false, false) => bits.write(1, 1),
        }
        bits.write(1, 1);
        bits.write_number(own);
    }
    if !left_is_level {
        write_events(bits, nodes, left, lowest);
    }
    if left_is_level || !right_is_level {
        write_events(bits, nodes, right, lowest);
    }
}

fn read_events(
    bits: &mut Reader<'_>,
    leaves: &mut Vec<Leaf<u64>>,
    start: u16,
    level: u16,
    base: u64,
) -> Result<(), DecodeError> {
    let raised = |own: u64| base.checked_add(own).ok_or(DecodeError::CounterOverflow);
    if bits.read(1)? == 1 {
        let value = raised(bits.read_number()?)?;
        leaves.push(Leaf { start, depth: level, value });
        return Ok(());
    }
    let below = level + 1;
    if below > MAX_DEPTH {
        return Err(DecodeError::TooDeep);
    }
    let mut base = base;
    // Which children are written: of both, a level one is left out.
    let (left, right) = match bits.read(2)? {
        0 => (false, true),
        1 => (true, false),
        2 => (true, true),
        _ => {
            let children = match bits.read(1)? {
                0 if bits.read(1)? == 0 => (false, true),
                0 => (true, false),
                _ => (true, true),
            };
            if bits.read(1)? != 1 {
                return Err(DecodeError::NotCanonical); // a tree where a number stands
            }
            base = raised(bits.read_number()?)?;
            children
        }
    };
    for (is_written, start) in [(left, start), (right, below)] {
        if is_written {
            read_events(bits, leaves, start, below, base)?;
        } else {
            leaves.push(Leaf { start, depth: below, value: base });
        }
    }
    Ok(())
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte that are not written yet.
    room: u32,
}

impl Writer {
    /// The lowest `count` bits, the highest of them first.
    fn write(&mut self, value: u64, count: u32) {
        for place in (0..count).rev() {
            if self.room == 0 {
                self.bytes.push(0);
                self.room = 8;
            }
            self.room -= 1;
            let bit = u8::from(value >> place & 1 == 1) << self.room;
            self.bytes.iter_mut().rev().take(1).for_each(|byte| *byte |= bit);
        }
    }

    /// Widths from 2 up in unary, then the rest in that width (the paper's `enc(n, B)`).
    fn write_number(&mut self, number: u64) {
        let (mut rest, mut width) = (number, 2);
        while width < u64::BITS && rest >> width != 0 {
            rest -= 1 << width;
            self.write(1, 1);
            width += 1;
        }
        self.write(0, 1);
        self.write(rest, width);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl Reader<'_> {
    fn read(&mut self, count: u32) -> Result<u64, DecodeError> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.read / 8).ok_or(DecodeError::Truncated)?;
            let bit = byte >> (7 - self.read % 8) & 1;
            value = value << 1 | u64::from(bit);
            self.read += 1;
        }
        Ok(value)
    }

    fn read_number(&mut self) -> Result<u64, DecodeError> {
        let (mut base, mut width) = (0u64, 2);
        while self.read(1)? == 1 {
            if width == u64::BITS {
                return Err(DecodeError::CounterOverflow);
            }
            base += 1 << width; // at most 2^64 - 4
            width += 1;
        }
        base.checked_add(self.read(width)?).ok_or(DecodeError::CounterOverflow)
    }
}
