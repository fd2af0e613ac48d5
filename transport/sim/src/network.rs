//! The world's network as a [`Transport`] and an [`Inbound`], for drivers that want endpoints.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Closed, Frame, Inbound, Received, SendError, Transport};
use synod_transport::rng::Rng;

use crate::links::Links;
use crate::options::Options;

type Queue = (NodeId, NodeId, u8);

struct Inner {
    ids: Vec<NodeId>,
    links: Links,
    rates: Vec<u64>,
    rng: Rng,
    now: u64,
    sequence: u64,
    /// Most frames per sender, receiver and class, between the two ends.
    capacity: usize,
    in_flight: BTreeMap<(u64, u64), (NodeId, Received)>,
    /// By receiver and class: the most urgent is read first, so that no class waits behind another.
    arrived: BTreeMap<(NodeId, u8), VecDeque<Received>>,
    held: BTreeMap<Queue, usize>,
    readers: BTreeMap<NodeId, Waker>,
    senders: BTreeMap<Queue, Waker>,
    closed: Vec<NodeId>,
}

impl Inner {
    fn place(&self, id: NodeId) -> Option<usize> {
        self.ids.iter().position(|known| *known == id)
    }

    fn release(&mut self, queue: Queue) {
        if let Some(held) = self.held.get_mut(&queue) {
            *held = held.saturating_sub(1);
        }
        if let Some(waker) = self.senders.remove(&queue) {
            waker.wake();
        }
    }

    fn room(&self, from: NodeId, to: NodeId, class: Class) -> Result<(), SendError> {
        if self.closed.contains(&from) {
            return Err(SendError::Closed);
        }
        if from == to || self.place(to).is_none() {
            return Err(SendError::UnknownPeer(to));
        }
        let held = self.held.get(&(from, to, class.number())).copied().unwrap_or(0);
        if held < self.capacity { Ok(()) } else { Err(SendError::Full(to)) }
    }

    fn send(&mut self, from: NodeId, to: NodeId, class: Class, bytes: &Bytes) -> Result<(), SendError> {
        self.room(from, to, class)?;
        let (Some(sender), Some(receiver)) = (self.place(from), self.place(to)) else {
            return Err(SendError::UnknownPeer(to));
        };
        let fate = self.links.fate(&mut self.rng, &self.rates, self.now, (sender, receiver, class));
        for when in [fate.first, fate.second].into_iter().flatten() {
            self.sequence += 1;
            *self.held.entry((from, to, class.number())).or_insert(0) += 1;
            let received = Received { from, class, bytes: bytes.clone() };
            self.in_flight.insert((when, self.sequence), (to, received));
        }
        Ok(())
    }

    fn advance(&mut self, nanos: u64) {
        self.now = self.now.saturating_add(nanos);
        while let Some(first) = self.in_flight.first_entry() {
            if first.key().0 > self.now {
                return;
            }
            let (to, received) = first.remove();
            if self.closed.contains(&to) {
                self.release((received.from, to, received.class.number()));
                continue;
            }
            self.arrived.entry((to, received.class.number())).or_default().push_back(received);
            if let Some(waker) = self.readers.remove(&to) {
                waker.wake();
            }
        }
    }
}

/// A network in virtual time, with the faults of a seed.
#[derive(Clone)]
pub struct SimNetwork(Arc<Mutex<Inner>>);

impl SimNetwork {
    /// A network of these nodes. Message faults come at the rates that `options` and the seed give; `capacity` frames
    /// per sender, receiver and class are held between two ends.
    pub fn new(seed: u64, ids: &[NodeId], options: &Options, capacity: usize) -> Self {
        let mut rng = Rng::new(seed);
        let rates = options.draw(&mut rng.fork(1));
        let links = Links::new(ids.len(), &mut rng.fork(2));
        Self(Arc::new(Mutex::new(Inner {
            ids: ids.to_vec(),
            links,
            rates,
            rng,
            now: 0,
            sequence: 0,
            capacity,
            in_flight: BTreeMap::new(),
            arrived: BTreeMap::new(),
            held: BTreeMap::new(),
            readers: BTreeMap::new(),
            senders: BTreeMap::new(),
            closed: Vec::new(),
        })))
    }

    /// One node's end; `None` for a node it does not know.
    pub fn endpoint(&self, id: NodeId) -> Option<SimEndpoint> {
        self.lock().place(id).map(|_| SimEndpoint { id, network: self.clone() })
    }

    /// Lets this much virtual time pass, in nanoseconds: frames that are due arrive.
    pub fn advance(&self, nanos: u64) {
        self.lock().advance(nanos);
    }

    /// Cuts the network in a way that its seed chooses, named in the answer.
    pub fn partition(&self) -> &'static str {
        let mut inner = self.lock();
        let mut rng = inner.rng.fork(3);
        inner.links.split(&mut rng)
    }

    /// Ends every partition.
    pub fn heal(&self) {
        self.lock().links.heal_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One node's end of a [`SimNetwork`].
pub struct SimEndpoint {
    id: NodeId,
    network: SimNetwork,
}

impl SimEndpoint {
    /// Closes this end: nothing is taken and nothing more comes.
    pub fn close(&mut self) {
        let mut inner = self.network.lock();
        inner.closed.push(self.id);
        for class in Class::ALL {
            for received in inner.arrived.remove(&(self.id, class.number())).unwrap_or_default() {
                inner.release((received.from, self.id, class.number()));
            }
        }
        if let Some(waker) = inner.readers.remove(&self.id) {
            waker.wake();
        }
        for class in Class::ALL {
            let peers = inner.ids.clone();
            for to in peers {
                if let Some(waker) = inner.senders.remove(&(self.id, to, class.number())) {
                    waker.wake();
                }
            }
        }
    }
}

impl Transport for SimEndpoint {
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        self.network.lock().send(self.id, to, class, &frame.join())
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>> {
        let mut inner = self.network.lock();
        match inner.room(self.id, to, class) {
            Err(SendError::Full(_)) => {
                inner.senders.insert((self.id, to, class.number()), cx.waker().clone());
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }
}

impl Inbound for SimEndpoint {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        let mut inner = self.network.lock();
        if inner.closed.contains(&self.id) {
            return Poll::Ready(Err(Closed));
        }
        let mut count = 0;
        while count < max {
            let next = |class: Class| inner.arrived.get_mut(&(self.id, class.number()))?.pop_front();
            let Some(received) = Class::ALL.into_iter().find_map(next) else { break };
            inner.release((received.from, self.id, received.class.number()));
            out.push(received);
            count += 1;
        }
        if count == 0 && max > 0 {
            inner.readers.insert(self.id, cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(count))
    }
}
