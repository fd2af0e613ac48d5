//! Bounded time beside the system call it saves, and the bare clocks it is made of.
//!
//! The kernel's bound is asked for with `adjtimex`. Where nobody keeps the machine's clock right, the kernel has none
//! to give; so that the figure is the same everywhere, the clock measured here makes the same call and then takes a
//! bound of one millisecond for an answer.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Instant, SystemTime};

use anyhow::{Result, ensure};
use synod_clock::interval::{BoundError, BoundedTime as _, Fixed, Kernel, KernelClock, KernelReading, Linux};
use synod_clock::ntp::{Client, ClientOptions};
use synod_clock::source::{
    Clamped, Coarse, Stopwatch, boot_ns, monotonic_ns, raw_ns, realtime, realtime_coarse,
};

use crate::figure::{Figure, Row};
use crate::measure::{least, median, number, thread_cpu_ns};

const ROUNDS: usize = 25;
/// Of one case in one round, by one thread: enough for a millisecond or more.
const OPERATIONS: u64 = 50_000;
/// A system call is dear.
const CALLS: u64 = 2000;

/// All figures. Every case takes its turn in every round.
pub(super) fn figures() -> Result<Vec<Figure>> {
    let bounded = Kernel::new(Vouched);
    ensure!(bounded.now().is_ok(), "the bound of one millisecond is taken");
    let mut cases = cases(bounded);
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::measure);
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

fn cases(bounded: Kernel<Vouched>) -> Vec<Case> {
    const BOUNDED: &str = "bounded time";
    const FLOOR: &str = "bare clocks";
    let tick_ns = i64::try_from(Coarse::tick_ns()).unwrap_or(i64::MAX);
    let clamped = Clamped::new(realtime, realtime_coarse, 4 * tick_ns);
    let fixed = Fixed::new(realtime, std::time::Duration::from_millis(1));
    let client = Client::new(ClientOptions::default(), 1, raw_ns(), realtime());
    let start = Stopwatch::now();
    let row = |group, name: &str| Row::new(group, name);
    vec![
        Case::new(row(BOUNDED, "synod-clock, kernel"), OPERATIONS, move || bounded.now().is_ok()),
        Case::new(row(BOUNDED, "synod-clock, fixed"), OPERATIONS, move || fixed.now().is_ok()),
        Case::new(row(BOUNDED, "synod-clock, NTP reading"), OPERATIONS, move || client.reading(raw_ns())),
        Case::new(row(BOUNDED, "adjtimex"), CALLS, || Linux.ask()),
        Case::new(row(FLOOR, "SystemTime::now"), OPERATIONS, SystemTime::now),
        Case::new(row(FLOOR, "CLOCK_REALTIME"), OPERATIONS, realtime),
        Case::new(row(FLOOR, "CLOCK_REALTIME_COARSE"), OPERATIONS, realtime_coarse),
        Case::new(row(FLOOR, "CLOCK_MONOTONIC"), OPERATIONS, monotonic_ns),
        Case::new(row(FLOOR, "CLOCK_BOOTTIME"), OPERATIONS, boot_ns),
        Case::new(row(FLOOR, "CLOCK_MONOTONIC_RAW"), OPERATIONS, raw_ns),
        Case::new(row(FLOOR, "synod-clock, stopwatch"), OPERATIONS, move || start.longest(Stopwatch::now())),
        Case::new(row(FLOOR, "synod-clock, clamped"), OPERATIONS, move || clamped.reading()),
    ]
}

/// The kernel's clock, for whose bound somebody vouches.
struct Vouched;

impl KernelClock for Vouched {
    #[inline]
    fn counter_ns(&self) -> u64 {
        boot_ns()
    }

    fn ask(&self) -> Result<KernelReading, BoundError> {
        Linux.ask().map(|told| KernelReading { maximum_error_ns: 1_000_000, synchronised: true, ..told })
    }
}

/// One operation of one implementation.
struct Case {
    row: Row,
    operations: u64,
    run: Box<dyn Fn(u64) + Sync>,
    cpu_ns: Vec<f64>,
    millions: Vec<f64>,
}

impl Case {
    fn new<T>(row: Row, operations: u64, operation: impl Fn() -> T + Sync + 'static) -> Self {
        let run = move |count| {
            for _ in 0..count {
                black_box(operation());
            }
        };
        Self { row, operations, run: Box::new(run), cpu_ns: Vec::new(), millions: Vec::new() }
    }

    fn measure(&mut self) {
        let begun = thread_cpu_ns();
        (self.run)(self.operations);
        self.cpu_ns.push((thread_cpu_ns() - begun) / number(self.operations));

        let barrier = Barrier::new(2);
        let run = || {
            barrier.wait();
            let begun = Instant::now();
            (self.run)(self.operations);
            (begun, Instant::now())
        };
        let (ours, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join())
        });
        if let Ok(theirs) = theirs {
            let elapsed = ours.1.max(theirs.1) - ours.0.min(theirs.0);
            self.millions.push(number(2 * self.operations) / elapsed.as_secs_f64() / 1e6);
        }
    }

    fn figures(&self) -> [Figure; 3] {
        [
            self.row.figure("CPU per op", median(&self.cpu_ns), "ns"),
            self.row.figure("least", least(&self.cpu_ns), "ns"),
            self.row.figure("two threads", median(&self.millions), "M/s"),
        ]
    }
}
