//! Over whole seconds: two threads share one generator and take ids without a pause. A layout with 12 bits of sequence
//! and ticks of a millisecond holds 4.096 million a second, and who waits for the next tick gives no more.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use synod_idgen::wall::{Coarse, System};

use super::{ours, peers, suite::Options};
use crate::figure::{Figure, Row};
use crate::measure::{median, number, process_cpu_ns};

const STEADY: &str = "idgen snowflake, steady";

/// All figures: each case with one thread and with two, in turns.
pub(super) fn figures(options: &Options) -> Result<Vec<Figure>> {
    let (turn, rounds) = options.steady();
    let mut cases = all()?;
    for _ in 0..rounds {
        for case in &mut cases {
            case.measure(turn)?;
        }
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

fn all() -> Result<Vec<Case>> {
    let (atomic, lock, snowflaked, idgenerator, tsid) = (
        peers::ferroid_atomic(),
        peers::ferroid_lock(),
        peers::snowflaked(),
        peers::idgenerator()?,
        peers::tsid(),
    );
    let (waiting, borrowing) = (ours::waiting(System)?, ours::borrowing(System)?);
    let coarse = ours::borrowing(Coarse)?;
    let shared = ours::waiting(System)?;
    Ok(vec![
        Case::new("synod-idgen", move || waiting.next().ok()),
        Case::batch("synod-idgen, lanes of 256", move |stop| {
            let mut lane = shared.lane(256);
            count(stop, || lane.next().ok())
        }),
        Case::new("synod-idgen, borrows", move || borrowing.try_next().ok()),
        Case::new("synod-idgen, borrows, coarse source", move || coarse.try_next().ok()),
        Case::new("ferroid, atomic", move || Some(atomic())),
        Case::new("ferroid, lock", lock),
        Case::new("snowflaked", move || Some(snowflaked())),
        Case::new("idgenerator, borrows 2000 ticks", move || Some(idgenerator())),
        Case::new("tsid, borrows", move || Some(tsid())),
    ])
}

/// Takes ids until told to stop: how many, or nothing when one failed.
type Run = dyn Fn(&AtomicBool) -> Option<u64> + Sync;

/// One generator over one turn.
struct Case {
    row: Row,
    run: Box<Run>,
    /// With one thread and with two: millions of ids in a second, and CPU time of the process per id.
    rounds: [Vec<(f64, f64)>; 2],
}

impl Case {
    fn new<T>(name: &str, next: impl Fn() -> Option<T> + Sync + 'static) -> Self {
        Self::batch(name, move |stop| count(stop, &next))
    }

    fn batch(name: &str, run: impl Fn(&AtomicBool) -> Option<u64> + Sync + 'static) -> Self {
        Self { row: Row::new(STEADY, name), run: Box::new(run), rounds: Default::default() }
    }

    fn measure(&mut self, turn: Duration) -> Result<()> {
        for (at, rounds) in self.rounds.iter_mut().enumerate() {
            rounds.push(measure(&self.run, at + 1, turn).with_context(|| format!("{:?}", self.row))?);
        }
        Ok(())
    }

    fn figures(&self) -> [Figure; 5] {
        let [one, two] = &self.rounds;
        let rates = |rounds: &[(f64, f64)]| rounds.iter().map(|round| round.0).collect::<Vec<_>>();
        let cpu = |rounds: &[(f64, f64)]| median(&rounds.iter().map(|round| round.1).collect::<Vec<_>>());
        [
            self.row.figure("two threads", median(&rates(two)), "M/s"),
            self.row.figure("best", rates(two).into_iter().fold(0.0, f64::max), "M/s"),
            self.row.figure("CPU of all threads per id", cpu(two), "ns"),
            self.row.figure("one thread", median(&rates(one)), "M/s"),
            self.row.figure("CPU per id, one thread", cpu(one), "ns"),
        ]
    }
}

/// How many it gave until it was told to stop.
fn count<T>(stop: &AtomicBool, mut next: impl FnMut() -> Option<T>) -> Option<u64> {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..32 {
            black_box(next())?;
        }
        count += 32;
    }
    Some(count)
}

fn measure(run: &Run, threads: usize, turn: Duration) -> Result<(f64, f64)> {
    let (stop, barrier) = (AtomicBool::new(false), Barrier::new(threads + 1));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    run(&stop)
                })
            })
            .collect();
        barrier.wait();
        let (begun, cpu) = (Instant::now(), process_cpu_ns());
        std::thread::sleep(turn);
        stop.store(true, Ordering::Relaxed);
        let mut count = 0;
        for worker in workers {
            count += worker.join().map_err(|_| anyhow!("a thread panicked"))?.context("an id failed")?;
        }
        let (elapsed, cpu) = (begun.elapsed(), process_cpu_ns() - cpu);
        Ok((number(count) / elapsed.as_secs_f64() / 1e6, cpu / number(count)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_gives_ids_and_a_failure_is_told() {
        for case in &mut all().unwrap() {
            case.measure(Duration::from_millis(5)).unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
        let mut failing = Case::new("failing", || None::<u8>);
        assert!(failing.measure(Duration::from_millis(1)).is_err());
    }
}
