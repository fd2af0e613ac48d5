//! The simulated disk and network against the suites that every implementation runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use synod_sim::disk::SimDisk;
use synod_transport::rng::Rng;
use synod_transport::testing::log_store;

struct Disks(Rng);

impl log_store::Harness for Disks {
    type Store = SimDisk;

    fn create(&mut self) -> SimDisk {
        SimDisk::new(64)
    }

    fn settle(&mut self, disk: &mut SimDisk) {
        while disk.start_sync() {
            disk.finish_sync();
        }
    }

    fn crash(&mut self, mut disk: SimDisk) -> Option<SimDisk> {
        disk.crash(&mut self.0);
        Some(disk)
    }

    fn fail(&mut self, disk: &mut SimDisk) -> bool {
        disk.fail();
        true
    }
}

#[test]
fn the_simulated_disk_is_a_log_store() {
    let tally = log_store::conformance(|| Disks(Rng::new(1)));
    println!("{tally:?}");
    assert!(tally.crashes > 0);
}

/// A sync in flight covers what was submitted before it began, and no more.
#[test]
fn a_sync_covers_what_came_before_it() {
    use synod_transport::ids::{Position, WriteId};
    use synod_transport::log::Entry;
    use synod_transport::store::{Batch, LogStore};

    let mut disk = SimDisk::new(64);
    let submit = |disk: &mut SimDisk, at: u64| {
        let mut append = vec![Entry { position: Position::new(1, at), ..Entry::default() }];
        let id = WriteId::new(at);
        disk.submit(Batch { id, truncate_from: None, append: &mut append, hard_state: None, purge_through: None })
            .unwrap();
    };
    submit(&mut disk, 1);
    assert!(disk.start_sync());
    submit(&mut disk, 2);
    assert!(!disk.start_sync(), "one at a time");
    disk.finish_sync();
    assert_eq!((disk.synced(), disk.durable().last()), (WriteId::new(1), Position::new(1, 1)));
    assert_eq!(disk.view().last(), Position::new(1, 2));
    assert_eq!(disk.unsynced(), 1);
}

/// Every number of survivors comes up, and what survives is always a prefix.
#[test]
fn a_crash_keeps_a_prefix_of_whole_batches() {
    use synod_transport::ids::{Position, WriteId};
    use synod_transport::log::Entry;
    use synod_transport::store::{Batch, LogStore};

    let mut rng = Rng::new(9);
    let mut survivors = [0; 4];
    let mut torn = 0;
    for _ in 0..200 {
        let mut disk = SimDisk::new(64);
        for at in 1..=3u64 {
            let mut append: Vec<Entry> = [2 * at - 1, 2 * at]
                .map(|index| Entry { position: Position::new(1, index), ..Entry::default() })
                .to_vec();
            let id = WriteId::new(at);
            disk.submit(Batch { id, truncate_from: None, append: &mut append, hard_state: None, purge_through: None })
                .unwrap();
        }
        let report = disk.crash(&mut rng);
        assert_eq!(disk.summary().last().index.get(), 2 * report.survived as u64);
        survivors[report.survived] += 1;
        torn += u32::from(report.torn);
    }
    assert!(survivors.iter().all(|count| *count > 20), "{survivors:?}");
    assert!(torn > 20);
}
