//! The dependency law: a protocol needs, of this workspace, the seams alone; an adapter never needs a protocol.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use super::Findings;
use super::tree::{Package, Tree};

const RULE: &str = "dependency law";

/// Folders of protocols: pure machines and plain values.
pub(super) const PROTOCOLS: &[&str] = &["clock", "idgen", "lease", "raft", "paxos", "membership"];

/// Folders of drivers and adapters.
const ADAPTERS: &[&str] = &["transport/sim", "transport/wal", "transport/tcp", "transport/node"];

const SEAMS: &str = "synod-transport";

/// Runtimes, which no protocol may need.
const RUNTIMES: &[&str] = &["tokio", "tokio-util", "tokio-stream", "async-std", "smol", "mio", "futures"];

/// A protocol must build from fewer packages than this, itself included.
const MOST_PACKAGES: usize = 30;

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let own: BTreeSet<&str> = tree.packages.iter().map(|it| it.name.as_str()).collect();
    let protocols: BTreeSet<&str> = protocols(tree).map(|it| it.name.as_str()).collect();
    for package in &tree.packages {
        let folder = package.folder.as_str();
        for (name, line) in package.dependencies() {
            let name = name.as_str();
            let at = (package.manifest_path.as_str(), line);
            let pure = PROTOCOLS.contains(&folder) || folder == "transport";
            if pure && own.contains(name) && (name != SEAMS || folder == "transport") {
                let message = format!("{} depends on {name}", package.name);
                findings.add(
                    RULE,
                    at,
                    message,
                    format!("put what both need into {SEAMS}, or use it in tests only"),
                );
            }
            if pure && RUNTIMES.contains(&name) {
                let message = format!("{} depends on the runtime {name}", package.name);
                findings.add(RULE, at, message, "step on inputs, and leave waiting to a driver");
            }
            if ADAPTERS.contains(&folder) && protocols.contains(name) {
                let message = format!("the adapter {} depends on the protocol {name}", package.name);
                findings.add(RULE, at, message, format!("depend on the traits of {SEAMS}"));
            }
        }
    }
}

/// Counts what a protocol builds from, by asking cargo.
pub(super) fn check_weight(root: &Path, tree: &Tree, findings: &mut Findings) -> anyhow::Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(root);
    let format = "{p}";
    for package in protocols(tree) {
        let name = &package.name;
        let listed =
            cmd!(shell, "cargo tree --package {name} --edges normal --prefix none --format {format}")
                .quiet()
                .read()
                .with_context(|| format!("the dependencies of {name} could not be listed"))?;
        check_listing(package, &listed, findings);
    }
    Ok(())
}

fn check_listing(package: &Package, listed: &str, findings: &mut Findings) {
    let packages: BTreeSet<&str> = listed.lines().filter(|line| !line.trim().is_empty()).collect();
    if packages.len() >= MOST_PACKAGES {
        let message = format!("{} builds from {} packages, itself included", package.name, packages.len());
        let instead = format!("stay below {MOST_PACKAGES}: make the heavy one optional or do without");
        findings.add(RULE, (&package.manifest_path, package.line_of("[dependencies")), message, instead);
    }
}

fn protocols(tree: &Tree) -> impl Iterator<Item = &Package> {
    tree.packages.iter().filter(|it| PROTOCOLS.contains(&it.folder.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::testing::{findings, tree};

    fn manifest(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}")
    }

    #[test]
    fn a_protocol_needs_the_seams_alone() {
        let raft = manifest("synod-raft", "synod-transport = \"1\"\nthiserror = \"2\"\n");
        let bad = manifest(
            "synod-lease",
            "synod-transport = \"1\"\nsynod-raft = \"1\"\nrt = { package = \"tokio\" }\n",
        );
        let seams = manifest("synod-transport", "bytes = \"1\"\n");
        let found = findings(
            check,
            &[("raft/Cargo.toml", &raft), ("lease/Cargo.toml", &bad), ("transport/Cargo.toml", &seams)],
        );
        assert_eq!(
            found,
            [
                "lease/Cargo.toml:5: synod-lease depends on synod-raft",
                "lease/Cargo.toml:6: synod-lease depends on the runtime tokio"
            ]
        );
    }

    #[test]
    fn an_adapter_may_need_a_runtime_and_protocols_in_tests_but_no_protocol() {
        let raft = manifest("synod-raft", "");
        let wal = manifest("synod-wal", "synod-raft = \"1\"\n");
        let tcp = manifest("synod-tcp", "tokio = \"1\"\n[dev-dependencies]\nsynod-raft = \"1\"\n");
        let found = findings(
            check,
            &[
                ("raft/Cargo.toml", &raft),
                ("transport/wal/Cargo.toml", &wal),
                ("transport/tcp/Cargo.toml", &tcp),
            ],
        );
        assert_eq!(
            found,
            ["transport/wal/Cargo.toml:4: the adapter synod-wal depends on the protocol synod-raft"]
        );
    }

    #[test]
    fn the_seams_need_nobody_of_this_workspace() {
        let raft = manifest("synod-raft", "");
        let seams = manifest("synod-transport", "synod-raft = \"1\"\n");
        let found = findings(check, &[("raft/Cargo.toml", &raft), ("transport/Cargo.toml", &seams)]);
        assert_eq!(found, ["transport/Cargo.toml:4: synod-transport depends on synod-raft"]);
    }

    #[test]
    fn a_heavy_protocol_is_found() {
        let tree = tree(&[("raft/Cargo.toml", &manifest("synod-raft", ""))]);
        let listing =
            |count: usize| (0..count).map(|it| format!("p{it} v1\np0 v1 (*)\n")).collect::<String>();
        let found = |count| {
            let mut findings = Findings::default();
            let package = tree.packages.first().expect("one");
            check_listing(package, &listing(count).replace(" (*)", ""), &mut findings);
            findings.0.len()
        };
        assert_eq!((found(29), found(30)), (0, 1));
    }
}
