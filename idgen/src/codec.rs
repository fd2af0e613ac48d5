//! Numbers as text of a fixed width, and back.
//!
//! An id is a number; people, addresses and file names want text. Each module here is one alphabet. What is written is
//! padded to the width of the greatest number, so that no two numbers share a text and texts sort, byte by byte, as
//! their numbers do. What is read must have that width, the alphabet's symbols alone, and a value that fits. Nothing is
//! allocated: a [`Text`] stands on the stack and is a `str`.
//!
//! | module | symbols, in order | `u64` | `u128` | read in either case |
//! |---|---|---|---|---|
//! | [`crockford`] | `0-9A-Z` without `ILOU` | 13 | 26 | yes |
//! | [`base32hex`] | `0-9A-V` | 13 | 26 | yes |
//! | [`base58`] | `1-9A-Za-z` without `IOl` | 11 | 22 | no |
//! | [`base62`] | `0-9A-Za-z` | 11 | 22 | no |
//! | [`hex`] | `0-9a-f` | 16 | 32 | yes |
//! | [`decimal`] | `0-9` | 20 | 39 | |
//!
//! ```
//! use synod_idgen::codec::{CodecError, base62, crockford};
//!
//! let text = base62::encode_u64(4711);
//! assert_eq!(text, "000000001Dz");
//! assert_eq!(base62::decode_u64(&text)?, 4711);
//!
//! // Both cases are read; what is no symbol is an error that says where.
//! assert_eq!(crockford::decode_u64("000000000004k")?, 147);
//! let wrong = CodecError::Symbol { position: 11, found: 'O' };
//! assert_eq!(crockford::decode_u64("00000000000O4"), Err(wrong));
//! // Unless the letters that people write for digits are asked for.
//! assert_eq!(crockford::decode_u64_with_aliases("00000000000O4")?, 4);
//! # Ok::<(), CodecError>(())
//! ```

mod digits;
mod error;
mod text;
mod wide;

pub use error::CodecError;
pub use text::Text;
pub(crate) use wide::{decode_base62_160, encode_base62_160};

/// One alphabet: what its digits are, and the functions of its module.
macro_rules! alphabet {
    ($(#[$doc:meta])* $module:ident, $base:ident: $symbols:literal, $case:ident, chunks of $chunk:literal;
     u64: $short:literal, u128: $long:literal $(, $pairs:literal pairs)? $({ $($more:item)* })?) => {
        $(#[$doc])*
        pub mod $module {
            use super::digits::{self, Base, Case};
            use super::{CodecError, Text};

            pub(super) struct $base;

            impl Base for $base {
                const SYMBOLS: &'static [u8] = $symbols;
                const VALUES: &'static [u8; 256] = &digits::values($symbols, Case::$case);
                const CHUNK: usize = $chunk;
                $(const PAIRS: &'static digits::Pairs = &digits::pairs::<$pairs>($symbols);)?
            }

            /// Symbols of a `u64`.
            pub const WIDTH_U64: usize = $short;
            /// Symbols of a `u128`.
            pub const WIDTH_U128: usize = $long;

            /// The text of a number.
            #[inline]
            pub fn encode_u64(number: u64) -> Text<WIDTH_U64> {
                digits::encode_u64::<$base, WIDTH_U64>(number)
            }

            /// The text of a number.
            #[inline]
            pub fn encode_u128(number: u128) -> Text<WIDTH_U128> {
                digits::encode_u128::<$base, WIDTH_U128>(number)
            }

            /// The number of a text.
            ///
            /// # Errors
            /// Any [`CodecError`].
            #[inline]
            pub fn decode_u64(text: &str) -> Result<u64, CodecError> {
                digits::decode_u64::<$base, WIDTH_U64>(text)
            }

            /// The number of a text.
            ///
            /// # Errors
            /// Any [`CodecError`].
            #[inline]
            pub fn decode_u128(text: &str) -> Result<u128, CodecError> {
                digits::decode_u128::<$base, WIDTH_U128>(text)
            }

            $($($more)*)?
        }
    };
}

alphabet! {
    /// Douglas Crockford's base 32: no letter that looks like a digit, none that makes words by accident. Either case is
    /// read. His check symbols and hyphens are not.
    crockford, Crockford: b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", Either, chunks of 12; u64: 13, u128: 26,
    1024 pairs {
        pub(super) struct WithAliases;

        impl Base for WithAliases {
            const SYMBOLS: &'static [u8] = Crockford::SYMBOLS;
            const VALUES: &'static [u8; 256] = &digits::with_aliases(*Crockford::VALUES);
            const CHUNK: usize = Crockford::CHUNK;
        }

        /// The number of a text in which `I` and `L` may stand for 1 and `O` for 0, as his description allows. So a
        /// number has more than one text: only for what people type.
        ///
        /// # Errors
        /// Any [`CodecError`].
        pub fn decode_u64_with_aliases(text: &str) -> Result<u64, CodecError> {
            digits::decode_u64::<WithAliases, WIDTH_U64>(text)
        }

        /// As [`decode_u64_with_aliases`].
        ///
        /// # Errors
        /// Any [`CodecError`].
        pub fn decode_u128_with_aliases(text: &str) -> Result<u128, CodecError> {
            digits::decode_u128::<WithAliases, WIDTH_U128>(text)
        }
    }
}

alphabet! {
    /// The extended hex alphabet of RFC 4648 section 7, whose text sorts. The text is that of a number, filled up with
    /// zeros in front; the RFC's text of octets fills up behind.
    base32hex, Base32Hex: b"0123456789ABCDEFGHIJKLMNOPQRSTUV", Either, chunks of 12; u64: 13, u128: 26,
    1024 pairs
}

alphabet! {
    /// Bitcoin's base 58: letters and digits without those that look alike. The text is that of a number, of fixed width;
    /// Bitcoin's text of octets is shorter for small ones.
    base58, Base58: b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", Exact, chunks of 10;
    u64: 11, u128: 22
}

alphabet! {
    /// Digits and letters, in the order of ASCII, so that the text sorts.
    base62, Base62: b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", Exact, chunks of 10;
    u64: 11, u128: 22
}

alphabet! {
    /// Hexadecimal, written in lower case, read in either.
    hex, Hex: b"0123456789abcdef", Either, chunks of 15; u64: 16, u128: 32, 256 pairs {
        /// The text of a number, eight symbols a word, the first in its low octet.
        #[inline]
        pub(crate) fn words_u128(number: u128) -> super::text::Words {
            digits::words::<Hex>(WIDTH_U128, number)
        }
    }
}

alphabet! {
    /// Decimal, with zeros in front.
    decimal, Decimal: b"0123456789", Exact, chunks of 19; u64: 20, u128: 39
}
