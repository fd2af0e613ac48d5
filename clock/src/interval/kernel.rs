//! The kernel's own bound on its clock's error.
//!
//! Whoever keeps the system's clock right, ntpd, chronyd or another, tells the kernel how wrong it may be, and the
//! kernel adds 500 µs each second until it is told again. Asking costs a system call; this asks ten times a second at
//! most and carries the answer on by a counter in between, one reading of a counter a call.

use std::sync::{Mutex, PoisonError};

use super::cell::Cell;
use super::{Anchor, BoundError, BoundedTime, Interval};
use crate::unix::UnixTime;

/// What the kernel takes its own clock to drift at most (MAXFREQ).
const DRIFT_BOUND_PPB: u32 = 500_000;
/// The kernel adds a second's drift at the end of the second.
const UNTOLD_NS: i64 = 500_000;
/// From here on, the kernel calls its clock not synchronised (NTP_PHASE_LIMIT).
const MOST_ERROR_NS: i64 = 16_000_000_000;
const SECONDS_OF_DAY: i64 = 86_400;

/// The kernel's clock and its bound.
pub trait KernelClock {
    /// A counter of nanoseconds that never goes back, counts suspend and is never set.
    fn counter_ns(&self) -> u64;

    /// Asks the kernel.
    ///
    /// # Errors
    /// It does not say.
    fn ask(&self) -> Result<KernelReading, BoundError>;
}

/// What the kernel said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelReading {
    /// The wall clock.
    pub time: UnixTime,
    /// How wrong it is at most, as of the last full second.
    pub maximum_error_ns: i64,
    /// Whether somebody keeps it right.
    pub synchronised: bool,
    /// Whether the day ends with a leap second, or one is being told now.
    pub leap: bool,
}

/// Bounded time from the kernel. Can be shared by threads.
#[derive(Debug)]
pub struct Kernel<K> {
    clock: K,
    refresh_ns: u64,
    cached: Cell,
    refreshing: Mutex<()>,
}

impl<K: KernelClock> Kernel<K> {
    /// Asks `clock` again after 100 ms.
    pub fn new(clock: K) -> Self {
        Self::refreshed_after(clock, 100_000_000)
    }

    /// Asks `clock` again after `refresh_ns`: that long, it may go unnoticed that the kernel's bound was withdrawn.
    pub fn refreshed_after(clock: K, refresh_ns: u64) -> Self {
        Self { clock, refresh_ns, cached: Cell::new(), refreshing: Mutex::new(()) }
    }

    #[cold]
    fn refresh(&self) -> Result<Interval, BoundError> {
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let before_ns = self.clock.counter_ns();
        let reading = self.clock.ask()?;
        let now_ns = self.clock.counter_ns();
        if !reading.synchronised || !(0..MOST_ERROR_NS).contains(&reading.maximum_error_ns) {
            return Err(BoundError::Unsynchronised);
        }
        // The wall clock was read somewhere between the two counters; the later one is taken, and what may lie
        // between is an error.
        let between_ns = i64::try_from(now_ns.saturating_sub(before_ns)).unwrap_or(i64::MAX);
        let anchor = Anchor {
            counter_ns: now_ns,
            time: reading.time,
            error_ns: reading.maximum_error_ns.saturating_add(UNTOLD_NS).saturating_add(between_ns),
            drift_bound_ppb: DRIFT_BOUND_PPB,
            valid_for_ns: self.refresh_ns,
        };
        // Past a leap second, a counter and the wall clock differ by one more.
        if !(reading.leap && self.reaches_midnight(reading.time)) {
            self.cached.store(&anchor);
        }
        Ok(anchor.after(0))
    }

    fn reaches_midnight(&self, time: UnixTime) -> bool {
        let second = time.as_nanos().div_euclid(1_000_000_000).rem_euclid(SECONDS_OF_DAY);
        let refresh_s = i64::try_from(self.refresh_ns / 1_000_000_000).unwrap_or(i64::MAX).saturating_add(2);
        second <= 1 || second.saturating_add(refresh_s) >= SECONDS_OF_DAY
    }
}

impl<K: KernelClock> BoundedTime for Kernel<K> {
    #[inline]
    fn now(&self) -> Result<Interval, BoundError> {
        let counter_ns = self.clock.counter_ns();
        if let Some((anchored_ns, time, error_ns)) = self.cached.load() {
            // Another thread may have asked since: then true time was within its answer during this call.
            let age_ns = counter_ns.saturating_sub(anchored_ns);
            if age_ns <= self.refresh_ns {
                let anchor = Anchor {
                    counter_ns: anchored_ns,
                    time,
                    error_ns,
                    drift_bound_ppb: DRIFT_BOUND_PPB,
                    valid_for_ns: self.refresh_ns,
                };
                return Ok(anchor.after(age_ns));
            }
        }
        self.refresh()
    }
}

/// Linux's clock: `adjtimex`, and `CLOCK_BOOTTIME` as the counter.
#[cfg(all(feature = "kernel", target_os = "linux", target_pointer_width = "64"))]
#[derive(Clone, Copy, Debug, Default)]
pub struct Linux;

#[cfg(all(feature = "kernel", target_os = "linux", target_pointer_width = "64"))]
impl KernelClock for Linux {
    #[inline]
    fn counter_ns(&self) -> u64 {
        crate::source::boot_ns()
    }

    fn ask(&self) -> Result<KernelReading, BoundError> {
        /// `STA_UNSYNC` and `STA_NANO` of `linux/timex.h`.
        const UNSYNCHRONISED: i32 = 0x40;
        const NANOSECONDS: i32 = 0x2000;
        /// `TIME_OK` and `TIME_ERROR`; what is between them is about a leap second.
        const OK: i32 = 0;
        const ERROR: i32 = 5;
        let mut answer = rtime_clock::adjtime::Timex::new();
        let state =
            rtime_clock::adjtime::adjtimex(&mut answer).map_err(|_| BoundError::Unreadable("adjtimex"))?;
        let told = answer.0;
        let fraction_ns = if told.status & NANOSECONDS == 0 {
            told.time.tv_usec.saturating_mul(1000)
        } else {
            told.time.tv_usec
        };
        Ok(KernelReading {
            time: UnixTime::from_secs(told.time.tv_sec).shifted(fraction_ns),
            maximum_error_ns: told.maxerror.saturating_mul(1000),
            synchronised: told.status & UNSYNCHRONISED == 0 && state != ERROR,
            leap: state != OK && state != ERROR,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SimulatedClock;
    use core::cell::Cell as Plain;
    use core::time::Duration;
    use synod_transport::rng::Rng;

    /// A kernel over a simulated clock that chronyd keeps right: the wall clock is `wrong_ns` off and its bound says
    /// so. `sneaky_ns` passes while it is asked.
    struct Simulated<'a> {
        clock: &'a SimulatedClock,
        error_ns: Plain<i64>,
        synchronised: Plain<bool>,
        leap: Plain<bool>,
        asked: Plain<u32>,
        sneaky_ns: u64,
    }

    impl<'a> Simulated<'a> {
        fn new(clock: &'a SimulatedClock, sneaky_ns: u64) -> Self {
            Self {
                clock,
                error_ns: Plain::new(0),
                synchronised: Plain::new(true),
                leap: Plain::new(false),
                asked: Plain::new(0),
                sneaky_ns,
            }
        }
    }

    impl KernelClock for &Simulated<'_> {
        fn counter_ns(&self) -> u64 {
            self.clock.boot_ns()
        }

        fn ask(&self) -> Result<KernelReading, BoundError> {
            self.asked.set(self.asked.get() + 1);
            let time = self.clock.reading();
            self.clock.advance(Duration::from_nanos(self.sneaky_ns));
            Ok(KernelReading {
                time,
                maximum_error_ns: self.error_ns.get(),
                synchronised: self.synchronised.get(),
                leap: self.leap.get(),
            })
        }
    }

    #[test]
    fn clock_p28_the_kernels_interval_always_holds_true_time() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let clock = SimulatedClock::wandering(UnixTime::from_secs(1_790_000_000), 400_000, seed);
            let kernel = Simulated::new(&clock, 3000);
            let bounded = Kernel::new(&kernel);
            let (mut answers, mut refusals) = (0, 0);
            for _ in 0..2000 {
                clock.advance(Duration::from_micros(rng.below(40_000)));
                if rng.below(50) == 0 {
                    clock.suspend(Duration::from_secs(rng.below(1000)));
                }
                if rng.below(100) == 0 {
                    // Somebody sets the wall clock: the kernel forgets that it was right.
                    clock.step(i64::try_from(rng.below(100)).unwrap() * 1_000_000_000);
                    kernel.synchronised.set(false);
                }
                // chronyd hears of the true time now and then.
                if rng.below(20) == 0 {
                    clock.step(clock.truth().nanos_since(clock.reading()));
                    kernel.synchronised.set(true);
                }
                kernel.error_ns.set(clock.truth().nanos_since(clock.reading()).abs());
                match bounded.now() {
                    Ok(interval) => {
                        answers += 1;
                        assert!(
                            interval.contains(clock.truth()),
                            "seed {seed}: {interval:?} {:?}",
                            clock.truth()
                        );
                    }
                    Err(error) => {
                        refusals += 1;
                        assert_eq!(error, BoundError::Unsynchronised);
                    }
                }
            }
            assert!(answers > 1000 && refusals > 20, "{answers} {refusals}");
            assert!(kernel.asked.get() < 1600, "asked {} times", kernel.asked.get());
        }
    }

    #[test]
    fn the_kernel_is_asked_once_in_a_refresh() {
        let clock = SimulatedClock::new(UnixTime::EPOCH, 0);
        let kernel = Simulated::new(&clock, 0);
        let bounded = Kernel::new(&kernel);
        for _ in 0..100 {
            let width = bounded.now().unwrap().width().as_nanos();
            assert!((2 * 500_000..=2 * 550_000).contains(&width), "{width}");
            clock.advance(Duration::from_millis(10));
        }
        assert_eq!(kernel.asked.get(), 10);
    }

    #[test]
    fn what_passes_while_the_kernel_answers_is_an_error_too() {
        let clock = SimulatedClock::new(UnixTime::EPOCH, 0);
        let kernel = Simulated::new(&clock, 70_000);
        kernel.error_ns.set(1_000_000);
        assert_eq!(Kernel::new(&kernel).now().unwrap().width(), Duration::from_nanos(2 * 1_570_000));
    }

    #[test]
    fn what_the_kernel_does_not_vouch_for_is_an_error() {
        let clock = SimulatedClock::new(UnixTime::EPOCH, 0);
        let kernel = Simulated::new(&clock, 0);
        let bounded = Kernel::new(&kernel);
        for error_ns in [16_000_000_000, i64::MAX, -1] {
            kernel.error_ns.set(error_ns);
            assert_eq!(bounded.now(), Err(BoundError::Unsynchronised));
        }
        kernel.error_ns.set(15_999_999_999);
        assert!(bounded.now().is_ok());
    }

    #[test]
    fn around_a_leap_second_every_answer_is_asked_for() {
        let midnight = UnixTime::from_secs(86_400 * 20_000);
        let clock = SimulatedClock::new(midnight.shifted(-3_000_000_000), 0);
        let kernel = Simulated::new(&clock, 0);
        kernel.leap.set(true);
        let bounded = Kernel::new(&kernel);
        let asked = |wait_ms| {
            clock.advance(Duration::from_millis(wait_ms));
            let before = kernel.asked.get();
            bounded.now().unwrap();
            bounded.now().unwrap();
            kernel.asked.get() - before
        };
        assert_eq!([asked(0), asked(1500), asked(1400), asked(1000), asked(1200)], [1, 2, 2, 2, 1]);
    }

    #[cfg(all(feature = "kernel", target_os = "linux", target_pointer_width = "64"))]
    #[test]
    fn this_machines_kernel_says_what_time_it_is_or_that_it_does_not_know() {
        let told = Linux.ask().unwrap();
        let (before, after) = (told.time, crate::source::realtime());
        // Unless somebody sets the clock right now, the kernel told the same clock as everybody reads.
        assert!(after.nanos_since(before).abs() < 10_000_000_000);
        match Kernel::new(Linux).now() {
            Ok(interval) => assert!(told.synchronised && interval.contains(crate::source::realtime())),
            Err(error) => {
                assert_eq!(error, BoundError::Unsynchronised);
                assert!(!told.synchronised || told.maximum_error_ns >= MOST_ERROR_NS);
            }
        }
    }
}
