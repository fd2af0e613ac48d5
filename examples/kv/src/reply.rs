//! What applying a command answers. Stored in the session table, so that a retry gets the same answer.

use bytes::Bytes;
use synod_transport::wire::{Reader, WireError, Writer};

use crate::command::Version;

/// The outcome of a [`Command`](crate::command::Command).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reply {
    /// A session is open under this client id.
    Opened(u64),
    /// The value stands, as this version.
    Stored(Version),
    /// The key holds nothing now; it held this version before.
    Deleted(Option<Version>),
    /// The condition did not hold, nothing changed; the key holds this version.
    Mismatch(Option<Version>),
    /// The session is not known, or was forgotten for newer ones. Nothing changed now, but an earlier attempt may have.
    Expired,
    /// The client has since made a later request. Nothing changed now, but an earlier attempt may have.
    Superseded,
    /// The command could not be read. Nothing changed.
    Malformed,
}

impl Reply {
    /// The bytes that stand for it.
    pub fn encode(self) -> Bytes {
        let mut out = Writer::default();
        let number = match self {
            Self::Opened(_) => 0,
            Self::Stored(_) => 1,
            Self::Deleted(_) => 2,
            Self::Mismatch(_) => 3,
            Self::Expired => 4,
            Self::Superseded => 5,
            Self::Malformed => 6,
        };
        out.u8(number);
        match self {
            Self::Opened(value) | Self::Stored(value) => out.u64(value),
            Self::Deleted(version) | Self::Mismatch(version) => {
                out.bool(version.is_some());
                if let Some(version) = version {
                    out.u64(version);
                }
            }
            Self::Expired | Self::Superseded | Self::Malformed => {}
        }
        out.take()
    }

    /// The inverse of [`Reply::encode`].
    pub fn decode(bytes: Bytes) -> Result<Self, WireError> {
        let mut from = Reader::new(bytes);
        let reply = match from.u8()? {
            0 => Self::Opened(from.u64()?),
            1 => Self::Stored(from.u64()?),
            2 => Self::Deleted(optional_version(&mut from)?),
            3 => Self::Mismatch(optional_version(&mut from)?),
            4 => Self::Expired,
            5 => Self::Superseded,
            6 => Self::Malformed,
            value => return Err(WireError::Undefined { field: "reply", value: value.into() }),
        };
        from.finish()?;
        Ok(reply)
    }
}

fn optional_version(from: &mut Reader) -> Result<Option<Version>, WireError> {
    if from.bool("version")? { from.u64().map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_survives_its_bytes_and_no_cut_of_it_does() {
        let replies = [
            Reply::Opened(3),
            Reply::Stored(9),
            Reply::Deleted(None),
            Reply::Deleted(Some(4)),
            Reply::Mismatch(None),
            Reply::Mismatch(Some(7)),
            Reply::Expired,
            Reply::Superseded,
            Reply::Malformed,
        ];
        for reply in replies {
            let bytes = reply.encode();
            assert_eq!(Reply::decode(bytes.clone()), Ok(reply));
            for len in 0..bytes.len() {
                assert!(Reply::decode(bytes.slice(..len)).is_err(), "{reply:?} cut to {len}");
            }
        }
        let unknown = Reply::decode(Bytes::from_static(&[7]));
        assert_eq!(unknown, Err(WireError::Undefined { field: "reply", value: 7 }));
    }
}
