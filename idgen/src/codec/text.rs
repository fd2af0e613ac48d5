//! A short text on the stack.

use alloc::string::String;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

/// Room for the longest, a UUID as a URN of 45 symbols.
const ROOM: usize = 48;
/// As many octets, eight a word.
pub(crate) type Words = [u64; ROOM / 8];
/// What the check for UTF-8 takes at once when the octets are aligned, instead of one by one.
const STRIDE: usize = 16;

/// A text of exactly `N` ASCII symbols, at most 48: a `str` without an allocation. Sorts as a `str` does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(align(16))]
pub struct Text<const N: usize> {
    /// Invariant: ASCII; zeros from `N` on.
    octets: [u8; ROOM],
}

impl<const N: usize> Text<N> {
    /// Whole strides, so that none is checked octet by octet.
    const PADDED: usize = {
        assert!(N <= ROOM, "the text is too long");
        N.next_multiple_of(STRIDE)
    };
    /// Never seen: there is room for `N`.
    const NONE: [u8; N] = [b'?'; N];

    /// Of eight symbols each, the first in the low octet. Whoever calls writes `N` of ASCII and zeros after them.
    #[inline]
    pub(crate) fn from_words(words: Words) -> Self {
        let mut octets = [0; ROOM];
        for (slots, word) in octets.chunks_exact_mut(8).zip(words) {
            slots.copy_from_slice(&word.to_le_bytes());
        }
        debug_assert!(
            octets.iter().enumerate().all(|(at, octet)| octet.is_ascii() && (at < N) == (*octet != 0))
        );
        Self { octets }
    }

    /// Whoever calls writes ASCII alone.
    #[inline]
    pub(crate) fn from_ascii(symbols: [u8; N]) -> Self {
        debug_assert!(symbols.is_ascii());
        let mut octets = [0; ROOM];
        if let Some(slots) = octets.first_chunk_mut::<N>() {
            *slots = symbols;
        }
        Self { octets }
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // Neither default is ever taken: ASCII is valid, and there is room for `N`.
        let padded = self.octets.get(..Self::PADDED).unwrap_or_default();
        core::str::from_utf8(padded).ok().and_then(|text| text.get(..N)).unwrap_or_default()
    }

    /// Its symbols, a byte each.
    #[inline]
    pub const fn as_bytes(&self) -> &[u8; N] {
        match self.octets.first_chunk() {
            Some(symbols) => symbols,
            None => &Self::NONE,
        }
    }
}

/// As a `str` is.
impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<const N: usize> Borrow<str> for Text<N> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<[u8]> for Text<N> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> From<Text<N>> for String {
    fn from(text: Text<N>) -> Self {
        text.as_str().into()
    }
}

/// Heeds width and alignment, as a `str` does.
impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
