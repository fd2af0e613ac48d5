//! The crate `raft` 0.7 (TiKV's raft-rs), driven as its examples do, over its own `MemStorage`.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, ensure};
use raft_rs::eraftpb::{ConfState, Entry, Message};
use raft_rs::storage::MemStorage;
use raft_rs::{Config, RawNode, StateRole};

use super::{Cluster, NODES};

/// Three raft-rs nodes.
pub(super) struct RaftRs {
    nodes: Vec<Node>,
    /// Messages on their way, by receiver.
    inboxes: Vec<VecDeque<Message>>,
    messages: u64,
    payload: usize,
}

struct Node {
    raft: RawNode<MemStorage>,
    store: MemStorage,
    applied: u64,
}

impl RaftRs {
    pub(super) fn new(batch_append: bool, payload: usize) -> Result<Self> {
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let mut nodes = Vec::new();
        for id in (1u64..).take(NODES) {
            let config = Config {
                id,
                batch_append,
                max_size_per_msg: 1 << 20,
                max_inflight_msgs: 256,
                ..Config::default()
            };
            let store = MemStorage::new_with_conf_state(ConfState::from((vec![1, 2, 3], vec![])));
            nodes.push(Node { raft: RawNode::new(&config, store.clone(), &logger)?, store, applied: 0 });
        }
        let inboxes = (0..NODES).map(|_| VecDeque::new()).collect();
        let mut it = Self { nodes, inboxes, messages: 0, payload };
        it.leader()?.raft.campaign()?;
        for _ in 0..10 {
            it.turn()?;
        }
        ensure!(it.leader()?.raft.raft.state == StateRole::Leader, "raft-rs elected nobody");
        it.messages = 0;
        Ok(it)
    }

    fn leader(&mut self) -> Result<&mut Node> {
        self.nodes.first_mut().context("three nodes")
    }

    /// One node steps what came for it and handles its readies.
    fn run(&mut self, at: usize) -> Result<()> {
        let (Some(node), Some(inbox)) = (self.nodes.get_mut(at), self.inboxes.get_mut(at)) else {
            return Ok(());
        };
        for message in inbox.drain(..) {
            node.raft.step(message)?;
        }
        while node.raft.has_ready() {
            let mut ready = node.raft.ready();
            send(&mut self.inboxes, &mut self.messages, ready.take_messages());
            node.applied += apply(&ready.take_committed_entries(), self.payload);
            if !ready.entries().is_empty() {
                node.store.wl().append(ready.entries())?;
            }
            if let Some(state) = ready.hs() {
                node.store.wl().set_hardstate(state.clone());
            }
            send(&mut self.inboxes, &mut self.messages, ready.take_persisted_messages());
            let mut light = node.raft.advance(ready);
            if let Some(commit) = light.commit_index() {
                node.store.wl().mut_hard_state().set_commit(commit);
            }
            send(&mut self.inboxes, &mut self.messages, light.take_messages());
            node.applied += apply(&light.take_committed_entries(), self.payload);
            node.raft.advance_apply();
        }
        Ok(())
    }
}

fn send(inboxes: &mut [VecDeque<Message>], sent: &mut u64, messages: Vec<Message>) {
    for message in messages {
        let to = usize::try_from(message.to).ok().and_then(|to| to.checked_sub(1));
        if let Some(inbox) = to.and_then(|to| inboxes.get_mut(to)) {
            *sent += 1;
            inbox.push_back(message);
        }
    }
}

/// How many commands there are among the entries; a new leader's blank entry is none.
fn apply(entries: &[Entry], payload: usize) -> u64 {
    entries.iter().map(|entry| u64::from(entry.data.len() == payload)).sum()
}

impl Cluster for RaftRs {
    fn propose(&mut self, count: u64) -> Result<()> {
        let payload = self.payload;
        let leader = self.leader()?;
        for _ in 0..count {
            leader.raft.propose(Vec::new(), vec![7u8; payload])?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        self.run(0)?;
        for follower in 1..NODES {
            self.run(follower)?;
        }
        self.run(0)
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
