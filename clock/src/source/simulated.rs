//! A machine's clocks in a world where true time is known.

use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use synod_transport::rng::Rng;
use synod_transport::time::{Instant, TimeSource, WallTime};

use super::Stopwatch;
use crate::unix::{UnixTime, nanos_of};

/// A wall clock and counters with an oscillator that drifts, which a test moves. Only [`advance`](Self::advance) and
/// [`suspend`](Self::suspend) let true time pass; the same calls give the same readings, on every machine.
#[derive(Debug)]
pub struct SimulatedClock(Mutex<State>);

#[derive(Debug)]
struct State {
    elapsed_ns: u64,
    start: UnixTime,
    /// What the wall clock shows beyond the counter that counts suspend.
    set_ns: i64,
    raw: Counter,
    boot: Counter,
    drift_ppb: i64,
    slew_ppb: i64,
    wander: Option<Wander>,
}

/// Nanoseconds, and billionths of one, so that nothing is lost however time is cut.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    nanos: u64,
    billionths: i128,
}

/// A drift that changes.
#[derive(Debug)]
struct Wander {
    rng: Rng,
    bound_ppb: i64,
}

impl SimulatedClock {
    /// Shows `start`, which is true, and runs `drift_ppb` parts per billion fast.
    pub fn new(start: UnixTime, drift_ppb: i64) -> Self {
        Self::with(start, drift_ppb, None)
    }

    /// Shows `start`, which is true, and runs fast or slow by at most `bound_ppb`, differently with every
    /// [`advance`](Self::advance).
    pub fn wandering(start: UnixTime, bound_ppb: u32, seed: u64) -> Self {
        Self::with(start, 0, Some(Wander { rng: Rng::new(seed), bound_ppb: i64::from(bound_ppb) }))
    }

    fn with(start: UnixTime, drift_ppb: i64, wander: Option<Wander>) -> Self {
        Self(Mutex::new(State {
            elapsed_ns: 0,
            start,
            set_ns: 0,
            raw: Counter::default(),
            boot: Counter::default(),
            drift_ppb,
            slew_ppb: 0,
            wander,
        }))
    }

    /// Lets true time pass.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let mut state = self.lock();
        if let Some(Wander { rng, bound_ppb }) = &mut state.wander {
            let span = u64::try_from(*bound_ppb * 2 + 1).unwrap_or(1);
            let drift = i64::try_from(rng.below(span)).unwrap_or_default() - *bound_ppb;
            state.drift_ppb = drift;
        }
        let (drift, slew) = (state.drift_ppb, state.slew_ppb);
        state.elapsed_ns = state.elapsed_ns.saturating_add(nanos);
        state.raw.advance(nanos, drift);
        state.boot.advance(nanos, drift.saturating_add(slew));
    }

    /// Lets true time pass while the machine sleeps: what is not slewed stands still.
    pub fn suspend(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let mut state = self.lock();
        state.elapsed_ns = state.elapsed_ns.saturating_add(nanos);
        state.boot.advance(nanos, 0);
    }

    /// Sets the wall clock forward, or back when negative.
    pub fn step(&self, nanos: i64) {
        let mut state = self.lock();
        state.set_ns = state.set_ns.saturating_add(nanos);
    }

    /// Runs the oscillator this much fast from now on.
    pub fn set_drift(&self, drift_ppb: i64) {
        self.lock().drift_ppb = drift_ppb;
    }

    /// Slews the wall clock and what runs with it by this from now on.
    pub fn set_slew(&self, slew_ppb: i64) {
        self.lock().slew_ppb = slew_ppb;
    }

    /// How much true time has passed.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.lock().elapsed_ns)
    }

    /// True time, which no real machine knows.
    pub fn truth(&self) -> UnixTime {
        let state = self.lock();
        state.start.shifted(nanos_of(Duration::from_nanos(state.elapsed_ns)))
    }

    /// What the wall clock shows.
    pub fn reading(&self) -> UnixTime {
        let state = self.lock();
        state.start.shifted(nanos_of(Duration::from_nanos(state.boot.nanos))).shifted(state.set_ns)
    }

    /// What the counter that counts suspend shows.
    pub fn boot_ns(&self) -> u64 {
        self.lock().boot.nanos
    }

    /// What the counter that nothing slews shows.
    pub fn raw_ns(&self) -> u64 {
        self.lock().raw.nanos
    }

    /// Both counters.
    pub fn stopwatch(&self) -> Stopwatch {
        let state = self.lock();
        Stopwatch::new(state.raw.nanos, state.boot.nanos)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: nothing is half done where a thread ended.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    fn advance(&mut self, nanos: u64, fast_ppb: i64) {
        let rate = (1_000_000_000 + i128::from(fast_ppb)).max(0);
        // Stays at the end: a drift in the billions makes more of a few centuries than 128 bits hold.
        let billionths = i128::from(nanos).saturating_mul(rate).saturating_add(self.billionths);
        let whole = billionths / 1_000_000_000;
        self.nanos = self.nanos.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        self.billionths = billionths % 1_000_000_000;
    }
}

impl TimeSource for SimulatedClock {
    fn monotonic(&self) -> Instant {
        Instant::from_nanos(self.boot_ns())
    }

    fn wall(&self) -> WallTime {
        WallTime(u64::try_from(self.reading().as_nanos()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_exact_however_time_is_cut() {
        let clock = SimulatedClock::new(UnixTime::from_secs(100), 85_000);
        for _ in 0..1_000_000 {
            clock.advance(Duration::from_nanos(997));
        }
        assert_eq!(clock.elapsed(), Duration::from_nanos(997_000_000));
        assert_eq!(clock.boot_ns(), 997_084_745);
        assert_eq!(clock.reading().nanos_since(clock.truth()), 84_745);
    }

    #[test]
    fn clock_p34_any_drift_for_any_time_stays_at_the_ends() {
        for drift in [i64::MIN, -2_000_000_000, 0, i64::MAX] {
            let clock = SimulatedClock::new(UnixTime::MIN, drift);
            clock.set_slew(drift);
            for _ in 0..3 {
                clock.advance(Duration::MAX);
                clock.suspend(Duration::MAX);
            }
            assert_eq!(clock.elapsed(), Duration::from_nanos(u64::MAX), "{drift}");
            assert_eq!(clock.boot_ns(), u64::MAX, "{drift}");
            // What runs a billion parts per billion slow stands still.
            assert_eq!(clock.raw_ns(), if drift < 0 { 0 } else { u64::MAX }, "{drift}");
            assert!(clock.reading() >= UnixTime::MIN.shifted(i64::MAX));
        }
    }

    #[test]
    fn each_clock_does_what_its_name_says() {
        let clock = SimulatedClock::new(UnixTime::EPOCH, 0);
        clock.set_slew(-100_000_000);
        clock.advance(Duration::from_secs(10));
        clock.suspend(Duration::from_secs(5));
        clock.step(-20_000_000_000);
        assert_eq!((clock.raw_ns(), clock.boot_ns()), (10_000_000_000, 14_000_000_000));
        assert_eq!(clock.reading(), UnixTime::from_secs(-6));
        assert_eq!(clock.wall(), WallTime(0));
        assert_eq!(clock.truth(), UnixTime::from_secs(15));
    }

    #[test]
    fn a_seed_is_a_course_and_stays_within_its_bound() {
        let course = |seed| {
            let clock = SimulatedClock::wandering(UnixTime::EPOCH, 50_000, seed);
            let mut readings = std::vec::Vec::new();
            for _ in 0..100 {
                let before = clock.boot_ns();
                clock.advance(Duration::from_secs(1));
                assert!((clock.boot_ns() - before).abs_diff(1_000_000_000) <= 50_001);
                readings.push(clock.boot_ns());
            }
            readings
        };
        assert_eq!(course(1), course(1));
        assert_ne!(course(1), course(2));
    }
}
