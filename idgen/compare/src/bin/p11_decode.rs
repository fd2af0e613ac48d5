//! P11: texts that no id is written as.
use std::str::FromStr as _;

use ferroid::base32::Base32UlidExt as _;
use ferroid::id::ULID;
use svix_ksuid::KsuidLike as _;
use synod_idgen::codec::crockford;
use synod_idgen_compare::outcome;
use tsid::TSID;
use ulid::Ulid;

/// Over the largest id; a character too few; a letter that the alphabet leaves out.
const ULIDS: [&str; 3] =
    ["8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "7ZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FAU"];

fn main() {
    for text in ULIDS {
        println!("ulid 3.0.0: {text}: {}", read(Ulid::from_string(text)));
        println!("ferroid 2.0.0: {text}: {}", read(ULID::decode(text)));
        println!("synod-idgen: {text}: {}", outcome(synod_idgen::ulid::Ulid::decode(text)));
    }
    let text = "ZZZZZZZZZZZZZ";
    println!("tsid 0.3.4: {text}: {}", read(TSID::try_from(text)));
    println!("synod-idgen: {text}: {}", outcome(crockford::decode_u64(text)));
    let text = "aWgEPTl1tmebfsQzFP4bxwgy80W";
    println!("ksuid 0.2.0: {text}: {}", read(ksuid::Ksuid::from_base62(text).map(|it| it.to_base62())));
    println!(
        "svix-ksuid 0.10.0: {text}: {}",
        read(svix_ksuid::Ksuid::from_str(text).map(|it| it.to_base62()))
    );
    println!("synod-idgen: {text}: {}", outcome(synod_idgen::ksuid::Ksuid::decode(text)));
}

fn read<T: ToString, E>(outcome: Result<T, E>) -> String {
    outcome.map_or_else(|_| "refused".to_owned(), |id| format!("read as {}", id.to_string()))
}
