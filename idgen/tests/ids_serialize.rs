//! Ids through serde.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{from_str, to_string};
use synod_idgen::layout::{Discord, Id, Twitter};
use synod_idgen::node::NodeId;

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

#[test]
fn idgen_p03_a_node_of_a_configuration_is_a_number_that_its_field_holds() {
    let node = NodeId::<Twitter>::new(1023).unwrap();
    assert_eq!(to_string(&node).unwrap(), "1023");
    assert_eq!(from_str::<NodeId<Twitter>>("1023").unwrap(), node);
    let refused = from_str::<NodeId<Twitter>>("1024").unwrap_err().to_string();
    assert!(refused.starts_with("node 1024 is out of range: Snowflake has nodes 0 to 1023"), "{refused}");
    for text in ["-1", "4294967296", "1.5", "null", "[]"] {
        assert!(from_str::<NodeId<Twitter>>(text).is_err(), "{text}");
    }
    let bytes = serde_test::Configure::compact(node);
    serde_test::assert_tokens(&bytes, &[serde_test::Token::U32(1023)]);
}
