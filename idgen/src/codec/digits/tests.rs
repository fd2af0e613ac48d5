//! Small widths in full, against digits by hand, and division against the compiler's.

use super::*;
use proptest::prelude::*;

/// Base 10 in chunks of two digits: small enough to try everything.
struct Small;

impl Base for Small {
    const SYMBOLS: &'static [u8] = b"0123456789";
    const VALUES: &'static [u8; 256] = &values(b"0123456789", Case::Exact);
    const CHUNK: usize = 2;
}

#[test]
fn idgen_codec_all_numbers_of_a_small_width_are_read_back_in_order() {
    for number in 0..1000_u64 {
        let text: Text<3> = encode_u64::<Small, 3>(number);
        assert_eq!(text, format!("{number:03}").as_str());
        assert_eq!(encode_u128::<Small, 3>(u128::from(number)), text);
        assert_eq!(decode_u64::<Small, 3>(&text), Ok(number));
        assert_eq!(decode_u128::<Small, 3>(&text), Ok(u128::from(number)));
    }
}

#[test]
fn idgen_codec_of_all_texts_of_two_bytes_only_numbers_are_read() {
    let mut read = 0;
    for first in 0..128_u8 {
        for second in 0..128_u8 {
            let text = String::from_utf8(vec![first, second]).unwrap();
            match decode_u128::<Small, 2>(&text) {
                Ok(number) => {
                    assert_eq!(format!("{number:02}"), text);
                    read += 1;
                }
                Err(CodecError::Symbol { position, found }) => {
                    assert_eq!(text.chars().position(|c| !c.is_ascii_digit()), Some(position));
                    assert_eq!(text.chars().nth(position), Some(found));
                }
                Err(other) => panic!("{text:?}: {other}"),
            }
        }
    }
    assert_eq!(read, 100);
}

/// Found by search: the estimate is one too small and the rest the divisor itself, or a little more. Random numbers do not
/// come here.
#[test]
fn idgen_codec_division_holds_where_it_must_correct_upwards() {
    for (divisor, high, low) in [
        (0x8000_0000_0000_0003, 0x8000_0000_0000_0001, 0xffff_ffff_ffff_fffa),
        (0x8000_0000_0000_0003, 0x8000_0000_0000_0001, 0xffff_ffff_ffff_fffb),
        (0x9f7f_d10c_ff76_66f9, 0x9f7f_d10c_ff76_66f7, 0xc100_5de6_0113_320e),
        (0x8000_0000_0000_0002, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_fffe),
    ] {
        let (quotient, rest) = Divisor::new(divisor).divide(high, low);
        let number = join(high, low);
        assert_eq!(u128::from(quotient), number / u128::from(divisor));
        assert_eq!(u128::from(rest), number % u128::from(divisor));
    }
}

/// A slow twin: digit by digit.
fn slow(symbols: &[u8], width: usize, mut number: u128) -> String {
    let radix = symbols.len() as u128;
    let mut text = vec![0; width];
    for slot in text.iter_mut().rev() {
        *slot = symbols[usize::try_from(number % radix).unwrap()];
        number /= radix;
    }
    assert_eq!(number, 0, "the width is too small");
    String::from_utf8(text).unwrap()
}

fn edges() -> impl Strategy<Value = u128> {
    prop_oneof![
        any::<u128>(),
        any::<u64>().prop_map(u128::from),
        (0_u32..128, 0_u128..3).prop_map(|(shift, less)| (1_u128 << shift).wrapping_sub(less)),
    ]
}

proptest! {
    #[test]
    fn idgen_codec_division_is_the_compilers(high: u64, low: u64, divisor in 1_u64..) {
        let high = high % divisor;
        let (quotient, rest) = Divisor::new(divisor).divide(high, low);
        let number = join(high, low);
        prop_assert_eq!(u128::from(quotient), number / u128::from(divisor));
        prop_assert_eq!(u128::from(rest), number % u128::from(divisor));
    }

    #[test]
    fn idgen_codec_division_holds_at_edges(shift in 0_u32..64, less in 0_u64..3, high: u64, low in edges()) {
        let divisor = (u64::MAX >> shift).saturating_sub(less).max(1);
        let (high, low) = (high.max(u64::MAX - 2) % divisor, limbs(low).1);
        let (quotient, rest) = Divisor::new(divisor).divide(high, low);
        let number = join(high, low);
        prop_assert_eq!(u128::from(quotient), number / u128::from(divisor));
        prop_assert_eq!(u128::from(rest), number % u128::from(divisor));
    }

    /// Exact multiples and their neighbours, where an estimate that is one too small shows.
    #[test]
    fn idgen_codec_division_holds_at_multiples(divisor in edges(), quotient in edges(), off in 0_u64..3) {
        let divisor = limbs(divisor).1.max(1);
        let (quotient, rest) = (limbs(quotient).1, off.wrapping_sub(1) % divisor);
        let number = u128::from(quotient) * u128::from(divisor) + u128::from(rest);
        let (high, low) = limbs(number);
        prop_assert_eq!(Divisor::new(divisor).divide(high, low), (quotient, rest));
    }

    #[test]
    fn idgen_codec_all_alphabets_agree_with_digits_by_hand(number in edges()) {
        use super::super::{base32hex, base58, base62, crockford, decimal, hex};
        let short = limbs(number).1;
        macro_rules! agree {
            ($($module:ident $base:ident),*) => {$({
                let symbols = $module::$base::SYMBOLS;
                let text = $module::encode_u128(number);
                prop_assert_eq!(text.as_str(), slow(symbols, $module::WIDTH_U128, number));
                prop_assert_eq!($module::decode_u128(&text), Ok(number));
                let text = $module::encode_u64(short);
                prop_assert_eq!(text.as_str(), slow(symbols, $module::WIDTH_U64, short.into()));
                prop_assert_eq!($module::decode_u64(&text), Ok(short));
            })*};
        }
        agree!(crockford Crockford, base32hex Base32Hex, base58 Base58, base62 Base62, hex Hex, decimal Decimal);
    }
}
