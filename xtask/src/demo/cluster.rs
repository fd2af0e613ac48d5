//! Three processes of the server, and the signals they get. None outlives the [`Cluster`], nor this program.

use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::traces;

/// How many nodes.
pub(super) const NODES: usize = 3;

/// What was built, and where the runs leave their files.
pub(super) struct Build {
    server: PathBuf,
    pub(super) folder: PathBuf,
}

/// Builds the server with the cargo that runs this.
pub(super) fn build() -> anyhow::Result<Build> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "synod-kv", "--bin", "synod-kv"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(crate::workspace_root()?)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(output.status.success(), "the server does not build");
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    let server = artifacts.filter_map(|it| it.get("executable")?.as_str().map(PathBuf::from)).next_back();
    let server = server.context("cargo names no executable")?;
    let target = server.parent().and_then(Path::parent).context("the executable lies in target/release")?;
    let folder = target.join("demo");
    Ok(Build { server, folder })
}

/// Three nodes on loopback.
pub(super) struct Cluster {
    server: PathBuf,
    folder: PathBuf,
    trace: PathBuf,
    /// How often each node was started.
    lives: Vec<u32>,
    killed: usize,
    addresses: Vec<(SocketAddr, SocketAddr)>,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    /// Starts all nodes on an empty folder.
    pub(super) fn start(build: &Build, trace: &Path) -> anyhow::Result<Self> {
        if build.folder.exists() {
            fs::remove_dir_all(&build.folder).context("the last run's files cannot be removed")?;
        }
        fs::create_dir_all(&build.folder)?;
        traces::clear(trace)?;
        let mut cluster = Self {
            server: build.server.clone(),
            folder: build.folder.clone(),
            trace: trace.to_owned(),
            lives: vec![0; NODES],
            killed: 0,
            addresses: free_addresses()?,
            nodes: (0..NODES).map(|_| None).collect(),
        };
        for node in 0..NODES {
            cluster.run(node)?;
        }
        Ok(cluster)
    }

    /// Where clients reach the nodes.
    pub(super) fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|(_, http)| format!("http://{http}")).collect()
    }

    /// Starts a node that is not running.
    pub(super) fn run(&mut self, node: usize) -> anyhow::Result<()> {
        let name = format!("node-{}", node + 1);
        let log =
            OpenOptions::new().create(true).append(true).open(self.folder.join(format!("{name}.log")))?;
        let mut command = Command::new(&self.server);
        command.arg("--exit-with-parent").args(["--cluster", "de40", "--id", &(node + 1).to_string()]);
        command.arg("--data").arg(self.folder.join("data").join(&name));
        command.args(["--election-timeout-ms", "500", "--heartbeat-interval-ms", "50"]);
        for (at, (address, http)) in self.addresses.iter().enumerate() {
            command.arg("--peer").arg(format!("{}={address},{http}", at + 1));
        }
        let life = self.lives.get_mut(node).with_context(|| format!("there is no {name}"))?;
        *life += 1;
        command.arg("--trace").arg(self.trace.join(format!("{name}.life-{life}.ndjson")));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.with_context(|| format!("{} cannot be run", self.server.display()))?;
        *self.slot(node)? = Some(child);
        Ok(())
    }

    /// SIGKILL: the process has no say.
    pub(super) fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        let mut child = self.slot(node)?.take().context("a node to kill runs")?;
        child.kill()?;
        child.wait()?;
        self.killed += 1;
        Ok(())
    }

    /// How many processes had no say in their end.
    pub(super) fn killed(&self) -> usize {
        self.killed
    }

    /// SIGSTOP: the process stands still and does not know it.
    pub(super) fn pause(&mut self, node: usize) -> anyhow::Result<()> {
        self.signal(node, Signal::STOP)
    }

    /// SIGCONT.
    pub(super) fn resume(&mut self, node: usize) -> anyhow::Result<()> {
        self.signal(node, Signal::CONT)
    }

    /// SIGTERM to all; each must end by itself, and well.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        for node in 0..NODES {
            self.signal(node, Signal::TERM)?;
        }
        let end = Instant::now() + Duration::from_secs(5);
        for node in 0..NODES {
            let status = loop {
                if let Some(status) = self.ended(node)? {
                    break status;
                }
                ensure!(Instant::now() < end, "node {} does not stop", node + 1);
                tokio::time::sleep(Duration::from_millis(10)).await;
            };
            ensure!(status.success(), "node {} ended with {status}; see its log", node + 1);
        }
        Ok(())
    }

    /// Fails when a node that should run has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        for node in 0..NODES {
            if self.slot(node)?.is_some() {
                if let Some(status) = self.ended(node)? {
                    let log = self.folder.join(format!("node-{}.log", node + 1));
                    bail!("node {} ended by itself with {status}; see {}", node + 1, log.display());
                }
            }
        }
        Ok(())
    }

    fn ended(&mut self, node: usize) -> anyhow::Result<Option<ExitStatus>> {
        let child = self.slot(node)?.as_mut().context("the node was started")?;
        Ok(child.try_wait()?)
    }

    fn signal(&mut self, node: usize, signal: Signal) -> anyhow::Result<()> {
        let child = self.slot(node)?.as_ref().context("a node to signal runs")?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    fn slot(&mut self, node: usize) -> anyhow::Result<&mut Option<Child>> {
        self.nodes.get_mut(node).with_context(|| format!("there is no node {}", node + 1))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().flatten() {
            // Fails when it has ended already; waiting then still takes its remains away.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ports that were free a moment ago, two for each node.
fn free_addresses() -> anyhow::Result<Vec<(SocketAddr, SocketAddr)>> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = (0..NODES).map(|_| Ok((listen()?, listen()?))).collect::<std::io::Result<Vec<_>>>()?;
    let addresses = listeners.iter().map(|(one, other)| Ok((one.local_addr()?, other.local_addr()?)));
    Ok(addresses.collect::<std::io::Result<_>>()?)
}
