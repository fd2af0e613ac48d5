//! `cargo xtask bench`: builds a primitive's benches, runs them, prints their figures as tables.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use synod_benches::{figure, table};

use crate::Verdict;

/// Measures primitives beside what users would pick instead.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The primitive; all when left out.
    name: Option<Name>,
    /// Write every figure to this file, a line of JSON each.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Few operations and rounds: shows that it runs, proves nothing.
    #[arg(long)]
    quick: bool,
    /// Add the cases that need many minutes or much memory.
    #[arg(long)]
    long: bool,
    /// Count instructions too, when valgrind is installed.
    #[arg(long)]
    instructions: bool,
    /// Run the criterion benches instead.
    #[arg(long)]
    criterion: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Clock,
    Idgen,
    Raft,
    Wal,
}

impl Name {
    /// The feature of `synod-benches`.
    const fn feature(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Idgen => "idgen",
            Self::Raft => "raft",
            Self::Wal => "wal",
        }
    }

    /// What stands above its tables.
    const fn workload(self) -> &'static str {
        match self {
            Self::Clock => {
                "Clocks: one operation after the other. CPU time of one thread, then operations per second of two \
                 threads that\nshare one object, by the wall."
            }
            Self::Idgen => {
                "Ids: burst is what a fresh tick holds, steady is what comes over a whole second. CPU time of one thread, \
                 then\noperations per second of two threads that share one generator, by the wall."
            }
            Self::Raft => {
                "Consensus cores: 3 nodes in one thread, logs in memory, messages moved by hand, a closed loop of \
                 `window`\ncommands in flight; done when the leader has applied, over when all three have. CPU time \
                 of the thread."
            }
            Self::Wal => {
                "Log stores: each writer waits until its own entry is durable, then writes the next. Wall time and \
                 CPU\ntime of the process."
            }
        }
    }

    /// The runs that make its figures.
    fn runs(self, args: &Args) -> Vec<Run> {
        let mut flags = Vec::new();
        if args.quick {
            flags.push("--quick");
        }
        if args.long {
            flags.push("--long");
        }
        let run = |binary, more: &[&'static str]| Run {
            binary,
            features: self.feature(),
            flags: [&flags, more].concat(),
            keep_memory: false,
        };
        match self {
            Self::Clock => {
                let mut runs = vec![run("bench-clock", &[])];
                if args.instructions {
                    runs.push(run("bench-clock", &["--instructions"]));
                }
                runs
            }
            Self::Idgen => {
                let fast = Run { features: "idgen-fast-rng", ..run("bench-idgen", &["--uuids"]) };
                vec![run("bench-idgen", &[]), fast]
            }
            Self::Raft => {
                let kept = Run { keep_memory: true, ..run("bench-raft", &["--memory-kept"]) };
                let mut runs = vec![run("bench-raft", &[]), run("bench-raft-allocations", &[]), kept];
                if args.instructions {
                    runs.push(run("bench-raft", &["--instructions"]));
                }
                runs
            }
            Self::Wal => vec![run("bench-wal", &[])],
        }
    }
}

/// One start of one binary.
struct Run {
    binary: &'static str,
    /// Of `synod-benches`.
    features: &'static str,
    flags: Vec<&'static str>,
    /// Tell the C library's allocator to give nothing back to the system.
    keep_memory: bool,
}

/// Runs the benches; fails when one does.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let names = args.name.map_or_else(|| Name::value_variants().to_vec(), |name| vec![name]);
    let mut json = match &args.json {
        Some(path) => {
            Some(BufWriter::new(File::create(path).with_context(|| format!("creating {}", path.display()))?))
        }
        None => None,
    };
    for name in names {
        if args.criterion {
            criterion(name)?;
            continue;
        }
        let mut figures = Vec::new();
        for run in name.runs(args) {
            eprintln!("running {} {}", run.binary, run.flags.join(" "));
            for line in lines_of(&run)? {
                if let Some(json) = &mut json {
                    writeln!(json, "{line}").context("writing the figures")?;
                }
                figures.extend(
                    figure::parse(&line).with_context(|| format!("a line of {}: {line}", run.binary))?,
                );
            }
        }
        println!("{}\n{}", name.workload(), table::render(&figures));
    }
    if let Some(mut json) = json {
        json.flush().context("writing the figures")?;
    }
    Ok(Verdict::Holds)
}

fn cargo() -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace_root()?);
    Ok(command)
}

/// What a binary prints, line by line.
fn lines_of(run: &Run) -> Result<Vec<String>> {
    let binary = run.binary;
    let mut command = cargo()?;
    command
        .args(["run", "--quiet", "--profile", "bench", "--package", "synod-benches"])
        .args(["--features", run.features, "--bin", binary, "--"])
        .args(&run.flags)
        .stdout(Stdio::piped());
    if run.keep_memory {
        command.env("GLIBC_TUNABLES", "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184");
    }
    let mut child = command.spawn().context("starting cargo")?;
    let stdout = child.stdout.take().context("the binary's output")?;
    let lines = BufReader::new(stdout).lines().collect::<Result<Vec<String>, _>>();
    let status = child.wait().context("waiting for the binary")?;
    ensure!(status.success(), "{binary} failed: {status}");
    lines.with_context(|| format!("reading what {binary} prints"))
}

fn criterion(name: Name) -> Result<()> {
    let status = cargo()?
        .args([
            "bench",
            "--package",
            "synod-benches",
            "--features",
            name.feature(),
            "--bench",
            name.feature(),
        ])
        .status()
        .context("starting cargo")?;
    ensure!(status.success(), "the criterion bench failed: {status}");
    Ok(())
}
