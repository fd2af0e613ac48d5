//! `cargo xtask browser`: pages of runs, opened in Debian's Chromium. What is checked stands in
//! `xtask/picture/browser`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Verdict;

/// Programs, and Debian's packages that have them.
const PROGRAMS: [(&str, &str); 2] = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Where screenshots, the page on paper and the table of times go. Default: target/browser.
    #[arg(long, value_name = "DIR")]
    artefacts: Option<PathBuf>,
    /// Only cases whose name holds this.
    #[arg(value_name = "CASE")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let missing = missing(has);
    ensure!(
        missing.is_empty(),
        "{} not found: apt-get install {}",
        missing.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(" and "),
        missing.iter().map(|(_, package)| *package).collect::<Vec<_>>().join(" ")
    );
    let root = crate::workspace_root()?;
    let artefacts = args.artefacts.clone().unwrap_or_else(|| root.join("target/browser"));
    std::fs::create_dir_all(&artefacts).with_context(|| format!("cannot make {}", artefacts.display()))?;
    let artefacts = std::path::absolute(&artefacts).context("a folder has a path")?;
    let status = command(&root, &artefacts, args.only.as_deref()).status().context("cargo does not start")?;
    if status.success() {
        return Ok(Verdict::Holds);
    }
    let only = args.only.as_ref().map(|only| format!(" {only}")).unwrap_or_default();
    println!("a page does not do what it should; again with: cargo xtask browser{only}");
    Ok(Verdict::Broken)
}

fn command(root: &Path, artefacts: &Path, only: Option<&str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root)
        .args(["test", "--quiet", "--locked", "--package", "synod-picture-browser"])
        .args(["--features", "chromium", "--test", "browser"])
        .args(only)
        .env("SYNOD_ARTEFACTS", artefacts)
        .stdin(Stdio::null());
    command
}

/// What is needed and not there.
fn missing(is_there: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    PROGRAMS.into_iter().filter(|(program, _)| !is_there(program)).collect()
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_by_its_package() {
        assert_eq!(missing(|_| true), []);
        assert_eq!(missing(|program| program == "chromium"), [("chromedriver", "chromium-driver")]);
        assert_eq!(missing(|_| false), PROGRAMS);
        assert!(!has("no-such-program-of-any-kind"));
    }
}
