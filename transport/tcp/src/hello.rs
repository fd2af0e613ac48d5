//! The handshake: the dialler says who it is and whom it wants; the acceptor takes it or says why not.

use std::io;

use bytes::Bytes;
use synod_transport::ids::{ClusterId, Incarnation, NodeId};
use synod_transport::net::Class;
use synod_transport::wire::{Reader, WireError, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::{ConnectionError, Refusal};

/// Version of the handshake and of all that follows it.
pub const PROTOCOL_VERSION: u16 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"SYNODTCP";
/// Magic and version: the same in every version, read first.
const PREFIX_BYTES: usize = 10;
pub(crate) const HELLO_BYTES: usize = 60;
const ANSWER_BYTES: usize = 12;
const ACCEPTED: u8 = 0;

/// Who dials whom, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) class: u8,
    pub(crate) max_frame_bytes: u32,
    pub(crate) cluster: ClusterId,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) incarnation: Incarnation,
}

impl Hello {
    pub(crate) fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(HELLO_BYTES);
        writer.raw(&MAGIC);
        writer.u16(PROTOCOL_VERSION);
        writer.u8(self.class);
        writer.u8(0);
        writer.u32(self.max_frame_bytes);
        writer.u128(self.cluster.0);
        writer.u64(self.from.get());
        writer.u64(self.to.get());
        writer.u64(self.incarnation.get());
        let fields = writer.take();
        writer.raw(&fields);
        writer.u32(crc32c::crc32c(&fields));
        writer.take()
    }

    /// Reads what follows the prefix, and checks both against the checksum.
    pub(crate) fn decode(whole: &[u8; HELLO_BYTES]) -> Result<Self, Refusal> {
        Self::fields(Bytes::copy_from_slice(whole)).unwrap_or(Err(Refusal::Damaged))
    }

    fn fields(whole: Bytes) -> Result<Result<Self, Refusal>, WireError> {
        let mut reader = Reader::new(whole);
        let fields = reader.bytes(HELLO_BYTES - 4)?;
        if crc32c::crc32c(&fields) != reader.u32()? {
            return Ok(Err(Refusal::Damaged));
        }
        let mut reader = Reader::new(fields);
        reader.bytes(PREFIX_BYTES)?;
        let class = reader.u8()?;
        if reader.u8()? != 0 {
            return Ok(Err(Refusal::Damaged));
        }
        Ok(Ok(Self {
            class,
            max_frame_bytes: reader.u32()?,
            cluster: ClusterId(reader.u128()?),
            from: reader.node()?,
            to: reader.node()?,
            incarnation: Incarnation::new(reader.u64()?),
        }))
    }

    /// The class it names.
    pub(crate) fn class(&self) -> Result<Class, Refusal> {
        Class::from_number(self.class).ok_or(Refusal::Class)
    }
}

/// The dialler's side: says hello, waits for the answer.
pub(crate) async fn introduce(stream: &mut TcpStream, hello: &Hello) -> Result<(), ConnectionError> {
    stream.write_all(&hello.encode()).await.map_err(lost)?;
    let mut answer = [0; ANSWER_BYTES];
    stream.read_exact(&mut answer).await.map_err(lost)?;
    match answer {
        [magic @ .., _, _, ACCEPTED, 0] if magic == MAGIC => Ok(()),
        [magic @ .., _, _, code, 0] if magic == MAGIC => {
            Err(Refusal::from_number(code).map_or(ConnectionError::Answer, ConnectionError::RefusedByPeer))
        }
        _ => Err(ConnectionError::Answer),
    }
}

/// The acceptor's side: reads the hello. A bad magic or version is told from the first bytes alone.
pub(crate) async fn hear(stream: &mut TcpStream) -> Result<Hello, ConnectionError> {
    let mut whole = [0; HELLO_BYTES];
    let (prefix, rest) = whole.split_at_mut(PREFIX_BYTES);
    stream.read_exact(prefix).await.map_err(lost)?;
    match prefix {
        [magic @ .., low, high] if *magic == MAGIC => {
            if u16::from_le_bytes([*low, *high]) != PROTOCOL_VERSION {
                return Err(ConnectionError::Refused(Refusal::Version));
            }
        }
        _ => return Err(ConnectionError::Refused(Refusal::Magic)),
    }
    stream.read_exact(rest).await.map_err(lost)?;
    Hello::decode(&whole).map_err(ConnectionError::Refused)
}

/// The acceptor's answer; nothing to a stranger that does not speak the protocol.
pub(crate) async fn answer(
    stream: &mut TcpStream,
    verdict: Result<(), Refusal>,
) -> Result<(), ConnectionError> {
    let code = match verdict {
        Ok(()) => Some(ACCEPTED),
        Err(refusal) => refusal.number(),
    };
    let Some(code) = code else { return Ok(()) };
    let mut writer = Writer::with_capacity(ANSWER_BYTES);
    writer.raw(&MAGIC);
    writer.u16(PROTOCOL_VERSION);
    writer.u8(code);
    writer.u8(0);
    stream.write_all(&writer.take()).await.map_err(lost)
}

#[expect(clippy::needless_pass_by_value)] // so that it fits map_err
pub(crate) fn lost(error: io::Error) -> ConnectionError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return ConnectionError::Ended;
    }
    ConnectionError::Lost(error.kind())
}
