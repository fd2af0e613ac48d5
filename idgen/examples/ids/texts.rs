//! Texts: UUID, ULID, KSUID.

use synod_idgen::codec::CodecError;
use synod_idgen::ksuid::Ksuid;
use synod_idgen::ulid::Ulid;
use synod_idgen::uuid::{Uuid, Variant};

use crate::finding::Finding;

/// What the text can be.
pub(crate) fn all(text: &str) -> Vec<Finding> {
    let uuid = parse(text).ok().map(uuid);
    let ulid = Ulid::decode_with_aliases(text).ok().map(ulid);
    let ksuid = Ksuid::decode(text).ok().map(ksuid);
    [uuid, ulid, ksuid].into_iter().flatten().collect()
}

/// Why a text of the length of one of them is none.
pub(crate) fn against(text: &str) -> Option<String> {
    let said = match text.chars().count() {
        36 | 32 | 38 | 45 => parse(text).err().map(|error| format!("not a UUID: {error}")),
        26 => Ulid::decode_with_aliases(text).err().map(|error| format!("not a ULID: {error}")),
        27 => Ksuid::decode(text).err().map(|error| format!("not a KSUID: {error}")),
        _ => None,
    };
    said.map(|said| format!("{said}."))
}

/// In each of the forms that a UUID is written in.
fn parse(text: &str) -> Result<Uuid, CodecError> {
    match text.len() {
        32 => Uuid::parse_simple(text),
        38 => Uuid::parse_braced(text),
        45 => Uuid::parse_urn(text),
        _ => Uuid::parse_hyphenated(text),
    }
}

fn uuid(id: Uuid) -> Finding {
    if id == Uuid::NIL || id == Uuid::MAX {
        return Finding::new(if id == Uuid::NIL { "The nil UUID" } else { "The max UUID" }, None);
    }
    let Some(version) = id.version() else {
        let variant = match id.variant() {
            Variant::Ncs => "NCS, before RFC 9562",
            Variant::Microsoft => "Microsoft",
            _ => "reserved",
        };
        return Finding::new("UUID", None)
            .with("variant", variant)
            .with("version", "none: the variant has none");
    };
    let meaning = match version {
        1 => "time and node",
        2 => "DCE security",
        3 => "name, by MD5",
        4 => "random",
        5 => "name, by SHA-1",
        6 => "time and node, sortable",
        7 => "Unix time and random bits",
        8 => "of its maker's own meaning",
        _ => "a version that nobody has given a meaning",
    };
    let found = Finding::new(format!("UUID, version {version}: {meaning}"), id.time());
    let bits = id.as_u128();
    let found = match version {
        1 | 6 => {
            let found = if id.time().is_none() { found.with("time", "before 1970") } else { found };
            let node = id.node().map(|it| it.to_bytes().map(|byte| format!("{byte:02x}")).join(":"));
            found
                .with("clock sequence", id.clock_sequence().unwrap_or_default())
                .with("node", node.unwrap_or_default())
        }
        7 => found
            .with(
                "rand_a",
                format!("{:03x}, a counter or a part of the millisecond for some", bits >> 64 & 0xfff),
            )
            .with("rand_b", format!("{:016x}", bits & (u128::MAX >> 66))),
        _ => found,
    };
    found.with("variant", "RFC 9562")
}

fn ulid(id: Ulid) -> Finding {
    Finding::new("ULID: 48 bits of milliseconds, 80 random", Some(id.time()))
        .with("random", format!("{:020x}", id.random()))
        .with("as a UUID", Uuid::from_u128(id.as_u128()))
}

fn ksuid(id: Ksuid) -> Finding {
    Finding::new("KSUID: 32 bits of seconds, 128 random", Some(id.time()))
        .with("payload", format!("{:032x}", id.payload()))
}
