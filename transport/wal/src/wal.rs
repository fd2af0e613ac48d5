//! The handle for threads that wait.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position, Term, WriteId};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::store::{Batch, HardState, LogSummary, StoreError};

use crate::Options;
use crate::engine::{Counters, Engine};
use crate::error::WalError;
use crate::files::RealFiles;
use crate::recover::Recovery;

/// Stands for one batch that was taken; give it to [`Wal::sync`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use = "the batch is durable only once its ticket was synced"]
pub struct Ticket(u64);

/// One atomic change, for [`Wal::submit`]: truncate, then append, then hard state, then purge.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Forget this entry and all behind it.
    pub truncate_from: Option<LogIndex>,
    /// Add these at the end.
    pub append: Vec<Entry>,
    /// Replace the hard state.
    pub hard_state: Option<HardState>,
    /// This entry and all before it may go.
    pub purge_through: Option<LogIndex>,
}

/// A write-ahead log that many threads share; a clone is another handle to the same log.
///
/// It has no thread of its own. Whoever calls [`Wal::sync`] first while nobody syncs does it for all who have
/// submitted by then; the others sleep.
#[derive(Debug, Clone)]
pub struct Wal {
    engine: Arc<Engine>,
}

impl Wal {
    /// Opens a directory, or makes it, and reads all of it. O(bytes in the log).
    ///
    /// # Errors
    /// [`WalError::Locked`], [`WalError::Corrupt`], [`WalError::Io`], [`WalError::Options`]; nothing was changed but
    /// for [`WalError::Io`], where a torn tail may have been cut already.
    pub fn open(dir: impl AsRef<Path>, options: &Options) -> Result<(Self, Recovery), WalError> {
        let (engine, recovery) = Engine::open(Arc::new(RealFiles), dir.as_ref(), options)?;
        Ok((Self { engine }, recovery))
    }

    #[cfg(test)]
    pub(crate) fn over(
        files: Arc<dyn crate::files::Files>,
        dir: &Path,
        options: &Options,
    ) -> Result<(Self, Recovery), WalError> {
        let (engine, recovery) = Engine::open(files, dir, options)?;
        Ok((Self { engine }, recovery))
    }

    /// Adds a command behind the last entry, whatever its index is. Not durable before its ticket is synced.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Misuse`] (too large) or [`StoreError::Fatal`]; nothing was taken.
    pub fn append(&self, term: Term, payload: Bytes) -> Result<(Position, Ticket), StoreError> {
        let mut position = Position::default();
        let mut entries = Vec::with_capacity(1);
        let number = self.engine.submit_with(false, |log| {
            position = Position { term, index: log.index.last().index.next() };
            entries.push(Entry { position, kind: EntryKind::Command, payload });
            Batch {
                id: WriteId::ZERO,
                truncate_from: None,
                append: &mut entries,
                hard_state: None,
                purge_through: None,
            }
        })?;
        Ok((position, Ticket(number)))
    }

    /// Takes one atomic change. Not durable before its ticket is synced.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Misuse`] or [`StoreError::Fatal`]; nothing was taken.
    pub fn submit(&self, change: Change) -> Result<Ticket, StoreError> {
        let Change { truncate_from, mut append, hard_state, purge_through } = change;
        let batch =
            Batch { id: WriteId::ZERO, truncate_from, append: &mut append, hard_state, purge_through };
        self.engine.submit(batch, false).map(Ticket)
    }

    /// Returns once the ticket's batch, and all before it, are durable.
    ///
    /// # Errors
    /// [`StoreError::Fatal`] when the device failed, now or earlier: for good.
    pub fn sync(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.engine.sync(ticket.0)
    }

    /// What the log holds. O(entries).
    pub fn summary(&self) -> LogSummary {
        self.engine.look(|log| log.index.summary())
    }

    /// Position of the last entry. O(1).
    pub fn last(&self) -> Position {
        self.engine.look(|log| log.index.last())
    }

    /// Appends the entries `first..=last` to `out`, stopping early once `max_bytes` of payload are passed, but never
    /// before the first entry.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Fatal`] when the file does not hold what was written.
    pub fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        self.engine.read(first, last, max_bytes, out)
    }

    /// How many batches and groups there were since it was opened.
    pub fn counters(&self) -> Counters {
        self.engine.counters()
    }
}
