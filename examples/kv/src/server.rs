//! One node: a log on disk, sockets to its peers, Raft between them, HTTP in front.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use synod_raft::Raft;
use synod_tcp::{Plaintext, TcpOptions, TcpTransport};
use synod_transport::host::Host;
use synod_transport::ids::{Incarnation, LogIndex};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogStore, StateStore};
use synod_wal::{FileStateStore, WalStore};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::config::Config;
use crate::http::{App, router};
use crate::service::KeyValue;
use crate::trace;

/// How long requests under way may take to end after the node has stopped.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a node until `stop` is ready or something fails for good.
///
/// Made for a runtime of one thread: a request passes through it without a lock or a switch. The log's syncs, which
/// block, have a thread of their own.
///
/// # Errors
/// When the node cannot start, or its store or its invariants fail. What was acknowledged is on disk all the same.
pub async fn serve(config: Config, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let this = *config.this().context("the configuration lacks this node")?;
    let incarnation = next_incarnation(&config)?;
    let (store, syncing) = open_log(&config)?;
    let network = connect(&config, incarnation).await?;
    let host = host(&config, incarnation, store)?;
    let (node, driver) = synod_node::start(host, network, KeyValue::new(), synod_node::Options::default());

    let listener = TcpListener::bind(this.http).await.with_context(|| format!("http: {}", this.http))?;
    tracing::info!(node = %config.id, %incarnation, http = %this.http, "serving");
    let app = App { node: node.clone(), peers: config.peers, incarnation };
    let stopped = async move {
        stop.await;
        node.stop().await;
    };
    let mut serving = pin!(axum::serve(listener, router(app)).with_graceful_shutdown(stopped).into_future());
    let result = tokio::select! {
        biased;
        result = driver.run() => result.context("the node has failed"),
        result = &mut serving => result.context("http"),
    };
    if timeout(GRACE, serving).await.is_err() {
        tracing::warn!("some clients were cut off");
    }
    syncing.join().map_err(|_| anyhow!("the log's thread has panicked"))?;
    result
}

/// Counts this start, durably, so that peers can tell it from the last.
fn next_incarnation(config: &Config) -> anyhow::Result<Incarnation> {
    const NAME: &str = "incarnation";
    std::fs::create_dir_all(&config.data).with_context(|| format!("data: {}", config.data.display()))?;
    let mut state = FileStateStore::open(config.data.join("state")).context("the state cannot be opened")?;
    let last = match state.get(NAME)? {
        None => 0,
        Some(bytes) => {
            u64::from_le_bytes(bytes.as_ref().try_into().context("the stored incarnation is damaged")?)
        }
    };
    let next = Incarnation::new(last).next();
    state.set(NAME, &next.get().to_le_bytes())?;
    Ok(next)
}

/// Opens the log, with a thread that syncs it and ends when the log is dropped.
fn open_log(config: &Config) -> anyhow::Result<(WalStore, JoinHandle<()>)> {
    let mut syncing = None;
    let spawn = |work| syncing = Some(thread::spawn(work));
    let opened = WalStore::open(config.data.join("log"), &synod_wal::Options::default(), spawn);
    let (store, recovery) = opened.context("the log cannot be opened")?;
    tracing::info!(?recovery, "the log is open");
    Ok((store, syncing.context("the log asked for no thread")?))
}

async fn connect(config: &Config, incarnation: Incarnation) -> anyhow::Result<TcpTransport> {
    let this = config.this().context("the configuration lacks this node")?;
    let mut options = TcpOptions::new(config.cluster, config.id, incarnation, this.address);
    options.peers = config.peers.iter().map(|peer| (peer.id, peer.address)).collect();
    options.peers.remove(&config.id);
    if config.allow_plaintext {
        options.plaintext = Plaintext::AcceptTheRisk;
    }
    Ok(TcpTransport::bind(options).await?)
}

/// Raft over the log, both restored.
fn host(
    config: &Config,
    incarnation: Incarnation,
    store: WalStore,
) -> anyhow::Result<Host<Raft<Static>, WalStore>> {
    let members = Members::new(config.peers.iter().map(|peer| peer.id))?;
    let raft = synod_raft::Config {
        election_timeout: config.election_timeout,
        heartbeat_interval: config.heartbeat_interval,
        seed: (config.id.get() << 32) ^ incarnation.get(),
        ..synod_raft::Config::new(config.id)
    };
    let raft = Raft::new(raft, Static::new(members), &store.summary()).context("the log cannot be used")?;
    let mut host = Host::new(raft, store, LogIndex::ZERO);
    if let Some(path) = &config.trace {
        let recorder =
            trace::to_file(path, incarnation).with_context(|| format!("trace: {}", path.display()))?;
        host.record_to(Box::new(recorder));
    }
    Ok(host)
}
