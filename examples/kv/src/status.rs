//! What `GET /status` tells.

use serde::{Deserialize, Serialize};
use synod_transport::ids::Incarnation;
use synod_transport::machine::Role;

/// A node as it sees itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub id: u64,
    /// `follower`, `pre-candidate`, `candidate` or `leader`.
    pub role: String,
    /// Its term.
    pub term: u64,
    /// The leader it knows of.
    pub leader: Option<u64>,
    /// Everything through this index is known to be committed.
    pub committed: u64,
    /// Everything through this index is applied here.
    pub applied: u64,
    /// How often it was started.
    pub incarnation: u64,
    /// How many keys hold something.
    pub keys: usize,
    /// How many sessions are open.
    pub sessions: usize,
}

impl Status {
    pub(crate) fn new(
        node: &synod_node::Status,
        incarnation: Incarnation,
        keys: usize,
        sessions: usize,
    ) -> Self {
        let role = match node.role {
            Role::Follower => "follower",
            Role::PreCandidate => "pre-candidate",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        };
        Self {
            id: node.id.get(),
            role: role.to_owned(),
            term: node.term.get(),
            leader: node.leader.map(Into::into),
            committed: node.commit_index.get(),
            applied: node.applied_index.get(),
            incarnation: incarnation.get(),
            keys,
            sessions,
        }
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        self.role == "leader"
    }
}
