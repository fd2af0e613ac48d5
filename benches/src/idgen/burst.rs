//! What a fresh tick holds: wait for the next millisecond, then take ids for which it still has room, so that nobody
//! waits while the time is taken.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow, ensure};
use synod_idgen::wall::{Coarse, System};

use super::{ours, peers, suite::Options};
use crate::figure::{Figure, Row};
use crate::measure::{least, median, number, thread_cpu_ns};

const BURST: &str = "idgen snowflake, burst";
/// Bursts in one round.
const BURSTS: usize = 20;
/// Of each thread in one tick. Two threads together take less than the 4096 that it holds.
const IDS: u64 = 1500;

/// All figures, in turns.
pub(super) fn figures(options: &Options) -> Result<Vec<Figure>> {
    let mut cases = all()?;
    for _ in 0..options.rounds() {
        for case in &mut cases {
            for _ in 0..BURSTS {
                case.measure()?;
            }
        }
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

fn all() -> Result<Vec<Case>> {
    let (atomic, lock, snowflaked) = (peers::ferroid_atomic(), peers::ferroid_lock(), peers::snowflaked());
    let (system, coarse) = (ours::waiting(System)?, ours::borrowing(Coarse)?);
    Ok(vec![
        Case::new("synod-idgen", move || system.next().ok()),
        // The coarse clock may be some ticks old, whose ids are given already: it needs to borrow.
        Case::new("synod-idgen, borrows, coarse source", move || coarse.try_next().ok()),
        Case::new("ferroid, atomic", move || Some(atomic())),
        Case::new("ferroid, lock", lock),
        Case::new("snowflaked", move || Some(snowflaked())),
    ])
}

struct Case {
    row: Row,
    /// Takes what a burst takes; whether all went well.
    run: Box<dyn Fn() -> bool + Sync>,
    cpu_ns: Vec<f64>,
    millions: Vec<f64>,
}

impl Case {
    fn new<T>(name: &str, next: impl Fn() -> Option<T> + Sync + 'static) -> Self {
        let run = move || (0..IDS).all(|_| black_box(next()).is_some());
        Self { row: Row::new(BURST, name), run: Box::new(run), cpu_ns: Vec::new(), millions: Vec::new() }
    }

    fn measure(&mut self) -> Result<()> {
        await_tick();
        let begun = thread_cpu_ns();
        let alone = (self.run)();
        self.cpu_ns.push((thread_cpu_ns() - begun) / number(IDS));

        let barrier = Barrier::new(2);
        let run = || {
            barrier.wait();
            await_tick();
            let begun = Instant::now();
            let went_well = (self.run)();
            (begun, Instant::now(), went_well)
        };
        let (ours, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join())
        });
        let theirs = theirs.map_err(|_| anyhow!("a thread panicked"))?;
        ensure!(alone && ours.2 && theirs.2, "an id failed: {:?}", self.row);
        let elapsed = ours.1.max(theirs.1) - ours.0.min(theirs.0);
        self.millions.push(number(2 * IDS) / elapsed.as_secs_f64() / 1e6);
        Ok(())
    }

    fn figures(&self) -> [Figure; 4] {
        let best = self.millions.iter().copied().fold(0.0, f64::max);
        [
            self.row.figure("CPU per op", median(&self.cpu_ns), "ns"),
            self.row.figure("least", least(&self.cpu_ns), "ns"),
            self.row.figure("two threads", median(&self.millions), "M/s"),
            self.row.figure("best", best, "M/s"),
        ]
    }
}

/// Returns when the wall's millisecond has just changed.
fn await_tick() {
    let millis = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let before = millis();
    while millis() == before {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_gives_ids_and_a_failure_is_told() {
        for case in &mut all().unwrap() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
        assert!(Case::new("failing", || None::<u8>).measure().is_err());
    }
}
