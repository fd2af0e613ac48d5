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
}

/// What makes the figures of a family.
type Family = fn() -> Result<Vec<Figure>>;

/// Runs every family in turn.
pub fn run(_: &Options, out: &mut impl Write) -> Result<()> {
    let families: [Family; 1] = [super::hybrid::figures];
    for family in families {
        for figure in family()? {
            figure.write_to(out)?;
        }
    }
    out.flush().context("writing figures")
}
