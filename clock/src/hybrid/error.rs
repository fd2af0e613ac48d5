//! Why a hybrid clock gave no stamp.

use core::fmt;
use core::time::Duration;

/// Why no stamp was given. The clock is as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HybridError {
    /// A remote stamp lies too far ahead of the own wall. The remote's fault, or the own wall is behind.
    #[error("a remote stamp is {ahead:?} ahead of the own wall; at most {max:?} is taken")]
    Offset {
        /// By how much.
        ahead: Duration,
        /// [`Options::max_offset`](super::Options::max_offset).
        max: Duration,
    },
    /// The stamp would lie too far ahead of the own wall: the wall was set back, or more stamps were asked for than
    /// ticks and logical parts can tell apart. Wait until the wall catches up.
    #[error("the clock would be {lead:?} ahead of its own wall; at most {max:?} is allowed")]
    Lead {
        /// By how much.
        lead: Duration,
        /// [`Options::max_lead`](super::Options::max_lead).
        max: Duration,
    },
    /// The stamp would reach the upper bound that was persisted. The keeper's: extend the bound, then ask again.
    #[error("the persisted upper bound is reached; it must be extended first")]
    UpperBound,
    /// The wall, or a remote stamp, is at the end of the layout. Nothing but another layout helps.
    #[error("time is at the end of the layout")]
    Exhausted,
    /// Of [`now_interval`](super::HybridClock::now_interval) alone: the interval would end after 2262, where
    /// [`UnixTime`](crate::UnixTime) does. The limits are too wide, or the wall is in that future.
    #[error("the interval would end beyond what Unix time in nanoseconds can say")]
    NoInterval,
    /// The wall jumped by so much. The own machine's.
    #[error("the wall jumped {direction} by {by:?}")]
    Jumped {
        /// By how much.
        by: Duration,
        /// Which way.
        direction: Direction,
    },
}

/// The way of a jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To later.
    Forward,
    /// To earlier.
    Backward,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        })
    }
}
