//! Instructions by `valgrind --tool=callgrind`: the same on a busy machine as on an idle one.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Whether valgrind can be started.
pub fn available() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// How many instructions this very binary executes when started with these arguments.
pub fn instructions(arguments: &[String]) -> Result<u64> {
    let binary = std::env::current_exe().context("the path of this binary")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args(arguments)
        .output()
        .context("starting valgrind")?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("under valgrind {arguments:?} failed:\n{report}");
    }
    collected(&report).with_context(|| format!("valgrind's report holds no count:\n{report}"))
}

/// The number behind "Collected :".
fn collected(report: &str) -> Option<u64> {
    let (_, after) = report.split_once("Collected :")?;
    after.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_a_report() {
        let report = "==7== Events    : Ir\n==7== Collected : 2345678\n==7== \n";
        assert_eq!(collected(report), Some(2_345_678));
        assert_eq!(collected("==7== Process terminating"), None);
    }
}
