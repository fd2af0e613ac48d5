//! All figures of clocks.

use std::io::Write;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::figure::Figure;

/// Measures clocks; prints a line of JSON per figure.
#[derive(Parser, Debug)]
pub struct Options {
    /// As fast as ever: the whole suite takes seconds. Every suite takes this flag.
    #[arg(long)]
    pub quick: bool,
    /// Nothing more to measure. Every suite takes this flag.
    #[arg(long)]
    pub long: bool,
    /// Count instructions under valgrind instead of measuring time.
    #[arg(long)]
    pub instructions: bool,
    /// Run one case of a hybrid clock that stands still, by its number, without figures, for a profiler.
    #[arg(long)]
    pub only: Option<usize>,
    /// Operations of the `--only` run.
    #[arg(long, default_value_t = 1_000_000)]
    pub operations: u64,
}

/// What makes the figures of a family.
type Family = fn() -> Result<Vec<Figure>>;

/// Runs every family in turn.
pub fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    if let Some(case) = options.only {
        return super::hybrid::run_only(case, options.operations);
    }
    if options.instructions {
        for figure in super::hybrid::instructions()? {
            figure.write_to(out)?;
        }
        return out.flush().context("writing figures");
    }
    let families: [Family; 3] = [super::hybrid::figures, super::logical::figures, super::physical::figures];
    for family in families {
        for figure in family()? {
            figure.write_to(out)?;
        }
    }
    out.flush().context("writing figures")
}
