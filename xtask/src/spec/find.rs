//! The cfgs of the workspace: every `<member>/spec/**/*.cfg`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::cfg::Cfg;

/// A module under one cfg.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// Folder of the package, relative to the root.
    pub(super) member: String,
    pub(super) module: PathBuf,
    pub(super) cfg_path: PathBuf,
    pub(super) cfg: Cfg,
}

impl Model {
    /// Reads the cfg and finds its module: the one that it names, the one of its own name, the only one beside it, or of
    /// several the one named like the package's folder.
    ///
    /// # Errors
    /// When the cfg is refused, or the module is not there.
    pub(super) fn read(member: &str, cfg_path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(cfg_path)?;
        let cfg = Cfg::parse(&text)?;
        let module = match &cfg.module {
            Some(name) => cfg_path.with_file_name(format!("{name}.tla")),
            None => match cfg_path.with_extension("tla") {
                same if same.is_file() => same,
                _ => module_beside(member, cfg_path)?,
            },
        };
        ensure!(module.is_file(), "its module {} is not there", module.display());
        Ok(Self { member: member.to_owned(), module, cfg_path: cfg_path.to_owned(), cfg })
    }

    pub(super) fn module_name(&self) -> String {
        stem(&self.module)
    }

    pub(super) fn cfg_name(&self) -> String {
        stem(&self.cfg_path)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn module_beside(member: &str, cfg_path: &Path) -> Result<PathBuf> {
    let folder = cfg_path.parent().context("a cfg lies in a folder")?;
    let mut modules = with_extension(folder, "tla")?;
    modules.retain(|path| path.parent() == Some(folder));
    ensure!(!modules.is_empty(), "no module lies beside it");
    if modules.len() > 1 {
        let package = last_part(member);
        modules.retain(|path| stem(path).eq_ignore_ascii_case(package));
    }
    modules.pop().context("several modules lie beside it: name one with `\\* module: NAME`")
}

fn last_part(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

/// Every model of the workspace, or of one package, which is named by its folder, the last part of it, or its full name.
///
/// # Errors
/// When the package is unknown, or a cfg is refused.
pub(super) fn models(root: &Path, package: Option<&str>) -> Result<Vec<Model>> {
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let members = manifest.get("workspace").and_then(|it| it.get("members")).and_then(toml::Value::as_array);
    let members: Vec<&str> = members.context("no members")?.iter().filter_map(toml::Value::as_str).collect();
    let chosen: Vec<&str> =
        members.iter().copied().filter(|member| package.is_none_or(|name| is_called(member, name))).collect();
    ensure!(
        !chosen.is_empty(),
        "no package is called {}; there are: {}",
        package.unwrap_or("?"),
        members.join(", ")
    );
    let mut models = Vec::new();
    for member in chosen {
        let folder = root.join(member).join("spec");
        if !folder.is_dir() {
            continue;
        }
        for path in with_extension(&folder, "cfg")? {
            models.push(Model::read(member, &path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(models)
}

fn is_called(member: &str, name: &str) -> bool {
    let last = last_part(member);
    [member, last].contains(&name) || name.strip_prefix("synod-").is_some_and(|name| name == last)
}

/// The files of this kind in a folder and all below, sorted.
fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(with_extension(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort_by_cached_key(|path| path.with_extension(""));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of two packages, one with modules.
    fn workspace(files: &[(&str, &str)]) -> xshell::TempDir {
        let shell = xshell::Shell::new().expect("a shell");
        let folder = shell.create_temp_dir().expect("a folder");
        let members = "[workspace]\nmembers = [\"net\", \"net/sim\"]\n";
        for (path, text) in files.iter().chain(&[("Cargo.toml", members)]) {
            shell.write_file(folder.path().join(path), text).expect("written");
        }
        folder
    }

    const PASS: &str = "\\* expect: states 1\nINVARIANTS A\n";

    #[test]
    fn cfgs_are_found_in_every_depth_with_their_module() {
        let folder = workspace(&[
            ("net/sim/spec/deep/A.tla", ""),
            ("net/sim/spec/deep/two.cfg", PASS),
            ("net/sim/spec/deep/one.cfg", PASS),
            ("net/spec/A.tla", ""),
            ("net/spec/B.tla", ""),
            ("net/spec/B.cfg", PASS),
            ("net/spec/c.cfg", &format!("\\* module: A\n{PASS}")),
        ]);
        let names = |package| -> Vec<(String, String)> {
            let models = models(folder.path(), package).expect("good");
            models.iter().map(|it| (it.module_name(), it.cfg_name())).collect()
        };
        let pair = |module: &str, cfg: &str| (module.to_owned(), cfg.to_owned());
        let sim = [pair("A", "one"), pair("A", "two")];
        assert_eq!(names(None), [&[pair("B", "B"), pair("A", "c")][..], &sim].concat());
        assert_eq!(names(Some("sim")), sim);
        assert_eq!(names(Some("net/sim")), sim);
        assert_eq!(names(Some("synod-sim")), sim);
        assert!(models(folder.path(), Some("nets")).is_err());
    }

    #[test]
    fn of_several_modules_the_one_named_like_the_package_is_meant() {
        let files = [("net/spec/Net.tla", ""), ("net/spec/NetStep.tla", ""), ("net/spec/small.cfg", PASS)];
        let models = models(workspace(&files).path(), Some("net")).expect("good");
        assert_eq!(models.iter().map(Model::module_name).collect::<Vec<_>>(), ["Net"]);
    }

    #[test]
    fn a_cfg_that_cannot_be_checked_is_an_error_that_names_it() {
        for (files, reason) in [
            (&[("net/spec/A.tla", ""), ("net/spec/A.cfg", "INVARIANTS A\n")][..], "no expectation"),
            (&[("net/spec/A.tla", ""), ("net/spec/B.tla", ""), ("net/spec/c.cfg", PASS)], "several modules"),
            (&[("net/spec/c.cfg", "\\* module: A\n\\* expect: states 1\nINVARIANTS A\n")], "is not there"),
        ] {
            let error = models(workspace(files).path(), None).expect_err("refused");
            let error = format!("{error:#}");
            assert!(error.contains(reason) && error.contains(".cfg"), "{error}");
        }
    }
}
