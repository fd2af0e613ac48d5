//! What a child finds after a fork of a lock, a keeper, a lease and a sequence; and locks of processes that end. A program
//! of its own, with one thread, as a fork should have it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use fork::{Fork, fork, waitpid};
use synod_idgen::generator::Generator;
use synod_idgen::keeper::{Keeper, KeeperError, KeeperOptions};
use synod_idgen::layout::Twitter;
use synod_idgen::machine::{GrantOptions, Granted, GrantedError, LockError, MemGrants, NodeLock, Uptime};
use synod_idgen::node::{Hold, NodeId};
use synod_idgen::sequence::{
    AnswerError, AutoIncrement, Block, CounterOptions, NextError, Sequence, SequenceError, SequenceOptions,
    StoreCounter,
};
use synod_idgen::wall::System;
use synod_transport::store::MemStateStore;

type Lock = NodeLock<Twitter>;

/// A child that does this and ends, with its destructors or without.
fn child(run: impl FnOnce() -> i32) -> i32 {
    match fork().unwrap() {
        Fork::Child => std::process::exit(run()),
        Fork::Parent(pid) => waitpid(pid).unwrap(),
    }
}

fn is_free(folder: &Path) -> bool {
    match Lock::acquire(folder, 5..=5) {
        Ok(_) => true,
        Err(LockError::AllTaken { first: 5, last: 5 }) => false,
        Err(other) => panic!("{other}"),
    }
}

fn a_lock_is_its_process_own(folder: &Path) {
    let lock = Lock::acquire(folder, 5..=5).unwrap();
    assert!(lock.is_held() && !is_free(folder));
    let mut lock = Some(lock);
    let ended = child(|| {
        let lock = lock.take().unwrap();
        assert!(!lock.is_held(), "a child does not hold it");
        drop(lock);
        0
    });
    assert_eq!(ended, 0);
    assert!(!is_free(folder), "a child that drops its copy lets nobody in");
    assert!(lock.as_ref().is_some_and(|lock| lock.is_held() && lock.is_in_place()));

    // A child that lives on with its copy does not keep the node taken.
    let (mut here, mut there) = UnixStream::pair().unwrap();
    match fork().unwrap() {
        Fork::Child => {
            drop(here);
            let mut byte = [0];
            let _ended = there.read(&mut byte); // until the parent is done
            std::process::exit(0);
        }
        Fork::Parent(pid) => {
            drop(there);
            drop(lock);
            assert!(is_free(folder), "dropped, and the child still has the file open");
            here.write_all(&[1]).unwrap();
            assert_eq!(waitpid(pid).unwrap(), 0);
        }
    }
}

fn a_process_that_ends_lets_go(folder: &Path) {
    let ended = child(|| {
        let lock = Lock::acquire(folder, 5..=5).unwrap();
        std::mem::forget(lock);
        0 // no destructor runs
    });
    assert_eq!(ended, 0);
    assert!(folder.join("node-5.lock").exists(), "the file stays");
    assert!(is_free(folder), "and is nobody's");
}

fn a_child_extends_nothing_and_takes_no_number() {
    let node = NodeId::<Twitter>::new(7).unwrap();
    let store = MemStateStore::new();
    let mut keeper =
        Keeper::start(Generator::builder(node), System, store, KeeperOptions::default()).unwrap();
    let grantor = MemGrants::<Twitter, _>::new(0..=3, Duration::from_secs(600), Uptime::default());
    let granted = Granted::start(grantor, System, Uptime::default(), GrantOptions::default()).unwrap();
    let mut tenant = Some(granted);
    let counter = StoreCounter::new(MemStateStore::new(), CounterOptions::default());
    let numbers = AutoIncrement::new(counter, SequenceOptions::default());
    numbers.next().unwrap();
    let sequence = Sequence::new(SequenceOptions::default());
    let ticket = sequence.request().unwrap().ticket;

    let ended = child(|| {
        assert_eq!(keeper.extend(), Err(KeeperError::Forked));
        let mut granted = tenant.take().unwrap();
        assert_eq!(granted.renew(), Err(GrantedError::Over { node: 0 }));
        assert!(granted.generator().try_next().is_err());
        assert_eq!(granted.release(), Err(GrantedError::Over { node: 0 }), "it is the parent's to give back");
        assert_eq!(numbers.next(), Err(NextError::Sequence(SequenceError::Forked)));
        assert_eq!(numbers.refill(), Err(NextError::Sequence(SequenceError::Forked)));
        assert_eq!(sequence.answer(ticket, Block::new(0, 9).unwrap()), Err(AnswerError::Forked));
        assert_eq!(sequence.try_next(), Err(SequenceError::Forked));
        0
    });
    assert_eq!(ended, 0);
    let mut granted = tenant.unwrap();
    assert!(keeper.extend().is_ok() && granted.renew().is_ok(), "the parent goes on");
    assert_eq!(granted.release(), Ok(()));
    assert_eq!(numbers.next(), Ok(2));
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    a_lock_is_its_process_own(folder.path());
    a_process_that_ends_lets_go(folder.path());
    a_child_extends_nothing_and_takes_no_number();
    println!("idgen_p09_durable: a child has nothing of its parent's; ok");
}
