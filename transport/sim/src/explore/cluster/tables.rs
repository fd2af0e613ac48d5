//! Append-only tables that all threads share: a value gets a small number once and keeps it.

use core::hash::{BuildHasherDefault, Hash};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::explore::Fingerprinter;

type Table<K, V> = RwLock<HashMap<K, V, BuildHasherDefault<Fingerprinter>>>;

const SHARDS: u64 = 64;
/// Enough for every number of 32 bits.
const CHUNKS: usize = 27;

/// Values by number, from 0. Reading takes no lock.
pub(crate) struct Arena<T> {
    /// Chunk `k` has room for `FIRST << k` values.
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicU32,
}

impl<T> Arena<T> {
    const FIRST: u32 = 64;

    pub(crate) fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }

    fn place(id: u32) -> (usize, usize) {
        let shifted = u64::from(id) + u64::from(Self::FIRST);
        let chunk = shifted.ilog2() - Self::FIRST.ilog2();
        // Below 2^32, as the number is.
        let at = u32::try_from(shifted - (u64::from(Self::FIRST) << chunk)).unwrap_or(u32::MAX);
        (chunk as usize, at as usize)
    }

    /// The value of a number that [`Arena::push`] gave out.
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let (chunk, at) = Self::place(id);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    /// Adds a value. The last number is never given out twice: there is no room for so many.
    pub(crate) fn push(&self, value: T) -> u32 {
        let id = self.len.fetch_add(1, Ordering::Relaxed);
        let (chunk, at) = Self::place(id);
        if let Some(chunk_cell) = self.chunks.get(chunk) {
            let size = (Self::FIRST as usize) << chunk;
            let cells = chunk_cell.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
            // The number is new, so its cell is empty.
            if let Some(cell) = cells.get(at) {
                let _first = cell.set(value).is_ok();
            }
        }
        id
    }

    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed)
    }
}

/// Equal keys get the same number; what belongs to a key is made once.
pub(crate) struct Interner<K, V> {
    ids: Vec<Table<Arc<K>, u32>>,
    values: Arena<V>,
}

impl<K: Eq + Hash, V> Interner<K, V> {
    pub(crate) fn new() -> Self {
        Self { ids: shards(), values: Arena::new() }
    }

    /// The key's number; `make` makes what belongs to it when it is new.
    pub(crate) fn intern(&self, key: K, make: impl FnOnce(&Arc<K>) -> V) -> u32 {
        let Some(shard) = self.ids.get(shard_of(&key)) else { return u32::MAX };
        if let Some(id) = read(shard).get(&key) {
            return *id;
        }
        let mut ids = write(shard);
        if let Some(id) = ids.get(&key) {
            return *id;
        }
        let key = Arc::new(key);
        let id = self.values.push(make(&key));
        ids.insert(key, id);
        id
    }

    pub(crate) fn get(&self, id: u32) -> Option<&V> {
        self.values.get(id)
    }

    pub(crate) fn len(&self) -> u32 {
        self.values.len()
    }
}

/// Answers that were worked out before.
pub(crate) struct Memo<K> {
    answers: Vec<Table<K, u32>>,
}

impl<K: Eq + Hash> Memo<K> {
    pub(crate) fn new() -> Self {
        Self { answers: shards() }
    }

    /// The answer to this key, worked out now if need be. Two threads may both work it out; the first to note it wins,
    /// so that all get the same.
    pub(crate) fn get(&self, key: K, work_out: impl FnOnce() -> u32) -> u32 {
        let Some(shard) = self.answers.get(shard_of(&key)) else { return work_out() };
        if let Some(answer) = read(shard).get(&key) {
            return *answer;
        }
        let answer = work_out();
        *write(shard).entry(key).or_insert(answer)
    }

    pub(crate) fn len(&self) -> usize {
        self.answers.iter().map(|shard| read(shard).len()).sum()
    }
}

fn shards<K, V>() -> Vec<Table<K, V>> {
    (0..SHARDS).map(|_| Table::default()).collect()
}

fn shard_of(key: &impl Hash) -> usize {
    // Other bits than those that choose the bucket inside.
    usize::try_from((Fingerprinter::of(key) >> 40) % SHARDS).unwrap_or(0)
}

// Nothing that runs under these locks can leave a table half changed, so a panic elsewhere does not matter.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_value() {
        let arena = Arena::new();
        for value in 0..10_000u32 {
            assert_eq!(arena.push(value), value);
        }
        assert!((0..10_000).all(|id| arena.get(id) == Some(&id)));
        assert_eq!(arena.get(10_000), None);
    }

    #[test]
    fn threads_agree_on_the_number_of_a_key() {
        let interner = Interner::new();
        let work = || (0..2000u64).map(|key| interner.intern(key % 500, |key| **key)).collect::<Vec<_>>();
        let (one, two) = std::thread::scope(|scope| {
            let other = scope.spawn(work);
            (work(), other.join().expect("no panic"))
        });
        assert_eq!(one, two);
        assert_eq!(interner.len(), 500);
        assert!((0..2000usize).all(|at| interner.get(one[at]) == Some(&(at as u64 % 500))));
    }
}
