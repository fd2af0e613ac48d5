//! Where the sequence of a tick starts, for those who spread ids by their remainder.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use synod_idgen::generator::{Generator, Options, Start};
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::wall;

const FIRST: Duration = Duration::from_secs(1_767_225_600);

/// 10 000 ids, one in a tick, in ticks 1 to 7 ms apart.
fn one_per_tick(start: Start) -> Vec<u64> {
    let options = Options { start, ..Options::default() };
    let node = NodeId::<Twitter>::new(7).unwrap();
    let generator = Generator::builder(node).options(options).build(wall::from_fn(|| FIRST)).unwrap();
    let mut now = FIRST;
    let id = |step: u64| {
        now += Duration::from_millis(1 + step % 7);
        generator.try_next_at(now).unwrap().as_u64()
    };
    (0..10_000).map(id).collect()
}

/// Pearson's chi-square of the remainders against an even spread.
fn chi_square(ids: &[u64], modulus: usize) -> f64 {
    let mut counts = vec![0u32; modulus];
    for id in ids {
        counts[usize::try_from(*id % modulus as u64).unwrap()] += 1;
    }
    let expected = ids.len() as f64 / modulus as f64;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// Modulus, and what an even spread exceeds once in a thousand times (1, 15 and 1023 degrees of freedom).
const CRITICAL: [(usize, f64); 3] = [(2, 10.83), (16, 37.70), (1024, 1_168.5)];

fn is_even(ids: &[u64]) -> bool {
    CRITICAL.iter().all(|(modulus, critical)| chi_square(ids, *modulus) < *critical)
}

#[test]
fn idgen_p08_remainders_of_rare_ids_are_even_from_a_random_start() {
    for seed in [0, 1, 7, 0xdead_beef, u64::MAX] {
        let ids = one_per_tick(Start::Random(seed));
        assert!(ids.is_sorted());
        assert!(is_even(&ids), "seed {seed}");
        assert_eq!(ids, one_per_tick(Start::Random(seed)), "the same seed, the same ids");
    }
    assert_ne!(one_per_tick(Start::Random(1)), one_per_tick(Start::Random(2)));
}

#[test]
fn idgen_p08_remainders_of_rare_ids_are_even_when_the_sequence_continues() {
    let ids = one_per_tick(Start::Continue);
    assert!(ids.is_sorted() && is_even(&ids));
}

#[test]
fn idgen_p08_the_test_finds_a_start_at_zero_and_a_naive_hash() {
    for (modulus, critical) in CRITICAL {
        assert!(chi_square(&one_per_tick(Start::Zero), modulus) > critical);
    }
    // Ticks as they are instead of hashed: steps of 1 to 7 ms leave some remainders out.
    let naive: Vec<u64> = one_per_tick(Start::Zero).iter().map(|id| (id >> 22) * 28 % 2048).collect();
    assert!(!is_even(&naive));
}

#[test]
fn half_of_a_tick_is_left_wherever_the_sequence_starts() {
    for start in [Start::Random(3), Start::Continue] {
        assert!(one_per_tick(start).iter().all(|id| id & 4095 < 2048));
    }
}
