//! Best practices.

use std::collections::BTreeSet;
use std::time::Duration;

use super::support::{Fixed, Flaky, Listed, Settable, VECTORS, vectors};
use synod_idgen::random::{RandomError, SeededRandom, SystemRandom};
use synod_idgen::uuid::{
    Node, StateError, TimeGenerator, TimeOptions, Uuid, UuidError, V7Generator, V7Method, V7Options, V7Random,
};
use synod_idgen::wall::System;
use synod_transport::store::{MemStateStore, StateStore, StoreError};

const MS: Duration = Duration::from_millis(1);

#[test]
fn idgen_rfc9562_6_1_more_ids_than_ticks_are_counted_ahead_and_then_refused() {
    let wall = Settable::at(VECTORS);
    let options = TimeOptions { max_lead: Duration::from_nanos(400) };
    let ids = TimeGenerator::new(&wall, &Fixed(0), options).unwrap();
    let ticks: Vec<u64> = (0..5).map(|_| ids.try_next_v6().unwrap().ticks().unwrap()).collect();
    assert_eq!(ticks, (ticks[0]..ticks[0] + 5).collect::<Vec<_>>());
    // Beyond the lead comes the next clock sequence, at the clock's time.
    let next = ids.try_next_v6().unwrap();
    assert_eq!((next.ticks(), next.clock_sequence()), (Some(ticks[0]), Some(1)));
    // Sixteen sequences of five ticks; then nothing until the clock moves.
    let more = (0..74).filter(|_| ids.try_next_v6().is_ok()).count();
    assert_eq!(more, 74);
    assert!(matches!(ids.try_next_v6(), Err(UuidError::NoClockSequence { .. })));
    wall.set(VECTORS + MS);
    assert_eq!(ids.try_next_v6().unwrap().time(), Some(VECTORS + MS));
}

#[test]
fn idgen_rfc9562_6_2_the_counter_has_16_bits_and_starts_below_the_half() {
    for (random, counter) in [(0, 0), (u64::MAX, 0x7fff), (0x8001, 1)] {
        let ids =
            V7Generator::with(Settable::at(VECTORS), Listed::new(&[0, random, 0]), V7Options::default());
        let count = || {
            let id = ids.try_next().unwrap().as_u128();
            (id >> 64 & 0xfff) << 4 | id >> 58 & 0xf
        };
        // One more in the same millisecond, whatever the random bits.
        assert_eq!([count(), count()], [counter, counter + 1]);
    }
}

#[test]
fn idgen_rfc9562_6_2_a_failing_source_of_random_bits_is_an_error_and_not_an_id() {
    let ids = V7Generator::with(Settable::at(VECTORS), Listed::new(&[]), V7Options::default());
    assert_eq!(ids.try_next(), Err(UuidError::Random(RandomError::Source)));
    assert_eq!(V7Random::new().try_next_at(VECTORS, &Listed::new(&[1])), Err(RandomError::Source.into()));
    let ids = V7Generator::with(Settable::at(VECTORS), Listed::new(&[0, 7, 9]), V7Options::default());
    let mut block = ids.reserve(3).unwrap();
    assert!(matches!((block.next(), block.next()), (Some(Ok(_)), Some(Ok(_)))));
    assert_eq!((block.next(), block.len()), (Some(Err(RandomError::Source)), 0));
}

#[test]
fn idgen_rfc9562_6_2_an_id_that_failed_takes_nothing() {
    let counter = |id: Uuid| (id.as_u128() >> 64 & 0xfff) << 4 | id.as_u128() >> 58 & 0xf;
    let random = Flaky::new(&[Some(0), Some(0), None, Some(0)]);
    let ids = V7Generator::with(Settable::at(VECTORS), random, V7Options::default());
    assert_eq!(ids.try_next().map(counter), Ok(0));
    assert_eq!(ids.try_next(), Err(UuidError::Random(RandomError::Source)));
    assert_eq!(ids.try_next().map(counter), Ok(1));
}

/// Whoever passes errors over must come to the end, and `len` must not lie.
#[test]
fn idgen_rfc9562_6_2_a_block_whose_source_fails_ends_all_the_same() {
    let random = Flaky::new(&[Some(0), Some(0), None, Some(0)]);
    let ids = V7Generator::with(Settable::at(VECTORS), random, V7Options::default());
    let drawn: Vec<_> = ids.reserve(3).unwrap().take(10).collect();
    assert_eq!(drawn.len(), 3);
    // The one without random bits is a gap.
    assert_eq!(drawn[1], Err(RandomError::Source));
    assert_eq!(drawn[2].unwrap().as_u128() - drawn[0].unwrap().as_u128(), 2 << 58);
    let failing = ids.reserve(u16::MAX).map(|block| block.take(70_000).filter(Result::is_err).count());
    assert_eq!(failing, Ok(usize::from(u16::MAX)));
}

#[test]
fn idgen_rfc9562_6_2_method_2_steps_by_more_than_nothing() {
    // The least and the greatest step.
    for (step, least) in [(0, 1), (u64::MAX, 1_u128 << 32)] {
        let random = Listed::new(&[1, 0xffff, step]);
        let mut ids = V7Random::new();
        let first = ids.try_next_at(VECTORS, &random).unwrap();
        let second = ids.try_next_at(VECTORS, &random).unwrap();
        assert_eq!(second.as_u128() - first.as_u128(), least);
        assert_eq!((first.unix_ms(), second.unix_ms()), (first.unix_ms(), first.unix_ms()));
    }
}

#[test]
fn idgen_rfc9562_6_2_method_2_leaves_the_first_bit_free() {
    let mut ids = V7Random::new();
    let first = ids.try_next_at(VECTORS, &Fixed(u128::MAX)).unwrap();
    assert_eq!(first, Uuid::v7_of(first.unix_ms().unwrap(), 0x7ff, u64::MAX).unwrap());
    // All the same with the first of the next millisecond.
    let next = ids.try_next_at(VECTORS + MS, &Fixed(u128::MAX)).unwrap();
    assert_eq!(next.as_u128() >> 64 & 0xfff, 0x7ff);
}

#[test]
fn idgen_rfc9562_6_2_method_2_carries_around_version_and_variant() {
    let mut ids = V7Random::new();
    let random = Listed::new(&[0, u64::MAX >> 2, 0, 3]);
    let first = ids.try_next_at(VECTORS, &random).unwrap();
    assert_eq!(first.as_u128() >> 64 & 0xfff, 0);
    let second = ids.try_next_at(VECTORS, &random).unwrap();
    // 62 bits were full: the carry goes past the variant into `rand_a`.
    assert_eq!((second.as_u128() >> 64 & 0xfff, second.version()), (1, Some(7)));
    assert_eq!(second.as_u128() & u128::from(u64::MAX >> 2), 0);
    assert!(second > first);
}

#[test]
fn idgen_rfc9562_6_2_method_3_the_fraction_of_the_millisecond() {
    let vectors = vectors();
    let vector = &vectors["v7_method3"];
    // 0.4567 ms are 456.7 µs.
    assert_eq!((vector["frac_of_ms"].as_str(), vector["bits"].as_u64()), (Some("0.4567"), Some(12)));
    let options = V7Options { method: V7Method::Precision, ..V7Options::default() };
    let precise = |nanos| {
        let ids = V7Generator::with(Settable::at(VECTORS + Duration::from_nanos(nanos)), Fixed(0), options);
        let id = ids.try_next().unwrap();
        assert_eq!(id.time(), Some(VECTORS));
        u64::try_from(id.as_u128() >> 64 & 0xfff).unwrap()
    };
    assert_eq!(precise(456_700), vector["rand_a"].as_u64().unwrap());
    assert_eq!([0, 244, 245, 999_999].map(precise), [0, 0, 1, 4095]);
}

#[test]
fn idgen_rfc9562_6_2_method_3_stays_in_order_within_a_fraction() {
    let wall = Settable::at(VECTORS);
    let options = V7Options { method: V7Method::Precision, ..V7Options::default() };
    let ids = V7Generator::with(&wall, SeededRandom::new(1), options);
    let mut all: Vec<Uuid> = (0..100).map(|_| ids.try_next().unwrap()).collect();
    wall.set(VECTORS + Duration::from_micros(500));
    all.push(ids.try_next().unwrap());
    assert_eq!(all[100].as_u128() >> 64 & 0xfff, 2048);
    assert!(all.is_sorted_by(|a, b| a < b));
}

#[test]
fn idgen_rfc9562_6_3_node_and_clock_sequence_are_kept_in_a_store() {
    let mut store = MemStateStore::new();
    let mut start = |node| {
        TimeGenerator::restore(System, node, &SystemRandom, TimeOptions::default(), &mut store, "ids")
            .unwrap()
    };
    let first = start(None);
    // The next life: the same node, and clock sequences that no life before had.
    for life in 1..=1023 {
        let next = start(None);
        assert_eq!(next.node(), first.node());
        assert_eq!(next.clock_sequence(), (first.clock_sequence() + 16 * life) % (1 << 14));
    }
    // Another node starts anew, and is what is kept from now on.
    let other = Node::from_bytes([2, 0, 0, 0, 0, 1]);
    assert_eq!(start(Some(other)).node(), other);
    assert_eq!(start(None).node(), other);
}

#[test]
fn idgen_rfc9562_6_3_what_is_stored_and_is_no_state_is_refused() {
    let mut store = MemStateStore::new();
    store.set("ids", b"something else").unwrap();
    let start =
        TimeGenerator::restore(System, None, &SystemRandom, TimeOptions::default(), &mut store, "ids");
    assert_eq!(start.unwrap_err(), StateError::Damaged);
    assert_eq!(store.get("ids").unwrap().unwrap(), &b"something else"[..]);
}

/// A store whose writes fail, and may have reached the disk all the same.
#[derive(Default)]
struct Failing {
    store: MemStateStore,
    reaches: bool,
}

impl StateStore for Failing {
    fn get(&self, name: &str) -> Result<Option<bytes::Bytes>, StoreError> {
        self.store.get(name)
    }

    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        if self.reaches {
            self.store.set(name, value)?;
        }
        Err(StoreError::Full)
    }
}

#[test]
fn idgen_p06_a_life_that_could_not_be_written_gives_no_uuid_of_version_1() {
    fn start(store: &mut impl StateStore) -> Result<u16, StateError> {
        let options = TimeOptions::default();
        let ids = TimeGenerator::restore(System, None, &SystemRandom, options, store, "ids")?;
        Ok(ids.clock_sequence())
    }
    let mut failing = Failing::default();
    assert_eq!(start(&mut failing), Err(StateError::Store(StoreError::Full)));
    assert_eq!(failing.get("ids"), Ok(None));
    let first = start(&mut failing.store).unwrap();
    // Whether it was written or not, the next life has sequences of its own.
    for (reaches, lives) in [(false, 1), (true, 3)] {
        failing.reaches = reaches;
        assert_eq!(start(&mut failing), Err(StateError::Store(StoreError::Full)));
        assert_eq!(start(&mut failing.store).unwrap(), (first + 16 * lives) % (1 << 14));
    }
}

#[test]
fn idgen_p06_a_restart_with_a_clock_set_back_repeats_nothing_of_version_1() {
    let mut store = MemStateStore::new();
    let wall = Settable::default();
    let mut all = BTreeSet::new();
    for life in 0..200 {
        // Each life starts where the one before did: all ticks come again.
        wall.set(VECTORS);
        let ids =
            TimeGenerator::restore(&wall, None, &SystemRandom, TimeOptions::default(), &mut store, "ids")
                .unwrap();
        for step in 0..10 {
            wall.set(VECTORS + MS * (step % 3) * life);
            assert!(all.insert(ids.try_next_v1().unwrap()), "life {life}");
        }
    }
    assert_eq!(all.len(), 2000);
}

#[test]
fn idgen_rfc9562_6_3_without_a_store_node_and_sequence_are_random_each_time() {
    let start = || TimeGenerator::new(System, &SystemRandom, TimeOptions::default()).unwrap();
    let nodes: BTreeSet<Node> = (0..100).map(|_| start().node()).collect();
    assert_eq!(nodes.len(), 100);
}

#[cfg(feature = "name-based")]
#[test]
fn idgen_rfc9562_6_5_the_same_name_in_the_same_namespace_is_the_same_id() {
    use synod_idgen::uuid::namespace::{DNS, URL};
    for make in [Uuid::v3 as fn(_, &[u8]) -> _, Uuid::v5 as fn(_, &[u8]) -> _] {
        let id: Uuid = make(DNS, b"example.com");
        assert_eq!(make(DNS, b"example.com"), id);
        // Another name, or the name in another namespace, is another.
        assert_ne!(make(DNS, b"example.org"), id);
        assert_ne!(make(URL, b"example.com"), id);
    }
}

#[cfg(feature = "name-based")]
#[test]
fn idgen_rfc9562_6_6_the_namespaces_of_table_3() {
    use synod_idgen::uuid::namespace::{DNS, OID, URL, X500};
    let texts = [DNS, URL, OID, X500].map(|id| id.to_string());
    let expected = ["0", "1", "2", "4"].map(|digit| format!("6ba7b81{digit}-9dad-11d1-80b4-00c04fd430c8"));
    assert_eq!(texts, expected);
}

#[test]
fn idgen_rfc9562_6_10_a_random_node_has_the_multicast_bit_and_names_no_host() {
    assert_eq!(Node::random(&Fixed(0)).unwrap().to_bytes(), [1, 0, 0, 0, 0, 0]);
    assert!((0..100).all(|_| Node::random(&SystemRandom).unwrap().is_multicast()));
    assert!(!Node::from_bytes([0x02, 1, 2, 3, 4, 5]).is_multicast());
    let ids = TimeGenerator::new(System, &SystemRandom, TimeOptions::default()).unwrap();
    assert_eq!(ids.try_next_v1().unwrap().node(), Some(ids.node()));
    assert!(ids.node().is_multicast());
}

#[test]
fn idgen_rfc9562_6_11_versions_6_and_7_sort_by_time_as_octets_and_as_text() {
    let wall = Settable::at(VECTORS);
    let sixes = TimeGenerator::new(&wall, &Fixed(7), TimeOptions::default()).unwrap();
    let sevens = V7Generator::with(&wall, SeededRandom::new(1), V7Options::default());
    for make in [&(|| sixes.try_next_v6()) as &dyn Fn() -> _, &(|| sevens.try_next())] {
        let mut all: Vec<Uuid> = Vec::new();
        for step in 0..1000_u32 {
            wall.set(VECTORS + Duration::from_micros(700) * (step / 3));
            all.push(make().unwrap());
        }
        assert!(all.is_sorted_by(|a, b| a < b));
        assert!(all.is_sorted_by(|a, b| a.to_bytes() < b.to_bytes()));
        assert!(all.is_sorted_by(|a, b| a.to_string() < b.to_string()));
        wall.set(VECTORS);
    }
}

#[test]
fn idgen_rfc9562_6_12_any_128_bits_are_taken() {
    let random = SeededRandom::new(3);
    for _ in 0..1000 {
        let bits = synod_idgen::random::Random::next_u128(&random).unwrap();
        let id = Uuid::from_u128(bits);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(Uuid::from_bytes(id.to_bytes()), id);
        // What it cannot tell, it does not make up.
        if !matches!(id.version(), Some(1 | 6 | 7)) {
            assert_eq!((id.time(), id.ticks(), id.unix_ms()), (None, None, None));
        }
    }
}
