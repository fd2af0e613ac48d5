//! RFC 9562, a test for each sentence of its sections 4 to 6 that an implementation can hold or break, and the vectors of
//! its appendices. The section's number stands in the name.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "uuid/section_5.rs"]
mod section_5;
#[path = "uuid/section_6.rs"]
mod section_6;
#[path = "uuid/support.rs"]
mod support;

use support::{Fixed, vectors};
use synod_idgen::codec::CodecError;
use synod_idgen::uuid::{Uuid, Variant};

const EXAMPLE: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

#[test]
fn idgen_rfc9562_4_sixteen_octets_most_significant_first() {
    let id: Uuid = EXAMPLE.parse().unwrap();
    let octets = id.to_bytes();
    assert_eq!(octets[..4], [0xf8, 0x1d, 0x4f, 0xae]);
    assert_eq!(octets[10..], [0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6]);
    assert_eq!(Uuid::from_bytes(octets), id);
    // Figure 4 of the section: the same as an integer.
    assert_eq!(id.as_u128(), 329_800_735_698_586_629_295_641_978_511_506_172_918);
}

#[test]
fn idgen_rfc9562_4_text_is_lower_case_in_groups_of_8_4_4_4_12() {
    let id = Uuid::from_u128(0xF81D_4FAE_7DEC_11D0_A765_00A0_C91E_6BF6);
    assert_eq!(id.to_string(), EXAMPLE);
    assert_eq!(id.to_urn(), format!("urn:uuid:{EXAMPLE}").as_str());
    assert_eq!(id.to_braced(), format!("{{{EXAMPLE}}}").as_str());
    assert_eq!(id.to_simple(), EXAMPLE.replace('-', "").as_str());
    assert_eq!(format!("{id:>38}|{id:?}"), format!("  {EXAMPLE}|Uuid({EXAMPLE})"));
}

#[test]
fn idgen_rfc9562_4_input_may_be_of_either_case() {
    let id: Uuid = EXAMPLE.parse().unwrap();
    assert_eq!(EXAMPLE.to_uppercase().parse(), Ok(id));
    assert_eq!(Uuid::parse_simple(&id.to_simple().to_uppercase()), Ok(id));
    assert_eq!(Uuid::parse_urn(&id.to_urn().to_uppercase()), Ok(id));
    assert_eq!(Uuid::parse_braced(&id.to_braced().to_uppercase()), Ok(id));
}

type Parse = fn(&str) -> Result<Uuid, CodecError>;

#[test]
fn idgen_rfc9562_4_each_form_is_read_by_its_own_function_alone() {
    let id: Uuid = EXAMPLE.parse().unwrap();
    let forms: [(&str, Parse); 4] = [
        (&id.to_hyphenated(), Uuid::parse_hyphenated),
        (&id.to_simple(), Uuid::parse_simple),
        (&id.to_urn(), Uuid::parse_urn),
        (&id.to_braced(), Uuid::parse_braced),
    ];
    for (at, (text, _)) in forms.iter().enumerate() {
        for (other, (_, parse)) in forms.iter().enumerate() {
            assert_eq!(parse(text).ok(), (at == other).then_some(id), "{text}");
        }
    }
}

#[test]
fn idgen_rfc9562_4_what_is_no_uuid_is_refused_and_the_place_is_told() {
    let symbol = |position, found| Err(CodecError::Symbol { position, found });
    let length = |actual| Err(CodecError::Length { expected: 36, actual });
    for (text, expected) in [
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf", length(35)),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf60", length(37)),
        ("f81d4fae_7dec-11d0-a765-00a0c91e6bf6", symbol(8, '_')),
        ("f81d4fae-7dec-11d0-a765000a0c91e6bf6", symbol(23, '0')),
        ("f81d4fa-e7dec-11d0-a765-00a0c91e6bf6", symbol(7, '-')),
        ("g81d4fae-7dec-11d0-a765-00a0c91e6bf6", symbol(0, 'g')),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bfé", length(37)),
        ("é1d4fae-7dec-11d0-a765-00a0c91e6bf6x", length(37)),
        ("é81d4fae-7dec-11d0-a765-00a0c91e6b6", symbol(0, 'é')),
        ("", length(0)),
    ] {
        assert_eq!(Uuid::parse_hyphenated(text), expected, "{text}");
    }
    let urn = |text: &str| Uuid::parse_urn(text);
    assert_eq!(urn(&format!("urn:uuld:{EXAMPLE}")), symbol(6, 'l'));
    assert_eq!(urn(&format!("urn:uuid:{}", EXAMPLE.replace("fae-", "faee"))), symbol(17, 'e'));
    assert_eq!(urn(EXAMPLE), Err(CodecError::Length { expected: 45, actual: 36 }));
    assert_eq!(Uuid::parse_braced(&format!("({EXAMPLE}}}")), symbol(0, '('));
    assert_eq!(Uuid::parse_braced(&format!("{{{EXAMPLE})")), symbol(37, ')'));
    assert_eq!(Uuid::parse_braced(&format!("{{{EXAMPLE}x").replace("fae-", "faex")), symbol(9, 'x'));
    // A character that stands across the place where the digits end.
    assert_eq!(Uuid::parse_braced(&format!("{{{EXAMPLE}").replace("bf6", "bfé")), symbol(36, 'é'));
    assert_eq!(Uuid::parse_braced(&format!("{{{EXAMPLE}").replace("bf6", "b€")), symbol(35, '€'));
    assert_eq!(Uuid::parse_braced(&format!("{{x{EXAMPLE}").replace("bf6", "€")), symbol(1, 'x'));
}

#[test]
fn idgen_rfc9562_4_1_the_variant_is_the_first_bits_of_octet_8() {
    for (nibble, variant) in [
        (0x0..=0x7, Variant::Ncs),
        (0x8..=0xb, Variant::Rfc),
        (0xc..=0xd, Variant::Microsoft),
        (0xe..=0xf, Variant::Future),
    ] {
        for bits in nibble {
            assert_eq!(Uuid::from_u128(bits << 60).variant(), variant, "{bits:x}");
        }
    }
}

#[test]
fn idgen_rfc9562_4_2_the_version_is_the_first_four_bits_of_octet_6() {
    for version in 0..16_u8 {
        let rfc = Uuid::from_u128(u128::from(version) << 76 | 0b10 << 62);
        assert_eq!(rfc.version(), Some(version));
        // It has a meaning with the RFC's variant only.
        for other in [0b00, 0b01, 0b11] {
            assert_eq!(Uuid::from_u128(u128::from(version) << 76 | other << 62).version(), None);
        }
    }
}

#[test]
fn idgen_seed_the_example_of_version_4() {
    let id: Uuid = "550e8400-e29b-41d4-a716-446655440000".parse().unwrap();
    assert_eq!((id.version(), id.variant()), (Some(4), Variant::Rfc));
    assert_eq!((id.time(), id.node(), id.clock_sequence()), (None, None, None));
}

#[test]
fn idgen_rfc9562_every_vector_of_the_file_has_a_test() {
    let vectors = vectors();
    let known = [
        "source",
        "greg_unix_offset_100ns",
        "v1",
        "v3",
        "v4",
        "v5",
        "v6",
        "v7",
        "v8_time",
        "v8_sha256",
        "v7_method3",
        "nil",
        "max",
    ];
    let mut names: Vec<&str> = vectors.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = known.to_vec();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(Uuid::v4(&Fixed(0)).unwrap().version(), Some(4));
}
