//! The bounded queue in front of one connection, and the batch that leaves it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Frame, SendError};
use tokio::net::TcpStream;

/// Length and checksum before each frame.
pub(crate) const HEADER_BYTES: usize = 8;
/// What one batch holds at most; one frame always fits.
const BATCH_FRAMES: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;
/// Pieces up to this length are copied together, which costs less than a slice of their own in the system call.
const COPY_BYTES: usize = 512;
/// The most slices that Linux takes in one write (IOV_MAX).
const MOST_SLICES: usize = 1024;

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
        Self { peer, class, frames, bytes, state: Mutex::default() }
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

    /// Moves frames into an empty batch; pending when there is none.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<()> {
        let mut state = self.lock();
        let mut bytes = 0;
        while batch.frames.len() < BATCH_FRAMES && bytes < BATCH_BYTES {
            let Some(frame) = state.waiting.pop_front() else { break };
            bytes += frame.len();
            batch.frames.push(frame);
        }
        if batch.frames.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.bytes -= bytes;
        let sender = if self.is_full(&state) { None } else { state.sender.take() };
        drop(state);
        if let Some(sender) = sender {
            sender.wake();
        }
        batch.encode();
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

/// Frames on their way into the socket.
#[derive(Default)]
pub(crate) struct Batch {
    frames: Vec<Frame>,
    pub(crate) count: u64,
    pub(crate) is_large: bool,
    scratch: BytesMut,
    chunks: VecDeque<Bytes>,
}

impl Batch {
    /// Lays the frames out as they stand on the wire.
    fn encode(&mut self) {
        self.count = self.frames.len() as u64;
        self.chunks.clear();
        for frame in self.frames.drain(..) {
            // The length was checked against the limit, which fits, when the frame was taken.
            let len = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes();
            let pieces = || core::iter::once(&frame.head).chain(&frame.parts);
            let sum = pieces().fold(crc32c::crc32c(&len), |sum, piece| crc32c::crc32c_append(sum, piece));
            self.scratch.put_slice(&len);
            self.scratch.put_u32_le(sum);
            for piece in pieces() {
                if piece.len() <= COPY_BYTES {
                    self.scratch.put_slice(piece);
                } else {
                    self.chunks.push_back(self.scratch.split().freeze());
                    self.chunks.push_back(piece.clone());
                }
            }
        }
        self.chunks.push_back(self.scratch.split().freeze());
        self.chunks.retain(|chunk| !chunk.is_empty());
        self.is_large = self.chunks.iter().map(Bytes::len).sum::<usize>() >= BATCH_BYTES;
    }

    pub(crate) fn is_written(&self) -> bool {
        self.chunks.is_empty()
    }

    /// One vectored write, which may take a part.
    pub(crate) fn write(&mut self, stream: &TcpStream) -> io::Result<()> {
        let slices: Vec<_> = self.chunks.iter().take(MOST_SLICES).map(|chunk| IoSlice::new(chunk)).collect();
        let mut written = stream.try_write_vectored(&slices)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(chunk) = self.chunks.front_mut().filter(|_| written > 0) {
            let here = written.min(chunk.len());
            written -= here;
            chunk.advance(here);
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
        Ok(())
    }
}
