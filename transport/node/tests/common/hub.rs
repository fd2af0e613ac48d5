//! A network in memory. An inbox whose node is not there is the test's to read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Closed, Frame, Inbound, Received, SendError, Transport};

use super::toy::Say;

#[derive(Default)]
struct Inbox {
    frames: VecDeque<Received>,
    waker: Option<Waker>,
    full: bool,
}

#[derive(Default)]
struct State {
    inboxes: BTreeMap<NodeId, Inbox>,
    closed: bool,
}

#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<State>>);

impl Hub {
    /// A node's own end.
    pub fn join(&self, id: u64) -> End {
        End { id: NodeId::new(id), hub: self.clone() }
    }

    /// Puts a frame into a node's inbox.
    pub fn push(&self, from: u64, to: u64, bytes: Bytes) {
        let received = Received { from: NodeId::new(from), class: Class::Data, bytes };
        self.with(to, |inbox| inbox.frames.push_back(received));
    }

    /// Takes what lies in an inbox.
    pub fn take(&self, id: u64) -> Vec<Say> {
        let frames = self.with(id, |inbox| std::mem::take(&mut inbox.frames));
        let read =
            |it: Received| synod_transport::host::decode(it.bytes, &mut Vec::new()).expect("our own frame");
        frames.into_iter().map(read).collect()
    }

    /// How many frames lie in an inbox.
    pub fn waiting(&self, id: u64) -> usize {
        self.with(id, |inbox| inbox.frames.len())
    }

    /// Lengths of the frames in an inbox, in bytes.
    pub fn lengths(&self, id: u64) -> Vec<usize> {
        self.with(id, |inbox| inbox.frames.iter().map(|it| it.bytes.len()).collect())
    }

    /// Makes a node's queue refuse frames, or take them again.
    pub fn fill(&self, id: u64, full: bool) {
        self.with(id, |inbox| inbox.full = full);
    }

    /// Shuts the whole network down.
    pub fn close(&self) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        for inbox in state.inboxes.values_mut() {
            inbox.waker.take().into_iter().for_each(Waker::wake);
        }
    }

    fn with<R>(&self, id: u64, f: impl FnOnce(&mut Inbox) -> R) -> R {
        let mut state = self.0.lock().unwrap();
        let inbox = state.inboxes.entry(NodeId::new(id)).or_default();
        let out = f(inbox);
        inbox.waker.take().into_iter().for_each(Waker::wake);
        out
    }
}

pub struct End {
    id: NodeId,
    hub: Hub,
}

impl Transport for End {
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        if self.hub.0.lock().unwrap().closed {
            return Err(SendError::Closed);
        }
        let received = Received { from: self.id, class, bytes: frame.join() };
        self.hub.with(to.get(), |inbox| {
            if inbox.full {
                return Err(SendError::Full(to));
            }
            inbox.frames.push_back(received);
            Ok(())
        })
    }

    fn poll_ready(&mut self, _: &mut Context<'_>, _: NodeId, _: Class) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }
}

impl Inbound for End {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        let mut state = self.hub.0.lock().unwrap();
        if state.closed {
            return Poll::Ready(Err(Closed));
        }
        let inbox = state.inboxes.entry(self.id).or_default();
        let take = inbox.frames.len().min(max);
        if take == 0 {
            inbox.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        out.extend(inbox.frames.drain(..take));
        Poll::Ready(Ok(take))
    }
}
