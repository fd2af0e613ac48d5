//! The versions.

use std::time::Duration;

use super::support::{Fixed, Settable, VECTORS, node, uuid, vectors};
use synod_idgen::uuid::{Node, TimeGenerator, TimeOptions, Uuid, UuidError, Variant};

#[test]
fn idgen_rfc9562_5_1_and_5_6_the_vectors_of_versions_1_and_6() {
    let vectors = vectors();
    for (name, version, make) in [
        ("v1", 1, Uuid::v1_of as fn(_, _, _) -> Result<_, UuidError>),
        ("v6", 6, Uuid::v6_of as fn(_, _, _) -> Result<_, UuidError>),
    ] {
        let vector = &vectors[name];
        let ticks = vector["greg_100ns"].as_u64().unwrap();
        let sequence = u16::try_from(vector["clock_seq"].as_u64().unwrap()).unwrap();
        let id: Uuid = make(ticks, sequence, node(&vector["node"])).unwrap();
        assert_eq!(id, uuid(&vector["uuid"]));
        assert_eq!((id.version(), id.variant()), (Some(version), Variant::Rfc));
        // And back.
        assert_eq!(id.ticks(), Some(ticks));
        assert_eq!(id.clock_sequence(), Some(sequence));
        assert_eq!(id.node(), Some(node(&vector["node"])));
        assert_eq!(id.time(), Some(VECTORS));
    }
    let unix = vectors["v1"]["unix_ns"].as_u64().unwrap();
    assert_eq!(Duration::from_nanos(unix), VECTORS);
    let offset = vectors["greg_unix_offset_100ns"].as_u64().unwrap();
    assert_eq!(Uuid::v1_of(offset, 0, Node::from_bytes([0; 6])).unwrap().time(), Some(Duration::ZERO));
    // One tick before 1970 there is a tick, but no time since.
    let before = Uuid::v1_of(offset - 1, 0, Node::from_bytes([0; 6])).unwrap();
    assert_eq!((before.ticks(), before.time()), (Some(offset - 1), None));
}

#[test]
fn idgen_rfc9562_5_1_time_has_60_bits_and_ends() {
    let node = Node::from_bytes([0xff; 6]);
    let last = (1 << 60) - 1;
    assert_eq!(Uuid::v1_of(last, 0x3fff, node).unwrap().ticks(), Some(last));
    assert_eq!(Uuid::v6_of(last, 0x3fff, node).unwrap().ticks(), Some(last));
    assert_eq!(Uuid::v1_of(last + 1, 0, node), Err(UuidError::TimeOverflow));
    assert_eq!(Uuid::v6_of(last + 1, 0, node), Err(UuidError::TimeOverflow));
    // Of the sequence 14 bits count.
    assert_eq!(Uuid::v1_of(0, 0xffff, node).unwrap().clock_sequence(), Some(0x3fff));
    let wall = || Duration::from_secs(200_000_000_000);
    let random = Fixed(0);
    let ids = TimeGenerator::new(synod_idgen::wall::from_fn(wall), &random, TimeOptions::default()).unwrap();
    assert_eq!(ids.try_next_v1(), Err(UuidError::TimeOverflow));
}

#[test]
fn idgen_rfc9562_5_1_the_clock_sequence_starts_at_random() {
    let start = |random: u128| {
        let ids = TimeGenerator::new(Settable::at(VECTORS), &Fixed(random), TimeOptions::default()).unwrap();
        ids.try_next_v1().unwrap().clock_sequence().unwrap()
    };
    assert_eq!(start(0), 0);
    assert_eq!(start(5 << 64), 80);
    assert_eq!(start(u128::MAX), 0x3ff0);
}

#[test]
fn idgen_rfc9562_5_1_the_clock_sequence_changes_when_the_clock_was_set_back() {
    let wall = Settable::at(VECTORS);
    let ids = TimeGenerator::new(&wall, &Fixed(0), TimeOptions::default()).unwrap();
    let before = ids.try_next_v1().unwrap();
    wall.set(VECTORS - Duration::from_secs(10));
    let after = ids.try_next_v1().unwrap();
    assert_eq!(after.time(), Some(VECTORS - Duration::from_secs(10)));
    assert_eq!(after.clock_sequence(), before.clock_sequence().map(|sequence| sequence + 1));
    assert_eq!((after.node(), ids.clock_sequence()), (before.node(), 1));
    // A step within what is certain to be new changes nothing.
    wall.set(VECTORS - Duration::from_millis(10_999));
    let held = ids.try_next_v1().unwrap();
    assert_eq!((held.clock_sequence(), held.ticks()), (Some(1), after.ticks().map(|ticks| ticks + 1)));
}

#[test]
fn idgen_rfc9562_5_1_when_clock_sequences_are_used_up_nothing_is_repeated() {
    let wall = Settable::at(VECTORS);
    let ids = TimeGenerator::new(&wall, &Fixed(0), TimeOptions::default()).unwrap();
    let mut all = vec![ids.try_next_v1().unwrap()];
    for step in 1..16 {
        wall.set(VECTORS - Duration::from_secs(2 * step));
        all.push(ids.try_next_v1().unwrap());
    }
    wall.set(VECTORS - Duration::from_secs(32));
    let lead = Duration::from_secs(2);
    assert_eq!(ids.try_next_v1(), Err(UuidError::NoClockSequence { lead }));
    // Once the clock has caught up, the last sequence goes on.
    wall.set(VECTORS - Duration::from_secs(30));
    all.push(ids.try_next_v1().unwrap());
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!((distinct.len(), ids.clock_sequence()), (17, 15));
}

#[cfg(feature = "name-based")]
#[test]
fn idgen_rfc9562_5_3_and_5_5_the_vectors_of_versions_3_and_5() {
    let vectors = vectors();
    for (name, version, make) in
        [("v3", 3, Uuid::v3 as fn(_, &[u8]) -> _), ("v5", 5, Uuid::v5 as fn(_, &[u8]) -> _)]
    {
        let vector = &vectors[name];
        let id: Uuid = make(uuid(&vector["ns"]), vector["name"].as_str().unwrap().as_bytes());
        assert_eq!(id, uuid(&vector["uuid"]));
        assert_eq!((id.version(), id.variant()), (Some(version), Variant::Rfc));
    }
}

#[test]
fn idgen_rfc9562_5_4_the_vector_of_version_4() {
    let vector = &vectors()["v4"];
    let random = u128::from_str_radix(vector["random"].as_str().unwrap(), 16).unwrap();
    let id = Uuid::v4(&Fixed(random)).unwrap();
    assert_eq!(id, uuid(&vector["uuid"]));
    assert_eq!((id.version(), id.variant()), (Some(4), Variant::Rfc));
    // 122 bits are as they came.
    let fixed = 0xf << 76 | 0b11 << 62;
    assert_eq!(id.as_u128() & !fixed, random & !fixed);
}

#[test]
fn idgen_rfc9562_5_6_version_1_and_6_hold_the_same() {
    let vectors = vectors();
    let (one, six) = (uuid(&vectors["v1"]["uuid"]), uuid(&vectors["v6"]["uuid"]));
    assert_eq!((one.to_v6(), six.to_v1()), (Some(six), Some(one)));
    assert_eq!((one.to_v1(), six.to_v6()), (Some(one), Some(six)));
    assert_eq!(uuid(&vectors["v7"]["uuid"]).to_v6(), None);
    assert_eq!(Uuid::MAX.to_v1(), None);
}

#[test]
fn idgen_rfc9562_5_7_the_vector_of_version_7() {
    let vector = &vectors()["v7"];
    let ms = vector["unix_ms"].as_u64().unwrap();
    let rand_a = u16::try_from(vector["rand_a"].as_u64().unwrap()).unwrap();
    let id = Uuid::v7_of(ms, rand_a, vector["rand_b"].as_u64().unwrap()).unwrap();
    assert_eq!(id, uuid(&vector["uuid"]));
    assert_eq!((id.version(), id.unix_ms(), id.time()), (Some(7), Some(ms), Some(VECTORS)));
}

#[test]
fn idgen_rfc9562_5_8_the_vectors_of_version_8() {
    let vectors = vectors();
    let time = &vectors["v8_time"];
    let custom = |name: &str| u128::from(time[name].as_u64().unwrap());
    let bits = custom("custom_a") << 80 | custom("custom_b") << 64 | custom("custom_c");
    let id = Uuid::v8(bits);
    assert_eq!(id, uuid(&time["uuid"]));
    assert_eq!((id.version(), id.variant(), id.time()), (Some(8), Variant::Rfc, None));

    // Example B.2: the first half of a SHA-256.
    use sha2::Digest as _;
    let hashed = &vectors["v8_sha256"];
    let hash = sha2::Sha256::new()
        .chain_update(uuid(&hashed["ns"]).to_bytes())
        .chain_update(hashed["name"].as_str().unwrap())
        .finalize();
    let first: [u8; 16] = hash[..16].try_into().unwrap();
    assert_eq!(Uuid::v8(u128::from_be_bytes(first)), uuid(&hashed["uuid"]));
}

#[test]
fn idgen_rfc9562_5_9_and_5_10_nil_and_max() {
    let vectors = vectors();
    assert_eq!((uuid(&vectors["nil"]), uuid(&vectors["max"])), (Uuid::NIL, Uuid::MAX));
    assert!(Uuid::NIL.is_nil() && !Uuid::MAX.is_nil() && Uuid::default().is_nil());
    assert_eq!((Uuid::NIL.version(), Uuid::MAX.version()), (None, None));
    assert_eq!((Uuid::NIL.variant(), Uuid::MAX.variant()), (Variant::Ncs, Variant::Future));
    assert!(Uuid::NIL < uuid(&vectors["v1"]["uuid"]) && uuid(&vectors["v1"]["uuid"]) < Uuid::MAX);
}
