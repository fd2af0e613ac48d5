//! Stamps and histories through serde: their encoding, as hexadecimal digits where people read, else as bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{DecodeError, History, Stamp};

fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if !serializer.is_human_readable() {
        return serializer.serialize_bytes(bytes);
    }
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        write!(digits, "{byte:02x}").map_err(serde::ser::Error::custom)?;
    }
    serializer.serialize_str(&digits)
}

fn deserialize<'de, D: Deserializer<'de>, T: FromBytes>(deserializer: D) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Encoded(PhantomData))
    } else {
        deserializer.deserialize_bytes(Encoded(PhantomData))
    }
}

trait FromBytes: Sized {
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError>;
}

struct Encoded<T>(PhantomData<T>);

impl<'de, T: FromBytes> Visitor<'de> for Encoded<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an encoded stamp, as hexadecimal digits or bytes")
    }

    fn visit_str<E: Error>(self, digits: &str) -> Result<T, E> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
        let bytes = bytes.ok_or_else(|| E::invalid_value(Unexpected::Str(digits), &self))?;
        self.visit_bytes(&bytes)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::from_bytes(bytes).map_err(E::custom)
    }

    /// Formats without bytes of their own have sequences of numbers.
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

macro_rules! through_bytes {
    ($($type:ty),*) => {$(
        impl FromBytes for $type {
            fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
                Self::decode(bytes)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize(&self.encode(), serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize(deserializer)
            }
        }
    )*};
}

through_bytes!(Stamp, History);
