//! `cargo xtask plant`: switch on every planted fault and demand that its checker finds it.

use anyhow::{Result, bail};

use crate::Verdict;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Verdict> {
    bail!("this task has no checks yet")
}
