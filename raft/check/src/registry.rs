//! Every planted fault, the invariant that it breaks, and the checkers that must find it.
//!
//! A fault of the core hangs on a type parameter of [`Raft`](synod_raft::Raft); one of the driver is an option of the
//! simulated world. Neither can be in a program that is made for use: see `raft/check/tests/planted.rs`.

use synod_raft::fault::Fault;
use synod_sim::options::DriverFault;

use crate::explore;
use crate::refine::{Module, RunError, TraceError, simulated};

/// A deviation that can be planted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Plant {
    /// Into the machine.
    Core(Fault),
    /// Into the simulated driver or its disks.
    Driver(DriverFault),
}

impl Plant {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let core = Fault::ALL.iter().copied().map(Self::Core);
        core.chain(DriverFault::ALL.iter().copied().map(Self::Driver))
    }

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core(fault) => fault.name(),
            Self::Driver(fault) => fault.name(),
        }
    }

    /// What is done instead of what should be, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Core(fault) => fault.about(),
            Self::Driver(fault) => fault.about(),
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|plant| plant.name() == name)
    }
}

/// What must find a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checker {
    /// Seeded worlds of five nodes and of three, at most this many seeds.
    Simulation {
        /// The most seeds.
        seeds: u64,
    },
    /// Every state of a small world.
    Exploration,
    /// The traces of worlds of three and five nodes in turn, asked of the specification: at most this many seeds.
    Traces {
        /// The most seeds.
        seeds: u64,
    },
}

/// One planted fault.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is planted.
    pub plant: Plant,
    /// The scenario that it comes from: an id of `raft/tests/README.md`, or a section of the paper.
    pub scenario: &'static str,
    /// The invariant it is planted against.
    pub breaks: &'static str,
    /// Other invariants that may be the first to show it.
    pub or: &'static [&'static str],
    /// Why they may; empty when there are none.
    pub because: &'static str,
    /// Who must find it, each for itself.
    pub checkers: &'static [Checker],
}

impl Entry {
    /// Whether this invariant's breaking is what the entry says.
    pub fn expects(&self, invariant: &str) -> bool {
        invariant == REFUSED || core::iter::once(&self.breaks).chain(self.or).any(|it| same(it, invariant))
    }

    /// The entry of a fault.
    pub fn of(plant: Plant) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.plant == plant)
    }
}

/// Invariants of worlds are named with hyphens, those of the paper with spaces.
pub fn same(one: &str, other: &str) -> bool {
    one.chars().map(plain).eq(other.chars().map(plain))
}

fn plain(letter: char) -> char {
    if letter == '-' { ' ' } else { letter }
}

/// What an exploration found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explored {
    /// Distinct states until then.
    pub states: u64,
    /// Steps of the counterexample.
    pub length: usize,
    /// The invariant.
    pub invariant: String,
    /// What is wrong.
    pub text: String,
}

/// Explores the small world of a fault. `None` when nothing shows, or the fault is not one of the core.
///
/// # Errors
/// When nothing can be explored.
pub fn explore(plant: Plant, threads: usize) -> Result<Option<Explored>, explore::Failure> {
    let Plant::Core(fault) = plant else { return Ok(None) };
    let found = explore::find(fault, threads)?;
    Ok(found.map(|found| Explored {
        states: found.states,
        length: found.length,
        invariant: found.invariant.to_owned(),
        text: found.text,
    }))
}

/// The name under which the refusal of a step counts.
pub const REFUSED: &str = "the specification";

/// Asks the specification about the trace of a world with this fault: why it is refused, if it is. The specification knows of
/// no driver, so only faults of the core are planted.
///
/// # Errors
/// When the trace or the specification cannot be read.
pub fn refused(module: &Module, plant: Plant, seed: u64) -> Result<Option<String>, TraceError> {
    let Plant::Core(fault) = plant else { return Ok(None) };
    match simulated(module, seed, if seed % 2 == 0 { 3 } else { 5 }, Some(fault)) {
        Ok(_) => Ok(None),
        Err(TraceError::Run(error)) if !matches!(error, RunError::Spec(_)) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

const SIM: &[Checker] = &[Checker::Simulation { seeds: 3_000 }];
const BOTH: &[Checker] = &[Checker::Simulation { seeds: 3_000 }, Checker::Exploration];
const TRACES: Checker = Checker::Traces { seeds: 40 };
const EACH: &[Checker] = &[Checker::Simulation { seeds: 3_000 }, Checker::Exploration, TRACES];
/// Does harm only on a course that worlds hardly ever take.
const RARE: &[Checker] = &[Checker::Exploration, TRACES];

const FOLLOWS: &str = "one follows from the other; which a run meets first depends on its course";
const SELF: &str = "with debug assertions the core checks these itself and refuses to go on: `machine`";
const READS: &str = "a commit index that proves nothing also begins the waiting reads, and these show it far more often \
    than figure 8 comes about";

const fn core(
    fault: Fault,
    scenario: &'static str,
    or: &'static [&'static str],
    because: &'static str,
    checkers: &'static [Checker],
) -> Entry {
    Entry { plant: Plant::Core(fault), scenario, breaks: fault.breaks(), or, because, checkers }
}

const fn driver(fault: DriverFault, scenario: &'static str, breaks: &'static str) -> Entry {
    Entry { plant: Plant::Driver(fault), scenario, breaks, or: &[], because: "", checkers: SIM }
}

const DURABLE: &str = "committed is durable";
const COMPLETE: &str = "leader completeness";
const MACHINE: &str = "machine";

/// Every entry.
pub const ENTRIES: &[Entry] = &[
    core(Fault::VoteNotPersisted, "raft_s01", &[], "", EACH),
    core(Fault::ForgetVote, "raft_s02", &[], "", EACH),
    core(Fault::DenialCountsAsVote, "raft_s04", &[COMPLETE], FOLLOWS, EACH),
    core(Fault::AckBeforeSync, "raft_s05", &[MACHINE], SELF, EACH),
    core(Fault::SelfAckBeforeSync, "raft_s06", &[], "", EACH),
    core(Fault::TermNotPersisted, "raft_s07", &[], "", EACH),
    core(Fault::CountDuplicateVotes, "raft_s08", &[COMPLETE], FOLLOWS, EACH),
    core(Fault::CommitOlderTerm, "raft_s09", &["read freshness"], READS, EACH),
    core(Fault::QuorumOffByOne, "raft_s10", &[], "", EACH),
    core(Fault::OldAcknowledgementCounts, "raft_s11", &[COMPLETE], FOLLOWS, RARE),
    core(Fault::HintCountsAsMatch, "raft_s13", &[COMPLETE], FOLLOWS, EACH),
    core(Fault::TruncateUnconditionally, "raft_s14", &[MACHINE, DURABLE, COMPLETE], SELF, EACH),
    core(Fault::StaleDurableIndex, "raft_s18", &[MACHINE, DURABLE], SELF, EACH),
    core(Fault::CompareLengthFirst, "raft_s20", &[], "", BOTH),
    core(Fault::ReuseReadToken, "raft_s27", &[], "", BOTH),
    core(Fault::ReadBeforeOwnCommit, "raft_s29", &[], "", BOTH),
    core(Fault::ReadWithoutQuorum, "raft_s30", &[], "", BOTH),
    core(Fault::IgnoreLogInVote, "5.4.1", &[], "", EACH),
    core(Fault::CommitBeyondMatch, "5.3", &["state machine safety"], FOLLOWS, EACH),
    core(Fault::SkipPreviousCheck, "5.3", &["state machine safety"], FOLLOWS, BOTH),
    core(Fault::LeaderTruncates, "figure 3", &[], "", EACH),
    driver(DriverFault::LyingDisks, "raft_s05", "no promise before sync"),
    driver(DriverFault::TornWritesKept, "recovery", "state machine safety"),
    driver(DriverFault::SkipsEntries, "raft_s17", "applied in order"),
    driver(DriverFault::RepeatsEntries, "raft_s17", "applied in order"),
    driver(DriverFault::AnswersByIndex, "section 8", "durability"),
];
