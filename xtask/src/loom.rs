//! `cargo xtask loom`: what threads share, in every interleaving that loom finds. Each property holds in all of them;
//! each naive twin of the code under test breaks in one, or the property proves nothing.
//!
//! The tests are those of the modules `threads`, written against `synod-interleave`, whose lines are read here.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::Verdict;

/// Packages with such tests; the first are the tests of the tool itself.
const CRATES: [&str; 6] = ["interleave", "wal", "tcp", "node", "clock", "idgen"];

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The crate; all when left out.
    #[arg(value_name = "CRATE", value_parser = CRATES)]
    name: Option<String>,
    /// Where a search is bounded, allow this many preemptions, if that is more: slower and further.
    #[arg(long, value_name = "N")]
    preemptions: Option<usize>,
    /// Only tests whose path holds this.
    #[arg(long, value_name = "TEST", requires = "name")]
    only: Option<String>,
}

/// What a search was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A property of the code that runs, or of the naive version without its flaw.
    Holds,
    /// A naive twin, which must break.
    Breaks,
}

/// One search.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Search {
    name: String,
    kind: Kind,
    interleavings: u64,
    /// Most preemptions, or `all`.
    bound: String,
    time: Duration,
    failure: Option<String>,
}

impl Search {
    /// Reads a line of `synod-interleave`; other lines are none.
    fn parse(line: &str) -> Option<Self> {
        // The harness may have begun a line of its own.
        let (_, line) = line.split_once("interleavings\t")?;
        let mut fields = line.split('\t');
        let name = fields.next()?.to_owned();
        let kind = match fields.next()? {
            "holds" => Kind::Holds,
            "breaks" => Kind::Breaks,
            _ => return None,
        };
        let interleavings = fields.next()?.parse().ok()?;
        let bound = fields.next()?.to_owned();
        let time = Duration::from_millis(fields.next()?.parse().ok()?);
        let failure = fields.next().filter(|failure| *failure != "-").map(str::to_owned);
        Some(Self { name, kind, interleavings, bound, time, failure })
    }

    fn is_as_it_must(&self) -> bool {
        (self.kind == Kind::Holds) == self.failure.is_none()
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.kind, &self.failure) {
            (Kind::Holds, None) => "holds",
            (Kind::Holds, Some(_)) => "BROKEN",
            (Kind::Breaks, Some(_)) => "twin breaks",
            (Kind::Breaks, None) => "TWIN UNBROKEN",
        };
        let Self { interleavings, bound, name, .. } = self;
        let seconds = self.time.as_secs_f64();
        write!(f, "{interleavings:>13}  {bound:>11}  {seconds:>7.2}  {verdict:<13}  {name}")?;
        let failure = self.failure.as_deref().unwrap_or_default();
        // Loom names the threads of a deadlock by number; that there is one says enough.
        match failure.split(';').next().unwrap_or_default() {
            "" => Ok(()),
            what => write!(f, ": {what}"),
        }
    }
}

/// What came of the tests of one crate.
#[derive(Debug, Default)]
struct Report {
    searches: Vec<Search>,
    failed: Vec<String>,
    is_success: bool,
}

impl Report {
    fn count(&self, kind: Kind) -> usize {
        self.searches.iter().filter(|search| search.kind == kind).count()
    }

    /// What is wrong with it, if anything is. Of some of the tests alone it is enough that one searched.
    fn complaint(&self, only_some: bool) -> Option<&'static str> {
        if !self.searches.iter().all(Search::is_as_it_must) || !self.failed.is_empty() {
            return Some("a check does not hold");
        }
        if !self.is_success {
            return Some("the tests did not end as they should");
        }
        if self.searches.is_empty() {
            return Some("nothing was searched");
        }
        if !only_some && (self.count(Kind::Holds) == 0 || self.count(Kind::Breaks) == 0) {
            return Some("a property or a naive twin is missing");
        }
        None
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let root = crate::workspace_root()?;
    let begun = Instant::now();
    let names = CRATES.into_iter().filter(|name| args.name.as_deref().is_none_or(|it| it == *name));
    let (mut properties, mut twins, mut interleavings) = (0, 0, 0u64);
    let mut broken = false;
    println!(" interleavings  preemptions  seconds  verdict");
    for name in names {
        println!("{name}");
        let report = check(&root, name, args)?;
        properties += report.count(Kind::Holds);
        twins += report.count(Kind::Breaks);
        interleavings += report.searches.iter().map(|search| search.interleavings).sum::<u64>();
        if let Some(complaint) = report.complaint(args.only.is_some()) {
            broken = true;
            let test = report.failed.first().map(|test| format!(" --only {test}")).unwrap_or_default();
            println!("{complaint}; again with: cargo xtask loom {name}{test}");
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{properties} properties, {twins} naive twins, {interleavings} interleavings, {seconds:.0} s");
    Ok(if broken { Verdict::Broken } else { Verdict::Holds })
}

/// Runs the tests of one crate and prints each search as it ends.
fn check(root: &Path, name: &str, args: &Args) -> Result<Report> {
    let package = format!("synod-{name}");
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.push_str(" --cfg synod_loom");
    let filter = args.only.as_deref().unwrap_or(if name == "interleave" { "" } else { "threads::" });
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root)
        .args(["test", "--quiet", "--release", "--package", &package, "--lib", "--target-dir"])
        .arg(root.join("target/loom"))
        .args([filter, "--", "--nocapture", "--format=pretty"])
        .env("RUSTFLAGS", flags.trim())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(most) = args.preemptions {
        command.env("LOOM_MAX_PREEMPTIONS", most.to_string());
    }
    let mut child = command.spawn().context("cargo does not start")?;
    // Twins panic on their way, which nobody wants to read; the rest is kept for when something is wrong.
    let errors = child.stderr.take().context("a pipe")?;
    let errors = std::thread::spawn(move || std::io::read_to_string(errors));
    let mut report = Report::default();
    for line in BufReader::new(child.stdout.take().context("a pipe")?).lines() {
        let line = line.context("the output of the tests is no text")?;
        if let Some(search) = Search::parse(&line) {
            println!("{search}");
            report.searches.push(search);
        } else if let Some(test) = line.strip_prefix("test ").and_then(|it| it.strip_suffix(" ... FAILED")) {
            report.failed.push(test.to_owned());
        }
    }
    report.is_success = child.wait().context("cargo cannot be waited for")?.success();
    let errors = errors.join().ok().context("a thread panicked")?.context("the errors are no text")?;
    if !report.is_success {
        eprintln!("{errors}");
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDS: &str = "interleavings\ta lane\tholds\t1454\t4\t557\t-";
    const BROKEN: &str = "interleavings\ta lane\tholds\t9\tall\t1\tdeadlock; threads = [(Id(0))]";
    const TWIN: &str = "test x ... interleavings\tRoomInTwoSteps\tbreaks\t2\tall\t0\tthe lane holds too much";
    const UNBROKEN: &str = "interleavings\tRoomInTwoSteps\tbreaks\t200\tall\t10\t-";

    fn report(lines: &[&str]) -> Report {
        let searches = lines.iter().map(|line| Search::parse(line).expect("a search")).collect();
        Report { searches, failed: Vec::new(), is_success: true }
    }

    #[test]
    fn a_line_becomes_a_row() {
        let row = |line: &str| Search::parse(line).expect("a search").to_string();
        assert_eq!(row(HOLDS), "         1454            4     0.56  holds          a lane");
        assert_eq!(row(BROKEN), "            9          all     0.00  BROKEN         a lane: deadlock");
        assert_eq!(
            row(TWIN),
            "            2          all     0.00  twin breaks    RoomInTwoSteps: the lane holds too much"
        );
        assert_eq!(row(UNBROKEN), "          200          all     0.01  TWIN UNBROKEN  RoomInTwoSteps");
        assert_eq!(Search::parse("test x ... ok"), None);
    }

    #[test]
    fn what_fails_and_what_is_missing_is_told() {
        assert_eq!(report(&[HOLDS, TWIN]).complaint(false), None);
        for lines in [&[HOLDS, UNBROKEN][..], &[BROKEN, TWIN], &[HOLDS], &[TWIN], &[]] {
            assert!(report(lines).complaint(false).is_some(), "{lines:?}");
        }
        for line in [HOLDS, TWIN] {
            assert_eq!(report(&[line]).complaint(true), None);
        }
        assert!(report(&[]).complaint(true).is_some(), "no test has that name");
        let crashed = Report { is_success: false, ..report(&[HOLDS, TWIN]) };
        assert_eq!(crashed.complaint(false), Some("the tests did not end as they should"));
    }
}
