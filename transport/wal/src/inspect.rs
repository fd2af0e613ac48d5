//! Looking into a directory without changing it.

use std::path::Path;

use synod_transport::ids::{LogIndex, Position};
use synod_transport::store::{HardState, LogSummary};

use crate::error::WalError;
use crate::files::RealFiles;
use crate::format::{Checkpoint, Kind};
use crate::log::{Part, parts};
use crate::recover::{Recovery, scan};

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A segment begins; what it knows of those before it.
    Checkpoint {
        /// The last purged entry.
        base: Position,
        /// The last entry before this segment.
        last: Position,
        /// The newest hard state.
        hard_state: Option<HardState>,
    },
    /// Batches that became durable together.
    Group(Vec<BatchSketch>),
    /// Everything before was durable when this was written.
    Mark,
}

/// A batch without its payloads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchSketch {
    /// Entries from here on were forgotten.
    pub truncate_from: Option<LogIndex>,
    /// Index of the first entry and how many; `None` for none.
    pub append: Option<(LogIndex, u32)>,
    /// Bytes of payload.
    pub payload_bytes: u64,
    /// The new hard state.
    pub hard_state: Option<HardState>,
    /// The last entry that may go.
    pub purge_through: Option<Position>,
}

/// One record of a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Sequence of its segment: the number in the file's name.
    pub segment: u64,
    /// Where it starts in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// What it holds.
    pub content: Content,
}

/// Gives every valid record of a directory to `visit`, oldest first, then what the log holds and how it ended. Changes
/// nothing and takes no lock: what a running log writes meanwhile may show as a torn tail. O(bytes in the log).
///
/// # Errors
/// [`WalError::Corrupt`] at the first damage, after the records before it; [`WalError::Io`].
pub fn inspect(
    dir: impl AsRef<Path>,
    mut visit: impl FnMut(Record),
) -> Result<(LogSummary, Recovery), WalError> {
    let found = scan(&RealFiles, dir.as_ref(), &mut |seen| {
        let content = match seen.record.kind {
            Kind::Checkpoint => {
                let Checkpoint { base, last, hard_state } = Checkpoint::decode(seen.body).unwrap_or_default();
                Content::Checkpoint { base, last, hard_state }
            }
            Kind::Group => Content::Group(sketch(seen.body)),
            Kind::Mark | Kind::Seal => Content::Mark,
        };
        let (offset, len) = (seen.offset as u64, seen.record.len as u64);
        visit(Record { segment: seen.segment.sequence, offset, len, content });
    })?;
    Ok(found.map(|scan| (scan.index.summary(), scan.report)).unwrap_or_default())
}

fn sketch(body: &[u8]) -> Vec<BatchSketch> {
    let mut batches: Vec<BatchSketch> = Vec::new();
    let done = parts(body, &mut |part| {
        if let Part::Batch = part {
            batches.push(BatchSketch::default());
        }
        let batch = batches.last_mut()?;
        match part {
            Part::Batch => {}
            Part::Truncate(from) => batch.truncate_from = Some(from),
            Part::HardState(value) => batch.hard_state = Some(value),
            Part::Entries { first, count } => batch.append = Some((first, count)),
            Part::Entry { len, .. } => batch.payload_bytes += u64::from(len),
            Part::Purge(through) => batch.purge_through = Some(through),
        }
        Some(())
    });
    // The scan has replayed the same body already; if it cannot be read, what was read of it is given.
    debug_assert!(done.is_some());
    batches
}
