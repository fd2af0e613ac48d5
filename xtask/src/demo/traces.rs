//! What the processes recorded: read back whole, each step closed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use synod_transport::trace::{Group, groups, read};

/// What a file holds.
#[derive(Debug, PartialEq, Eq, Default)]
struct Held {
    lines: usize,
    steps: usize,
    /// Its writer was killed within a line or a step.
    cut: bool,
}

/// Makes the folder, and removes what an earlier run recorded there.
pub(super) fn clear(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("trace: {}", folder.display()))?;
    for file in files(folder)? {
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(())
}

/// Reads every trace and prints what is in them. An error when one is malformed, or more are cut than nodes were
/// killed.
pub(super) fn read_all(folder: &Path, killed: usize) -> anyhow::Result<()> {
    let files = files(folder)?;
    let (mut lines, mut steps, mut cut) = (0, 0, 0);
    for file in &files {
        let held = read_one(file).with_context(|| format!("trace: {}", file.display()))?;
        ensure!(held.steps > 0, "trace: {} holds no step", file.display());
        lines += held.lines;
        steps += held.steps;
        cut += usize::from(held.cut);
    }
    ensure!(!files.is_empty(), "no node wrote a trace to {}", folder.display());
    ensure!(cut <= killed, "{cut} traces are cut off, but {killed} nodes were killed");
    let text = format!("{} of {lines} lines, {steps} steps, {cut} cut off by a kill", files.len());
    println!("  {:<22}{text}, in {}", "traces", folder.display());
    Ok(())
}

fn read_one(file: &Path) -> anyhow::Result<Held> {
    let mut held = Held::default();
    for group in groups(read(BufReader::new(File::open(file)?))) {
        match group {
            Ok(Group::Alone(_)) => held.lines += 1,
            Ok(Group::Step { effects, end, .. }) => {
                ensure!(end.event == "Ready", "a node failed: {end:?}");
                held.lines += 2 + effects.len();
                held.steps += 1;
            }
            Err(error) if error.is_cut() => held.cut = true,
            Err(error) => bail!(error),
        }
    }
    Ok(held)
}

/// The files that a run records in a folder, in order of name.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("trace: {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("node-") && name.contains(".life-") && name.ends_with(".ndjson") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
