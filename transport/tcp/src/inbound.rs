//! The way in: frames are read where they are asked for. No task stands between the socket and the receiver, and
//! nobody reading means nobody sending.

use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use synod_transport::ids::{Incarnation, NodeId};
use synod_transport::net::{Class, Received};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::batch::HEADER_BYTES;
use crate::error::ConnectionError;
use crate::gate::Arrival;
use crate::hello::{Hello, lost};
use crate::options::TcpOptions;

/// A long frame's buffer is made at once up to this; beyond, it grows with what has come.
const TRUSTED_BYTES: usize = 1 << 20;

/// One accepted connection.
pub(crate) struct Incoming {
    pub(crate) peer: NodeId,
    pub(crate) class: Class,
    pub(crate) incarnation: Incarnation,
    stream: TcpStream,
    buffer: BytesMut,
    /// Length of the frame under way, header included, once it is known.
    whole: usize,
    limit: usize,
    read_bytes: usize,
}

impl Incoming {
    pub(crate) fn new(hello: &Hello, class: Class, stream: TcpStream, options: &TcpOptions) -> Self {
        Self {
            peer: hello.from,
            class,
            incarnation: hello.incarnation,
            stream,
            buffer: BytesMut::new(),
            whole: 0,
            limit: options.max_frame_bytes,
            read_bytes: options.read_bytes,
        }
    }

    /// Appends up to `max` frames; zero when none is there and the waker waits.
    pub(crate) fn poll_frames(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Result<usize, ConnectionError> {
        let mut count = 0;
        loop {
            while count < max {
                match next_frame(&mut self.buffer, &mut self.whole, self.limit) {
                    Ok(Some(bytes)) => out.push(Received { from: self.peer, class: self.class, bytes }),
                    Ok(None) => break,
                    Err(_) if count > 0 => return Ok(count), // it comes again, alone
                    Err(error) => return Err(error),
                }
                count += 1;
            }
            if count > 0 {
                return Ok(count);
            }
            self.make_room();
            match pin!(self.stream.read_buf(&mut self.buffer)).poll(cx) {
                Poll::Pending => return Ok(0),
                Poll::Ready(Ok(0)) => return Err(ConnectionError::Ended),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(lost(error)),
            }
        }
    }

    /// Room for the rest of the frame under way, but never much more than has come already.
    fn make_room(&mut self) {
        let have = self.buffer.len();
        let spare = self.buffer.capacity() - have;
        let missing = self.whole.saturating_sub(have).min(have.max(TRUSTED_BYTES));
        if spare < missing || spare < self.read_bytes / 16 {
            self.buffer.reserve(missing.max(self.read_bytes));
        }
    }
}

/// Cuts the next frame off the buffer and shares its memory. `whole` becomes the length of the frame under way, header
/// included, as far as it is known.
pub(crate) fn next_frame(
    buffer: &mut BytesMut,
    whole: &mut usize,
    limit: usize,
) -> Result<Option<Bytes>, ConnectionError> {
    let Some(&[a, b, c, d, e, f, g, h]) = buffer.first_chunk::<HEADER_BYTES>() else {
        *whole = HEADER_BYTES;
        return Ok(None);
    };
    let (len_bytes, sum) = ([a, b, c, d], u32::from_le_bytes([e, f, g, h]));
    let len = usize::try_from(u32::from_le_bytes(len_bytes)).unwrap_or(usize::MAX);
    if len > limit {
        return Err(ConnectionError::Oversize { len, limit });
    }
    *whole = len.saturating_add(HEADER_BYTES);
    if buffer.len() < *whole {
        return Ok(None);
    }
    let payload = buffer.get(HEADER_BYTES..*whole).unwrap_or_default();
    if crc32c::crc32c_append(crc32c::crc32c(&len_bytes), payload) != sum {
        return Err(ConnectionError::Damaged);
    }
    let mut frame = buffer.split_to(*whole).freeze();
    frame.advance(HEADER_BYTES);
    Ok(Some(frame))
}

impl Arrival for Incoming {
    fn peer(&self) -> NodeId {
        self.peer
    }
    fn class(&self) -> Class {
        self.class
    }
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }
}
