//! What [`Wal`](crate::Wal) and [`WalStore`](crate::WalStore) share: one log behind a lock, and one device that
//! whoever syncs takes out of it.
//!
//! ```text
//!  apply ──▶ gathering group ──take_group──▶ group in flight ──write, sync──▶ durable
//!            (lock held)       (lock held)    (no lock: others gather on)
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use synod_transport::ids::LogIndex;
use synod_transport::log::Entry;
use synod_transport::store::{Batch, StoreError};

use crate::Options;
use crate::device::{Device, Place, segment_name};
use crate::error::WalError;
use crate::files::{Files, Handle};
use crate::format::{Checkpoint, ENTRY_HEAD, RecordBuilder};
use crate::log::{Log, Slot, decode_entry, weight};
use crate::plant::{self, Plant};
use crate::recover::{self, Recovery};

/// One log, shared by all who use it.
pub(crate) struct Engine {
    state: Mutex<State>,
    /// Woken when a group is durable or the log failed; the waiters for group `n` wait at `n % 2`.
    synced: [Condvar; 2],
    /// Woken when a group gathers or the store closes, for the lent thread.
    work: Condvar,
    window_bytes: usize,
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

struct State {
    log: Log,
    /// Absent while a group is in flight, and for good after a failure.
    device: Option<Device>,
    handles: BTreeMap<u64, Arc<dyn Handle>>,
    spare: RecordBuilder,
    /// Batches taken, and those of them that are durable.
    submitted: u64,
    durable: u64,
    /// The newest batch that was handed to the device.
    taken_off: u64,
    /// Groups handed to the device.
    groups: u64,
    /// Bytes of batches that are not durable.
    gathering_bytes: usize,
    flying_bytes: usize,
    failed: Option<String>,
    waker: Option<Waker>,
    closing: bool,
    lent_thread_gone: bool,
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
    through: u64,
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
        let state = State {
            log: Log::new(opened.index, options.cache_bytes),
            device: Some(opened.device),
            handles: opened.handles.into_iter().collect(),
            spare: RecordBuilder::default(),
            submitted: 0,
            durable: 0,
            taken_off: 0,
            groups: 0,
            gathering_bytes: 0,
            flying_bytes: 0,
            failed: None,
            waker: None,
            closing: false,
            lent_thread_gone: false,
            lock: Some(lock),
        };
        let engine = Self {
            state: Mutex::new(state),
            synced: [Condvar::new(), Condvar::new()],
            work: Condvar::new(),
            window_bytes: options.window_bytes,
            dir: dir.into(),
        };
        Ok((Arc::new(engine), opened.report))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the log.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Log) -> T) -> T {
        at(&self.lock().log)
    }

    pub(crate) fn counters(&self) -> Counters {
        let state = self.lock();
        Counters { batches: state.submitted, groups: state.groups }
    }

    pub(crate) fn has_room(&self) -> bool {
        let state = self.lock();
        state.failed.is_some() || state.gathering_bytes + state.flying_bytes < self.window_bytes
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
        let mut state = self.lock();
        state.check_alive()?;
        let mut batch = make(&state.log);
        if numbered && batch.id.get() != state.submitted + 1 {
            return Err(StoreError::Misuse("write numbers must rise by one"));
        }
        state.log.index.check(&batch)?;
        if state.gathering_bytes + state.flying_bytes >= self.window_bytes {
            return Err(StoreError::Full);
        }
        state.gathering_bytes += weight(&batch);
        state.log.apply(&mut batch);
        state.submitted += 1;
        let number = state.submitted;
        drop(state);
        self.work.notify_one();
        Ok(number)
    }

    /// Returns once batch `upto` is durable. The first who comes while nobody syncs does it for all who have
    /// submitted by then.
    pub(crate) fn sync(&self, upto: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        loop {
            if state.durable >= upto {
                return Ok(());
            }
            state.check_alive()?;
            if upto > state.submitted {
                return Err(StoreError::Misuse("a ticket of another log"));
            }
            if let Some(flight) = state.take_off() {
                drop(state);
                state = self.fly(flight);
            } else {
                // A group is in flight: ours, or the one before ours.
                let waits_for = if upto <= state.taken_off { state.groups } else { state.groups + 1 };
                let bell = self.bell(waits_for);
                state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn bell(&self, group: u64) -> &Condvar {
        let [even, odd] = &self.synced;
        if group % 2 == 0 { even } else { odd }
    }

    /// Writes and syncs a group, then tells everyone.
    fn fly(&self, mut flight: Flight) -> MutexGuard<'_, State> {
        let landing = Landing { engine: self, landed: false };
        let result = flight.device.write(&mut flight.group, flight.place, flight.after, flight.keep_from);
        let mut state = landing.lock();
        match result {
            Ok(()) => state.land(flight),
            Err(_) if plant::is(Plant::FailedSyncIsForgiven) => state.land(flight),
            Err(error) => state.failed = Some(error.to_string()),
        }
        self.announce(&mut state);
        state
    }

    fn announce(&self, state: &mut State) {
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        if state.failed.is_some() {
            self.synced.iter().for_each(Condvar::notify_all);
            self.work.notify_all();
        } else {
            self.bell(state.groups).notify_all();
            self.bell(state.groups + 1).notify_one();
        }
    }

    /// The lent thread's life: syncs whatever gathers until the store closes.
    pub(crate) fn serve(&self) {
        let mut state = self.lock();
        while state.failed.is_none() {
            if let Some(flight) = state.take_off() {
                drop(state);
                state = self.fly(flight);
            } else if state.closing {
                break;
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Tells the lent thread to sync what has gathered, then end.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    /// The lent thread ended, or never came. Nobody syncs any more.
    pub(crate) fn lent_thread_gone(&self) {
        let mut state = self.lock();
        state.lent_thread_gone = true;
        if state.durable < state.submitted || !state.closing {
            let reason = || "the thread that was lent for syncing is gone".to_owned();
            state.failed.get_or_insert_with(reason);
        }
        self.announce(&mut state);
        self.work.notify_all();
    }

    /// Waits until the lent thread has ended, then lets others into the directory.
    pub(crate) fn join(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        while !state.lent_thread_gone {
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.lock = None;
        state.check_alive()
    }

    /// The number of the newest durable batch, when it is beyond `reported`; else keeps the waker.
    pub(crate) fn poll(&self, reported: u64, waker: &Waker) -> Result<Option<u64>, StoreError> {
        let mut state = self.lock();
        if state.durable > reported && state.failed.is_none() {
            return Ok(Some(state.durable));
        }
        state.check_alive()?;
        if !state.waker.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Ok(None)
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
        {
            let state = self.lock();
            let known = first <= last && state.log.index.slot(first).is_some();
            if !known || state.log.index.slot(last).is_none() {
                return Err(StoreError::Missing { first, last });
            }
            state.plan(first, last, max_bytes, &mut stretches, &mut cached)?;
        }
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

impl State {
    fn check_alive(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |reason| Err(StoreError::Fatal(reason.clone())))
    }

    /// Takes the device and the gathered group, if both are there.
    fn take_off(&mut self) -> Option<Flight> {
        if self.log.group.is_empty() {
            return None;
        }
        let device = self.device.take()?;
        let place = device.place(self.log.group.len());
        let spare = std::mem::take(&mut self.spare);
        let group = self.log.take_group(place.segment, place.offset, spare);
        self.groups += 1;
        self.taken_off = self.submitted;
        self.flying_bytes = std::mem::take(&mut self.gathering_bytes);
        let keep_from = self.log.index.oldest_segment().unwrap_or(place.segment);
        let after = self.log.index.checkpoint();
        Some(Flight { device, group, place, after, keep_from, through: self.submitted })
    }

    fn land(&mut self, flight: Flight) {
        let Flight { device, mut group, place, through, keep_from, .. } = flight;
        self.handles.entry(place.segment).or_insert_with(|| Arc::clone(&device.handle));
        self.handles.retain(|segment, _| *segment >= keep_from);
        self.device = Some(device);
        self.durable = through;
        self.flying_bytes = 0;
        self.log.written();
        group.clear();
        self.spare = group;
    }

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

/// Makes the log fail should the thread that flies a group unwind.
struct Landing<'a> {
    engine: &'a Engine,
    landed: bool,
}

impl<'a> Landing<'a> {
    fn lock(mut self) -> MutexGuard<'a, State> {
        self.landed = true;
        self.engine.lock()
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        if !self.landed {
            let mut state = self.engine.lock();
            state.failed = Some("a thread panicked while it wrote".to_owned());
            self.engine.announce(&mut state);
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("dir", &self.dir).finish_non_exhaustive()
    }
}
