//! Durable state: one ordered stream of atomic batches, and the receipts that say how far it has reached the disk.
//!
//! ```text
//!  machine ──Write──▶ driver ──submit(Batch)──▶ LogStore ──▶ disk
//!     ▲                 │  sealed replies wait         │
//!     └──Persisted──────┴──────◀──Receipt(through)◀────┘  poll_durable
//! ```
//!
//! A batch is truncate, then append, then hard state, then purge; after a crash a store holds a prefix of the batches
//! it took, each whole. Whatever a machine promises on the strength of a batch is [`Sealed`] until the store's
//! [`Receipt`] covers that batch: forgetting to wait stalls a node, it can never make it lie.
//!
//! A sealed message cannot be read without a receipt, and a receipt cannot be made up on the way:
//!
//! ```compile_fail
//! # use synod_transport::store::Sealed;
//! fn peek(sealed: Sealed<u8>) -> u8 {
//!     sealed.content // private: open it with a receipt
//! }
//! ```
//! ```compile_fail
//! # use synod_transport::{ids::WriteId, store::Receipt};
//! let forged = Receipt { through: WriteId::new(9) }; // private: only a store attests
//! ```

mod mem;
pub mod snapshot;
pub mod state;

use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;

use crate::ids::{LogIndex, Position, WriteId};
use crate::log::{Entry, EntryRef, Run, Span};

pub use mem::MemLogStore;
pub use snapshot::{MemSnapshotStore, SnapshotMeta, SnapshotStore};
pub use state::MemStateStore;

/// A protocol's small durable state (Raft's term and vote), opaque to the store and replaced whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardState {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl HardState {
    /// The most bytes it holds.
    pub const MAX: usize = 48;

    /// From the protocol's encoding; `None` when it is longer than [`HardState::MAX`].
    pub fn new(encoded: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..encoded.len())?.copy_from_slice(encoded);
        Some(Self { bytes, len: u8::try_from(encoded.len()).ok()? })
    }

    /// From an encoding whose length is known to fit when the program is built.
    pub fn from_array<const N: usize>(encoded: [u8; N]) -> Self {
        const { assert!(N <= Self::MAX) };
        let mut bytes = [0; Self::MAX];
        let (head, _) = bytes.split_at_mut(N);
        head.copy_from_slice(&encoded);
        #[expect(clippy::cast_possible_truncation, reason = "N is at most 48")]
        Self { bytes, len: N as u8 }
    }

    /// The protocol's encoding.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for HardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HardState(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// Where a write's entries come from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Body {
    /// The machine made them; they are blank.
    Blank,
    /// The caller offered them with the proposal of this step.
    Proposed,
    /// They came with the message of this step.
    Received,
}

/// Entries to add at the end of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Append {
    /// Which.
    pub span: Span,
    /// Whose payloads.
    pub body: Body,
}

/// One atomic change that a machine asks for, still without payloads. At most one per step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Write {
    /// The machine's number for it: 1, 2, 3, …
    pub id: WriteId,
    /// First: forget this entry and all behind it.
    pub truncate_from: Option<LogIndex>,
    /// Then: add these.
    pub append: Option<Append>,
    /// Then: replace the hard state.
    pub hard_state: Option<HardState>,
    /// Last: this entry and all before it are no longer needed.
    pub purge_through: Option<LogIndex>,
}

/// A [`Write`] with its payloads, as a store takes it.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The write's number; a store that sees them out of order refuses.
    pub id: WriteId,
    /// First: forget this entry and all behind it.
    pub truncate_from: Option<LogIndex>,
    /// Then: add these, drained by the store when it accepts. Each follows the one before by one index.
    pub append: &'a mut Vec<Entry>,
    /// Then: replace the hard state.
    pub hard_state: Option<HardState>,
    /// Last: this entry and all before it may go.
    pub purge_through: Option<LogIndex>,
}

/// A store's word that every write up to and including one is durable.
///
/// [`Receipt::attest`] is for implementers of [`LogStore`] alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Receipt {
    through: WriteId,
}

impl Receipt {
    /// Attests that all writes through this one survive a crash. Only a [`LogStore`] may say so, after the device has.
    pub const fn attest(through: WriteId) -> Self {
        Self { through }
    }

    /// The newest durable write.
    pub const fn through(&self) -> WriteId {
        self.through
    }
}

/// Something that must not be seen before a write is durable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sealed<T> {
    after: WriteId,
    content: T,
}

impl<T> Sealed<T> {
    /// Seals it until `after` is durable.
    pub const fn new(after: WriteId, content: T) -> Self {
        Self { after, content }
    }

    /// The write it waits for.
    pub const fn after(&self) -> WriteId {
        self.after
    }

    /// What is inside, for the trace of this crate's host alone: nothing that acts on it may look.
    pub(crate) const fn content_for_trace(&self) -> &T {
        &self.content
    }

    /// Opens it, or gives it back when the receipt does not reach far enough.
    pub fn open(self, receipt: &Receipt) -> Result<T, Self> {
        if self.after <= receipt.through { Ok(self.content) } else { Err(self) }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(until {:?})", self.after)
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Too much is waiting for the disk. Nothing was taken; wait for a receipt. A driver that asks
    /// [`LogStore::has_room`] before it takes work in never sees this.
    #[error("the store's write window is full")]
    Full,
    /// The caller's mistake: the batch does not fit the log (a hole, a number out of order). Nothing was taken.
    #[error("the batch does not fit the log: {0}")]
    Misuse(&'static str),
    /// Entries that were asked for are not there: purged, or never written.
    #[error("entries {first:?} to {last:?} are not in the store")]
    Missing {
        /// First index asked for.
        first: LogIndex,
        /// Last index asked for.
        last: LogIndex,
    },
    /// The device failed, or what it holds is damaged. Sticky: the store takes and attests nothing ever after, because
    /// a sync that succeeds after one that failed proves nothing.
    #[error("the store has failed for good: {0}")]
    Fatal(String),
}

/// What a store holds when it is opened, in a machine's terms.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct LogSummary {
    /// The last entry that was purged; [`Position::ZERO`] when the log reaches back to its start.
    pub base: Position,
    /// The terms of the entries behind it.
    pub runs: Vec<Run>,
    /// The newest hard state.
    pub hard_state: Option<HardState>,
}

impl LogSummary {
    /// Position of the last entry.
    pub fn last(&self) -> Position {
        let count: u64 = self.runs.iter().map(|run| u64::from(run.count)).sum();
        let term = self.runs.last().map_or(self.base.term, |run| run.term);
        Position { term, index: self.base.index.plus(count) }
    }

    /// Adds an entry of this term at the end.
    pub fn push(&mut self, term: crate::ids::Term) {
        match self.runs.last_mut() {
            Some(run) if run.term == term && run.count < u32::MAX => run.count += 1,
            _ => self.runs.push(Run { term, count: 1 }),
        }
    }
}

/// A replicated log's entries and hard state, in one durable order.
///
/// The contract, which `testing::log_store` checks for any implementer:
///
/// 1. A batch is atomic: after a crash all of it is there or none, and never a later one without an earlier.
/// 2. A receipt never names a write that a crash could lose. Receipts only grow.
/// 3. What was submitted can be read at once, durable or not.
/// 4. After [`StoreError::Fatal`] nothing is taken, and no receipt is given, until the store is opened anew.
/// 5. Damage is reported, never repaired by forgetting what was attested.
pub trait LogStore {
    /// What the store holds, everything submitted included.
    fn summary(&self) -> LogSummary;

    /// Whether the next batch would be taken.
    fn has_room(&self) -> bool;

    /// Takes one batch and drains its entries. Never waits for the device.
    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError>;

    /// A receipt that reaches further than the last one given, when there is one. The task is woken when there is.
    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>>;

    /// Appends the entries `first..=last` to `out`, stopping early once `max_bytes` of payload are passed, but never
    /// before the first entry.
    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError>;

    /// Shows the entries that [`LogStore::read`] would give, one by one and without sharing their payloads. A store that
    /// holds them in memory does better than this default, which reads first.
    fn visit(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        each: &mut dyn FnMut(EntryRef<'_>),
    ) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        self.read(first, last, max_bytes, &mut entries)?;
        entries.iter().for_each(|entry| each(entry.into()));
        Ok(())
    }
}

impl<S: LogStore + ?Sized> LogStore for &mut S {
    fn summary(&self) -> LogSummary {
        (**self).summary()
    }
    fn has_room(&self) -> bool {
        (**self).has_room()
    }
    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        (**self).submit(batch)
    }
    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        (**self).poll_durable(cx)
    }
    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        (**self).read(first, last, max_bytes, out)
    }
    fn visit(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        each: &mut dyn FnMut(EntryRef<'_>),
    ) -> Result<(), StoreError> {
        (**self).visit(first, last, max_bytes, each)
    }
}

impl<S: LogStore + ?Sized> LogStore for Box<S> {
    fn summary(&self) -> LogSummary {
        (**self).summary()
    }
    fn has_room(&self) -> bool {
        (**self).has_room()
    }
    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        (**self).submit(batch)
    }
    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        (**self).poll_durable(cx)
    }
    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        (**self).read(first, last, max_bytes, out)
    }
    fn visit(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        each: &mut dyn FnMut(EntryRef<'_>),
    ) -> Result<(), StoreError> {
        (**self).visit(first, last, max_bytes, each)
    }
}

/// Small named values, each replaced atomically and durable when `set` returns.
pub trait StateStore {
    /// The value last set under this name.
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError>;

    /// Replaces the value. When this returns, a crash keeps it; when it fails, the old value or the new one is there,
    /// whole.
    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_for_a_receipt_that_reaches_it_and_for_no_other() {
        let sealed = Sealed::new(WriteId::new(3), "vote");
        let sealed = sealed.open(&Receipt::attest(WriteId::new(2))).expect_err("too early");
        assert_eq!(sealed.after(), WriteId::new(3));
        assert_eq!(sealed.open(&Receipt::attest(WriteId::new(3))), Ok("vote"));
    }

    #[test]
    fn a_hard_state_holds_up_to_its_limit() {
        assert_eq!(HardState::new(&[7; 48]).map(|it| it.as_bytes().to_vec()), Some(vec![7; 48]));
        assert_eq!(HardState::new(&[7; 49]), None);
    }
}
