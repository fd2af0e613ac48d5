//! The hybrid logical clock beside `uhlc`, `hlc-gen` and the bare readings of the system's clocks.
//!
//! Peers run through their own interfaces as their documentation has it; `uhlc` also with the coarse clock, which it
//! takes as a function.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use hlc_gen::HlcGenerator;
use rustix::time::{ClockId, clock_gettime};
use synod_clock::hybrid::{HybridClock, Keeper, KeeperOptions, Micros, Options, Physical, Seam, Timestamp};
use synod_transport::store::MemStateStore;
use synod_transport::time::ManualTime;

use crate::callgrind;
use crate::case::{Case, OPERATIONS};
use crate::figure::{Figure, Row};
use crate::measure::number;

const ROUNDS: usize = 25;

/// All figures. Every case of all groups takes its turn in every round.
pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut cases = all()?;
    for _ in 0..ROUNDS {
        cases.iter_mut().try_for_each(Case::measure)?;
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

/// Instructions of what a clock does beside its reading: a run of twice the length less one of the length. Valgrind
/// does not let a program read the system's clocks as it does otherwise, so other cases cannot be counted.
pub(super) fn instructions() -> Result<Vec<Figure>> {
    ensure!(callgrind::available(), "instructions are counted by valgrind, which cannot be started");
    let count = |case: usize, operations: u64| {
        let flag = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
        let flags = [flag("--only", &case.to_string()), flag("--operations", &operations.to_string())];
        callgrind::instructions(&flags.concat())
    };
    let per_op = |(at, case): (usize, &Case)| {
        let more = count(at, 2 * OPERATIONS)?.saturating_sub(count(at, OPERATIONS)?);
        Ok(case.row.figure("instructions per op", number(more) / number(OPERATIONS), "1"))
    };
    still().iter().enumerate().map(per_op).collect()
}

/// Runs one case whose clock stands still so many times.
pub(super) fn run_only(case: usize, operations: u64) -> Result<()> {
    let cases = still();
    let case = cases.get(case).context("no case has that number")?;
    ensure!((case.run)(operations), "an operation failed: {:?}", case.row);
    Ok(())
}

fn all() -> Result<Vec<Case>> {
    let mut cases = system()?;
    cases.extend(coarse()?);
    cases.extend(still());
    cases.extend(observed()?);
    cases.extend(floor());
    Ok(cases)
}

fn now<P: Physical + Sync + 'static>(bench: &'static str, name: &str, source: P) -> Result<Case>
where
    HybridClock<P, Micros>: Sync + Send,
{
    let clock = HybridClock::<P>::new(source);
    clock.now().context("a clock that stamps")?;
    Ok(Case::fallible(Row::new(bench, name), move || clock.now().ok()))
}

const SYSTEM: &str = "hybrid now, system time";

fn system() -> Result<Vec<Case>> {
    let uhlc = uhlc::HLC::default();
    let hlc_gen = HlcGenerator::default();
    let window = Duration::from_secs(600);
    let kept = Keeper::<_, _, Micros>::start(
        System,
        Options { max_lead: window, ..Options::default() },
        MemStateStore::new(),
        KeeperOptions { window, ..KeeperOptions::default() },
    )?;
    let kept = kept.clock().clone();
    Ok(vec![
        now(SYSTEM, "synod-clock", System)?,
        now(SYSTEM, "synod-clock, TimeSource", Seam(synod_transport::time::SystemTime::new()))?,
        Case::fallible(Row::new(SYSTEM, "synod-clock, kept bound"), move || kept.now().ok()),
        Case::new(Row::new(SYSTEM, "uhlc"), move || uhlc.new_timestamp()),
        Case::fallible(Row::new(SYSTEM, "hlc-gen"), move || hlc_gen.next_timestamp()),
    ])
}

const COARSE: &str = "hybrid now, coarse source";

fn coarse() -> Result<Vec<Case>> {
    let uhlc = uhlc::HLCBuilder::new()
        .with_clock(|| uhlc::NTP64::from(Duration::from_nanos(Coarse.wall_ns())))
        .build();
    Ok(vec![
        now(COARSE, "synod-clock", Coarse)?,
        Case::new(Row::new(COARSE, "uhlc"), move || uhlc.new_timestamp()),
    ])
}

/// A reading that costs nothing: what is left is the clock itself.
fn still() -> Vec<Case> {
    const STILL: &str = "hybrid now, a wall that stands still";
    let clock = HybridClock::<_>::new(Seam(ManualTime::default()));
    let uhlc = uhlc::HLCBuilder::new().with_clock(uhlc::zero_clock).build();
    vec![
        Case::fallible(Row::new(STILL, "synod-clock"), move || clock.now().ok()),
        Case::new(Row::new(STILL, "uhlc"), move || uhlc.new_timestamp()),
    ]
}

/// A stamp that the clock is past already.
fn observed() -> Result<Vec<Case>> {
    const OBSERVE: &str = "hybrid observe, older";
    let clock = HybridClock::<_>::new(System);
    let old = Timestamp::from_wall(clock.wall() - Duration::from_secs(1)).context("a stamp")?;
    clock.now()?;
    let (uhlc, hlc_gen) = (uhlc::HLC::default(), HlcGenerator::default());
    let (of_uhlc, of_hlc_gen) = (uhlc.new_timestamp(), hlc_gen.next_timestamp().context("a stamp")?);
    uhlc.new_timestamp();
    Ok(vec![
        Case::fallible(Row::new(OBSERVE, "synod-clock"), move || clock.observe(black_box(old)).ok()),
        Case::fallible(Row::new(OBSERVE, "uhlc"), move || {
            uhlc.update_with_timestamp(black_box(&of_uhlc)).ok()
        }),
        Case::fallible(Row::new(OBSERVE, "hlc-gen"), move || hlc_gen.update(black_box(&of_hlc_gen)).ok()),
    ])
}

/// What no clock of that kind can go below.
fn floor() -> Vec<Case> {
    const FLOOR: &str = "bare readings and atomics";
    let (added, swapped) = (AtomicU64::new(0), AtomicU64::new(0));
    vec![
        Case::new(Row::new(FLOOR, "SystemTime::now"), SystemTime::now),
        Case::new(Row::new(FLOOR, "CLOCK_REALTIME_COARSE"), || clock_gettime(ClockId::RealtimeCoarse)),
        Case::new(Row::new(FLOOR, "CLOCK_REALTIME, compare_exchange"), {
            let last = AtomicU64::new(0);
            move || swap(&last, System.wall_ns())
        }),
        Case::new(Row::new(FLOOR, "CLOCK_REALTIME_COARSE, compare_exchange"), {
            let last = AtomicU64::new(0);
            move || swap(&last, Coarse.wall_ns())
        }),
        Case::new(Row::new(FLOOR, "fetch_add"), move || added.fetch_add(1, Ordering::Relaxed)),
        Case::new(Row::new(FLOOR, "compare_exchange"), move || swap(&swapped, 0)),
    ]
}

/// Stores the reading, or one more than before, as every clock of this kind must.
fn swap(last: &AtomicU64, reading: u64) -> bool {
    let seen = last.load(Ordering::Relaxed);
    let next = reading.max(seen + 1);
    last.compare_exchange(seen, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// The system's wall clock and its monotonic one.
struct System;

impl Physical for System {
    #[inline]
    fn wall_ns(&self) -> u64 {
        nanos(ClockId::Realtime)
    }
    fn monotonic_ns(&self) -> u64 {
        nanos(ClockId::Monotonic)
    }
}

/// The same clocks as of the last tick, a few milliseconds ago.
struct Coarse;

impl Physical for Coarse {
    #[inline]
    fn wall_ns(&self) -> u64 {
        nanos(ClockId::RealtimeCoarse)
    }
    fn monotonic_ns(&self) -> u64 {
        nanos(ClockId::MonotonicCoarse)
    }
}

#[inline]
fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_goes_well_and_a_failure_is_told() {
        for case in &mut all().unwrap() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
        let mut failing = Case::fallible(Row::new("failing", "always"), || None::<u8>);
        assert!(failing.measure().is_err());
    }
}
