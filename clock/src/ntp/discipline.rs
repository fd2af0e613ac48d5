//! Keeping a clock of one's own right, without touching the system's (RFC 5905 §12).
//!
//! Three clocks, each made from the one before:
//!
//! ```text
//!  local      a counter of nanoseconds since some start, wrong by its oscillator: nothing ever moves it
//!  free       local, as a time: what servers are compared with; as wrong as the oscillator, whatever was learned
//!  reading    free, at the frequency that was learned, + phase: small offsets are slewed into the phase, large ones
//!             stepped
//! ```
//!
//! A slew is planned when an offset becomes known and needs no timer: a reading is a few multiplications.
//!
//! A frequency may be learned wrongly, since answers that are late on one way alone look like drift. So the stated
//! error rests on the free clock: true time runs at the counter's rate, or at the learned one, or between them, give or
//! take the drift bound.

use core::time::Duration;

use super::fault::{Fault, Faults, Sound};
use crate::interval::Interval;
use crate::unix::{UnixTime, clamp_i64, drift_ns, nanos_of, scaled};

/// The fastest that any clock is slewed, frequency and phase together (MAXFREQ): 500 ppm.
pub const MAXIMUM_SLEW_PPB: i64 = 500_000;

/// How a clock is kept right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DisciplineOptions {
    /// Offsets over this are stepped, others slewed (STEPT): 128 ms.
    pub step_threshold: Duration,
    /// How long a large offset must last before it is believed (WATCH): 900 s.
    pub stepout: Duration,
    /// Offsets over this are not believed at all (PANICT): 1000 s.
    pub panic_threshold: Duration,
    /// Whether the very first offset may be larger than that: for machines without a clock that survives the power.
    pub first_may_be_any: bool,
    /// An offset is slewed away in this time, unless that would be faster than 500 ppm: 256 s, four questions. The
    /// frequency is learned with it too, but with no less than four times the interval between corrections: after
    /// longer ones it takes a while to become as short as this again.
    pub time_constant: Duration,
    /// The largest frequency error that is learned, in parts per billion; at most 500 000.
    pub maximum_frequency_ppb: i64,
    /// What the counter's oscillator may drift, in parts per billion (PHI): 15 000. With it the stated error grows.
    pub drift_bound_ppb: i64,
}

impl Default for DisciplineOptions {
    fn default() -> Self {
        Self {
            step_threshold: Duration::from_millis(128),
            stepout: Duration::from_secs(900),
            panic_threshold: Duration::from_secs(1000),
            first_may_be_any: false,
            time_constant: Duration::from_secs(256),
            maximum_frequency_ppb: MAXIMUM_SLEW_PPB,
            drift_bound_ppb: 15_000,
        }
    }
}

/// A disciplined clock. Ask [`reading`](Self::reading), [`monotone`](Self::monotone), [`interval`](Self::interval);
/// tell [`correct`](Self::correct).
///
/// `local_ns` is the caller's counter. It must never go back. Where it does, [`monotone`](Self::monotone) stands still,
/// [`reading`](Self::reading) follows it as far as to the last correction, and bounds are off. It should
/// count suspend (`CLOCK_BOOTTIME`), and nobody else should slew it (`CLOCK_MONOTONIC_RAW`): a machine that sleeps
/// needs the first, one whose clock another daemon keeps right the second, and who has to wake a client of the second
/// kind makes a new one.
#[derive(Clone, Debug)]
pub struct Discipline<F = Sound> {
    options: DisciplineOptions,
    state: State,
    /// Where the reading's lines begin.
    since_local_ns: u64,
    /// The free clock then.
    free: UnixTime,
    frequency_ppb: i64,
    phase_ns: i64,
    /// Invariant: |frequency + slew| ≤ 500 ppm.
    slew_ppb: i64,
    slew_for_ns: i64,
    /// With how long a time constant the frequency was learned last.
    learning_ns: i64,
    last: Option<Correction>,
    last_monotone: UnixTime,
    faults: F,
}

/// What servers say of the free clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Correction {
    /// When it was measured, by the free clock.
    pub at: UnixTime,
    /// How far true time was ahead of the free clock then.
    pub offset_ns: i64,
    /// How wrong that may be.
    pub error_ns: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No offset is known yet.
    Unset,
    /// The clock is right but for what is being slewed.
    Right,
    /// A large offset came, and is not believed before the stepout has passed since `right_at`.
    Doubt { right_at: UnixTime, claim: Correction },
    /// An offset was over the panic threshold.
    Panicked,
}

/// What became of a correction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The reading was off by this and is being slewed.
    Slewing {
        /// True time less the reading.
        offset_ns: i64,
    },
    /// The reading was off by this and jumped there.
    Stepped {
        /// True time less the reading before.
        offset_ns: i64,
    },
    /// The reading seems off by this, which is not believed yet. Nothing changed.
    Doubted {
        /// True time less the reading.
        offset_ns: i64,
    },
    /// The reading seems off by more than the panic threshold: somebody must look. Nothing changed and nothing will;
    /// make a new discipline with a better start.
    Panicked {
        /// True time less the reading.
        offset_ns: i64,
    },
    /// Nothing new, and no fault: this was measured no later than what was used before. That is what most answers come
    /// to, since the filter keeps the best of eight, which may have been used already. The reading does not change; of
    /// the same measurement, a smaller error is taken.
    Old,
}

impl Discipline {
    /// A clock that reads `reading` when the counter shows `local_ns`.
    pub const fn new(options: DisciplineOptions, local_ns: u64, reading: UnixTime) -> Self {
        Self::with_faults(options, local_ns, reading, Sound)
    }
}

impl<F: Faults> Discipline<F> {
    /// One that may deviate; for tests.
    pub const fn with_faults(
        options: DisciplineOptions,
        local_ns: u64,
        reading: UnixTime,
        faults: F,
    ) -> Self {
        Self {
            options,
            state: State::Unset,
            since_local_ns: local_ns,
            free: reading,
            frequency_ppb: 0,
            phase_ns: 0,
            slew_ppb: 0,
            slew_for_ns: 0,
            learning_ns: 0,
            last: None,
            last_monotone: UnixTime::MIN,
            faults,
        }
    }

    /// The clock that servers are compared with: the counter, from the first reading on.
    pub fn free(&self, local_ns: u64) -> UnixTime {
        self.free.shifted(self.elapsed(local_ns))
    }

    /// The disciplined clock. It goes back only where it is stepped back.
    pub fn reading(&self, local_ns: u64) -> UnixTime {
        let elapsed = self.elapsed(local_ns);
        let (frequency, slew) = (i128::from(self.frequency_ppb), i128::from(self.slew_ppb));
        // One division for both, so that a nanosecond more never gives a nanosecond less.
        let parts = i128::from(elapsed) * frequency + i128::from(elapsed.min(self.slew_for_ns)) * slew;
        let corrected = i128::from(elapsed) + parts.div_euclid(BILLION);
        self.free.shifted(self.phase_ns).shifted(clamp_i64(corrected))
    }

    /// The disciplined clock, which stands still after a step back until it has caught up.
    pub fn monotone(&mut self, local_ns: u64) -> UnixTime {
        let reading = self.reading(local_ns);
        let held = if self.faults.has(Fault::FollowBack) { reading } else { reading.max(self.last_monotone) };
        self.last_monotone = held;
        held
    }

    /// What holds true time, if the servers' claims do and the counter drifts no more than stated; nothing before the
    /// first correction and after a panic. Slews and steps do not move it. Its ends part by the drift bound, both ways,
    /// and by the frequency that was learned, which may be wrong. While a large offset is doubted, it reaches from what
    /// was believed before to what is claimed now: either may be right.
    pub fn interval(&self, local_ns: u64) -> Option<Interval> {
        let last = self.last.filter(|_| self.state != State::Panicked)?;
        let free = self.free(local_ns);
        let of = |claim: Correction| {
            let age_ns = if self.faults.has(Fault::CertainForEver) { 0 } else { free.nanos_since(claim.at) };
            let error_ns = claim.error_ns.saturating_add(drift_ns(age_ns, self.options.drift_bound_ppb));
            let carried_ns = scaled(age_ns, self.frequency_ppb);
            let counted_ns = if self.faults.has(Fault::TrustLearned) { carried_ns } else { 0 };
            let around =
                |ns: i64| Interval::around(free.shifted(claim.offset_ns.saturating_add(ns)), error_ns);
            around(carried_ns).hull(around(counted_ns))
        };
        match self.state {
            State::Doubt { claim, .. } if !self.faults.has(Fault::Confident) => {
                Some(of(last).hull(of(claim)))
            }
            _ => Some(of(last)),
        }
    }

    /// The frequency that was learned: how much faster than the counter true time runs.
    pub const fn frequency_ppb(&self) -> i64 {
        self.frequency_ppb
    }

    /// Whether a large offset waits to be believed.
    pub const fn doubts(&self) -> bool {
        matches!(self.state, State::Doubt { .. })
    }

    /// Takes what servers say. `local_ns` is now; what was measured earlier is carried on at the learned frequency.
    pub fn correct(&mut self, correction: Correction, local_ns: u64) -> Outcome {
        if let Some(last) = self.last.filter(|last| correction.at <= last.at) {
            if !self.faults.has(Fault::UseAgain) {
                // More may be known of the same sample by now: how far to trust it.
                if correction.at == last.at && correction.error_ns < last.error_ns {
                    self.last = Some(correction);
                }
                return Outcome::Old;
            }
        }
        let free = self.free(local_ns);
        let carried_ns = scaled(free.nanos_since(correction.at), self.frequency_ppb);
        let ahead_ns = correction.offset_ns.saturating_add(carried_ns);
        // Negative when true time is behind the reading.
        let offset_ns = ahead_ns.saturating_sub(self.reading(local_ns).nanos_since(free));
        let size = offset_ns.unsigned_abs();
        if self.panics(size) {
            self.state = State::Panicked;
            return Outcome::Panicked { offset_ns };
        }
        let since_last_ns = self.last.map_or(0, |last| correction.at.nanos_since(last.at));
        if size <= nanos_of(self.options.step_threshold).unsigned_abs() {
            self.state = State::Right;
            self.last = Some(correction);
            self.slew(offset_ns, since_last_ns, local_ns);
            return Outcome::Slewing { offset_ns };
        }
        if self.state == State::Right && !self.faults.has(Fault::StepAtOnce) {
            // The first outlier is never believed, however long nothing was heard before.
            let right_at = self.last.map_or(correction.at, |last| last.at);
            self.state = State::Doubt { right_at, claim: correction };
            return Outcome::Doubted { offset_ns };
        }
        if let State::Doubt { claim, .. } = &mut self.state {
            *claim = correction;
        }
        if self.believes(correction.at) {
            self.state = State::Right;
            self.last = Some(correction);
            self.step(offset_ns, local_ns);
            return Outcome::Stepped { offset_ns };
        }
        Outcome::Doubted { offset_ns }
    }

    fn panics(&self, size: u64) -> bool {
        let over = size > nanos_of(self.options.panic_threshold).unsigned_abs();
        let may = self.state == State::Unset && self.options.first_may_be_any;
        self.state == State::Panicked || (over && !may && !self.faults.has(Fault::NoPanic))
    }

    /// Whether a large offset has lasted long enough.
    fn believes(&self, at: UnixTime) -> bool {
        let State::Doubt { right_at, .. } = self.state else { return true };
        at.nanos_since(right_at) >= nanos_of(self.options.stepout) && !self.faults.has(Fault::NeverStep)
    }

    /// Begins the reading's lines anew at `local_ns`, with the same reading.
    fn rebase(&mut self, local_ns: u64) {
        let (free, reading) = (self.free(local_ns), self.reading(local_ns));
        self.since_local_ns = self.since_local_ns.max(local_ns);
        self.free = free;
        self.phase_ns = reading.nanos_since(free);
        (self.slew_ppb, self.slew_for_ns) = (0, 0);
    }

    fn step(&mut self, offset_ns: i64, local_ns: u64) {
        self.rebase(local_ns);
        self.phase_ns = self.phase_ns.saturating_add(offset_ns);
    }

    /// Plans the phase, and learns the frequency by a phase-locked loop, critically damped: the offset, times how long
    /// it took to come about, over the square of two time constants (RFC 5905 §12 takes four, and has more loops).
    fn slew(&mut self, offset_ns: i64, since_last_ns: i64, local_ns: u64) {
        let learning = self.learning(since_last_ns);
        self.rebase(local_ns);
        let constant = i128::from(nanos_of(self.options.time_constant).max(1));
        let lasted = i128::from(since_last_ns).clamp(0, learning);
        let learned = i128::from(offset_ns) * lasted / (4 * learning) * BILLION / learning;
        let limit = self.options.maximum_frequency_ppb.clamp(0, MAXIMUM_SLEW_PPB);
        self.frequency_ppb = clamp_i64(i128::from(self.frequency_ppb) + learned).clamp(-limit, limit);
        let wanted = clamp_i64(i128::from(offset_ns) * BILLION / constant);
        let fastest = if self.faults.has(Fault::FastSlew) { i64::MAX / 4 } else { MAXIMUM_SLEW_PPB };
        let slew = wanted.clamp(-fastest - self.frequency_ppb, fastest - self.frequency_ppb);
        // What is less than a billionth of the time constant is no correction. A slew the wrong way can only be asked
        // for by a clamp, when the frequency alone is at the limit.
        if slew != 0 && slew.signum() == offset_ns.signum() {
            self.slew_ppb = slew;
            self.slew_for_ns = clamp_i64(i128::from(offset_ns) * BILLION / i128::from(slew));
        }
    }

    /// The time constant of learning. A loop that acts more seldom than its time constant overshoots each time by more
    /// than it corrects; so this is at least four times the last interval. What a long interval left is slewed away
    /// with the constant of the options, and counts as long as it is there: so this shrinks more slowly than that.
    fn learning(&mut self, interval_ns: i64) -> i128 {
        let constant_ns = nanos_of(self.options.time_constant).max(1);
        let shrink = i128::from(self.learning_ns) * i128::from(interval_ns.clamp(0, constant_ns));
        let shrunk_ns = self.learning_ns - clamp_i64(shrink / (4 * i128::from(constant_ns)));
        let fixed = self.faults.has(Fault::FixedConstant);
        let least_ns = if fixed { constant_ns } else { interval_ns.saturating_mul(4).max(shrunk_ns) };
        self.learning_ns = least_ns.max(constant_ns);
        i128::from(self.learning_ns)
    }

    fn elapsed(&self, local_ns: u64) -> i64 {
        i64::try_from(local_ns.saturating_sub(self.since_local_ns)).unwrap_or(i64::MAX)
    }
}

const BILLION: i128 = 1_000_000_000;
