//! New ids, a line each.

use std::fmt::Display;
use std::io::Write;

use synod_idgen::codec::crockford;
use synod_idgen::generator::Generator;
use synod_idgen::ksuid::Ksuid;
use synod_idgen::layout::{Id, Layout, Tsid};
use synod_idgen::node::NodeId;
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::UlidGenerator;
use synod_idgen::uuid::{TimeGenerator, TimeOptions, Uuid, V7Generator};
use synod_idgen::wall::System;

use crate::command::{Count, OfNode, OfVersion, Version, write};

/// Ids of a layout, in decimal.
pub(crate) fn numbers<L: Layout>(of: &OfNode, out: &mut dyn Write) -> Result<(), String> {
    of_layout::<L, _>(of, out, Id::as_u64)
}

/// TSIDs, in the text that their creators give them.
pub(crate) fn tsids(of: &OfNode, out: &mut dyn Write) -> Result<(), String> {
    of_layout::<Tsid, _>(of, out, |id| crockford::encode_u64(id.as_u64()))
}

fn of_layout<L: Layout, T: Display>(
    of: &OfNode,
    out: &mut dyn Write,
    show: impl Fn(Id<L>) -> T,
) -> Result<(), String> {
    let node = NodeId::<L>::new(of.node).map_err(|error| error.to_string())?;
    let generator = Generator::new(node, System).map_err(|error| error.to_string())?;
    lines(&of.count, out, || generator.next().map(&show))
}

/// UUIDs of a version.
pub(crate) fn uuids(of: &OfVersion, out: &mut dyn Write) -> Result<(), String> {
    let named = matches!(of.version, Version::V3 | Version::V5);
    match (&of.name, of.version) {
        (None, Version::V3 | Version::V5) => {
            Err("versions 3 and 5 are ids of a name: give --name".to_owned())
        }
        (Some(_), _) if !named => Err("--name is for versions 3 and 5".to_owned()),
        (Some(name), version) => write(out, format_args!("{}\n", of_name(name, version)?)).map(drop),
        (None, Version::V7) => {
            let generator = V7Generator::new();
            lines(&of.count, out, || generator.try_next())
        }
        (None, Version::V1 | Version::V6) => {
            let generator = TimeGenerator::new(System, &SystemRandom, TimeOptions::default())
                .map_err(|error| error.to_string())?;
            lines(&of.count, out, || match of.version {
                Version::V1 => generator.try_next_v1(),
                _ => generator.try_next_v6(),
            })
        }
        (None, _) => lines(&of.count, out, || Uuid::v4(&SystemRandom)),
    }
}

#[cfg(feature = "name-based")]
fn of_name(name: &str, version: Version) -> Result<Uuid, String> {
    use synod_idgen::uuid::namespace;
    Ok(match version {
        Version::V3 => Uuid::v3(namespace::URL, name.as_bytes()),
        _ => Uuid::v5(namespace::URL, name.as_bytes()),
    })
}

#[cfg(not(feature = "name-based"))]
fn of_name(_: &str, _: Version) -> Result<Uuid, String> {
    Err("versions 3 and 5 are behind a feature: cargo run with --features name-based".to_owned())
}

/// ULIDs, each greater than the one before.
pub(crate) fn ulids(count: &Count, out: &mut dyn Write) -> Result<(), String> {
    let generator = UlidGenerator::new();
    lines(count, out, || generator.try_next())
}

/// KSUIDs.
pub(crate) fn ksuids(count: &Count, out: &mut dyn Write) -> Result<(), String> {
    lines(count, out, || Ksuid::generate(&System, &SystemRandom))
}

/// As they are made, so that any number of them needs no memory, until nobody reads any more.
fn lines<T: Display, E: Display>(
    count: &Count,
    out: &mut dyn Write,
    mut next: impl FnMut() -> Result<T, E>,
) -> Result<(), String> {
    for _ in 0..count.count {
        let id = next().map_err(|error| error.to_string())?;
        if !write(out, format_args!("{id}\n"))? {
            break;
        }
    }
    Ok(())
}
