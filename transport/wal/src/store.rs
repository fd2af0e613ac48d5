//! The log store for drivers that poll.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use synod_transport::ids::{LogIndex, WriteId};
use synod_transport::log::Entry;
use synod_transport::store::{Batch, LogStore, LogSummary, Receipt, StoreError};

use crate::Options;
use crate::engine::{Counters, Engine};
use crate::error::WalError;
use crate::files::{Files, RealFiles};
use crate::recover::Recovery;

/// Work for the thread that a caller lends to [`WalStore::open`]: run it once; it returns after the store closed.
pub type Syncing = Box<dyn FnOnce() + Send>;

/// A [`LogStore`] on disk. `submit` only copies into memory; a thread that the caller lends writes and syncs. While
/// one sync runs, further batches gather and form the next group.
#[derive(Debug)]
pub struct WalStore {
    engine: Arc<Engine>,
    submitted: WriteId,
    reported: u64,
}

impl WalStore {
    /// Opens a directory, or makes it, reads all of it, and hands `spawn` the work of a thread of its own. O(bytes in
    /// the log).
    ///
    /// When `spawn` drops the work, or the thread dies, the store fails: [`StoreError::Fatal`].
    ///
    /// # Errors
    /// As [`Wal::open`](crate::Wal::open).
    pub fn open(
        dir: impl AsRef<Path>,
        options: &Options,
        spawn: impl FnOnce(Syncing),
    ) -> Result<(Self, Recovery), WalError> {
        Self::over(Arc::new(RealFiles), dir.as_ref(), options, spawn)
    }

    pub(crate) fn over(
        files: Arc<dyn Files>,
        dir: &Path,
        options: &Options,
        spawn: impl FnOnce(Syncing),
    ) -> Result<(Self, Recovery), WalError> {
        let (engine, recovery) = Engine::open(files, dir, options)?;
        let lent = Lent(Arc::clone(&engine));
        spawn(Box::new(move || lent.0.serve()));
        Ok((Self { engine, submitted: WriteId::ZERO, reported: 0 }, recovery))
    }

    /// Has the lent thread sync what was submitted and end, and waits for it. Then the directory can be opened again.
    ///
    /// # Errors
    /// [`StoreError::Fatal`] when not all that was submitted is durable.
    pub fn close(self) -> Result<(), StoreError> {
        self.engine.close();
        self.engine.join()
    }

    /// How many batches and groups there were since it was opened.
    pub fn counters(&self) -> Counters {
        self.engine.counters()
    }
}

/// Dropping the store ends the lent thread, after it has synced what was submitted; it does not wait for it.
impl Drop for WalStore {
    fn drop(&mut self) {
        self.engine.close();
    }
}

/// Tells when the lent thread's work is gone, run or not.
struct Lent(Arc<Engine>);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.lent_thread_gone();
    }
}

impl LogStore for WalStore {
    fn summary(&self) -> LogSummary {
        self.engine.look(|log| log.index.summary())
    }

    fn has_room(&self) -> bool {
        self.engine.has_room()
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.submitted = WriteId::new(self.engine.submit(batch, true)?);
        Ok(())
    }

    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        match self.engine.poll(self.reported, cx.waker()) {
            Ok(None) => Poll::Pending,
            Ok(Some(through)) => {
                self.reported = through;
                Poll::Ready(Ok(Receipt::attest(WriteId::new(through))))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        self.engine.read(first, last, max_bytes, out)
    }
}
