//! Snapshots: streamed in chunks, checked, and installed whole or not at all.
//!
//! ```text
//!  begin(at, hard limit) ─▶ write_chunk(offset, bytes) … ─▶ install(length, checksum) ─▶ the newest snapshot
//!                                      └──────────────── abandon ─▶ gone
//! ```

use bytes::Bytes;

use super::StoreError;
use crate::ids::Position;

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotMeta {
    /// The last entry whose effect it holds.
    pub at: Position,
    /// Length of its content in bytes.
    pub len: u64,
    /// CRC-32C of its content; see [`crc32c`].
    pub checksum: u32,
}

/// Holds the newest snapshot of a service, and takes in the next one chunk by chunk.
///
/// At most one is being taken in. Memory: one chunk, except for stores that are memory.
pub trait SnapshotStore {
    /// The newest installed snapshot.
    fn newest(&self) -> Result<Option<SnapshotMeta>, StoreError>;

    /// Up to `max_bytes` of the newest snapshot from `offset` on, fewer only at its end.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when there is no snapshot or `offset` is beyond its end.
    fn read_chunk(&self, offset: u64, max_bytes: usize) -> Result<Bytes, StoreError>;

    /// Starts taking one in; what was being taken in before is abandoned.
    fn begin(&mut self, at: Position) -> Result<(), StoreError>;

    /// Adds a chunk. Chunks come in order; one that was written already may come again and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the snapshot would pass the store's limit; [`StoreError::Misuse`] for a hole, or when
    /// none is being taken in. Nothing was taken.
    fn write_chunk(&mut self, offset: u64, chunk: &[u8]) -> Result<(), StoreError>;

    /// Makes what was taken in the newest snapshot, if it has this length and checksum. When this returns, a crash
    /// keeps it; when it fails, or before, a crash keeps the older one.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when length or checksum differ, or when it is not newer than the newest; what was taken
    /// in is abandoned then.
    fn install(&mut self, len: u64, checksum: u32) -> Result<SnapshotMeta, StoreError>;

    /// Forgets what is being taken in.
    fn abandon(&mut self) -> Result<(), StoreError>;
}

/// Keeps the newest snapshot in memory.
#[derive(Debug)]
pub struct MemSnapshotStore {
    newest: Option<(SnapshotMeta, Bytes)>,
    incoming: Option<(Position, Vec<u8>)>,
    limit: u64,
}

impl MemSnapshotStore {
    /// A store for snapshots of up to `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { newest: None, incoming: None, limit }
    }
}

impl SnapshotStore for MemSnapshotStore {
    fn newest(&self) -> Result<Option<SnapshotMeta>, StoreError> {
        Ok(self.newest.as_ref().map(|(meta, _)| *meta))
    }

    fn read_chunk(&self, offset: u64, max_bytes: usize) -> Result<Bytes, StoreError> {
        let outside = StoreError::Misuse("a chunk outside the snapshot");
        let Some((_, content)) = &self.newest else { return Err(outside) };
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        if from > content.len() {
            return Err(outside);
        }
        Ok(content.slice(from..from.saturating_add(max_bytes).min(content.len())))
    }

    fn begin(&mut self, at: Position) -> Result<(), StoreError> {
        self.incoming = Some((at, Vec::new()));
        Ok(())
    }

    fn write_chunk(&mut self, offset: u64, chunk: &[u8]) -> Result<(), StoreError> {
        let Some((_, content)) = &mut self.incoming else {
            return Err(StoreError::Misuse("no snapshot is being taken in"));
        };
        let Some(fresh) = fresh_part(content.len() as u64, offset, chunk, self.limit)? else { return Ok(()) };
        content.extend_from_slice(fresh);
        Ok(())
    }

    fn install(&mut self, len: u64, checksum: u32) -> Result<SnapshotMeta, StoreError> {
        let Some((at, content)) = self.incoming.take() else {
            return Err(StoreError::Misuse("no snapshot is being taken in"));
        };
        let found = SnapshotMeta { at, len: content.len() as u64, checksum: crc32c(0, &content) };
        let meta = SnapshotMeta { at, len, checksum };
        check_install(&meta, &found, self.newest.as_ref().map(|(newest, _)| newest))?;
        self.newest = Some((meta, content.into()));
        Ok(meta)
    }

    fn abandon(&mut self) -> Result<(), StoreError> {
        self.incoming = None;
        Ok(())
    }
}

/// For implementers: the part of a chunk that is new behind `have` bytes; `None` when all of it came before.
///
/// # Errors
/// [`StoreError::Misuse`] for a hole, [`StoreError::Full`] beyond the limit.
pub fn fresh_part(have: u64, offset: u64, chunk: &[u8], limit: u64) -> Result<Option<&[u8]>, StoreError> {
    let Some(known) = have.checked_sub(offset) else {
        return Err(StoreError::Misuse("a chunk that leaves a hole"));
    };
    if offset.saturating_add(chunk.len() as u64) > limit {
        return Err(StoreError::Full);
    }
    let fresh = usize::try_from(known).ok().and_then(|known| chunk.get(known..));
    Ok(fresh.filter(|fresh| !fresh.is_empty()))
}

/// For implementers: whether what was found may be installed as what was announced.
///
/// # Errors
/// [`StoreError::Misuse`] when it may not.
pub fn check_install(
    announced: &SnapshotMeta,
    found: &SnapshotMeta,
    newest: Option<&SnapshotMeta>,
) -> Result<(), StoreError> {
    if announced.len != found.len {
        return Err(StoreError::Misuse("the snapshot has another length than announced"));
    }
    if announced.checksum != found.checksum {
        return Err(StoreError::Misuse("the snapshot has another checksum than announced"));
    }
    if newest.is_some_and(|newest| newest.at.index >= announced.at.index) {
        return Err(StoreError::Misuse("the snapshot is not newer than the one installed"));
    }
    Ok(())
}

/// CRC-32C (Castagnoli) of `bytes` behind those that gave `before`; start with zero. Table-driven, about 400 MB/s:
/// for snapshots, not for hot paths.
pub fn crc32c(before: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut at = 0u32;
        while at < 256 {
            let mut crc = at;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            let (place, _) = table.split_at_mut(at as usize + 1);
            if let [.., last] = place {
                *last = crc;
            }
            at += 1;
        }
        table
    };
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default() ^ (crc >> 8)
    };
    !bytes.iter().fold(!before, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_in(content: &[u8]) -> MemSnapshotStore {
        let mut store = MemSnapshotStore::new(1000);
        store.begin(Position::new(1, 5)).unwrap();
        for (number, chunk) in content.chunks(7).enumerate() {
            store.write_chunk(number as u64 * 7, chunk).unwrap();
            store.write_chunk(number as u64 * 7, chunk).unwrap();
        }
        store
    }

    #[test]
    fn the_published_check_value() {
        assert_eq!(crc32c(0, b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(crc32c(0, b"1234"), b"56789"), 0xe306_9283);
    }

    #[test]
    fn chunks_make_a_snapshot_that_reads_back() {
        let content: Vec<u8> = (0..100).collect();
        let mut store = taken_in(&content);
        assert_eq!(store.newest(), Ok(None));
        let meta = store.install(100, crc32c(0, &content)).unwrap();
        assert_eq!(store.newest(), Ok(Some(meta)));
        assert_eq!(store.read_chunk(90, 64).unwrap(), content[90..]);
        assert_eq!(store.read_chunk(10, 5).unwrap(), content[10..15]);
        assert!(store.read_chunk(100, 5).unwrap().is_empty());
        assert!(matches!(store.read_chunk(101, 5), Err(StoreError::Misuse(_))));
    }

    #[test]
    fn transport_4_a_snapshot_is_bounded_checked_and_can_be_given_up() {
        let content = [9; 100];
        let sum = crc32c(0, &content);
        assert!(taken_in(&content).install(99, sum).is_err(), "length");
        assert!(taken_in(&content).install(100, sum ^ 1).is_err(), "checksum");
        let mut store = taken_in(&content);
        assert!(matches!(store.write_chunk(101, b"x"), Err(StoreError::Misuse(_))), "a hole");
        assert_eq!(store.write_chunk(100, &[0; 901]), Err(StoreError::Full));
        store.install(100, sum).unwrap();
        store.begin(Position::new(2, 5)).unwrap();
        assert!(store.install(0, 0).is_err(), "not newer");
        store.begin(Position::new(2, 6)).unwrap();
        store.abandon().unwrap();
        assert!(matches!(store.write_chunk(0, b"x"), Err(StoreError::Misuse(_))));
        assert_eq!(store.newest().unwrap().unwrap().at, Position::new(1, 5));
    }
}
