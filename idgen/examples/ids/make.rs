//! New ids, a line each.

use std::fmt::{Display, Write as _};

use synod_idgen::codec::crockford;
use synod_idgen::generator::Generator;
use synod_idgen::ksuid::Ksuid;
use synod_idgen::layout::{Id, Layout, Tsid};
use synod_idgen::node::NodeId;
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::UlidGenerator;
use synod_idgen::uuid::{TimeGenerator, TimeOptions, Uuid, V7Generator};
use synod_idgen::wall::System;

use crate::command::{Count, OfNode, OfVersion, Version};

/// Ids of a layout, in decimal.
pub(crate) fn numbers<L: Layout>(of: &OfNode) -> Result<String, String> {
    of_layout::<L, _>(of, Id::as_u64)
}

/// TSIDs, in the text that their creators give them.
pub(crate) fn tsids(of: &OfNode) -> Result<String, String> {
    of_layout::<Tsid, _>(of, |id| crockford::encode_u64(id.as_u64()))
}

fn of_layout<L: Layout, T: Display>(of: &OfNode, show: impl Fn(Id<L>) -> T) -> Result<String, String> {
    let node = NodeId::<L>::new(of.node).map_err(|error| error.to_string())?;
    let generator = Generator::new(node, System).map_err(|error| error.to_string())?;
    lines(&of.count, || generator.next().map(&show))
}

/// UUIDs of a version.
pub(crate) fn uuids(of: &OfVersion) -> Result<String, String> {
    let named = matches!(of.version, Version::V3 | Version::V5);
    match (&of.name, of.version) {
        (None, Version::V3 | Version::V5) => {
            Err("versions 3 and 5 are ids of a name: give --name".to_owned())
        }
        (Some(_), _) if !named => Err("--name is for versions 3 and 5".to_owned()),
        (Some(name), version) => of_name(name, version),
        (None, Version::V7) => {
            let generator = V7Generator::new();
            lines(&of.count, || generator.try_next())
        }
        (None, Version::V1 | Version::V6) => {
            let generator = TimeGenerator::new(System, &SystemRandom, TimeOptions::default())
                .map_err(|error| error.to_string())?;
            lines(&of.count, || match of.version {
                Version::V1 => generator.try_next_v1(),
                _ => generator.try_next_v6(),
            })
        }
        (None, _) => lines(&of.count, || Uuid::v4(&SystemRandom)),
    }
}

#[cfg(feature = "name-based")]
fn of_name(name: &str, version: Version) -> Result<String, String> {
    use synod_idgen::uuid::namespace;
    let id = match version {
        Version::V3 => Uuid::v3(namespace::URL, name.as_bytes()),
        _ => Uuid::v5(namespace::URL, name.as_bytes()),
    };
    Ok(format!("{id}\n"))
}

#[cfg(not(feature = "name-based"))]
fn of_name(_: &str, _: Version) -> Result<String, String> {
    Err("versions 3 and 5 are behind a feature: cargo run with --features name-based".to_owned())
}

/// ULIDs, each greater than the one before.
pub(crate) fn ulids(count: &Count) -> Result<String, String> {
    let generator = UlidGenerator::new();
    lines(count, || generator.try_next())
}

/// KSUIDs.
pub(crate) fn ksuids(count: &Count) -> Result<String, String> {
    lines(count, || Ksuid::generate(&System, &SystemRandom))
}

fn lines<T: Display, E: Display>(
    count: &Count,
    mut next: impl FnMut() -> Result<T, E>,
) -> Result<String, String> {
    let mut text = String::new();
    for _ in 0..count.count {
        let id = next().map_err(|error| error.to_string())?;
        let _ = writeln!(text, "{id}");
    }
    Ok(text)
}
