//! The bounded queue in front of one connection.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Frame, SendError};

use crate::batch::{BATCH_BYTES, BATCH_FRAMES};
use crate::sync::{Mutex, MutexGuard};

/// Frames that wait for one (peer, class).
pub(crate) struct Lane {
    pub(crate) peer: NodeId,
    pub(crate) class: Class,
    frames: usize,
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Frame>,
    bytes: usize,
    writer: Option<Waker>,
    sender: Option<Waker>,
}

impl Lane {
    pub(crate) fn new(peer: NodeId, class: Class, frames: usize, bytes: usize) -> Self {
        Self { peer, class, frames, bytes, state: Mutex::new(State::default()) }
    }

    /// Takes a frame, and says how many older ones gave way to it.
    pub(crate) fn push(&self, frame: Frame) -> Result<u64, SendError> {
        let mut state = self.lock();
        let mut gave_way = 0;
        while self.is_full(&state) {
            if self.class != Class::Control {
                return Err(SendError::Full(self.peer));
            }
            let Some(oldest) = state.waiting.pop_front() else { break };
            state.bytes -= oldest.len();
            gave_way += 1;
        }
        state.bytes += frame.len();
        state.waiting.push_back(frame);
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Ok(gave_way)
    }

    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if self.class == Class::Control || !self.is_full(&state) {
            return Poll::Ready(());
        }
        state.sender = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Moves frames of about a batch into `taken`, which is empty; pending when there is none.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, taken: &mut Vec<Frame>) -> Poll<()> {
        let mut state = self.lock();
        let mut bytes = 0;
        while taken.len() < BATCH_FRAMES && bytes < BATCH_BYTES {
            let Some(frame) = state.waiting.pop_front() else { break };
            bytes += frame.len();
            taken.push(frame);
        }
        if taken.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.bytes -= bytes;
        let sender = if self.is_full(&state) { None } else { state.sender.take() };
        drop(state);
        if let Some(sender) = sender {
            sender.wake();
        }
        Poll::Ready(())
    }

    /// Wakes whoever waits for room, so that it sees the end.
    pub(crate) fn close(&self) {
        let sender = self.lock().sender.take();
        if let Some(sender) = sender {
            sender.wake();
        }
    }

    fn is_full(&self, state: &State) -> bool {
        state.waiting.len() >= self.frames || state.bytes >= self.bytes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
