//! Ids that are 128 bits: as a number, and as octets.

/// The number and the octets of a newtype of `u128`.
macro_rules! bits {
    ($id:ident) => {
        impl $id {
            /// Of 128 bits, the first of which is the greatest.
            pub const fn from_u128(bits: u128) -> Self {
                Self(bits)
            }

            /// The bits.
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// Of 16 octets, the most significant first.
            pub const fn from_bytes(octets: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(octets))
            }

            /// The octets.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl From<u128> for $id {
            fn from(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl From<$id> for u128 {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl From<[u8; 16]> for $id {
            fn from(octets: [u8; 16]) -> Self {
                Self::from_bytes(octets)
            }
        }

        impl From<$id> for [u8; 16] {
            fn from(id: $id) -> Self {
                id.to_bytes()
            }
        }
    };
}
pub(crate) use bits;
