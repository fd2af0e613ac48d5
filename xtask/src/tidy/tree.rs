//! The tracked files of the workspace, read once, with what the rules ask of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use super::rust::RustFile;

/// A package of the workspace.
#[derive(Debug)]
pub(super) struct Package {
    /// Its folder relative to the root, without a slash at the end.
    pub(super) folder: String,
    /// Its name.
    pub(super) name: String,
    /// Path of its manifest.
    pub(super) manifest_path: String,
    /// Text of its manifest.
    pub(super) manifest_text: String,
    /// The manifest, parsed.
    pub(super) manifest: toml::Table,
}

impl Package {
    fn parse(path: &str, text: &str) -> anyhow::Result<Option<Self>> {
        let manifest: toml::Table = text.parse().with_context(|| path.to_owned())?;
        let Some(name) = manifest.get("package").and_then(|it| it.get("name")).and_then(toml::Value::as_str)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            folder: path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            manifest_path: path.to_owned(),
            manifest_text: text.to_owned(),
            manifest,
        }))
    }

    /// Whether it is meant for a registry.
    pub(super) fn is_published(&self) -> bool {
        self.manifest.get("package").and_then(|it| it.get("publish")).and_then(toml::Value::as_bool)
            != Some(false)
    }

    /// What it needs to be built: names of packages, renamed ones by their true name, with the line each stands on.
    /// Dependencies of tests are left out.
    pub(super) fn dependencies(&self) -> Vec<(String, usize)> {
        let mut tables = vec![&self.manifest];
        let targets = self.manifest.get("target").and_then(toml::Value::as_table);
        tables.extend(targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table));
        let mut found = Vec::new();
        for table in tables {
            for kind in ["dependencies", "build-dependencies"] {
                let Some(listed) = table.get(kind).and_then(toml::Value::as_table) else { continue };
                for (key, value) in listed {
                    let name = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
                    found.push((name.to_owned(), self.line_of(key)));
                }
            }
        }
        found
    }

    /// The first line that starts with this key; 1 when none does.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let starts = |line: &str| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '=', '.', ']']))
        };
        self.manifest_text.lines().position(starts).map_or(1, |at| at + 1)
    }
}

/// Every file that a rule may look at.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Text of each file by its path relative to the root, with forward slashes.
    pub(super) files: BTreeMap<String, String>,
    /// Paths of all files, those that are not text included.
    pub(super) paths: BTreeSet<String>,
    /// The packages, in order of their folders.
    pub(super) packages: Vec<Package>,
    /// Members that the root manifest names.
    pub(super) members: Vec<String>,
    /// The Rust sources.
    pub(super) rust: Vec<RustFile>,
}

impl Tree {
    /// Reads what git tracks below `root`, and what it would track: new files that are not ignored.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(root);
        let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard -z").quiet().read()?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            match std::fs::read(root.join(path)) {
                Ok(bytes) => files.push((path.to_owned(), String::from_utf8(bytes).ok())),
                // Deleted, and the deletion is not committed yet.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| path.to_owned()),
            }
        }
        Self::of(files)
    }

    /// A tree of these files; no text stands for a file that is not text.
    pub(super) fn of(files: impl IntoIterator<Item = (String, Option<String>)>) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.paths.insert(path.clone());
            if let Some(text) = text {
                tree.files.insert(path, text);
            }
        }
        for (path, text) in &tree.files {
            if path == "Cargo.toml" {
                tree.members = members(text).context("Cargo.toml")?;
            }
            if path == "Cargo.toml" || path.ends_with("/Cargo.toml") {
                tree.packages.extend(Package::parse(path, text)?);
            }
        }
        for (path, text) in &tree.files {
            if path.ends_with(".rs") {
                tree.rust.push(RustFile::parse(path, text));
            }
        }
        super::rust::spread_test_modules(&mut tree.rust);
        Ok(tree)
    }

    /// The package that a file belongs to: the one whose folder is the nearest above it.
    pub(super) fn package_of(&self, path: &str) -> Option<&Package> {
        let above = |package: &&Package| {
            package.folder.is_empty()
                || path.strip_prefix(&package.folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.packages.iter().filter(above).max_by_key(|package| package.folder.len())
    }

    /// Rust files below `src` of a package that is meant for a registry.
    pub(super) fn library_sources(&self) -> impl Iterator<Item = &RustFile> {
        self.rust.iter().filter(|file| {
            self.package_of(&file.path).is_some_and(|package| {
                package.is_published() && file.path.starts_with(&format!("{}/src/", package.folder))
            })
        })
    }
}

fn members(root_manifest: &str) -> anyhow::Result<Vec<String>> {
    let manifest: toml::Table = root_manifest.parse()?;
    let listed = manifest.get("workspace").and_then(|it| it.get("members")).and_then(toml::Value::as_array);
    Ok(listed.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::tree;

    #[test]
    fn a_file_belongs_to_the_nearest_package() {
        let tree = tree(&[
            ("raft/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("raft/check/Cargo.toml", "[package]\nname = \"b\"\npublish = false\n"),
            ("raft/src/lib.rs", ""),
            ("raft/check/src/lib.rs", ""),
            ("rafter.rs", ""),
        ]);
        let name = |path| tree.package_of(path).map(|it| it.name.clone());
        assert_eq!(name("raft/src/lib.rs").as_deref(), Some("a"));
        assert_eq!(name("raft/check/src/lib.rs").as_deref(), Some("b"));
        assert_eq!(name("rafter.rs"), None);
        assert_eq!(
            tree.library_sources().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["raft/src/lib.rs"]
        );
    }

    #[test]
    fn renamed_optional_and_platform_dependencies_are_seen_and_those_of_tests_are_not() {
        let tree = tree(&[(
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nother = { package = \"true-name\", version = \"1\" }\n\
             [target.'cfg(unix)'.dependencies]\nunixy = \"1\"\n[build-dependencies]\nbuilder = \"1\"\n\
             [dev-dependencies]\ntester = \"1\"\n",
        )]);
        let found: Vec<_> = tree.packages.iter().flat_map(super::Package::dependencies).collect();
        let expected =
            [("true-name", 4), ("builder", 8), ("unixy", 6)].map(|(name, line)| (name.to_owned(), line));
        assert_eq!(found, expected);
    }
}
