//! The crate `omnipaxos` 0.2.4 over its own `MemoryStorage`, with entries that are `Bytes`.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::Bytes;
use omnipaxos::messages::Message;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use omnipaxos_storage::memory_storage::MemoryStorage;

use super::{Cluster, NODES, command};

/// A command; cloning it copies no byte.
#[derive(Clone, Debug)]
struct Command(Bytes);

impl Entry for Command {
    type Snapshot = NoSnapshot;
}

/// Three omnipaxos nodes.
pub(super) struct Omnipaxos {
    nodes: Vec<Node>,
    /// Messages on their way, by receiver.
    inboxes: Vec<VecDeque<Message<Command>>>,
    outgoing: Vec<Message<Command>>,
    messages: u64,
    command: Command,
}

struct Node {
    paxos: OmniPaxos<Command, MemoryStorage<Command>>,
    decided: usize,
    applied: u64,
}

impl Omnipaxos {
    pub(super) fn new(payload: usize) -> Result<Self> {
        let cluster = ClusterConfig { configuration_id: 1, nodes: vec![1, 2, 3], ..ClusterConfig::default() };
        let mut nodes = Vec::new();
        for pid in (1u64..).take(NODES) {
            let server = ServerConfig { pid, ..ServerConfig::default() };
            let paxos = cluster
                .clone()
                .build_for_server(server, MemoryStorage::default())
                .map_err(|error| anyhow!("omnipaxos: {error:?}"))?;
            nodes.push(Node { paxos, decided: 0, applied: 0 });
        }
        let inboxes = (0..NODES).map(|_| VecDeque::new()).collect();
        let command = Command(command(payload));
        let mut it = Self { nodes, inboxes, outgoing: Vec::new(), messages: 0, command };
        it.leader()?.paxos.try_become_leader();
        for _ in 0..10 {
            it.turn()?;
        }
        ensure!(it.leader()?.paxos.get_current_leader() == Some((1, true)), "omnipaxos elected nobody");
        it.messages = 0;
        Ok(it)
    }

    fn leader(&mut self) -> Result<&mut Node> {
        self.nodes.first_mut().context("three nodes")
    }

    /// One node handles what came for it, sends, and applies what was decided.
    fn run(&mut self, at: usize) {
        let (Some(node), Some(inbox)) = (self.nodes.get_mut(at), self.inboxes.get_mut(at)) else { return };
        for message in inbox.drain(..) {
            node.paxos.handle_incoming(message);
        }
        node.paxos.take_outgoing_messages(&mut self.outgoing);
        for message in self.outgoing.drain(..) {
            let to = usize::try_from(message.get_receiver()).ok().and_then(|to| to.checked_sub(1));
            if let Some(inbox) = to.and_then(|to| self.inboxes.get_mut(to)) {
                self.messages += 1;
                inbox.push_back(message);
            }
        }
        let decided = node.paxos.get_decided_idx();
        if decided > node.decided {
            let payload = self.command.0.len();
            let is_command = |entry: &LogEntry<Command>| match entry {
                LogEntry::Decided(command) => u64::from(command.0.len() == payload),
                _ => 0,
            };
            let entries = node.paxos.read_decided_suffix(node.decided).unwrap_or_default();
            node.applied += entries.iter().map(is_command).sum::<u64>();
            node.decided = decided;
        }
    }
}

impl Cluster for Omnipaxos {
    fn propose(&mut self, count: u64) -> Result<()> {
        let command = self.command.clone();
        let leader = self.leader()?;
        for _ in 0..count {
            leader.paxos.append(command.clone()).map_err(|error| anyhow!("omnipaxos: {error:?}"))?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        self.run(0);
        for follower in 1..NODES {
            self.run(follower);
        }
        self.run(0);
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
