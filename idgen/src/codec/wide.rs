//! Numbers of 160 bits in base 62: 27 symbols.

use super::base62::Base62;
use super::digits::{Base, first_wrong, join, limbs, read, symbols, write};
use super::error::CodecError;
use super::text::Text;

const WIDTH: usize = 27;

/// A number as its first 32 bits and the 128 below.
pub(crate) type Wide = (u32, u128);

#[inline]
pub(crate) fn encode_base62_160((first, rest): Wide) -> Text<WIDTH> {
    let mut symbols = [0; WIDTH];
    let (middle, low) = limbs(rest);
    // 62¹⁰ is about 2⁵⁹·⁵: the first limb is less than it, and stays so.
    let (middle, carry) = Base62::POWER.divide(u64::from(first), middle);
    let (low, tail) = Base62::POWER.divide(carry, low);
    let (above, carry) = (middle / Base62::POWER.value(), middle % Base62::POWER.value());
    let (low, body) = Base62::POWER.divide(carry, low);
    debug_assert_eq!(above, 0, "101 bits are left, of which the second limb takes 37");
    let (front, back) = symbols.split_at_mut(WIDTH - Base62::CHUNK);
    let (head, mid) = front.split_at_mut(WIDTH - 2 * Base62::CHUNK);
    write::<Base62>(back, tail);
    write::<Base62>(mid, body);
    write::<Base62>(head, low);
    Text::from_ascii(symbols)
}

#[inline]
pub(crate) fn decode_base62_160(text: &str) -> Result<Wide, CodecError> {
    let symbols = symbols::<WIDTH>(text)?;
    let (front, back) = symbols.split_at(WIDTH - Base62::CHUNK);
    let (head, mid) = front.split_at(WIDTH - 2 * Base62::CHUNK);
    let ((high, sound), (middle, and), (low, also)) =
        (read::<Base62>(head), read::<Base62>(mid), read::<Base62>(back));
    if !(sound && and && also) {
        return Err(first_wrong::<Base62>(text));
    }
    let power = u128::from(Base62::POWER.value());
    // Below 62¹⁷ < 2¹⁰².
    let (upper, lower) = limbs(u128::from(high) * power + u128::from(middle));
    let (carry, low) = limbs(u128::from(lower) * power + u128::from(low));
    // Below 2³⁸ · 2⁶⁰ + 2⁶⁴.
    let (first, middle) = limbs(u128::from(upper) * power + u128::from(carry));
    let first = u32::try_from(first).map_err(|_| CodecError::Overflow)?;
    Ok((first, join(middle, low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idgen_codec_wide_numbers_are_read_back() {
        let edges = [0, 1, u128::from(u64::MAX), 1 << 64, u128::MAX - 1, u128::MAX];
        let mut before: Option<Text<WIDTH>> = None;
        for first in [0, 1, 61, u32::MAX - 1, u32::MAX] {
            for rest in edges {
                let text = encode_base62_160((first, rest));
                assert_eq!(decode_base62_160(&text), Ok((first, rest)), "{text}");
                assert!(before.is_none_or(|before| before < text), "{before:?} {text}");
                before = Some(text);
            }
        }
        assert_eq!(before.unwrap(), "aWgEPTl1tmebfsQzFP4bxwgy80V");
    }

    #[test]
    fn idgen_codec_what_needs_161_bits_is_refused() {
        for text in
            ["aWgEPTl1tmebfsQzFP4bxwgy80W", "zzzzzzzzzzzzzzzzzzzzzzzzzzz", "b00000000000000000000000000"]
        {
            assert_eq!(decode_base62_160(text), Err(CodecError::Overflow), "{text}");
        }
    }
}
