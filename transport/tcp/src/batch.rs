//! What leaves a lane for the socket in one go.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use synod_transport::net::Frame;
use tokio::net::TcpStream;

use crate::lane::Lane;

/// Length and checksum before each frame.
pub(crate) const HEADER_BYTES: usize = 8;
/// What one batch holds at most; one frame always fits.
pub(crate) const BATCH_FRAMES: usize = 1024;
pub(crate) const BATCH_BYTES: usize = 1 << 20;
/// Pieces up to this length are copied together, which costs less than a slice of their own in the system call.
const COPY_BYTES: usize = 512;
/// The most slices that Linux takes in one write (IOV_MAX).
const MOST_SLICES: usize = 1024;

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
    /// Takes what waits in a lane; pending when there is nothing.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, lane: &Lane) -> Poll<()> {
        ready!(lane.poll_take(cx, &mut self.frames));
        self.encode();
        Poll::Ready(())
    }

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
