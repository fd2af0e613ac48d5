//! `cargo xtask validate`: check that runs, simulated or real, are behaviours of the specification: every step of every
//! node is asked of raft/spec/Raft.tla.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use synod_raft::fault::Fault;
use synod_raft_check::refine::{
    Module, TraceError, simulated as simulated_world, validate_processes, validate_world,
};
use synod_raft_check::registry::{Plant, refused};

use crate::Verdict;

/// Without traces it simulates `--seeds` worlds and validates those.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Traces: files of `cargo xtask sim raft --trace`, folders of `cargo xtask demo --trace`.
    traces: Vec<PathBuf>,
    /// How many simulated worlds, of three and five nodes in turn.
    #[arg(long, default_value_t = 20, conflicts_with = "traces")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0, conflicts_with = "traces")]
    from: u64,
    /// Plant this fault: some run must be refused.
    #[arg(long, value_name = "NAME", conflicts_with = "traces")]
    plant: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let module = Module::read()?;
    match (&args.plant, args.traces.as_slice()) {
        (Some(name), _) => planted(&module, args, name),
        (None, []) => simulated(&module, args),
        (None, traces) => recorded(&module, traces),
    }
}

/// Every one must be accepted.
fn recorded(module: &Module, traces: &[PathBuf]) -> Result<Verdict> {
    let mut verdict = Verdict::Holds;
    for path in traces {
        let begun = Instant::now();
        let judged = if path.is_dir() { folder(module, path) } else { file(module, path) };
        match judged? {
            Ok((0, _)) => {
                verdict = Verdict::Broken;
                println!("{}: no step to ask about", path.display());
            }
            Ok((steps, note)) => {
                println!(
                    "{}: {steps} steps allowed{note}, {:.1} s",
                    path.display(),
                    begun.elapsed().as_secs_f64()
                );
            }
            Err(error) => {
                verdict = Verdict::Broken;
                println!("{}: {error}\nagain with: cargo xtask validate {}", path.display(), path.display());
            }
        }
    }
    Ok(verdict)
}

/// Steps and a remark, or why it is refused.
type Judged = Result<(u64, String), TraceError>;

fn file(module: &Module, path: &Path) -> Result<Judged> {
    Ok(validate_world(module, open(path)?).map(|steps| (steps, String::new())))
}

/// The lives of each process of a demo.
fn folder(module: &Module, path: &Path) -> Result<Judged> {
    let processes = lives(path)?;
    ensure!(!processes.is_empty(), "{} has no file like node-1.life-1.ndjson", path.display());
    let files = processes.iter().flat_map(|(_, files)| files);
    let readers = files.map(|(_, file)| open(file)).collect::<Result<Vec<_>>>()?;
    Ok(validate_processes(module, readers).map(|(steps, cut)| {
        (steps, format!(" in {} processes, {cut} of their lives cut off by a kill", processes.len()))
    }))
}

/// A process, with the files of its lives in order.
pub(crate) type Process = (u64, Vec<(u64, PathBuf)>);

/// The files of a folder of `demo --trace`.
pub(crate) fn lives(folder: &Path) -> Result<Vec<Process>> {
    let mut found = std::collections::BTreeMap::<u64, Vec<(u64, PathBuf)>>::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((node, life)) = name.strip_prefix("node-").and_then(|rest| {
            let (node, rest) = rest.split_once(".life-")?;
            Some((node.parse().ok()?, rest.strip_suffix(".ndjson")?.parse().ok()?))
        }) else {
            continue;
        };
        found.entry(node).or_default().push((life, path));
    }
    for files in found.values_mut() {
        files.sort();
    }
    Ok(found.into_iter().collect())
}

fn open(path: &Path) -> Result<BufReader<File>> {
    File::open(path).map(BufReader::new).with_context(|| format!("cannot read {}", path.display()))
}

/// Every simulated run must be accepted.
fn simulated(module: &Module, args: &Args) -> Result<Verdict> {
    ensure!(args.seeds > 0, "--seeds must not be zero");
    let (begun, mut steps) = (Instant::now(), 0);
    for seed in args.from..args.from.saturating_add(args.seeds) {
        match simulated_world(module, seed, if seed % 2 == 0 { 3 } else { 5 }, None) {
            Ok(more) => steps += more,
            Err(error) => {
                println!("seed {seed}: {error}");
                println!("again with: cargo xtask validate --from {seed} --seeds 1");
                return Ok(Verdict::Broken);
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} simulated runs accepted, {steps} steps, {seconds:.1} s", args.seeds);
    Ok(Verdict::Holds)
}

/// Some run must be refused.
fn planted(module: &Module, args: &Args, name: &str) -> Result<Verdict> {
    let Some(fault) = Fault::from_name(name) else { bail!("no fault is called {name}") };
    for seed in args.from..args.from.saturating_add(args.seeds) {
        if let Some(why) = refused(module, Plant::Core(fault), seed)? {
            println!("{name}: refused at seed {seed}: {why}");
            println!("again with: cargo xtask validate --plant {name} --from {seed} --seeds 1");
            return Ok(Verdict::Holds);
        }
    }
    println!("{name}: NOT REFUSED in {} runs; again with: cargo xtask validate --plant {name}", args.seeds);
    Ok(Verdict::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lives_of_each_process_are_found_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in
            ["node-2.life-10.ndjson", "node-2.life-9.ndjson", "node-1.life-1.ndjson", "clients.ndjson"]
        {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let found = lives(folder.path()).expect("a folder that can be read");
        let shown: Vec<(u64, Vec<u64>)> = found
            .iter()
            .map(|(node, files)| (*node, files.iter().map(|(life, _)| *life).collect()))
            .collect();
        assert_eq!(shown, [(1, vec![1]), (2, vec![9, 10])]);
    }

    #[test]
    fn a_trace_that_is_none_is_not_accepted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.ndjson");
        fs::write(&path, "{\"at\":1}\n").expect("a file");
        let module = Module::read().expect("the module");
        assert_eq!(recorded(&module, &[path]).expect("it can be read"), Verdict::Broken);
        assert!(recorded(&module, &[folder.path().join("none.ndjson")]).is_err());
        let empty = folder.path().join("empty.ndjson");
        fs::write(&empty, "").expect("a file");
        assert_eq!(
            recorded(&module, &[empty]).expect("it can be read"),
            Verdict::Broken,
            "nothing is no proof"
        );
    }
}
