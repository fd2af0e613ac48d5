//! Opening: what does a directory hold, and can it be believed?
//!
//! Segments are read from the oldest on; every record's checksums are verified. The first record that does not verify
//! is judged:
//!
//! 1. In a segment that has a successor, or in a segment's header or checkpoint: **corrupt**. All of it was durable
//!    before the successor, or the name, was made.
//! 2. Some valid header behind it says `synced upto` a place beyond it: **corrupt**. It had been durable.
//! 3. Its trailer is there and no 512-byte sector of it reads as zeros: **corrupt**. All of the write arrived, so what
//!    differs was damaged later. (Where its header cannot be read, it is taken to reach to the last byte not zero.)
//! 4. Otherwise **torn**: a group whose sync never returned. It is cut by writing zeros over it.
//!
//! What is left is written and synced once more from the newest proven place on, because a page cache may hold bytes
//! that a failed sync never brought to the device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::device::{Device, RESERVE, segment_name};
use crate::error::{Damage, WalError};
use crate::files::{Files, Handle};
use crate::format::{
    CHECKPOINT, Checkpoint, Kind, RECORD_HEAD, RecordHead, SEGMENT_HEAD, SegmentHead, TRAILER,
};
use crate::log::Index;
use crate::plant::{self, Plant};

/// What an opened directory was like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Segments that were read.
    pub segments: u64,
    /// Groups that were found whole.
    pub groups: u64,
    /// Bytes of records that were verified.
    pub bytes: u64,
    /// An unsynced tail that was cut, if there was one.
    pub torn: Option<Torn>,
}

/// A tail that had never been synced, and is gone now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub file: PathBuf,
    /// First byte of it.
    pub from: u64,
    /// How many bytes, up to the last that was not zero.
    pub bytes: u64,
}

/// A record as it is found while scanning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) segment: &'a SegmentHead,
    pub(crate) offset: usize,
    pub(crate) record: RecordHead,
    pub(crate) body: &'a [u8],
}

/// What a scan found out.
pub(crate) struct Scan {
    pub(crate) index: Index,
    pub(crate) report: Recovery,
    pub(crate) segments: Vec<(SegmentHead, Arc<dyn Handle>)>,
    /// In the last segment: the end of what is valid, of what is proven to be synced, and of what is not zero.
    end: usize,
    proven: usize,
    dirty: usize,
    /// What stands between `proven` and `end`, as it was verified.
    unproven: Vec<u8>,
    /// Whether the last valid record is a mark.
    marked: bool,
}

/// Sequences of the segments in a directory, oldest first; and the names of files left half made.
fn list(files: &dyn Files, dir: &Path) -> Result<(Vec<u64>, Vec<String>), WalError> {
    let mut names = files.list(dir).map_err(WalError::io(format!("listing {}", dir.display())))?;
    names.sort();
    let sequence = |name: &String| {
        let sequence = name.strip_suffix(".wal")?.parse::<u64>().ok()?;
        (segment_name(sequence) == *name).then_some(sequence)
    };
    let sequences: Vec<u64> = names.iter().filter_map(sequence).collect();
    names.retain(|name| name.ends_with(".tmp"));
    Ok((sequences, names))
}

/// Reads everything and changes nothing. `None` when there is no segment yet.
pub(crate) fn scan(
    files: &dyn Files,
    dir: &Path,
    visit: &mut dyn FnMut(Seen<'_>),
) -> Result<Option<Scan>, WalError> {
    let (sequences, _) = list(files, dir)?;
    let mut segments = Vec::new();
    for sequence in sequences {
        segments.push(open_segment(files, dir, sequence)?);
    }
    for pair in segments.windows(2) {
        if let [(before, _), (after, _)] = pair {
            if before.sequence + 1 != after.sequence {
                let name = segment_name(before.sequence + 1);
                return corrupt(dir, &name, 0, 0, "the segment is missing");
            }
        }
    }
    let Some((first, _)) = segments.first() else { return Ok(None) };
    let mut scan = Scan {
        index: Index::default(),
        report: Recovery { segments: segments.len() as u64, ..Recovery::default() },
        end: 0,
        proven: 0,
        unproven: Vec::new(),
        dirty: 0,
        marked: false,
        segments: Vec::new(),
    };
    let first = first.sequence;
    let mut bytes = Vec::new();
    for (at, (head, handle)) in segments.iter().enumerate() {
        let name = segment_name(head.sequence);
        read_all(&**handle, head, &mut bytes).map_err(WalError::io(format!("reading {name}")))?;
        let next = segments.get(at + 1).map(|(next, _)| next.start);
        let one = Segment { dir, name: &name, head, bytes: &bytes, next, oldest: head.sequence == first };
        one.scan(&mut scan, visit)?;
    }
    if !scan.index.is_whole() {
        let name = segment_name(first.saturating_sub(1));
        return corrupt(dir, &name, 0, 0, "a segment with entries that are not purged is missing");
    }
    scan.segments = segments;
    Ok(Some(scan))
}

fn corrupt<T>(dir: &Path, name: &str, from: usize, to: usize, reason: &'static str) -> Result<T, WalError> {
    Err(WalError::Corrupt(Damage { file: dir.join(name), from: from as u64, to: to as u64, reason }))
}

fn open_segment(
    files: &dyn Files,
    dir: &Path,
    sequence: u64,
) -> Result<(SegmentHead, Arc<dyn Handle>), WalError> {
    let name = segment_name(sequence);
    let what = || format!("opening {name}");
    let handle = files.open(&dir.join(&name)).map_err(WalError::io(what()))?;
    let mut bytes = [0; SEGMENT_HEAD];
    handle.read_at(&mut bytes, 0).map_err(WalError::io(what()))?;
    let Some(head) = SegmentHead::decode(&bytes).filter(|head| head.sequence == sequence) else {
        return corrupt(dir, &name, 0, SEGMENT_HEAD, "not the header of this segment");
    };
    let len = handle.len().map_err(WalError::io(what()))?;
    if len < head.size {
        let [from, to] = [len, head.size].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        return corrupt(dir, &name, from, to, "the file is shorter than it was made");
    }
    Ok((head, handle))
}

fn read_all(handle: &dyn Handle, head: &SegmentHead, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let size = usize::try_from(head.size).unwrap_or(usize::MAX);
    bytes.resize(size, 0);
    let got = handle.read_at(bytes, 0)?;
    if got < size { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// One segment in memory.
struct Segment<'a> {
    dir: &'a Path,
    name: &'a str,
    head: &'a SegmentHead,
    bytes: &'a [u8],
    /// Where the next segment's stream starts, if there is one.
    next: Option<u64>,
    oldest: bool,
}

impl Segment<'_> {
    fn corrupt<T>(&self, from: usize, to: usize, reason: &'static str) -> Result<T, WalError> {
        corrupt(self.dir, self.name, from, to, reason)
    }

    fn scan(&self, scan: &mut Scan, visit: &mut dyn FnMut(Seen<'_>)) -> Result<(), WalError> {
        let limit = match self.next.map(|next| next.checked_sub(self.head.start)) {
            None => self.bytes.len(),
            Some(limit) => match limit
                .and_then(|it| usize::try_from(it).ok())
                .filter(|it| *it <= self.bytes.len())
            {
                Some(limit) => limit,
                None => return self.corrupt(0, SEGMENT_HEAD, "it does not join with the segment behind it"),
            },
        };
        self.start(scan, visit)?;
        scan.marked = false;
        let mut at = SEGMENT_HEAD + CHECKPOINT;
        let mut proven = at;
        while at < limit {
            let Some(record) = self.record(at, limit) else {
                self.judge(at, limit)?;
                break;
            };
            let body = self.bytes.get(at + RECORD_HEAD..at + record.len).unwrap_or_default();
            match record.kind {
                Kind::Mark => {}
                Kind::Group => {
                    let fits = scan.index.replay(body, self.head.sequence, at + RECORD_HEAD);
                    if fits.is_none() {
                        return self.corrupt(
                            at,
                            at + record.len,
                            "a group that does not fit what is before it",
                        );
                    }
                    scan.report.groups += 1;
                }
                Kind::Seal => {
                    let next = segment_name(self.head.sequence + 1);
                    return corrupt(self.dir, &next, 0, 0, "the last segment is missing");
                }
                Kind::Checkpoint => {
                    return self.corrupt(at, at + record.len, "a checkpoint inside a segment");
                }
            }
            // Only now: what is shown can be read.
            visit(Seen { segment: self.head, offset: at, record, body });
            let claimed = record.synced_upto.saturating_sub(self.head.start);
            proven = proven.max(usize::try_from(claimed).unwrap_or(usize::MAX).min(at));
            scan.marked = record.kind == Kind::Mark;
            scan.report.bytes += record.len as u64;
            at += record.len;
        }
        if self.next.is_none() {
            self.finish(scan, at, proven);
        }
        Ok(())
    }

    /// The end of the last segment: what is behind the valid part is torn, or nothing.
    fn finish(&self, scan: &mut Scan, end: usize, proven: usize) {
        let tail = self.bytes.get(end..).unwrap_or_default();
        let dirty = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if dirty > 0 {
            let file = self.dir.join(self.name);
            scan.report.torn = Some(Torn { file, from: end as u64, bytes: dirty as u64 });
        }
        (scan.end, scan.proven, scan.dirty) = (end, proven, end + dirty);
        scan.unproven = self.bytes.get(proven..end).unwrap_or_default().to_vec();
    }

    /// The checkpoint, which must be there and agree with the segments before.
    fn start(&self, scan: &mut Scan, visit: &mut dyn FnMut(Seen<'_>)) -> Result<(), WalError> {
        let (from, to) = (SEGMENT_HEAD, SEGMENT_HEAD + CHECKPOINT);
        let record = self.record(from, to).filter(|it| it.kind == Kind::Checkpoint && it.len == CHECKPOINT);
        let body = self.bytes.get(from + RECORD_HEAD..to).unwrap_or_default();
        let Some((record, checkpoint)) = record.zip(Checkpoint::decode(body)) else {
            return self.corrupt(from, to, "the checkpoint is damaged");
        };
        visit(Seen { segment: self.head, offset: from, record, body });
        if self.oldest {
            scan.index = Index::new(&checkpoint);
        } else if !scan.index.agree(&checkpoint) {
            return self.corrupt(from, to, "the checkpoint does not agree with the segments before");
        }
        Ok(())
    }

    /// The record at `at`, if it is valid throughout.
    fn record(&self, at: usize, limit: usize) -> Option<RecordHead> {
        let record = RecordHead::decode(self.bytes, at, self.head)?;
        let whole =
            record.len <= limit.checked_sub(at)? && record.body_is_whole(self.bytes, at, self.head.salt);
        whole.then_some(record)
    }

    /// Says whether what stands at `at` was ever durable.
    fn judge(&self, at: usize, limit: usize) -> Result<(), WalError> {
        if plant::is(Plant::EveryDamageIsTorn) {
            return Ok(());
        }
        if self.next.is_some() {
            return self.corrupt(at, limit, "a damaged record in a segment that has a successor");
        }
        let position = self.head.start + at as u64;
        let mut later = at;
        while later + RECORD_HEAD <= self.bytes.len() {
            if let Some(record) = RecordHead::decode(self.bytes, later, self.head) {
                if record.synced_upto > position {
                    return self.corrupt(at, later, "a damaged record that had been synced");
                }
            }
            later += 8;
        }
        if let Some(end) = self.arrived(at) {
            return self.corrupt(at, end, "a damaged record that had been written whole");
        }
        Ok(())
    }

    /// The end of a record all of whose sectors were written, going by its header or else by what is not zero.
    fn arrived(&self, at: usize) -> Option<usize> {
        let tail = self.bytes.get(at..)?;
        let header = RecordHead::decode(self.bytes, at, self.head);
        let len = match header {
            Some(record) => record.len,
            None => (tail.iter().rposition(|byte| *byte != 0)? + 1).div_ceil(8) * 8,
        };
        let written = tail.get(..len)?;
        // A damaged trailer is still one; a trailer that never arrived has zeros.
        let ended = written.ends_with(&TRAILER)
            || header.is_some() && written.last_chunk::<8>().is_some_and(|last| !last.contains(&0));
        if !ended {
            return None;
        }
        let (head, rest) = written.split_at((512 - at % 512).min(len));
        let lost = |sector: &[u8]| sector.iter().all(|byte| *byte == 0);
        (!lost(head) && !rest.chunks(512).any(lost)).then_some(at + len)
    }
}

/// An opened directory.
pub(crate) struct Opened {
    pub(crate) index: Index,
    pub(crate) report: Recovery,
    pub(crate) device: Device,
    pub(crate) handles: Vec<(u64, Arc<dyn Handle>)>,
}

/// Reads a directory, cuts a torn tail and makes sure that all that is left is durable.
pub(crate) fn open(files: Arc<dyn Files>, dir: &Path, segment_bytes: usize) -> Result<Opened, WalError> {
    let (_, leftovers) = list(&*files, dir)?;
    let Some(scan) = scan(&*files, dir, &mut |_| {})? else {
        remove_leftovers(&*files, dir, &leftovers)?;
        let device = Device::create(files, dir, segment_bytes)?;
        let index = Index::new(&Checkpoint::default());
        let handles = vec![(device.head.sequence, Arc::clone(&device.handle))];
        return Ok(Opened { index, report: Recovery::default(), device, handles });
    };
    remove_leftovers(&*files, dir, &leftovers)?;
    files.sync_dir(dir).map_err(WalError::io("syncing the directory"))?;
    let Some((head, handle)) = scan.segments.last().cloned() else {
        return Err(WalError::Options("a scan without a segment"));
    };
    let name = segment_name(head.sequence);
    let unproven = scan.proven < scan.end && !plant::is(Plant::CacheIsTrusted);
    if unproven || scan.dirty > scan.end {
        rewrite(&*handle, scan.proven, scan.unproven, scan.dirty)
            .map_err(WalError::io(format!("repairing {name}")))?;
    }
    let mut device = Device {
        files,
        dir: dir.into(),
        segment_bytes,
        head,
        handle,
        offset: scan.end,
        synced: head.start + scan.end as u64,
        checkpoint: scan.index.checkpoint(),
        segments: scan.segments.iter().map(|(head, _)| head.sequence).collect(),
    };
    if !scan.marked && (scan.end + RESERVE) as u64 <= head.size {
        device.mark()?;
    }
    let handles = scan.segments.into_iter().map(|(head, handle)| (head.sequence, handle)).collect();
    Ok(Opened { index: scan.index, report: scan.report, device, handles })
}

fn remove_leftovers(files: &dyn Files, dir: &Path, names: &[String]) -> Result<(), WalError> {
    for name in names {
        files.remove(&dir.join(name)).map_err(WalError::io(format!("removing {name}")))?;
    }
    Ok(())
}

/// Writes what was verified once more at `from`, zeros behind it up to `dirty`, and syncs. The file is not read again: a
/// page cache that held the bytes for the scan may have dropped them since.
fn rewrite(handle: &dyn Handle, from: usize, mut bytes: Vec<u8>, dirty: usize) -> std::io::Result<()> {
    bytes.resize(bytes.len().max(dirty.saturating_sub(from)), 0);
    handle.write_at(&bytes, from as u64)?;
    handle.sync_data()
}
