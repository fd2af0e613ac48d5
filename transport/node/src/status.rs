//! What a node tells about itself.

use synod_transport::ids::{LogIndex, NodeId, Term};
use synod_transport::machine::Role;

/// A node as of its last round.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Its name.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// Its term.
    pub term: Term,
    /// The leader it knows of.
    pub leader: Option<NodeId>,
    /// Everything through this index is known to be committed.
    pub commit_index: LogIndex,
    /// Everything through this index is applied here.
    pub applied_index: LogIndex,
    /// Messages that wait for the disk.
    pub sealed: usize,
    /// Proposals accepted and not yet applied.
    pub proposals_in_flight: usize,
    /// Linearizable reads not yet answered.
    pub reads_in_flight: usize,
    /// Whether the node has ended, for whatever reason.
    pub stopped: bool,
    /// Why it ended, when it was not asked to.
    pub failed: Option<String>,
    /// Sums since the start.
    pub counters: Counters,
}

impl Status {
    pub(crate) fn new(id: NodeId, applied: LogIndex) -> Self {
        Self {
            id,
            role: Role::Follower,
            term: Term::ZERO,
            leader: None,
            commit_index: applied,
            applied_index: applied,
            sealed: 0,
            proposals_in_flight: 0,
            reads_in_flight: 0,
            stopped: false,
            failed: None,
            counters: Counters::default(),
        }
    }
}

/// Sums since a node's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Rounds of the loop that did something.
    pub rounds: u64,
    /// Steps that offered proposals.
    pub proposal_steps: u64,
    /// Proposals offered in them.
    pub proposals: u64,
    /// Steps that asked for a read index.
    pub read_steps: u64,
    /// Linearizable reads that shared them.
    pub linearizable_reads: u64,
    /// Receipts from the store.
    pub receipts: u64,
    /// Frames that came.
    pub frames_in: u64,
    /// Frames that the network took.
    pub frames_out: u64,
    /// Frames that were dropped because the queue to their peer was full.
    pub frames_dropped_full: u64,
    /// Frames that the network refused for another reason: an unknown peer, or too large.
    pub frames_refused: u64,
    /// Frames that came and could not be read.
    pub frames_unreadable: u64,
    /// Entries applied.
    pub applied: u64,
}
