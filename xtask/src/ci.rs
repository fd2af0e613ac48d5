//! `cargo xtask ci`: the same steps, in the same order, as the machine that checks a change.

use std::process::Command;

use anyhow::Context as _;

use crate::Verdict;

/// Nothing to choose: a change passes all of it or does not pass.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<Verdict> {
    let root = crate::workspace_root()?;
    let script = root.join(".ci/run");
    let status = Command::new(&script)
        .current_dir(&root)
        .status()
        .with_context(|| format!("{} does not start", script.display()))?;
    Ok(if status.success() { Verdict::Holds } else { Verdict::Broken })
}
