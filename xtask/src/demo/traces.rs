//! What the processes and the clients recorded: read back whole, each step closed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use synod_transport::trace::{Group, Line, Value, groups, read};

use super::calls;

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
    let others = [calls::FILE, calls::FAULTS].map(|name| folder.join(name));
    for file in files(folder)?.into_iter().chain(others.into_iter().filter(|file| file.exists())) {
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
    let clients = folder.join(calls::FILE);
    let operations = read_clients(&clients).with_context(|| format!("trace: {}", clients.display()))?;
    println!("  {:<22}{operations} operations, in {}", "clients' trace", clients.display());
    Ok(())
}

/// How many operations there are; each begins, then ends.
fn read_clients(file: &Path) -> anyhow::Result<usize> {
    let mut operations: Vec<bool> = Vec::new();
    let lines: Vec<Line> = read(BufReader::new(File::open(file)?)).collect::<Result<_, _>>()?;
    let start = lines.first().context("it is empty")?;
    ensure!(start.event == "Start" && start.get("unix_nanos").is_some(), "it begins with {start:?}");
    for line in lines.iter().skip(1) {
        let number = line.get("operation").and_then(Value::as_number).context("no operation")?;
        let number = usize::try_from(number)?;
        let count = operations.len();
        match (&*line.event, operations.get_mut(number)) {
            ("Invoke", None) if number == count => operations.push(true),
            ("Complete", Some(open)) if *open => *open = false,
            _ => bail!("out of place: {line:?}"),
        }
    }
    ensure!(operations.iter().all(|open| !open), "an operation has no end");
    Ok(operations.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_recorded_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["node-1.life-1.ndjson", calls::FILE, "notes.txt"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        clear(folder.path()).expect("a folder that can be written");
        let left = fs::read_dir(folder.path()).expect("the folder").map(|it| it.expect("a file").file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["notes.txt"]);
    }

    #[test]
    fn the_trace_of_clients_is_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |lines: &[&str]| {
            let path = folder.path().join(calls::FILE);
            fs::write(&path, lines.join("\n") + "\n").expect("a file");
            read_clients(&path).map_err(|error| error.to_string())
        };
        let start = r#"{"at":0,"node":0,"event":"Start","unix_nanos":9}"#;
        let invoke = r#"{"at":1,"node":0,"event":"Invoke","client":0,"operation":0}"#;
        let complete = r#"{"at":2,"node":0,"event":"Complete","client":0,"operation":0}"#;
        assert_eq!(read(&[start, invoke, complete]), Ok(1));
        assert_eq!(read(&[start, invoke]), Err("an operation has no end".to_owned()));
        for bad in [&[invoke, complete][..], &[start, complete], &[start, invoke, invoke]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(read(&[start, invoke, complete, complete]).is_err(), "an end that comes twice");
    }
}
