//! A disk in memory that fails when told to, and forgets on a crash what was not synced.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use synod_transport::rng::Rng;

use crate::files::{Files, Handle};

const SECTOR: usize = 512;

/// What goes wrong, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// This operation fails; later ones seem to work.
    Once(u64),
    /// This operation and all later ones fail.
    From(u64),
    /// No file can be made.
    Full,
    /// Syncs of files return without doing anything.
    LyingSync,
    /// Syncs of the directory return without doing anything.
    LyingDirectorySync,
}

#[derive(Clone, Default)]
struct Content {
    /// What programs see.
    cached: Vec<u8>,
    /// What is on the device.
    durable: Vec<u8>,
    /// Writes since the last sync.
    unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Default)]
struct Inner {
    fault: Fault,
    operations: u64,
    hit: bool,
    locked: bool,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    contents: Vec<Content>,
}

#[derive(Default, Clone)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

struct Open {
    disk: Disk,
    id: usize,
}

impl Disk {
    pub(crate) fn new(fault: Fault) -> Arc<Self> {
        let it = Self::default();
        it.inner().fault = fault;
        Arc::new(it)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the fault came to pass.
    pub(crate) fn hit(&self) -> bool {
        self.inner().hit
    }

    pub(crate) fn set(&self, fault: Fault) {
        let mut inner = self.inner();
        (inner.fault, inner.operations, inner.hit) = (fault, 0, false);
    }

    /// What a power cut leaves, on a disk that works again: of unsynced writes nothing, all, or any sectors; the last
    /// one may also end at any byte.
    pub(crate) fn after_power_cut(&self, rng: &mut Rng) -> Arc<Self> {
        let inner = self.inner();
        let new_names = rng.below(2) == 0;
        let names = if new_names { inner.names.clone() } else { inner.durable_names.clone() };
        let contents = inner.contents.iter().map(|content| content.after_power_cut(rng)).collect();
        let (durable_names, fault) = (names.clone(), Fault::None);
        let next = Inner { fault, names, durable_names, contents, ..Inner::default() };
        Arc::new(Self(Arc::new(Mutex::new(next))))
    }

    /// The same bytes on another disk.
    pub(crate) fn copy(&self) -> Arc<Self> {
        let inner = self.inner();
        let (names, durable_names, contents) =
            (inner.names.clone(), inner.durable_names.clone(), inner.contents.clone());
        let next = Inner { names, durable_names, contents, ..Inner::default() };
        Arc::new(Self(Arc::new(Mutex::new(next))))
    }

    /// Names, in order.
    pub(crate) fn names(&self) -> Vec<PathBuf> {
        self.inner().names.keys().cloned().collect()
    }

    pub(crate) fn remove_name(&self, path: &Path) {
        self.inner().names.remove(path).unwrap();
    }

    /// Lets a test look at and change a file's bytes.
    pub(crate) fn edit<T>(&self, path: &Path, edit: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut inner = self.inner();
        let id = inner.names[path];
        let content = &mut inner.contents[id];
        let result = edit(&mut content.cached);
        content.durable.clone_from(&content.cached);
        content.unsynced.clear();
        result
    }

    fn operation(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.inner();
        inner.operations += 1;
        let fails = match inner.fault {
            Fault::Once(at) => inner.operations == at,
            Fault::From(at) => inner.operations >= at,
            _ => false,
        };
        if fails {
            inner.hit = true;
            return Err(io::Error::other("injected"));
        }
        Ok(inner)
    }
}

impl Content {
    fn after_power_cut(&self, rng: &mut Rng) -> Self {
        let mut bytes = self.durable.clone();
        let mode = rng.below(4);
        for (number, (at, write)) in self.unsynced.iter().enumerate() {
            if bytes.len() < at + write.len() {
                continue; // the length was not durable either
            }
            let end = match mode {
                0 => 0,
                1 if number + 1 == self.unsynced.len() => rng.below(write.len() as u64 + 1) as usize,
                _ => write.len(),
            };
            let mut from = 0;
            while from < end {
                let to = ((at + from) / SECTOR * SECTOR + SECTOR - at).min(end);
                if mode != 3 || rng.below(2) == 0 {
                    bytes[at + from..at + to].copy_from_slice(&write[from..to]);
                }
                from = to;
            }
        }
        Self { cached: bytes.clone(), durable: bytes, unsynced: Vec::new() }
    }
}

impl Files for Disk {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.operation().map(drop)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.operation()?;
        let inside = inner.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn Handle>> {
        let mut inner = self.operation()?;
        if inner.fault == Fault::Full {
            inner.hit = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let id = inner.contents.len();
        inner.contents.push(Content { cached: vec![0; size as usize], ..Content::default() });
        inner.names.insert(path.into(), id);
        Ok(Arc::new(Open { disk: self.clone(), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Handle>> {
        let inner = self.operation()?;
        let id = *inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Open { disk: self.clone(), id }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.operation()?;
        let id = inner.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(to.into(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.operation()?.names.remove(path);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut inner = self.operation()?;
        if inner.fault != Fault::LyingDirectorySync {
            inner.durable_names = inner.names.clone();
        }
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Send + Sync>> {
        struct Lock(Disk);
        impl Drop for Lock {
            fn drop(&mut self) {
                self.0.inner().locked = false;
            }
        }
        let mut inner = self.operation()?;
        if std::mem::replace(&mut inner.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock(self.clone())))
    }
}

impl Handle for Open {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let inner = self.disk.operation()?;
        let bytes = inner.contents[self.id].cached.get(offset as usize..).unwrap_or_default();
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let result = self.disk.operation().map(drop);
        let mut inner = self.disk.inner();
        let content = &mut inner.contents[self.id];
        // A write that fails may have been done in part.
        let done = if result.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let at = offset as usize;
        if content.cached.len() < at + done.len() {
            content.cached.resize(at + done.len(), 0);
        }
        content.cached[at..at + done.len()].copy_from_slice(done);
        content.unsynced.push((at, done.to_vec()));
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        let result = self.disk.operation().map(drop);
        let mut inner = self.disk.inner();
        let lies = inner.fault == Fault::LyingSync;
        let content = &mut inner.contents[self.id];
        if lies {
            return Ok(());
        }
        let unsynced = std::mem::take(&mut content.unsynced);
        if result.is_ok() {
            content.durable.resize(content.cached.len(), 0);
            for (at, write) in unsynced {
                content.durable[at..at + write.len()].copy_from_slice(&write);
            }
        }
        // As Linux does: after a failure the pages count as clean, and the next sync has nothing to do.
        result
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.operation()?.contents[self.id].cached.len() as u64)
    }
}
