//! Project tasks: `cargo xtask NAME`. Each task is a module with an `Args` to parse and a `run` that does it; a task
//! whose check does not hold says why, in one line that reproduces it, and the process ends with status 1.

mod bench;
mod browser;
mod ci;
mod demo;
mod explore;
mod fuzz;
mod gallery;
mod loom;
mod mutants;
mod ntp;
mod pages;
mod plant;
mod replay;
mod sim;
mod spec;
mod tidy;
mod trace;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project tasks of Synod", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run three real nodes, kill one, pause others, and check everything that clients were told.
    Demo(demo::Args),
    /// Run a protocol in seeded worlds and check its invariants after every step.
    Sim(sim::Args),
    /// Check the TLA+ modules: invariants, liveness, expected counts of states.
    Spec(spec::Args),
    /// Visit every state that the real machines reach in a small world.
    Explore(explore::Args),
    /// Draw a recorded run: a page to look around in, a picture, a log for another viewer.
    Trace(trace::Args),
    /// Check that a trace of a real run is a behaviour of the specification.
    Validate(validate::Args),
    /// Step through a recorded run in the terminal: forward, back, to a break, what changed, why.
    Replay(replay::Args),
    /// Switch on every planted fault and demand that its checker finds it.
    Plant(plant::Args),
    /// Try every interleaving of what threads share.
    Loom(loom::Args),
    /// Feed every decoder and recovery with mutated bytes.
    Fuzz(fuzz::Args),
    /// Make the named runs of docs/gallery anew, each with its page and its picture.
    Gallery(gallery::Args),
    /// Change the code a little, many times, and demand that a test notices.
    Mutants(mutants::Args),
    /// Speak NTP to a real server on the loopback interface.
    Ntp(ntp::Args),
    /// Measure primitives beside their peers.
    Bench(bench::Args),
    /// Open pages of runs in a browser and look whether they show what is in the run.
    Browser(browser::Args),
    /// Check the laws of the workspace: dependencies, purity, banned things, lengths, paths.
    Tidy(tidy::Args),
    /// Run everything that a change must pass (`.ci/run`).
    Ci(ci::Args),
}

/// What a task found. A task that could not do its work at all returns an error instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// Everything that was checked holds.
    Holds,
    /// Something does not, and the task has said what. Ends the process with status 1.
    Broken,
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    let verdict = match task {
        Task::Demo(args) => demo::run(&args),
        Task::Sim(args) => sim::run(&args),
        Task::Spec(args) => spec::run(&args),
        Task::Explore(args) => explore::run(&args),
        Task::Trace(args) => trace::run(&args),
        Task::Validate(args) => validate::run(&args),
        Task::Replay(args) => replay::run(&args),
        Task::Plant(args) => plant::run(&args),
        Task::Loom(args) => loom::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Gallery(args) => gallery::run(&args),
        Task::Mutants(args) => mutants::run(&args),
        Task::Ntp(args) => ntp::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Browser(args) => browser::run(&args),
        Task::Tidy(args) => tidy::run(&args),
        Task::Ci(args) => ci::run(&args),
    };
    match verdict {
        Ok(Verdict::Holds) => ExitCode::SUCCESS,
        Ok(Verdict::Broken) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The root of the workspace: the folder above this package.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).parent().map(PathBuf::from).context("the package lies in the workspace")
}
