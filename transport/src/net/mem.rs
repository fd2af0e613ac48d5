//! A network in memory: quiet, immediate, bounded. Endpoints may live on different threads.

use core::fmt;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Class, Closed, Frame, Inbound, Received, SendError, Transport};
use crate::ids::NodeId;

/// Largest frame unless [`MemNetwork::with_max_frame_bytes`] says otherwise.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

/// Joins endpoints by queues: one per (sender, receiver, class), each of the same capacity in frames.
///
/// ```
/// use std::task::{Context, Poll, Waker};
/// use synod_transport::ids::NodeId;
/// use synod_transport::net::{Class, Frame, Inbound, MemNetwork, Transport};
///
/// let [a, b] = [NodeId::new(1), NodeId::new(2)];
/// let network = MemNetwork::new([a, b], 8);
/// let (Some(mut at_a), Some(mut at_b)) = (network.endpoint(a), network.endpoint(b)) else { panic!("both are named") };
/// at_a.try_send(b, Class::Control, Frame::new("vote".into()))?;
///
/// let (mut cx, mut received) = (Context::from_waker(Waker::noop()), Vec::new());
/// assert_eq!(at_b.poll_recv(&mut cx, &mut received, 16), Poll::Ready(Ok(1)));
/// assert_eq!((received[0].from, &received[0].bytes[..]), (a, &b"vote"[..]));
/// # Ok::<(), synod_transport::net::SendError>(())
/// ```
#[derive(Clone)]
pub struct MemNetwork {
    shared: Arc<Mutex<State>>,
}

impl MemNetwork {
    /// A network of these nodes; each queue holds `capacity` frames, at least one.
    pub fn new(ids: impl IntoIterator<Item = NodeId>, capacity: usize) -> Self {
        let mailboxes = ids.into_iter().map(|id| (id, Mailbox::default())).collect();
        let state = State { mailboxes, capacity: capacity.max(1), max_frame_bytes: MAX_FRAME_BYTES };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Refuses frames over this length.
    #[must_use]
    pub fn with_max_frame_bytes(self, max_frame_bytes: usize) -> Self {
        lock(&self.shared).max_frame_bytes = max_frame_bytes;
        self
    }

    /// The end of this node; `None` for a stranger, or while another end of the same node is open. Asked for again
    /// after that one closed, it starts empty, as after a restart.
    pub fn endpoint(&self, id: NodeId) -> Option<MemEndpoint> {
        let mailbox = &mut lock(&self.shared).mailboxes;
        let mailbox = mailbox.get_mut(&id).filter(|mailbox| !mailbox.open)?;
        mailbox.open = true;
        Some(MemEndpoint { id, shared: Arc::clone(&self.shared) })
    }
}

impl fmt::Debug for MemNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemNetwork").finish_non_exhaustive()
    }
}

/// One node's end of a [`MemNetwork`]. Closes when dropped; frames sent to a closed end are lost.
pub struct MemEndpoint {
    id: NodeId,
    shared: Arc<Mutex<State>>,
}

impl MemEndpoint {
    /// Whose end this is.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Takes no more part: what waits for this node is lost, senders who wait for room are woken.
    pub fn close(&mut self) {
        let wakers = lock(&self.shared).mailboxes.get_mut(&self.id).map(Mailbox::close);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Drop for MemEndpoint {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for MemEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemEndpoint").field(&self.id).finish()
    }
}

impl Transport for MemEndpoint {
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        let mut state = lock(&self.shared);
        let (capacity, limit) = (state.capacity, state.max_frame_bytes);
        let mailbox = state.mailbox_of_peer(self.id, to)?;
        let len = frame.len();
        if len > limit {
            return Err(SendError::TooLarge { len, limit });
        }
        if !mailbox.open {
            return Ok(()); // lost, as the contract allows
        }
        let queue = mailbox.queues.entry((self.id, class)).or_default();
        if queue.frames.len() >= capacity {
            return Err(SendError::Full(to));
        }
        queue.frames.push_back(frame.join());
        let waker = mailbox.receiver.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>> {
        let mut state = lock(&self.shared);
        let capacity = state.capacity;
        let mailbox = match state.mailbox_of_peer(self.id, to) {
            Ok(mailbox) => mailbox,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let queue = mailbox.queues.entry((self.id, class)).or_default();
        if mailbox.open && queue.frames.len() >= capacity {
            queue.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl Inbound for MemEndpoint {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        let mut state = lock(&self.shared);
        let Some(mailbox) = state.mailboxes.get_mut(&self.id).filter(|mailbox| mailbox.open) else {
            return Poll::Ready(Err(Closed));
        };
        let mut wakers = Vec::new();
        let taken = mailbox.take(out, max, &mut wakers);
        if taken == 0 {
            mailbox.receiver = Some(cx.waker().clone());
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
    }
}

struct State {
    mailboxes: BTreeMap<NodeId, Mailbox>,
    capacity: usize,
    max_frame_bytes: usize,
}

impl State {
    fn mailbox_of_peer(&mut self, own: NodeId, to: NodeId) -> Result<&mut Mailbox, SendError> {
        if !self.mailboxes.get(&own).is_some_and(|mailbox| mailbox.open) {
            return Err(SendError::Closed);
        }
        self.mailboxes.get_mut(&to).filter(|_| to != own).ok_or(SendError::UnknownPeer(to))
    }
}

/// What waits for one node.
#[derive(Default)]
struct Mailbox {
    open: bool,
    queues: BTreeMap<(NodeId, Class), Queue>,
    /// Where the last round of [`Mailbox::take`] stopped, so that no queue starves.
    last: Option<(NodeId, Class)>,
    receiver: Option<Waker>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    sender: Option<Waker>,
}

impl Mailbox {
    /// Takes one frame from each queue in turn until `max` or nothing is left.
    fn take(&mut self, out: &mut Vec<Received>, max: usize, wakers: &mut Vec<Waker>) -> usize {
        let mut taken = 0;
        while taken < max {
            let before = taken;
            let last = self.last;
            let (after, until): (Vec<_>, Vec<_>) =
                self.queues.iter_mut().partition(|(key, _)| last.is_none_or(|last| **key > last));
            for (&(from, class), queue) in after.into_iter().chain(until) {
                if taken == max {
                    break;
                }
                if let Some(bytes) = queue.frames.pop_front() {
                    out.push(Received { from, class, bytes });
                    wakers.extend(queue.sender.take());
                    self.last = Some((from, class));
                    taken += 1;
                }
            }
            if taken == before {
                break;
            }
        }
        taken
    }

    /// Empties everything; gives whoever waited.
    fn close(&mut self) -> Vec<Waker> {
        self.open = false;
        self.last = None;
        let queues = core::mem::take(&mut self.queues);
        queues.into_values().filter_map(|queue| queue.sender).chain(self.receiver.take()).collect()
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
