//! `cargo xtask spec`: check the TLA+ modules: invariants, liveness, expected counts of states.
//!
//! Every `<package>/spec/**/*.cfg` says in a comment what must come of it ([`mod@cfg`]); anything else is a fault. Before
//! that, negative controls show that wrong expectations are noticed ([`controls`]).

mod cfg;
mod check;
mod controls;
mod find;
mod outcome;
mod process;
mod tla;
mod tlc;
mod twin;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use self::check::{Limits, Report};
use self::find::Model;
use crate::Verdict;

/// Checks the TLA+ modules with `tla`, and with TLC too where the environment variable TLA2TOOLS_JAR names its jar.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The package: its folder, the last part of it, or its name; all when left out.
    package: Option<String>,
    /// This module alone.
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
    /// This cfg alone, by its name without `.cfg`.
    #[arg(long, value_name = "NAME")]
    config: Option<String>,
    /// Those that are marked slow too.
    #[arg(long)]
    all: bool,
    /// Print counterexamples whole, also those that are expected.
    #[arg(long)]
    show: bool,
    /// A checker that takes longer on one cfg is stopped, and that is a fault.
    #[arg(long, value_name = "N", default_value_t = 900)]
    max_seconds: u64,
    /// How many cfgs at once.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// The negative controls alone. They come first in every run.
    #[arg(long)]
    self_check: bool,
}

impl Args {
    fn wants(&self, model: &Model) -> bool {
        self.module.as_ref().is_none_or(|name| *name == model.module_name())
            && self.config.as_ref().is_none_or(|name| *name == model.cfg_name())
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    tla::available()?;
    let tlc = tlc::jar()?;
    let limits = Limits { time: Duration::from_secs(args.max_seconds), jobs: args.jobs, tlc };
    let controls = controls::run(&limits)?;
    if args.self_check || controls == Verdict::Broken {
        return Ok(controls);
    }
    let mut models = find::models(&crate::workspace_root()?, args.package.as_deref())?;
    models.retain(|model| args.wants(model));
    ensure!(!models.is_empty(), "there is no such model");
    let is_left_out = |model: &Model| model.cfg.slow && !args.all && args.config.is_none();
    let (slow, models): (Vec<_>, Vec<_>) = models.into_iter().partition(is_left_out);
    let bar = progress(models.len());
    let reports = check::all(&models, &limits, &bar)?;
    bar.finish_and_clear();
    print!("{}", table(&reports));
    if !slow.is_empty() {
        let names: Vec<_> = slow.iter().map(Model::cfg_name).collect();
        println!("left out because they are slow (--all): {}", names.join(", "));
    }
    let checkers = if limits.tlc.is_some() { "tla and TLC" } else { "tla" };
    let broken = reports.iter().filter(|report| report.problem.is_some()).count();
    for report in &reports {
        if report.problem.is_some() || args.show {
            print!("{}", details(report));
        }
    }
    println!("{} of {} as expected, by {checkers}", reports.len() - broken, reports.len());
    Ok(if broken == 0 { Verdict::Holds } else { Verdict::Broken })
}

/// A row for each model.
fn table(reports: &[Report]) -> String {
    let header = [
        "module",
        "cfg",
        "expected",
        "states",
        "depth",
        "seconds",
        "explored",
        "steps asked",
        "seconds",
        "verdict",
    ]
    .map(str::to_owned);
    let rows: Vec<[String; 10]> = std::iter::once(header).chain(reports.iter().map(row)).collect();
    let widths: [usize; 10] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_number = (3..9).contains(&column);
            line.push_str(&if is_number { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(report: &Report) -> [String; 10] {
    let twin = report.twin.as_ref();
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let outcome = report.outcome.as_ref();
    let verdict = match (&report.problem, outcome) {
        (Some(_), _) => "BROKEN".to_owned(),
        (None, Some(outcome)) if !outcome.trace.is_empty() => format!("as expected: {}", outcome.summary()),
        (None, _) => "as expected".to_owned(),
    };
    [
        report.model.module_name(),
        report.model.cfg_name(),
        report.model.cfg.expectation.to_string(),
        count(outcome.map(|outcome| outcome.states)),
        count(outcome.map(|outcome| outcome.depth)),
        format!("{:.2}", report.seconds),
        count(twin.map(|twin| twin.states)),
        count(twin.map(|twin| twin.edges)),
        twin.map_or_else(|| "-".to_owned(), |twin| format!("{:.2}", twin.seconds)),
        verdict,
    ]
}

/// What is wrong with a model, its counterexample, and the line that checks it again.
fn details(report: &Report) -> String {
    let Model { member, cfg, .. } = &report.model;
    let (module, name) = (report.model.module_name(), report.model.cfg_name());
    let counterexample = report.outcome.as_ref().map(outcome::Outcome::render).unwrap_or_default();
    let again = format!("cargo xtask spec {member} --module {module} --config {name} --show");
    let plain = tla::command(&report.model.module, &report.model.cfg_path, cfg);
    let plain: Vec<_> = plain.get_args().map(|argument| argument.to_string_lossy()).collect();
    match &report.problem {
        None => format!("\n{module} {name}: {}\n{counterexample}", cfg.expectation),
        Some(problem) => format!(
            "\n{module} {name}: {problem}\n{counterexample}again with: {again}\n        or: tla {}\n",
            plain.join(" ")
        ),
    }
}

/// A bar for a person; nothing for a file.
fn progress(models: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(models.try_into().unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;

    use super::cfg::{Cfg, Ending};
    use super::outcome::{Outcome, Step};
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Line::try_parse_from(line.split_whitespace()).expect("understood").args
    }

    fn model() -> Model {
        Model {
            member: "net/sim".to_owned(),
            module: PathBuf::from("net/sim/spec/Queue.tla"),
            cfg_path: PathBuf::from("net/sim/spec/small.cfg"),
            cfg: Cfg::parse("INVARIANTS A\n\\* expect: violates A\n").expect("good"),
        }
    }

    fn report(problem: Option<&str>) -> Report {
        let step = |action: Option<&str>, x: &str| Step {
            action: action.map(str::to_owned),
            variables: vec![("x".to_owned(), x.to_owned())],
        };
        let outcome = Outcome {
            ending: Ending::Violates("A".to_owned()),
            states: 1234,
            depth: 5,
            trace: vec![step(None, "0"), step(Some("Push"), "1")],
            back_to: None,
        };
        Report {
            model: model(),
            outcome: Some(outcome),
            seconds: 0.5,
            twin: None,
            problem: problem.map(str::to_owned),
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_model() {
        let nothing = Report { outcome: None, ..report(Some("too long")) };
        let expected = "\
module  cfg    expected    states  depth  seconds  explored  steps asked  seconds  verdict
Queue   small  violates A    1234      5     0.50         -            -        -  as expected: 2 states, last Push
Queue   small  violates A       -      -     0.50         -            -        -  BROKEN
";
        assert_eq!(table(&[report(None), nothing]), expected);
    }

    #[test]
    fn a_fault_is_told_with_the_line_that_checks_it_again() {
        let told = details(&report(Some("expected: holds; found: violates A")));
        for part in
            ["found: violates A\n", "1. Push\n         x = 1\n", "or: tla net/sim/spec/Queue.tla --config"]
        {
            assert!(told.contains(part), "{told}");
        }
        let again =
            told.lines().find_map(|line| line.strip_prefix("again with: cargo xtask ")).expect("a line");
        let again = args(again);
        assert_eq!((again.package.as_deref(), again.show), (Some("net/sim"), true));
        assert!(again.wants(&model()));
        assert!(!details(&report(None)).contains("again"));
    }

    #[test]
    fn models_are_chosen_by_module_and_cfg() {
        assert!(args("spec").wants(&model()));
        assert!(args("spec --module Queue").wants(&model()));
        assert!(!args("spec --module Stack").wants(&model()));
        assert!(!args("spec --module Queue --config large").wants(&model()));
    }
}
