//! Our core in its host, over the store in memory.

use std::task::{Context, Waker};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use synod_raft::{Command, Config, Message, Raft};
use synod_transport::host::Host;
use synod_transport::ids::{LogIndex, NodeId, Tag};
use synod_transport::log::{Entry, EntryKind, EntryRef};
use synod_transport::machine::{Event, Outgoing, Role};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogStore, MemLogStore};
use synod_transport::time::Instant;

use super::{Cluster, NODES, command};

/// How commands are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// `Host::propose` once per command.
    PerCommand,
    /// `Host::propose` once for all commands that are free to go.
    PerBatch,
}

/// What a turn takes in the nodes' time: heartbeats fall due as they would in a busy process.
const TURN: Duration = Duration::from_micros(10);

/// Three nodes of ours.
pub(super) struct Ours {
    nodes: Vec<Node>,
    now: Instant,
    calls: Calls,
    command: Bytes,
    messages: u64,
    /// `messages` when the last turn began.
    moved_before: u64,
    offered: Vec<Bytes>,
    outgoing: Vec<Outgoing<Message>>,
    entries: Vec<Entry>,
    events: Vec<Event>,
}

struct Node {
    host: Host<Raft, MemLogStore>,
    applied: u64,
}

impl Ours {
    pub(super) fn new(payload: usize, calls: Calls) -> Result<Self> {
        let members = Members::new((1u64..).take(NODES).map(NodeId::new))?;
        let mut nodes = Vec::new();
        for id in members.ids() {
            let store = MemLogStore::new();
            let raft = Raft::new(Config::new(*id), Static::new(members.clone()), &store.summary())?;
            nodes.push(Node { host: Host::new(raft, store, LogIndex::ZERO), applied: 0 });
        }
        let mut it = Self {
            nodes,
            now: Instant::ZERO,
            calls,
            command: command(payload),
            messages: 0,
            moved_before: 0,
            offered: Vec::new(),
            outgoing: Vec::new(),
            entries: Vec::new(),
            events: Vec::new(),
        };
        it.elect()?;
        Ok(it)
    }

    /// Lets the first node campaign and all others hear of it.
    fn elect(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            node.host.wake(self.now)?;
        }
        // Members that have just started wait for an old leader's lease to end before they vote.
        self.now = self.now.plus(Duration::from_secs(1));
        let now = self.now;
        self.leader()?.host.command(now, Command::Campaign)?;
        for _ in 0..10 {
            self.turn()?;
        }
        ensure!(self.leader()?.host.machine().role() == Role::Leader, "synod-raft elected nobody");
        (self.messages, self.moved_before) = (0, 0);
        Ok(())
    }

    fn leader(&mut self) -> Result<&mut Node> {
        self.nodes.first_mut().context("three nodes")
    }

    /// Takes one node's receipts, then carries its messages to their receivers.
    fn run(&mut self, at: usize) -> Result<()> {
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        let from = NodeId::new(at as u64 + 1);
        let mut context = Context::from_waker(Waker::noop());
        while let std::task::Poll::Ready(result) = node.host.poll_durable(self.now, &mut context) {
            result?;
        }
        node.host.take_outgoing(&mut self.outgoing);
        for Outgoing { to, message } in self.outgoing.drain(..) {
            let Some(sender) = self.nodes.get_mut(at) else { continue };
            let attached = sender.host.attach(&message, &mut self.entries)?;
            let to = usize::try_from(to.get()).ok().and_then(|to| to.checked_sub(1));
            if let (true, Some(receiver)) = (attached, to.and_then(|to| self.nodes.get_mut(to))) {
                self.messages += 1;
                receiver.host.deliver(self.now, from, message, &mut self.entries)?;
            }
        }
        Ok(())
    }

    /// Every node applies what it may.
    fn apply(&mut self) -> Result<()> {
        let payload = self.command.len();
        for node in &mut self.nodes {
            let applied = &mut node.applied;
            let mut count = |entry: EntryRef<'_>| {
                let is_command = entry.kind == EntryKind::Command && entry.payload.len() == payload;
                *applied += u64::from(is_command);
            };
            while node.host.apply_committed(usize::MAX, &mut count)? {}
        }
        Ok(())
    }
}

impl Cluster for Ours {
    fn propose(&mut self, count: u64) -> Result<()> {
        let (now, calls) = (self.now, self.calls);
        let Some(leader) = self.nodes.first_mut() else { bail!("three nodes") };
        let (each, calls) = match calls {
            Calls::PerCommand => (1, count),
            Calls::PerBatch => (count, 1),
        };
        for _ in 0..calls {
            self.offered.extend((0..each).map(|_| self.command.clone()));
            leader.host.propose(now, Tag::ZERO, &mut self.offered)?;
            ensure!(self.offered.is_empty(), "the leader refused a proposal");
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        let idle =
            self.messages == self.moved_before && !self.nodes.iter().any(|node| node.host.has_outgoing());
        self.moved_before = self.messages;
        self.now = self.now.plus(TURN);
        if idle {
            // Nothing left to do before the next timer: a driver would sleep until then.
            let next = self.nodes.iter().map(|node| node.host.wake_at()).min();
            self.now = self.now.max(next.unwrap_or_default());
        }
        for node in &mut self.nodes {
            if node.host.wake_at() <= self.now {
                node.host.wake(self.now)?;
            }
        }
        self.run(0)?;
        for follower in 1..NODES {
            self.run(follower)?;
        }
        self.run(0)?;
        self.apply()?;
        for node in &mut self.nodes {
            node.host.take_events(&mut self.events);
        }
        self.events.clear();
        Ok(())
    }

    fn applied(&self) -> [u64; NODES] {
        let mut applied = [0; NODES];
        for (place, node) in applied.iter_mut().zip(&self.nodes) {
            *place = node.applied;
        }
        applied
    }

    fn messages(&self) -> u64 {
        self.messages
    }
}
