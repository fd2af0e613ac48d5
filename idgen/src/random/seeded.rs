//! Random bits that come again.

use super::{Random, RandomError};
use crate::sync::{AtomicU64, Ordering};

/// 2⁶⁴ divided by the golden ratio, odd: a step that visits every state.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The same bits for the same seed: for simulations and tests, never for ids that must not be guessed.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 10) on one
/// atomic number. Threads may share it, but then who gets which bits is up to the scheduler.
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// Of a seed. Seeds that lie close give bits that have nothing in common; those that lie a multiple of
    /// `0x9e3779b97f4a7c15` apart give the same bits, some numbers later.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl Random for SeededRandom {
    #[inline]
    fn next_u64(&self) -> Result<u64, RandomError> {
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ mixed >> 31)
    }
}

#[cfg(all(test, not(synod_loom)))]
mod tests {
    use super::*;

    #[test]
    fn idgen_random_of_a_seed_is_that_of_the_paper() {
        // The first numbers of SplitMix64 from seed 1234567, as its published reference gives them.
        let random = SeededRandom::new(1_234_567);
        let first = [(); 3].map(|()| random.next_u64().unwrap());
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn idgen_random_of_another_seed_is_another() {
        let (one, two) = (SeededRandom::new(0), SeededRandom::new(1));
        assert!((0..1000).all(|_| one.next_u128() != two.next_u128()));
    }
}
