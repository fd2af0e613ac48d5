//! Seeded clients, what they were told, and the one that asks whether the world lives.

use synod_transport::ids::{LogIndex, NodeId, Tag};
use synod_transport::machine::{Event, Machine, Refusal};
use synod_transport::rng::Rng;

use super::{Did, Happening, MILLISECOND, World, id, place};
use crate::history::{Accepted, Operation, Request, Status, complete_fields, invoke_fields, payload};
use crate::options::DriverFault;

/// The client that proves liveness.
const PROBE: u64 = 0;

/// The clients and all that they did.
pub(super) struct Clients {
    rng: Rng,
    /// Per client, from 1: whom it would ask next.
    favourites: Vec<usize>,
    think: u64,
    patience: u64,
    reads_ppm: u64,
    order: u64,
    pub(super) history: Vec<Operation>,
    pub(super) completions: Vec<usize>,
    /// The probe's proposal and read in flight, and what is proven.
    probe_write: Option<u64>,
    probe_read: Option<u64>,
    probe_favourite: usize,
    proven: Option<LogIndex>,
}

impl Clients {
    pub(super) fn new(rng: &mut Rng, between: (u64, u64)) -> Self {
        let count = usize::try_from(rng.between(between.0, between.1)).unwrap_or(0);
        Self {
            favourites: vec![0; count],
            think: rng.between(MILLISECOND, 200 * MILLISECOND),
            patience: rng.between(200 * MILLISECOND, 2000 * MILLISECOND),
            reads_ppm: rng.between(100_000, 700_000),
            order: 0,
            history: Vec::new(),
            completions: Vec::new(),
            probe_write: None,
            probe_read: None,
            probe_favourite: 0,
            proven: None,
            rng: rng.fork(1),
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn operation(&mut self, number: u64) -> Option<&mut Operation> {
        self.history.get_mut(usize::try_from(number).ok()?)
    }

    fn status(&self, number: u64) -> Option<Status> {
        self.history.get(usize::try_from(number).ok()?).map(|operation| operation.status)
    }
}

impl<M: Machine> World<M> {
    pub(super) fn start_clients(&mut self) {
        for client in 1..=self.clients.favourites.len() as u64 {
            let when = self.clients.rng.below(self.clients.think);
            self.heap.push(when, Happening::Client { client });
        }
    }

    /// A client that has nothing in flight asks for something.
    pub(super) fn client_turn(&mut self, client: u64) {
        if !self.faulty {
            return;
        }
        let nodes = self.nodes.len() as u64;
        let wander = self.clients.rng.chance_ppm(200_000);
        let anyone = usize::try_from(self.clients.rng.below(nodes)).unwrap_or(0);
        let read = self.clients.rng.chance_ppm(self.clients.reads_ppm);
        let count = 1 + u32::try_from(self.clients.rng.below(4)).unwrap_or(0);
        let favourite = client.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        let favourite = favourite.and_then(|at| self.clients.favourites.get(at)).copied().unwrap_or(0);
        let at = if wander { anyone } else { favourite };
        let request = if read { Request::Read } else { Request::Propose { count } };
        self.invoke(client, at, request);
    }

    fn invoke(&mut self, client: u64, at: usize, request: Request) -> u64 {
        let operation = self.clients.history.len() as u64;
        let life = self.life(id(at));
        let invoked_order = self.clients.next_order();
        self.clients.history.push(Operation {
            client,
            node: id(at),
            life,
            request,
            invoked_at: self.now,
            invoked_order,
            completed_at: None,
            completed_order: None,
            accepted: None,
            status: Status::Pending,
        });
        self.note(|| Did::new(id(at), "Invoke", invoke_fields(client, operation, request)));
        self.heap.push(self.now, Happening::Ask { at, operation, life });
        self.heap.push(self.now + self.clients.patience, Happening::TimedOut { operation });
        operation
    }

    /// A request reaches a node that can take it.
    pub(super) fn ask(&mut self, at: usize, operation: u64) -> Option<usize> {
        let request = self.clients.operation(operation)?.request;
        let node = self.nodes.get_mut(at)?;
        let host = node.host.as_mut()?;
        let now = node.clock.reading(self.now);
        let result = match request {
            Request::Read => host.read(now, Tag::new(operation)),
            Request::Propose { count } => {
                let mut payloads = (0..count).map(|at| payload(operation, at)).collect();
                host.propose(now, Tag::new(operation), &mut payloads)
            }
        };
        self.asking = Some(operation);
        let settled = self.settle(at, result);
        self.asking = None;
        settled
    }

    /// The node that was asked is down, or not the one it was.
    pub(super) fn nobody_home(&mut self, operation: u64) {
        self.count("asked-the-dead");
        self.finish(operation, Status::Refused, None);
    }

    pub(super) fn time_out(&mut self, operation: u64) {
        if self.clients.status(operation) == Some(Status::Pending) {
            self.count("timed-out");
            self.finish(operation, Status::Unknown, None);
        }
    }

    /// A node's news about a request.
    pub(super) fn answer(&mut self, at: usize, event: Event) {
        match event {
            Event::Accepted { tag, term, first, count } => {
                let accepted = Accepted { term, first, count };
                if let Some(operation) = self.clients.operation(tag.get()) {
                    operation.accepted = Some(accepted);
                }
                if let Some(node) = self.nodes.get_mut(at) {
                    node.waiting.push((accepted.last(), tag.get()));
                }
            }
            Event::ReadReady { tag, index } => {
                if let Some(node) = self.nodes.get_mut(at) {
                    node.waiting.push((index, tag.get()));
                }
            }
            Event::Refused { tag, reason } => {
                let (leader, what) = match reason {
                    Refusal::NotLeader { leader } => (leader, "refused-not-leader"),
                    Refusal::Busy => (None, "refused-busy"),
                    _ => (None, "refused"),
                };
                let operation = self.clients.operation(tag.get());
                let (was_read, accepted) = operation.map_or((false, false), |operation| {
                    (operation.request == Request::Read, operation.accepted.is_some())
                });
                self.count(if was_read { "read-refused" } else { what });
                if was_read && self.asking != Some(tag.get()) {
                    // It was taken in, and its leader lost the quorum that should have confirmed it.
                    self.count("read-lost-its-quorum");
                }
                if accepted {
                    if let Some(node) = self.nodes.get_mut(at) {
                        node.waiting.retain(|(_, waiting)| *waiting != tag.get());
                    }
                }
                self.finish(tag.get(), if accepted { Status::Unknown } else { Status::Refused }, leader);
            }
            Event::Role { .. } => {}
        }
    }

    /// Answers the requests whose index this node has applied.
    pub(super) fn complete_waiting(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        if node.waiting.is_empty() {
            return;
        }
        let applied = LogIndex::new(node.applied.len() as u64);
        if node.waiting.iter().all(|(index, _)| *index > applied) {
            return;
        }
        let waiting = core::mem::take(&mut node.waiting);
        let (ripe, waiting) = waiting.into_iter().partition::<Vec<_>, _>(|(index, _)| *index <= applied);
        node.waiting = waiting;
        for (_, number) in ripe {
            let Some(operation) = self.clients.operation(number) else { continue };
            let status = match operation.accepted {
                // A read sees the applied log as it stands now.
                None => Status::Done(applied),
                Some(accepted) => {
                    let entry = |index: LogIndex| {
                        let place = usize::try_from(index.previous().get()).ok()?;
                        self.nodes.get(at)?.applied.get(place)
                    };
                    let kept = entry(accepted.last()).is_some_and(|it| it.position.term == accepted.term);
                    let kept = kept || self.options.driver_fault == Some(DriverFault::AnswersByIndex);
                    if kept { Status::Done(accepted.last()) } else { Status::Refused }
                }
            };
            self.count(match status {
                Status::Done(_) => "completed",
                _ => "proposal-lost-to-another-leader",
            });
            self.finish(number, status, None);
        }
    }

    /// The node is gone: what it was asked stays open.
    pub(super) fn forget_waiting(&mut self, at: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        let (waiting, life) = (core::mem::take(&mut node.waiting), node.life);
        for (_, number) in waiting {
            self.finish(number, Status::Unknown, None);
        }
        debug_assert!(self.life(id(at)) == life);
    }

    fn finish(&mut self, number: u64, status: Status, leader: Option<NodeId>) {
        let (now, order) = (self.now, self.clients.next_order());
        let Some(operation) = self.clients.operation(number) else { return };
        if operation.status != Status::Pending {
            return;
        }
        (operation.status, operation.completed_at, operation.completed_order) =
            (status, Some(now), Some(order));
        let (client, node) = (operation.client, operation.node);
        self.note(|| Did::new(node, "Complete", complete_fields(client, number, status, leader)));
        if matches!(status, Status::Done(_)) {
            self.clients.completions.push(usize::try_from(number).unwrap_or(0));
        }
        self.mix(number ^ order << 32);
        let Some(slot) = client.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return };
        if !matches!(status, Status::Done(_)) {
            let nodes = self.nodes.len() as u64;
            let anyone = usize::try_from(self.clients.rng.below(nodes)).unwrap_or(0);
            let next = leader.and_then(place).unwrap_or(anyone);
            if let Some(favourite) = self.clients.favourites.get_mut(slot) {
                *favourite = next;
            }
        }
        let think = 1 + self.clients.rng.below(self.clients.think);
        self.heap.push(now + think, Happening::Client { client });
    }

    /// After the faults: a proposal is acknowledged, a read completes, and all nodes apply it, within the bound.
    pub(super) fn probe(&mut self) {
        let done = |world: &Self, number: Option<u64>| match number.and_then(|it| world.clients.status(it)) {
            Some(Status::Done(index)) => Some(index),
            _ => None,
        };
        let (write, read) = (done(self, self.clients.probe_write), done(self, self.clients.probe_read));
        self.clients.proven = write;
        if let (Some(index), Some(_)) = (write, read) {
            let everyone = self.nodes.iter().all(|node| node.applied.len() as u64 >= index.get());
            if everyone {
                self.count("lived");
                self.done = true;
                return;
            }
        }
        let bound = u64::try_from(self.options.liveness_bound.as_nanos()).unwrap_or(u64::MAX);
        if self.now >= self.faulty_until.saturating_add(bound) {
            let applied: Vec<usize> = self.nodes.iter().map(|node| node.applied.len()).collect();
            let roles: Vec<_> = self.nodes.iter().map(|node| node.role).collect();
            let text = format!(
                "{} ms after the faults ended: proposal {write:?}, read {read:?}, applied {applied:?}, roles {roles:?}",
                bound / MILLISECOND
            );
            return self.violate("liveness", text);
        }
        self.clients.probe_favourite += 1;
        let next = self.clients.probe_favourite % self.nodes.len();
        let idle = |world: &Self, number: Option<u64>| {
            number.and_then(|it| world.clients.status(it)).is_none_or(|status| status != Status::Pending)
        };
        if write.is_none() && idle(self, self.clients.probe_write) {
            self.clients.probe_write = Some(self.invoke(PROBE, next, Request::Propose { count: 1 }));
        }
        if read.is_none() && idle(self, self.clients.probe_read) {
            self.clients.probe_read = Some(self.invoke(PROBE, next, Request::Read));
        }
        self.heap.push(self.now + 20 * MILLISECOND, Happening::Probe);
    }
}
