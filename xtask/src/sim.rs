//! `cargo xtask sim`: a protocol in many seeded worlds, with its invariants checked after every step.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use synod_raft_check::coverage::Seen;
use synod_raft_check::registry::Plant;

use crate::{Verdict, pages};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The protocol.
    #[arg(value_parser = ["raft"])]
    protocol: String,
    /// How many seeds, for each size of cluster.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Sizes of the clusters; of one seed that is written or drawn, the first of them.
    #[arg(long, value_delimiter = ',', default_values_t = [3, 5])]
    nodes: Vec<usize>,
    /// Plant a fault, which some seed must find: the run stops there. `all` tries every fault in turn; a name that there
    /// is not lists those that there are.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
    /// Run this seed alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Write everything that happens to this file, a line of JSON each.
    #[arg(long, value_name = "FILE", requires = "seed")]
    trace: Option<PathBuf>,
    /// Draw the world as a page: that of the seed, or the first one in which something broke.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Args {
    /// One size only when one world is to be written or drawn: the first.
    fn sizes(&self) -> &[usize] {
        let one = self.seed.is_some() && (self.trace.is_some() || self.html.is_some());
        let most = if one { 1 } else { self.nodes.len() };
        self.nodes.get(..most).unwrap_or_default()
    }

    fn range(&self) -> Range<u64> {
        match self.seed {
            Some(seed) => seed..seed.saturating_add(1),
            None => self.from..self.from.saturating_add(self.seeds),
        }
    }
}

/// One world to run.
#[derive(Clone, Debug)]
struct World {
    seed: u64,
    nodes: usize,
    plant: Option<String>,
    trace: Option<PathBuf>,
}

impl World {
    /// The line that runs it again.
    fn command(&self) -> String {
        let plant = self.plant.as_ref().map(|name| format!(" --plant {name}")).unwrap_or_default();
        let trace = self.trace.as_deref().unwrap_or_else(|| Path::new("run.ndjson")).display();
        format!("cargo xtask sim raft --seed {} --nodes {}{plant} --trace {trace}", self.seed, self.nodes)
    }

    /// Draws it, where the caller wants it or at the usual place.
    fn draw(&self, html: Option<&Path>) -> Result<()> {
        let world = pages::World { seed: self.seed, nodes: self.nodes as u64, plant: self.plant.as_deref() };
        match html {
            Some(path) => world.draw(path),
            None => world.draw(&pages::usual_place(&world.name())?),
        }
    }
}

/// What came of one world.
#[derive(Clone, Debug, Default)]
struct Report {
    /// Inputs given to machines.
    steps: u64,
    /// Faults injected, by kind.
    faults: BTreeMap<String, u64>,
    /// The invariant that broke, and how.
    violation: Option<String>,
    /// Telling things that happened.
    seen: Vec<&'static str>,
}

/// Runs one Raft world.
fn raft(world: &World) -> Result<Report> {
    let plant = match &world.plant {
        None => None,
        Some(name) => Some(Plant::from_name(name).with_context(|| format!("no fault is called {name}"))?),
    };
    let (outcome, coverage) = match &world.trace {
        None => synod_raft_check::run_covered(world.seed, world.nodes as u64, plant),
        Some(path) => {
            let file =
                std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let out = Box::new(std::io::BufWriter::new(file));
            synod_raft_check::run_covered_traced(world.seed, world.nodes as u64, plant, out)?
        }
    };
    Ok(Report {
        steps: outcome.steps,
        faults: outcome.counts.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
        violation: outcome.violation.map(|violation| violation.to_string()),
        seen: coverage.all().map(Seen::name).collect(),
    })
}

/// The faults that can be planted into Raft.
fn raft_plants() -> Vec<String> {
    Plant::all().map(|plant| plant.name().to_owned()).collect()
}

/// The sum over many worlds.
#[derive(Debug, Default)]
struct Sum {
    worlds: u64,
    steps: u64,
    faults: BTreeMap<String, u64>,
    /// In how many worlds each telling thing happened.
    seen: BTreeMap<&'static str, u64>,
    /// The violation of the lowest seed, whatever the order in which threads finished.
    found: Option<(u64, usize, String)>,
}

impl Sum {
    fn add(&mut self, world: &World, report: Report) {
        self.worlds += 1;
        self.steps += report.steps;
        for (kind, count) in report.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for what in report.seen {
            *self.seen.entry(what).or_default() += 1;
        }
        if let Some(violation) = report.violation {
            let found = (world.seed, world.nodes, violation);
            if self.found.as_ref().is_none_or(|earlier| found < *earlier) {
                self.found = Some(found);
            }
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    ensure!(args.nodes.iter().all(|nodes| (1..=7).contains(nodes)), "--nodes takes sizes of 1 to 7");
    ensure!(!args.range().is_empty(), "--seeds must not be zero");
    ensure!(args.trace.is_none() || args.seed.is_some(), "--trace wants one world: add --seed");
    if args.html.is_some() {
        let one = args.seed.is_some();
        let planted = args.plant.as_deref().is_some_and(|plant| plant != "all");
        ensure!(one || planted, "--html wants one world: add --seed, or --plant with a fault's name");
    }
    match args.plant.as_deref() {
        None => sound(args, raft, &Seen::ALL.iter().map(|what| what.name()).collect::<Vec<_>>()),
        Some("all") => all_plants(args, &raft_plants(), raft),
        Some(name) => {
            let plants = raft_plants();
            ensure!(
                plants.iter().any(|it| it == name),
                "no fault is called {name}; there are: {}",
                plants.join(", ")
            );
            all_plants(args, &[name.to_owned()], raft)
        }
    }
}

/// From so many worlds on, each telling thing must have happened in one of them at least.
const ENOUGH: u64 = 200;

/// Every seed must hold, and together they must have tried everything.
fn sound(args: &Args, runner: fn(&World) -> Result<Report>, telling: &[&'static str]) -> Result<Verdict> {
    let begun = Instant::now();
    let sum = worlds(args, None, runner)?;
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = sum.worlds as f64 / seconds.max(1e-9);
    println!("{} worlds, {} steps, {seconds:.1} s, {rate:.0} seeds per second", sum.worlds, sum.steps);
    for (kind, count) in &sum.faults {
        println!("{count:>12}  {kind}");
    }
    let unseen = coverage(&sum, telling);
    let Some((seed, nodes, violation)) = sum.found else {
        println!("no violation");
        if let (Some(seed), Some(nodes), Some(html)) = (args.seed, args.sizes().first(), &args.html) {
            World { seed, nodes: *nodes, plant: None, trace: None }.draw(Some(html))?;
        }
        if sum.worlds >= ENOUGH && !unseen.is_empty() {
            println!("but these worlds prove little: none had {}", unseen.join(", none "));
            return Ok(Verdict::Broken);
        }
        return Ok(Verdict::Holds);
    };
    let world = World { seed, nodes, plant: None, trace: None };
    println!("violation at seed {seed} of {nodes} nodes: {violation}; again with: {}", world.command());
    world.draw(args.html.as_deref())?;
    Ok(Verdict::Broken)
}

/// Prints the share of worlds in which each telling thing happened; gives those that never did.
fn coverage(sum: &Sum, telling: &[&'static str]) -> Vec<&'static str> {
    println!("share of worlds that had");
    for what in telling {
        let worlds = sum.seen.get(what).copied().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "for people to read")]
        let share = 100.0 * worlds as f64 / sum.worlds.max(1) as f64;
        println!("{share:>10.2} %  {what}");
    }
    telling.iter().copied().filter(|what| !sum.seen.contains_key(what)).collect()
}

/// Every fault must be found.
fn all_plants(args: &Args, names: &[String], runner: fn(&World) -> Result<Report>) -> Result<Verdict> {
    ensure!(!names.is_empty(), "there is no fault to plant");
    let mut missed = 0usize;
    for name in names {
        missed += usize::from(!plant(args, name, runner)?);
    }
    println!("{} of {} planted faults found", names.len() - missed, names.len());
    Ok(if missed == 0 { Verdict::Holds } else { Verdict::Broken })
}

/// Whether some seed finds the fault.
fn plant(args: &Args, name: &str, runner: fn(&World) -> Result<Report>) -> Result<bool> {
    let sum = worlds(args, Some(name), runner)?;
    let Some((seed, nodes, violation)) = sum.found else {
        println!(
            "{name}: NOT FOUND in {} worlds; again with: cargo xtask sim raft --plant {name}",
            sum.worlds
        );
        return Ok(false);
    };
    let world = World { seed, nodes, plant: Some(name.to_owned()), trace: None };
    let seeds = seed - args.range().start + 1;
    println!(
        "{name}: found after {seeds} seeds, {nodes} nodes: {violation}; again with: {}",
        world.command()
    );
    if args.html.is_some() {
        world.draw(args.html.as_deref())?;
    }
    Ok(true)
}

/// Runs worlds on all cores. With a planted fault it takes no new seed once one has found it; lower seeds that other
/// threads hold are finished, so the seed reported is the lowest.
fn worlds(args: &Args, plant: Option<&str>, runner: fn(&World) -> Result<Report>) -> Result<Sum> {
    let range = args.range();
    let next = AtomicU64::new(range.start);
    let sum = Mutex::new(Sum::default());
    let bar = progress(range.end - range.start);
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= range.end {
                return Ok(());
            }
            for nodes in args.sizes() {
                let world =
                    World { seed, nodes: *nodes, plant: plant.map(str::to_owned), trace: args.trace.clone() };
                let report =
                    runner(&world).with_context(|| format!("it did not run: {}", world.command()))?;
                let mut sum = sum.lock().ok().context("another thread has panicked")?;
                sum.add(&world, report);
                if plant.is_some() && sum.found.is_some() {
                    next.store(range.end, Ordering::Relaxed);
                }
            }
            bar.inc(1);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(result) => result,
            Err(_) => bail!("a world panicked"),
        })
    })?;
    bar.finish_and_clear();
    sum.into_inner().ok().context("a thread has panicked")
}

/// A bar for a person; nothing for a file.
fn progress(seeds: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(seeds);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} seeds {eta}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(std::iter::once("sim").chain(line.split(' '))).map(|it| it.args)
    }

    fn toy(world: &World) -> Result<Report> {
        let broken = world.plant.is_some() && world.seed >= 7;
        let violation = broken.then(|| format!("broken at {}", world.seed));
        let seen = if world.seed == 3 { vec!["rare"] } else { Vec::new() };
        Ok(Report { steps: 10, faults: BTreeMap::from([("lost".to_owned(), 2)]), violation, seen })
    }

    #[test]
    fn worlds_that_never_had_a_telling_thing_prove_nothing() {
        let many = args("raft --seeds 100").expect("good");
        assert_eq!(sound(&many, toy, &["rare"]).expect("it runs"), Verdict::Holds);
        assert_eq!(sound(&many, toy, &["rare", "never"]).expect("it runs"), Verdict::Broken);
        let few = args("raft --seeds 99").expect("good");
        assert_eq!(sound(&few, toy, &["rare", "never"]).expect("it runs"), Verdict::Holds);
    }

    #[test]
    fn a_sound_protocol_runs_every_seed_at_every_size() {
        let sum = worlds(&args("raft --seeds 20").expect("good"), None, toy).expect("it runs");
        assert_eq!((sum.worlds, sum.steps, sum.faults.get("lost")), (40, 400, Some(&80)));
        assert_eq!(sum.found, None);
    }

    #[test]
    fn the_lowest_seed_is_reported_and_can_be_run_again() {
        let args = args("raft --seeds 1000 --from 3").expect("good");
        let sum = worlds(&args, Some("toy"), toy).expect("it runs");
        assert_eq!(sum.found, Some((7, 3, "broken at 7".to_owned())));
        assert!(sum.worlds < 2000);
        let world = World { seed: 7, nodes: 3, plant: Some("toy".to_owned()), trace: None };
        let again = world.command();
        let again = args_of(again.strip_prefix("cargo xtask sim ").expect("a command"));
        assert_eq!((again.seed, again.nodes, again.plant.as_deref()), (Some(7), vec![3], Some("toy")));
    }

    fn args_of(line: &str) -> Args {
        args(line).expect("the printed line is understood")
    }

    #[test]
    fn a_fault_that_nobody_finds_breaks_the_run() {
        let few = args("raft --seeds 5").expect("good");
        assert_eq!(all_plants(&few, &["toy".to_owned()], toy).expect("it runs"), Verdict::Broken);
        let many = args("raft --seeds 50").expect("good");
        assert_eq!(all_plants(&many, &["toy".to_owned()], toy).expect("it runs"), Verdict::Holds);
    }

    #[test]
    fn a_world_is_drawn_by_its_seed_or_where_a_planted_fault_was_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let draw = |name: &str, line: &str| {
            let path = folder.path().join(name);
            let args = args(&format!("raft {line} --html {}", path.display())).expect("good");
            assert_eq!(run(&args).expect("it runs"), Verdict::Holds);
            std::fs::read_to_string(path).expect("a page")
        };
        let sound = draw("sound.html", "--seed 7");
        assert!(sound.contains("Seed 7: 3 Raft nodes") && sound.contains(r#""violation":null"#));
        let planted = draw("planted.html", "--plant commit-older-term --seeds 100");
        let said =
            ["One rule is broken on purpose", "A linearizable read must see", "At the red line it broke"];
        assert!(said.iter().all(|sentence| planted.contains(sentence)));
        assert!(planted.contains(r#""violation":["#));
    }

    #[test]
    fn lines_that_mean_nothing_are_refused() {
        assert!(args("paxos").is_err());
        assert!(args("raft --seed 1 --seeds 5").is_err());
        assert!(args("raft --trace x.ndjson").is_err());
        // An option that conflicts with the one that is required takes the requirement away.
        assert!(run(&args("raft --seeds 3 --trace x.ndjson").expect("parses")).is_err());
        assert!(run(&args("raft --seeds 0").expect("parses")).is_err());
    }
}
