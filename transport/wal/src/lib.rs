#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod commit;
mod device;
mod engine;
mod error;
mod files;
pub mod format;
mod inspect;
mod log;
mod plant;
mod recover;
mod snapshot;
mod state;
mod store;
mod sync;
#[cfg(test)]
mod tests;
mod wal;

pub use engine::Counters;
pub use error::{Damage, WalError};
pub use inspect::{BatchSketch, Content, Record, inspect};
pub use recover::{Recovery, Torn};
pub use snapshot::FileSnapshotStore;
pub use state::FileStateStore;
pub use store::{Syncing, WalStore};
pub use wal::{Change, Ticket, Wal};

/// Sizes of a log. [`Options::default`] suits a replicated log of small commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Size of a segment file, preallocated: 4 KiB to 1 GiB. A group that does not fit gets a larger one to itself.
    pub segment_bytes: usize,
    /// The most bytes of batches that wait for the disk, 1 byte to 256 MiB, one batch over it at most.
    pub window_bytes: usize,
    /// Durable entries kept in memory for reading, in bytes, newest first.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, window_bytes: 16 << 20, cache_bytes: 16 << 20 }
    }
}

impl Options {
    fn check(&self) -> Result<(), WalError> {
        if !(4096..=1 << 30).contains(&self.segment_bytes) {
            return Err(WalError::Options("segment_bytes must be 4 KiB to 1 GiB"));
        }
        if !(1..=256 << 20).contains(&self.window_bytes) {
            return Err(WalError::Options("window_bytes must be 1 byte to 256 MiB"));
        }
        Ok(())
    }
}
