//! P9: what a child finds after a fork. A program of its own, with one thread, as a fork should have it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::time::Duration;

use fork::{Fork, fork, waitpid};
use synod_idgen::generator::{Exhausted, Generator, GeneratorError, Options};
use synod_idgen::layout::{Id, Position, Twitter};
use synod_idgen::node::{Always, NodeId};
use synod_idgen::wall::System;

type Ids = Vec<Id<Twitter>>;

/// Runs `child` in a child process, `parent` in this one meanwhile, and gives what both made.
fn apart(child: impl FnOnce() -> Ids, parent: impl FnOnce() -> Ids) -> (Ids, Ids) {
    let (mut reader, mut writer) = std::os::unix::net::UnixStream::pair().unwrap();
    match fork().unwrap() {
        Fork::Child => {
            drop(reader);
            let ids: Vec<u8> = child().iter().flat_map(|id| id.as_u64().to_le_bytes()).collect();
            writer.write_all(&ids).unwrap();
            drop(writer);
            std::process::exit(0);
        }
        Fork::Parent(pid) => {
            drop(writer);
            let own = parent();
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            assert_eq!(waitpid(pid).unwrap(), 0, "the child failed");
            let id = |bytes: &[u8]| Id::from_u64(u64::from_le_bytes(bytes.try_into().unwrap())).unwrap();
            (bytes.chunks(8).map(id).collect(), own)
        }
    }
}

fn shared(a: &Ids, b: &Ids) -> usize {
    a.iter().filter(|id| b.contains(id)).count()
}

fn borrowing() -> Options {
    Options { exhausted: Exhausted::Borrow(Duration::from_secs(60)), ..Options::default() }
}

fn main() {
    let node = |node| NodeId::<Twitter>::new(node).unwrap();
    let mut generator = Generator::builder(node(7)).options(borrowing()).build(System).unwrap();
    generator.try_next().unwrap();

    // Every call of the child is refused, with ids left in a block and a lane as well.
    let mut lane = generator.lane(1_000);
    lane.try_next().unwrap();
    let mut block = generator.reserve(1_000).unwrap();
    let refused = || {
        assert_eq!(generator.try_next(), Err(GeneratorError::Forked));
        assert_eq!(generator.next(), Err(GeneratorError::Forked));
        assert_eq!(generator.try_next_at(Duration::from_secs(1_767_225_600)), Err(GeneratorError::Forked));
        assert_eq!(generator.reserve(1).err(), Some(GeneratorError::Forked));
        assert_eq!(generator.lane(8).try_next(), Err(GeneratorError::Forked));
        Ids::new()
    };
    let go_on = || (0..1_000).map(|_| generator.try_next().unwrap()).collect();
    let (theirs, own) = apart(refused, go_on);
    assert_eq!((theirs.len(), own.len()), (0, 1_000));
    let (theirs, own) = apart(|| block.by_ref().chain(lane.try_next().ok()).collect(), Ids::new);
    assert_eq!((theirs.len(), own.len()), (0, 0));
    assert_eq!(block.count(), 1_000, "the parent's block is whole");
    assert!(lane.try_next().is_ok());

    // With a node of its own the child goes on, and shares nothing.
    let adopted = Generator::builder(node(7)).options(borrowing()).build(System).unwrap();
    adopted.try_next().unwrap();
    let child = || {
        generator.adopt(node(8), Position::ZERO, Always);
        (0..10_000).map(|_| generator.try_next().unwrap()).collect()
    };
    let (theirs, own) = apart(child, || (0..10_000).map(|_| adopted.try_next().unwrap()).collect());
    assert_eq!((theirs.len(), own.len(), shared(&theirs, &own)), (10_000, 10_000, 0));

    // A generator that is copied by the fork and does not notice gives the same ids: the test sees that.
    let naive = std::cell::Cell::new(0u64);
    let copied = || {
        let next = || naive.replace(naive.get() + 1);
        (0..1_000).map(|_| Id::from_u64(next()).unwrap()).collect::<Ids>()
    };
    let (theirs, own) = apart(copied, copied);
    assert_eq!(shared(&theirs, &own), 1_000);
    println!("test idgen_p09_parent_and_child_share_no_id ... ok");
}
