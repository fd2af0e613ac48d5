//! A few nodes, a network with one millisecond of delay, disks that sync at once, and a clock. No faults but those the
//! script makes: this is for liveness, where a script says how long something may take at most.

use std::collections::VecDeque;
use std::time::Duration;

use crate::common::{Node, Out, Setup};
use synod_raft::Message;
use synod_transport::ids::NodeId;
use synod_transport::machine::Role;
use synod_transport::time::Instant;

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    /// Messages from the first to the second are lost.
    pub(crate) cut: Vec<(u64, u64)>,
    now: Instant,
    line: VecDeque<(Instant, u64, u64, Message)>,
}

impl World {
    pub(crate) fn new(setups: Vec<Setup>) -> Self {
        let count = setups.len() as u64;
        let nodes = setups.into_iter().map(|setup| setup.of(count).start()).collect();
        Self { nodes, cut: vec![], now: Instant::ZERO, line: VecDeque::new() }
    }

    pub(crate) fn node(&mut self, id: u64) -> &mut Node {
        &mut self.nodes[usize::try_from(id).unwrap() - 1]
    }

    /// Cuts a node off, both ways.
    pub(crate) fn isolate(&mut self, id: u64) {
        for other in 1..=self.nodes.len() as u64 {
            self.cut.extend([(id, other), (other, id)]);
        }
    }

    /// Milliseconds until `done`, or `None` when it takes longer than `limit`.
    pub(crate) fn run_until(&mut self, limit: u64, done: impl Fn(&[Node]) -> bool) -> Option<u64> {
        for passed in 0..=limit {
            if done(&self.nodes) {
                return Some(passed);
            }
            self.millisecond();
        }
        None
    }

    pub(crate) fn run(&mut self, millis: u64) {
        self.run_until(millis, |_| false);
    }

    /// Carries out what a node asked for.
    pub(crate) fn carry(&mut self, from: u64, mut out: Out) {
        let synced = self.node(from).persist();
        out.send.extend(synced.opened);
        out.send.extend(synced.send);
        let at = self.now.plus(Duration::from_millis(1));
        for (to, message) in out.send {
            if !self.cut.contains(&(from, to)) {
                self.line.push_back((at, from, to, message));
            }
        }
        if !self.node(from).unsynced.is_empty() {
            self.carry(from, Out::default());
        }
    }

    fn millisecond(&mut self) {
        self.now = self.now.plus(Duration::from_millis(1));
        while self.line.front().is_some_and(|(at, ..)| *at <= self.now) {
            let (_, from, to, message) = self.line.pop_front().unwrap();
            let now = self.now;
            self.node(to).now = now;
            let out = self.node(to).deliver(from, message);
            self.carry(to, out);
        }
        for id in 1..=self.nodes.len() as u64 {
            let out = self.node(id).advance(0);
            self.carry(id, out);
            let now = self.now;
            self.node(id).now = now;
        }
    }
}

/// The leader, when there is one and everybody follows it in its term.
pub(crate) fn settled_leader(nodes: &[Node]) -> Option<u64> {
    let leader = nodes.iter().find(|node| node.role() == Role::Leader)?;
    let agreed = nodes
        .iter()
        .all(|node| node.term() == leader.term() && node.raft.leader().map(NodeId::get) == Some(leader.id()));
    agreed.then(|| leader.id())
}
