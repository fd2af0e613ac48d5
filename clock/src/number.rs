//! Whole numbers of 64 bits through serde: a string of the number in formats for people, since many a reader of JSON
//! knows no integers above 2^53, and the number itself in others. Either is read.
//!
//! For fields: `#[serde(with = "crate::number")]`.

use alloc::string::ToString;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// Within other types.
#[derive(Clone, Copy)]
pub(crate) struct Number<T>(pub(crate) T);

/// What fits in 64 bits.
pub(crate) trait Whole:
    Copy + ToString + FromStr<Err: fmt::Display> + TryFrom<u64> + TryFrom<i64> + Serialize
{
}

impl Whole for u64 {}
impl Whole for i64 {}

pub(crate) fn serialize<T: Whole, S: Serializer>(number: &T, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&number.to_string())
    } else {
        number.serialize(serializer)
    }
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Whole + Deserialize<'de>,
    D: Deserializer<'de>,
{
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(NumberOrText(PhantomData))
    } else {
        T::deserialize(deserializer)
    }
}

impl<T: Whole> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, T: Whole + Deserialize<'de>> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

struct NumberOrText<T>(PhantomData<T>);

impl<T: Whole> Visitor<'_> for NumberOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or a string of one")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::try_from(value).map_err(|_| E::custom("the number is out of range"))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::try_from(value).map_err(|_| E::custom("the number is out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        value.parse().map_err(E::custom)
    }
}

/// For fields that may be nothing: `#[serde(with = "crate::number::option")]`.
pub(crate) mod option {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    use super::{Number, Whole};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<T: Whole, S: Serializer>(
        number: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        number.map(Number).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: Whole + Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Option::<Number<T>>::deserialize(deserializer)?.map(|number| number.0))
    }
}
