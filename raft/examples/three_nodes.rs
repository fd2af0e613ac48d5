//! Three nodes in one thread: they elect a leader, commit three commands, lose the leader and go on.
//!
//! `cargo run -p synod-raft --example three_nodes`

use std::error::Error;
use std::task::{Context, Waker};
use std::time::Duration;

use synod_raft::{Config, Raft};
use synod_transport::host::Host;
use synod_transport::ids::{LogIndex, NodeId, Tag};
use synod_transport::log::Entry;
use synod_transport::machine::{Event, Role};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogStore, MemLogStore};
use synod_transport::time::Instant;

type Node = Host<Raft, MemLogStore>;

struct Cluster {
    nodes: Vec<(NodeId, Node)>,
    now: Instant,
}

impl Cluster {
    fn new(size: u64) -> Result<Self, Box<dyn Error>> {
        let ids: Vec<NodeId> = (1..=size).map(NodeId::new).collect();
        let members = Members::new(ids.iter().copied())?;
        let mut nodes = Vec::new();
        for id in ids {
            let store = MemLogStore::new();
            let raft = Raft::new(Config::new(id), Static::new(members.clone()), &store.summary())?;
            nodes.push((id, Host::new(raft, store, LogIndex::ZERO)));
        }
        Ok(Self { nodes, now: Instant::ZERO })
    }

    /// Lets `duration` pass in steps of 10 ms, with every message delivered at once.
    fn run(&mut self, duration: Duration) -> Result<(), Box<dyn Error>> {
        let end = self.now.plus(duration);
        while self.now < end {
            self.now = self.now.plus(Duration::from_millis(10));
            for (_, node) in &mut self.nodes {
                if node.wake_at() <= self.now {
                    node.wake(self.now)?;
                }
            }
            self.settle()?;
        }
        Ok(())
    }

    /// Moves messages and receipts until nothing is left to move.
    fn settle(&mut self) -> Result<(), Box<dyn Error>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut frames = Vec::new();
        loop {
            for (from, node) in &mut self.nodes {
                while node.poll_durable(self.now, &mut cx)?.is_ready() {}
                node.drain_frames(1 << 20, |to, _class, frame| frames.push((*from, to, frame.join())));
            }
            if frames.is_empty() {
                break;
            }
            for (from, to, frame) in frames.drain(..) {
                if let Some((_, node)) = self.nodes.iter_mut().find(|(id, _)| *id == to) {
                    node.receive(self.now, from, frame)?;
                }
            }
        }
        self.report()
    }

    fn report(&mut self) -> Result<(), Box<dyn Error>> {
        let (mut events, mut applied) = (Vec::new(), Vec::<Entry>::new());
        for (id, node) in &mut self.nodes {
            node.take_events(&mut events);
            for event in events.drain(..) {
                if let Event::Role { role: Role::Leader, term, .. } = event {
                    println!("{:?} {id:?} leads term {term}", self.now);
                }
            }
            while node.take_committed(1 << 20, &mut applied)? {}
            for entry in applied.drain(..) {
                println!("{:?} {id:?} applies {:?} {:?}", self.now, entry.position, entry.payload);
            }
        }
        Ok(())
    }

    fn leader(&mut self) -> Option<usize> {
        self.nodes.iter().position(|(_, node)| node.machine().role() == Role::Leader)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut cluster = Cluster::new(3)?;
    cluster.run(Duration::from_secs(3))?;
    let leader = cluster.leader().ok_or("nobody leads")?;
    let (now, mut commands) = (cluster.now, vec!["a".into(), "b".into(), "c".into()]);
    if let Some((_, node)) = cluster.nodes.get_mut(leader) {
        node.propose(now, Tag::new(1), &mut commands)?;
    }
    cluster.run(Duration::from_millis(200))?;

    let (lost, _) = cluster.nodes.remove(leader);
    println!("{:?} {lost:?} is gone", cluster.now);
    cluster.run(Duration::from_secs(4))?;
    cluster.leader().map(|_| ()).ok_or_else(|| "the others elected nobody".into())
}
