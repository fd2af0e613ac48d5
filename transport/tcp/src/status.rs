//! What a transport tells about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use synod_transport::ids::NodeId;
use synod_transport::net::Class;

use crate::error::ConnectionError;
use crate::sync::{Mutex, MutexGuard, Notify};

/// Counts since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Frames handed to the system, whole.
    pub frames_sent: u64,
    /// Writes that carried them.
    pub writes: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Control frames that gave way to newer ones.
    pub gave_way: u64,
    /// Frames lost with a connection while they were being written.
    pub lost: u64,
    /// Connections dialled and accepted by the peer.
    pub dialled: u64,
    /// Connections of peers that we accepted.
    pub accepted: u64,
    /// Accepted connections that a newer one of the same peer and class replaced.
    pub replaced: u64,
    /// Connections that we sent away in the handshake, for whatever reason.
    pub refused: u64,
    /// Dialled connections that ended, or never stood.
    pub failed: u64,
    /// Accepted connections that ended.
    pub ended: u64,
}

#[derive(Default)]
struct State {
    stats: Stats,
    connected: BTreeSet<(NodeId, Class)>,
    errors: BTreeMap<NodeId, ConnectionError>,
    last_refused: Option<ConnectionError>,
}

/// Shared between the transport and its tasks.
pub(crate) struct Status {
    state: Mutex<State>,
    changed: Notify,
}

impl Status {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), changed: Notify::new() }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats
    }

    pub(crate) fn last_error(&self, peer: NodeId) -> Option<ConnectionError> {
        self.lock().errors.get(&peer).copied()
    }

    pub(crate) fn last_refused(&self) -> Option<ConnectionError> {
        self.lock().last_refused
    }

    pub(crate) fn is_connected(&self, peer: NodeId, class: Class) -> bool {
        self.lock().connected.contains(&(peer, class))
    }

    /// Resolves when the condition holds; asked again after each change to a connection.
    pub(crate) async fn wait_for(&self, mut condition: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if condition() {
                return;
            }
            changed.await;
        }
    }

    /// The next change after this call.
    #[cfg(all(test, synod_loom))]
    pub(crate) async fn change(&self) {
        self.changed.notified().await;
    }

    /// Counts without telling anyone: for what happens per frame.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.lock().stats);
    }

    pub(crate) fn dialled(&self, peer: NodeId, class: Class) {
        let mut state = self.lock();
        state.stats.dialled += 1;
        state.connected.insert((peer, class));
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn failed(&self, peer: NodeId, class: Class, error: ConnectionError) {
        let mut state = self.lock();
        state.stats.failed += 1;
        state.connected.remove(&(peer, class));
        state.errors.insert(peer, error);
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn accepted(&self) {
        self.lock().stats.accepted += 1;
        self.changed.notify_waiters();
    }

    pub(crate) fn refused(&self, peer: Option<NodeId>, error: ConnectionError) {
        let mut state = self.lock();
        state.stats.refused += 1;
        state.last_refused = Some(error);
        if let Some(peer) = peer {
            state.errors.insert(peer, error);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn ended(&self, peer: NodeId, error: ConnectionError) {
        let mut state = self.lock();
        state.stats.ended += 1;
        state.errors.insert(peer, error);
        drop(state);
        self.changed.notify_waiters();
    }

    /// A peer is no longer one.
    pub(crate) fn forget(&self, peer: NodeId) {
        let mut state = self.lock();
        state.connected.retain(|(of, _)| *of != peer);
        drop(state);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
