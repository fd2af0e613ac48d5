//! What is done to the processes while the clients run: kill the leader, pause a follower, pause the leader, again
//! and again until the time is up.

use std::time::Duration;

use anyhow::{Context, bail};
use synod_kv::client::{Client, Patience};
use tokio::time::{Instant, sleep, timeout};

use super::cluster::{Cluster, NODES};
use super::stage::Stage;

/// A leader that was taken away.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// When, in nanoseconds since the start.
    pub(super) at: u64,
    /// Which node.
    pub(super) node: usize,
    /// How.
    pub(super) how: &'static str,
}

/// Something that was done to a node, by the name that traces have for it.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// When, in nanoseconds since the start.
    pub(super) at: u64,
    /// Which node, from 0.
    pub(super) node: usize,
    /// `Crash`, `Pause` or `Resume`.
    pub(super) event: &'static str,
}

/// All that was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Played {
    /// Leaders that were taken away.
    pub(super) failures: Vec<Failure>,
    /// Everything, in order.
    pub(super) acts: Vec<Act>,
}

impl Played {
    fn note(&mut self, stage: &Stage, node: usize, event: &'static str) {
        self.acts.push(Act { at: stage.nanos(), node, event });
    }
}

/// Between two faults, and before the first.
const CALM: Duration = Duration::from_millis(1500);
/// A new leader must be there after this.
const ELECTION: Duration = Duration::from_secs(10);

/// Plays faults until the clients' time is up; every node runs in the end.
pub(super) async fn play(cluster: &mut Cluster, stage: &Stage) -> anyhow::Result<Played> {
    let patience = Patience { attempt: Duration::from_millis(200), ..Patience::default() };
    let observer = Client::new(&cluster.urls(), patience)?;
    let mut played = Played::default();
    for act in 0u32.. {
        sleep(CALM.min(stage.left())).await;
        cluster.check()?;
        if act > 0 && stage.left() < 2 * CALM {
            break;
        }
        let leader = leader(&observer, None).await?;
        let follower = (leader + 1) % NODES;
        match act % 3 {
            0 => kill(cluster, stage, &observer, leader, &mut played).await?,
            1 => pause(cluster, stage, follower, "a follower", &mut played).await?,
            _ => {
                played.failures.push(Failure { at: stage.nanos(), node: leader, how: "paused" });
                pause(cluster, stage, leader, "the leader", &mut played).await?;
            }
        }
    }
    sleep(stage.left()).await;
    stage.call_off();
    Ok(played)
}

async fn kill(
    cluster: &mut Cluster,
    stage: &Stage,
    observer: &Client,
    leader: usize,
    played: &mut Played,
) -> anyhow::Result<()> {
    cluster.kill(leader)?;
    played.failures.push(Failure { at: stage.nanos(), node: leader, how: "killed" });
    played.note(stage, leader, "Crash");
    stage.say(format_args!("node {}, the leader, killed", leader + 1));
    let next = self::leader(observer, Some(leader)).await?;
    stage.say(format_args!("node {} leads", next + 1));
    sleep(Duration::from_millis(500)).await;
    cluster.run(leader)?;
    stage.say(format_args!("node {} started again", leader + 1));
    Ok(())
}

async fn pause(
    cluster: &mut Cluster,
    stage: &Stage,
    node: usize,
    what: &str,
    played: &mut Played,
) -> anyhow::Result<()> {
    cluster.pause(node)?;
    played.note(stage, node, "Pause");
    stage.say(format_args!("node {}, {what}, paused", node + 1));
    sleep(CALM).await;
    cluster.resume(node)?;
    played.note(stage, node, "Resume");
    stage.say(format_args!("node {} resumed", node + 1));
    Ok(())
}

/// The node that says it leads, in the highest term, `gone` left aside.
async fn leader(observer: &Client, gone: Option<usize>) -> anyhow::Result<usize> {
    let search = async {
        loop {
            let mut best = None;
            for node in (0..NODES).filter(|node| Some(*node) != gone) {
                match observer.status(node).await {
                    Ok(status) if status.is_leader() => best = best.max(Some((status.term, node))),
                    // Not the leader, or not there: both may change.
                    Ok(_) | Err(_) => {}
                }
            }
            match best {
                Some((_, node)) => return node,
                None => sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(ELECTION, search).await.context("no leader was elected")
}

/// Waits until every node has applied as much as the one that has applied most.
pub(super) async fn level(cluster: &Cluster) -> anyhow::Result<()> {
    let observer = Client::new(&cluster.urls(), Patience::default())?;
    let end = Instant::now() + ELECTION;
    loop {
        let mut applied = Vec::new();
        for node in 0..NODES {
            if let Ok(status) = observer.status(node).await {
                applied.push((status.applied, status.committed));
            }
        }
        let most = applied.iter().map(|(_, committed)| *committed).max().unwrap_or(0);
        if applied.len() == NODES && applied.iter().all(|(applied, _)| *applied == most) {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("the nodes do not catch up: they have applied and committed {applied:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}
