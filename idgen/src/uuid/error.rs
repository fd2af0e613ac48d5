use core::time::Duration;

use crate::random::RandomError;

/// Why there is no id. Nothing was given and nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UuidError {
    /// The clock reads a time that the field of the version cannot hold: 48 bits of milliseconds end in the year 10889,
    /// 60 bits of 100 ns in 5236. Or ids were taken ahead of the clock up to that end. The clock's fault.
    #[error("the time does not fit the field of this version")]
    TimeOverflow,
    /// The ids given are further ahead of the clock than is allowed: the clock was set back, or more ids were wanted than
    /// its ticks have room for. Passes as the clock catches up.
    #[error("ids are {lead:?} ahead of the clock; at most {most:?} is allowed")]
    Ahead {
        /// By how much.
        lead: Duration,
        /// [`V7Options::max_lead`](super::V7Options::max_lead), or its like.
        most: Duration,
    },
    /// The clock was set back more often than there are clock sequences left, and it is further behind the ids given
    /// than is allowed. Start the generator anew, or wait until the clock catches up.
    #[error("no clock sequence is left, and ids are {lead:?} ahead of the clock")]
    NoClockSequence {
        /// By how much.
        lead: Duration,
    },
    /// This is a forked child, and clock sequence and node are the parent's: make a generator anew.
    #[error("a forked child cannot go on with its parent's generator")]
    Forked,
    /// The source of random bits failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}
