//! The forms of text: hyphenated (section 4), and three that are common.

use core::fmt;
use core::str::FromStr;

use super::Uuid;
use crate::codec::{CodecError, Text, hex};

/// Where the hyphens stand, and where each group of digits begins and ends.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const GROUPS: [(usize, usize, usize); 5] = [(0, 8, 0), (9, 13, 8), (14, 18, 12), (19, 23, 16), (24, 36, 20)];
const URN: &str = "urn:uuid:";

impl Uuid {
    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case (section 4).
    pub fn to_hyphenated(self) -> Text<36> {
        const HYPHEN: u64 = b'-' as u64;
        let [a, b, c, d, ..] = hex::words_u128(self.as_u128());
        // Eight octets each, the first one lowest: the digits of four words around four hyphens.
        Text::from_words([
            a,
            HYPHEN | b << 32 >> 24 | HYPHEN << 40 | b >> 32 << 48,
            b >> 48 | HYPHEN << 16 | c << 32 >> 8 | HYPHEN << 56,
            c >> 32 | d << 32,
            d >> 32,
            0,
        ])
    }

    /// 32 digits in lower case.
    pub fn to_simple(self) -> Text<32> {
        hex::encode_u128(self.as_u128())
    }

    /// `urn:uuid:` and the hyphenated form.
    pub fn to_urn(self) -> Text<45> {
        let mut text = [0; 45];
        let (prefix, rest) = text.split_at_mut(URN.len());
        prefix.copy_from_slice(URN.as_bytes());
        rest.copy_from_slice(self.to_hyphenated().as_bytes());
        Text::from_ascii(text)
    }

    /// The hyphenated form in braces.
    pub fn to_braced(self) -> Text<38> {
        let mut text = [b'{'; 38];
        let [_, middle @ .., last] = &mut text;
        middle.copy_from_slice(self.to_hyphenated().as_bytes());
        *last = b'}';
        Text::from_ascii(text)
    }

    /// Reads the hyphenated form, in either case, and no other.
    ///
    /// # Errors
    /// Any [`CodecError`] but overflow; a hyphen that is missing or too many is a wrong symbol.
    pub fn parse_hyphenated(text: &str) -> Result<Self, CodecError> {
        let octets = text.as_bytes();
        if octets.len() != 36 {
            return Err(CodecError::Length { expected: 36, actual: octets.len() });
        }
        let mut digits = [0; 32];
        for (start, end, to) in GROUPS {
            if let (Some(slots), Some(group)) = (digits.get_mut(to..to + end - start), octets.get(start..end))
            {
                slots.copy_from_slice(group);
            }
        }
        let hyphens = HYPHENS.iter().all(|at| octets.get(*at) == Some(&b'-'));
        let number = core::str::from_utf8(&digits).ok().and_then(|digits| hex::decode_u128(digits).ok());
        match number.filter(|_| hyphens) {
            Some(number) => Ok(Self(number)),
            None => Err(first_wrong(text)),
        }
    }

    /// Reads 32 digits, in either case, and nothing else.
    ///
    /// # Errors
    /// Any [`CodecError`] but overflow.
    pub fn parse_simple(text: &str) -> Result<Self, CodecError> {
        hex::decode_u128(text).map(Self)
    }

    /// Reads `urn:uuid:`, in either case (RFC 8141 section 3.1), and the hyphenated form.
    ///
    /// # Errors
    /// As [`parse_hyphenated`](Self::parse_hyphenated).
    pub fn parse_urn(text: &str) -> Result<Self, CodecError> {
        length(text, URN.len() + 36)?;
        let same = |(mine, theirs): (char, char)| mine == theirs.to_ascii_lowercase();
        if let Some(at) = URN.chars().zip(text.chars()).position(|pair| !same(pair)) {
            return Err(wrong_at(text, at));
        }
        let rest = text.get(URN.len()..).unwrap_or_default();
        Self::parse_hyphenated(rest).map_err(|error| error.moved_by(URN.len()))
    }

    /// Reads the hyphenated form in braces.
    ///
    /// # Errors
    /// As [`parse_hyphenated`](Self::parse_hyphenated).
    pub fn parse_braced(text: &str) -> Result<Self, CodecError> {
        length(text, 38)?;
        let inner = text.strip_prefix('{').ok_or_else(|| wrong_at(text, 0))?;
        let Some(hyphenated) = inner.get(..36) else { return Err(first_wrong(inner).moved_by(1)) };
        let id = Self::parse_hyphenated(hyphenated).map_err(|error| error.moved_by(1));
        if id.is_ok() && !inner.ends_with('}') { Err(wrong_at(text, 37)) } else { id }
    }
}

/// The hyphenated form.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_hyphenated(), f)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({self})")
    }
}

/// Reads the hyphenated form, and no other: [`Uuid::parse_simple`] and its like read those.
impl FromStr for Uuid {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        Self::parse_hyphenated(text)
    }
}

fn length(text: &str, expected: usize) -> Result<(), CodecError> {
    let actual = text.len();
    if actual == expected { Ok(()) } else { Err(CodecError::Length { expected, actual }) }
}

/// All before it is ASCII.
fn wrong_at(text: &str, position: usize) -> CodecError {
    let found = text.get(position..).and_then(|rest| rest.chars().next());
    CodecError::Symbol { position, found: found.unwrap_or(char::REPLACEMENT_CHARACTER) }
}

#[cold]
fn first_wrong(text: &str) -> CodecError {
    let right = |(at, c): &(usize, char)| {
        if HYPHENS.contains(at) { *c == '-' } else { c.is_ascii_hexdigit() }
    };
    let position = text.char_indices().find(|place| !right(place)).map_or(text.len(), |(at, _)| at);
    wrong_at(text, position)
}
