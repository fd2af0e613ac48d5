//! Which stores run where and how often, and the figures that come of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use super::{Contender, ENTRY_BYTES, Outcome, write_for};
use crate::figure::Row;
use crate::measure::{median, number, process_cpu_ns};

/// Measures log stores; prints a line of JSON per figure.
#[derive(Parser, Debug)]
pub struct Options {
    /// Short rounds: shows that it runs, proves nothing.
    #[arg(long)]
    pub quick: bool,
    /// Recover a log of 1 GiB instead of 256 MiB.
    #[arg(long)]
    pub long: bool,
    /// Let one contender write for three seconds, without figures, for a profiler.
    #[arg(long)]
    pub only: Option<Contender>,
    /// Writing threads of the `--only` run.
    #[arg(long, default_value_t = 64)]
    pub threads: u64,
    /// Where logs are written, and removed again; next to this binary when left out.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Where a disk in memory stands on Linux.
const MEMORY_DISK: &str = "/dev/shm";

/// Runs what the options say.
pub fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let binary = std::env::current_exe().context("the path of this binary")?;
    let disk = options.folder.as_deref().or(binary.parent()).context("a folder for the logs")?;
    if let Some(contender) = options.only {
        let folder = tempfile::tempdir_in(disk)?;
        let store = contender.open(folder.path(), options.threads)?;
        write_for(store.as_ref(), contender.threads(options.threads), Duration::from_secs(3))?;
        return Ok(());
    }
    for threads in [1, 64] {
        writes(options, disk, false, threads, out)?;
        if Path::new(MEMORY_DISK).is_dir() {
            writes(options, Path::new(MEMORY_DISK), true, threads, out)?;
        }
    }
    recovery(options, disk, out)
}

fn writes(options: &Options, place: &Path, memory: bool, threads: u64, out: &mut impl Write) -> Result<()> {
    let (rounds, duration) = if options.quick { (1, 100) } else { (7, 1000) };
    let mut outcomes: [Vec<Outcome>; 3] = Default::default();
    for _ in 0..rounds {
        for (contender, outcomes) in Contender::ALL.iter().zip(&mut outcomes) {
            let folder = tempfile::tempdir_in(place)?;
            let store = contender.open(folder.path(), threads)?;
            let warm_up = Duration::from_millis(duration / 10);
            write_for(store.as_ref(), contender.threads(threads), warm_up)?;
            let duration = Duration::from_millis(duration);
            outcomes.push(write_for(store.as_ref(), contender.threads(threads), duration)?);
        }
    }
    for (contender, outcomes) in Contender::ALL.iter().zip(&outcomes) {
        let row = Row::new("wal", contender.name()).with("threads", threads);
        let row = row.with("entry bytes", ENTRY_BYTES as u64).with("memory disk", memory.into());
        let each = |pick: &dyn Fn(&Outcome) -> f64| median(&outcomes.iter().map(pick).collect::<Vec<f64>>());
        let mut figures = vec![row.figure("durable entries", each(&|it| it.per_second), "1/s")];
        let best = outcomes.iter().map(|it| it.per_second).fold(0.0, f64::max);
        figures.push(row.figure("best round", best, "1/s"));
        let groups: Option<Vec<f64>> = outcomes.iter().map(|it| it.groups_per_second).collect();
        match groups {
            Some(groups) => figures.push(row.figure("syncs", median(&groups), "1/s")),
            None if *contender == Contender::Device => {
                let syncs = each(&|it| it.per_second) / number(threads);
                figures.push(row.figure("syncs", syncs, "1/s"));
            }
            None => {}
        }
        figures.push(row.figure("CPU per entry", each(&|it| it.cpu_ns), "ns"));
        figures.push(row.figure("wait p50", each(&|it| it.wait_us(0.5)), "us"));
        figures.push(row.figure("wait p99", each(&|it| it.wait_us(0.99)), "us"));
        for figure in figures {
            figure.write_to(out)?;
        }
    }
    out.flush().context("writing figures")
}

/// How fast a log is opened whose files the page cache holds; of the device, how fast its bytes are read.
fn recovery(options: &Options, place: &Path, out: &mut impl Write) -> Result<()> {
    let mebibytes: u64 = match (options.quick, options.long) {
        (true, _) => 8,
        (_, true) => 1024,
        _ => 256,
    };
    let entries = (mebibytes << 20) / ENTRY_BYTES as u64;
    let rounds = if options.quick { 1 } else { 5 };
    let folders: Vec<tempfile::TempDir> =
        Contender::ALL.iter().map(|_| tempfile::tempdir_in(place)).collect::<Result<_, _>>()?;
    for (contender, folder) in Contender::ALL.iter().zip(&folders) {
        contender.fill(folder.path(), entries)?;
    }
    let mut samples: [Vec<(f64, f64)>; 3] = Default::default();
    for _ in 0..rounds {
        for ((contender, folder), samples) in Contender::ALL.iter().zip(&folders).zip(&mut samples) {
            let (began, cpu) = (Instant::now(), process_cpu_ns());
            let found = contender.recover(folder.path())?;
            ensure!(found == entries, "{} recovered {found} of {entries} entries", contender.name());
            samples.push((began.elapsed().as_secs_f64(), process_cpu_ns() - cpu));
        }
    }
    for (contender, samples) in Contender::ALL.iter().zip(&samples) {
        let row = Row::new("wal", contender.name()).with("recovery MiB", mebibytes);
        let seconds = median(&samples.iter().map(|it| it.0).collect::<Vec<f64>>());
        let cpu = median(&samples.iter().map(|it| it.1).collect::<Vec<f64>>());
        let payload = number(entries * ENTRY_BYTES as u64);
        row.figure("payload recovered", payload / 1e6 / seconds, "MB/s").write_to(out)?;
        row.figure("CPU per entry", cpu / number(entries), "ns").write_to(out)?;
    }
    out.flush().context("writing figures")
}
