//! Steps, and what follows from each.

use core::task::{Context, Poll, Waker};

use bytes::Bytes;
use synod_transport::host::{Host, HostError, decode};
use synod_transport::ids::NodeId;
use synod_transport::machine::{Event, Machine, Role};
use synod_transport::rng::Rng;
use synod_transport::store::StoreError;
use synod_transport::time::Instant;
use synod_transport::trace::{Fields, Value, message, named};

use super::{Did, Happening, World, id, place};
use crate::disk::SimDisk;
use crate::options::{DriverFault, Fault};

/// No frame is longer, unless one entry is.
const FRAME_BYTES: usize = 4096;

impl<M: Machine> World<M> {
    /// Lets the next thing happen. The node it happened at, if any; `None` inside when it happened to none; `None`
    /// when the run is over.
    pub fn step(&mut self) -> Option<Option<NodeId>> {
        if self.done {
            return None;
        }
        if self.steps >= self.options.max_steps {
            self.violate("endless", format!("still running after {} steps", self.steps));
            return None;
        }
        let (when, what) = self.heap.pop()?;
        self.now = self.now.max(when);
        self.steps += 1;
        if let Some(trace) = &self.trace {
            trace.set_now(self.now);
        }
        self.mix(self.now);
        self.mix(what.number());
        Some(self.happen(what).map(id))
    }

    fn happen(&mut self, what: Happening) -> Option<usize> {
        if let Happening::Deliver { .. } = what {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        match what {
            Happening::Boot { at } => self.boot(at),
            Happening::Crash { at, life } => {
                let alive = self.nodes.get(at).is_some_and(|node| node.life == life);
                (alive && self.faulty && self.crash(at)).then_some(at)
            }
            Happening::Resume { at, life } => self.resume(at, life),
            Happening::Nemesis => self.nemesis(),
            Happening::HealPartition => {
                self.links.heal();
                self.note(|| Did::new(NodeId::ZERO, "PartitionHealed", Fields::new()));
                None
            }
            Happening::Flap { a, b, left } => {
                self.flap(a, b, left);
                None
            }
            Happening::Heal => {
                self.heal();
                None
            }
            Happening::Client { client } => {
                self.client_turn(client);
                None
            }
            Happening::TimedOut { operation } => {
                self.time_out(operation);
                None
            }
            Happening::Probe => {
                self.probe();
                None
            }
            at_node => self.at_node(at_node),
        }
    }

    /// What only an able node can take; a paused one, or one whose disk is behind, gets it later.
    fn at_node(&mut self, what: Happening) -> Option<usize> {
        let (Happening::Deliver { at, .. }
        | Happening::Wake { at, .. }
        | Happening::Synced { at, .. }
        | Happening::Ask { at, .. }) = what
        else {
            return None;
        };
        let node = self.nodes.get_mut(at)?;
        let Some(host) = &mut node.host else {
            match what {
                Happening::Deliver { from, frame, .. } => {
                    self.count("message-to-the-dead");
                    self.note(|| frame_did::<M>("Drop", (from, id(at)), &frame, Some("message-to-the-dead")));
                }
                Happening::Ask { operation, .. } => self.nobody_home(operation),
                _ => {}
            }
            return None;
        };
        let room = host.store().unsynced() < self.soft_window && host.has_room();
        let wants_room = !matches!(what, Happening::Synced { .. });
        if node.paused || (wants_room && !room && !host.store().is_failed()) {
            let (held, paused) = (node.deferred.len(), node.paused);
            if held < self.options.in_flight {
                node.deferred.push(what);
            } else if let Happening::Deliver { from, frame, .. } = &what {
                let why = Some("message-to-the-overwhelmed");
                self.note(|| frame_did::<M>("Drop", (*from, id(at)), frame, why));
            }
            if !paused {
                self.count("waited-for-disk");
            }
            return None;
        }
        let now = node.clock.reading(self.now);
        let (life, waiting) = (node.life, node.wake_in_heap);
        let result = match what {
            Happening::Deliver { from, frame, garbled, .. } => {
                let result = host.receive(now, from, frame);
                return self.received(at, result, garbled);
            }
            Happening::Wake { life: of, due, .. } => {
                if of != life || waiting != Some(due) {
                    return None;
                }
                node.wake_in_heap = None;
                if now < host.wake_at() { Ok(()) } else { host.wake(now) }
            }
            Happening::Synced { life: of, .. } if of == life => {
                host.store_mut().finish_sync();
                let result = take_receipts(host, now);
                self.count("syncs");
                let settled = self.settle(at, result);
                self.give_deferred(at);
                return settled;
            }
            Happening::Ask { operation, life: of, .. } if of == life => {
                return self.ask(at, operation);
            }
            Happening::Ask { operation, .. } => {
                self.nobody_home(operation);
                return None;
            }
            _ => return None,
        };
        self.settle(at, result)
    }

    fn received(&mut self, at: usize, result: Result<(), HostError>, garbled: bool) -> Option<usize> {
        match result {
            Err(HostError::Frame { .. }) if garbled => {
                self.count("garbled-refused");
                None
            }
            Err(error @ HostError::Frame { .. }) => {
                self.violate("garbled", format!("{:?} cannot read what it was sent: {error}", id(at)));
                Some(at)
            }
            Ok(()) if garbled => {
                self.violate("garbled", format!("{:?} took a garbled frame", id(at)));
                Some(at)
            }
            result => self.settle(at, result),
        }
    }

    /// Carries out what a step asked for.
    pub(super) fn settle(&mut self, at: usize, result: Result<(), HostError>) -> Option<usize> {
        if let Err(error) = result {
            self.failed(at, &error);
            return Some(at);
        }
        self.send(at);
        self.take_events(at);
        self.apply(at);
        self.plan_sync(at);
        self.plan_wake(at);
        Some(at)
    }

    fn failed(&mut self, at: usize, error: &HostError) {
        match error {
            HostError::Store(StoreError::Fatal(_)) => {
                self.count("stopped-by-disk");
                self.crash(at);
            }
            HostError::Machine(fatal) => self.violate("machine", format!("{:?}: {fatal}", id(at))),
            error => self.violate("store", format!("{:?}: {error}", id(at))),
        }
    }

    fn send(&mut self, at: usize) {
        let Some(host) = self.nodes.get_mut(at).and_then(|node| node.host.as_mut()) else { return };
        if !host.has_outgoing() {
            return;
        }
        let mut frames = core::mem::take(&mut self.frames);
        host.drain_frames(FRAME_BYTES, |to, class, frame| frames.push((to, class, frame.join())));
        for (to, class, frame) in frames.drain(..) {
            self.messages += 1;
            self.message_bytes += frame.len() as u64;
            self.mix_bytes(&frame);
            let Some(receiver) = place(to).filter(|to| *to < self.nodes.len()) else {
                self.violate("store", format!("{:?} sends to {to:?}, whom nobody knows", id(at)));
                continue;
            };
            let mut fate =
                self.links.fate(&mut self.rng_network, &self.rates, self.now, (at, receiver, class));
            if fate.first.is_some() && self.in_flight >= self.options.in_flight {
                fate = crate::links::Fate { lost_to: Some("network-full"), ..fate };
                (fate.first, fate.second) = (None, None);
            }
            self.note_fate(at, to, &fate, &frame);
            for (copy, when) in [fate.first, fate.second].into_iter().flatten().enumerate() {
                let garbled = self.rng_network.chance_ppm(self.rate(Fault::Garble));
                let frame = if garbled { garble(&frame, &mut self.rng_network) } else { frame.clone() };
                if garbled {
                    self.count(Fault::Garble.name());
                }
                if copy > 0 {
                    self.count(Fault::Duplicate.name());
                }
                self.in_flight += 1;
                self.heap.push(when, Happening::Deliver { at: receiver, from: id(at), frame, garbled });
            }
        }
        self.frames = frames;
    }

    fn note_fate(&mut self, at: usize, to: NodeId, fate: &crate::links::Fate, frame: &Bytes) {
        if let Some(why) = fate.lost_to {
            self.count(why);
            self.note(|| frame_did::<M>("Drop", (id(at), to), frame, Some(why)));
        }
        if fate.second.is_some() {
            self.note(|| frame_did::<M>("Duplicate", (id(at), to), frame, None));
        }
        if fate.late {
            self.count(Fault::Delay.name());
        }
        if fate.overtakes {
            self.count(Fault::Reorder.name());
        }
    }

    fn take_events(&mut self, at: usize) {
        let mut events = core::mem::take(&mut self.events);
        if let Some(host) = self.nodes.get_mut(at).and_then(|node| node.host.as_mut()) {
            host.take_events(&mut events);
        }
        for event in events.drain(..) {
            if let Event::Role { role, term, leader } = event {
                let Some(node) = self.nodes.get_mut(at) else { continue };
                let led = matches!(node.role, Some((Role::Leader, before, _)) if before == term);
                node.role = Some((role, term, leader));
                if role == Role::Leader && !led {
                    self.count("leaders");
                }
            } else {
                self.answer(at, event);
            }
        }
        self.events = events;
    }

    fn apply(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let Some(host) = &mut node.host else { return };
        let before = node.applied.len();
        loop {
            match host.take_committed(usize::MAX, &mut node.applied) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return self.failed(at, &error),
            }
        }
        if node.applied.len() > before + 1 {
            match self.options.driver_fault {
                Some(DriverFault::SkipsEntries) => {
                    node.applied.remove(before);
                }
                Some(DriverFault::RepeatsEntries) => {
                    let again = node.applied.get(before).cloned();
                    node.applied.splice(before..before, again);
                }
                _ => {}
            }
        }
        let grown = node.applied.len() > before;
        if grown {
            let words: Vec<u64> = node
                .applied
                .get(before..)
                .unwrap_or_default()
                .iter()
                .map(|entry| entry.position.index.get() ^ (entry.position.term.get() << 32))
                .collect();
            for word in words {
                self.mix(word);
            }
            self.note(|| {
                let last = self.nodes.get(at).and_then(|node| node.applied.last().map(|it| it.position));
                Did::new(id(at), "Apply", named([("through", last.unwrap_or_default().into())]))
            });
        }
        self.complete_waiting(at);
    }

    fn plan_sync(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let Some(host) = &mut node.host else { return };
        if self.options.lying_disks || self.options.driver_fault == Some(DriverFault::LyingDisks) {
            let now = node.clock.reading(self.now);
            let attested = host.store().attested();
            let result = take_receipts(host, now);
            if result.is_err() || host.store().attested() > attested {
                self.settle(at, result);
                return;
            }
        }
        let Some(node) = self.nodes.get_mut(at) else { return };
        let Some(host) = &mut node.host else { return };
        if !host.store_mut().start_sync() {
            return;
        }
        let mut delay = self.rng_disk.between(self.sync_delay.0, self.sync_delay.1);
        if self.now < node.slow_until {
            delay = delay.saturating_mul(self.rng_disk.between(5, 100));
        }
        let life = node.life;
        self.heap.push(self.now + delay, Happening::Synced { at, life });
        if self.faulty && self.rng_disk.chance_ppm(self.rate(Fault::CrashBeforeSync)) {
            let when = self.now + self.rng_disk.below(delay);
            self.count(Fault::CrashBeforeSync.name());
            self.heap.push(when, Happening::Crash { at, life });
        }
    }

    pub(super) fn plan_wake(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let Some(host) = &node.host else { return };
        let due = node.clock.when(host.wake_at());
        if due == u64::MAX {
            return;
        }
        // A machine that asks for a moment that is past gets a later one: virtual time must go on.
        let due = due.max(self.now + 1000);
        if node.wake_in_heap.is_none_or(|planned| due < planned) {
            node.wake_in_heap = Some(due);
            let life = node.life;
            self.heap.push(due, Happening::Wake { at, life, due });
        }
    }

    pub(super) fn give_deferred(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        for what in core::mem::take(&mut node.deferred) {
            if matches!(what, Happening::Deliver { .. }) {
                self.in_flight += 1;
            }
            self.heap.push(self.now, what);
        }
    }

    pub(super) fn rate(&self, fault: Fault) -> u64 {
        self.rates.get(fault as usize).copied().unwrap_or(0)
    }
}

fn take_receipts<M: Machine>(host: &mut Host<M, SimDisk>, now: Instant) -> Result<(), HostError> {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match host.poll_durable(now, &mut cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
}

/// What became of a frame, with the message in it as far as it can be read.
fn frame_did<M: Machine>(
    what: &'static str,
    (from, to): (NodeId, NodeId),
    frame: &Bytes,
    reason: Option<&'static str>,
) -> Did<'static> {
    let content = decode::<M::Message>(frame.clone(), &mut Vec::new());
    let fields = reason.map(|reason| named([("reason", Value::word(reason))])).unwrap_or_default();
    Did { peer: Some(to), message: content.ok().as_ref().map(message), ..Did::new(from, what, fields) }
}

/// Cuts a frame short, or adds bytes to it. (A flipped bit may give another valid message: that is what checksums of
/// a connection are for.)
fn garble(frame: &Bytes, rng: &mut Rng) -> Bytes {
    if rng.chance_ppm(500_000) {
        let keep = usize::try_from(rng.below(frame.len() as u64)).unwrap_or(0);
        return frame.slice(..keep);
    }
    let mut longer = frame.to_vec();
    longer.extend((0..rng.between(1, 9)).map(|at| at.to_le_bytes().first().copied().unwrap_or(0)));
    longer.into()
}
