//! `cargo xtask sim`: a protocol in many seeded worlds, with its invariants checked after every step.

use crate::Verdict;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<Verdict> {
    anyhow::bail!("no protocol to simulate yet")
}
