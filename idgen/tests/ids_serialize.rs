//! Ids through serde.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{from_str, to_string};
use synod_idgen::layout::{Discord, Id, Twitter};

#[test]
fn idgen_p31_json_holds_ids_beyond_2_53_as_strings_and_reads_both() {
    let id = Id::<Twitter>::from_u64((1 << 53) + 1).unwrap();
    assert_eq!(to_string(&id).unwrap(), "\"9007199254740993\"");
    // What JSON's numbers lose where they are doubles: this very id.
    assert_eq!(from_str::<f64>("9007199254740993").unwrap().to_string(), "9007199254740992");
    assert_eq!(from_str::<Id<Twitter>>("\"9007199254740993\"").unwrap(), id);
    assert_eq!(from_str::<Id<Twitter>>("9007199254740993").unwrap(), id);
    let discord = Id::<Discord>::from_u64(u64::MAX).unwrap();
    assert_eq!(from_str::<Id<Discord>>(&to_string(&discord).unwrap()).unwrap(), discord);
}

#[test]
fn idgen_p31_what_is_no_id_is_not_read() {
    for text in [
        "-1",
        "\"-1\"",
        "9223372036854775808",
        "\"9223372036854775808\"",
        "1.0",
        "1e3",
        "\"07\"",
        "\"\"",
        "null",
        "[]",
    ] {
        assert!(from_str::<Id<Twitter>>(text).is_err(), "{text}");
    }
}
