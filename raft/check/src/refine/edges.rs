//! Every explored step, asked of the specification.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use synod_raft::Ballot;
use synod_sim::explore::cluster::{Action, Budget, Cause, Local, State};
use synod_sim::explore::{End, Explorer, Progress};
use synod_transport::ids::NodeId;
use synod_transport::machine::Machine as _;
use synod_transport::store::LogSummary;
use synod_transport::trace::message;

use super::log::Log;
use super::mail::{Mail, pair};
use super::module::{Constants, Judge, Limits, Module, Refusal, SpecError, Verdict};
use super::scene::{Hint, Image, Memory, Scene, Server, Step};
use crate::Node;
use crate::explore::{Failure, Past, Setup, World, cluster};

/// What came of an exploration under the specification's eyes.
#[derive(Debug)]
pub struct Refined {
    /// Distinct states.
    pub states: u64,
    /// Steps that the specification allowed.
    pub edges: u64,
    /// Wall time.
    pub seconds: f64,
    /// The first step that it refused, if any.
    pub refused: Option<Refusal>,
    /// Why it could not be asked, if so.
    pub error: Option<SpecError>,
}

/// Explores a setup and asks the specification, within the same bounds, about every step.
///
/// # Errors
/// When nothing can be explored or asked.
pub fn edges(
    setup: &Setup,
    threads: usize,
    progress: impl Fn(&Progress) + Sync,
) -> Result<Refined, EdgesError> {
    let world = cluster(setup).map_err(Failure::from)?;
    let module = Module::read()?;
    let judge = module.with(&constants(setup))?;
    let (edges, found) = (AtomicU64::new(0), Mutex::new((None, None)));
    let keep = |refused: Result<Option<Refusal>, SpecError>| {
        let Ok(mut found) = found.lock() else { return };
        match refused {
            Ok(refused) => found.0 = found.0.take().or(refused),
            Err(error) => found.1 = found.1.take().or(Some(error)),
        }
    };
    let report = Explorer::new(&world)
        .threads(threads)
        .max_states(setup.max_states)
        .always("the specification allows every step", |_| {
            // Ends the exploration soon after the first refusal.
            let broken = found.lock().map_or(true, |found| found.0.is_some() || found.1.is_some());
            if broken { Err("a step was refused".to_owned()) } else { Ok(()) }
        })
        .on_edge(|before, action, after| match asked(&world, &judge, before, action, after) {
            Ok(Verdict::Allowed) => {
                edges.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Verdict::Refused(refusal)) => keep(Ok(Some(refusal))),
            Err(error) => keep(Err(error)),
        })
        .on_progress(progress)
        .run()
        .map_err(Failure::from)?;
    let (refused, error) = found.into_inner().unwrap_or_default();
    if report.end != End::Complete && refused.is_none() && error.is_none() {
        return Err(EdgesError::Cut { states: report.states });
    }
    Ok(Refined { states: report.states, edges: edges.into_inner(), seconds: report.seconds, refused, error })
}

/// Why a check of all steps could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EdgesError {
    /// Nothing could be explored.
    #[error(transparent)]
    Explore(#[from] Failure),
    /// The setup's limit of states came before the end.
    #[error("cut off after {states} states")]
    Cut {
        /// How many were visited.
        states: u64,
    },
    /// Nothing could be asked.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// The constants under which the specification describes this world.
pub fn constants(setup: &Setup) -> Constants {
    let bounds = &setup.bounds;
    let name = |slot: usize| slot as u64 + 1;
    let most = |bound: usize| bound as u64;
    Constants {
        servers: (0..bounds.nodes).map(name).collect(),
        pre_votes: setup.pre_vote,
        exact: Some(Limits {
            campaigners: bounds.campaigners.slots().filter(|slot| *slot < bounds.nodes).map(name).collect(),
            loss: bounds.loss,
            max_term: bounds.max_term,
            max_log: bounds.max_log,
            in_flight: most(bounds.in_flight),
            unsynced: most(bounds.unsynced),
            sealed: most(bounds.sealed),
            proposals: bounds.proposals.into(),
            crashes: bounds.crashes.into(),
            duplicates: bounds.duplicates.into(),
            intervals: bounds.intervals.into(),
        }),
    }
}

fn asked(
    world: &World,
    judge: &Judge<'_>,
    before: &State,
    action: &Action,
    after: &State,
) -> Result<Verdict, SpecError> {
    let scenes = scene(world, before).zip(scene(world, after));
    let step = scenes.zip(hint(world, before, action));
    let Some(((before, after), hint)) = step else {
        return Err(SpecError::new("a state of the explorer has no counterpart"));
    };
    judge.check(&Step { hint, before, after })
}

fn hint(world: &World, state: &State, action: &Action) -> Option<Hint> {
    let told = world.tell(state, action)?;
    let server = told.node.get();
    Some(match action.cause {
        Cause::Timeout => Hint::Campaign { server },
        Cause::Interval => Hint::Interval { server },
        Cause::Propose => Hint::Propose { server },
        Cause::Persist(count) => Hint::Persist { server, count: count.into() },
        // The specification counts images that are left, the explorer writes that survive.
        Cause::Crash(survive) => Hint::Crash { server, count: u64::from(survive) + 1 },
        Cause::Deliver(_) => {
            let packet = told.delivered?;
            let message = Mail::read(packet.from.get(), packet.to.get(), &message(&packet.message))?;
            if action.repeated { Hint::Duplicate { message } } else { Hint::Receive { message } }
        }
        Cause::Read(_) => return None,
    })
}

/// A state of the explorer as one of the specification.
pub(crate) fn scene(world: &World, state: &State) -> Option<Scene> {
    let view = world.decode(state)?;
    let past = match &view.memory {
        Ok(past) => Past::clone(past),
        Err(_) => return None,
    };
    let mail = |number: u32| {
        let packet = world.packet(number)?;
        Mail::read(packet.from.get(), packet.to.get(), &message(&packet.message))
    };
    let mut servers = BTreeMap::new();
    for node in &view.nodes {
        servers.insert(node.machine.id().get(), server(node, mail)?);
    }
    let net = view
        .network
        .iter()
        .map(|packet| Mail::read(packet.from.get(), packet.to.get(), &message(&packet.message)))
        .collect::<Option<_>>()?;
    let spent = [Budget::Proposals, Budget::Crashes, Budget::Duplicates, Budget::Intervals];
    let led =
        |term: u64| past.led.iter().find(|(it, _)| it.get() == term).map_or(0, |(_, leader)| leader.get());
    Some(Scene {
        servers,
        net,
        spent: spent.map(|budget| view.spent.get(budget).into()),
        decided: Log::of(past.decided.iter().map(|term| term.get())),
        led: (1..=world.bounds().max_term).map(led).collect(),
    })
}

fn server(node: &Local<Node>, mail: impl Fn(u32) -> Option<Mail>) -> Option<Server> {
    let seals = node.seals.iter().map(|seal| Some((seal.after.into(), mail(seal.packet)?)));
    Some(Server {
        memory: memory(&node.machine.observe(), true)?,
        images: node.images.iter().map(image).collect::<Option<_>>()?,
        seals: seals.collect::<Option<_>>()?,
    })
}

fn image(stored: &LogSummary) -> Option<Image> {
    let ballot = match &stored.hard_state {
        None => Ballot::default(),
        Some(state) => Ballot::decode(state)?,
    };
    let runs = stored.runs.iter().map(|run| (run.term.get(), u64::from(run.count)));
    Some(Image { term: ballot.term.get(), vote: ballot.vote.map_or(0, NodeId::get), log: Log::new(runs) })
}

/// A machine's memory as it shows itself; with what a leader knows of its messages' fates when `exact`.
pub(crate) fn memory(seen: &synod_transport::trace::Value, exact: bool) -> Option<Memory> {
    let number = |name| seen.get(name)?.as_number();
    let list = |name| seen.get(name)?.as_list();
    let ids =
        |name| list(name)?.iter().map(synod_transport::trace::Value::as_number).collect::<Option<Vec<u64>>>();
    let members = ids("members")?;
    let runs = seen.get("log")?.get("runs")?.as_list()?.iter().map(pair).collect::<Option<Vec<_>>>()?;
    let me = (list("flow")?.iter()).position(|flow| flow.as_text() == Some("Self"));
    let others = || members.iter().copied().enumerate().filter(|(slot, _)| Some(*slot) != me);
    let by_member = |values: Vec<u64>| -> BTreeMap<u64, u64> {
        others().filter_map(|(slot, id)| Some((id, *values.get(slot)?))).collect()
    };
    let flow = list("flow")?;
    let flows = others().filter_map(|(slot, id)| Some((id, flow.get(slot)?.as_text()?.to_owned())));
    Some(Memory {
        role: seen.get("role")?.as_text()?.to_owned(),
        term: number("term")?,
        vote: number("vote")?,
        log: Log::new(runs),
        commit: number("commit")?,
        leader: number("leader")?,
        yes: ids("yes")?,
        no: ids("no")?,
        matched: by_member(ids("matched")?),
        next: if exact { by_member(ids("next")?) } else { BTreeMap::new() },
        flow: if exact { flows.collect() } else { BTreeMap::new() },
    })
}
