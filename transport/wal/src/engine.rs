//! What [`Wal`](crate::Wal) and [`WalStore`](crate::WalStore) share: one log behind the lock of a [`Commit`], and one
//! device that whoever syncs takes out of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use synod_transport::ids::LogIndex;
use synod_transport::log::Entry;
use synod_transport::store::{Batch, StoreError};

use crate::Options;
use crate::commit::{Commit, Gathering};
use crate::device::{Device, Place, segment_name};
use crate::error::WalError;
use crate::files::{Files, Handle};
use crate::format::{Checkpoint, ENTRY_HEAD, RecordBuilder};
use crate::log::{Log, Slot, decode_entry, weight};
use crate::plant::{self, Plant};
use crate::recover::{self, Recovery};

/// One log, shared by all who use it.
pub(crate) struct Engine {
    commit: Commit<Desk>,
    dir: PathBuf,
}

/// Counts since the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Batches taken.
    pub batches: u64,
    /// Groups written, each with one sync.
    pub groups: u64,
}

/// What lies behind the lock.
struct Desk {
    log: Log,
    /// Absent while a group is in flight, and for good after a failure.
    device: Option<Device>,
    handles: BTreeMap<u64, Arc<dyn Handle>>,
    spare: RecordBuilder,
    /// Keeps others out of the directory.
    lock: Option<Box<dyn Send + Sync>>,
}

/// A group on its way to the device.
struct Flight {
    device: Device,
    group: RecordBuilder,
    place: Place,
    after: Checkpoint,
    keep_from: u64,
}

impl Engine {
    pub(crate) fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        options: &Options,
    ) -> Result<(Arc<Self>, Recovery), WalError> {
        options.check()?;
        files.create_dir(dir).map_err(WalError::io(format!("making {}", dir.display())))?;
        let lock = files.lock(dir).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => WalError::Locked(dir.into()),
            _ => WalError::io(format!("locking {}", dir.display()))(error),
        })?;
        let opened = recover::open(files, dir, options.segment_bytes)?;
        let desk = Desk {
            log: Log::new(opened.index, options.cache_bytes),
            device: Some(opened.device),
            handles: opened.handles.into_iter().collect(),
            spare: RecordBuilder::default(),
            lock: Some(lock),
        };
        let engine = Self { commit: Commit::new(desk, options.window_bytes), dir: dir.into() };
        Ok((Arc::new(engine), opened.report))
    }

    /// Looks at the log.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Log) -> T) -> T {
        self.commit.with(|desk| at(&desk.log))
    }

    pub(crate) fn counters(&self) -> Counters {
        let (batches, groups) = self.commit.counts();
        Counters { batches, groups }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.commit.has_room()
    }

    /// Takes a batch; its own number must be the next one when it is `numbered`. Gives its number: 1, 2, 3, …
    pub(crate) fn submit(&self, batch: Batch<'_>, numbered: bool) -> Result<u64, StoreError> {
        self.submit_with(numbered, |_| batch)
    }

    /// Like [`Engine::submit`] with a batch that is made while the log stands still.
    pub(crate) fn submit_with<'a>(
        &self,
        numbered: bool,
        make: impl FnOnce(&Log) -> Batch<'a>,
    ) -> Result<u64, StoreError> {
        self.commit.submit(|desk, number, room| {
            let mut batch = make(&desk.log);
            if numbered && batch.id.get() != number {
                return Err(StoreError::Misuse("write numbers must rise by one"));
            }
            desk.log.index.check(&batch)?;
            room?;
            let bytes = weight(&batch);
            desk.log.apply(&mut batch);
            Ok(bytes)
        })
    }

    /// Returns once batch `upto` is durable.
    pub(crate) fn sync(&self, upto: u64) -> Result<(), StoreError> {
        self.commit.sync(upto)
    }

    /// The lent thread's life: syncs whatever gathers until the store closes.
    pub(crate) fn serve(&self) {
        self.commit.serve();
    }

    /// Tells the lent thread to sync what has gathered, then end.
    pub(crate) fn close(&self) {
        self.commit.close();
    }

    /// The lent thread ended, or never came.
    pub(crate) fn lent_thread_gone(&self) {
        self.commit.lent_thread_gone();
    }

    /// Waits until the lent thread has ended, then lets others into the directory.
    pub(crate) fn join(&self) -> Result<(), StoreError> {
        let outcome = self.commit.join();
        self.commit.with(|desk| desk.lock = None);
        outcome
    }

    /// The number of the newest durable batch, when it is beyond `reported`; else keeps the waker.
    pub(crate) fn poll(&self, reported: u64, waker: &Waker) -> Result<Option<u64>, StoreError> {
        self.commit.poll(reported, waker)
    }

    /// Appends entries as [`LogStore::read`](synod_transport::store::LogStore::read) says.
    pub(crate) fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let mut stretches = Vec::new();
        let before = out.len();
        let mut cached = Vec::new();
        self.commit.with(|desk| {
            let known = first <= last && desk.log.index.slot(first).is_some();
            if !known || desk.log.index.slot(last).is_none() {
                return Err(StoreError::Missing { first, last });
            }
            desk.plan(first, last, max_bytes, &mut stretches, &mut cached)
        })?;
        for stretch in &stretches {
            if let Err(error) = stretch.read(&self.dir, out) {
                out.truncate(before);
                return Err(error);
            }
        }
        out.append(&mut cached);
        Ok(())
    }
}

impl Gathering for Desk {
    type Flight = Flight;

    fn take_off(&mut self) -> Option<Flight> {
        if self.log.group.is_empty() {
            return None;
        }
        let device = self.device.take()?;
        let place = device.place(self.log.group.len());
        let spare = std::mem::take(&mut self.spare);
        let group = self.log.take_group(place.segment, place.offset, spare);
        let keep_from = self.log.index.oldest_segment().unwrap_or(place.segment);
        let after = self.log.index.checkpoint();
        Some(Flight { device, group, place, after, keep_from })
    }

    fn fly(flight: &mut Flight) -> Result<(), String> {
        let Flight { device, group, place, after, keep_from } = flight;
        match device.write(group, *place, *after, *keep_from) {
            Err(error) if !plant::is(Plant::FailedSyncIsForgiven) => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    fn land(&mut self, flight: Flight) {
        let Flight { device, mut group, place, keep_from, .. } = flight;
        self.handles.entry(place.segment).or_insert_with(|| Arc::clone(&device.handle));
        self.handles.retain(|segment, _| *segment >= keep_from);
        self.device = Some(device);
        self.log.written();
        group.clear();
        self.spare = group;
    }
}

impl Desk {
    /// Splits a read into stretches of files and entries in memory.
    fn plan(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        stretches: &mut Vec<Stretch>,
        cached: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let mut bytes = 0usize;
        let mut index = first;
        while index <= last {
            let Some(slot) = self.log.index.slot(index) else {
                return Err(StoreError::Missing { first, last });
            };
            if index > first && bytes.saturating_add(slot.len as usize) > max_bytes {
                break;
            }
            bytes = bytes.saturating_add(slot.len.max(1) as usize);
            if let Some(entry) = self.log.cached(index) {
                cached.push(entry.clone());
            } else if !stretches.last_mut().is_some_and(|stretch: &mut Stretch| stretch.extend(slot)) {
                let Some(handle) = self.handles.get(&slot.segment) else {
                    return Err(StoreError::Fatal(format!("segment {} is not open", slot.segment)));
                };
                stretches.push(Stretch { handle: Arc::clone(handle), index, slots: vec![*slot] });
            }
            index = index.next();
        }
        Ok(())
    }
}

/// The most that one read of a file fetches beyond its first entry, and the widest gap it reads over, in bytes.
const STRETCH: usize = 1 << 20;
const GAP: usize = 4096;

/// Entries that lie close together in one segment.
struct Stretch {
    handle: Arc<dyn Handle>,
    index: LogIndex,
    slots: Vec<Slot>,
}

impl Stretch {
    fn ends(&self) -> Option<(usize, usize)> {
        let (first, last) = self.slots.first().zip(self.slots.last())?;
        Some((first.offset as usize, last.offset as usize + ENTRY_HEAD + last.len as usize))
    }

    /// Takes the next entry in, if it lies right behind.
    fn extend(&mut self, slot: &Slot) -> bool {
        let Some(((from, to), last)) = self.ends().zip(self.slots.last()) else { return false };
        let at = slot.offset as usize;
        let near = slot.segment == last.segment && at >= to && at - to <= GAP;
        let fits = near && at + ENTRY_HEAD + slot.len as usize - from <= STRETCH;
        if fits {
            self.slots.push(*slot);
        }
        fits
    }

    fn read(&self, dir: &Path, out: &mut Vec<Entry>) -> Result<(), StoreError> {
        let Some((from, to)) = self.ends() else { return Ok(()) };
        let segment = self.slots.first().map_or(0, |slot| slot.segment);
        let file = || dir.join(segment_name(segment)).display().to_string();
        let mut chunk = vec![0; to - from];
        let got = self.handle.read_at(&mut chunk, from as u64);
        match got {
            Ok(got) if got == chunk.len() => {}
            Ok(_) => return Err(StoreError::Fatal(format!("{}: the file ends too early", file()))),
            Err(error) => return Err(StoreError::Fatal(format!("{}: {error}", file()))),
        }
        let chunk = Bytes::from(chunk);
        for (slot, index) in self.slots.iter().zip(self.index.get()..) {
            let at = slot.offset as usize - from;
            let Some(entry) = decode_entry(&chunk, at, LogIndex::new(index), slot) else {
                let (from, to) =
                    (slot.offset as usize, slot.offset as usize + ENTRY_HEAD + slot.len as usize);
                return Err(StoreError::Fatal(format!(
                    "{}: bytes {from} to {to}: entry {index} is damaged",
                    file()
                )));
            };
            out.push(entry);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("dir", &self.dir).finish_non_exhaustive()
    }
}
