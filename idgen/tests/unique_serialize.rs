//! UUID, ULID and KSUID through serde: text for people, bytes for machines, read back or refused.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_test::{Configure as _, Token, assert_de_tokens, assert_de_tokens_error, assert_tokens};
use synod_idgen::ksuid::Ksuid;
use synod_idgen::ulid::Ulid;
use synod_idgen::uuid::Uuid;

/// Text is what people write and read; what is none is refused.
fn text<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(id: &T, text: &str) {
    let json = format!("\"{text}\"");
    assert_eq!(serde_json::to_string(id).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *id);
    let longer = format!("\"{text}0\"");
    for wrong in ["\"\"", "7", "null", "[1]", longer.as_str()] {
        assert!(serde_json::from_str::<T>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn idgen_p31_ids_of_128_bits_and_more_are_strings_in_json() {
    let uuid = Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_0000);
    text(&uuid, "550e8400-e29b-41d4-a716-446655440000");
    text(&Ulid::MAX, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    text(&Ksuid::MAX, "aWgEPTl1tmebfsQzFP4bxwgy80V");
    // Refused as text is.
    assert!(serde_json::from_str::<Ulid>("\"8ZZZZZZZZZZZZZZZZZZZZZZZZZ\"").is_err());
    assert!(serde_json::from_str::<Ksuid>("\"aWgEPTl1tmebfsQzFP4bxwgy80W\"").is_err());
    assert!(serde_json::from_str::<Uuid>("\"550e8400e29b41d4a716446655440000\"").is_err());
}

#[test]
fn idgen_p31_machines_get_bytes() {
    const OCTETS: &[u8; 20] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
    let sixteen = OCTETS.first_chunk::<16>().unwrap();
    assert_tokens(&Uuid::from_bytes(*sixteen).compact(), &[Token::Bytes(sixteen)]);
    assert_tokens(&Ulid::from_bytes(*sixteen).compact(), &[Token::Bytes(sixteen)]);
    assert_tokens(&Ksuid::from_bytes(*OCTETS).compact(), &[Token::Bytes(OCTETS)]);

    // Formats without bytes of their own give a sequence.
    let mut sequence = vec![Token::Seq { len: Some(16) }];
    sequence.extend(sixteen.iter().map(|octet| Token::U8(*octet)));
    sequence.push(Token::SeqEnd);
    assert_de_tokens(&Uuid::from_bytes(*sixteen).compact(), &sequence);

    let refused = |octets: &'static [u8], error: &str| {
        assert_de_tokens_error::<serde_test::Compact<Uuid>>(&[Token::Bytes(octets)], error);
    };
    refused(&OCTETS[..15], "invalid length 15, expected 16 bytes of a UUID");
    refused(OCTETS, "invalid length 20, expected 16 bytes of a UUID");
    sequence.insert(17, Token::U8(1));
    let error = "invalid length 17, expected 16 bytes of a UUID";
    assert_de_tokens_error::<serde_test::Compact<Uuid>>(&sequence[..18], error);
}

/// Of a flattened struct, an untagged or a tagged enum serde itself reads the fields first and forgets whether people
/// read the format: bytes then come to who asks for text.
#[test]
fn idgen_p31_bytes_are_read_where_serde_forgot_that_machines_wrote_them() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Ids {
        uuid: Uuid,
        ulid: Ulid,
        ksuid: Ksuid,
    }
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Outer {
        #[serde(flatten)]
        ids: Ids,
    }
    let ids = Ids { uuid: Uuid::MAX, ulid: Ulid::from_u128(7), ksuid: Ksuid::MAX };
    assert_de_tokens(
        &Outer { ids }.compact(),
        &[
            Token::Map { len: Some(3) },
            Token::Str("uuid"),
            Token::Bytes(&[0xff; 16]),
            Token::Str("ulid"),
            Token::ByteBuf(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
            Token::Str("ksuid"),
            Token::BorrowedBytes(&[0xff; 20]),
            Token::MapEnd,
        ],
    );
    let short = [Token::Map { len: Some(1) }, Token::Str("uuid"), Token::Bytes(&[0xff; 15]), Token::MapEnd];
    assert_de_tokens_error::<serde_test::Compact<Outer>>(
        &short,
        "invalid length 15, expected a UUID as text, or as 16 bytes",
    );
}

#[test]
fn idgen_p31_ids_are_keys_of_maps_in_json_and_are_read_from_any_string() {
    let map = std::collections::BTreeMap::from([(Uuid::MAX, Ulid::MAX), (Uuid::NIL, Ulid::NIL)]);
    let json = serde_json::to_string(&map).unwrap();
    assert_eq!(serde_json::from_str::<std::collections::BTreeMap<Uuid, Ulid>>(&json).unwrap(), map);
    let value = serde_json::to_value(Ksuid::MAX).unwrap();
    assert_eq!(serde_json::from_value::<Ksuid>(value).unwrap(), Ksuid::MAX);
    // An escape: the text is not a part of the input.
    let escaped = format!("\"7\\u005a{}\"", "Z".repeat(24));
    assert_eq!(serde_json::from_str::<Ulid>(&escaped).unwrap(), Ulid::MAX);
}

#[cfg(feature = "uuid")]
#[test]
fn idgen_uuid_to_and_from_the_type_of_the_crate_uuid() {
    let ours: Uuid = "018f4e2a-1234-7abc-8def-0123456789ab".parse().unwrap();
    let theirs: ::uuid::Uuid = ours.into();
    assert_eq!(theirs.to_string(), ours.to_string());
    assert_eq!(theirs.as_bytes(), &ours.to_bytes());
    assert_eq!(theirs.get_version_num(), 7);
    assert_eq!(Uuid::from(theirs), ours);
}
