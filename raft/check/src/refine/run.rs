//! The trace of a run, asked of the specification step by step.
//!
//! A step of one server speaks of that server, the message it takes and those it sends; what the others do meanwhile is
//! nothing to it. So each step is asked about on its own, with a network that holds just these messages. Of a long log only
//! the window that the step speaks of is shown: the rest is the same before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use synod_raft::fault::Fault;

use synod_transport::trace::{Group, Line, ReadError, Value as Seen, groups, read};

use super::edges::memory;
use super::life::Life;
use super::mail::Mail;
use super::module::{Constants, Judge, Module, Refusal, SpecError, Verdict};
use super::scene::{Hint, Image, Memory, Scene, Server, Step};
use super::window::narrowed;
use crate::run_traced;

/// Follows one run: a world's trace, or the traces of one process after another.
#[derive(Debug)]
pub struct Run<'m> {
    module: &'m Module,
    judges: BTreeMap<bool, Judge<'m>>,
    pre_votes: Option<bool>,
    lives: BTreeMap<u64, Life>,
    leaders: BTreeMap<u64, u64>,
    said: Option<Said>,
    steps: u64,
}

/// Why a run is not one of the specification's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A step is not allowed.
    #[error("at {at} ns, step {number}: {refusal}")]
    Refused {
        /// When.
        at: u64,
        /// The number of the step in the run.
        number: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// What the lines say does not fit together, or breaks what the specification takes for granted.
    #[error("at {at} ns, node {node}: {text}")]
    Unfit {
        /// When.
        at: u64,
        /// Where.
        node: u64,
        /// What.
        text: String,
    },
    /// The specification could not be asked.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// What was ever said, to find messages that nobody sent.
#[derive(Debug, Default)]
struct Said {
    whole: BTreeSet<Mail>,
    appends: BTreeMap<(u64, u64), Vec<Mail>>,
}

impl<'m> Run<'m> {
    /// A run of which nothing is known yet.
    pub const fn new(module: &'m Module) -> Self {
        Self {
            module,
            judges: BTreeMap::new(),
            pre_votes: None,
            lives: BTreeMap::new(),
            leaders: BTreeMap::new(),
            said: None,
            steps: 0,
        }
    }

    /// The same for a trace that holds every step of every server: then each message that is received must have been sent.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.said = Some(Said::default());
        self
    }

    /// How many steps were allowed.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes the next group of lines.
    ///
    /// # Errors
    /// When the step is not allowed, the lines do not fit together, or the specification cannot be asked.
    pub fn follow(&mut self, group: &Group) -> Result<(), RunError> {
        match group {
            Group::Alone(line) if line.event == "InitState" => self.begin(line),
            Group::Alone(line) if line.event == "Crash" => {
                let survived = line.get("survived").and_then(Seen::as_number).unwrap_or(0);
                if let Some(life) = self.lives.get_mut(&line.node) {
                    life.survived = survived;
                }
                Ok(())
            }
            Group::Alone(_) => Ok(()),
            Group::Step { input, effects, end } => self.step(input, effects, end),
        }
    }

    /// A life begins: from nothing, or from what a crash has left.
    fn begin(&mut self, line: &Line) -> Result<(), RunError> {
        let node = line.node;
        let state = line.state.as_ref().and_then(|state| memory(state, false));
        let Some(found) = state else { return Err(unfit(line, "a state that is none of Raft's")) };
        self.judges_for(line)?;
        let life = Life::begin(found.image());
        if life.memory != found {
            return Err(unfit(line, "a server begins with more than its disk holds"));
        }
        let image = found.image();
        let before = self.lives.insert(node, life.clone());
        let Some(before) = before else {
            let nothing = image == Image::default() || self.said.is_none();
            return if nothing {
                Ok(())
            } else {
                Err(unfit(line, "a first life does not begin with nothing"))
            };
        };
        if before.tail_lost {
            let rises = before.may_leave(&image);
            return if rises {
                Ok(())
            } else {
                Err(unfit(line, "a server begins without its durable ballot"))
            };
        }
        let kept =
            before.images.iter().zip(1..).find(|((_, it), count)| *count > before.survived && *it == image);
        let Some((_, count)) = kept else {
            return Err(unfit(line, "a server begins with what was not on its disk"));
        };
        let decided = before.memory.log.front(before.memory.commit);
        let scene = |server: Server, crashes| Scene {
            servers: BTreeMap::from([(node, server)]),
            spent: [0, crashes, 0, 0],
            decided: decided.clone(),
            ..Scene::default()
        };
        let (from, to) = (scene(before.server(), 0), scene(life.server(), 1));
        self.ask(line, &Step { hint: Hint::Crash { server: node, count }, before: from, after: to }, &[])
    }

    fn judges_for(&mut self, line: &Line) -> Result<(), RunError> {
        if !self.judges.is_empty() {
            return Ok(());
        }
        let members = line.state.as_ref().and_then(|state| state.get("members")?.as_list());
        let servers: Option<Vec<u64>> =
            members.and_then(|members| members.iter().map(Seen::as_number).collect());
        let Some(servers) = servers else { return Err(unfit(line, "a state without members")) };
        for pre_votes in [false, true] {
            let constants = Constants { servers: servers.clone(), pre_votes, exact: None };
            self.judges.insert(pre_votes, self.module.with(&constants)?);
        }
        Ok(())
    }

    fn step(&mut self, input: &Line, effects: &[Line], end: &Line) -> Result<(), RunError> {
        let node = input.node;
        let Some(life) = self.lives.get_mut(&node) else {
            return Err(unfit(input, "a step of a server that has not begun"));
        };
        if end.event == "Failed" {
            // A disk that failed ends a life without a step; an invariant that broke ends the run.
            let error = end.get("error").and_then(Seen::as_text).unwrap_or("nothing");
            return if error.starts_with("invariant broken") { Err(unfit(end, error)) } else { Ok(()) };
        }
        let Some(after) = end.state.as_ref().and_then(|state| memory(state, false)) else {
            return Err(unfit(end, "a state that is none of Raft's"));
        };
        let received = match input.event.starts_with("Receive") {
            true => {
                Some(Mail::of_line(input).ok_or_else(|| unfit(input, "a message that is none of Raft's"))?)
            }
            false => None,
        };
        let mut first = life.server();
        let through = input.get("through").and_then(Seen::as_number);
        let durable = through.map_or(0, |through| life.receipt(through));
        let out = life.take(input, effects, after)?;
        // Seals that stay though they are covered wait behind others; see `Life::server`.
        for (after, _) in first.seals.iter_mut().skip(out.opened.len()) {
            *after = (*after).max(durable + 1);
        }
        let second = life.server();
        if !end.state.as_ref().is_some_and(|state| life.agrees_with(state)) {
            return Err(unfit(
                end,
                "what the server says of its disk is not what its writes and receipts say",
            ));
        }
        let hint = hint(input, effects, received.as_ref(), [&first.memory, &second.memory], durable);
        let sent: Vec<Mail> = out.opened.into_iter().chain(out.sent).collect();
        if let Some(mail) = &received {
            if self.said.as_ref().is_some_and(|said| !said.holds(mail)) {
                return Err(unfit(input, "a message that nobody sent"));
            }
        }
        let scene = |server: &Server, knows: &Memory, net: Vec<Mail>| Scene {
            servers: BTreeMap::from([(node, server.clone())]),
            net,
            decided: knows.log.front(knows.commit),
            ..Scene::default()
        };
        let grown = if second.memory.commit > first.memory.commit { &second.memory } else { &first.memory };
        let before = scene(&first, &first.memory, received.iter().cloned().collect());
        let step = Step { hint, before, after: scene(&second, grown, sent.clone()) };
        self.one_leader(end, &second.memory)?;
        let named: Vec<&Mail> = received.iter().chain(&sent).collect();
        self.ask(input, &step, &named)?;
        self.note_sent(sent);
        Ok(())
    }

    fn ask(&mut self, line: &Line, step: &Step, named: &[&Mail]) -> Result<(), RunError> {
        if let (Hint::Campaign { server }, None) = (&step.hint, self.pre_votes) {
            let role = step.after.servers.get(server).map(|server| server.memory.role.as_str());
            self.pre_votes = Some(role == Some("PreCandidate"));
        }
        let Some(judge) = self.judges.get(&self.pre_votes.unwrap_or(true)) else {
            return Err(unfit(line, "a step before any server has begun"));
        };
        self.steps += 1;
        match judge.check(&narrowed(step, named))? {
            Verdict::Allowed => Ok(()),
            Verdict::Refused(refusal) => {
                Err(RunError::Refused { at: line.at, number: self.steps, refusal: Box::new(refusal) })
            }
        }
    }

    fn note_sent(&mut self, sent: Vec<Mail>) {
        let Some(said) = &mut self.said else { return };
        for mail in sent {
            if mail.kind == "Append" {
                said.appends.entry((mail.from, mail.to)).or_default().push(mail);
            } else {
                said.whole.insert(mail);
            }
        }
    }

    /// "At most one leader can be elected in a given term."
    fn one_leader(&mut self, line: &Line, memory: &Memory) -> Result<(), RunError> {
        if memory.role != "Leader" {
            return Ok(());
        }
        let first = *self.leaders.entry(memory.term).or_insert(line.node);
        if first == line.node {
            return Ok(());
        }
        Err(unfit(line, &format!("nodes {first} and {} lead term {}", line.node, memory.term)))
    }
}

/// Asks about every step of a world's whole trace: how many steps there were.
///
/// # Errors
/// The first step that is not allowed, or what is wrong with the trace.
pub fn validate_world(module: &Module, lines: impl io::BufRead) -> Result<u64, TraceError> {
    let mut run = Run::new(module).whole();
    for group in groups(read(lines)) {
        run.follow(&group?)?;
    }
    Ok(run.steps())
}

/// Simulates a world and asks about every step of it: how many there were.
///
/// # Errors
/// The first step that is not allowed, or what is wrong with the trace.
pub fn simulated(module: &Module, seed: u64, nodes: u64, plant: Option<Fault>) -> Result<u64, TraceError> {
    let lines = Lines::default();
    run_traced(seed, nodes, plant, Box::new(lines.clone())).map_err(TraceError::Write)?;
    let bytes = core::mem::take(&mut *lines.0.lock().unwrap_or_else(PoisonError::into_inner));
    validate_world(module, bytes.as_slice())
}

/// A trace in memory, shared with the world that writes it.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks about every step of the processes of one cluster, each life after life. A life that was killed may end in the
/// middle of a line; what the next one finds is then known in part only. How many steps there were, and how many lives
/// were cut off.
///
/// # Errors
/// The first step that is not allowed, or what is wrong with a trace.
pub fn validate_processes<R: io::BufRead>(
    module: &Module,
    lives: impl IntoIterator<Item = R>,
) -> Result<(u64, u64), TraceError> {
    let (mut run, mut cut) = (Run::new(module), 0);
    for life in lives {
        for group in groups(read(life)) {
            match group {
                Ok(group) => run.follow(&group)?,
                Err(error) if error.is_cut() => cut += 1,
                Err(error) => return Err(error.into()),
            }
        }
        // A kill loses the last lines even where the file ends with a whole one.
        run.lives.values_mut().for_each(|life| life.tail_lost = true);
    }
    Ok((run.steps(), cut))
}

/// Why a trace was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// It could not be written.
    #[error("the trace could not be written: {0}")]
    Write(#[source] io::Error),
    /// It is no trace.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is none of the specification's.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Said {
    fn holds(&self, mail: &Mail) -> bool {
        if mail.kind != "Append" {
            return self.whole.contains(mail);
        }
        let sent = self.appends.get(&(mail.from, mail.to));
        sent.is_some_and(|sent| sent.iter().rev().any(|whole| mail.is_piece_of(whole)))
    }
}

/// Which action a step is. The specification decides whether it is a rightful one.
fn hint(
    input: &Line,
    effects: &[Line],
    received: Option<&Mail>,
    [before, after]: [&Memory; 2],
    durable: u64,
) -> Hint {
    let server = input.node;
    let silent = !effects.iter().any(|line| line.event.starts_with("Send") || line.event == "Seal");
    let proposed = after.log.len().saturating_sub(before.log.len());
    match (input.event.as_str(), received) {
        (_, Some(mail)) if mail.kind == "Vote" && mail.term() > before.term && before == after && silent => {
            Hint::Ignore { message: mail.clone() }
        }
        (_, Some(mail)) => Hint::Receive { message: mail.clone() },
        ("Persisted", _) => Hint::Persist { server, count: durable },
        ("Propose", _) if proposed > 0 => Hint::ProposeMany { server, count: proposed },
        ("Wake", _) if before.role == "Leader" && after.role != "Leader" => Hint::Resign { server },
        ("Wake" | "Command", _) if before.role != "Leader" && (!silent || before != after) => {
            Hint::Campaign { server }
        }
        _ => Hint::Quiet { server },
    }
}

/// Lines that do not fit together.
pub(super) fn unfit(line: &Line, text: &str) -> RunError {
    RunError::Unfit { at: line.at, node: line.node, text: text.to_owned() }
}
