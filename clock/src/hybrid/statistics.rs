//! Counts of what seldom happens. Stamps themselves are not counted: that would cost as much as giving them.

use crate::sync::{AtomicU64, Ordering};

/// What a clock met since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Full logical parts that carried into the physical part.
    pub carried: u64,
    /// Remote stamps that were rejected.
    pub rejected: u64,
    /// Remote stamps that were taken although they lay beyond the offset.
    pub accepted_ahead: u64,
    /// Remote stamps that were passed over.
    pub restamped: u64,
    /// Jumps of the wall to later.
    pub jumps_forward: u64,
    /// Jumps of the wall to earlier.
    pub jumps_backward: u64,
    /// Calls that failed since the clock would have been too far ahead of its wall.
    pub lead_reached: u64,
    /// Calls that failed at the persisted upper bound.
    pub bound_reached: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        #[derive(Debug)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            pub(super) fn new() -> Self {
                Self { $($name: Counter(AtomicU64::new(0)),)* }
            }

            pub(super) fn read(&self) -> Statistics {
                Statistics { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters!(
    carried,
    rejected,
    accepted_ahead,
    restamped,
    jumps_forward,
    jumps_backward,
    lead_reached,
    bound_reached
);

#[derive(Debug)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
