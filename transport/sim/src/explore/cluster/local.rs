//! One node with its disk, and what one input does to it. Nothing here knows of the other nodes.

use core::hash::Hash;

use synod_transport::explore::{Explorable, MessageOf, Renaming};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, WriteId};
use synod_transport::log::Run;
use synod_transport::machine::{Effects, Event, Input, Outgoing};
use synod_transport::store::{LogSummary, Receipt, Sealed, Write};
use synod_transport::time::Instant;

use super::bounds::Bounds;
use super::watch::Cause;

/// A node: the machine, its disk, and what waits for the disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Local<M> {
    /// The machine, having forgotten what decides nothing.
    pub machine: M,
    /// What the disk holds: the durable image first, then one more for each write that is not synced. Never empty.
    pub images: Vec<LogSummary>,
    /// Messages that wait for the disk, in rising order.
    pub seals: Vec<Seal>,
}

/// A message that waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seal {
    /// How many more writes must become durable.
    pub after: u32,
    /// The message's number.
    pub packet: u32,
}

/// A message on its way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Packet<T> {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// What it says.
    pub message: T,
}

/// What an input did to a node.
pub(crate) struct Outcome<M: Explorable> {
    pub(crate) after: Local<M>,
    pub(crate) sends: Vec<u32>,
    pub(crate) events: Vec<Event>,
}

/// Why a step has no outcome.
pub(crate) enum Stuck {
    /// There is no room for its writes or seals: the step cannot happen.
    NoRoom,
    /// The machine or its use of the disk is broken.
    Broken(String),
}

impl<M: Explorable> Local<M> {
    /// What the node would find after its last write, were all of it durable.
    pub fn current(&self) -> Option<&LogSummary> {
        self.images.last()
    }

    /// What survives a crash now, whatever happens.
    pub fn durable(&self) -> Option<&LogSummary> {
        self.images.first()
    }

    /// How many writes are not durable.
    pub fn pending(&self) -> usize {
        self.images.len().saturating_sub(1)
    }

    /// A node that starts from what its disk holds.
    pub(crate) fn start(mut machine: M, stored: LogSummary) -> Self {
        machine.forget();
        Self { machine, images: vec![stored], seals: Vec::new() }
    }

    /// The same node under other names; `packet` renames messages.
    #[must_use]
    pub(crate) fn renamed(&self, names: &Renaming, packet: impl Fn(u32) -> u32) -> Self {
        let mut it = self.clone();
        it.machine.rename(names);
        for image in &mut it.images {
            image.hard_state = image.hard_state.map(|state| M::rename_stored(state, names));
        }
        for seal in &mut it.seals {
            seal.packet = packet(seal.packet);
        }
        it.seals.sort_unstable();
        it
    }
}

/// One step of a node under way.
pub(crate) struct Reacting<'a, M: Explorable> {
    pub(crate) local: Local<M>,
    /// How many writes a receipt of this step covers.
    covered: u32,
    effects: Effects<MessageOf<M>>,
    sends: Vec<u32>,
    /// Gives a message its number.
    number: &'a dyn Fn(Packet<MessageOf<M>>) -> u32,
}

impl<'a, M: Explorable> Reacting<'a, M> {
    pub(crate) fn new(local: &Local<M>, number: &'a dyn Fn(Packet<MessageOf<M>>) -> u32) -> Self {
        let effects = Effects { apply_through: LogIndex::ZERO, ..Effects::default() };
        Self { local: local.clone(), covered: 0, effects, sends: Vec::new(), number }
    }

    /// Everything but a crash, which needs no machine.
    pub(crate) fn to(
        mut self,
        cause: Cause,
        message: Option<Packet<MessageOf<M>>>,
        bounds: &Bounds,
    ) -> Result<Outcome<M>, Stuck> {
        match (cause, message) {
            (Cause::Timeout, _) => self.step(Instant::ZERO, Input::Command(M::campaign()))?,
            (Cause::Interval, _) => {
                self.step(Instant::ZERO, Input::Wake)?;
                // What the first wake sends is lost; what the second repeats may arrive.
                self.sends.clear();
                self.step(self.effects.wake_at, Input::Wake)?;
            }
            (Cause::Propose, _) => self.step(Instant::ZERO, Input::Propose { tag: Tag::ZERO, count: 1 })?,
            (Cause::Read(tag), _) => self.step(Instant::ZERO, Input::Read { tag })?,
            (Cause::Persist(count), _) => {
                self.open(count);
                let receipt = Receipt::attest(WriteId::new(count.into()));
                self.step(Instant::ZERO, Input::Persisted(receipt))?;
            }
            (Cause::Deliver(_), Some(Packet { from, message, .. })) => {
                self.step(Instant::ZERO, Input::Message { from, message })?;
            }
            (Cause::Deliver(_) | Cause::Crash(_), _) => {
                return Err(Stuck::Broken("a message that does not exist".to_owned()));
            }
        }
        self.finish(bounds)
    }

    /// A receipt: images and seals move up.
    fn open(&mut self, count: u32) {
        self.covered = count;
        let local = &mut self.local;
        local.images.drain(..(count as usize).min(local.pending()));
        let (open, waits): (Vec<Seal>, Vec<Seal>) = local.seals.iter().partition(|seal| seal.after <= count);
        self.sends.extend(open.iter().map(|seal| seal.packet));
        local.seals = waits.into_iter().map(|seal| Seal { after: seal.after - count, ..seal }).collect();
    }

    fn step(&mut self, now: Instant, input: Input<MessageOf<M>, M::Command>) -> Result<(), Stuck> {
        let from = self.local.machine.id();
        let stepped = self.local.machine.step(now, input, &mut self.effects);
        stepped.map_err(|fatal| Stuck::Broken(fatal.to_string()))?;
        if let Some(write) = self.effects.write.take() {
            self.submit(&write)?;
        }
        for Outgoing { to, message } in self.effects.send.drain(..) {
            self.sends.push((self.number)(Packet { from, to, message }));
        }
        for sealed in self.effects.sealed.drain(..) {
            let after = sealed.after();
            let all = Receipt::attest(WriteId::new(u64::MAX));
            let Outgoing { to, message } = Sealed::open(sealed, &all)
                .map_err(|_| Stuck::Broken("a seal that never opens".to_owned()))?;
            let packet = (self.number)(Packet { from, to, message });
            match after.get().checked_sub(self.covered.into()).and_then(|after| u32::try_from(after).ok()) {
                Some(after) if after as usize <= self.local.pending() => {
                    self.local.seals.push(Seal { after, packet });
                }
                _ => {
                    return Err(Stuck::Broken(format!(
                        "a seal that waits for {after:?}, which is not pending"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Takes a write as a store would.
    fn submit(&mut self, write: &Write) -> Result<(), Stuck> {
        let expected = u64::from(self.covered) + self.local.images.len() as u64;
        if write.id.get() != expected {
            return Err(Stuck::Broken(format!("write {:?} comes after {} others", write.id, expected - 1)));
        }
        let mut image = self.local.current().cloned().unwrap_or_default();
        apply(write, &mut image).map_err(|text| Stuck::Broken(text.to_owned()))?;
        self.local.images.push(image);
        Ok(())
    }

    fn finish(mut self, bounds: &Bounds) -> Result<Outcome<M>, Stuck> {
        if self.local.pending() > bounds.unsynced || self.local.seals.len() > bounds.sealed {
            return Err(Stuck::NoRoom);
        }
        self.local.machine.forget();
        self.local.machine.check().map_err(|fatal| Stuck::Broken(fatal.to_string()))?;
        self.local.seals.sort_unstable();
        self.sends.sort_unstable();
        Ok(Outcome { after: self.local, sends: self.sends, events: self.effects.events })
    }
}

/// Carries a write out on an image.
fn apply(write: &Write, image: &mut LogSummary) -> Result<(), &'static str> {
    if let Some(from) = write.truncate_from {
        if from <= image.base.index {
            return Err("a write cuts what was purged");
        }
        let mut surplus = image.last().index.next().since(from);
        while let Some(run) = image.runs.last_mut().filter(|_| surplus > 0) {
            let cut = surplus.min(run.count.into());
            surplus -= cut;
            run.count -= u32::try_from(cut).unwrap_or(run.count);
            if run.count == 0 {
                image.runs.pop();
            }
        }
    }
    if let Some(append) = write.append {
        if append.span.after != image.last() {
            return Err("a write leaves a hole in the log");
        }
        for position in append.span.positions() {
            image.push(position.term);
        }
    }
    if write.hard_state.is_some() {
        image.hard_state = write.hard_state;
    }
    if let Some(through) = write.purge_through {
        purge(image, through);
    }
    Ok(())
}

fn purge(image: &mut LogSummary, through: LogIndex) {
    let mut surplus = through.since(image.base.index);
    while let Some(Run { term, count }) = image.runs.first_mut().filter(|_| surplus > 0) {
        let cut = surplus.min((*count).into());
        surplus -= cut;
        *count -= u32::try_from(cut).unwrap_or(*count);
        image.base = Position { term: *term, index: image.base.index.plus(cut) };
        if *count == 0 {
            image.runs.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::ids::Term;
    use synod_transport::log::{Runs, Span};
    use synod_transport::store::{Append, Body};

    fn image(terms: &[u64]) -> LogSummary {
        let mut it = LogSummary::default();
        for term in terms {
            it.push(Term::new(*term));
        }
        it
    }

    #[test]
    fn a_write_cuts_appends_and_purges_in_this_order() {
        let mut disk = image(&[1, 1, 2, 2]);
        let span = Span { after: Position::new(1, 2), runs: Runs::one(Term::new(3), 2) };
        let write = Write {
            id: WriteId::new(1),
            truncate_from: Some(LogIndex::new(3)),
            append: Some(Append { span, body: Body::Received }),
            hard_state: None,
            purge_through: Some(LogIndex::new(3)),
        };
        assert_eq!(apply(&write, &mut disk), Ok(()));
        assert_eq!((disk.base, disk.last()), (Position::new(3, 3), Position::new(3, 4)));
        assert!(apply(&write, &mut disk).is_err(), "it cuts before the base");
        assert!(apply(&Write { truncate_from: None, ..write }, &mut image(&[1])).is_err(), "a hole");
    }
}
