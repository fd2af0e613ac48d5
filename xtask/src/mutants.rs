//! `cargo xtask mutants`: change the code a little, many times, and demand that a test notices.
//!
//! cargo-mutants makes the changes, each in a copy of the tree. A mutant that the package's own tests do not notice is
//! tried again with slower ones (for raft: the simulated worlds). Those that nobody notices must stand in
//! `docs/reports/mutants-PACKAGE.toml`, each with the reason why that is no gap in the tests.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{Verdict, workspace_root};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The primitive whose code is changed: `raft` stands for the package `synod-raft`.
    #[arg(default_value = "raft")]
    name: String,
    /// Change only files that this glob matches.
    #[arg(long, value_name = "GLOB")]
    file: Option<String>,
    /// Make only the changes whose name this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
    /// Make only part of the changes: the k-th of n shares, counted from 0.
    #[arg(long, value_name = "k/n")]
    shard: Option<String>,
    /// How many changes to try at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

impl Args {
    /// Whether every mutant of the package is tried.
    fn is_whole(&self) -> bool {
        self.file.is_none() && self.only.is_none() && self.shard.is_none()
    }

    fn package(&self) -> String {
        format!("synod-{}", self.name)
    }

    /// The package whose tests get a second chance, slower ones than the package's own.
    fn second_chance(&self) -> Option<&'static str> {
        (self.name == "raft").then_some("synod-raft-check")
    }

    /// The share, in percent, that must be caught.
    fn floor(&self) -> usize {
        if self.name == "raft" { 90 } else { 0 }
    }
}

/// What became of a mutant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Caught,
    /// The tests did not end in time: noticed as well.
    TimedOut,
    /// It does not compile: no mutant at all.
    Unviable,
    Missed,
}

/// One change of the code.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mutant {
    /// Relative to the workspace.
    file: String,
    line: usize,
    column: usize,
    /// What was done, and in which function.
    mutation: String,
    /// The line that was changed, without the space around it. Empty when it cannot be read.
    code: String,
    fate: Fate,
}

impl Mutant {
    /// From cargo-mutants' record of it; `None` for the run without a change.
    fn parse(outcome: &Value, line_of: impl Fn(&str, usize) -> String) -> Result<Option<Self>> {
        let Some(mutant) = outcome.pointer("/scenario/Mutant") else { return Ok(None) };
        let number = |pointer: &str| -> Result<usize> {
            let value =
                mutant.pointer(pointer).and_then(Value::as_u64).context("a mutant without a place")?;
            Ok(usize::try_from(value)?)
        };
        let file = text(mutant, "/file")?.to_owned();
        let (line, column) = (number("/span/start/line")?, number("/span/start/column")?);
        let place = format!("{file}:{line}:{column}: ");
        let name = text(mutant, "/name")?;
        let mutation = name.strip_prefix(&place).unwrap_or(name).to_owned();
        let fate = match text(outcome, "/summary")? {
            "CaughtMutant" => Fate::Caught,
            "Timeout" => Fate::TimedOut,
            "Unviable" => Fate::Unviable,
            "MissedMutant" => Fate::Missed,
            other => bail!("a mutant ended as {other}, which is not known here"),
        };
        Ok(Some(Self { code: line_of(&file, line), file, line, column, mutation, fate }))
    }

    /// The regular expression that matches this one alone.
    fn pattern(&self) -> String {
        let mut pattern = String::from("^");
        for letter in self.to_string().chars() {
            // Not every sign: a `<` behind a backslash is the edge of a word.
            if r"\.+*?()|[]{}^$#&-~".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('$');
        pattern
    }
}

impl fmt::Display for Mutant {
    /// As cargo-mutants names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.mutation)
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer} in the outcomes"))
}

/// A survivor that somebody looked at. Known by its code instead of its line, so that edits elsewhere in the file do not
/// make it unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reviewed {
    file: String,
    mutation: String,
    code: String,
    reason: String,
}

impl Reviewed {
    fn is(&self, mutant: &Mutant) -> bool {
        (&self.file, &self.mutation, &self.code) == (&mutant.file, &mutant.mutation, &mutant.code)
    }

    /// Reads the list; an empty one when there is no file.
    fn read(path: &Path) -> Result<Vec<Self>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("in {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Vec<Self>> {
        let table: toml::Table = text.parse()?;
        let Some(survivors) = table.get("survivor") else { return Ok(Vec::new()) };
        let survivors = survivors.as_array().context("`survivor` is a list")?;
        let field = |survivor: &toml::Value, name: &str| -> Result<String> {
            let value = survivor.get(name).and_then(toml::Value::as_str);
            let value = value.with_context(|| format!("a survivor without `{name}`: {survivor}"))?;
            ensure!(!value.trim().is_empty(), "a survivor with an empty `{name}`: {survivor}");
            Ok(value.to_owned())
        };
        survivors
            .iter()
            .map(|it| {
                Ok(Self {
                    file: field(it, "file")?,
                    mutation: field(it, "mutation")?,
                    code: field(it, "code")?,
                    reason: field(it, "reason")?,
                })
            })
            .collect()
    }
}

/// What a campaign came to.
#[derive(Debug, Default)]
struct Campaign {
    mutants: Vec<Mutant>,
}

impl Campaign {
    fn parse(outcomes: &str, line_of: impl Fn(&str, usize) -> String) -> Result<Self> {
        let outcomes: Value = serde_json::from_str(outcomes)?;
        let outcomes = outcomes.get("outcomes").and_then(Value::as_array).context("no list of outcomes")?;
        let mutants = outcomes.iter().filter_map(|it| Mutant::parse(it, &line_of).transpose());
        Ok(Self { mutants: mutants.collect::<Result<_>>()? })
    }

    fn missed(&self) -> impl Iterator<Item = &Mutant> {
        self.mutants.iter().filter(|mutant| mutant.fate == Fate::Missed)
    }

    /// What other tests said about the mutants that these missed counts instead.
    fn again_with(&mut self, later: &Self) {
        for mutant in &mut self.mutants {
            if mutant.fate != Fate::Missed {
                continue;
            }
            if let Some(second) = later.mutants.iter().find(|it| it.to_string() == mutant.to_string()) {
                mutant.fate = second.fate;
            }
        }
    }

    fn count(&self, fate: Fate) -> usize {
        self.mutants.iter().filter(|mutant| mutant.fate == fate).count()
    }

    /// Mutants noticed, and mutants that could be.
    fn share(&self) -> (usize, usize) {
        let caught = self.count(Fate::Caught) + self.count(Fate::TimedOut);
        (caught, caught + self.count(Fate::Missed))
    }

    /// Prints everything, and judges it.
    fn report(&self, args: &Args, reviewed: &[Reviewed]) -> Verdict {
        let (caught, viable) = self.share();
        println!(
            "{} mutants tested: {} caught, {} timed out, {} missed, {} unviable",
            self.mutants.len(),
            self.count(Fate::Caught),
            self.count(Fate::TimedOut),
            self.count(Fate::Missed),
            self.count(Fate::Unviable),
        );
        let mut verdict = Verdict::Holds;
        for mutant in self.missed() {
            match reviewed.iter().find(|it| it.is(mutant)) {
                Some(known) => println!("survived: {mutant}\n    reviewed: {}", known.reason),
                None => {
                    verdict = Verdict::Broken;
                    println!(
                        "survived: {mutant}\n    NOT REVIEWED, at `{}`; again with: cargo xtask mutants {} --only '{}'",
                        mutant.code,
                        args.name,
                        mutant.pattern()
                    );
                }
            }
        }
        for known in self.outlived(args, reviewed) {
            println!("no longer survives, strike it from the list: {}: {}", known.file, known.mutation);
        }
        #[expect(clippy::cast_precision_loss, reason = "for people to read")]
        let percent = 100.0 * caught as f64 / viable.max(1) as f64;
        println!("caught {caught} of {viable}, {percent:.1}%");
        if args.is_whole() && caught * 100 < viable * args.floor() {
            println!("that is under {}%; again with: cargo xtask mutants {}", args.floor(), args.name);
            verdict = Verdict::Broken;
        }
        verdict
    }

    /// Reviewed survivors that were tried and caught, or, when everything was tried, that are gone.
    fn outlived<'r>(
        &'r self,
        args: &'r Args,
        reviewed: &'r [Reviewed],
    ) -> impl Iterator<Item = &'r Reviewed> + 'r {
        reviewed.iter().filter(|known| {
            let mut same = self.mutants.iter().filter(|mutant| known.is(mutant)).peekable();
            let tried = same.peek().is_some();
            (tried || args.is_whole()) && !same.any(|mutant| mutant.fate == Fate::Missed)
        })
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let root = workspace_root()?;
    ensure!(args.jobs > 0, "--jobs must not be zero");
    let reviewed = Reviewed::read(&root.join(format!("docs/reports/mutants-{}.toml", args.name)))?;
    let found = Command::new("cargo").args(["mutants", "--version"]).current_dir(&root).output()?;
    ensure!(found.status.success(), "this needs cargo-mutants: cargo install --locked cargo-mutants");

    let begun = Instant::now();
    let mut first = vec!["--package".to_owned(), args.package()];
    let parts = [("--file", &args.file), ("--re", &args.only), ("--shard", &args.shard)];
    for (flag, value) in parts {
        first.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    let mut campaign = mutate(&root, args, "own", &first)?;
    ensure!(!campaign.mutants.is_empty(), "there is nothing to change");
    if let Some(package) = args.second_chance().filter(|_| campaign.missed().next().is_some()) {
        println!("{} are left for the tests of {package}", campaign.count(Fate::Missed));
        let mut second = vec!["--package".to_owned(), args.package()];
        second.extend(["--test-package".to_owned(), package.to_owned()]);
        // Long: beside other work these tests are slow, and a survivor that ran out of time would pass for caught.
        second.push("--minimum-test-timeout=300".to_owned());
        second.extend(FASTER_TESTS.map(|flag| format!("--cargo-arg={flag}")));
        second.extend(campaign.missed().flat_map(|mutant| ["--re".to_owned(), mutant.pattern()]));
        let later = mutate(&root, args, "further", &second)?;
        campaign.again_with(&later);
    }
    let verdict = campaign.report(args, &reviewed);
    println!("{:.0} minutes", begun.elapsed().as_secs_f64() / 60.0);
    Ok(verdict)
}

/// Worlds step millions of times: there optimising pays.
const FASTER_TESTS: [&str; 3] = [
    "--config=profile.mutants.opt-level=1",
    "--config=profile.mutants.package.synod-raft.opt-level=1",
    "--config=profile.mutants.package.synod-raft-check.opt-level=1",
];

/// One run of cargo-mutants, which shows its progress itself.
fn mutate(root: &Path, args: &Args, part: &str, flags: &[String]) -> Result<Campaign> {
    let folder: PathBuf = root.join("target/mutants").join(&args.name).join(part);
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let status = Command::new("cargo")
        .args(["mutants", "--no-shuffle", "--jobs", &args.jobs.to_string(), "--output"])
        .arg(&folder)
        .args(flags)
        .args(["--", "--tests"])
        .current_dir(root)
        // Mutants that are tried at the same time must not share what they build.
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .context("starting cargo-mutants")?;
    // 0: all caught, 2: some missed, 3: some timed out. Anything else: it could not do its work.
    ensure!(
        matches!(status.code(), Some(0 | 2 | 3)),
        "cargo-mutants gave up ({status}); do the tests pass without a change?"
    );
    let path = folder.join("mutants.out/outcomes.json");
    let outcomes = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Campaign::parse(&outcomes, |file, line| line_of(root, file, line))
        .with_context(|| format!("in {}", path.display()))
}

/// A line of a source file, counted from 1. Empty when it is gone: then no review fits it.
fn line_of(root: &Path, file: &str, line: usize) -> String {
    let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
    text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Line::try_parse_from(std::iter::once("mutants").chain(line.split_whitespace())).expect("good").args
    }

    fn outcome(line: usize, summary: &str) -> Value {
        json!({
            "scenario": {"Mutant": {
                "name": format!("raft/src/a.rs:{line}:9: replace < with <= in f"),
                "file": "raft/src/a.rs",
                "span": {"start": {"line": line, "column": 9}},
            }},
            "summary": summary,
        })
    }

    fn campaign(outcomes: &[Value]) -> Campaign {
        let text = json!({ "outcomes": outcomes }).to_string();
        Campaign::parse(&text, |_, line| format!("if a < {line} {{")).expect("it reads")
    }

    fn reviewed(line: usize) -> Reviewed {
        let text = format!(
            "[[survivor]]\nfile = 'raft/src/a.rs'\nmutation = 'replace < with <= in f'\ncode = 'if a < {line} {{'\n\
             reason = 'a is never {line}'\n"
        );
        Reviewed::parse(&text).expect("it reads").remove(0)
    }

    #[test]
    fn what_cargo_mutants_wrote_is_counted() {
        let baseline = json!({"scenario": "Baseline", "summary": "Success"});
        let all = [
            baseline,
            outcome(1, "CaughtMutant"),
            outcome(2, "Timeout"),
            outcome(3, "Unviable"),
            outcome(4, "MissedMutant"),
        ];
        let campaign = campaign(&all);
        assert_eq!((campaign.mutants.len(), campaign.share()), (4, (2, 3)));
        let missed: Vec<String> = campaign.missed().map(Mutant::to_string).collect();
        assert_eq!(missed, ["raft/src/a.rs:4:9: replace < with <= in f"]);
        assert!(
            Campaign::parse(&json!({"outcomes": [outcome(1, "New")]}).to_string(), |_, _| String::new())
                .is_err()
        );
    }

    #[test]
    fn further_tests_can_catch_what_the_first_missed() {
        let mut first =
            campaign(&[outcome(1, "MissedMutant"), outcome(2, "MissedMutant"), outcome(3, "CaughtMutant")]);
        first.again_with(&campaign(&[outcome(1, "CaughtMutant"), outcome(2, "MissedMutant")]));
        assert_eq!((first.count(Fate::Missed), first.share()), (1, (2, 3)));
    }

    #[test]
    fn a_survivor_breaks_the_run_until_it_is_reviewed() {
        let (all, part) = (args("raft"), args("raft --shard 0/2"));
        let mut outcomes: Vec<Value> = (0..9).map(|line| outcome(line, "CaughtMutant")).collect();
        outcomes.push(outcome(9, "MissedMutant"));
        let nine = campaign(&outcomes);
        assert_eq!(nine.report(&all, &[]), Verdict::Broken);
        assert_eq!(nine.report(&all, &[reviewed(8)]), Verdict::Broken);
        assert_eq!(nine.report(&all, &[reviewed(9)]), Verdict::Holds);
        outcomes.push(outcome(10, "MissedMutant"));
        let both = [reviewed(9), reviewed(10)];
        let fewer = campaign(&outcomes);
        assert_eq!(fewer.report(&all, &both), Verdict::Broken, "9 of 11 are under 90%");
        assert_eq!(fewer.report(&part, &both), Verdict::Holds, "a part proves nothing about the whole");
    }

    #[test]
    fn reviews_of_what_is_caught_by_now_are_named() {
        let tried = campaign(&[outcome(1, "CaughtMutant"), outcome(2, "MissedMutant")]);
        let reviews = [reviewed(1), reviewed(2), reviewed(3)];
        let struck = |line| -> Vec<String> {
            tried.outlived(&args(line), &reviews).map(|it| it.code.clone()).collect()
        };
        assert_eq!(struck("raft"), ["if a < 1 {", "if a < 3 {"]);
        assert_eq!(struck("raft --file a.rs"), ["if a < 1 {"]);
    }

    #[test]
    fn a_review_without_a_reason_is_refused() {
        let text = "[[survivor]]\nfile = 'a'\nmutation = 'b'\ncode = 'c'\n";
        assert!(Reviewed::parse(text).is_err());
        assert!(Reviewed::parse(&format!("{text}reason = ' '\n")).is_err());
        assert_eq!(Reviewed::parse("").expect("an empty list"), []);
    }

    #[test]
    fn a_pattern_takes_every_sign_at_its_word() {
        let mutant = Mutant::parse(&outcome(4, "MissedMutant"), |_, _| String::new());
        let pattern = mutant.expect("it reads").expect("a mutant").pattern();
        assert_eq!(pattern, r"^raft/src/a\.rs:4:9: replace < with <= in f$");
    }
}
