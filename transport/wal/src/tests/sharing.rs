//! Many threads, one log; one directory, one log.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use synod_transport::ids::Term;
use synod_transport::rng::Rng;
use synod_transport::store::{Batch, LogStore, StoreError};
use synod_transport::testing::log_store::{Harness, conformance};

use super::disk::{Disk, Fault};
use super::{DIR, entry, open, options};
use crate::files::{Files, Handle};
use crate::{Options, Wal, WalError, WalStore};

/// Holds each sync of a file back until the gate is open.
struct Gated {
    disk: Arc<Disk>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.changed.notify_all();
    }

    fn pass(&self) {
        drop(self.changed.wait_while(self.closed.lock().unwrap(), |closed| *closed).unwrap());
    }
}

struct GatedFile(Arc<dyn Handle>, Arc<Gate>);

impl Handle for GatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync_data()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

impl Files for Gated {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }
    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn Handle>> {
        Ok(Arc::new(GatedFile(self.disk.create(path, size)?, Arc::clone(&self.gate))))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Handle>> {
        Ok(Arc::new(GatedFile(self.disk.open(path)?, Arc::clone(&self.gate))))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }
    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.disk.lock(dir)
    }
}

#[test]
fn threads_that_come_while_a_sync_runs_share_the_next_one() {
    let gate = Arc::new(Gate::default());
    let files = Gated { disk: Disk::new(Fault::None), gate: Arc::clone(&gate) };
    let wide = Options { segment_bytes: 1 << 20, ..options() };
    let (wal, _) = Wal::over(Arc::new(files), Path::new(DIR), &wide).unwrap();
    gate.set(true);
    std::thread::scope(|scope| {
        let wait = |wal: Wal| {
            move || {
                let (_, ticket) = wal.append(Term::new(1), Bytes::from_static(&[7; 256])).unwrap();
                wal.sync(ticket).unwrap();
            }
        };
        scope.spawn(wait(wal.clone()));
        while wal.counters().groups == 0 {
            std::thread::yield_now();
        }
        for _ in 0..63 {
            scope.spawn(wait(wal.clone()));
        }
        while wal.counters().batches < 64 {
            std::thread::yield_now();
        }
        gate.set(false);
    });
    let counters = wal.counters();
    assert_eq!((counters.batches, counters.groups), (64, 2));
}

#[test]
fn many_threads_on_real_files_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (wal, _) = Wal::open(dir.path(), &Options { segment_bytes: 16384, ..Options::default() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..16u8 {
            let wal = wal.clone();
            scope.spawn(move || {
                for number in 0..40u8 {
                    let (_, ticket) = wal.append(Term::new(1), Bytes::from(vec![thread, number])).unwrap();
                    wal.sync(ticket).unwrap();
                }
            });
        }
    });
    assert_eq!(wal.counters().batches, 640);
    drop(wal);
    let (wal, recovery) = Wal::open(dir.path(), &Options::default()).unwrap();
    assert_eq!(recovery.torn, None);
    let mut entries = Vec::new();
    wal.read(1.into(), 640.into(), usize::MAX, &mut entries).unwrap();
    let mut seen: Vec<_> = entries.iter().map(|entry| entry.payload.to_vec()).collect();
    for thread in 0..16u8 {
        let own: Vec<u8> = seen.iter().filter(|it| it[0] == thread).map(|it| it[1]).collect();
        assert_eq!(own, (0..40).collect::<Vec<u8>>(), "each thread's entries in its order");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 640);
}

#[test]
fn a_second_log_in_the_same_directory_is_refused() {
    let disk = Disk::new(Fault::None);
    let (first, _) = open(&disk).unwrap();
    assert_eq!(open(&disk).unwrap_err(), WalError::Locked(DIR.into()));
    drop(first);
    open(&disk).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let (first, _) = Wal::open(dir.path(), &Options::default()).unwrap();
    let refused = Wal::open(dir.path(), &Options::default()).unwrap_err();
    assert_eq!(refused, WalError::Locked(dir.path().into()));
    drop(first);
    Wal::open(dir.path(), &Options::default()).unwrap();
}

#[test]
fn a_full_window_refuses_and_a_receipt_reopens_it() {
    let gate = Arc::new(Gate::default());
    let files = Gated { disk: Disk::new(Fault::None), gate: Arc::clone(&gate) };
    let small = Options { window_bytes: 1000, ..options() };
    let mut thread = None;
    let lend = |work| thread = Some(std::thread::spawn(work));
    let (mut store, _) = WalStore::over(Arc::new(files), Path::new(DIR), &small, lend).unwrap();
    gate.set(true);
    let mut next = 1u64;
    while store.has_room() {
        submit(&mut store, next).unwrap();
        next += 1;
    }
    assert_eq!(submit(&mut store, next), Err(StoreError::Full));
    assert!((2..=5).contains(&next), "{next}");
    gate.set(false);
    store.close().unwrap();
    thread.unwrap().join().unwrap();
}

fn submit(store: &mut WalStore, number: u64) -> Result<(), StoreError> {
    store.submit(Batch {
        id: number.into(),
        truncate_from: None,
        append: &mut vec![entry(1, number, 300)],
        hard_state: None,
        purge_through: None,
    })
}

#[test]
fn dropping_the_store_syncs_and_ends_the_lent_thread() {
    let disk = Disk::new(Fault::None);
    let mut thread = None;
    let files = Arc::clone(&disk) as Arc<dyn Files>;
    let lend = |work| thread = Some(std::thread::spawn(work));
    let (mut store, _) = WalStore::over(files, Path::new(DIR), &options(), lend).unwrap();
    submit(&mut store, 1).unwrap();
    drop(store);
    thread.unwrap().join().unwrap();
    let (wal, _) = open(&disk.after_power_cut(&mut Rng::new(1))).unwrap();
    assert_eq!(wal.last().index.get(), 1);
}

#[test]
fn work_that_is_dropped_unrun_fails_the_store_instead_of_hanging_it() {
    let files = Disk::new(Fault::None) as Arc<dyn Files>;
    let (mut store, _) = WalStore::over(files, Path::new(DIR), &options(), drop).unwrap();
    assert!(matches!(submit(&mut store, 1), Err(StoreError::Fatal(_))));
    assert!(matches!(store.close(), Err(StoreError::Fatal(_))));
}

/// The suite on a disk that forgets and tears what was not synced, and fails on demand.
struct Forgetful {
    disk: Arc<Disk>,
    rng: Rng,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Forgetful {
    fn open(&mut self) -> WalStore {
        let files = Arc::clone(&self.disk) as Arc<dyn Files>;
        let thread = &mut self.thread;
        let lend = |work| *thread = Some(std::thread::spawn(work));
        WalStore::over(files, Path::new(DIR), &options(), lend).unwrap().0
    }
}

impl Harness for Forgetful {
    type Store = WalStore;

    fn create(&mut self) -> WalStore {
        self.disk = Disk::new(Fault::None);
        self.open()
    }

    fn crash(&mut self, store: WalStore) -> Option<WalStore> {
        let left = self.disk.after_power_cut(&mut self.rng);
        drop(store);
        self.thread.take()?.join().unwrap();
        self.disk = left;
        Some(self.open())
    }

    fn fail(&mut self, _: &mut WalStore) -> bool {
        self.disk.set(Fault::From(1));
        true
    }
}

#[test]
fn the_contract_holds_on_a_disk_that_forgets_and_tears() {
    let mut seed = 0;
    let tally = conformance(|| {
        seed += 1;
        Forgetful { disk: Disk::new(Fault::None), rng: Rng::new(seed), thread: None }
    });
    println!("{tally:?}");
    assert!(tally.crashes > 100 && tally.failures == 3, "{tally:?}");
}
