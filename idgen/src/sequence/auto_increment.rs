//! A sequence with its counter: a number, whenever one is asked for.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::{AnswerError, Counter, Sequence, SequenceError, SequenceOptions, Statistics, Ticket};

/// Why there is no number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NextError<E> {
    /// No number is left, and the counter failed. What it may have reserved is skipped; the next call asks anew.
    #[error("the counter: {0}")]
    Counter(E),
    /// No number is left, and the counter's answer is refused.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// There are no more numbers, or this is a forked child.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

/// A [`Sequence`] and its [`Counter`], shared by threads. The call that leaves as few numbers as
/// [`refill`](SequenceOptions::refill) reserves the next block, and meanwhile the others go on; nobody waits for the
/// counter unless all numbers are used up. For no call to wait, let a thread of yours call [`refill`](Self::refill).
///
/// ```
/// use synod_idgen::sequence::{AutoIncrement, CounterOptions, SequenceOptions, StoreCounter};
/// use synod_transport::store::MemStateStore;
///
/// let store = MemStateStore::new(); // synod_wal::FileStateStore::open(folder)?, outside of examples
/// let orders = AutoIncrement::new(StoreCounter::new(store, CounterOptions::default()), SequenceOptions::default());
/// assert_eq!(orders.next()?, 1);
/// assert_eq!(orders.next()?, 2);
///
/// // The next life goes on above what was reserved.
/// let store = orders.into_counter().into_store();
/// let orders = AutoIncrement::new(StoreCounter::new(store, CounterOptions::default()), SequenceOptions::default());
/// assert_eq!(orders.next()?, 1001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AutoIncrement<C> {
    sequence: Sequence,
    counter: Mutex<C>,
}

impl<C: Counter> AutoIncrement<C> {
    /// Asks the counter for nothing yet.
    pub fn new(counter: C, options: SequenceOptions) -> Self {
        Self { sequence: Sequence::new(options), counter: Mutex::new(counter) }
    }

    /// The next number. A failure of the counter is an error once no reserved number is left; before that the number is
    /// given, [`Statistics::abandoned`] has grown, and [`Statistics::refused`] if the counter is at fault; the next call
    /// asks anew.
    ///
    /// # Errors
    /// Any [`NextError`].
    pub fn next(&self) -> Result<u64, NextError<C::Error>> {
        loop {
            match self.sequence.try_next() {
                Ok(number) => {
                    if self.sequence.is_due() {
                        self.prefetch();
                    }
                    return Ok(number);
                }
                Err(SequenceError::Empty) => self.fill(&mut self.lock())?,
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Reserves the next block, if it is due. Waits for who does so already.
    ///
    /// # Errors
    /// [`NextError::Counter`] and [`NextError::Answer`].
    pub fn refill(&self) -> Result<(), NextError<C::Error>> {
        if self.sequence.is_another_process() {
            return Err(SequenceError::Forked.into()); // who held the lock may not be here
        }
        self.fill(&mut self.lock())
    }

    /// What was done so far.
    pub fn statistics(&self) -> Statistics {
        self.sequence.statistics()
    }

    /// Gives the counter back. What is left of the blocks is a gap.
    pub fn into_counter(self) -> C {
        self.counter.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// A failure costs a block and is counted; whoever finds no number left hears why.
    fn prefetch(&self) {
        let mut counter = match self.counter.try_lock() {
            Ok(counter) => counter,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let _counted = self.fill(&mut counter);
    }

    fn fill(&self, counter: &mut C) -> Result<(), NextError<C::Error>> {
        let Some(request) = self.sequence.request() else { return Ok(()) };
        let open = Open { sequence: &self.sequence, ticket: request.ticket };
        match counter.reserve(request.count).map_err(NextError::Counter)? {
            Some(block) => drop(self.sequence.answer(open.ticket, block)?),
            None => drop(self.sequence.end(open.ticket)),
        }
        Ok(())
    }

    /// A counter that panicked was asked for a block that nobody got: a gap, no fault of the next one.
    fn lock(&self) -> MutexGuard<'_, C> {
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is given up unless it was answered, however its call ends.
struct Open<'a> {
    sequence: &'a Sequence,
    ticket: Ticket,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.sequence.abandon(self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU64;

    use super::super::Block;
    use super::*;

    /// Panics at its second call.
    struct Breaks(u64);

    impl Counter for Breaks {
        type Error = &'static str;
        fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, &'static str> {
            self.0 += 1;
            match self.0 {
                2 => panic!("planted"),
                3 => Err("planted"),
                call => Ok(Block::new(call * 100, call * 100 + count.get())),
            }
        }
    }

    #[test]
    fn a_counter_that_panics_or_fails_costs_a_block_each_and_no_more() {
        let options = SequenceOptions { block: NonZeroU64::new(2).unwrap(), refill: 0, life: 0 };
        let numbers = AutoIncrement::new(Breaks(0), options);
        assert_eq!(numbers.next(), Ok(100));
        let broken = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| numbers.next()));
        assert!(broken.is_err(), "101 was taken, and its call asks for the next block");
        assert_eq!(numbers.next(), Err(NextError::Counter("planted")));
        assert_eq!(numbers.next(), Ok(400));
        let told = numbers.statistics();
        assert_eq!((told.given, told.abandoned, told.gaps_at_most, told.left()), (3, 2, 4, 1));
    }
}
