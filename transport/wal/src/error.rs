//! What can go wrong when a directory is opened.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a directory could not be opened, or a write-ahead log stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalError {
    /// Another log has this directory open, in this process or another. Nothing was changed.
    #[error("{0} is in use by another log")]
    Locked(PathBuf),
    /// Bytes that were durable are damaged or gone. Nothing was changed; restore the directory, or let the node join
    /// anew under a new identity. Never delete the range and go on.
    #[error(transparent)]
    Corrupt(Damage),
    /// The operating system refused. While open this is for good: the log takes and attests nothing more.
    #[error("{what}: {message}")]
    Io {
        /// What was tried.
        what: String,
        /// The operating system's words.
        message: String,
        /// Its kind.
        kind: io::ErrorKind,
    },
    /// An option is out of its range; the text names it. Nothing was changed.
    #[error("{0}")]
    Options(&'static str),
}

impl WalError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what: what.into(), message: error.to_string(), kind: error.kind() }
    }
}

/// A range of bytes that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// First byte of the range.
    pub from: u64,
    /// The byte behind the range.
    pub to: u64,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: bytes {} to {}: {}", self.file.display(), self.from, self.to, self.reason)
    }
}

impl std::error::Error for Damage {}
