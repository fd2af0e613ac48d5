//! Fixed little-endian fields over [`bytes`], every length checked.
//!
//! A [`Reader`] never panics and never allocates by a length it has not seen the bytes of.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::ids::{LogIndex, NodeId, Position, Term};

/// Why bytes from outside could not be read. The reader's state is of no further use after one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end before the field does: a cut frame, or a lying length.
    #[error("needs {needed} more bytes, has {have}")]
    Truncated {
        /// Bytes that the field takes.
        needed: usize,
        /// Bytes that are left.
        have: usize,
    },
    /// A field holds a value that this version does not know.
    #[error("{field} holds {value}, which is not defined")]
    Undefined {
        /// The field's name.
        field: &'static str,
        /// What stands there.
        value: u64,
    },
    /// A count or length is over its limit.
    #[error("{field} is {value}, over the limit of {limit}")]
    OverLimit {
        /// The field's name.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// Bytes are left after the last field.
    #[error("{0} bytes are left over")]
    Trailing(usize),
}

/// Reads fields from the front of a frame.
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
}

macro_rules! read_number {
    ($($(#[$doc:meta])* $name:ident -> $type:ty, $get:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self) -> Result<$type, WireError> {
            self.need(size_of::<$type>())?;
            Ok(self.bytes.$get())
        }
    )*};
}

impl Reader {
    /// Reads from these bytes.
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    read_number! {
        /// One byte.
        u8 -> u8, get_u8;
        /// Two bytes.
        u16 -> u16, get_u16_le;
        /// Four bytes.
        u32 -> u32, get_u32_le;
        /// Eight bytes.
        u64 -> u64, get_u64_le;
        /// Sixteen bytes.
        u128 -> u128, get_u128_le;
    }

    /// A flag: 0 or 1, nothing else.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, WireError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(WireError::Undefined { field, value: value.into() }),
        }
    }

    /// A term.
    pub fn term(&mut self) -> Result<Term, WireError> {
        self.u64().map(Term::new)
    }

    /// A log index.
    pub fn index(&mut self) -> Result<LogIndex, WireError> {
        self.u64().map(LogIndex::new)
    }

    /// A node id.
    pub fn node(&mut self) -> Result<NodeId, WireError> {
        self.u64().map(NodeId::new)
    }

    /// A term and an index.
    pub fn position(&mut self) -> Result<Position, WireError> {
        Ok(Position { term: self.term()?, index: self.index()? })
    }

    /// The next `len` bytes, shared with the frame they came in.
    pub fn bytes(&mut self, len: usize) -> Result<Bytes, WireError> {
        self.need(len)?;
        Ok(self.bytes.split_to(len))
    }

    /// A count that must not pass `limit`.
    pub fn count(&mut self, field: &'static str, limit: u32) -> Result<u32, WireError> {
        let value = self.u32()?;
        if value > limit {
            return Err(WireError::OverLimit { field, value: value.into(), limit: limit.into() });
        }
        Ok(value)
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    /// Ends the reading: nothing may be left.
    pub fn finish(self) -> Result<(), WireError> {
        match self.bytes.remaining() {
            0 => Ok(()),
            left => Err(WireError::Trailing(left)),
        }
    }

    fn need(&self, needed: usize) -> Result<(), WireError> {
        let have = self.bytes.remaining();
        if have < needed { Err(WireError::Truncated { needed, have }) } else { Ok(()) }
    }
}

/// Writes fields to the end of a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: BytesMut,
}

impl Writer {
    /// A writer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: BytesMut::with_capacity(capacity) }
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.put_u8(value);
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) {
        self.bytes.put_u16_le(value);
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes.put_u32_le(value);
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes.put_u64_le(value);
    }

    /// Sixteen bytes.
    pub fn u128(&mut self, value: u128) {
        self.bytes.put_u128_le(value);
    }

    /// A flag.
    pub fn bool(&mut self, value: bool) {
        self.bytes.put_u8(value.into());
    }

    /// A term and an index.
    pub fn position(&mut self, value: Position) {
        self.u64(value.term.get());
        self.u64(value.index.get());
    }

    /// These bytes as they are, without a length.
    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.put_slice(value);
    }

    /// What was written so far; the writer starts anew and keeps its spare room.
    pub fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }

    /// How much was written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut w = Writer::default();
        w.u8(7);
        w.bool(true);
        w.u32(9);
        w.position(Position::new(3, 4));
        w.raw(b"abc");
        let mut r = Reader::new(w.take());
        assert_eq!(r.u8(), Ok(7));
        assert_eq!(r.bool("flag"), Ok(true));
        assert_eq!(r.count("n", 9), Ok(9));
        assert_eq!(r.position(), Ok(Position::new(3, 4)));
        assert_eq!(r.bytes(3), Ok(Bytes::from_static(b"abc")));
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn every_cut_is_an_error_and_no_length_is_believed() {
        let mut r = Reader::new(Bytes::from_static(&[1, 2, 3]));
        assert_eq!(r.u64(), Err(WireError::Truncated { needed: 8, have: 3 }));
        assert_eq!(r.bytes(usize::MAX), Err(WireError::Truncated { needed: usize::MAX, have: 3 }));
        assert_eq!(r.bool("flag"), Ok(true));
        assert_eq!(r.bool("flag"), Err(WireError::Undefined { field: "flag", value: 2 }));
        assert_eq!(r.finish(), Err(WireError::Trailing(1)));
        let mut r = Reader::new(Bytes::from_static(&[10, 0, 0, 0]));
        assert_eq!(r.count("n", 9), Err(WireError::OverLimit { field: "n", value: 10, limit: 9 }));
    }
}
