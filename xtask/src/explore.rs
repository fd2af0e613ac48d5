//! `cargo xtask explore`: visit every state that the real machines reach in a small world.

use std::io::{BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use synod_raft::fault::Fault;
use synod_raft_check::explore::{Explored, Setup, explore, find_in, setup_for};
use synod_sim::explore::{End, Progress};

use crate::{Verdict, pages};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// The protocol.
    #[arg(value_parser = ["raft"])]
    protocol: String,
    /// How small the world is; the options below change parts of it. For a planted fault the default is its own world.
    #[arg(long, value_parser = ["tiny", "spec", "ci", "full"], value_name = "NAME")]
    bounds: Option<String>,
    /// Members of the cluster.
    #[arg(long)]
    nodes: Option<usize>,
    /// The last term.
    #[arg(long)]
    terms: Option<u64>,
    /// Entries that are proposed in all.
    #[arg(long)]
    entries: Option<u32>,
    /// Length of a log to which nothing more is proposed.
    #[arg(long)]
    log: Option<u64>,
    /// Crashes in all.
    #[arg(long)]
    crashes: Option<u32>,
    /// Messages that are delivered twice, in all.
    #[arg(long)]
    duplicates: Option<u32>,
    /// Intervals after which a leader repeats itself, in all.
    #[arg(long)]
    intervals: Option<u32>,
    /// Reads that are asked for, in all.
    #[arg(long)]
    reads: Option<u32>,
    /// Messages on their way at any moment.
    #[arg(long)]
    in_flight: Option<usize>,
    /// Writes of a node that its disk has not synced.
    #[arg(long)]
    unsynced: Option<usize>,
    /// Messages of a node that wait for its disk.
    #[arg(long)]
    sealed: Option<usize>,
    /// Whether the network loses messages.
    #[arg(long)]
    loss: Option<bool>,
    /// Whether campaigns begin with a pre-vote.
    #[arg(long)]
    pre_vote: Option<bool>,
    /// Whether states that differ only in names of nodes count once.
    #[arg(long)]
    symmetry: Option<bool>,
    /// Threads that step machines. Default: one for each core.
    #[arg(long)]
    threads: Option<usize>,
    /// Where to give up.
    #[arg(long)]
    max_states: Option<u64>,
    /// Plant a fault, which must be found. `all` tries every fault in turn; a name that there is not lists those that there
    /// are.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
    /// Where to write the counterexample, a line of JSON for each thing that happened.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Where to draw the counterexample as a page. Default: beside the lines.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Args {
    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The world that is asked for.
    fn setup(&self, fault: Option<Fault>) -> Setup {
        let mut it = match (self.bounds.as_deref(), fault) {
            (None, Some(fault)) => setup_for(fault),
            (Some("tiny"), _) => Setup::tiny(),
            (Some("spec"), _) => Setup::spec(),
            (Some("full"), _) => Setup::full(),
            _ => Setup::ci(),
        };
        let bounds = &mut it.bounds;
        set(&mut bounds.nodes, self.nodes);
        set(&mut bounds.max_term, self.terms);
        set(&mut bounds.proposals, self.entries);
        set(&mut bounds.max_log, self.log);
        set(&mut bounds.crashes, self.crashes);
        set(&mut bounds.duplicates, self.duplicates);
        set(&mut bounds.intervals, self.intervals);
        set(&mut bounds.reads, self.reads);
        set(&mut bounds.in_flight, self.in_flight);
        set(&mut bounds.unsynced, self.unsynced);
        set(&mut bounds.sealed, self.sealed);
        set(&mut bounds.loss, self.loss);
        set(&mut it.pre_vote, self.pre_vote);
        set(&mut it.symmetric, self.symmetry);
        set(&mut it.max_states, self.max_states);
        it.with(fault)
    }

    /// The line that does it again.
    fn command(&self, fault: Option<Fault>) -> String {
        let mut line = "cargo xtask explore raft".to_owned();
        let mut add = |name: &str, value: Option<String>| {
            line.extend(value.map(|value| format!(" --{name} {value}")));
        };
        add("bounds", self.bounds.clone());
        add("nodes", self.nodes.map(|it| it.to_string()));
        add("terms", self.terms.map(|it| it.to_string()));
        add("entries", self.entries.map(|it| it.to_string()));
        add("log", self.log.map(|it| it.to_string()));
        add("crashes", self.crashes.map(|it| it.to_string()));
        add("duplicates", self.duplicates.map(|it| it.to_string()));
        add("intervals", self.intervals.map(|it| it.to_string()));
        add("reads", self.reads.map(|it| it.to_string()));
        add("in-flight", self.in_flight.map(|it| it.to_string()));
        add("unsynced", self.unsynced.map(|it| it.to_string()));
        add("sealed", self.sealed.map(|it| it.to_string()));
        add("loss", self.loss.map(|it| it.to_string()));
        add("pre-vote", self.pre_vote.map(|it| it.to_string()));
        add("symmetry", self.symmetry.map(|it| it.to_string()));
        add("max-states", self.max_states.map(|it| it.to_string()));
        add("plant", fault.map(|fault| fault.name().to_owned()));
        line
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    match args.plant.as_deref() {
        None => sound(args),
        Some("all") => plant(args, Fault::ALL),
        Some(name) => {
            let names = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
            let fault = Fault::from_name(name)
                .with_context(|| format!("no fault is called {name}; there are: {}", names()))?;
            plant(args, &[fault])
        }
    }
}

/// The core as it is: everything must hold, and enough must have happened.
fn sound(args: &Args) -> Result<Verdict> {
    let setup = args.setup(None);
    let threads = args.threads();
    println!("{}", describe(&setup, threads));
    let before = cpu_time();
    let bar = progress();
    let explored = explore(&setup, threads, |progress| show(&bar, progress));
    bar.finish_and_clear();
    let explored = explored?;
    print!("{}", explored.report);
    let cpu = cpu_time().zip(before).map(|(now, before)| now.saturating_sub(before));
    print_cost(&explored, cpu);
    if let Some(breach) = explored.broken() {
        println!("\n{breach}\n");
        tell(args, &explored, None)?;
        return Ok(Verdict::Broken);
    }
    let unseen: Vec<_> = explored.unseen().into_iter().filter(|name| expected(&setup, name)).collect();
    if explored.report.end == End::Complete && !unseen.is_empty() {
        println!("never seen: {}; again with: {}", unseen.join(", "), args.command(None));
        return Ok(Verdict::Broken);
    }
    if explored.report.end != End::Complete {
        bail!("cut off before everything was visited, so nothing is decided: raise --max-states");
    }
    println!("everything holds; again with: {}", args.command(None));
    Ok(Verdict::Holds)
}

/// Whether a world as large as this one must show it.
fn expected(setup: &Setup, sight: &str) -> bool {
    let bounds = &setup.bounds;
    match sight {
        "a read is answered" => bounds.reads > 0,
        "a crash loses a vote" | "a crash loses entries" => bounds.crashes > 0,
        "a leader is elected" | "an entry is committed" => true,
        _ => bounds.max_term > 1,
    }
}

/// Each fault must be found.
fn plant(args: &Args, faults: &[Fault]) -> Result<Verdict> {
    let one = args.trace.is_none() && args.html.is_none() || faults.len() == 1;
    ensure!(one, "--trace and --html want one fault");
    println!("{:<26} {:>5} {:>10} {:>8}  property", "fault", "steps", "states", "seconds");
    let mut missed = 0usize;
    for fault in faults {
        let Some(found) = find_in(&args.setup(Some(*fault)), *fault, args.threads())? else {
            missed += 1;
            println!("{:<26} NOT FOUND; again with: {}", fault.name(), args.command(Some(*fault)));
            continue;
        };
        let (name, property) = (fault.name(), found.invariant);
        println!("{name:<26} {:>5} {:>10} {:>8.2}  {property}", found.length, found.states, found.seconds);
        if faults.len() == 1 {
            println!("\n{property}: {}\n", found.text);
            tell(args, &found.explored, Some(*fault))?;
        }
    }
    println!("{} of {} planted faults found", faults.len() - missed, faults.len());
    Ok(if missed == 0 { Verdict::Holds } else { Verdict::Broken })
}

/// Prints the counterexample and saves it.
fn tell(args: &Args, explored: &Explored, fault: Option<Fault>) -> Result<()> {
    let path = explored.counterexample().context("what is broken has a counterexample")?;
    println!("{}", explored.world.tale(path));
    let file = match &args.trace {
        Some(file) => file.clone(),
        None => {
            let name = fault.map_or_else(|| "raft".to_owned(), |fault| format!("raft-{}", fault.name()));
            crate::workspace_root()?.join("target/explore").join(name).with_extension("ndjson")
        }
    };
    if let Some(folder) = file.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let out = std::fs::File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
    explored.world.write_trace(path, BufWriter::new(out))?;
    println!("saved as {}; again with: {}", file.display(), args.command(fault));
    draw(args, explored, fault, &file)
}

/// Draws the counterexample that was saved as `file`.
fn draw(args: &Args, explored: &Explored, fault: Option<Fault>, file: &Path) -> Result<()> {
    let run = synod_picture::read_file(file)?;
    let scene = format!(
        "The shortest way to break an invariant that {} real Raft nodes can go when messages are lost and come in any \
         order, disks take their time and power fails at any moment: every way was tried.",
        explored.world.members().ids().len()
    );
    let plant = fault.map(synod_raft_check::registry::Plant::Core);
    let look = synod_picture::Look {
        title: fault.map_or("A counterexample", Fault::name).to_owned(),
        story: pages::story(&run, &scene, plant),
        command: args.command(fault),
        open_at: "axis=order&open=violation".to_owned(),
        ..synod_picture::Look::default()
    };
    let beside = file.with_extension("html");
    pages::write(&run, &look, args.html.as_deref().unwrap_or(&beside))
}

fn describe(setup: &Setup, threads: usize) -> String {
    let bounds = &setup.bounds;
    format!(
        "{} nodes, {} terms, {} entries, logs to {}, {} on their way{}, {} unsynced, {} sealed; {} crashes, {} duplicates, \
         {} intervals, {} reads; pre-vote {}; {}; {threads} threads",
        bounds.nodes,
        bounds.max_term,
        bounds.proposals,
        bounds.max_log,
        bounds.in_flight,
        if bounds.loss { " and lost" } else { "" },
        bounds.unsynced,
        bounds.sealed,
        bounds.crashes,
        bounds.duplicates,
        bounds.intervals,
        bounds.reads,
        if setup.pre_vote { "on" } else { "off" },
        if setup.symmetric { "names of nodes do not matter" } else { "every name its own state" },
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_cost(explored: &Explored, cpu: Option<Duration>) {
    let tables = explored.tables();
    println!(
        "  met {} nodes, {} messages, {} reactions, {} pasts; judged {} combinations",
        tables.nodes, tables.messages, tables.reactions, tables.memories, tables.judgements
    );
    if let Some(cpu) = cpu {
        let rate = explored.report.states as f64 / cpu.as_secs_f64().max(1e-3);
        println!("  {:.1} s of processor time: {rate:.0} states per second and core", cpu.as_secs_f64());
    }
    if let Some(kib) = peak_memory_kib() {
        println!("  {} MiB at most", kib / 1024);
    }
}

/// Time that this process has had on processors, where Linux tells.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold spaces; user and system time are the 12th and 13th fields behind it, in hundredths.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(10 * (user + system)))
}

fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A spinner for a person; nothing for a file: nobody knows how many states there are.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_message(format!(
        "{} states, {} to follow, depth {}, {:.0} states per second",
        progress.states,
        progress.queue,
        progress.depth,
        progress.states_per_second()
    ));
    bar.tick();
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
        Line::try_parse_from(std::iter::once("explore").chain(line.split(' '))).map(|it| it.args)
    }

    #[test]
    fn options_change_the_named_bounds() {
        let it =
            args("raft --bounds tiny --crashes 2 --loss false --symmetry true").expect("good").setup(None);
        assert_eq!((it.bounds.crashes, it.bounds.loss, it.symmetric), (2, false, true));
        assert_eq!(it.bounds.max_log, Setup::tiny().bounds.max_log);
        assert!(args("raft --bounds huge").is_err());
        assert!(args("paxos").is_err());
    }

    #[test]
    fn the_printed_line_asks_for_the_same_world() {
        let line = "raft --bounds spec --in-flight 2 --duplicates 1 --pre-vote false --max-states 9 --plant forget-vote";
        let first = args(line).expect("good");
        let fault = Some(Fault::ForgetVote);
        let again = first.command(fault);
        let again = args(again.strip_prefix("cargo xtask explore ").expect("a command")).expect("good");
        assert_eq!(again.setup(fault), first.setup(fault));
        assert_eq!(again.plant.as_deref(), Some("forget-vote"));
    }

    #[test]
    fn a_fault_is_found_in_its_own_world_and_not_in_one_that_is_too_small() {
        let own = args("raft --plant forget-vote").expect("good");
        assert_eq!(
            plant(&own, &[Fault::DenialCountsAsVote, Fault::ForgetVote]).expect("it runs"),
            Verdict::Holds
        );
        let small = args("raft --plant forget-vote --in-flight 0").expect("good");
        assert_eq!(plant(&small, &[Fault::ForgetVote]).expect("it runs"), Verdict::Broken);
    }

    #[test]
    fn a_world_in_which_nothing_happens_breaks_the_run() {
        let silent = args("raft --bounds tiny --in-flight 0").expect("good");
        assert_eq!(sound(&silent).expect("it runs"), Verdict::Broken);
        let tiny = args("raft --bounds tiny").expect("good");
        assert_eq!(sound(&tiny).expect("it runs"), Verdict::Holds);
    }
}
