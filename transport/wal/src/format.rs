//! The bytes on disk.
//!
//! A directory holds `LOCK` and segments `0000000000000001.wal`, `…2.wal`, … Numbers are little-endian; offsets are
//! from the start of the file. The log is one stream of bytes over all segments: the byte at `offset` of a segment
//! has the stream position `start + offset`, and each segment starts where the used part of the one before ends.
//!
//! ```text
//! segment   0  8  magic "synodwal"        header, 48 bytes, durable before the file gets its name
//!           8  4  version, 1
//!          12  4  CRC-32C of bytes 0..12 and 16..48
//!          16  8  sequence, the number in the name
//!          24  8  salt: mixed into every checksum of this file, so that bytes of another never count
//!          32  8  start: stream position of byte 0
//!          40  8  size of the file, preallocated with zeros
//!          48     a checkpoint record, then groups and marks; zeros behind the last
//!
//! record    0  4  length in bytes, this header included; a multiple of 8
//!           4  4  CRC-32C of the salt and bytes 0..4 and 8..32
//!           8  4  CRC-32C of the salt, the position and bytes 32..length
//!          12  1  kind: 1 checkpoint, 2 group, 3 mark, 4 seal; three zeros
//!          16  8  position of byte 0 in the stream
//!          24  8  synced upto: all bytes of the stream before this position were durable when this was written
//!          32     body; padded with zeros so that the last 8 bytes end the record
//!         -8   8  trailer 0xA5 × 8, in checkpoints and groups only: never zero, so that a cut body shows
//!
//! checkpoint body: what the groups behind it start from, if all before is gone
//!           0 16  base: term and index of the last purged entry
//!          16 16  last: term and index of the last entry before this segment
//!          32  8  length of the hard state, or 2^64-1 when there is none
//!          40 48  hard state, padded with zeros
//!
//! group body: batches, in order; the whole group is there or none of it
//!           0  1  parts: 1 truncate, 2 hard state, 4 purge
//!           1  1  length of the hard state
//!           2  2  zeros
//!           4  4  number of entries
//!           8  8  index of the first entry
//!          16  8  truncate: forget this index and all behind      (if part 1)
//!              n  hard state                                      (if part 2)
//!             16  purge: term and index of the last that may go   (if part 4)
//!              …  entries
//!
//! entry     0  8  term
//!           8  4  length of the payload
//!          12  4  CRC-32C of the index, bytes 0..12, 16..24 and the payload
//!          16  1  kind; seven zeros
//!          24     payload
//! ```
//!
//! A **mark** is a bare record header, written without a sync right after the device has confirmed a group: it stands
//! witness that the group before it was durable. A **seal** is the same at the end of a segment that has a successor.
//!
//! One group is in flight at a time. A damaged record is therefore *torn* only while nothing behind it claims that it
//! was synced; see the module `recover` for the rule.

use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::store::HardState;

pub(crate) const MAGIC: [u8; 8] = *b"synodwal";
pub(crate) const VERSION: u32 = 1;
/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEAD: usize = 48;
/// Bytes of a record's header; a mark is nothing more.
pub(crate) const RECORD_HEAD: usize = 32;
/// Bytes before an entry's payload.
pub(crate) const ENTRY_HEAD: usize = 24;
/// Bytes before a batch's optional parts.
pub(crate) const BATCH_HEAD: usize = 16;
pub(crate) const TRAILER: [u8; 8] = [0xA5; 8];
/// Bytes of a whole checkpoint record.
pub(crate) const CHECKPOINT: usize = RECORD_HEAD + 88 + TRAILER.len();
/// No sequence, stream position or index gets beyond this: sums of them stay in range.
pub(crate) const FARTHEST: u64 = u64::MAX / 4;
/// The most bytes that one record holds.
pub(crate) const RECORD_MAX: usize = 1 << 30;

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Checkpoint = 1,
    Group = 2,
    Mark = 3,
    Seal = 4,
}

impl Kind {
    fn from_number(number: u64) -> Option<Self> {
        [Self::Checkpoint, Self::Group, Self::Mark, Self::Seal].into_iter().find(|it| *it as u64 == number)
    }

    fn has_body(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Group)
    }
}

/// The number of `N` bytes at `at`, if they are there.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

/// Like [`u64_at`] for four bytes.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

pub(crate) fn position_at(bytes: &[u8], at: usize) -> Option<Position> {
    Some(Position { term: Term::new(u64_at(bytes, at)?), index: LogIndex::new(u64_at(bytes, at + 8)?) })
}

pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

pub(crate) fn put_position(out: &mut Vec<u8>, position: Position) {
    out.extend_from_slice(&position.term.get().to_le_bytes());
    out.extend_from_slice(&position.index.get().to_le_bytes());
}

fn crc_of(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

/// A segment's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHead {
    pub(crate) sequence: u64,
    pub(crate) salt: u64,
    pub(crate) start: u64,
    pub(crate) size: u64,
}

impl SegmentHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for value in [self.sequence, self.salt, self.start, self.size] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        let crc = crc_of(&[out.get(..12).unwrap_or_default(), out.get(16..).unwrap_or_default()]);
        put(&mut out, 12, &crc.to_le_bytes());
        out
    }

    /// `None` when the bytes are not a header of this version, or hold numbers that no log reaches.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..SEGMENT_HEAD)?;
        let crc = crc_of(&[head.get(..12)?, head.get(16..)?]);
        let known = head.get(..8)? == MAGIC && u32_at(head, 8)? == VERSION && u32_at(head, 12)? == crc;
        let field = |at| u64_at(head, at);
        let it = Self { sequence: field(16)?, salt: field(24)?, start: field(32)?, size: field(40)? };
        let in_range = [it.sequence, it.start, it.size].iter().all(|number| *number <= FARTHEST);
        (known && in_range).then_some(it)
    }
}

/// A record's header, its own checksum verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RecordHead {
    pub(crate) len: usize,
    pub(crate) body_crc: u32,
    pub(crate) kind: Kind,
    pub(crate) position: u64,
    pub(crate) synced_upto: u64,
}

impl RecordHead {
    /// Reads the header at `at`; `None` when there is none that belongs to exactly this place.
    pub(crate) fn decode(bytes: &[u8], at: usize, segment: &SegmentHead) -> Option<Self> {
        let head = bytes.get(at..at.checked_add(RECORD_HEAD)?)?;
        let position = u64_at(head, 16)?;
        if position != segment.start.checked_add(at as u64)? {
            return None;
        }
        let crc = crc_of(&[&segment.salt.to_le_bytes(), head.get(..4)?, head.get(8..)?]);
        if u32_at(head, 4)? != crc {
            return None;
        }
        let kind = Kind::from_number(u32_at(head, 12)?.into())?;
        let len = usize::try_from(u32_at(head, 0)?).ok()?;
        let least = RECORD_HEAD + if kind.has_body() { TRAILER.len() } else { 0 };
        let fits = len >= least && len <= RECORD_MAX && len % 8 == 0;
        let it = Self { len, body_crc: u32_at(head, 8)?, kind, position, synced_upto: u64_at(head, 24)? };
        fits.then_some(it)
    }

    /// Whether the body that follows the header at `at` is the one that was written.
    pub(crate) fn body_is_whole(&self, bytes: &[u8], at: usize, salt: u64) -> bool {
        let end = at.checked_add(self.len);
        let body = end.and_then(|end| bytes.get(at + RECORD_HEAD..end));
        body.is_some_and(|body| body_crc(salt, self.position, body) == self.body_crc)
    }
}

fn body_crc(salt: u64, position: u64, body: &[u8]) -> u32 {
    crc_of(&[&salt.to_le_bytes(), &position.to_le_bytes(), body])
}

/// A record being built: the header is filled in by [`RecordBuilder::finish`], when its place is known.
#[derive(Debug)]
pub(crate) struct RecordBuilder {
    pub(crate) bytes: Vec<u8>,
}

impl Default for RecordBuilder {
    fn default() -> Self {
        Self { bytes: vec![0; RECORD_HEAD] }
    }
}

impl RecordBuilder {
    /// Length of the record if nothing more is added.
    pub(crate) fn len(&self) -> usize {
        padded(self.bytes.len()) + TRAILER.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == RECORD_HEAD
    }

    /// Pads, ends and checksums the record for its place.
    pub(crate) fn finish(&mut self, kind: Kind, salt: u64, position: u64, synced_upto: u64) -> &[u8] {
        if kind.has_body() {
            self.bytes.resize(padded(self.bytes.len()), 0);
            self.bytes.extend_from_slice(&TRAILER);
        }
        let crc = body_crc(salt, position, self.bytes.get(RECORD_HEAD..).unwrap_or_default());
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let bytes = &mut self.bytes;
        put(bytes, 0, &len.to_le_bytes());
        put(bytes, 8, &crc.to_le_bytes());
        put(bytes, 12, &[kind as u8, 0, 0, 0]);
        put(bytes, 16, &position.to_le_bytes());
        put(bytes, 24, &synced_upto.to_le_bytes());
        let [first, rest] = [bytes.get(..4), bytes.get(8..RECORD_HEAD)].map(Option::unwrap_or_default);
        let head_crc = crc_of(&[&salt.to_le_bytes(), first, rest]);
        put(bytes, 4, &head_crc.to_le_bytes());
        bytes
    }

    /// Makes it empty again, keeping its room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(RECORD_HEAD, 0);
    }
}

fn padded(len: usize) -> usize {
    len.div_ceil(8) * 8
}

/// A mark or seal for this place.
pub(crate) fn bare(kind: Kind, salt: u64, position: u64, synced_upto: u64) -> Vec<u8> {
    let mut record = RecordBuilder::default();
    record.finish(kind, salt, position, synced_upto);
    record.bytes
}

/// What a segment starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Checkpoint {
    pub(crate) base: Position,
    pub(crate) last: Position,
    pub(crate) hard_state: Option<HardState>,
}

impl Checkpoint {
    pub(crate) fn encode(&self, salt: u64, position: u64) -> Vec<u8> {
        let mut record = RecordBuilder::default();
        let out = &mut record.bytes;
        put_position(out, self.base);
        put_position(out, self.last);
        let hard_state = self.hard_state.as_ref().map(HardState::as_bytes);
        out.extend_from_slice(&hard_state.map_or(u64::MAX, |it| it.len() as u64).to_le_bytes());
        let from = out.len();
        out.extend_from_slice(hard_state.unwrap_or_default());
        out.resize(from + HardState::MAX, 0);
        record.finish(Kind::Checkpoint, salt, position, position);
        record.bytes
    }

    /// From a checkpoint's body; `None` when it holds an index that no log reaches.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let hard_state = match u64_at(body, 32)? {
            u64::MAX => None,
            len => Some(HardState::new(body.get(40..40_usize.checked_add(usize::try_from(len).ok()?)?)?)?),
        };
        let it = Self { base: position_at(body, 0)?, last: position_at(body, 16)?, hard_state };
        (it.last.index.get() <= FARTHEST).then_some(it)
    }
}

/// The checksum of one entry, so that a read can verify it without its group.
pub(crate) fn entry_crc(index: u64, head: &[u8], payload: &[u8]) -> u32 {
    let [first, rest] = [head.get(..12), head.get(16..ENTRY_HEAD)].map(Option::unwrap_or_default);
    crc_of(&[&index.to_le_bytes(), first, rest, payload])
}
