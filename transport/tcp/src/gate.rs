//! Where connections that were let in wait for the receiving side.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::task::{Context, Waker};

use synod_transport::ids::{Incarnation, NodeId};
use synod_transport::net::Class;

use crate::error::Refusal;
use crate::sync::{Mutex, MutexGuard};

/// A connection as the gate sees it.
pub(crate) trait Arrival {
    fn peer(&self) -> NodeId;
    fn class(&self) -> Class;
    fn incarnation(&self) -> Incarnation;

    /// Whether this takes the place of an earlier one: same peer and class, or an older life of the peer.
    fn replaces(&self, earlier: &Self) -> bool {
        self.peer() == earlier.peer()
            && (self.class() == earlier.class() || self.incarnation() > earlier.incarnation())
    }
}

/// What the acceptor and the receiving side share.
pub(crate) struct Gate<A> {
    state: Mutex<State<A>>,
}

struct State<A> {
    /// The newest life seen of each peer.
    peers: BTreeMap<NodeId, Option<Incarnation>>,
    arrivals: Vec<A>,
    receiver: Option<Waker>,
}

impl<A: Arrival> Gate<A> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { peers: BTreeMap::new(), arrivals: Vec::new(), receiver: None }) }
    }

    pub(crate) fn let_in(&self, peer: NodeId) {
        self.lock().peers.entry(peer).or_default();
    }

    pub(crate) fn shut_out(&self, peer: NodeId) {
        let mut state = self.lock();
        state.peers.remove(&peer);
        state.arrivals.retain(|incoming| incoming.peer() != peer);
    }

    /// Accepted connections that the receiver has not seen yet; at most one per (peer, class).
    pub(crate) fn arrivals(&self) -> Vec<A> {
        core::mem::take(&mut self.lock().arrivals)
    }

    /// Wakes this waker at the next arrival. False when one is there already.
    pub(crate) fn wait(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        if !state.arrivals.is_empty() {
            return false;
        }
        if !state.receiver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.receiver = Some(cx.waker().clone());
        }
        true
    }

    /// Drops what arrived and wakes the receiver, so that it sees the end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.arrivals.clear();
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Whether this life of this peer may come in; remembers it.
    pub(crate) fn admit(&self, peer: NodeId, incarnation: Incarnation) -> Result<(), Refusal> {
        let mut state = self.lock();
        let newest = state.peers.get_mut(&peer).ok_or(Refusal::Sender)?;
        if newest.is_some_and(|newest| incarnation < newest) {
            return Err(Refusal::Incarnation);
        }
        *newest = Some(incarnation);
        Ok(())
    }

    /// Hands a connection over, in place of an earlier arrival of its kind; drops it when a later life was admitted
    /// meanwhile.
    pub(crate) fn arrive(&self, incoming: A) {
        let mut state = self.lock();
        if state.peers.get(&incoming.peer()) != Some(&Some(incoming.incarnation())) {
            return;
        }
        state.arrivals.retain(|earlier| !incoming.replaces(earlier));
        state.arrivals.push(incoming);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
