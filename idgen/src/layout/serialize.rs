//! Ids through serde: text for people, so that no number of JavaScript loses digits; the number for machines. Nodes are
//! numbers everywhere: people write them into configurations.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Id, Layout};
use crate::node::NodeId;

impl<L: Layout> Serialize for Id<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.as_u64())
        }
    }
}

/// Where people read, the text or the number.
impl<'de, L: Layout> Deserialize<'de> for Id<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Either(PhantomData))
        } else {
            deserializer.deserialize_u64(Either(PhantomData))
        }
    }
}

impl<L: Layout> Serialize for NodeId<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.get())
    }
}

/// A number that the layout's field holds.
impl<'de, L: Layout> Deserialize<'de> for NodeId<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = u32::deserialize(deserializer)?;
        Self::try_from(node).map_err(D::Error::custom)
    }
}

struct Either<L>(PhantomData<L>);

impl<L: Layout> Visitor<'_> for Either<L> {
    type Value = Id<L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of {}", L::NAME)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id<L>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<Id<L>, E> {
        Id::from_u64(id).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, id: i64) -> Result<Id<L>, E> {
        Id::try_from(id).map_err(E::custom)
    }
}
