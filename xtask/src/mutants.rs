//! `cargo xtask mutants`: change the code a little, many times, and demand that a test notices.

use anyhow::{Result, bail};

use crate::Verdict;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Verdict> {
    bail!("this task has no checks yet")
}
