//! Faults of disks, and what the log makes of them.

mod crash;
mod damage;
#[allow(clippy::cast_possible_truncation)] // sizes of test files
mod disk;
mod sharing;
mod stores;
mod threads;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position, WriteId};
use synod_transport::log::Entry;
use synod_transport::store::{Batch, HardState, LogSummary, StoreError};

use crate::{Change, Options, Recovery, Wal, WalError};
use disk::Disk;

pub(crate) const DIR: &str = "/wal";

pub(crate) fn options() -> Options {
    Options { segment_bytes: 4096, window_bytes: 1 << 20, cache_bytes: 0 }
}

pub(crate) fn open(disk: &Arc<Disk>) -> Result<(Wal, Recovery), WalError> {
    Wal::over(Arc::clone(disk) as Arc<dyn crate::files::Files>, Path::new(DIR), &options())
}

/// A payload without a zero byte, told apart by index.
pub(crate) fn entry(term: u64, index: u64, len: usize) -> Entry {
    let byte = u8::try_from(index % 255 + 1).unwrap();
    Entry { position: Position::new(term, index), payload: Bytes::from(vec![byte; len]), ..Entry::default() }
}

pub(crate) fn append(entries: Vec<Entry>) -> Change {
    Change { append: entries, ..Change::default() }
}

/// Submits and syncs.
pub(crate) fn put(wal: &Wal, change: Change) -> Result<(), StoreError> {
    wal.sync(wal.submit(change)?)
}

/// All that a log holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) summary: LogSummary,
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn contents(wal: &Wal) -> Result<Contents, StoreError> {
    let summary = wal.summary();
    let mut entries = Vec::new();
    if summary.last().index > summary.base.index {
        wal.read(summary.base.index.next(), summary.last().index, usize::MAX, &mut entries)?;
    }
    Ok(Contents { summary, entries })
}

/// The same changes on the store in memory.
pub(crate) fn expected(changes: &[Change]) -> Contents {
    use synod_transport::store::{LogStore, MemLogStore};
    let mut store = MemLogStore::new();
    for (change, id) in changes.iter().zip(1..) {
        let Change { truncate_from, mut append, hard_state, purge_through } = change.clone();
        let id = WriteId::new(id);
        store.submit(Batch { id, truncate_from, append: &mut append, hard_state, purge_through }).unwrap();
    }
    let summary = store.summary();
    let mut entries = Vec::new();
    if summary.last().index > summary.base.index {
        store.read(summary.base.index.next(), summary.last().index, usize::MAX, &mut entries).unwrap();
    }
    Contents { summary, entries }
}

/// Changes that cross segments, truncate, purge and vote.
pub(crate) fn history() -> Vec<Change> {
    let index = LogIndex::new;
    let hard_state = |byte| HardState::new(&[byte; 24]);
    vec![
        Change { hard_state: hard_state(1), ..Change::default() },
        append((1..=3).map(|at| entry(1, at, 300)).collect()),
        append((4..=6).map(|at| entry(1, at, 700)).collect()),
        Change { truncate_from: Some(index(5)), hard_state: hard_state(2), ..append(vec![entry(2, 5, 900)]) },
        append((6..=7).map(|at| entry(2, at, 900)).collect()),
        Change { purge_through: Some(index(4)), ..append(vec![entry(3, 8, 600)]) },
        append((9..=10).map(|at| entry(3, at, 1500)).collect()),
        Change { purge_through: Some(index(9)), hard_state: hard_state(3), ..Change::default() },
        Change { truncate_from: Some(index(10)), ..Change::default() },
        append((10..=12).map(|at| entry(4, at, 500)).collect()),
        append(vec![entry(4, 13, 6000)]),
        Change { purge_through: Some(index(13)), ..append(vec![entry(5, 14, 40)]) },
    ]
}
