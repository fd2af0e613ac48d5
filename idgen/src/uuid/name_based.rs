//! Ids of names: versions 3 and 5.

use md5::Md5;
use sha1::Sha1;
use sha1::digest::Digest;

use super::Uuid;

/// Namespaces that the RFC gives (section 6.6, table 3).
pub mod namespace {
    use crate::uuid::Uuid;

    /// Names are fully qualified domain names.
    pub const DNS: Uuid = Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8);
    /// Names are URLs.
    pub const URL: Uuid = Uuid::from_u128(0x6ba7_b811_9dad_11d1_80b4_00c0_4fd4_30c8);
    /// Names are object identifiers.
    pub const OID: Uuid = Uuid::from_u128(0x6ba7_b812_9dad_11d1_80b4_00c0_4fd4_30c8);
    /// Names are distinguished names of X.500, in DER or text.
    pub const X500: Uuid = Uuid::from_u128(0x6ba7_b814_9dad_11d1_80b4_00c0_4fd4_30c8);
}

impl Uuid {
    /// Of a name within a namespace, by MD5 (section 5.3): the same for the same two. For those who have ids of version 3;
    /// otherwise take [`v5`](Self::v5). The caller brings the name into its canonical form (section 6.5).
    pub fn v3(namespace: Self, name: &[u8]) -> Self {
        Self::of_hash::<Md5>(namespace, name, 3)
    }

    /// Of a name within a namespace, by SHA-1 (section 5.5): the same for the same two. Nothing is kept secret by it, and
    /// who may choose names can, with effort, find two of one id: SHA-1 is broken in that sense (section 6.7).
    pub fn v5(namespace: Self, name: &[u8]) -> Self {
        Self::of_hash::<Sha1>(namespace, name, 5)
    }

    /// The first 128 bits of the hash of the namespace's octets and the name.
    fn of_hash<D: Digest>(namespace: Self, name: &[u8], version: u8) -> Self {
        let hash = D::new().chain_update(namespace.to_bytes()).chain_update(name).finalize();
        let first = hash.iter().take(16).fold(0, |bits, octet| bits << 8 | u128::from(*octet));
        Self::with_version(first, version)
    }
}
