//! A short text on the stack.

use alloc::string::String;
use core::fmt;
use core::ops::Deref;

/// A text of exactly `N` ASCII symbols: a `str` without an allocation. Sorts as a `str` does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    /// Invariant: ASCII.
    symbols: [u8; N],
}

impl<const N: usize> Text<N> {
    /// Whoever calls writes ASCII alone.
    #[inline]
    pub(crate) fn from_ascii(symbols: [u8; N]) -> Self {
        debug_assert!(symbols.is_ascii());
        Self { symbols }
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // Never the default: ASCII is valid.
        core::str::from_utf8(&self.symbols).unwrap_or_default()
    }

    /// Its symbols, a byte each.
    #[inline]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.symbols
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
        &self.symbols
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.symbols == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.symbols == other.as_bytes()
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
