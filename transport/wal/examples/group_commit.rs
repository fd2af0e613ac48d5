//! Measures group commit: threads that each wait for their own durable entry; then how fast a log is opened.
//!
//! `cargo run --release -p synod-wal --example group_commit -- [DIR] [SECONDS] [MEGABYTES TO RECOVER]`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use synod_transport::ids::Term;
use synod_wal::{Options, Wal};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().as_deref().unwrap_or("2").parse()?;
    let megabytes: u64 = arguments.next().as_deref().unwrap_or("1024").parse()?;
    println!("{:>8} {:>12} {:>10} {:>14}", "threads", "entries/s", "syncs/s", "entries/sync");
    for threads in [1, 4, 16, 64] {
        let dir = tempfile::tempdir_in(&parent)?;
        commit(dir.path(), threads, Duration::from_secs(seconds))?;
    }
    let dir = tempfile::tempdir_in(&parent)?;
    recover(dir.path(), megabytes << 20)
}

fn commit(dir: &Path, threads: usize, time: Duration) -> Result<(), Box<dyn Error>> {
    let (wal, _) = Wal::open(dir, &Options::default())?;
    let payload = Bytes::from(vec![7; 256]);
    let start = Instant::now();
    let results = std::thread::scope(|scope| {
        let work = || {
            while start.elapsed() < time {
                let (_, ticket) = wal.append(Term::new(1), payload.clone())?;
                wal.sync(ticket)?;
            }
            Ok::<(), synod_transport::store::StoreError>(())
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for result in results {
        result.map_err(|_| "a thread panicked")??;
    }
    let (counters, elapsed) = (wal.counters(), start.elapsed().as_secs_f64());
    let [batches, groups] = [counters.batches, counters.groups].map(|count| count as f64);
    println!(
        "{threads:>8} {:>12.0} {:>10.0} {:>14.1}",
        batches / elapsed,
        groups / elapsed,
        batches / groups
    );
    Ok(())
}

fn recover(dir: &Path, bytes: u64) -> Result<(), Box<dyn Error>> {
    let (wal, _) = Wal::open(dir, &Options::default())?;
    let payload = Bytes::from(vec![7; 256]);
    let mut last = None;
    for number in 0..bytes / 280 {
        let (_, ticket) = wal.append(Term::new(1), payload.clone())?;
        if number % 4096 == 0 {
            wal.sync(ticket)?;
        }
        last = Some(ticket);
    }
    last.map_or(Ok(()), |ticket| wal.sync(ticket))?;
    drop(wal);
    let start = Instant::now();
    let (wal, report) = Wal::open(dir, &Options::default())?;
    let elapsed = start.elapsed().as_secs_f64();
    let gigabytes = report.bytes as f64 / 1e9;
    println!(
        "opened {gigabytes:.2} GB, {} entries in {elapsed:.2} s: {:.2} GB/s",
        wal.last().index,
        gigabytes / elapsed
    );
    Ok(())
}
