//! The state store and the snapshot store on disks that fail.

use std::path::Path;
use std::sync::Arc;

use synod_transport::ids::Position;
use synod_transport::rng::Rng;
use synod_transport::store::{SnapshotStore, StateStore, StoreError};
use synod_transport::testing::state_store::{Harness, conformance};

use super::disk::{Disk, Fault};
use crate::files::Files;
use crate::{FileSnapshotStore, FileStateStore, WalError};

const DIR: &str = "/state";

fn states(disk: &Arc<Disk>) -> Result<FileStateStore, WalError> {
    FileStateStore::over(Arc::clone(disk) as Arc<dyn Files>, Path::new(DIR))
}

fn snapshots(disk: &Arc<Disk>) -> Result<FileSnapshotStore, WalError> {
    FileSnapshotStore::over(Arc::clone(disk) as Arc<dyn Files>, Path::new(DIR), 5000)
}

struct Forgetful(Arc<Disk>, Rng);

impl Harness for Forgetful {
    type Store = FileStateStore;
    fn create(&mut self) -> FileStateStore {
        states(&self.0).unwrap()
    }
    fn crash(&mut self, store: FileStateStore) -> Option<FileStateStore> {
        drop(store);
        self.0 = self.0.after_power_cut(&mut self.1);
        Some(states(&self.0).unwrap())
    }
}

#[test]
fn the_state_store_keeps_its_contract_on_a_disk_that_forgets() {
    assert!(conformance(|| Forgetful(Disk::new(Fault::None), Rng::new(3))) > 100);
}

#[test]
fn the_state_store_keeps_its_contract_on_real_files() {
    struct Real(tempfile::TempDir);
    impl Harness for Real {
        type Store = FileStateStore;
        fn create(&mut self) -> FileStateStore {
            FileStateStore::open(self.0.path()).unwrap()
        }
        fn crash(&mut self, store: FileStateStore) -> Option<FileStateStore> {
            drop(store);
            Some(self.create())
        }
    }
    let mut crashes = 0;
    synod_transport::testing::state_store::run(Real(tempfile::tempdir().unwrap()), 1, &mut crashes).unwrap();
    assert!(crashes > 2);
}

#[test]
fn a_value_is_the_old_or_the_new_one_whatever_operation_fails() {
    let mut cases = 0;
    for operation in 1.. {
        let disk = Disk::new(Fault::None);
        let mut store = states(&disk).unwrap();
        store.set("vote", b"old").unwrap();
        disk.set(Fault::Once(operation));
        let result = store.set("vote", b"new value");
        if result.is_err() {
            assert!(matches!(store.set("vote", b"third"), Err(StoreError::Fatal(_))), "sticky");
            assert!(matches!(store.get("vote"), Err(StoreError::Fatal(_))), "sticky");
        }
        drop(store);
        for seed in 0..16 {
            let left = disk.after_power_cut(&mut Rng::new(seed));
            let value = states(&left).unwrap().get("vote").unwrap().unwrap();
            assert!(value == "new value" || (result.is_err() && value == "old"), "{operation}: {value:?}");
            cases += 1;
        }
        if !disk.hit() {
            break;
        }
    }
    assert!(cases >= 80, "{cases}");
}

#[test]
fn a_sync_that_lies_is_found() {
    let lost = (0..16).any(|seed| {
        let disk = Disk::new(Fault::LyingSync);
        let mut store = states(&disk).unwrap();
        store.set("vote", b"new value").unwrap();
        drop(store);
        let left = disk.after_power_cut(&mut Rng::new(seed));
        !matches!(states(&left).unwrap().get("vote"), Ok(Some(value)) if value == "new value")
    });
    assert!(lost);
}

#[test]
fn every_flipped_bit_of_a_value_is_reported() {
    let disk = Disk::new(Fault::None);
    states(&disk).unwrap().set("vote", b"term 7 for n3").unwrap();
    let path = Path::new(DIR).join("vote.state");
    for bit in 0..disk.edit(&path, |bytes| bytes.len()) * 8 {
        let flipped = disk.copy();
        flipped.edit(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        assert!(matches!(states(&flipped).unwrap().get("vote"), Err(StoreError::Fatal(_))), "bit {bit}");
    }
}

fn take_in(store: &mut FileSnapshotStore, index: u64, content: &[u8]) -> Result<(), StoreError> {
    store.begin(Position::new(1, index))?;
    for (number, chunk) in content.chunks(100).enumerate() {
        store.write_chunk(number as u64 * 100, chunk)?;
    }
    store.install(content.len() as u64, crc32c::crc32c(content)).map(drop)
}

#[test]
fn transport_4_a_snapshot_is_the_old_or_the_new_one_whatever_operation_fails() {
    let (old, new) = (vec![1; 700], vec![2; 1234]);
    for operation in 1.. {
        let disk = Disk::new(Fault::None);
        let mut store = snapshots(&disk).unwrap();
        take_in(&mut store, 5, &old).unwrap();
        disk.set(Fault::Once(operation));
        let result = take_in(&mut store, 9, &new);
        if result.is_err() {
            assert!(matches!(store.begin(Position::new(1, 11)), Err(StoreError::Fatal(_))), "sticky");
        }
        drop(store);
        for seed in 0..16 {
            let store = snapshots(&disk.after_power_cut(&mut Rng::new(seed))).unwrap();
            let index = store.newest().unwrap().unwrap().at.index.get();
            let content = store.read_chunk(0, usize::MAX).unwrap();
            let is_new = index == 9 && content == new;
            assert!(is_new || (result.is_err() && index == 5 && content == old), "operation {operation}");
        }
        if !disk.hit() {
            break;
        }
    }
}

#[test]
fn transport_4_a_snapshot_is_bounded_checked_and_can_be_given_up() {
    let disk = Disk::new(Fault::None);
    let mut store = snapshots(&disk).unwrap();
    store.begin(Position::new(1, 3)).unwrap();
    assert_eq!(store.write_chunk(0, &[0; 5001]), Err(StoreError::Full));
    assert!(matches!(store.write_chunk(1, b"x"), Err(StoreError::Misuse(_))));
    store.abandon().unwrap();
    assert!(matches!(store.write_chunk(0, b"x"), Err(StoreError::Misuse(_))));
    store.begin(Position::new(1, 3)).unwrap();
    store.write_chunk(0, b"content").unwrap();
    assert!(matches!(store.install(7, 1), Err(StoreError::Misuse(_))));
    assert_eq!(store.newest(), Ok(None));
}

#[test]
fn every_flipped_bit_of_a_snapshot_is_reported() {
    let disk = Disk::new(Fault::None);
    take_in(&mut snapshots(&disk).unwrap(), 5, &[7; 90]).unwrap();
    let path = Path::new(DIR).join("snapshot");
    for bit in 0..disk.edit(&path, |bytes| bytes.len()) * 8 {
        let flipped = disk.copy();
        flipped.edit(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        assert!(matches!(snapshots(&flipped), Err(WalError::Corrupt(_))), "bit {bit}");
    }
}
