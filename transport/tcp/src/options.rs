use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use synod_transport::ids::{ClusterId, Incarnation, NodeId};

use crate::error::TcpError;

/// Whether bytes may leave the machine unencrypted and unauthenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plaintext {
    /// Bind to loopback and dial loopback; anything else is refused.
    #[default]
    LoopbackOnly,
    /// Bind and dial anywhere. Whoever reaches the port can read what passes, change it, and speak as any node of
    /// the cluster.
    AcceptTheRisk,
}

/// What a [`TcpTransport`](crate::TcpTransport) is told at its start. Make one with [`TcpOptions::new`] and change
/// fields; the README gives the reason for each default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TcpOptions {
    /// The cluster; peers of another are refused.
    pub cluster: ClusterId,
    /// This node.
    pub id: NodeId,
    /// This life of the node: must grow with every start, or peers refuse the connection.
    pub incarnation: Incarnation,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The other nodes. Only these are dialled, and only these are let in.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Largest frame, both ways, in bytes. Should be the same on all nodes.
    pub max_frame_bytes: usize,
    /// Frames that may wait for each (peer, class).
    pub queue_frames: usize,
    /// Bytes after which a queue of a (peer, class) takes no further frame; the last one taken may pass it.
    pub queue_bytes: usize,
    /// Bytes that one read asks for, and the size of a receive buffer.
    pub read_bytes: usize,
    /// The kernel's send buffer, in bytes; `None` leaves the system's choice.
    pub send_buffer_bytes: Option<usize>,
    /// How long a dialled connection may take to stand and to answer, and an accepted one to say who it is.
    pub handshake_timeout: Duration,
    /// How long written bytes may stay without progress before the connection is given up.
    pub write_timeout: Duration,
    /// Shortest and longest wait before dialling again; it doubles from the one to the other, with jitter.
    pub reconnect: (Duration, Duration),
    /// Handshakes that may be under way at once; further connections are closed at once.
    pub max_handshakes: usize,
    /// Seed of the jitter.
    pub seed: u64,
    /// Whether plaintext may leave the machine.
    pub plaintext: Plaintext,
}

impl TcpOptions {
    /// Options with all defaults and no peers.
    pub fn new(cluster: ClusterId, id: NodeId, incarnation: Incarnation, listen: SocketAddr) -> Self {
        Self {
            cluster,
            id,
            incarnation,
            listen,
            peers: BTreeMap::new(),
            max_frame_bytes: 8 << 20,
            queue_frames: 4096,
            queue_bytes: 16 << 20,
            read_bytes: 64 << 10,
            send_buffer_bytes: None,
            handshake_timeout: Duration::from_secs(2),
            write_timeout: Duration::from_secs(10),
            reconnect: (Duration::from_millis(10), Duration::from_secs(1)),
            max_handshakes: 64,
            seed: id.get().rotate_left(32) ^ incarnation.get(),
            plaintext: Plaintext::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), TcpError> {
        let wrong = |field, reason| Err(TcpError::Option { field, reason });
        if self.max_frame_bytes == 0 || u32::try_from(self.max_frame_bytes).is_err() {
            return wrong("max_frame_bytes", "must be between 1 and 2^32 - 1");
        }
        if self.queue_frames == 0 {
            return wrong("queue_frames", "must be at least 1");
        }
        if self.queue_bytes == 0 {
            return wrong("queue_bytes", "must be at least 1");
        }
        if self.read_bytes < 64 {
            return wrong("read_bytes", "must be at least 64");
        }
        if self.max_handshakes == 0 {
            return wrong("max_handshakes", "must be at least 1");
        }
        if self.reconnect.0.is_zero() || self.reconnect.1 < self.reconnect.0 {
            return wrong("reconnect", "must go from a time above zero to one no shorter");
        }
        if self.peers.contains_key(&self.id) {
            return wrong("peers", "must not name this node itself");
        }
        if !self.may_use(self.listen) {
            return Err(TcpError::PlaintextListen { listen: self.listen });
        }
        for (&peer, &address) in &self.peers {
            self.check_peer(peer, address)?;
        }
        Ok(())
    }

    pub(crate) fn check_peer(&self, peer: NodeId, address: SocketAddr) -> Result<(), TcpError> {
        if peer == self.id {
            return Err(TcpError::Option { field: "peers", reason: "must not name this node itself" });
        }
        if self.may_use(address) { Ok(()) } else { Err(TcpError::PlaintextPeer { peer, address }) }
    }

    fn may_use(&self, address: SocketAddr) -> bool {
        address.ip().to_canonical().is_loopback() || self.plaintext == Plaintext::AcceptTheRisk
    }
}
