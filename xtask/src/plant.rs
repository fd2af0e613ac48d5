//! `cargo xtask plant`: switch on every planted fault and demand that its checker finds it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use synod_raft_check::refine::Module;
use synod_raft_check::registry::{Checker, ENTRIES, Entry, Plant, REFUSED, explore, refused};
use synod_raft_check::run_covered;

use crate::Verdict;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The fault.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every fault of the registry.
    #[arg(long)]
    all: bool,
    /// Only the checkers of this kind.
    #[arg(long, value_parser = ["simulation", "exploration", "traces"], value_name = "KIND")]
    only: Option<String>,
    /// At most this many seeds for each fault, where the registry allows more.
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
}

/// Sizes of the simulated clusters, in the order in which they are tried for each seed.
const SIZES: [u64; 2] = [5, 3];

/// What a checker found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Finding {
    /// Seeds or states needed.
    effort: u64,
    nodes: u64,
    invariant: String,
    text: String,
}

/// One line of the table.
struct Row {
    entry: &'static Entry,
    checker: Checker,
    found: Option<Finding>,
    seconds: f64,
}

impl Row {
    fn is_good(&self) -> bool {
        self.found.as_ref().is_some_and(|found| self.entry.expects(&found.invariant))
    }

    fn kind(&self) -> &'static str {
        kind(self.checker)
    }

    /// What to run to see it again.
    fn again(&self) -> String {
        let name = self.entry.plant.name();
        match (self.checker, &self.found) {
            (Checker::Simulation { .. }, Some(found)) => {
                let (seed, nodes) = (found.effort.saturating_sub(1), found.nodes);
                format!(
                    "cargo xtask sim raft --seed {seed} --nodes {nodes} --plant {name} --trace run.ndjson"
                )
            }
            (Checker::Exploration, Some(_)) => format!("cargo xtask explore raft --plant {name}"),
            (Checker::Traces { .. }, Some(_)) => format!("cargo xtask validate --plant {name}"),
            (checker, None) => format!("cargo xtask plant {name} --only {}", kind(checker)),
        }
    }
}

fn kind(checker: Checker) -> &'static str {
    match checker {
        Checker::Simulation { .. } => "simulation",
        Checker::Exploration => "exploration",
        Checker::Traces { .. } => "traces",
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let entries: Vec<&'static Entry> = match &args.name {
        None => ENTRIES.iter().collect(),
        Some(name) => {
            let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.plant.name()).collect();
            let plant = Plant::from_name(name).and_then(Entry::of);
            vec![
                plant
                    .with_context(|| format!("no fault is called {name}; there are: {}", names.join(", ")))?,
            ]
        }
    };
    let wanted = |checker: &Checker| args.only.as_deref().is_none_or(|only| only == kind(*checker));
    let mut bad = 0;
    let mut rows = 0;
    println!(
        "{:<28} {:<10} {:<12} {:>9} {:>8}  found (planted against)",
        "fault", "scenario", "checker", "effort", "seconds"
    );
    for entry in entries {
        for checker in entry.checkers.iter().copied().filter(wanted) {
            let row = check(entry, checker, args.seeds)?;
            print(&row);
            rows += 1;
            bad += usize::from(!row.is_good());
        }
    }
    ensure!(rows > 0, "no checker of that kind must find this fault");
    println!("{} of {rows} found as the registry says", rows - bad);
    println!("effort: seeds of a simulation or of traces, distinct states of an exploration");
    println!(
        "beside these, the conformance suites refuse broken stores and networks: cargo test -p synod-transport conformance"
    );
    Ok(if bad == 0 { Verdict::Holds } else { Verdict::Broken })
}

fn check(entry: &'static Entry, checker: Checker, most: Option<u64>) -> Result<Row> {
    let begun = Instant::now();
    let found = match checker {
        Checker::Simulation { seeds } => simulate(entry.plant, most.map_or(seeds, |most| most.min(seeds)))?,
        Checker::Exploration => explore(entry.plant, threads())?.map(|found| Finding {
            effort: found.states,
            nodes: 0,
            invariant: found.invariant,
            text: format!("{} steps: {}", found.length, found.text),
        }),
        Checker::Traces { seeds } => trace(entry.plant, most.map_or(seeds, |most| most.min(seeds)))?,
    };
    Ok(Row { entry, checker, found, seconds: begun.elapsed().as_secs_f64() })
}

fn print(row: &Row) {
    let Row { entry, found, seconds, .. } = row;
    let (name, scenario, kind) = (entry.plant.name(), entry.scenario, row.kind());
    let effort = found.as_ref().map_or_else(|| "-".to_owned(), |found| found.effort.to_string());
    let verdict = match found {
        None => format!("NOT FOUND ({})", entry.breaks),
        Some(found) if found.invariant == REFUSED => format!("refused by {REFUSED}"),
        Some(found) if synod_raft_check::registry::same(&found.invariant, entry.breaks) => {
            found.invariant.clone()
        }
        Some(found) if row.is_good() => format!("{} ({}: {})", found.invariant, entry.breaks, entry.because),
        Some(found) => format!("NOT AS EXPECTED: {} ({}): {}", found.invariant, entry.breaks, found.text),
    };
    println!("{name:<28} {scenario:<10} {kind:<12} {effort:>9} {seconds:>8.1}  {verdict}");
    if !row.is_good() {
        println!("    again with: {}", row.again());
    }
}

/// The first seed whose trace the specification refuses.
fn trace(plant: Plant, seeds: u64) -> Result<Option<Finding>> {
    let module = Module::read()?;
    for seed in 0..seeds {
        if let Some(text) = refused(&module, plant, seed)? {
            return Ok(Some(Finding { effort: seed + 1, nodes: 0, invariant: REFUSED.to_owned(), text }));
        }
    }
    Ok(None)
}

/// The finding of the lowest seed, whatever the order in which threads finish.
fn simulate(plant: Plant, seeds: u64) -> Result<Option<Finding>> {
    let next = AtomicU64::new(0);
    let best: Mutex<Option<Finding>> = Mutex::new(None);
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok(());
            }
            let broken = SIZES
                .iter()
                .find_map(|nodes| Some((*nodes, run_covered(seed, *nodes, Some(plant)).0.violation?)));
            let Some((nodes, violation)) = broken else { continue };
            next.store(seeds, Ordering::Relaxed);
            let found = Finding {
                effort: seed + 1,
                nodes,
                invariant: violation.invariant.to_owned(),
                text: violation.text,
            };
            let mut best = best.lock().ok().context("another thread has panicked")?;
            if best.as_ref().is_none_or(|known| found.effort < known.effort) {
                *best = Some(found);
            }
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads()).map(|_| scope.spawn(work)).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(result) => result,
            Err(_) => bail!("a world panicked"),
        })
    })?;
    best.into_inner().ok().context("a thread has panicked")
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(invariant: Option<&str>) -> Row {
        let entry = Entry::of(Plant::from_name("ack-before-sync").expect("there")).expect("listed");
        let found = invariant.map(|invariant| Finding {
            effort: 7,
            nodes: 3,
            invariant: invariant.to_owned(),
            text: String::new(),
        });
        Row { entry, checker: Checker::Simulation { seeds: 10 }, found, seconds: 0.0 }
    }

    #[test]
    fn only_what_the_registry_names_counts_as_found() {
        assert!(row(Some("committed is durable")).is_good());
        assert!(!row(Some("liveness")).is_good());
        assert!(!row(None).is_good());
        assert!(row(Some("x")).again().contains("--seed 6 --nodes 3 --plant ack-before-sync"));
    }

    #[test]
    fn a_fault_shows_in_its_lowest_seed() {
        let plant = Plant::from_name("skips-entries").expect("there");
        let found = simulate(plant, 20).expect("it runs").expect("found");
        let again = simulate(plant, found.effort).expect("it runs").expect("found");
        assert_eq!(again, found);
        assert_eq!(found.invariant, "applied-in-order");
    }

    #[test]
    fn a_fault_that_nobody_finds_breaks_the_run() {
        let args = |name: Option<&str>, only: &str| Args {
            name: name.map(str::to_owned),
            all: name.is_none(),
            only: Some(only.to_owned()),
            seeds: Some(3),
        };
        assert_eq!(run(&args(Some("forget-vote"), "simulation")).expect("it runs"), Verdict::Broken);
        assert_eq!(run(&args(Some("lying-disks"), "simulation")).expect("it runs"), Verdict::Holds);
        assert!(run(&args(Some("lying-disks"), "exploration")).is_err());
        assert!(run(&args(Some("none such"), "simulation")).is_err());
    }
}
