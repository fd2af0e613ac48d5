/// Why a text is not a number of its alphabet and width. The caller's input; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The text has another length.
    #[error("{expected} symbols were expected, not {actual} bytes")]
    Length {
        /// Symbols of the width, each a byte.
        expected: usize,
        /// Bytes of the text.
        actual: usize,
    },
    /// A character is no symbol of the alphabet.
    #[error("{found:?} at byte {position} is no symbol of the alphabet")]
    Symbol {
        /// Of the first such character, in bytes from 0.
        position: usize,
        /// The character.
        found: char,
    },
    /// All are symbols, but the number is too great for its bits.
    #[error("the number needs more bits than there are")]
    Overflow,
}

impl CodecError {
    /// Of a text that begins further on in another, whose length was looked at before.
    pub(crate) fn moved_by(self, offset: usize) -> Self {
        match self {
            Self::Symbol { position, found } => Self::Symbol { position: position + offset, found },
            Self::Length { .. } | Self::Overflow => self,
        }
    }
}
