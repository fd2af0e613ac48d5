//! A counter over a `StateStore`.

use alloc::string::String;
use core::num::NonZeroU64;

use synod_transport::store::{StateStore, StoreError};

use super::{Block, Counter};
use crate::record;

const KIND: [u8; 4] = *b"SEQ1";

/// Where a counter is kept, and which numbers it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CounterOptions {
    /// The name of the value in the store.
    pub name: String,
    /// The first number of all.
    pub first: u64,
    /// The first number that there is not.
    pub end: u64,
}

impl Default for CounterOptions {
    /// `sequence`, 1 to 2^63 - 1: what a signed column of 64 bits holds.
    fn default() -> Self {
        Self { name: "sequence".into(), first: 1, end: 1 << 63 }
    }
}

/// Why no block was reserved, or maybe one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreCounterError {
    /// The store failed. If it was writing, the block may be reserved; it will be given to nobody.
    #[error("the store of the counter: {0}")]
    Store(#[from] StoreError),
    /// What is stored under the name is no counter, or damaged. Nothing was changed; [`overrule`] is the way out.
    #[error("the stored value is no counter of a sequence")]
    Damaged,
    /// The stored counter belongs to a sequence that begins elsewhere. Nothing was changed.
    #[error("the stored counter begins at {stored}, not at {first}")]
    AnotherFirst {
        /// Where that one begins.
        stored: u64,
        /// [`CounterOptions::first`].
        first: u64,
    },
}

/// A counter in a store of one process. The store replaces values, and compares nothing: processes that share a sequence
/// need a counter that they agree on, through a replicated log or a database.
#[derive(Debug)]
pub struct StoreCounter<S> {
    store: S,
    options: CounterOptions,
    /// Nothing below this is given any more: a write that failed may still reach the disk.
    floor: u64,
}

impl<S: StateStore> StoreCounter<S> {
    /// The counter of that name, which begins when it is not there.
    pub fn new(store: S, options: CounterOptions) -> Self {
        let floor = options.first;
        Self { store, options, floor }
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    fn stored(&self) -> Result<u64, StoreCounterError> {
        let first = self.options.first;
        let Some(value) = self.store.get(&self.options.name)? else { return Ok(first) };
        match record::decode(KIND, &value) {
            Some([stored, _]) if stored != first => Err(StoreCounterError::AnotherFirst { stored, first }),
            Some([_, next]) => Ok(next),
            None => Err(StoreCounterError::Damaged),
        }
    }
}

impl<S: StateStore> Counter for StoreCounter<S> {
    type Error = StoreCounterError;

    fn reserve(&mut self, count: NonZeroU64) -> Result<Option<Block>, StoreCounterError> {
        let first = self.stored()?.max(self.floor);
        let end = first.saturating_add(count.get()).min(self.options.end);
        let Some(block) = Block::new(first, end) else { return Ok(None) };
        self.floor = end;
        self.store.set(&self.options.name, &record::encode(KIND, [self.options.first, end]))?;
        Ok(Some(block))
    }
}

/// Sets a stored counter: to go on after a migration, or when what is stored is [`StoreCounterError::Damaged`].
///
/// For people who know that no number from `next` on was given.
///
/// # Errors
/// [`StoreCounterError::Store`].
pub fn overrule<S: StateStore>(
    store: &mut S,
    options: &CounterOptions,
    next: u64,
) -> Result<(), StoreCounterError> {
    Ok(store.set(&options.name, &record::encode(KIND, [options.first, next]))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::store::MemStateStore;

    fn counter(options: CounterOptions) -> StoreCounter<MemStateStore> {
        StoreCounter::new(MemStateStore::new(), options)
    }

    fn count(count: u64) -> NonZeroU64 {
        NonZeroU64::new(count).unwrap()
    }

    #[test]
    fn blocks_follow_each_other_over_restarts_and_end_with_the_numbers() {
        let options = CounterOptions { end: 10, ..CounterOptions::default() };
        let mut first = counter(options.clone());
        assert_eq!(first.reserve(count(4)), Ok(Block::new(1, 5)));
        let mut second = StoreCounter::new(first.into_store(), options);
        assert_eq!(second.reserve(count(4)), Ok(Block::new(5, 9)));
        assert_eq!(second.reserve(count(4)), Ok(Block::new(9, 10)), "fewer where numbers end");
        assert_eq!(second.reserve(count(4)), Ok(None));
    }

    #[test]
    fn the_last_number_of_all_is_given_and_nothing_wraps() {
        let mut store = MemStateStore::new();
        let options = CounterOptions { first: 0, end: u64::MAX, ..CounterOptions::default() };
        overrule(&mut store, &options, u64::MAX - 1).unwrap();
        let mut counter = StoreCounter::new(store, options);
        assert_eq!(counter.reserve(count(u64::MAX)), Ok(Block::new(u64::MAX - 1, u64::MAX)));
        assert_eq!(counter.reserve(count(1)), Ok(None));
    }

    #[test]
    fn bytes_of_others_are_refused_and_left_alone() {
        let mut store = MemStateStore::new();
        store.set("sequence", b"41").unwrap();
        let mut counter = StoreCounter::new(store, CounterOptions::default());
        assert_eq!(counter.reserve(count(1)), Err(StoreCounterError::Damaged));
        let mut store = counter.into_store();
        assert_eq!(&store.get("sequence").unwrap().unwrap()[..], b"41");

        let elsewhere = CounterOptions { first: 1000, ..CounterOptions::default() };
        overrule(&mut store, &elsewhere, 2000).unwrap();
        let mut counter = StoreCounter::new(store, CounterOptions::default());
        assert_eq!(
            counter.reserve(count(1)),
            Err(StoreCounterError::AnotherFirst { stored: 1000, first: 1 })
        );
    }
}
