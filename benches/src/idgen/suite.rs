//! All figures of ids.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::case::Case;
use crate::figure::Figure;

/// Measures generators of ids and their text; prints a line of JSON per figure.
#[derive(Parser, Debug)]
pub struct Options {
    /// Few rounds: shows that it runs, proves nothing.
    #[arg(long)]
    pub quick: bool,
    /// Nothing more to measure. Every suite takes this flag.
    #[arg(long)]
    pub long: bool,
    /// Versions 4 and 7 of UUID alone.
    #[arg(long)]
    pub uuids: bool,
}

impl Options {
    /// How often each case takes its turn.
    pub(super) fn rounds(&self) -> usize {
        if self.quick { 2 } else { 25 }
    }

    /// How long one turn of a steady case is, and how many it takes.
    pub(super) fn steady(&self) -> (Duration, usize) {
        if self.quick { (Duration::from_millis(50), 1) } else { (Duration::from_secs(1), 5) }
    }
}

/// What makes the figures of a family.
type Family = fn(&Options) -> Result<Vec<Figure>>;

/// Runs every family in turn.
pub fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let all: [Family; 5] = [
        super::steady::figures,
        super::burst::figures,
        super::snowflake::figures,
        super::sortable::figures,
        super::text::figures,
    ];
    let uuids: [Family; 1] = [super::sortable::figures];
    for family in if options.uuids { &uuids[..] } else { &all[..] } {
        for figure in family(options)? {
            figure.write_to(out)?;
        }
    }
    out.flush().context("writing figures")
}

/// Every case takes its turn in every round.
pub(super) fn in_turns(mut cases: Vec<Case>, options: &Options) -> Result<Vec<Figure>> {
    for _ in 0..options.rounds() {
        cases.iter_mut().try_for_each(Case::measure)?;
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}
