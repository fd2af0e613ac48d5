//! The log-store suite on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

use synod_transport::testing::log_store::{Harness, conformance};
use synod_wal::{Options, Syncing, WalStore};

/// Small, so that the suite crosses many segments and the cache forgets.
fn options() -> Options {
    Options { segment_bytes: 8192, window_bytes: 6000, cache_bytes: 1500 }
}

fn lend(work: Syncing) {
    std::thread::spawn(work);
}

struct OnDisk {
    dir: tempfile::TempDir,
    stores: u32,
}

impl OnDisk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), stores: 0 }
    }

    fn open(&self) -> WalStore {
        let dir = self.dir.path().join(format!("store-{}", self.stores));
        let (store, recovery) = WalStore::open(dir, &options(), lend).unwrap();
        assert_eq!(recovery.torn, None, "a process that ends leaves no torn tail");
        store
    }
}

impl Harness for OnDisk {
    type Store = WalStore;

    fn create(&mut self) -> WalStore {
        self.stores += 1;
        self.open()
    }

    fn crash(&mut self, store: WalStore) -> Option<WalStore> {
        store.close().unwrap();
        Some(self.open())
    }
}

#[test]
fn the_wal_keeps_the_contract_of_a_log_store() {
    let tally = conformance(OnDisk::new);
    println!("{tally:?}");
    assert!(tally.crashes > 100 && tally.batches > 2000, "{tally:?}");
}
