//! Whether this is still the process in which something was made.
//!
//! After `fork` parent and child hold the same memory: the same generator state, the same random block. Both would go on
//! to give the same ids. A handler that runs in the child raises a counter, and who remembers the counter of its birth
//! sees with one relaxed load that it is a copy. A child made by a bare `clone` call, past the C library, runs no handler
//! and is not seen.

/// The process in which it was made.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    #[cfg(feature = "std")]
    guard: forkguard::Guard,
}

impl Process {
    /// This one. The first call registers the handler, and panics when the C library has no memory for it.
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(feature = "std")]
            guard: forkguard::new(),
        }
    }

    /// Whether a fork lies between the making of this and now. Without the feature `std` nobody can tell: false.
    #[inline]
    pub(crate) fn is_another(&self) -> bool {
        #[cfg(feature = "std")]
        {
            self.guard.clone().detected_fork()
        }
        #[cfg(not(feature = "std"))]
        {
            false
        }
    }
}
