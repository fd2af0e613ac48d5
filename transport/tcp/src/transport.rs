use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Closed, Frame, Inbound, Received, SendError, Transport};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::accept::Acceptor;
use crate::dial::Dialler;
use crate::error::{ConnectionError, TcpError};
use crate::gate::{Arrival as _, Gate};
use crate::inbound::Incoming;
use crate::lane::Lane;
use crate::options::TcpOptions;
use crate::status::{Stats, Status};

/// A node's end of the network: listens, dials its peers, and carries frames both ways.
///
/// Start: [`bind`](Self::bind), [`set_peer`](Self::set_peer), [`remove_peer`](Self::remove_peer). Carry: the traits
/// [`Transport`] and [`Inbound`]. Ask: [`stats`](Self::stats), [`last_error`](Self::last_error),
/// [`is_connected`](Self::is_connected), [`wait_for`](Self::wait_for). End: [`shutdown`](Self::shutdown), or drop it.
pub struct TcpTransport {
    options: Arc<TcpOptions>,
    address: SocketAddr,
    runtime: Handle,
    gate: Arc<Gate<Incoming>>,
    status: Arc<Status>,
    peers: BTreeMap<NodeId, Peer>,
    acceptor: JoinSet<()>,
    incoming: Vec<Incoming>,
    turn: usize,
    closed: bool,
}

/// Lanes in the order of [`Class::ALL`], and the tasks that empty them; the tasks end when this is dropped.
struct Peer {
    lanes: [Arc<Lane>; 3],
    tasks: JoinSet<()>,
}

impl TcpTransport {
    /// Listens and begins to dial. Must be called within a tokio runtime with its I/O and time drivers on.
    ///
    /// # Errors
    /// [`TcpError`]; nothing is left behind.
    pub async fn bind(options: TcpOptions) -> Result<Self, TcpError> {
        options.check()?;
        let listen = options.listen;
        let listener =
            TcpListener::bind(listen).await.map_err(|source| TcpError::Listen { listen, source })?;
        let address = listener.local_addr().map_err(|source| TcpError::Listen { listen, source })?;
        let options = Arc::new(options);
        let (gate, status) = (Arc::new(Gate::new()), Arc::new(Status::new()));
        let mut acceptor = JoinSet::new();
        let door =
            Acceptor { options: Arc::clone(&options), gate: Arc::clone(&gate), status: Arc::clone(&status) };
        let mut transport = Self {
            address,
            runtime: Handle::current(),
            gate,
            status,
            peers: BTreeMap::new(),
            acceptor: JoinSet::new(),
            incoming: Vec::new(),
            turn: 0,
            closed: false,
            options,
        };
        for (&peer, &address) in &Arc::clone(&transport.options).peers {
            transport.set_peer(peer, address)?;
        }
        acceptor.spawn(Arc::new(door).run(listener));
        transport.acceptor = acceptor;
        Ok(transport)
    }

    /// Where this node listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Adds a peer, or moves it to another address; what waited for the old one is dropped.
    ///
    /// # Errors
    /// [`TcpError::PlaintextPeer`], [`TcpError::Option`] for this node itself, [`TcpError::Closed`].
    pub fn set_peer(&mut self, peer: NodeId, address: SocketAddr) -> Result<(), TcpError> {
        if self.closed {
            return Err(TcpError::Closed);
        }
        self.options.check_peer(peer, address)?;
        self.gate.let_in(peer);
        let (frames, bytes) = (self.options.queue_frames, self.options.queue_bytes);
        let lanes = Class::ALL.map(|class| Arc::new(Lane::new(peer, class, frames, bytes)));
        let mut tasks = JoinSet::new();
        for lane in &lanes {
            let dialler = Dialler {
                lane: Arc::clone(lane),
                address,
                options: Arc::clone(&self.options),
                status: Arc::clone(&self.status),
            };
            tasks.spawn_on(dialler.run(), &self.runtime);
        }
        if let Some(old) = self.peers.insert(peer, Peer { lanes, tasks }) {
            old.lanes.iter().for_each(|lane| lane.close());
        }
        Ok(())
    }

    /// Forgets a peer: its connections close, its frames are dropped, and it is not let in again.
    pub fn remove_peer(&mut self, peer: NodeId) {
        self.gate.shut_out(peer);
        self.incoming.retain(|incoming| incoming.peer != peer);
        if let Some(old) = self.peers.remove(&peer) {
            old.lanes.iter().for_each(|lane| lane.close());
        }
        self.status.forget(peer);
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        self.status.stats()
    }

    /// The last thing that went wrong with this peer, either way. It stays after a connection stands again.
    pub fn last_error(&self, peer: NodeId) -> Option<ConnectionError> {
        self.status.last_error(peer)
    }

    /// Why the last connection was sent away, known peer or stranger.
    pub fn last_refused(&self) -> Option<ConnectionError> {
        self.status.last_refused()
    }

    /// Whether the way out to this peer stands.
    pub fn is_connected(&self, peer: NodeId, class: Class) -> bool {
        self.status.is_connected(peer, class)
    }

    /// Resolves when the condition holds; asked again whenever a connection comes or goes.
    pub async fn wait_for(&self, condition: impl Fn(&Self) -> bool) {
        self.status.wait_for(|| condition(self)).await;
    }

    /// Closes all sockets and ends all tasks, and waits until they have ended. Frames that wait are dropped.
    pub async fn shutdown(&mut self) {
        self.closed = true;
        self.gate.close();
        self.incoming.clear();
        self.acceptor.shutdown().await;
        for peer in self.peers.values_mut() {
            peer.lanes.iter().for_each(|lane| lane.close());
            peer.tasks.shutdown().await;
        }
        self.gate.close(); // what arrived while the acceptor ended
    }

    fn lane(&self, to: NodeId, class: Class) -> Result<&Lane, SendError> {
        if self.closed {
            return Err(SendError::Closed);
        }
        let [control, data, bulk] = &self.peers.get(&to).ok_or(SendError::UnknownPeer(to))?.lanes;
        Ok(match class {
            Class::Control => control,
            Class::Data => data,
            Class::Bulk => bulk,
        })
    }

    /// Takes over what the acceptor let in.
    fn adopt(&mut self) {
        for new in self.gate.arrivals() {
            let before = self.incoming.len();
            self.incoming.retain(|earlier| !new.replaces(earlier));
            let replaced = before - self.incoming.len();
            self.status.count(|stats| stats.replaced += replaced as u64);
            self.incoming.push(new);
        }
    }

    /// Asks each connection once, Control first. Every fourth turn Control comes last, and the others take turns, so
    /// that no flood starves anyone even when `max` is 1.
    fn poll_incoming(&mut self, cx: &mut Context<'_>, out: &mut Vec<Received>, max: usize) -> usize {
        let turn = self.turn;
        self.turn = turn.wrapping_add(1);
        let control_first = turn % 4 != 0;
        let mut taken = 0;
        let mut ended = Vec::new();
        for control in [control_first, !control_first] {
            let count = self.incoming.len();
            let (front, back) = self.incoming.split_at_mut(turn.checked_rem(count).unwrap_or(0));
            let in_turn = back.iter_mut().chain(front);
            for incoming in in_turn.filter(|incoming| (incoming.class == Class::Control) == control) {
                if taken == max {
                    break;
                }
                match incoming.poll_frames(cx, out, max - taken) {
                    Ok(count) => taken += count,
                    Err(error) => ended.push((incoming.peer, incoming.class, error)),
                }
            }
        }
        for (peer, class, error) in ended {
            self.incoming.retain(|incoming| (incoming.peer, incoming.class) != (peer, class));
            tracing::debug!(?peer, ?class, "an accepted connection ended: {error}");
            self.status.ended(peer, error);
        }
        taken
    }
}

impl Transport for TcpTransport {
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        let lane = self.lane(to, class)?;
        let (len, limit) = (frame.len(), self.options.max_frame_bytes);
        if len > limit {
            return Err(SendError::TooLarge { len, limit });
        }
        let gave_way = lane.push(frame)?;
        if gave_way > 0 {
            self.status.count(|stats| stats.gave_way += gave_way);
        }
        Ok(())
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>> {
        match self.lane(to, class) {
            Ok(lane) => lane.poll_ready(cx).map(Ok),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Inbound for TcpTransport {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        loop {
            if self.closed {
                return Poll::Ready(Err(Closed));
            }
            self.adopt();
            let taken = self.poll_incoming(cx, out, max);
            if taken > 0 {
                self.status.count(|stats| stats.frames_received += taken as u64);
                return Poll::Ready(Ok(taken));
            }
            if self.gate.wait(cx) {
                return Poll::Pending;
            }
        }
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport")
            .field("id", &self.options.id)
            .field("address", &self.address)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
