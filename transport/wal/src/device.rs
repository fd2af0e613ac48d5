//! The writing end: puts one group after the other into segments, and makes each durable before the next.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::WalError;
use crate::files::{Files, Handle};
use crate::format::{
    CHECKPOINT, Checkpoint, Kind, RECORD_HEAD, RecordBuilder, SEGMENT_HEAD, SegmentHead, bare,
};

/// Kept free at the end of a segment: a mark and a seal.
pub(crate) const RESERVE: usize = 2 * RECORD_HEAD;

/// Name of the segment with this sequence.
pub(crate) fn segment_name(sequence: u64) -> String {
    format!("{sequence:016}.wal")
}

/// Where a group goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: usize,
}

/// The segment being written, and the names of those before it. One thread at a time has it.
pub(crate) struct Device {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) dir: PathBuf,
    pub(crate) segment_bytes: usize,
    pub(crate) head: SegmentHead,
    pub(crate) handle: Arc<dyn Handle>,
    /// Where the next record goes.
    pub(crate) offset: usize,
    /// Everything before this position of the stream is durable.
    pub(crate) synced: u64,
    /// What the log held after the last group.
    pub(crate) checkpoint: Checkpoint,
    /// Sequences of the segments that exist, oldest first, the current one included.
    pub(crate) segments: VecDeque<u64>,
}

impl Device {
    /// Makes a directory's first segment.
    pub(crate) fn create(files: Arc<dyn Files>, dir: &Path, segment_bytes: usize) -> Result<Self, WalError> {
        let checkpoint = Checkpoint::default();
        let (head, handle) = new_segment(&*files, dir, 1, 0, segment_bytes, &checkpoint)?;
        let offset = SEGMENT_HEAD + CHECKPOINT;
        let segments = VecDeque::from([1]);
        let synced = offset as u64;
        Ok(Self { files, dir: dir.into(), segment_bytes, head, handle, offset, synced, checkpoint, segments })
    }

    /// Where a record of `len` bytes will go.
    pub(crate) fn place(&self, len: usize) -> Place {
        let end = (self.offset + RESERVE).saturating_add(len) as u64;
        if end <= self.head.size {
            Place { segment: self.head.sequence, offset: self.offset }
        } else {
            Place { segment: self.head.sequence + 1, offset: SEGMENT_HEAD + CHECKPOINT }
        }
    }

    /// Writes a group at its place and returns once it is durable. `after` is what the log holds with it; segments
    /// before `keep_from` hold nothing that is still needed then.
    ///
    /// After an error the device must not be used again.
    pub(crate) fn write(
        &mut self,
        group: &mut RecordBuilder,
        place: Place,
        after: Checkpoint,
        keep_from: u64,
    ) -> Result<(), WalError> {
        if place.segment != self.head.sequence {
            self.roll(group.len())?;
        }
        let position = self.head.start + self.offset as u64;
        let bytes = group.finish(Kind::Group, self.head.salt, position, self.synced);
        self.handle.write_at(bytes, self.offset as u64).map_err(self.failed("writing"))?;
        self.handle.sync_data().map_err(self.failed("syncing"))?;
        self.offset += bytes.len();
        self.synced = self.head.start + self.offset as u64;
        self.checkpoint = after;
        self.mark()?;
        self.remove_before(keep_from)
    }

    /// Writes down, without a sync, that everything so far is durable.
    pub(crate) fn mark(&mut self) -> Result<(), WalError> {
        let mark = bare(Kind::Mark, self.head.salt, self.synced, self.synced);
        self.handle.write_at(&mark, self.offset as u64).map_err(self.failed("marking"))?;
        self.offset += mark.len();
        Ok(())
    }

    /// Goes on in a new segment with room for `len` bytes at least.
    fn roll(&mut self, len: usize) -> Result<(), WalError> {
        let end = self.head.start + self.offset as u64;
        // The last mark too must be durable: damage before a successor always counts as corruption.
        self.handle.sync_data().map_err(self.failed("syncing"))?;
        let size = self.segment_bytes.max(SEGMENT_HEAD + CHECKPOINT + len + RESERVE).div_ceil(4096) * 4096;
        let sequence = self.head.sequence + 1;
        let (head, handle) = new_segment(&*self.files, &self.dir, sequence, end, size, &self.checkpoint)?;
        // Only now that the successor is durable may the old segment say that it has one.
        let seal = bare(Kind::Seal, self.head.salt, end, end);
        self.handle.write_at(&seal, self.offset as u64).map_err(self.failed("sealing"))?;
        self.handle.sync_data().map_err(self.failed("syncing"))?;
        self.segments.push_back(sequence);
        self.head = head;
        self.handle = handle;
        self.offset = SEGMENT_HEAD + CHECKPOINT;
        self.synced = self.head.start + self.offset as u64;
        Ok(())
    }

    /// Removes segments, oldest first, so that a crash leaves no gap between those that stay.
    fn remove_before(&mut self, keep_from: u64) -> Result<(), WalError> {
        let mut removed = false;
        while let Some(oldest) = self.segments.front().copied().filter(|it| *it < keep_from) {
            let path = self.dir.join(segment_name(oldest));
            self.files.remove(&path).map_err(WalError::io(format!("removing {}", path.display())))?;
            self.segments.pop_front();
            // Names may reach the disk in any order: make each removal durable before the next.
            self.files.sync_dir(&self.dir).map_err(WalError::io("syncing the directory"))?;
            removed = true;
        }
        debug_assert!(!removed || self.segments.back() == Some(&self.head.sequence));
        Ok(())
    }

    /// Names the operation and the segment once there is an error to name them for.
    fn failed(&self, what: &'static str) -> impl FnOnce(std::io::Error) -> WalError + use<> {
        let sequence = self.head.sequence;
        move |error| WalError::io(format!("{what} {}", segment_name(sequence)))(error)
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("head", &self.head)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Makes a segment under another name, then gives it its own: a segment that can be seen has its header and
/// checkpoint, durable.
fn new_segment(
    files: &dyn Files,
    dir: &Path,
    sequence: u64,
    start: u64,
    size: usize,
    checkpoint: &Checkpoint,
) -> Result<(SegmentHead, Arc<dyn Handle>), WalError> {
    let path = dir.join(segment_name(sequence));
    let temporary = path.with_extension("tmp");
    let what = || format!("making {}", path.display());
    let head = SegmentHead { sequence, salt: salt(sequence), start, size: size as u64 };
    let mut bytes = head.encode();
    bytes.extend_from_slice(&checkpoint.encode(head.salt, start + SEGMENT_HEAD as u64));
    let handle = files.create(&temporary, head.size).map_err(WalError::io(what()))?;
    handle.write_at(&bytes, 0).map_err(WalError::io(what()))?;
    handle.sync_data().map_err(WalError::io(what()))?;
    files.rename(&temporary, &path).map_err(WalError::io(what()))?;
    files.sync_dir(dir).map_err(WalError::io(what()))?;
    Ok((head, handle))
}

/// A number that no other segment had: the standard library's random hash keys and the time.
fn salt(sequence: u64) -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u64(sequence);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    hasher.write_u128(since.as_nanos());
    hasher.finish()
}
