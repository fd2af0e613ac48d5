//! Nodes by lock files, within a process. What processes do to each other stands in `durable_fork.rs`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU32, Ordering};

use synod_idgen::layout::Twitter;
use synod_idgen::machine::{LockError, NodeLock};
use synod_idgen::node::Hold;

type Lock = NodeLock<Twitter>;

#[test]
fn each_node_is_locked_once_and_free_when_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let locks: Vec<Lock> = (0..3).map(|_| Lock::acquire(folder.path(), 4..=6).unwrap()).collect();
    assert_eq!(locks.iter().map(|lock| lock.node().get()).collect::<Vec<_>>(), [4, 5, 6]);
    assert!(locks.iter().all(|lock| lock.is_held() && lock.is_in_place()));
    assert_eq!(Lock::acquire(folder.path(), 4..=6).unwrap_err(), LockError::AllTaken { first: 4, last: 6 });
    drop(locks);
    assert_eq!(Lock::acquire(folder.path(), 4..=6).unwrap().node().get(), 4);
}

#[test]
fn files_that_stay_behind_are_harmless() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("node-4.lock"), "pid 1, long ago").unwrap();
    assert_eq!(Lock::acquire(folder.path(), 4..=6).unwrap().node().get(), 4);
}

#[test]
fn a_file_that_was_removed_under_its_holder_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::acquire(folder.path(), 4..=4).unwrap();
    fs::remove_file(folder.path().join("node-4.lock")).unwrap();
    assert!(!lock.is_in_place());
    // This is what it is seen for: another file of the name can be locked.
    let other = Lock::acquire(folder.path(), 4..=4).unwrap();
    assert!(other.is_in_place() && !lock.is_in_place());
}

#[test]
fn idgen_p03_numbers_that_are_no_nodes_are_refused_before_a_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Lock::acquire(folder.path(), 1020..=1024), Err(LockError::Range(_))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(Lock::acquire(nowhere, 0..=3), Err(LockError::System { .. })));
}

#[test]
fn what_is_no_file_is_refused_and_no_link_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    symlink(&elsewhere, folder.path().join("node-4.lock")).unwrap();
    fs::create_dir(folder.path().join("node-5.lock")).unwrap();
    for node in [4, 5] {
        let refused = Lock::acquire(folder.path(), node..=6).unwrap_err();
        assert!(matches!(&refused, LockError::System { path, .. } if path.contains(&format!("node-{node}"))));
    }
    assert!(!elsewhere.exists());
}

#[test]
fn a_file_that_is_removed_while_another_opens_it_is_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let (path, holders) = (folder.path().join("node-4.lock"), AtomicU32::new(0));
    let clean_up = || {
        let mut held = 0;
        for _ in 0..20_000 {
            let Ok(lock) = Lock::acquire(folder.path(), 4..=4) else { continue };
            assert!(lock.is_in_place(), "a file without a name is locked");
            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two have the node");
            holders.fetch_sub(1, Ordering::SeqCst);
            fs::remove_file(&path).unwrap(); // from here on the node is free, though the lock is still held
            held += 1;
        }
        held
    };
    let held = std::thread::scope(|scope| {
        let threads = [scope.spawn(clean_up), scope.spawn(clean_up)];
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(held.into_iter().sum::<u32>() > 1_000, "{held:?}");
}
