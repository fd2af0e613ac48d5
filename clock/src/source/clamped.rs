//! A fast counter that may be anything, held to a slow clock that is right.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::unix::UnixTime;

/// Fine readings of a clock that cannot be trusted, such as one made from a processor's own counter, whose value may
/// differ between cores and whose rate was guessed; kept within one tick of a coarse clock that can be. Never goes
/// back, across threads neither.
#[derive(Debug)]
pub struct Clamped<F, C> {
    fine: F,
    coarse: C,
    tick_ns: i64,
    last: AtomicI64,
}

impl<F: Fn() -> UnixTime, C: Fn() -> UnixTime> Clamped<F, C> {
    /// `coarse` shows the time as of its last tick, and `tick_ns` is the longest between two that the caller vouches for.
    pub const fn new(fine: F, coarse: C, tick_ns: i64) -> Self {
        Self { fine, coarse, tick_ns, last: AtomicI64::new(i64::MIN) }
    }

    /// The fine reading where it is possible, and else the nearest that is. As wrong as the coarse clock, and by one
    /// tick more.
    pub fn reading(&self) -> UnixTime {
        let earliest = (self.coarse)();
        let fine = (self.fine)();
        let latest = (self.coarse)().shifted(self.tick_ns).max(earliest);
        let reading = fine.clamp(earliest, latest).as_nanos();
        UnixTime::from_nanos(self.last.fetch_max(reading, Ordering::Relaxed).max(reading))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SimulatedClock;
    use core::cell::Cell;
    use core::time::Duration;
    use synod_transport::rng::Rng;

    const TICK_NS: i64 = 4_000_000;

    /// Two cores whose counters are 1.6 s apart and 85 ppm fast, a thread that moves between them, and a coarse clock
    /// that is right. The largest error of the clamped clock and of the bare one, and how often either went back.
    fn run(seed: u64) -> ((i64, u32), (i64, u32)) {
        let mut rng = Rng::new(seed);
        let start = UnixTime::from_secs(1_790_000_000);
        let counter = SimulatedClock::new(start, 85_000);
        let core = Cell::new(0_i64);
        let fine = || counter.reading().shifted(core.get() * -1_600_000_000);
        let coarse = || {
            let truth = counter.truth().as_nanos();
            UnixTime::from_nanos(truth - truth.rem_euclid(TICK_NS))
        };
        let clock = Clamped::new(fine, coarse, TICK_NS);
        let mut results = [(0_i64, 0_u32, UnixTime::MIN); 2];
        for _ in 0..20_000 {
            counter.advance(Duration::from_nanos(rng.below(20_000_000)));
            core.set(i64::try_from(rng.below(2)).unwrap());
            for ((error, back, last), reading) in results.iter_mut().zip([clock.reading(), fine()]) {
                *error = (*error).max(reading.nanos_since(counter.truth()).abs());
                *back += u32::from(reading < *last);
                *last = reading;
            }
        }
        let [(error, back, _), (bare_error, bare_back, _)] = results;
        ((error, back), (bare_error, bare_back))
    }

    #[test]
    fn clock_p27_cores_that_disagree_and_drift_stay_within_the_bound() {
        for seed in 0..20 {
            let (clamped, bare) = run(seed);
            assert!(clamped.0 <= TICK_NS, "seed {seed}: off by {} ns", clamped.0);
            assert_eq!(clamped.1, 0);
            assert!(bare.0 > 1_500_000_000 && bare.1 > 1000, "the bare counter is no fault: {bare:?}");
        }
    }

    #[test]
    fn clock_p34_readings_at_the_ends_do_not_panic() {
        for (fine, coarse) in [(UnixTime::MIN, UnixTime::MAX), (UnixTime::MAX, UnixTime::MIN)] {
            let clock = Clamped::new(|| fine, || coarse, i64::MAX);
            let reading = clock.reading();
            assert!(reading >= coarse);
        }
    }
}
