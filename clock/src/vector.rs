//! Vector clocks: they tell exactly what happened before what, and what is concurrent.
//!
//! A clock holds, for every process, how many of its events are known. One event happened before another exactly when
//! its clock is within the other's, counter by counter (Mattern, *Virtual Time and Global States of Distributed
//! Systems*, 1989; Fidge, 1988).
//!
//! | who takes part | type |
//! |---|---|
//! | processes come and go, any id | [`VectorClock`], sparse: absent is zero |
//! | a fixed group, until the next epoch | [`DenseClock`], a counter for each member's slot |
//! | too many to keep all | [`PrunedClock`], which says "not known" rather than something false |
//! | replicas of a value that clients overwrite | [`Siblings`], dotted version vectors |
//!
//! Processes that fork and retire all the time, with no id to name them: [interval tree clocks](crate::itc).
//!
//! ```
//! use synod_clock::causality::Causality;
//! use synod_clock::vector::VectorClock;
//!
//! # fn main() -> Result<(), synod_clock::vector::VectorError> {
//! let (mut a, mut b, mut c) = (VectorClock::new(), VectorClock::new(), VectorClock::new());
//! a.tick(&"A")?;
//! b.tick(&"B")?;
//! assert_eq!(a.to_string(), "[A:1]");
//! assert_eq!(b.to_string(), "[B:1]");
//! assert_eq!(a.compare(&b), Causality::Concurrent);
//!
//! let first = a.send(&"A")?;
//! assert_eq!(first.to_string(), "[A:2]");
//! b.receive(&"B", &first)?;
//! assert_eq!(b.to_string(), "[A:2 B:2]");
//! let second = b.send(&"B")?;
//! assert_eq!(second.to_string(), "[A:2 B:3]");
//! c.receive(&"C", &second)?;
//! assert_eq!(c.to_string(), "[A:2 B:3 C:1]");
//! assert_eq!(first.compare(&c), Causality::Before);
//! assert!(first < c);
//! # Ok(())
//! # }
//! ```

mod dense;
mod dotted;
mod pruned;
mod sparse;

pub use dense::{DenseClock, Epoch};
pub use dotted::{Dot, Siblings};
pub use pruned::PrunedClock;
pub use sparse::VectorClock;

/// Why a clock was not moved or not compared. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// The process counted to `u64::MAX`: no process does, so a message made it up.
    #[error("the counter of the process is at its end")]
    CounterOverflow,
    /// Entries name one process twice: whoever made them is at fault.
    #[error("a process is named twice")]
    DuplicateProcess,
    /// The clocks belong to different groups of members, whose slots mean different processes. The caller compares
    /// them by what its change of members guarantees.
    #[error("clocks of {left} and {right} cannot be compared")]
    DifferentEpochs {
        /// The epoch of the clock asked.
        left: Epoch,
        /// The epoch of the one given.
        right: Epoch,
    },
    /// The clocks name one epoch and have different numbers of members: somebody used an epoch twice.
    #[error("clocks of one epoch have {left} and {right} members")]
    DifferentMembers {
        /// Members of the clock asked.
        left: usize,
        /// Members of the one given.
        right: usize,
    },
    /// The caller named a slot that the epoch does not have.
    #[error("there is no member {member} of {members}")]
    NoSuchMember {
        /// The slot.
        member: usize,
        /// How many there are.
        members: usize,
    },
    /// It is not known what the process has counted, so that its next event cannot be numbered: its counter was pruned,
    /// or the clock is another's that was pruned before. Keep it when pruning; a process that is new begins with
    /// [`PrunedClock::newcomer`].
    #[error("the counter of the process was pruned, or was never there")]
    OwnCounterPruned,
    /// The process has counted already, so that it is no newcomer: an id belongs to one process for ever.
    #[error("the process has counted before")]
    NotNew,
}

/// Whether some counter on the left is larger, and whether some on the right is. Of equal length.
fn larger_on(left: &[u64], right: &[u64]) -> (bool, bool) {
    let (mut on_left, mut on_right) = (false, false);
    // No exit within a block, so that it compiles to straight code.
    for (left, right) in left.chunks(32).zip(right.chunks(32)) {
        for (left, right) in left.iter().zip(right) {
            on_left |= left > right;
            on_right |= right > left;
        }
        if on_left && on_right {
            break;
        }
    }
    (on_left, on_right)
}

/// Takes the larger counter of each pair. Of equal length.
fn raise(counters: &mut [u64], others: &[u64]) {
    for (counter, other) in counters.iter_mut().zip(others) {
        *counter = (*counter).max(*other);
    }
}
