//! A node's monotonic clock: its own origin and its own rate.

use synod_transport::time::Instant;

/// Maps virtual time to a node's readings and back, both in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: u64,
    origin: u64,
    /// Parts per million of true speed.
    rate: u64,
}

const TRUE_RATE: u64 = 1_000_000;

impl Clock {
    /// A clock that reads `origin` at the virtual time `started`, and is off by `ppm`.
    pub(crate) fn new(started: u64, origin: u64, ppm: i64) -> Self {
        Self { started, origin, rate: TRUE_RATE.saturating_add_signed(ppm).max(1) }
    }

    pub(crate) fn reading(&self, now: u64) -> Instant {
        let run = scale(now.saturating_sub(self.started), self.rate, TRUE_RATE);
        Instant::from_nanos(self.origin.saturating_add(run))
    }

    /// The first virtual time at which the reading is reached.
    pub(crate) fn when(&self, reading: Instant) -> u64 {
        if reading == Instant::MAX {
            return u64::MAX;
        }
        let run = reading.as_nanos().saturating_sub(self.origin);
        self.started.saturating_add(scale(run, TRUE_RATE, self.rate)).saturating_add(u64::from(run > 0))
    }
}

fn scale(value: u64, by: u64, over: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(by) / u128::from(over)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_reading_is_reached_when_it_is_due(
            started in 0u64..1 << 40, origin in 0u64..1 << 40, ppm in -100_000i64..100_000, run in 0u64..1 << 40
        ) {
            let clock = Clock::new(started, origin, ppm);
            let due = Instant::from_nanos(origin + run);
            let when = clock.when(due);
            prop_assert!(clock.reading(when) >= due);
            prop_assert!(when.saturating_sub(started) < 3 || clock.reading(when - 3) < due);
        }
    }
}
