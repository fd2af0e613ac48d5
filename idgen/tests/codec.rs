//! Codecs from outside: order, strictness, corruption. What the numbers are is checked beside the code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use synod_idgen::codec::{CodecError, Text, base32hex, base58, base62, crockford, decimal, hex};
use synod_idgen::ksuid::Ksuid;
use synod_idgen::ulid::Ulid;
use synod_idgen::uuid::Uuid;

/// An alphabet as functions over `u128`.
struct Codec {
    name: &'static str,
    encode: fn(u128) -> String,
    decode: fn(&str) -> Result<u128, CodecError>,
    greatest: &'static str,
    /// The text of the next number, were there one.
    next: Option<&'static str>,
    either_case: bool,
}

macro_rules! codec {
    ($module:ident, $either_case:literal, $greatest:literal, $next:expr) => {
        Codec {
            name: stringify!($module),
            encode: |number| $module::encode_u128(number).into(),
            decode: $module::decode_u128,
            greatest: $greatest,
            next: $next,
            either_case: $either_case,
        }
    };
}

const CODECS: [Codec; 6] = [
    codec!(crockford, true, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", Some("80000000000000000000000000")),
    codec!(base32hex, true, "7VVVVVVVVVVVVVVVVVVVVVVVVV", Some("80000000000000000000000000")),
    codec!(base58, false, "YcVfxkQb6JRzqk5kF2tNLv", Some("YcVfxkQb6JRzqk5kF2tNLw")),
    codec!(base62, false, "7n42DGM5Tflk9n8mt7Fhc7", Some("7n42DGM5Tflk9n8mt7Fhc8")),
    codec!(hex, true, "ffffffffffffffffffffffffffffffff", None),
    codec!(
        decimal,
        false,
        "340282366920938463463374607431768211455",
        Some("340282366920938463463374607431768211456")
    ),
];

#[test]
fn idgen_codec_the_greatest_number_is_known_and_the_next_is_refused() {
    for codec in &CODECS {
        assert_eq!((codec.encode)(u128::MAX), codec.greatest, "{}", codec.name);
        assert_eq!((codec.decode)(codec.greatest), Ok(u128::MAX), "{}", codec.name);
        if let Some(next) = codec.next {
            assert_eq!((codec.decode)(next), Err(CodecError::Overflow), "{}", codec.name);
        }
    }
}

#[test]
fn idgen_codec_lengths_are_exact() {
    assert_eq!(hex::decode_u64("abc"), Err(CodecError::Length { expected: 16, actual: 3 }));
    assert_eq!(hex::decode_u64("00000000000000abc"), Err(CodecError::Length { expected: 16, actual: 17 }));
    for codec in &CODECS {
        let text = (codec.encode)(12345);
        for wrong in [&text[1..], &format!("0{text}"), &format!("{text} "), &format!(" {text}"), ""] {
            let expected = CodecError::Length { expected: text.len(), actual: wrong.len() };
            assert_eq!((codec.decode)(wrong), Err(expected), "{}", codec.name);
        }
    }
}

#[test]
fn idgen_codec_errors_say_where() {
    let wrong = |text| base58::decode_u64(text).unwrap_err();
    assert_eq!(wrong("1111O11l111"), CodecError::Symbol { position: 4, found: 'O' });
    // Two bytes make one character.
    assert_eq!(wrong("11111é1111"), CodecError::Symbol { position: 5, found: 'é' });
    assert_eq!(wrong("1111é1l111"), CodecError::Symbol { position: 4, found: 'é' });
    // A wrong symbol is told before an overflow.
    assert_eq!(wrong("zzzzzzzzzz0"), CodecError::Symbol { position: 10, found: '0' });
    assert_eq!(wrong("zzzzzzzzzzz"), CodecError::Overflow);
    assert_eq!(wrong("1111O11l111").to_string(), "'O' at byte 4 is no symbol of the alphabet");
}

#[test]
fn idgen_codec_aliases_are_taken_only_where_asked_for() {
    let typed = "o1ARZ3NDEKTSV4RRFFQ69G5FAV";
    assert_eq!(crockford::decode_u128(typed), Err(CodecError::Symbol { position: 0, found: 'o' }));
    assert_eq!(
        crockford::decode_u128_with_aliases(typed),
        crockford::decode_u128("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    );
    assert_eq!(crockford::decode_u64_with_aliases("OoIiLl0000000").unwrap(), 0b1_00001_00001_00001 << 35);
    for typed in ["000000000000U", "000000000000u", "00000-0000000"] {
        assert!(
            matches!(crockford::decode_u64_with_aliases(typed), Err(CodecError::Symbol { .. })),
            "{typed}"
        );
    }
}

#[test]
fn idgen_codec_ids_heed_width_and_alignment() {
    let uuid = Uuid::MAX;
    assert_eq!(format!("{uuid:>38}|{uuid:*<37}|{uuid:?}"), format!("  {uuid}|{uuid}*|Uuid({uuid})"));
    let (ulid, text) = (Ulid::MAX, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    assert_eq!(format!("{ulid:>28}|{ulid:?}"), format!("  {text}|Ulid({text})"));
    let (ksuid, text) = (Ksuid::MAX, "aWgEPTl1tmebfsQzFP4bxwgy80V");
    assert_eq!(format!("{ksuid:_^29}|{ksuid:?}"), format!("_{text}_|Ksuid({text})"));
}

#[test]
fn idgen_codec_a_text_is_a_str() {
    let text: Text<16> = hex::encode_u64(0xbeef);
    assert!(text.ends_with("beef"));
    assert_eq!(format!("{text:>18}|{text:?}"), "  000000000000beef|\"000000000000beef\"");
    assert_eq!(text.as_bytes().len(), hex::WIDTH_U64);
}

proptest! {
    #[test]
    fn idgen_codec_texts_sort_as_numbers(a: u128, b: u128, near in 0_u128..100) {
        for codec in &CODECS {
            for b in [b, a.saturating_add(near)] {
                let (left, right) = ((codec.encode)(a), (codec.encode)(b));
                prop_assert_eq!(left.cmp(&right), a.cmp(&b), "{}: {} {}", codec.name, left, right);
            }
        }
    }

    #[test]
    fn idgen_codec_either_case_is_read_where_it_says_so(number: u128) {
        for codec in CODECS.iter().filter(|codec| codec.either_case) {
            let text = (codec.encode)(number);
            prop_assert_eq!((codec.decode)(&text.to_lowercase()), Ok(number));
            prop_assert_eq!((codec.decode)(&text.to_uppercase()), Ok(number));
        }
    }

    /// Every character that is replaced by any other fails, or gives another number.
    #[test]
    fn idgen_codec_no_changed_character_goes_unseen(number: u128, found in prop_oneof![any::<char>(), proptest::char::range(' ', '~')]) {
        for codec in &CODECS {
            let text = (codec.encode)(number);
            for position in 0..text.len() {
                let mut other = text.clone();
                other.replace_range(position..=position, found.encode_utf8(&mut [0; 4]));
                if other == text || codec.either_case && other.eq_ignore_ascii_case(&text) {
                    continue;
                }
                match (codec.decode)(&other) {
                    Ok(value) => prop_assert_ne!(value, number),
                    Err(CodecError::Symbol { position: at, found: what }) => {
                        prop_assert_eq!((at, what), (position, found));
                    }
                    Err(CodecError::Overflow) => prop_assert!(*other > *codec.greatest, "{} {}", codec.name, other),
                    Err(CodecError::Length { actual, .. }) => prop_assert_eq!(actual, other.len()),
                    Err(other) => prop_assert!(false, "{}", other),
                }
            }
        }
    }

    #[test]
    fn idgen_codec_any_text_is_read_or_refused(text in "\\PC{0,40}", ascii in "[0-9A-Za-z]{26}") {
        for codec in &CODECS {
            for text in [&text, &ascii] {
                if let Ok(number) = (codec.decode)(text) {
                    prop_assert!((codec.encode)(number).eq_ignore_ascii_case(text));
                }
            }
        }
    }
}

#[test]
fn idgen_codec_a_text_is_found_by_its_str() {
    let mut counts = std::collections::HashMap::new();
    for number in [7_u64, 7, u64::MAX] {
        *counts.entry(crockford::encode_u64(number)).or_insert(0) += 1;
    }
    assert_eq!(
        (counts.get("0000000000007"), counts.get("FZZZZZZZZZZZZ"), counts.len()),
        (Some(&2), Some(&1), 2)
    );
}
