//! Digits of a number in any base, by chunks that fit 64 bits.
//!
//! ```text
//!  number = (… · CHUNKᴾ + middle) · CHUNKᴾ + low        CHUNKᴾ = base to the power of digits per chunk, below 2⁶⁴
//! ```
//!
//! Splitting a chunk off is one division of 128 bits by 64. Division by a constant is a multiplication with its
//! reciprocal and two corrections (Möller and Granlund, "Improved division by invariant integers", IEEE Transactions on
//! Computers 60, 2011, algorithm 4). Digits within a chunk cost a multiplication of 64 bits each, and chunks wait for
//! nobody.

use super::error::CodecError;
use super::text::{Text, Words};

/// What a byte means that is no symbol.
const NO_SYMBOL: u8 = 0x80;

/// The symbols of each pair of digits of a base that is a power of two, the first in the low octet. There are as many
/// pairs as the square of the base.
pub(super) type Pairs = [u16];

/// An alphabet.
pub(super) trait Base {
    /// By value. As many as the base.
    const SYMBOLS: &'static [u8];
    /// The value of each byte, or [`NO_SYMBOL`].
    const VALUES: &'static [u8; 256];
    /// Digits of a chunk, whose power of the base fits 64 bits.
    const CHUNK: usize;

    /// Where the base is a power of two, its digits are fields of bits, and are written by [`words`].
    const PAIRS: &'static Pairs = &[];

    /// The base.
    const RADIX: u64 = Self::SYMBOLS.len() as u64;
    /// The base to the power of a chunk's digits.
    const POWER: Divisor = Divisor::new(power(Self::RADIX, Self::CHUNK));
}

/// Which cases of a letter are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Either,
}

/// The value of each byte.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "computed by the compiler")]
pub(super) const fn values(symbols: &[u8], case: Case) -> [u8; 256] {
    let mut values = [NO_SYMBOL; 256];
    let mut value = 0;
    while value < symbols.len() {
        let symbol = symbols[value];
        if let Case::Either = case {
            values[symbol.to_ascii_lowercase() as usize] = value as u8;
            values[symbol.to_ascii_uppercase() as usize] = value as u8;
        } else {
            values[symbol as usize] = value as u8;
        }
        value += 1;
    }
    values
}

/// The symbols of all pairs of digits.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
pub(super) const fn pairs<const COUNT: usize>(symbols: &[u8]) -> [u16; COUNT] {
    let radix = symbols.len();
    assert!(radix.is_power_of_two() && radix * radix == COUNT, "pairs of a power of two");
    let mut pairs = [0; COUNT];
    let mut pair = 0;
    while pair < COUNT {
        pairs[pair] = u16::from_le_bytes([symbols[pair / radix], symbols[pair % radix]]);
        pair += 1;
    }
    pairs
}

/// With Crockford's letters for digits.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
pub(super) const fn with_aliases(mut values: [u8; 256]) -> [u8; 256] {
    values[b'I' as usize] = 1;
    values[b'i' as usize] = 1;
    values[b'L' as usize] = 1;
    values[b'l' as usize] = 1;
    values[b'O' as usize] = 0;
    values[b'o' as usize] = 0;
    values
}

/// Does not compile when the power is too great.
const fn power(radix: u64, digits: usize) -> u64 {
    let mut power = 1;
    let mut digit = 0;
    while digit < digits {
        power *= radix;
        digit += 1;
    }
    power
}

/// A constant to divide by.
#[derive(Clone, Copy)]
pub(super) struct Divisor {
    value: u64,
    /// Shifted until its first bit is one.
    normal: u64,
    shift: u32,
    /// ⌊(2¹²⁸ - 1) / normal⌋ - 2⁶⁴.
    reciprocal: u64,
}

impl Divisor {
    #[expect(clippy::cast_possible_truncation, reason = "the quotient's bit 64 is the one that is left out")]
    const fn new(value: u64) -> Self {
        let shift = value.leading_zeros();
        let normal = value << shift;
        Self { value, normal, shift, reciprocal: (u128::MAX / normal as u128) as u64 }
    }

    /// Quotient and remainder of a number of two limbs, whose high limb is less than the divisor.
    #[inline]
    pub(super) fn divide(self, high: u64, low: u64) -> (u64, u64) {
        debug_assert!(high < self.value);
        let (high, low) = limbs(join(high, low) << self.shift);
        let estimate = u128::from(self.reciprocal) * u128::from(high) + join(high, low);
        let (quotient, fraction) = limbs(estimate);
        let mut quotient = quotient.wrapping_add(1);
        let mut rest = low.wrapping_sub(quotient.wrapping_mul(self.normal));
        if rest > fraction {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(self.normal);
        }
        if rest >= self.normal {
            quotient = quotient.wrapping_add(1);
            rest = rest.wrapping_sub(self.normal);
        }
        (quotient, rest >> self.shift)
    }

    /// Quotient and remainder.
    #[inline]
    fn split(self, number: u128) -> (u128, u64) {
        if self.value.is_power_of_two() {
            return (number >> self.value.trailing_zeros(), limbs(number).1 & (self.value - 1));
        }
        let (high, low) = limbs(number);
        let (next, chunk) = self.divide(high % self.value, low);
        (join(high / self.value, next), chunk)
    }

    #[inline]
    pub(super) const fn value(self) -> u64 {
        self.value
    }
}

#[inline]
pub(super) const fn join(high: u64, low: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low limb is what is wanted")]
pub(super) const fn limbs(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

/// Writes the last digits of a number, as many as there is room for.
#[inline]
pub(super) fn write<B: Base>(slots: &mut [u8], mut number: u64) {
    for slot in slots.iter_mut().rev() {
        let digit = usize::try_from(number % B::RADIX).unwrap_or_default();
        *slot = B::SYMBOLS.get(digit).copied().unwrap_or_default();
        number /= B::RADIX;
    }
}

/// The value of digits, at most a chunk, and whether all are symbols.
#[inline]
pub(super) fn read<B: Base>(digits: &[u8]) -> (u64, bool) {
    let (mut number, mut marks) = (0_u64, 0);
    for &byte in digits {
        let value = B::VALUES.get(usize::from(byte)).copied().unwrap_or(NO_SYMBOL);
        marks |= value;
        number = number.wrapping_mul(B::RADIX).wrapping_add(u64::from(value));
    }
    (number, marks & NO_SYMBOL == 0)
}

/// The `width` symbols of a number in a base whose pairs are known, eight a word, the first in its low octet. Words are made
/// in registers and stored whole, since a load of what was stored in pieces has to wait for all of them.
#[inline]
pub(super) fn words<B: Base>(width: usize, number: u128) -> Words {
    let bits = B::SYMBOLS.len().trailing_zeros() as usize;
    let mut words = Words::default();
    for (word, end) in words.iter_mut().zip((8_usize..).step_by(8)) {
        let beyond = end.saturating_sub(width).min(7);
        let (_, window) = limbs(number >> (bits * width.saturating_sub(end)) << (bits * beyond));
        for place in 0..4 {
            let pair = window >> (2 * bits * (3 - place)) & (B::RADIX * B::RADIX - 1);
            // Of the pair alone, which fits a `usize` of any width.
            let pair = usize::try_from(pair).unwrap_or_default();
            let symbols = B::PAIRS.get(pair).copied().unwrap_or_default();
            *word |= u64::from(symbols) << (16 * place);
        }
        *word &= u64::MAX >> (8 * beyond);
        if end >= width {
            break;
        }
    }
    words
}

#[inline]
pub(super) fn encode_u64<B: Base, const N: usize>(number: u64) -> Text<N> {
    if !B::PAIRS.is_empty() {
        return Text::from_words(words::<B>(N, number.into()));
    }
    let mut symbols = [0; N];
    let (head, tail) = symbols.split_at_mut(N - B::CHUNK);
    write::<B>(tail, number % B::POWER.value());
    write::<B>(head, number / B::POWER.value());
    Text::from_ascii(symbols)
}

#[inline]
pub(super) fn encode_u128<B: Base, const N: usize>(number: u128) -> Text<N> {
    if !B::PAIRS.is_empty() {
        return Text::from_words(words::<B>(N, number));
    }
    let mut symbols = [0; N];
    let mut rest = number;
    for slots in symbols.rchunks_mut(B::CHUNK) {
        let (above, chunk) = B::POWER.split(rest);
        write::<B>(slots, chunk);
        rest = above;
    }
    Text::from_ascii(symbols)
}

#[inline]
pub(super) fn decode_u64<B: Base, const N: usize>(text: &str) -> Result<u64, CodecError> {
    let symbols = symbols::<N>(text)?;
    let (head, tail) = symbols.split_at(N - B::CHUNK);
    let ((high, sound), (low, also)) = (read::<B>(head), read::<B>(tail));
    if !(sound && also) {
        return Err(first_wrong::<B>(text));
    }
    let above = high.checked_mul(B::POWER.value()).ok_or(CodecError::Overflow)?;
    above.checked_add(low).ok_or(CodecError::Overflow)
}

#[inline]
pub(super) fn decode_u128<B: Base, const N: usize>(text: &str) -> Result<u128, CodecError> {
    let symbols = symbols::<N>(text)?;
    let (head, rest) = symbols.split_at(N % B::CHUNK);
    let (first, mut sound) = read::<B>(head);
    let mut number = Some(u128::from(first));
    for digits in rest.chunks(B::CHUNK) {
        let (chunk, also) = read::<B>(digits);
        sound &= also;
        let above = number.and_then(|number| number.checked_mul(u128::from(B::POWER.value())));
        number = above.and_then(|above| above.checked_add(u128::from(chunk)));
    }
    if sound { number.ok_or(CodecError::Overflow) } else { Err(first_wrong::<B>(text)) }
}

#[inline]
pub(super) fn symbols<const N: usize>(text: &str) -> Result<&[u8; N], CodecError> {
    let wrong = CodecError::Length { expected: N, actual: text.len() };
    text.as_bytes().try_into().map_err(|_| wrong)
}

/// The error of a text that holds something else than symbols.
#[cold]
pub(super) fn first_wrong<B: Base>(text: &str) -> CodecError {
    let is_symbol = |byte: u8| B::VALUES.get(usize::from(byte)).is_some_and(|value| *value != NO_SYMBOL);
    // Symbols are ASCII, so the first byte that is none begins a character.
    let wrong = text
        .char_indices()
        .find(|(position, _)| !text.as_bytes().get(*position).copied().is_some_and(is_symbol));
    wrong.map_or(CodecError::Overflow, |(position, found)| CodecError::Symbol { position, found })
}

#[cfg(test)]
#[cfg(feature = "std")]
mod tests;
