//! Random bits of the system, by way of a block cipher's stream in each thread.
//!
//! ```text
//!  getrandom ──256 bits──▶ key ──▶ ChaCha12 ──992 bytes──▶ block ──▶ a thread's ids
//!      ▲                    ▲           │
//!      │                    └─256 bits──┘
//!      └── in a forked child, after a MiB
//! ```
//!
//! Asking the system for each id costs a call into the kernel, some 200 ns or more. A stream of ChaCha seeded by the
//! system is as hard to guess and costs a few. What it costs in safety is the block, which a fork copies: so before each
//! number a thread asks whether it is still in the process that filled it, which is one relaxed load.
//!
//! Each block brings the key of the next, which takes the place of its own, and numbers are wiped as they are given: what a
//! thread holds tells nothing of ids that it gave (Bernstein, "Fast-key-erasure random-number generators", 2017).

use core::cell::RefCell;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};

use super::{Random, RandomError};
use crate::process::Process;

/// Numbers of 64 bits in a block: with the next key 1024 bytes, which ChaCha gives in four goes.
const BLOCK: usize = 124;
/// Blocks from one seed: a MiB, less the keys.
const BLOCKS_OF_A_SEED: u32 = 1024;

thread_local! {
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
        draw::<1>().map(|[number]| number)
    }

    #[inline]
    fn next_u128(&self) -> Result<u128, RandomError> {
        draw::<2>().map(|[high, low]| u128::from(high) << 64 | u128::from(low))
    }
}

/// What a thread holds.
struct Stream {
    /// Of the next block.
    key: [u8; 32],
    /// Numbers not given yet, behind those that were, which are zero.
    block: [u64; BLOCK],
    next: usize,
    blocks_left: u32,
    process: Process,
}

impl Stream {
    fn seeded() -> Result<Self, RandomError> {
        // First the process, then the seed: a fork between the two is seen.
        let process = Process::current();
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| RandomError::System)?;
        Ok(Self { key, block: [0; BLOCK], next: BLOCK, blocks_left: BLOCKS_OF_A_SEED, process })
    }

    /// The next numbers of the block, if it is this process's and has as many; whether it was so.
    #[inline]
    fn take<const N: usize>(&mut self, into: &mut [u64; N]) -> bool {
        if self.process.is_another() {
            return false;
        }
        let left = self.block.get_mut(self.next..).and_then(|left| left.first_chunk_mut::<N>());
        let Some(numbers) = left else { return false };
        self.next += N;
        *into = core::mem::replace(numbers, [0; N]);
        true
    }

    /// A new block, if the seed is this process's and not used up.
    fn fill(&mut self) -> bool {
        if self.process.is_another() || self.blocks_left == 0 {
            return false;
        }
        self.blocks_left -= 1;
        let mut words = ChaCha12Rng::from_seed(self.key);
        words.fill_bytes(&mut self.key);
        self.block.fill_with(|| words.next_u64());
        self.next = 0;
        true
    }
}

/// The usual way is a flag and numbers that are written where they belong: a result that holds them, within the result of
/// the thread's own storage, is copied twice at odd addresses, which costs more than the numbers.
#[inline]
fn draw<const N: usize>() -> Result<[u64; N], RandomError> {
    let mut numbers = [0; N];
    let drawn = STREAM.try_with(|stream| {
        let Ok(mut stream) = stream.try_borrow_mut() else { return false };
        stream.as_mut().is_some_and(|stream| stream.take(&mut numbers))
    });
    if drawn == Ok(true) { Ok(numbers) } else { draw_anew() }
}

/// Of a new block, or of a new stream.
#[cold]
#[inline(never)]
fn draw_anew<const N: usize>() -> Result<[u64; N], RandomError> {
    let anew = |stream: &RefCell<Option<Stream>>| {
        let Ok(mut slot) = stream.try_borrow_mut() else { return ask() };
        if !slot.as_mut().is_some_and(Stream::fill) {
            // What fails to be seeded must not go on with the old stream.
            *slot = None;
            slot.insert(Stream::seeded()?).fill();
        }
        let mut numbers = [0; N];
        // Never without: a block that was just filled has room for two.
        let drawn = slot.as_mut().is_some_and(|stream| stream.take(&mut numbers));
        if drawn { Ok(numbers) } else { Err(RandomError::System) }
    };
    STREAM.try_with(anew).unwrap_or_else(|_| ask())
}

/// Where the thread's stream is gone, because the thread ends.
#[cold]
fn ask<const N: usize>() -> Result<[u64; N], RandomError> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = getrandom::u64().map_err(|_| RandomError::System)?;
    }
    Ok(numbers)
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
        let look = || {
            STREAM.with_borrow(|stream| {
                let stream = stream.as_ref().unwrap();
                (stream.key, stream.blocks_left, stream.next)
            })
        };
        let following = |key| {
            let mut next = [0; 32];
            ChaCha12Rng::from_seed(key).fill_bytes(&mut next);
            next
        };
        assert_eq!(BLOCKS_OF_A_SEED * 1024, 1 << 20);
        numbers(1);
        let (mut key, left, next) = look();
        assert_eq!((left, next), (BLOCKS_OF_A_SEED - 1, 1));
        numbers(BLOCK * 1023 + BLOCK - 1);
        (0..1023).for_each(|_| key = following(key));
        assert_eq!(look(), (key, 0, BLOCK));
        numbers(1);
        let (anew, left, next) = look();
        assert_ne!(anew, following(key));
        assert_eq!((left, next), (BLOCKS_OF_A_SEED - 1, 1));
    }

    #[test]
    fn idgen_random_numbers_are_given_once_and_wiped() {
        let all: BTreeSet<u64> = numbers(3 * BLOCK).into_iter().collect();
        assert_eq!(all.len(), 3 * BLOCK);
        // An odd number of singles: the pair that no longer fits is of the next block.
        numbers(BLOCK - 1);
        SystemRandom.next_u128().unwrap();
        STREAM.with_borrow(|stream| {
            let stream = stream.as_ref().unwrap();
            assert_eq!(stream.next, 2);
            assert!(stream.block[..2].iter().all(|number| *number == 0));
            assert!(stream.block[2..].iter().all(|number| *number != 0));
        });
    }

    /// Whoever reads the memory of a process must not learn the ids that it gave.
    #[test]
    fn idgen_random_what_was_given_cannot_be_worked_out_from_what_is_held() {
        let given: BTreeSet<u64> = numbers(5 * BLOCK + 7).into_iter().collect();
        let key = STREAM.with_borrow(|stream| stream.as_ref().unwrap().key);
        let mut again = ChaCha12Rng::from_seed(key);
        assert!((0..8 * BLOCK).all(|_| !given.contains(&again.next_u64())));
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
        thread_local! { static LAST: RefCell<Option<Last>> = const { RefCell::new(None) }; }
        let ended = std::thread::spawn(|| {
            LAST.with_borrow_mut(|last| *last = Some(Last));
            numbers(1)
        });
        assert_eq!(ended.join().unwrap().len(), 1);
        assert_ne!(ask::<2>(), ask::<2>());
    }
}
