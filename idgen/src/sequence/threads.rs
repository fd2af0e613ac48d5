//! Threads that take numbers while others publish blocks, in every interleaving; and naive ones that repeat.

use core::num::NonZeroU64;
use std::sync::Arc;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn};

use super::{Block, Sequence, SequenceError, SequenceOptions};

/// What gives numbers, or only looks like it.
trait Numbers: Send + Sync + 'static {
    fn take(&self) -> Option<u64>;
    /// Reserves the next block of a counter, if it is due.
    fn refill(&self, counter: &AtomicU64);
}

const BLOCK: u64 = 1;

impl Numbers for Sequence {
    fn take(&self) -> Option<u64> {
        match self.try_next() {
            Ok(number) => Some(number),
            Err(SequenceError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }

    fn refill(&self, counter: &AtomicU64) {
        if let Some(request) = self.request() {
            let first = counter.fetch_add(BLOCK, Ordering::SeqCst);
            self.answer(request.ticket, Block::new(first, first + BLOCK).unwrap()).unwrap();
        }
    }
}

fn sound() -> Sequence {
    Sequence::new(SequenceOptions { block: NonZeroU64::new(BLOCK).unwrap(), refill: 1, life: 0 })
}

/// Looks, then counts: two threads see the same number. Otherwise as [`Sequence`], with all blocks in a row.
struct LooksFirst {
    taken: AtomicU64,
    end: AtomicU64,
}

impl Numbers for LooksFirst {
    fn take(&self) -> Option<u64> {
        let number = self.taken.load(Ordering::SeqCst);
        if number >= self.end.load(Ordering::SeqCst) {
            return None;
        }
        self.taken.store(number + 1, Ordering::SeqCst);
        Some(number)
    }

    fn refill(&self, counter: &AtomicU64) {
        let first = counter.fetch_add(BLOCK, Ordering::SeqCst);
        self.end.fetch_max(first + BLOCK, Ordering::SeqCst);
    }
}

/// One slot for all blocks, of a number each: a thread takes the index of one and the number of another.
struct OneSlot {
    taken: AtomicU64,
    first: AtomicU64,
    turns: AtomicU64,
}

impl Numbers for OneSlot {
    fn take(&self) -> Option<u64> {
        let index = self.taken.load(Ordering::SeqCst);
        if index >= self.turns.load(Ordering::SeqCst) * BLOCK {
            return None;
        }
        let taken = self.taken.compare_exchange(index, index + 1, Ordering::SeqCst, Ordering::SeqCst);
        // Too late: the block may be another by now.
        taken.ok().map(|_| self.first.load(Ordering::SeqCst))
    }

    fn refill(&self, counter: &AtomicU64) {
        if self.taken.load(Ordering::SeqCst) < self.turns.load(Ordering::SeqCst) * BLOCK {
            return;
        }
        self.first.store(counter.fetch_add(BLOCK, Ordering::SeqCst), Ordering::SeqCst);
        self.turns.fetch_add(1, Ordering::SeqCst);
    }
}

/// Two threads take and refill; no number is given twice, and one thread's rise.
fn numbers_are_unique(numbers: &Arc<impl Numbers>, rounds: usize) {
    let counter = Arc::new(AtomicU64::new(10));
    numbers.refill(&counter);
    let run = move |numbers: &dyn Numbers, counter: &AtomicU64| -> Vec<u64> {
        let mut mine = Vec::new();
        for _ in 0..rounds {
            mine.extend(numbers.take());
            numbers.refill(counter);
        }
        mine
    };
    let (other, theirs) = (Arc::clone(numbers), Arc::clone(&counter));
    let thread = spawn(move || run(&*other, &theirs));
    let mut all = run(&**numbers, &counter);
    assert!(all.is_sorted(), "numbers go back");
    all.extend(thread.join());
    numbers.refill(&counter);
    let last = numbers.take();
    assert!(last.is_some(), "a block was lost, and no number comes any more");
    all.extend(last);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a number was given twice");
    assert!(all.iter().all(|number| *number < counter.load(Ordering::SeqCst)), "a number was not reserved");
}

#[test]
fn idgen_p33_threads_take_numbers_while_blocks_come() {
    holds("sequence: numbers are unique", Bound::Preemptions(3), || {
        numbers_are_unique(&Arc::new(sound()), 2);
    });
}

/// What the search does not reach, as it looks at the last access to each variable alone: a thread that is overtaken between
/// two looks.
#[test]
fn idgen_p33_a_thread_that_was_overtaken_loses_nothing() {
    let model = || {
        let (sequence, counter) = (sound(), AtomicU64::new(10));
        let seen = sequence.taken.load(crate::sync::Ordering::Acquire);
        sequence.refill(&counter);
        // It saw that a block is due; others have reserved two since.
        sequence.refill(&counter);
        assert_eq!(sequence.draw(), None, "a third block would take the place of the first");
        // It saw that no number was taken; others have taken one, and published a block in its place.
        assert_eq!(sequence.try_next(), Ok(10));
        sequence.refill(&counter);
        assert_eq!(sequence.take_from(seen), Ok(11), "numbers are left");
        assert_eq!(sequence.try_next(), Ok(12));
    };
    holds("sequence: a thread that was overtaken", Bound::All, model);
}

/// An answer and its copy, told by two threads; or an answer and giving up.
fn one_of_them_counts(give_up: bool) {
    let sequence = Arc::new(sound());
    let request = sequence.request().unwrap();
    let other = Arc::clone(&sequence);
    let block = Block::new(5, 6).unwrap();
    let thread = spawn(move || {
        if give_up { other.abandon(request.ticket) } else { other.answer(request.ticket, block).unwrap() }
    });
    let mine = sequence.answer(request.ticket, block).unwrap();
    assert_ne!(mine, thread.join(), "both were taken, or none");
    let taken: Vec<u64> = [sequence.try_next(), sequence.try_next()].into_iter().flatten().collect();
    assert!(taken.len() <= 1, "a block was given twice");
    assert_eq!(taken.is_empty(), sequence.statistics().abandoned == 1);
}

#[test]
fn idgen_p33_an_answer_told_twice_at_once_counts_once() {
    holds("sequence: an answer and its copy", Bound::All, || one_of_them_counts(false));
    holds("sequence: an answer and giving up", Bound::All, || one_of_them_counts(true));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;

    use super::*;

    #[test]
    fn idgen_p33_naive_sequences_repeat() {
        let zero = || AtomicU64::new(0);
        breaks("sequence: looks, then counts", Bound::Preemptions(3), "given twice", move || {
            numbers_are_unique(&Arc::new(LooksFirst { taken: AtomicU64::new(10), end: zero() }), 1);
        });
        breaks("sequence: one slot for all blocks", Bound::Preemptions(3), "given twice", move || {
            numbers_are_unique(&Arc::new(OneSlot { taken: zero(), first: zero(), turns: zero() }), 2);
        });
    }
}

#[cfg(not(synod_loom))]
#[test]
fn idgen_p33_naive_sequences_are_sound_for_one_thread() {
    let counter = AtomicU64::new(10);
    let looks = LooksFirst { taken: AtomicU64::new(10), end: AtomicU64::new(0) };
    let slot = OneSlot { taken: AtomicU64::new(0), first: AtomicU64::new(0), turns: AtomicU64::new(0) };
    for numbers in [&looks as &dyn Numbers, &slot] {
        numbers.refill(&counter);
        assert!(numbers.take().is_some());
    }
}
