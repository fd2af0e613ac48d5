//! Texts of ids, as they may come from anybody.

use synod_idgen::codec::{CodecError, base32hex, base58, base62, crockford, decimal, hex};
use synod_idgen::ksuid::Ksuid;
use synod_idgen::ulid::Ulid;
use synod_idgen::uuid::Uuid;

/// A text: what is read is written alike, but for the case of letters where either is read; what is refused is refused
/// for the reason that is told. And bytes: what is written of them is read back.
pub fn id_text(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        numbers(text);
        ids(text);
    }
    if let Some(octets) = data.first_chunk::<20>() {
        let id = Ksuid::from_bytes(*octets);
        assert_eq!(Ksuid::decode(&id.encode()), Ok(id), "a KSUID is read back");
    }
    if let Some(octets) = data.first_chunk::<16>() {
        written(Uuid::from_bytes(*octets));
    }
}

fn written(id: Uuid) {
    assert_eq!(Uuid::parse_hyphenated(&id.to_hyphenated()), Ok(id), "hyphenated");
    assert_eq!(Uuid::parse_simple(&id.to_simple()), Ok(id), "simple");
    assert_eq!(Uuid::parse_urn(&id.to_urn()), Ok(id), "URN");
    assert_eq!(Uuid::parse_braced(&id.to_braced()), Ok(id), "braced");
    assert_eq!(Ulid::decode(&Ulid::from(id).encode()), Ok(id.into()), "a ULID is read back");
    let sixes = id.to_v6().map(|six| (six.ticks(), six.clock_sequence(), six.node()));
    assert_eq!(sixes.is_some(), id.ticks().is_some(), "ticks are those of versions 1 and 6");
    if let Some(fields) = sixes {
        assert_eq!(fields, (id.ticks(), id.clock_sequence(), id.node()), "the same fields");
    }
}

/// What was read is written as it was, up to case where `either_case` says so.
fn same(text: &str, written: &str, either_case: bool) {
    let alike = if either_case { written.eq_ignore_ascii_case(text) } else { written == text };
    assert!(alike, "{text} was read and is written {written}");
}

/// The reason is a true one.
fn reason(text: &str, error: CodecError, is_symbol: impl Fn(char) -> bool) {
    match error {
        CodecError::Length { actual, expected } => {
            assert!(actual == text.len() && expected != actual, "the length is that of the text");
        }
        CodecError::Symbol { position, found } => {
            let rest = text.get(position..).expect("a character's first byte");
            assert!(rest.starts_with(found), "the character stands there");
            assert!(text[..position].chars().all(&is_symbol) && !is_symbol(found), "the first of its kind");
        }
        _ => assert!(text.chars().all(is_symbol), "all are symbols, and the number is too great"),
    }
}

fn numbers(text: &str) {
    macro_rules! alphabet {
        ($module:ident, $either_case:literal, $symbol:expr) => {
            match $module::decode_u128(text) {
                Ok(number) => same(text, &$module::encode_u128(number), $either_case),
                Err(error) => reason(text, error, $symbol),
            }
            match $module::decode_u64(text) {
                Ok(number) => same(text, &$module::encode_u64(number), $either_case),
                Err(error) => reason(text, error, $symbol),
            }
        };
    }
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    alphabet!(crockford, true, |c: char| alphanumeric(c) && !"ILOUilou".contains(c));
    alphabet!(base32hex, true, |c: char| c.is_digit(32));
    alphabet!(base58, false, |c: char| alphanumeric(c) && !"0IOl".contains(c));
    alphabet!(base62, false, alphanumeric);
    alphabet!(hex, true, |c: char| c.is_ascii_hexdigit());
    alphabet!(decimal, false, |c: char| c.is_ascii_digit());
}

fn ids(text: &str) {
    if let Ok(id) = text.parse::<Uuid>() {
        same(text, &id.to_string(), true);
    }
    for (read, written) in [
        (Uuid::parse_simple(text), Uuid::NIL.to_simple().as_str().len()),
        (Uuid::parse_urn(text), Uuid::NIL.to_urn().len()),
        (Uuid::parse_braced(text), Uuid::NIL.to_braced().len()),
    ] {
        match read {
            Ok(id) => {
                let forms = [id.to_simple().to_string(), id.to_urn().to_string(), id.to_braced().to_string()];
                assert!(
                    forms.iter().any(|form| form.eq_ignore_ascii_case(text)),
                    "{text} is none of {forms:?}"
                );
            }
            Err(CodecError::Length { expected, actual }) => {
                assert!(actual == text.len() && expected == written, "the length is that of the form");
            }
            Err(CodecError::Symbol { position, found }) => {
                assert!(text.get(position..).is_some_and(|rest| rest.starts_with(found)), "it stands there");
            }
            Err(other) => panic!("128 bits cannot overflow here: {other}"),
        }
    }
    let strict = Ulid::decode(text);
    if let Ok(id) = strict {
        same(text, &id.to_string(), true);
        assert_eq!(Ulid::decode_with_aliases(text), strict, "aliases take nothing away");
    }
    if let Ok(id) = Ulid::decode_with_aliases(text) {
        let plain = text.replace(['I', 'i', 'L', 'l'], "1").replace(['O', 'o'], "0");
        same(&plain, &id.to_string(), true);
    }
    if let Ok(id) = text.parse::<Ksuid>() {
        same(text, &id.to_string(), false);
    }
}

/// Valid texts of each kind, and some that are nearly.
pub fn id_text_seeds() -> Vec<Vec<u8>> {
    [
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "oiLarz3ndektsv4rrffq69g5fa",
        "550e8400-e29b-41d4-a716-446655440000",
        "C232AB00-9414-11EC-B3C8-9F6BDECED846",
        "c232ab00941411ecb3c89f6bdeced846",
        "urn:uuid:1ec9414c-232a-6b00-b3c8-9f6bdeced846",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
        "aWgEPTl1tmebfsQzFP4bxwgy80V",
        "YcVfxkQb6JRzqk5kF2tNLv",
        "7n42DGM5Tflk9n8mt7Fhc7",
        "340282366920938463463374607431768211455",
        "18446744073709551616",
        "lYGhA16ahyf",
        "jpXCZedGfVQ",
        "fzzzzzzzzzzzz",
        "é81d4fae-7dec-11d0-a765-00a0c91e6b6",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
