//! `cargo xtask fuzz`: feed every decoder and recovery with mutated bytes.
//!
//! The targets are in `fuzz/`, a workspace of its own: fuzzers want a nightly compiler. Each is built once and starts
//! from seeds made of valid encodings, from what earlier runs kept in `target/fuzz/corpus`, and from what ever found
//! something (`fuzz/regressions`), which `--replay` runs on the stable compiler.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Verdict, workspace_root};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The targets; all when left out.
    targets: Vec<String>,
    /// How long to fuzz, in seconds, all targets together.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Only run every target on its seeds and on what ever found something; needs no nightly compiler.
    #[arg(long, conflicts_with_all = ["targets", "seconds", "input"])]
    replay: bool,
    /// Run one target on this input alone; needs no nightly compiler.
    #[arg(long, value_name = "FILE", conflicts_with = "seconds")]
    input: Option<PathBuf>,
}

/// What came of fuzzing one target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Outcome {
    executions: u64,
    per_second: u64,
    /// Edges of the code that were reached: by what was there at the beginning, and at the end.
    edges: Option<(u64, u64)>,
    /// Inputs that reached something new.
    kept: u64,
    /// The input that broke a property, or ran out of time or memory.
    failure: Option<PathBuf>,
}

impl Outcome {
    /// From what libFuzzer writes.
    fn parse(log: &str) -> Self {
        let statistic = |name: &str| {
            let line = log.lines().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
            line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
        };
        let edges = |line: &str| -> Option<u64> {
            let (_, behind) = line.split_once("cov: ")?;
            behind.split_whitespace().next()?.parse().ok()
        };
        let first = log.lines().find(|line| line.contains("INITED")).and_then(edges);
        let last = log.lines().filter(|line| line.starts_with('#')).filter_map(edges).max();
        let failure = log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|it| it.1);
        Self {
            executions: statistic("number_of_executed_units"),
            per_second: statistic("average_exec_per_sec"),
            edges: first.zip(last),
            kept: statistic("new_units_added"),
            failure: failure.map(|path| PathBuf::from(path.trim())),
        }
    }

    /// A line of the table.
    fn row(&self, target: &str) -> String {
        let (before, after) = self.edges.unwrap_or_default();
        let found = self.failure.as_ref().map_or("nothing", |_| "A FAILURE");
        format!(
            "{target:<14} {:>12} {:>9} {after:>7} {:>7} {:>7}  {found}",
            self.executions,
            self.per_second,
            after.saturating_sub(before),
            self.kept
        )
    }
}

const HEAD: &str = "target           executions    exec/s   edges     new    kept  found";

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let root = workspace_root()?;
    if args.replay {
        let status = stable(&root, "test", &[]).status().context("starting cargo")?;
        return Ok(if status.success() { Verdict::Holds } else { Verdict::Broken });
    }
    let targets = chosen(&all_targets(&root)?, &args.targets)?;
    if let Some(input) = &args.input {
        return one_input(&root, &targets, input);
    }
    ensure!(
        args.seconds >= targets.len() as u64,
        "--seconds gives each of {} targets less than one",
        targets.len()
    );
    check_tools()?;
    let folder = root.join("target/fuzz");
    build(&root, &folder)?;
    let each = args.seconds / targets.len() as u64;
    let bar = progress(targets.len());
    let mut outcomes = BTreeMap::new();
    for target in &targets {
        bar.set_message(format!("{target}, {each} s"));
        outcomes.insert(target.clone(), fuzz(&root, &folder, target, each)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(report(&outcomes))
}

/// Prints the table, and for each failure the line that shows it again.
fn report(outcomes: &BTreeMap<String, Outcome>) -> Verdict {
    println!("{HEAD}");
    for (target, outcome) in outcomes {
        println!("{}", outcome.row(target));
    }
    let mut verdict = Verdict::Holds;
    for (target, outcome) in outcomes {
        if let Some(input) = &outcome.failure {
            verdict = Verdict::Broken;
            println!(
                "{target} fails; again with: cargo xtask fuzz {target} --input {}; keep the input in fuzz/regressions/{target}/",
                input.display()
            );
        }
    }
    verdict
}

/// The names of the targets: those of their files.
fn all_targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|it| it == "rs") {
            names.extend(path.file_stem().and_then(|it| it.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(all: &[String], wanted: &[String]) -> Result<Vec<String>> {
    for name in wanted {
        ensure!(all.contains(name), "there is no target {name}; there are: {}", all.join(", "));
    }
    Ok(if wanted.is_empty() { all.to_vec() } else { wanted.to_vec() })
}

/// A cargo command in the fuzzers' workspace, with the compiler of the project.
fn stable(root: &Path, command: &str, more: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg(command).arg("--quiet").arg("--manifest-path").arg(root.join("fuzz/Cargo.toml"));
    cargo.arg("--target-dir").arg(root.join("target/fuzz/stable")).args(more).current_dir(root);
    cargo
}

fn one_input(root: &Path, targets: &[String], input: &Path) -> Result<Verdict> {
    let [target] = targets else { anyhow::bail!("--input wants the name of one target") };
    ensure!(input.is_file(), "there is no file {}", input.display());
    let status = stable(root, "run", &["--example", "fuzz", "--", "run", target]).arg(input).status();
    Ok(if status.context("starting cargo")?.success() { Verdict::Holds } else { Verdict::Broken })
}

/// A cargo command with the nightly compiler.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

fn check_tools() -> Result<()> {
    let works = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    ensure!(
        works(nightly().arg("--version")),
        "fuzzers need a nightly compiler: rustup toolchain install nightly --profile minimal"
    );
    ensure!(
        works(nightly().args(["fuzz", "--version"])),
        "this needs cargo-fuzz: cargo install --locked cargo-fuzz"
    );
    Ok(())
}

/// Builds all targets, and writes the seeds.
fn build(root: &Path, folder: &Path) -> Result<()> {
    let mut seeds = stable(root, "run", &["--example", "fuzz", "--", "corpus"]);
    let status = seeds.arg(folder.join("seeds")).status().context("starting cargo")?;
    ensure!(status.success(), "the seeds could not be made");
    // There is no unsafe code to watch: properties and overflow checks do the finding, at twice the speed.
    let status = nightly()
        .args(["fuzz", "build", "--sanitizer", "none", "--features", "fuzzers", "--target-dir"])
        .arg(folder)
        .current_dir(root)
        .status()
        .context("starting cargo-fuzz")?;
    ensure!(status.success(), "the fuzzers do not build");
    Ok(())
}

/// Runs one fuzzer.
fn fuzz(root: &Path, folder: &Path, target: &str, seconds: u64) -> Result<Outcome> {
    let binary = binary(folder, target)?;
    let [corpus, found, logs] = ["corpus", "found", "logs"].map(|it| folder.join(it));
    let (corpus, found) = (corpus.join(target), found.join(target));
    for made in [&corpus, &found, &logs] {
        std::fs::create_dir_all(made).with_context(|| format!("creating {}", made.display()))?;
    }
    let kept = root.join("fuzz/regressions").join(target);
    let inputs = [folder.join("seeds").join(target), kept].into_iter().filter(|it| it.is_dir());
    let output = Command::new(&binary)
        .arg(&corpus)
        .args(inputs)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048", "-max_len=8192"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", binary.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let path = logs.join(format!("{target}.log"));
    let mut file = std::fs::File::create(&path).with_context(|| format!("writing {}", path.display()))?;
    file.write_all(log.as_bytes())?;
    let outcome = Outcome::parse(&log);
    ensure!(
        output.status.success() || outcome.failure.is_some(),
        "{target} did not run ({}); see {}",
        output.status,
        path.display()
    );
    Ok(outcome)
}

/// Where cargo-fuzz put a target: `FOLDER/TRIPLE/release/TARGET`.
fn binary(folder: &Path, target: &str) -> Result<PathBuf> {
    let triples = std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    for triple in triples {
        let path = triple?.path().join("release").join(target);
        if path.is_file() {
            return Ok(path);
        }
    }
    anyhow::bail!("there is no {target} below {}", folder.display())
}

/// A bar for a person; nothing for a file.
fn progress(targets: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(targets as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: seed corpus: files: 12\n\
        #13\tINITED cov: 700 ft: 801 corp: 9/900b exec/s: 0 rss: 40Mb\n\
        #200\tNEW    cov: 712 ft: 830 corp: 10/1000b lim: 100 exec/s: 0 rss: 41Mb\n\
        #5000\tDONE   cov: 712 ft: 830 corp: 10/1000b lim: 100 exec/s: 2500 rss: 41Mb\n\
        stat::number_of_executed_units: 5000\n\
        stat::average_exec_per_sec:     2500\n\
        stat::new_units_added:          1\n";

    #[test]
    fn a_log_is_read() {
        let outcome = Outcome::parse(LOG);
        let quiet =
            Outcome { executions: 5000, per_second: 2500, edges: Some((700, 712)), kept: 1, failure: None };
        assert_eq!(outcome, quiet);
        let words: Vec<String> = outcome.row("wire").split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["wire", "5000", "2500", "712", "12", "1", "nothing"]);
        assert_eq!(words.len(), HEAD.split_whitespace().count());
    }

    #[test]
    fn a_failure_breaks_the_run() {
        let log = format!("{LOG}artifact_prefix='f/'; Test unit written to f/crash-1234\nBase64: AA==\n");
        let failed = Outcome::parse(&log);
        assert_eq!(failed.failure, Some(PathBuf::from("f/crash-1234")));
        let sound = ("wire".to_owned(), Outcome::parse(LOG));
        assert_eq!(report(&BTreeMap::from([sound.clone()])), Verdict::Holds);
        assert_eq!(report(&BTreeMap::from([sound, ("wal".to_owned(), failed)])), Verdict::Broken);
    }

    #[test]
    fn every_target_has_a_fuzzer_and_a_body() {
        let root = workspace_root().expect("a workspace");
        let all = all_targets(&root).expect("the folder");
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("the manifest");
        let bodies = std::fs::read_to_string(root.join("fuzz/src/lib.rs")).expect("the library");
        for name in &all {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in the manifest");
            assert!(bodies.contains(&format!("name: \"{name}\"")), "{name} is not in TARGETS");
        }
        assert_eq!(bodies.matches("Target { name: ").count(), all.len());
        assert_eq!(chosen(&all, &[]).expect("all"), all);
        assert!(chosen(&all, &["none such".to_owned()]).is_err());
    }
}
