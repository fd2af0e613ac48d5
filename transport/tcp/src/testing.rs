//! The decoders by themselves, for fuzzers; no part of the API.

use bytes::{Bytes, BytesMut};
use synod_transport::ids::{ClusterId, Incarnation, NodeId};

use crate::error::{ConnectionError, Refusal};
use crate::hello::{HELLO_BYTES, Hello};
use crate::inbound::next_frame;

/// Reads a hello of the right length and writes it again. `None` for another length.
///
/// # Errors
/// What an acceptor would answer.
pub fn hello_again(bytes: &[u8]) -> Option<Result<Bytes, Refusal>> {
    let whole: &[u8; HELLO_BYTES] = bytes.try_into().ok()?;
    Some(Hello::decode(whole).map(|hello| hello.encode()))
}

/// A hello as a dialler says it.
pub fn hello(class: u8, from: u64, to: u64) -> Bytes {
    let (cluster, incarnation) = (ClusterId(7), Incarnation::new(3));
    let (from, to) = (NodeId::new(from), NodeId::new(to));
    Hello { class, max_frame_bytes: 1 << 20, cluster, from, to, incarnation }.encode()
}

/// The frames of a stream that comes in these pieces, and how it ended: an error, or the bytes that wait for more.
pub fn frames(pieces: &[&[u8]], limit: usize) -> (Vec<Bytes>, Result<usize, ConnectionError>) {
    let (mut buffer, mut whole, mut frames) = (BytesMut::new(), 0, Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match next_frame(&mut buffer, &mut whole, limit) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, Ok(buffer.len()))
}
