//! What callers and the owner of a node are told when something does not happen.

use synod_transport::host::HostError;
use synod_transport::ids::NodeId;
use synod_transport::machine::Refusal;
use synod_transport::net::Closed;

/// Why a proposal got no reply. Each says whether the command may have taken effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// Only a leader takes proposals. Nothing happened; ask the one named.
    #[error("this node is not the leader")]
    NotLeader {
        /// Who is, as far as this node knows.
        leader: Option<NodeId>,
    },
    /// The protocol's window is full. Nothing happened; try again later.
    #[error("too much is in flight")]
    Busy,
    /// The command was accepted, and then this node lost the leadership of that term, or stopped. The command may have
    /// taken effect, may do so later, or never; only a retry that the service recognises is safe.
    #[error("whether the command takes effect is not known here")]
    Unknown,
    /// The command does not fit a frame or the window. Nothing happened; it never will.
    #[error("a command of {len} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// The protocol takes no proposals. Nothing happened.
    #[error("this protocol takes no proposals")]
    Unsupported,
    /// The node has stopped. Nothing happened.
    #[error("the node has stopped")]
    Stopped,
}

impl From<Refusal> for ProposeError {
    fn from(reason: Refusal) -> Self {
        match reason {
            Refusal::NotLeader { leader } => Self::NotLeader { leader },
            Refusal::Busy => Self::Busy,
            _ => Self::Unsupported,
        }
    }
}

/// Why a read was not done. A read never changes the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Only a leader confirms reads. Ask the one named.
    #[error("this node is not the leader")]
    NotLeader {
        /// Who is, as far as this node knows.
        leader: Option<NodeId>,
    },
    /// Too many reads wait for confirmation. Try again later.
    #[error("too many reads are waiting")]
    Busy,
    /// Leadership was lost, or moved, while the read waited for confirmation. Try again, perhaps elsewhere.
    #[error("leadership was lost while the read was being confirmed")]
    Unavailable,
    /// The protocol has no linearizable reads.
    #[error("this protocol confirms no reads")]
    Unsupported,
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
}

impl From<Refusal> for ReadError {
    fn from(reason: Refusal) -> Self {
        match reason {
            Refusal::NotLeader { leader } => Self::NotLeader { leader },
            Refusal::Busy => Self::Busy,
            _ => Self::Unsupported,
        }
    }
}

/// Why a node stopped without being asked to. For good: start it anew from its store, after a person has looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The machine found an invariant broken, or the store failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The network was shut down under the node.
    #[error(transparent)]
    Network(#[from] Closed),
}
