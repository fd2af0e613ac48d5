//! Messages between nodes: lossy by contract.
//!
//! ```text
//!            try_send(to, class, frame)                     poll_recv(out)
//!  sender ──▶ bounded queue per (peer, class) ──▶ wire ──▶ bounded queue ──▶ receiver
//!               │ Full: caller decides                        Received { from, class, bytes }
//! ```
//!
//! A frame may be lost, doubled, or overtaken by one of another class. Within (peer, class, connection) frames keep
//! their order. The sender named in [`Received`] comes from the connection, never from the payload. Classes do not
//! block each other.

mod mem;

use core::fmt;
use core::task::{Context, Poll};

use bytes::Bytes;

pub use mem::{MAX_FRAME_BYTES, MemEndpoint, MemNetwork};

use crate::ids::NodeId;

/// What a frame may wait behind. Each class has its own queues and its own connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Votes, heartbeats, lease renewals: small, urgent, soon out of date.
    Control,
    /// Log entries and their acknowledgements.
    Data,
    /// Snapshots and other long transfers.
    Bulk,
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 3] = [Self::Control, Self::Data, Self::Bulk];

    /// A small number for tables and wire headers: 0, 1, 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Data => 1,
            Self::Bulk => 2,
        }
    }

    /// The class of a number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Control),
            1 => Some(Self::Data),
            2 => Some(Self::Bulk),
            _ => None,
        }
    }
}

/// One message on its way out: a head and the payloads that follow it, not yet joined, so that an adapter can hand
/// them to a vectored write without copying.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The first bytes.
    pub head: Bytes,
    /// What follows, in order.
    pub parts: Vec<Bytes>,
}

impl Frame {
    /// A frame of one piece.
    pub fn new(head: Bytes) -> Self {
        Self { head, parts: Vec::new() }
    }

    /// Length of the whole, in bytes.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum::<usize>() + self.head.len()
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole in one piece; copies only when there is more than one.
    pub fn join(self) -> Bytes {
        if self.parts.is_empty() {
            return self.head;
        }
        let mut whole = Vec::with_capacity(self.len());
        whole.extend_from_slice(&self.head);
        for part in &self.parts {
            whole.extend_from_slice(part);
        }
        whole.into()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes in {} pieces)", self.len(), self.parts.len() + 1)
    }
}

/// One message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who sent it, as the connection's handshake established.
    pub from: NodeId,
    /// The class it travelled in.
    pub class: Class,
    /// The frame in one piece.
    pub bytes: Bytes,
}

/// Why a frame was not taken. The frame was dropped; the protocols above repeat themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue to this peer is full. Wait with [`Transport::poll_ready`], or let the message be lost.
    #[error("the queue to {0:?} is full")]
    Full(NodeId),
    /// No address or connection is known for this peer.
    #[error("{0:?} is not a known peer")]
    UnknownPeer(NodeId),
    /// The frame is larger than this transport carries.
    #[error("a frame of {len} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The transport was shut down.
    #[error("the transport is closed")]
    Closed,
}

/// The inbound side was shut down; nothing more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the transport is closed")]
pub struct Closed;

/// The way out.
pub trait Transport {
    /// Queues a frame. Never blocks; on an error the frame is gone.
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError>;

    /// Ready when a frame to this peer and class would be taken.
    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>>;
}

/// The way in.
pub trait Inbound {
    /// Appends up to `max` messages to `out` and says how many; pending when there is none.
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>>;
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn try_send(&mut self, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        (**self).try_send(to, class, frame)
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>> {
        (**self).poll_ready(cx, to, class)
    }
}

impl<T: Inbound + ?Sized> Inbound for &mut T {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        (**self).poll_recv(cx, out, max)
    }
}
