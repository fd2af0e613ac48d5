//! Consensus cores: three nodes in one thread, logs in memory, messages moved by hand.
//!
//! ```text
//!  closed loop: keep `window` commands in flight ──▶ leader ──▶ turn: every message moved, every log written
//!       ▲                                                               │
//!       └───────────────── a command is done when the leader applied it ◀┘
//! ```
//!
//! A run ends when all three nodes have applied every command. No time passes for the peers: they tick no clock and
//! send no heartbeats, which favours them.

mod ours;
mod peer_omnipaxos;
mod peer_raft_rs;
pub mod suite;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;

/// How many nodes a cluster has; the first leads.
pub const NODES: usize = 3;

/// Three nodes that have elected the first.
pub trait Cluster {
    /// Offers this many commands to the leader.
    fn propose(&mut self, count: u64) -> Result<()>;

    /// Moves what there is to move, once around: leader, followers, leader.
    fn turn(&mut self) -> Result<()>;

    /// How many commands each node has applied, leader first.
    fn applied(&self) -> [u64; NODES];

    /// How many messages were moved so far.
    fn messages(&self) -> u64;
}

/// Who can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Contender {
    /// raft-rs as its defaults have it, but with messages of up to 1 MiB.
    RaftRsDefault,
    /// raft-rs with `batch_append`.
    RaftRsBatchAppend,
    /// omnipaxos with its in-memory storage.
    Omnipaxos,
    /// Ours, one call for each command, as the peers' interfaces have it.
    OursSingle,
    /// Ours, one call for all commands that are free to go.
    OursBatched,
}

impl Contender {
    /// All, peers around ours.
    pub const ALL: [Self; 5] =
        [Self::RaftRsDefault, Self::OursSingle, Self::RaftRsBatchAppend, Self::OursBatched, Self::Omnipaxos];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RaftRsDefault => "raft-rs 0.7, default",
            Self::RaftRsBatchAppend => "raft-rs 0.7, batch_append",
            Self::Omnipaxos => "omnipaxos 0.2.4",
            Self::OursSingle => "synod-raft, a call per command",
            Self::OursBatched => "synod-raft, a call per batch",
        }
    }

    /// A fresh cluster with an elected leader, whose commands are of `payload` bytes.
    pub fn build(self, payload: usize) -> Result<Box<dyn Cluster>> {
        Ok(match self {
            Self::RaftRsDefault => Box::new(peer_raft_rs::RaftRs::new(false, payload)?),
            Self::RaftRsBatchAppend => Box::new(peer_raft_rs::RaftRs::new(true, payload)?),
            Self::Omnipaxos => Box::new(peer_omnipaxos::Omnipaxos::new(payload)?),
            Self::OursSingle => Box::new(ours::Ours::new(payload, ours::Calls::PerCommand)?),
            Self::OursBatched => Box::new(ours::Ours::new(payload, ours::Calls::PerBatch)?),
        })
    }
}

/// Turns without progress after which a cluster counts as stuck.
const PATIENCE: u32 = 1000;

/// Runs `operations` more commands with at most `window` in flight, until all nodes have applied them.
pub fn closed_loop(cluster: &mut dyn Cluster, window: u64, operations: u64) -> Result<()> {
    let [start, ..] = cluster.applied();
    let end = start + operations;
    let mut offered = start;
    let mut last = cluster.applied();
    let mut idle = 0;
    while last.iter().any(|applied| *applied < end) {
        let [done, ..] = last;
        let free = (end - offered).min(window.saturating_sub(offered - done));
        if free > 0 {
            cluster.propose(free)?;
            offered += free;
        }
        cluster.turn()?;
        let now = cluster.applied();
        idle = if now == last { idle + 1 } else { 0 };
        ensure!(idle < PATIENCE, "no progress: offered {offered}, applied {now:?} of {end}");
        last = now;
    }
    if last.iter().any(|applied| *applied != end) {
        bail!("applied {last:?}, offered {end}");
    }
    Ok(())
}

/// The command that all contenders replicate: shared, so that a clone is a count and not a copy.
fn command(payload: usize) -> Bytes {
    Bytes::from(vec![7u8; payload])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_applies_every_command_on_all_nodes() {
        for contender in Contender::ALL {
            for window in [1, 7, 300] {
                let mut cluster = contender.build(64).unwrap();
                closed_loop(cluster.as_mut(), window, 1000).unwrap();
                closed_loop(cluster.as_mut(), window, 500).unwrap();
                assert_eq!(cluster.applied(), [1500; NODES], "{}", contender.name());
                assert!(cluster.messages() > 0);
            }
        }
    }

    #[test]
    fn a_cluster_that_loses_commands_is_an_error() {
        struct Lossy(u64);
        impl Cluster for Lossy {
            fn propose(&mut self, count: u64) -> Result<()> {
                self.0 += count / 2;
                Ok(())
            }
            fn turn(&mut self) -> Result<()> {
                Ok(())
            }
            fn applied(&self) -> [u64; NODES] {
                [self.0; NODES]
            }
            fn messages(&self) -> u64 {
                0
            }
        }
        assert!(closed_loop(&mut Lossy(0), 4, 100).is_err());
    }
}
