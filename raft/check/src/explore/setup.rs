//! Which world is explored.

use synod_raft::fault::{Fault, Planted};
use synod_raft::{Config, Raft};
use synod_sim::explore::cluster::{Bounds, BoundsError};
use synod_transport::ids::NodeId;
use synod_transport::quorum::{Members, NodeSet, Static};
use synod_transport::store::LogSummary;

use super::{Figure3, World};
use crate::Node;

/// A world to explore, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    /// How small it is.
    pub bounds: Bounds,
    /// Whether campaigns begin with a pre-vote.
    pub pre_vote: bool,
    /// Most entries in a message.
    pub max_batch: u32,
    /// Most messages with entries to one follower that it has not answered. The specification says one.
    pub window: u32,
    /// The fault that is planted, if any.
    pub fault: Option<Fault>,
    /// Whether states that differ only in the names of nodes count once.
    pub symmetric: bool,
    /// Where to give up.
    pub max_states: u64,
}

impl Setup {
    /// No fault, pre-votes, whole logs in a message.
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            pre_vote: true,
            max_batch: 4096,
            window: 1,
            fault: None,
            symmetric: false,
            max_states: u64::MAX,
        }
    }

    /// The same with a fault.
    #[must_use]
    pub const fn with(self, fault: Option<Fault>) -> Self {
        Self { fault, ..self }
    }

    /// For tests: 6 759 states.
    pub const fn tiny() -> Self {
        let bounds = Bounds { campaigners: NodeSet::first(2), proposals: 0, crashes: 0, ..SMALL };
        Self::new(bounds)
    }

    /// What the specification is checked with: 149 501 states.
    pub const fn spec() -> Self {
        Self::new(Bounds { crashes: 0, ..SMALL })
    }

    /// What each change is checked with: 1 277 201 states, some ten seconds of processor time.
    pub const fn ci() -> Self {
        Self { symmetric: true, ..Self::new(Bounds { max_log: 4, proposals: 2, duplicates: 1, ..SMALL }) }
    }

    /// A nightly's worth: 12 745 856 states in half a GiB, a minute or two. With two messages in flight, one proposal and neither
    /// duplicates nor intervals there are 20 116 021.
    pub const fn full() -> Self {
        let bounds = Bounds { max_log: 4, proposals: 2, duplicates: 1, intervals: 1, ..SMALL };
        Self { symmetric: true, ..Self::new(bounds) }
    }
}

/// Two terms, an entry, a crash, a message at a time.
const SMALL: Bounds = Bounds {
    nodes: 3,
    max_term: 2,
    max_log: 3,
    in_flight: 1,
    loss: true,
    unsynced: 1,
    sealed: 2,
    campaigners: NodeSet::first(3),
    proposals: 1,
    crashes: 1,
    duplicates: 0,
    intervals: 0,
    reads: 0,
};

/// The world of a setup.
///
/// # Errors
/// When its bounds do not fit.
pub fn cluster(setup: &Setup) -> Result<World, BoundsError> {
    let setup = *setup;
    World::new(setup.bounds, Box::new(move |id, stored| start(&setup, id, stored)), Figure3)
}

fn start(setup: &Setup, id: NodeId, stored: &LogSummary) -> Result<Node, String> {
    let ids = (1..=setup.bounds.nodes as u64).map(NodeId::new);
    let members = Members::new(ids).map_err(|error| error.to_string())?;
    let mut config = Config::new(id);
    config.pre_vote = setup.pre_vote;
    // Leases only take behaviours away: without them every vote may be given.
    config.check_quorum = false;
    config.max_batch = setup.max_batch;
    config.max_messages_in_flight = setup.window;
    config.seed = 0;
    Raft::with_faults(config, Static::new(members), stored, Planted(setup.fault))
        .map_err(|error| error.to_string())
}
