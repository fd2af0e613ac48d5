//! Ids of many bytes through serde: text for people, bytes for machines.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Expected, SeqAccess, Visitor};

/// `Serialize` and `Deserialize` of a type with `Display`, `FromStr`, `to_bytes` and `From` its bytes.
macro_rules! text_or_bytes {
    ($id:ty, $expected:literal) => {
        impl serde::Serialize for $id {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.to_bytes())
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $id {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str($crate::binary::FromText::new($expected))
                } else {
                    deserializer.deserialize_bytes($crate::binary::FromOctets::new($expected))
                }
            }
        }
    };
}
pub(crate) use text_or_bytes;

/// Reads text. Bytes too: where serde itself read a format first, for a flattened field or an untagged enum, it forgot
/// that the format is for machines.
pub(crate) struct FromText<T, const N: usize>(&'static str, PhantomData<T>);

impl<T, const N: usize> FromText<T, N> {
    pub(crate) fn new(expected: &'static str) -> Self {
        Self(expected, PhantomData)
    }
}

impl<T: FromStr<Err: fmt::Display> + From<[u8; N]>, const N: usize> Visitor<'_> for FromText<T, N> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as text, or as {N} bytes", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        of_octets(bytes, &self)
    }
}

/// Reads `N` bytes, as such or as a sequence of numbers.
pub(crate) struct FromOctets<T, const N: usize>(&'static str, PhantomData<T>);

impl<T, const N: usize> FromOctets<T, N> {
    pub(crate) fn new(expected: &'static str) -> Self {
        Self(expected, PhantomData)
    }
}

impl<'de, T: From<[u8; N]>, const N: usize> Visitor<'de> for FromOctets<T, N> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes of {}", self.0)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        of_octets(bytes, &self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<T, A::Error> {
        let mut octets = [0; N];
        for (at, octet) in octets.iter_mut().enumerate() {
            *octet = sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &self))?;
        }
        if sequence.next_element::<u8>()?.is_some() {
            return Err(A::Error::invalid_length(N + 1, &self));
        }
        Ok(octets.into())
    }
}

fn of_octets<T: From<[u8; N]>, E: Error, const N: usize>(
    bytes: &[u8],
    expected: &dyn Expected,
) -> Result<T, E> {
    let octets: [u8; N] = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), expected))?;
    Ok(octets.into())
}
