//! Log stores: threads that each write an entry and wait until it is durable, again and again.
//!
//! Ours is [`synod_wal::Wal`], where the first waiter syncs for all. The peer is raft-engine, each thread with a raft
//! group of its own, as its users have it. The device itself, one write and one `fdatasync` after the other into a
//! file that was written before, is the bound that no group commit passes.

mod contenders;
pub mod suite;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::measure::{number, process_cpu_ns};

pub use contenders::Contender;

/// Payload bytes of an entry.
pub const ENTRY_BYTES: usize = 256;

/// A log that threads share.
pub trait Store: Sync {
    /// A handle for one thread.
    fn writer(&self, thread: u64) -> Result<Box<dyn Writer + Send + '_>>;

    /// How many groups were made durable so far, where the store counts them.
    fn groups(&self) -> Option<u64>;
}

/// One thread's way into a [`Store`].
pub trait Writer {
    /// Writes entries and returns once they are durable. Gives their number: 1, but for the bare device.
    fn write_durably(&mut self) -> Result<u64>;
}

/// What one run of threads did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Durable entries per second.
    pub per_second: f64,
    /// Groups per second, where the store counts them.
    pub groups_per_second: Option<f64>,
    /// CPU time of the process per entry, in nanoseconds.
    pub cpu_ns: f64,
    /// How long each write took, in nanoseconds, shortest first.
    pub waits_ns: Vec<u64>,
}

impl Outcome {
    /// The wait that this share of writes did not exceed, in microseconds.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    pub fn wait_us(&self, share: f64) -> f64 {
        let rank = (number(self.waits_ns.len() as u64) * share) as usize;
        let wait = self.waits_ns.get(rank).or(self.waits_ns.last());
        wait.map_or(0.0, |wait| number(*wait) / 1e3)
    }
}

/// Lets `threads` write for this long, each waiting for its own entries.
pub fn write_for(store: &dyn Store, threads: u64, duration: Duration) -> Result<Outcome> {
    let (start, stop) = (Barrier::new(usize::try_from(threads)? + 1), AtomicBool::new(false));
    let mut cpu = 0.0;
    let mut groups = None;
    let mut elapsed = Duration::ZERO;
    let written: Vec<Result<(u64, Vec<u64>)>> = std::thread::scope(|scope| {
        let write = |thread| {
            let (start, stop) = (&start, &stop);
            move || {
                let writer = store.writer(thread);
                start.wait();
                write_until(stop, writer?)
            }
        };
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(write(thread))).collect();
        start.wait();
        let (began, cpu_before, groups_before) = (Instant::now(), process_cpu_ns(), store.groups());
        std::thread::sleep(duration);
        stop.store(true, Ordering::Relaxed);
        let written =
            handles.into_iter().map(|it| it.join().map_err(|_| anyhow!("a writer panicked"))?).collect();
        elapsed = began.elapsed();
        cpu = process_cpu_ns() - cpu_before;
        groups = store.groups().zip(groups_before).map(|(after, before)| after - before);
        written
    });
    let mut entries = 0;
    let mut waits_ns = Vec::new();
    for thread in written {
        let (count, waits) = thread?;
        entries += count;
        waits_ns.extend(waits);
    }
    waits_ns.sort_unstable();
    let seconds = elapsed.as_secs_f64();
    Ok(Outcome {
        per_second: number(entries) / seconds,
        groups_per_second: groups.map(|groups| number(groups) / seconds),
        cpu_ns: cpu / number(entries.max(1)),
        waits_ns,
    })
}

/// Entries written and the wait of each write.
fn write_until(stop: &AtomicBool, mut writer: Box<dyn Writer + Send + '_>) -> Result<(u64, Vec<u64>)> {
    let (mut entries, mut waits) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let before = Instant::now();
        entries += writer.write_durably()?;
        waits.push(u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok((entries, waits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn bytes_in(folder: &Path) -> u64 {
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    #[test]
    fn every_contender_writes_and_finds_its_entries_again() {
        for contender in Contender::ALL {
            let folder = tempfile::tempdir().unwrap();
            let store = contender.open(folder.path(), 3).unwrap();
            let outcome = write_for(store.as_ref(), 3, Duration::from_millis(20)).unwrap();
            assert!(outcome.per_second > 0.0, "{}", contender.name());
            assert!(outcome.wait_us(0.5) <= outcome.wait_us(0.99));
            assert!(!outcome.waits_ns.is_empty());
        }
        for contender in Contender::ALL {
            let folder = tempfile::tempdir().unwrap();
            contender.fill(folder.path(), 5000).unwrap();
            assert!(bytes_in(folder.path()) >= 5000 * ENTRY_BYTES as u64);
            assert_eq!(contender.recover(folder.path()).unwrap(), 5000, "{}", contender.name());
        }
    }
}
