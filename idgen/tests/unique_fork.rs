//! P9: parent and child share no id that is made after a fork. A program of its own, with one thread, as a fork should
//! have it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use fork::{Fork, fork, waitpid};
use synod_idgen::ksuid::Ksuid;
use synod_idgen::random::{Random as _, SeededRandom, SystemRandom};
use synod_idgen::ulid::{OverflowPolicy, UlidError, UlidGenerator, UlidOptions, UlidStepper};
use synod_idgen::uuid::{TimeGenerator, TimeOptions, Uuid, UuidError, V7Generator, V7Options, V7Random};
use synod_idgen::wall::{FromFn, System, from_fn};

const COUNT: usize = 5_000;

/// The clock stands still, as if all happened within one millisecond: ids of parent and child differ by more than time.
const NOW: Duration = Duration::from_millis(1_700_000_000_000);

fn frozen() -> FromFn<fn() -> Duration> {
    from_fn(|| NOW)
}

/// Makes ids here and in a child, and gives what both made: the child's first.
fn apart(mut make: impl FnMut() -> u128) -> (Vec<u128>, Vec<u128>) {
    let (mut reader, mut writer) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut ids = || (0..COUNT).map(|_| make()).collect::<Vec<u128>>();
    match fork().unwrap() {
        Fork::Child => {
            drop(reader);
            let octets: Vec<u8> = ids().into_iter().flat_map(u128::to_le_bytes).collect();
            writer.write_all(&octets).unwrap();
            drop(writer);
            std::process::exit(0);
        }
        Fork::Parent(pid) => {
            drop(writer);
            let own = ids();
            let mut octets = Vec::new();
            reader.read_to_end(&mut octets).unwrap();
            assert_eq!(waitpid(pid).unwrap(), 0, "the child failed");
            (octets.chunks(16).map(|octets| u128::from_le_bytes(octets.try_into().unwrap())).collect(), own)
        }
    }
}

/// How many ids both have.
fn shared((theirs, own): (Vec<u128>, Vec<u128>)) -> usize {
    assert_eq!((theirs.len(), own.len()), (COUNT, COUNT));
    let theirs: BTreeSet<u128> = theirs.into_iter().collect();
    assert_eq!(theirs.len(), COUNT, "the child's own are not unique");
    own.iter().filter(|id| theirs.contains(id)).count()
}

fn main() {
    // Blocks, streams and counters are in use before the fork.
    for _ in 0..10 {
        SystemRandom.next_u64().unwrap();
    }
    let check = |name: &str, shared: usize| {
        assert_eq!(shared, 0, "{name}");
        println!("test idgen_p09_parent_and_child_share_no_{name} ... ok");
    };
    check("random_number", shared(apart(|| SystemRandom.next_u128().unwrap())));
    check("uuid_v4", shared(apart(|| Uuid::v4(&SystemRandom).unwrap().as_u128())));

    let ids = V7Generator::with(frozen(), SystemRandom, V7Options::default());
    ids.try_next().unwrap();
    check("uuid_v7", shared(apart(|| ids.try_next().unwrap().as_u128())));
    let mut block = ids.reserve(u16::MAX).unwrap();
    check("uuid_v7_of_a_block", shared(apart(|| block.next().unwrap().unwrap().as_u128())));
    // Even if the random steps themselves were copied, the child would not step where its parent does.
    let mut steps = V7Random::new();
    let copied = SeededRandom::new(1);
    steps.try_next_at(NOW, &copied).unwrap();
    check("uuid_v7_by_steps", shared(apart(|| steps.try_next_at(NOW, &copied).unwrap().as_u128())));

    let ids = UlidGenerator::with(frozen(), SystemRandom, UlidOptions::default());
    ids.try_next().unwrap();
    check("ulid", shared(apart(|| ids.try_next().unwrap().as_u128())));
    let mut steps = UlidStepper::new(OverflowPolicy::NextMs);
    steps.try_next_at(NOW, &SystemRandom).unwrap();
    check("ulid_by_steps", shared(apart(|| steps.try_next_at(NOW, &SystemRandom).unwrap().as_u128())));

    check("ksuid", shared(apart(|| Ksuid::generate(&frozen(), &SystemRandom).unwrap().payload())));

    refused_where_there_is_nothing_random();
    a_grandchild_is_another_as_well();
    what_a_fork_copies_is_shared();
}

/// Versions 1 and 6 have no random bits, and a strict stepper has no id of its own in its parent's millisecond.
fn refused_where_there_is_nothing_random() {
    let ids = TimeGenerator::new(System, &SystemRandom, TimeOptions::default()).unwrap();
    let mut steps = UlidStepper::new(OverflowPolicy::Error);
    steps.try_next_at(NOW, &SystemRandom).unwrap();
    let Fork::Parent(pid) = fork().unwrap() else {
        assert_eq!(ids.try_next_v1(), Err(UuidError::Forked));
        assert_eq!(ids.try_next_v6(), Err(UuidError::Forked));
        assert_eq!(steps.try_next_at(NOW, &SystemRandom), Err(UlidError::Overflow));
        assert_eq!(steps.try_next_at(NOW, &SystemRandom), Err(UlidError::Overflow));
        let later = NOW + Duration::from_millis(1);
        let next = steps.try_next_at(later, &SystemRandom).unwrap();
        assert_eq!(steps.try_next_at(later, &SystemRandom), next.increment());
        std::process::exit(0)
    };
    assert_eq!(waitpid(pid).unwrap(), 0, "the child failed");
    assert!(ids.try_next_v1().is_ok() && steps.try_next_at(NOW, &SystemRandom).is_ok());
    println!("test idgen_p09_a_child_has_no_uuid_v1_of_its_parents ... ok");
}

fn a_grandchild_is_another_as_well() {
    let before = SystemRandom.next_u64().unwrap();
    let Fork::Parent(pid) = fork().unwrap() else {
        let first = SystemRandom.next_u64().unwrap();
        assert_ne!(first, before);
        assert_eq!(shared(apart(|| SystemRandom.next_u128().unwrap())), 0);
        std::process::exit(0)
    };
    assert_eq!(waitpid(pid).unwrap(), 0, "the child failed");
    println!("test idgen_p09_a_grandchild_shares_no_random_number ... ok");
}

/// The same test on bits that are copied finds every one of them.
fn what_a_fork_copies_is_shared() {
    let copied = SeededRandom::new(1);
    assert_eq!(shared(apart(|| copied.next_u128().unwrap())), COUNT);
    let ids = V7Generator::with(frozen(), &copied, V7Options::default());
    ids.try_next().unwrap();
    assert_eq!(shared(apart(|| ids.try_next().unwrap().as_u128())), COUNT);
    println!("test idgen_p09_a_source_that_is_copied_is_found_out ... ok");
}
