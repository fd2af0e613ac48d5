//! Faults at every file operation, and power cuts behind them.

use std::sync::Arc;

use synod_transport::rng::Rng;
use synod_transport::store::StoreError;

use super::disk::{Disk, Fault};
use super::{Contents, contents, entry, expected, history, open, put};
use crate::plant::{self, Plant};
use crate::{Change, Wal, WalError};

/// Carries out `history()`, with the log opened anew in the middle, until something fails. Gives how many changes
/// were submitted and how many acknowledged.
fn work(disk: &Arc<Disk>, changes: &[Change]) -> (usize, usize) {
    let (mut submitted, mut acknowledged) = (0, 0);
    let half = changes.len() / 2;
    for part in [&changes[..half], &changes[half..]] {
        let Ok((wal, _)) = open(disk) else { return (submitted, acknowledged) };
        for change in part {
            let Ok(ticket) = wal.submit(change.clone()) else { return (submitted, acknowledged) };
            submitted += 1;
            // Every third is left to the next one's sync.
            if submitted % 3 == 1 {
                continue;
            }
            if wal.sync(ticket).is_err() {
                return (submitted, acknowledged);
            }
            acknowledged = submitted;
        }
    }
    (submitted, acknowledged)
}

/// What is there is a prefix of the changes, with all that was acknowledged.
fn judge(disk: &Arc<Disk>, states: &[Contents], submitted: usize, acknowledged: usize) -> Result<(), String> {
    let (wal, _) = open(disk).map_err(|error| error.to_string())?;
    let found = contents(&wal).map_err(|error| error.to_string())?;
    if states[acknowledged..=submitted].contains(&found) {
        return Ok(());
    }
    Err(format!("{acknowledged} of {submitted} acknowledged, but {:?}", found.summary))
}

/// Fails each operation in turn, cuts the power in several ways, and gives the number of cases.
fn every_operation(make: fn(u64) -> Fault) -> Result<u64, String> {
    let changes = history();
    let states: Vec<Contents> = (0..=changes.len()).map(|end| expected(&changes[..end])).collect();
    let mut cases = 0;
    for operation in 1.. {
        let disk = Disk::new(make(operation));
        let (submitted, acknowledged) = work(&disk, &changes);
        for seed in 0..24 {
            let mut rng = Rng::new(seed);
            let left = disk.after_power_cut(&mut rng);
            judge(&left, &states, submitted, acknowledged)
                .map_err(|error| format!("operation {operation}, seed {seed}: {error}"))?;
            // Opened with the page cache still there, then the power goes.
            let warm = disk.copy();
            judge(&warm, &states, submitted, acknowledged)
                .map_err(|error| format!("operation {operation}, warm: {error}"))?;
            let (wal, _) = open(&warm).map_err(|error| error.to_string())?;
            let seen = contents(&wal).map_err(|error| error.to_string())?;
            drop(wal);
            judge(&warm.after_power_cut(&mut rng), std::slice::from_ref(&seen), 0, 0)
                .map_err(|error| format!("operation {operation}, seed {seed}, seen once: {error}"))?;
            cases += 2;
        }
        if !disk.hit() {
            assert_eq!(submitted, changes.len(), "without a fault all is done");
            return Ok(cases);
        }
    }
    unreachable!("operations end")
}

#[test]
fn a_device_that_dies_at_any_operation_loses_nothing_acknowledged() {
    let cases = every_operation(Fault::From).unwrap();
    println!("{cases} cases");
    assert!(cases > 2000, "{cases}");
}

#[test]
fn an_operation_that_fails_once_loses_nothing_acknowledged() {
    let cases = every_operation(Fault::Once).unwrap();
    println!("{cases} cases");
    assert!(cases > 2000, "{cases}");
}

#[test]
fn planted_faults_of_syncing_are_found() {
    let forgiven = plant::with(Plant::FailedSyncIsForgiven, || every_operation(Fault::Once));
    let trusted = plant::with(Plant::CacheIsTrusted, || every_operation(Fault::Once));
    let lying = every_operation(|operation| if operation == 1 { Fault::LyingSync } else { Fault::None });
    let directory =
        every_operation(|operation| if operation == 1 { Fault::LyingDirectorySync } else { Fault::None });
    for (name, found) in [
        ("forgiven", forgiven),
        ("trusted", trusted),
        ("lying sync", lying),
        ("lying directory sync", directory),
    ] {
        println!("{name}: {found:?}");
        assert!(found.is_err(), "{name} went unseen: {found:?}");
    }
}

fn fails_for_good(wal: &Wal, disk: &Disk) {
    disk.set(Fault::None);
    let late = Change { append: vec![entry(9, wal.last().index.get() + 1, 5)], ..Change::default() };
    for _ in 0..3 {
        assert!(matches!(put(wal, late.clone()), Err(StoreError::Fatal(_))));
    }
}

#[test]
fn transport_10_sync_after_failed_sync_stays_failed() {
    let disk = Disk::new(Fault::None);
    let (wal, _) = open(&disk).unwrap();
    put(&wal, super::append(vec![entry(1, 1, 100)])).unwrap();
    disk.set(Fault::Once(2)); // the write works, its sync does not
    let ticket = wal.submit(super::append(vec![entry(1, 2, 100)])).unwrap();
    assert!(matches!(wal.sync(ticket), Err(StoreError::Fatal(_))));
    assert!(disk.hit());
    assert!(matches!(wal.sync(ticket), Err(StoreError::Fatal(_))), "asked again, it must not claim success");
    fails_for_good(&wal, &disk);
}

#[test]
fn a_failed_write_stays_failed() {
    let disk = Disk::new(Fault::None);
    let (wal, _) = open(&disk).unwrap();
    disk.set(Fault::Once(1));
    assert!(matches!(put(&wal, super::append(vec![entry(1, 1, 100)])), Err(StoreError::Fatal(_))));
    fails_for_good(&wal, &disk);
}

#[test]
fn a_full_disk_fails_the_log_at_a_segments_start_and_loses_nothing() {
    let disk = Disk::new(Fault::None);
    let (wal, _) = open(&disk).unwrap();
    disk.set(Fault::Full);
    let mut acknowledged = 0;
    let error = loop {
        match put(&wal, super::append(vec![entry(1, acknowledged + 1, 700)])) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(acknowledged >= 4, "the segment was preallocated: {acknowledged}");
    assert!(matches!(error, StoreError::Fatal(_)), "{error}");
    fails_for_good(&wal, &disk);
    drop(wal);
    let (wal, _) = open(&disk).unwrap();
    assert_eq!(wal.last().index.get(), acknowledged);
}

#[test]
fn a_directory_without_room_for_the_first_segment_is_an_error() {
    let disk = Disk::new(Fault::Full);
    let error = open(&disk).unwrap_err();
    assert!(matches!(error, WalError::Io { kind: std::io::ErrorKind::StorageFull, .. }), "{error}");
}
