//! What a client asks of the replicated map, and how it stands in the log.
//!
//! ```text
//!  version 1 │ kind 0 open
//!  version 1 │ kind 1 put    │ session │ expect │ key │ value
//!  version 1 │ kind 2 delete │ session │ expect │ key
//!
//!  session: 0, or 1 client number     expect: 0 anything, 1 absent, 2 present, 3 version
//!  key, value: length, then the bytes
//! ```

use bytes::Bytes;
use synod_transport::wire::{Reader, WireError, Writer};

/// The longest key, in bytes.
pub const MAX_KEY: u32 = 512;
/// The longest value, in bytes.
pub const MAX_VALUE: u32 = 256 << 10;

/// The version of a value: the log index of the write that made it. Never used twice, even after a delete.
pub type Version = u64;

/// A log entry's payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Opens a session. The reply names the client id to use in it.
    Open,
    /// Changes the map.
    Change(Change),
}

/// One change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Makes retries harmless; without one, a retried change may take effect twice.
    pub request: Option<RequestId>,
    /// What must hold for the change to take effect.
    pub expect: Expect,
    /// The key, 1 to [`MAX_KEY`] bytes.
    pub key: Bytes,
    /// The new value of at most [`MAX_VALUE`] bytes; none deletes.
    pub value: Option<Bytes>,
}

/// A request's name within its session. Numbers grow; a client has one request under way at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId {
    /// Who asks, as named by the reply to [`Command::Open`].
    pub client: u64,
    /// Which of its requests this is.
    pub number: u64,
}

/// A condition on what a key holds before a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expect {
    /// None.
    #[default]
    Anything,
    /// The key holds nothing.
    Absent,
    /// The key holds something.
    Present,
    /// The key holds the value of this version.
    Version(Version),
}

impl Expect {
    /// Whether a key that holds `current` meets the condition.
    pub fn is_met_by(self, current: Option<Version>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Version(version) => current == Some(version),
        }
    }
}

const FORMAT: u8 = 1;

impl Command {
    /// The bytes that stand for it.
    pub fn encode(&self) -> Bytes {
        let mut out = Writer::default();
        out.u8(FORMAT);
        match self {
            Self::Open => out.u8(0),
            Self::Change(change) => {
                out.u8(if change.value.is_some() { 1 } else { 2 });
                out.bool(change.request.is_some());
                if let Some(request) = change.request {
                    out.u64(request.client);
                    out.u64(request.number);
                }
                encode_expect(change.expect, &mut out);
                encode_bytes(&change.key, &mut out);
                if let Some(value) = &change.value {
                    encode_bytes(value, &mut out);
                }
            }
        }
        out.take()
    }

    /// The inverse of [`Command::encode`]. Refuses other formats, lengths over their limits and bytes left over; key
    /// and value share the payload's memory.
    pub fn decode(payload: Bytes) -> Result<Self, WireError> {
        let mut from = Reader::new(payload);
        let command = match (from.u8()?, from.u8()?) {
            (FORMAT, 0) => Self::Open,
            (FORMAT, kind @ (1 | 2)) => Self::Change(decode_change(&mut from, kind == 1)?),
            (FORMAT, kind) => return Err(WireError::Undefined { field: "kind", value: kind.into() }),
            (format, _) => return Err(WireError::Undefined { field: "format", value: format.into() }),
        };
        from.finish()?;
        Ok(command)
    }
}

fn decode_change(from: &mut Reader, is_put: bool) -> Result<Change, WireError> {
    let request = match from.bool("session")? {
        true => Some(RequestId { client: from.u64()?, number: from.u64()? }),
        false => None,
    };
    let expect = decode_expect(from)?;
    let key = decode_bytes(from, "key", MAX_KEY)?;
    if key.is_empty() {
        return Err(WireError::Undefined { field: "key length", value: 0 });
    }
    let value = if is_put { Some(decode_bytes(from, "value", MAX_VALUE)?) } else { None };
    Ok(Change { request, expect, key, value })
}

fn encode_expect(expect: Expect, out: &mut Writer) {
    match expect {
        Expect::Anything => out.u8(0),
        Expect::Absent => out.u8(1),
        Expect::Present => out.u8(2),
        Expect::Version(version) => {
            out.u8(3);
            out.u64(version);
        }
    }
}

fn decode_expect(from: &mut Reader) -> Result<Expect, WireError> {
    match from.u8()? {
        0 => Ok(Expect::Anything),
        1 => Ok(Expect::Absent),
        2 => Ok(Expect::Present),
        3 => from.u64().map(Expect::Version),
        value => Err(WireError::Undefined { field: "expect", value: value.into() }),
    }
}

fn encode_bytes(bytes: &Bytes, out: &mut Writer) {
    out.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.raw(bytes);
}

fn decode_bytes(from: &mut Reader, field: &'static str, limit: u32) -> Result<Bytes, WireError> {
    let len = from.count(field, limit)?;
    from.bytes(len as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_expect() -> impl Strategy<Value = Expect> {
        prop_oneof![
            Just(Expect::Anything),
            Just(Expect::Absent),
            Just(Expect::Present),
            any::<u64>().prop_map(Expect::Version)
        ]
    }

    fn any_change() -> impl Strategy<Value = Change> {
        let bytes = |range| proptest::collection::vec(any::<u8>(), range).prop_map(Bytes::from);
        let request = proptest::option::of((any::<u64>(), any::<u64>()));
        (request, any_expect(), bytes(1..20), proptest::option::of(bytes(0..40))).prop_map(
            |(request, expect, key, value)| Change {
                request: request.map(|(client, number)| RequestId { client, number }),
                expect,
                key,
                value,
            },
        )
    }

    proptest! {
        #[test]
        fn a_command_survives_the_log_and_no_cut_of_it_does(change in any_change()) {
            let command = Command::Change(change);
            let bytes = command.encode();
            for len in 0..bytes.len() {
                prop_assert!(Command::decode(bytes.slice(..len)).is_err());
            }
            prop_assert_eq!(Command::decode(bytes), Ok(command));
        }

        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let bytes = Bytes::from(bytes);
            if let Ok(command) = Command::decode(bytes.clone()) {
                prop_assert_eq!(command.encode(), bytes);
            }
        }
    }

    #[test]
    fn other_formats_empty_keys_long_fields_and_leftovers_are_refused() {
        let delete = |key: Bytes| {
            Command::Change(Change { request: None, expect: Expect::Anything, key, value: None }).encode()
        };
        let too_long = Bytes::from(vec![b'k'; MAX_KEY as usize + 1]);
        let left_over = [delete(Bytes::from_static(b"k")), Bytes::from_static(b"!")].concat();
        let cases = [
            (Bytes::from_static(&[2, 0]), WireError::Undefined { field: "format", value: 2 }),
            (Bytes::from_static(&[1, 9]), WireError::Undefined { field: "kind", value: 9 }),
            (delete(Bytes::new()), WireError::Undefined { field: "key length", value: 0 }),
            (
                delete(too_long),
                WireError::OverLimit { field: "key", value: u64::from(MAX_KEY) + 1, limit: MAX_KEY.into() },
            ),
            (left_over.into(), WireError::Trailing(1)),
        ];
        for (bytes, error) in cases {
            assert_eq!(Command::decode(bytes), Err(error));
        }
    }
}
