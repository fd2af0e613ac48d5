//! What a caller decides, and why a caller's decision can be refused.

use core::time::Duration;

use synod_transport::ids::NodeId;

use crate::message::MAX_ENTRIES;

/// How one node behaves. The defaults suit a local network; times must be far above a message's round trip plus a
/// disk's sync.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    /// This node; must be a member.
    pub id: NodeId,
    /// Least time without a leader before an election; each wait is drawn from `[T, 2T)` (section 5.2). Default 1 s.
    pub election_timeout: Duration,
    /// Time between heartbeats of an idle leader; at most a third of the election timeout. Default 100 ms.
    pub heartbeat_interval: Duration,
    /// Most entries in one message, up to 1 048 576. Default 4096.
    pub max_batch: u32,
    /// Most unacknowledged append messages per follower. What is proposed meanwhile goes out together with the next
    /// acknowledgement, so a small window batches more. Default 8.
    pub max_messages_in_flight: u32,
    /// Most uncommitted entries before proposals are refused as busy. Default 65 536.
    pub max_uncommitted: u64,
    /// Most reads that wait for their confirmation. Default 65 536.
    pub max_pending_reads: usize,
    /// Ask whether an election could be won before disturbing anyone (thesis, section 9.6). Default true.
    pub pre_vote: bool,
    /// A leader that hears from no quorum for an election timeout steps down, and members that hear from a leader
    /// deny votes (thesis, section 6.2 and 4.2.3). Default true.
    pub check_quorum: bool,
    /// Decides the random waits. Give each node and each start its own.
    pub seed: u64,
}

impl Config {
    /// The defaults for this node.
    pub fn new(id: NodeId) -> Self {
        Self {
            id,
            election_timeout: Duration::from_secs(1),
            heartbeat_interval: Duration::from_millis(100),
            max_batch: 4096,
            max_messages_in_flight: 8,
            max_uncommitted: 65_536,
            max_pending_reads: 65_536,
            pre_vote: true,
            check_quorum: true,
            seed: id.get(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.heartbeat_interval.is_zero() {
            return Err(ConfigError::Zero("heartbeat_interval"));
        }
        if self.election_timeout < self.heartbeat_interval.saturating_mul(3) {
            return Err(ConfigError::Timing {
                election: self.election_timeout,
                heartbeat: self.heartbeat_interval,
            });
        }
        if self.max_batch == 0 {
            return Err(ConfigError::Zero("max_batch"));
        }
        if self.max_batch > MAX_ENTRIES {
            return Err(ConfigError::BatchTooLong { limit: MAX_ENTRIES });
        }
        if self.max_messages_in_flight == 0 {
            return Err(ConfigError::Zero("max_messages_in_flight"));
        }
        if self.max_uncommitted == 0 {
            return Err(ConfigError::Zero("max_uncommitted"));
        }
        Ok(())
    }
}

/// A configuration that cannot work. The caller's mistake; nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A limit or interval is zero.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// Elections would start between two heartbeats.
    #[error("an election timeout of {election:?} is less than three heartbeats of {heartbeat:?}")]
    Timing {
        /// The election timeout.
        election: Duration,
        /// The heartbeat interval.
        heartbeat: Duration,
    },
    /// `max_batch` is over what a receiver accepts.
    #[error("max_batch is over the limit of {limit}")]
    BatchTooLong {
        /// The most that is allowed.
        limit: u32,
    },
    /// The node is not among the members.
    #[error("{0:?} is not a member")]
    NotAMember(NodeId),
}

/// Why a node could not be made from what its store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The configuration is at fault.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The hard state is not one that this crate wrote.
    #[error("the stored hard state cannot be read")]
    HardState,
    /// The log holds a term that the hard state has not reached: writes were lost or mixed.
    #[error("the log reaches a later term than the stored one")]
    TermBehindLog,
    /// The log reaches indexes of 2^62 and more, which no log does in any time: the store is damaged.
    #[error("the stored log reaches an index that cannot be")]
    TooLong,
    /// The log's terms fall.
    #[error("the stored log's terms do not rise")]
    TermsFall,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_cannot_work_is_refused_by_name() {
        let good = Config::new(NodeId::new(1));
        assert_eq!(good.check(), Ok(()));
        let slow = Config { heartbeat_interval: Duration::from_millis(400), ..good.clone() };
        assert!(matches!(slow.check(), Err(ConfigError::Timing { .. })));
        let none = Config { max_batch: 0, ..good.clone() };
        assert_eq!(none.check(), Err(ConfigError::Zero("max_batch")));
        let long = Config { max_batch: MAX_ENTRIES + 1, ..good };
        assert_eq!(long.check(), Err(ConfigError::BatchTooLong { limit: MAX_ENTRIES }));
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let just = Config {
            election_timeout: Duration::from_millis(300),
            heartbeat_interval: Duration::from_millis(100),
            max_batch: MAX_ENTRIES,
            ..Config::new(NodeId::new(1))
        };
        assert_eq!(just.check(), Ok(()));
    }
}
