//! One operation of one implementation, alone and with two threads on one object.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use crate::figure::{Figure, Row};
use crate::measure::{least, median, number, thread_cpu_ns};

/// Of one case in one round, by one thread, where a case says nothing else.
pub(crate) const OPERATIONS: u64 = 100_000;

/// What is measured, and what was.
pub(crate) struct Case {
    pub(crate) row: Row,
    /// Does it so many times; whether all went well.
    pub(crate) run: Box<dyn Fn(u64) -> bool + Sync>,
    operations: u64,
    /// What each thread waits for before its time is taken.
    ready: fn(),
    cpu_ns: Vec<f64>,
    millions: Vec<f64>,
}

impl Case {
    /// An operation that always goes well.
    pub(crate) fn new<T>(row: Row, operation: impl Fn() -> T + Sync + 'static) -> Self {
        Self::fallible(row, move || Some(operation()))
    }

    /// One that may fail, which would make its figures worthless.
    pub(crate) fn fallible<T>(row: Row, operation: impl Fn() -> Option<T> + Sync + 'static) -> Self {
        Self::batch(row, move |count| {
            let mut went_well = true;
            for _ in 0..count {
                went_well &= black_box(operation()).is_some();
            }
            went_well
        })
    }

    /// A whole run of so many, for what each thread holds for itself.
    pub(crate) fn batch(row: Row, run: impl Fn(u64) -> bool + Sync + 'static) -> Self {
        let run = Box::new(run);
        Self { row, run, operations: OPERATIONS, ready: || (), cpu_ns: Vec::new(), millions: Vec::new() }
    }

    /// So many in a round instead.
    #[cfg(feature = "idgen")]
    pub(crate) fn of(mut self, operations: u64) -> Self {
        self.operations = operations;
        self
    }

    /// Whose time is taken from when this returns.
    #[cfg(feature = "idgen")]
    pub(crate) fn after(mut self, ready: fn()) -> Self {
        self.ready = ready;
        self
    }

    /// A round: one thread, then two.
    pub(crate) fn measure(&mut self) -> Result<()> {
        (self.ready)();
        let begun = thread_cpu_ns();
        let alone = (self.run)(self.operations);
        self.cpu_ns.push((thread_cpu_ns() - begun) / number(self.operations));

        let barrier = Barrier::new(2);
        let run = || {
            barrier.wait();
            (self.ready)();
            let begun = Instant::now();
            let went_well = (self.run)(self.operations);
            (begun, Instant::now(), went_well)
        };
        let (ours, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join())
        });
        let theirs = theirs.map_err(|_| anyhow!("a thread panicked"))?;
        ensure!(alone && ours.2 && theirs.2, "an operation failed: {:?}", self.row);
        let elapsed = ours.1.max(theirs.1) - ours.0.min(theirs.0);
        self.millions.push(number(2 * self.operations) / elapsed.as_secs_f64() / 1e6);
        Ok(())
    }

    /// What the rounds gave.
    pub(crate) fn figures(&self) -> [Figure; 4] {
        let best = self.millions.iter().copied().fold(0.0, f64::max);
        [
            self.row.figure("CPU per op", median(&self.cpu_ns), "ns"),
            self.row.figure("least", least(&self.cpu_ns), "ns"),
            self.row.figure("two threads", median(&self.millions), "M/s"),
            self.row.figure("best", best, "M/s"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told() {
        let mut failing = Case::fallible(Row::new("failing", "always"), || None::<u8>);
        assert!(failing.measure().is_err());
        let mut fine = Case::new(Row::new("fine", "always"), || 1);
        fine.measure().unwrap();
        assert!(fine.figures().iter().all(|figure| figure.value > 0.0));
    }
}
