//! Every package is part of the workspace, inherits its lints, and says what it is to those who find it alone.

use super::Findings;
use super::tree::{Package, Tree};

const RULE: &str = "manifest";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for package in &tree.packages {
        check_package(tree, package, findings);
    }
    for member in &tree.members {
        if !tree.packages.iter().any(|package| package.folder == *member) {
            findings.add(
                RULE,
                ("Cargo.toml", 1),
                format!("member {member} is not there"),
                "remove it from the list",
            );
        }
    }
    check_root(tree, findings);
}

fn check_package(tree: &Tree, package: &Package, findings: &mut Findings) {
    // The fuzzers want another compiler: a workspace of their own answers to nobody here.
    if package.manifest.contains_key("workspace") && !package.folder.is_empty() {
        return;
    }
    let at = |key| (package.manifest_path.as_str(), package.line_of(key));
    let name = &package.name;
    if !tree.members.contains(&package.folder) {
        findings.add(
            RULE,
            at("[package"),
            format!("{name} is not a member"),
            "list it in the root Cargo.toml",
        );
    }
    let inherits =
        package.manifest.get("lints").and_then(|it| it.get("workspace")).and_then(toml::Value::as_bool);
    if inherits != Some(true) {
        let instead = "write `workspace = true` under `[lints]`";
        findings.add(RULE, at("[lints"), format!("{name} does not inherit the workspace's lints"), instead);
    }
    if !package.is_published() {
        return;
    }
    for needed in ["README.md", "CHANGELOG.md"] {
        if !tree.paths.contains(&format!("{}/{needed}", package.folder)) {
            findings.add(
                RULE,
                at("name"),
                format!("{name} has no {needed}"),
                "write one, or say `publish = false`",
            );
        }
    }
    let about = package.manifest.get("package");
    for field in ["description", "license", "rust-version", "edition"] {
        if about.and_then(|it| it.get(field)).is_none() {
            let instead = format!("write it, or `{field}.workspace = true`");
            findings.add(RULE, at("[package"), format!("{name} has no {field}"), instead);
        }
    }
}

/// The root forbids what lints can forbid.
fn check_root(tree: &Tree, findings: &mut Findings) {
    let Some(root) = tree.files.get("Cargo.toml").and_then(|text| text.parse::<toml::Table>().ok()) else {
        return;
    };
    let lints = root.get("workspace").and_then(|it| it.get("lints")).and_then(|it| it.get("rust"));
    for (lint, level) in [("unsafe_code", "forbid"), ("missing_docs", "deny")] {
        if lints.and_then(|it| it.get(lint)).and_then(toml::Value::as_str) != Some(level) {
            findings.add(
                RULE,
                ("Cargo.toml", 1),
                format!("the lint {lint} is not set to {level}"),
                "set it again",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::findings;

    const ROOT: &str = "[workspace]\nmembers = [\"a\"]\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\
                        missing_docs = \"deny\"\n";
    const GOOD: &str = "[package]\nname = \"a\"\ndescription = \"A\"\nlicense.workspace = true\n\
                        rust-version.workspace = true\nedition.workspace = true\n[lints]\nworkspace = true\n";

    #[test]
    fn a_whole_package_passes() {
        let files =
            [("Cargo.toml", ROOT), ("a/Cargo.toml", GOOD), ("a/README.md", ""), ("a/CHANGELOG.md", "")];
        assert_eq!(findings(super::check, &files), Vec::<String>::new());
    }

    #[test]
    fn a_workspace_of_its_own_is_left_alone() {
        let own = "[package]\nname = \"fuzz\"\n[workspace]\n";
        let root = "[workspace]\nmembers = []\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n\
                    missing_docs = \"deny\"\n";
        assert_eq!(
            findings(super::check, &[("Cargo.toml", root), ("fuzz/Cargo.toml", own)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_a_package_lacks_is_named() {
        let bare = "[package]\nname = \"b\"\n";
        let found =
            findings(super::check, &[("Cargo.toml", ROOT), ("b/Cargo.toml", bare), ("b/README.md", "")]);
        let expected = [
            "Cargo.toml:1: member a is not there",
            "b/Cargo.toml:1: b does not inherit the workspace's lints",
            "b/Cargo.toml:1: b has no description",
            "b/Cargo.toml:1: b has no edition",
            "b/Cargo.toml:1: b has no license",
            "b/Cargo.toml:1: b has no rust-version",
            "b/Cargo.toml:1: b is not a member",
            "b/Cargo.toml:2: b has no CHANGELOG.md",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_package_that_is_not_published_needs_no_papers() {
        let tool = "[package]\nname = \"a\"\npublish = false\n[lints]\nworkspace = true\n";
        assert_eq!(
            findings(super::check, &[("Cargo.toml", ROOT), ("a/Cargo.toml", tool)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_loosened_root_is_found() {
        let loose = ROOT.replace("forbid", "warn");
        let found = findings(
            super::check,
            &[("Cargo.toml", &loose), ("a/Cargo.toml", GOOD), ("a/README.md", ""), ("a/CHANGELOG.md", "")],
        );
        assert_eq!(found, ["Cargo.toml:1: the lint unsafe_code is not set to forbid"]);
    }
}
