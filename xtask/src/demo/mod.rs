//! Three real processes, one killed, one paused, and a check of everything that their clients were told.
//!
//! In reading order: `cluster` builds and runs the processes, `workload` is the clients, `calls` what they did, `faults` is what is done to
//! the processes meanwhile, `audit` judges, `report` prints, `traces` reads what
//! the processes recorded.

mod audit;
mod calls;
mod cluster;
mod faults;
mod page;
mod report;
mod stage;
mod traces;
mod workload;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use synod_sim::linear::Operation;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Verdict, pages};
use cluster::Cluster;
use stage::Stage;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long the clients run, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=40))]
    seconds: u64,
    /// How many clients run at once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    clients: u64,
    /// How many keys they share.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1000))]
    keys: u64,
    /// Decides what the clients ask for.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the nodes' data under target/demo.
    #[arg(long)]
    keep: bool,
    /// Where every step of every node is recorded, a file for each life, beside clients.ndjson and faults.ndjson. Default:
    /// target/demo/trace.
    #[arg(long, value_name = "DIR")]
    trace: Option<PathBuf>,
    /// Draw the run as a page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Break something on purpose; the demo must then end with status 1.
    #[arg(long)]
    plant: Option<Plant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Plant {
    /// The clients ask any node for what it has applied, with consistency=stale, and claim that this is linearizable.
    StaleRead,
}

/// What a run left behind for the judges. Times are nanoseconds since the start.
struct Run {
    history: Vec<Operation>,
    /// Calls that certainly did nothing.
    refused: usize,
    failures: Vec<faults::Failure>,
    span: Duration,
}

/// Builds the server, runs the show and judges it.
pub(crate) fn run(args: &Args) -> anyhow::Result<Verdict> {
    let build = cluster::build()?;
    // On this thread, so that the processes see it die when it does; it lives as long as the program.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            verdict = show(args, &build) => verdict,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; the nodes were killed"),
            _ = terminate.recv() => bail!("terminated; the nodes were killed"),
        }
    })
}

async fn show(args: &Args, build: &cluster::Build) -> anyhow::Result<Verdict> {
    let folder = args.trace.clone().unwrap_or_else(|| build.folder.join("trace"));
    let mut cluster = Cluster::start(build, &folder)?;
    let stage = Stage::new(Duration::from_secs(args.seconds));
    stage.say(format_args!("three nodes under {}", build.folder.display()));
    workload::ready(&cluster).await?;

    let clients = workload::Clients::start(args, &cluster, &stage)?;
    let played = faults::play(&mut cluster, &stage).await?;
    let mut calls = clients.stop().await?;
    stage.finish();
    let run_span = stage.at();
    let ends = audit::read_everything(args, &cluster, &stage, &mut calls).await?;
    cluster.stop().await?;
    calls::write(&folder, stage.unix_nanos(), &calls)?;
    calls::write_acts(&folder, stage.unix_nanos(), &played.acts)?;

    let refused = calls.iter().filter(|call| call.refused).count();
    let run = Run { history: calls::history(&calls), refused, failures: played.failures, span: run_span };
    report::write_history(&build.folder.join("history.ndjson"), &run)?;
    let judged = Instant::now();
    let findings = audit::judge(&run, &ends);
    report::print(&run, &findings, judged.elapsed(), &build.folder);
    traces::read_all(&folder, cluster.killed())?;
    if !args.keep {
        remove_data(&build.folder)?;
    }
    if let Some(nothing) = report::vacuous(&run) {
        println!("the run proves nothing: {nothing}; again with: {}", page::command(args));
        return Ok(Verdict::Broken);
    }
    if findings.is_empty() {
        if let Some(html) = &args.html {
            page::draw(args, &folder, &findings, html)?;
        }
        return Ok(Verdict::Holds);
    }
    println!("again with: {}", page::command(args));
    page::draw(args, &folder, &findings, &args.html.clone().map_or_else(|| pages::usual_place("demo"), Ok)?)?;
    Ok(Verdict::Broken)
}

fn remove_data(folder: &Path) -> anyhow::Result<()> {
    let data = folder.join("data");
    std::fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))
}
