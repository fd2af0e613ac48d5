//! Faults planted on purpose, in tests only: each must be found, or the tests prove nothing.

/// A check that is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plant {
    /// Recovery takes any damaged record for a torn tail.
    EveryDamageIsTorn,
    /// The log goes on after a failed sync.
    FailedSyncIsForgiven,
    /// Recovery trusts the page cache and does not write the unproven tail again.
    CacheIsTrusted,
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Plant>> = const { std::cell::Cell::new(None) };
}

/// Whether this thread runs with this fault.
#[cfg(test)]
pub(crate) fn is(plant: Plant) -> bool {
    PLANTED.get() == Some(plant)
}

/// Never, outside of tests.
#[cfg(not(test))]
pub(crate) const fn is(_: Plant) -> bool {
    false
}

/// Runs with a fault.
#[cfg(test)]
pub(crate) fn with<T>(plant: Plant, run: impl FnOnce() -> T) -> T {
    PLANTED.set(Some(plant));
    let result = run();
    PLANTED.set(None);
    result
}
