use std::io;
use std::net::SocketAddr;

use synod_transport::ids::NodeId;

/// Why a transport could not start, or not take a peer. Nothing was bound, dialled or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TcpError {
    /// An option cannot be used. The caller's fault.
    #[error("option {field} {reason}")]
    Option {
        /// The field of [`TcpOptions`](crate::TcpOptions).
        field: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// Listening there would let others read and forge messages.
    #[error(
        "{listen} is not loopback, and messages are neither encrypted nor authenticated; set plaintext to Plaintext::AcceptTheRisk to listen there all the same"
    )]
    PlaintextListen {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// Dialling there would let others read and forge messages.
    #[error(
        "peer {peer:?} at {address} is not on loopback, and messages are neither encrypted nor authenticated; set plaintext to Plaintext::AcceptTheRisk to dial it all the same"
    )]
    PlaintextPeer {
        /// The peer.
        peer: NodeId,
        /// Its address.
        address: SocketAddr,
    },
    /// The system did not let us listen.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address that was asked for.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The transport was shut down.
    #[error("the transport is closed")]
    Closed,
}

/// Why an acceptor sent a connection away. Travels as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The first bytes are not ours; such a connection gets no answer.
    #[error("does not speak this protocol")]
    Magic,
    /// Another version of the protocol.
    #[error("speaks another version of the protocol")]
    Version,
    /// The handshake was damaged on its way.
    #[error("sent a damaged handshake")]
    Damaged,
    /// Another cluster.
    #[error("belongs to another cluster")]
    Cluster,
    /// It meant to reach another node: an address is wrong.
    #[error("meant to reach another node")]
    Receiver,
    /// The acceptor does not know the sender as a peer.
    #[error("is not a known peer")]
    Sender,
    /// A later life of the same sender was here before.
    #[error("is an older life of a node that has been here since")]
    Incarnation,
    /// No such class.
    #[error("named a class that does not exist")]
    Class,
    /// Its frames may be larger than the acceptor takes.
    #[error("may send larger frames than are taken here")]
    FrameLimit,
}

impl Refusal {
    const NUMBERED: [(u8, Self); 8] = [
        (1, Self::Version),
        (2, Self::Damaged),
        (3, Self::Cluster),
        (4, Self::Receiver),
        (5, Self::Sender),
        (6, Self::Incarnation),
        (7, Self::Class),
        (8, Self::FrameLimit),
    ];

    /// The number on the wire; `None` for the one that is not answered.
    pub(crate) fn number(self) -> Option<u8> {
        Self::NUMBERED.iter().find(|(_, refusal)| *refusal == self).map(|(number, _)| *number)
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::NUMBERED.iter().find(|(n, _)| *n == number).map(|(_, refusal)| *refusal)
    }
}

/// Why a connection ended or never stood. The transport goes on, and dials again where it was the dialler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer's address did not take the connection.
    #[error("cannot connect: {0}")]
    Dial(io::ErrorKind),
    /// The peer sent us away: usually a fault in someone's configuration.
    #[error("the peer refused us: {}", refused_text(*.0))]
    RefusedByPeer(Refusal),
    /// We sent the peer away.
    #[error("refused: the peer {0}")]
    Refused(Refusal),
    /// The other side did not finish its handshake in time.
    #[error("the handshake was not finished in time")]
    HandshakeTimeout,
    /// Too many handshakes are under way.
    #[error("too many handshakes are under way")]
    Crowded,
    /// The answer to our handshake is none of ours.
    #[error("the peer's answer is not of this protocol")]
    Answer,
    /// Nothing could be written for the whole write time-out: the peer hangs, or the way to it is cut.
    #[error("nothing could be written in time")]
    WriteTimeout,
    /// The connection broke.
    #[error("the connection was lost: {0}")]
    Lost(io::ErrorKind),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Ended,
    /// A frame's length is over the limit; nothing was allocated for it.
    #[error("a frame of {len} bytes is over the limit of {limit}")]
    Oversize {
        /// Its length as it claims.
        len: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// A frame does not match its checksum.
    #[error("a frame was damaged on its way")]
    Damaged,
    /// The acceptor sent bytes after its answer, which it never does.
    #[error("the peer sent bytes where none belong")]
    Unexpected,
}

fn refused_text(refusal: Refusal) -> String {
    format!("it says this node {refusal}")
}
