//! Why there is no id, or no generator.

use core::time::Duration;

/// Why no id was given. The generator is as it was, and no position is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// The policy says to wait, and this call does not: ask again then. [`Generator::next`](super::Generator::next) waits.
    #[error("the next id comes in {wait:?}")]
    NotYet {
        /// For how long, if the wall goes at its pace. Never zero.
        wait: Duration,
    },
    /// The wall is behind where it was, or where the generator resumed from, by more than the policy bears. The host's
    /// clock: mend it, wait, or resume with another node.
    #[error("the wall stepped back by {by:?}")]
    Backward {
        /// By how much, in whole ticks.
        by: Duration,
    },
    /// The ids of this tick are used up, and the policy says not to wait.
    #[error("the sequence of this tick is used up")]
    Exhausted,
    /// The layout's time is at its end, or the wall says so. Nothing but another layout helps.
    #[error("the layout's time is at its end")]
    EpochExhausted,
    /// The ids have reached what was made durable or granted. The keeper's: raise the ceiling, then ask again.
    #[error("the ceiling is reached; it must be raised first")]
    Ceiling,
    /// The node is not held any more. Somebody else may have it.
    #[error("the node is not held any more")]
    NotHeld,
    /// This process is a child of the one in which the generator was made, by a fork; node and positions are the parent's.
    /// [`Generator::adopt`](super::Generator::adopt) a node of its own.
    #[error("the generator belongs to the parent process")]
    Forked,
    /// The policy never allows a block as long as this, or it is one of zero ids. The caller's.
    #[error("a block of {count} ids is never given; at least 1 and at most {most} are")]
    Length {
        /// What was asked for.
        count: u64,
        /// The most that is ever given at once.
        most: u64,
    },
    /// While waiting, time passed and no id came. The wall did not move on as it should have: the host's clock, or somebody
    /// who sets it again and again. Or other threads had the ids of each new tick first: more are asked for than there are.
    #[error("no id came in {waited:?}: the wall did not move on, or others were quicker")]
    Stalled {
        /// How long it was waited for.
        waited: Duration,
    },
}

/// Why no generator was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The wall is before the layout's epoch: it is not set yet, or the epoch is wrong.
    #[error("the wall is {ahead:?} before the epoch of {layout}")]
    EpochAhead {
        /// By how much.
        ahead: Duration,
        /// [`Layout::NAME`](crate::layout::Layout::NAME).
        layout: &'static str,
    },
    /// Less of the layout's time is left than was required.
    #[error("{left:?} are left of the time of {layout}")]
    EndsSoon {
        /// How much; zero at the end.
        left: Duration,
        /// [`Layout::NAME`](crate::layout::Layout::NAME).
        layout: &'static str,
    },
    /// Two of the given nodes are the same.
    #[error("node {node} is given twice")]
    SameNode {
        /// Which.
        node: u32,
    },
    /// [`Backward::Spill`](super::Backward::Spill) without a spare node, or a spare node without it.
    #[error("spare nodes and the policy to spill over to them belong together")]
    Spares,
}
