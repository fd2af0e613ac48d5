//! Random bits of the system, by way of a block cipher's stream in each thread.
//!
//! ```text
//!  getrandom ──256 bits──▶ ChaCha12 ──blocks of 256 bytes──▶ a thread's ids
//!      ▲                       │
//!      └── in a forked child, ─┘
//!          after a MiB
//! ```
//!
//! Asking the system for each id costs a call into the kernel, some 200 ns or more. A stream of ChaCha seeded by the
//! system is as hard to guess and costs a few. What it costs in safety is the buffer, which a fork copies: so before each
//! number a thread asks whether it is still in the process that filled it, which is one relaxed load.

use core::cell::RefCell;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};

use super::{Random, RandomError};
use crate::process::Process;

/// Numbers of 64 bits from one seed: a MiB.
const NUMBERS_OF_A_SEED: u32 = 1 << 17;

std::thread_local! {
    static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
}

/// Random bits that nobody can guess: the system's, stretched by ChaCha12, anew in every thread and in a forked child.
///
/// A child made by a bare `clone` call past the C library is not seen; nor is a snapshot of a virtual machine that is
/// started twice: until the next seed, after at most a MiB in each thread, both give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[inline]
    fn next_u64(&self) -> Result<u64, RandomError> {
        STREAM.try_with(take::<1>).unwrap_or_else(|_| ask()).map(|[number]| number)
    }

    #[inline]
    fn next_u128(&self) -> Result<u128, RandomError> {
        let [high, low] = STREAM.try_with(take::<2>).unwrap_or_else(|_| ask())?;
        Ok(u128::from(high) << 64 | u128::from(low))
    }
}

/// What a thread holds.
struct Stream {
    words: ChaCha12Rng,
    left: u32,
    process: Process,
}

impl Stream {
    fn seeded() -> Result<Self, RandomError> {
        // First the process, then the seed: a fork between the two is seen.
        let process = Process::current();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(failure)?;
        Ok(Self { words: ChaCha12Rng::from_seed(seed), left: NUMBERS_OF_A_SEED, process })
    }
}

#[inline]
fn take<const N: usize>(stream: &RefCell<Option<Stream>>) -> Result<[u64; N], RandomError> {
    let Ok(mut stream) = stream.try_borrow_mut() else { return ask() };
    match &mut *stream {
        Some(stream) if stream.left != 0 && !stream.process.is_another() => {
            stream.left -= 1;
            Ok(core::array::from_fn(|_| stream.words.next_u64()))
        }
        other => take_anew(other),
    }
}

#[cold]
fn take_anew<const N: usize>(slot: &mut Option<Stream>) -> Result<[u64; N], RandomError> {
    // What failed to be seeded must not go on with the old stream.
    *slot = None;
    let stream = slot.insert(Stream::seeded()?);
    Ok(core::array::from_fn(|_| stream.words.next_u64()))
}

/// Where the thread's stream is gone, because the thread ends.
#[cold]
fn ask<const N: usize>() -> Result<[u64; N], RandomError> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = getrandom::u64().map_err(failure)?;
    }
    Ok(numbers)
}

fn failure(_: getrandom::Error) -> RandomError {
    RandomError { reason: "the system gave no random bits" }
}

#[cfg(all(test, not(synod_loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    fn numbers(count: usize) -> Vec<u64> {
        (0..count).map(|_| SystemRandom.next_u64().unwrap()).collect()
    }

    #[test]
    fn idgen_random_threads_have_nothing_in_common() {
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| numbers(1000))).collect();
        let all: BTreeSet<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 8000);
    }

    #[test]
    fn idgen_random_a_seed_is_used_for_a_mebibyte_and_not_longer() {
        let left = || STREAM.with_borrow(|stream| stream.as_ref().map(|stream| stream.left));
        numbers(1);
        let first = STREAM.with_borrow(|stream| stream.as_ref().unwrap().words.get_seed());
        STREAM.with_borrow_mut(|stream| stream.as_mut().unwrap().left = 1);
        numbers(1);
        assert_eq!(left(), Some(0));
        numbers(1);
        let second = STREAM.with_borrow(|stream| stream.as_ref().unwrap().words.get_seed());
        assert_ne!(first, second);
        assert_eq!(left(), Some(NUMBERS_OF_A_SEED));
    }

    #[test]
    fn idgen_random_bits_are_even() {
        let mut counts = [0_u32; 64];
        for number in numbers(40_000) {
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += u32::from(number >> bit & 1 == 1);
            }
        }
        // 20 000 ± 100 is one deviation; ten of them happen to nobody.
        assert!(counts.iter().all(|count| (19_000..21_000).contains(count)), "{counts:?}");
    }

    #[test]
    fn idgen_random_goes_on_where_a_thread_ends() {
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                assert_ne!(SystemRandom.next_u128(), SystemRandom.next_u128());
            }
        }
        std::thread_local! { static LAST: RefCell<Option<Last>> = const { RefCell::new(None) }; }
        let ended = std::thread::spawn(|| {
            LAST.with_borrow_mut(|last| *last = Some(Last));
            numbers(1)
        });
        assert_eq!(ended.join().unwrap().len(), 1);
        assert_ne!(ask::<2>(), ask::<2>());
    }
}
