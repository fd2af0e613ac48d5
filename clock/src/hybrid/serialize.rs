//! Stamps through serde: text for people, the packed number for machines.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::layout::Layout;
use super::timestamp::Timestamp;

impl<L: Layout> Serialize for Timestamp<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.as_u64())
        }
    }
}

/// Where people read, the text or the packed number.
impl<'de, L: Layout> Deserialize<'de> for Timestamp<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Either(PhantomData))
        } else {
            deserializer.deserialize_u64(Either(PhantomData))
        }
    }
}

struct Either<L>(PhantomData<L>);

impl<L: Layout> Visitor<'_> for Either<L> {
    type Value = Timestamp<L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hybrid time stamp")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp<L>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, packed: u64) -> Result<Timestamp<L>, E> {
        Ok(Timestamp::from_u64(packed))
    }
}
