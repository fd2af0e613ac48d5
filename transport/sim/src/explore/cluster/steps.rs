//! What can happen next in a world.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use synod_transport::explore::Explorable;
use synod_transport::ids::Tag;
use synod_transport::machine::{Event, Role};

use super::bounds::{Budget, Spent};
use super::local::{Local, Outcome, Packet, Reacting, Stuck};
use super::state::State;
use super::watch::{Breach, Cause, Step, Watch};
use super::{Cluster, LocalEntry};

/// What happened in a step of the world. [`Cluster::tell`] says it in words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Action {
    /// To whom: the node's slot.
    pub slot: u8,
    /// What.
    pub cause: Cause,
    /// Whether the network keeps the message that is delivered.
    pub repeated: bool,
    /// Which of the messages that the step sends enter the network, a bit each; the others are lost.
    pub entered: u32,
}

/// What an input does to a node. The first of the table stands for "cannot happen".
#[derive(Default)]
pub(crate) struct Reaction {
    pub(crate) after: u32,
    /// In rising order.
    pub(crate) sends: Box<[u32]>,
    pub(crate) events: Box<[Event]>,
    /// The number of the breach, if the step itself is one.
    pub(crate) breach: Option<u32>,
    /// Whether those who watch must be told.
    news: bool,
    sights: u64,
    /// The node it was, and what happened.
    origin: Option<(u32, Cause)>,
}

/// The reaction that cannot be.
const IMPOSSIBLE: u32 = 0;
/// Marks an answer of the memo of memories as a breach.
const BREACH: u32 = 1 << 31;

/// A step under way: everything but what the network does with its messages.
#[derive(Clone, Copy)]
struct Under<'a> {
    state: &'a State,
    slot: usize,
    cause: Cause,
    reaction: u32,
    /// Where in the network the delivered message stands, if it leaves.
    leaves: Option<usize>,
    repeated: bool,
    spent: Spent,
}

impl<M: Explorable, W: Watch<M>> Cluster<M, W> {
    pub(crate) fn all_steps(&self, state: &State, out: &mut Vec<(Action, State)>) {
        let Ok(memory) = state.memory() else { return };
        let count = self.bounds.nodes;
        for (slot, node) in state.nodes(count).iter().enumerate() {
            self.own_steps(state, memory, slot, *node, out);
        }
        let spent = state.spent();
        let again = spent.spend(Budget::Duplicates, &self.bounds);
        let mut before = 0;
        for (at, number) in state.network(count).iter().copied().enumerate() {
            // Of equal messages one is enough.
            if core::mem::replace(&mut before, number) == number {
                continue;
            }
            let Some(slot) = self.packet_entry(number).map(|entry| entry.to) else { continue };
            let Some(node) = state.nodes(count).get(slot) else { continue };
            let cause = Cause::Deliver(number);
            let reaction = self.reaction(*node, cause);
            let taken = Under { state, slot, cause, reaction, leaves: Some(at), repeated: false, spent };
            self.enter(memory, taken, out);
            if let Some(spent) = again {
                self.enter(memory, Under { leaves: None, repeated: true, spent, ..taken }, out);
            }
        }
    }

    /// What happens without a message.
    fn own_steps(&self, state: &State, memory: u32, slot: usize, node: u32, out: &mut Vec<(Action, State)>) {
        let Some(entry) = self.locals.get(node) else { return };
        let own = entry.own.get_or_init(|| self.own_reactions(node, entry));
        let spent = state.spent();
        for (cause, reaction) in own {
            let spent = match cause {
                Cause::Interval => spent.spend(Budget::Intervals, &self.bounds),
                Cause::Propose => spent.spend(Budget::Proposals, &self.bounds),
                Cause::Crash(_) => spent.spend(Budget::Crashes, &self.bounds),
                _ => Some(spent),
            };
            let Some(spent) = spent else { continue };
            let (cause, reaction) = (*cause, *reaction);
            self.enter(
                memory,
                Under { state, slot, cause, reaction, leaves: None, repeated: false, spent },
                out,
            );
        }
        if let Some(asked) = spent.spend(Budget::Reads, &self.bounds) {
            if entry.local.machine.role() == Role::Leader {
                let cause = Cause::Read(Tag::new(asked.get(Budget::Reads).into()));
                let reaction = self.reaction(node, cause);
                let spent = asked;
                self.enter(
                    memory,
                    Under { state, slot, cause, reaction, leaves: None, repeated: false, spent },
                    out,
                );
            }
        }
    }

    /// Every choice of what is lost of the messages that a step sends.
    fn enter(&self, memory: u32, under: Under<'_>, out: &mut Vec<(Action, State)>) {
        let Some(reaction) = self.reactions.get(under.reaction).filter(|_| under.reaction != IMPOSSIBLE)
        else {
            return;
        };
        let count = self.bounds.nodes;
        let network = under.state.network(count);
        let mut next = *under.state;
        next.set_spent(under.spent);
        next.set_node(under.slot, reaction.after);
        next.set_memory(self.memory_after(memory, under.reaction, reaction));
        let kept = || {
            let stays = move |(at, packet): (usize, &u32)| (Some(at) != under.leaves).then_some(*packet);
            network.iter().enumerate().filter_map(stays)
        };
        let room = self.bounds.in_flight.saturating_sub(network.len() - usize::from(under.leaves.is_some()));
        let all = (1u64 << reaction.sends.len().min(32)) - 1;
        let choices = if next.memory().is_err() {
            // Nothing follows, so what is on its way does not matter.
            0..=0
        } else if self.bounds.loss {
            0..=all
        } else {
            all..=all
        };
        let before = out.len();
        for choice in choices {
            if choice.count_ones() as usize > room || repeats(&reaction.sends, choice) {
                continue;
            }
            let chosen = reaction.sends.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1);
            next.set_network(count, kept(), chosen.map(|(_, packet)| *packet));
            let slot = u8::try_from(under.slot).unwrap_or(u8::MAX);
            let entered = u32::try_from(choice).unwrap_or(u32::MAX);
            out.push((Action { slot, cause: under.cause, repeated: under.repeated, entered }, next));
        }
        if out.len() > before && self.seen.load(Ordering::Relaxed) & reaction.sights != reaction.sights {
            self.seen.fetch_or(reaction.sights, Ordering::Relaxed);
        }
    }

    fn memory_after(&self, memory: u32, number: u32, reaction: &Reaction) -> Result<u32, u32> {
        if let Some(breach) = reaction.breach {
            return Err(breach);
        }
        if !reaction.news {
            return Ok(memory);
        }
        let answer =
            self.remembered.get((memory, number), || self.remember(memory, number).unwrap_or(memory));
        if answer & BREACH == 0 { Ok(answer) } else { Err(answer & !BREACH) }
    }

    /// Asks those who watch.
    fn remember(&self, memory: u32, number: u32) -> Option<u32> {
        let reaction = self.reactions.get(number)?;
        let (node, cause) = reaction.origin?;
        let mut next = W::Memory::clone(&self.memories.get(memory)?.memory);
        let judged = self.with_step(node, cause, reaction.after, &reaction.events, |step| {
            self.watch.remember(&mut next, step)
        })?;
        Some(match judged {
            Ok(()) => self.memory(next),
            Err(breach) => self.breach(breach) | BREACH,
        })
    }

    fn with_step<T>(
        &self,
        node: u32,
        cause: Cause,
        after: u32,
        events: &[Event],
        look: impl FnOnce(&Step<'_, M, W::Facts>) -> T,
    ) -> Option<T> {
        let (from, to) = (self.locals.get(node)?, self.locals.get(after)?);
        let step = Step {
            node: from.local.machine.id(),
            cause,
            from: &from.local,
            to: &to.local,
            before: self.facts.get(from.facts)?.as_ref(),
            after: self.facts.get(to.facts)?.as_ref(),
            events,
        };
        Some(look(&step))
    }

    /// The number of a reaction, worked out when it is met first.
    pub(crate) fn reaction(&self, node: u32, cause: Cause) -> u32 {
        self.reacted.get((node, cause.code()), || self.react(node, cause).unwrap_or(IMPOSSIBLE))
    }

    fn own_reactions(&self, node: u32, entry: &LocalEntry<M>) -> Box<[(Cause, u32)]> {
        let local = &entry.local;
        let leads = local.machine.role() == Role::Leader;
        let length = local.current().map_or(0, |image| image.last().index.get());
        let mut causes = Vec::new();
        if leads {
            causes.extend((self.bounds.intervals > 0).then_some(Cause::Interval));
            causes.extend(
                (self.bounds.proposals > 0 && length < self.bounds.max_log).then_some(Cause::Propose),
            );
        } else {
            let slot = self.members.slot(local.machine.id());
            let may = slot.is_some_and(|slot| self.bounds.campaigners.contains(slot));
            causes
                .extend((may && local.machine.term().get() < self.bounds.max_term).then_some(Cause::Timeout));
        }
        let pending = u32::try_from(local.pending()).unwrap_or(u32::MAX);
        causes.extend((1..=pending).map(Cause::Persist));
        if self.bounds.crashes > 0 {
            causes.extend((0..=pending).map(Cause::Crash));
        }
        causes.into_iter().map(|cause| (cause, self.reaction(node, cause))).collect()
    }

    fn react(&self, node: u32, cause: Cause) -> Option<u32> {
        let from = Arc::clone(&self.locals.get(node)?.local);
        let outcome = match cause {
            Cause::Crash(kept) => self.crash(&from, kept),
            _ => {
                let message = match cause {
                    Cause::Deliver(number) => Some(Packet::clone(&self.packet_entry(number)?.packet)),
                    _ => None,
                };
                Reacting::new(&from, &|packet| self.number(packet)).to(cause, message, &self.bounds)
            }
        };
        match outcome {
            Ok(Outcome { after, sends, events }) => {
                let after = self.node(after);
                let facts = |node| self.locals.get(node).map(|entry| entry.facts);
                let news =
                    facts(node) != facts(after) || !events.is_empty() || matches!(cause, Cause::Read(_));
                let sights = self.with_step(node, cause, after, &events, |step| self.watch.sights(step));
                let (sends, events) = (sends.into(), events.into());
                let sights = sights.unwrap_or(0);
                let origin = Some((node, cause));
                Some(self.reactions.push(Reaction {
                    after,
                    sends,
                    events,
                    breach: None,
                    news,
                    sights,
                    origin,
                }))
            }
            Err(Stuck::NoRoom) => None,
            Err(Stuck::Broken(text)) => {
                let breach = Some(self.breach(Breach::new("machine", text)));
                Some(self.reactions.push(Reaction { after: node, breach, ..Reaction::default() }))
            }
        }
    }

    fn crash(&self, from: &Local<M>, kept: u32) -> Result<Outcome<M>, Stuck> {
        let Some(stored) = from.images.get(kept as usize).cloned() else {
            return Err(Stuck::Broken("an image that does not exist".to_owned()));
        };
        let machine = (self.start)(from.machine.id(), &stored).map_err(Stuck::Broken)?;
        Ok(Outcome { after: Local::start(machine, stored), sends: Vec::new(), events: Vec::new() })
    }
}

/// Whether a choice takes a later one of equal messages and leaves an earlier: the same bag comes of another choice.
fn repeats(sends: &[u32], choice: u64) -> bool {
    let pairs = sends.iter().zip(sends.iter().skip(1)).enumerate();
    pairs.into_iter().any(|(at, (a, b))| a == b && choice >> at & 3 == 2)
}
