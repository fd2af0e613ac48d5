//! Nodes on threads of their own, each with its own runtime, as if they were processes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use synod_kv::config::{Config, Peer};
use synod_kv::server::serve;
use synod_transport::ids::{ClusterId, NodeId};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A cluster; dropping it stops all nodes and removes their files.
pub(crate) struct Nodes {
    folder: TempDir,
    peers: Vec<Peer>,
    running: Vec<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Nodes {
    /// Starts this many nodes.
    pub(crate) fn start(count: u64) -> Self {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let listeners: Vec<_> = (0..count).map(|_| (free(), free())).collect();
        let address = |listener: &TcpListener| -> SocketAddr { listener.local_addr().unwrap() };
        let peer = |(id, (one, other)): (u64, &(TcpListener, TcpListener))| Peer {
            id: NodeId::new(id),
            address: address(one),
            http: address(other),
        };
        let peers: Vec<Peer> = (1..).zip(&listeners).map(peer).collect();
        drop(listeners);
        let running = peers.iter().map(|_| None).collect();
        let mut nodes = Self { folder: tempfile::tempdir().unwrap(), peers, running };
        (0..nodes.peers.len()).for_each(|node| nodes.restart(node));
        nodes
    }

    /// Where clients reach them.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.peers.iter().map(|peer| format!("http://{}", peer.http)).collect()
    }

    /// The nodes that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.running.len()).filter(|node| self.running[*node].is_some())
    }

    /// Starts a node that does not run, on the files it left.
    pub(crate) fn restart(&mut self, node: usize) {
        let config = Config {
            id: self.peers[node].id,
            cluster: ClusterId(7),
            data: self.folder.path().join(format!("node-{node}")),
            peers: self.peers.clone(),
            election_timeout: Duration::from_millis(300),
            heartbeat_interval: Duration::from_millis(50),
            allow_plaintext: false,
            trace: None,
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(config, async {
                // An error says that the test is over: stop as well.
                let _ = stopped.await;
            }))
        });
        assert!(self.running[node].is_none());
        self.running[node] = Some(Running { stop, thread });
    }

    /// Stops a node and waits until it has ended, well.
    pub(crate) fn stop(&mut self, node: usize) {
        let Running { stop, thread } = self.running[node].take().unwrap();
        stop.send(()).unwrap();
        thread.join().unwrap().unwrap();
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for Running { stop, thread } in self.running.drain(..).flatten() {
            // Ended already when its start failed; joining tells no more than the test does.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}
