//! What can be wrong with a script.

use std::io;

use synod_raft::RestoreError;
use synod_transport::host::HostError;

/// Why a script was not carried out, or not written down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A command cannot be carried out: the script's fault, but for [`Problem::Host`]. Nothing was written.
    #[error("line {line}: {problem}")]
    Command {
        /// Its line, counted from 1.
        line: usize,
        /// Why not.
        #[source]
        problem: Problem,
    },
    /// The trace could not be written: the writer's fault. A part of it may have been.
    #[error("the trace could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Why a command cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No command reads like this.
    #[error("what is {0:?}?")]
    Unknown(String),
    /// A number was expected.
    #[error("{0:?} is no number, or too large here")]
    Number(String),
    /// A link was expected.
    #[error("{0:?} is no link like 1->2")]
    Link(String),
    /// There are nodes already.
    #[error("the nodes were made before")]
    Again,
    /// There is no such node.
    #[error("there is no node {0}")]
    Nobody(u64),
    /// The node is up.
    #[error("node {0} is up")]
    Up(u64),
    /// The node is down.
    #[error("node {0} is down")]
    Down(u64),
    /// The node is paused: it takes nothing.
    #[error("node {0} is paused")]
    Paused(u64),
    /// The node is not paused.
    #[error("node {0} is not paused")]
    NotPaused(u64),
    /// Something happened to the node already: only one that has just started can be given another disk.
    #[error("node {0} has done something already, and keeps its disk")]
    NotFresh(u64),
    /// The disk holds fewer writes that are not durable than the command needs.
    #[error("node {node} has {unsynced} unsynced writes")]
    Unsynced {
        /// Whose disk.
        node: u64,
        /// How many there are.
        unsynced: usize,
    },
    /// Messages come of messages, and time does not go on.
    #[error("messages without end")]
    Endless,
    /// The node cannot start from its disk.
    #[error("node {node} cannot start: {error}")]
    Start {
        /// Which.
        node: u64,
        /// Why.
        error: RestoreError,
    },
    /// The node stopped for good: a fault of the core, or of this runner.
    #[error("node {node}: {error}")]
    Host {
        /// Which.
        node: u64,
        /// Why.
        error: HostError,
    },
}
