//! To and from the type of the crate `uuid`: the same 16 octets.

use super::Uuid;

impl From<::uuid::Uuid> for Uuid {
    fn from(id: ::uuid::Uuid) -> Self {
        Self::from_u128(id.as_u128())
    }
}

impl From<Uuid> for ::uuid::Uuid {
    fn from(id: Uuid) -> Self {
        Self::from_u128(id.as_u128())
    }
}
