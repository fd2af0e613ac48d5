//! `cargo xtask tidy`: the laws of the workspace that a program can check, one file per rule.
//!
//! Each rule looks at the [`Tree`] of tracked files and reports [`Finding`]s; each has a planted offender and a clean
//! sample in its tests.

mod banned;
mod dependencies;
mod lengths;
mod manifests;
mod paths;
mod purity;
mod rust;
#[cfg(test)]
mod testing;
mod tree;

use std::fmt;

use crate::Verdict;
use tree::Tree;

/// Nothing to choose: every rule is checked.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    /// What is wrong.
    message: String,
    /// What to do about it.
    instead: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, message, instead } = self;
        write!(f, "{path}:{line}: {rule}: {message}; {instead}")
    }
}

/// Collects what the rules find.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        rule: &'static str,
        (path, line): (&str, usize),
        message: impl Into<String>,
        instead: impl Into<String>,
    ) {
        let (path, message, instead) = (path.to_owned(), message.into(), instead.into());
        self.0.push(Finding { path, line, rule, message, instead });
    }
}

type Rule = fn(&Tree, &mut Findings);

/// Rules that look at nothing but the files.
const RULES: &[Rule] = &[
    dependencies::check,
    manifests::check,
    purity::check,
    banned::check_packages,
    banned::check_sources,
    lengths::check,
    paths::check,
];

pub(crate) fn run(_: &Args) -> anyhow::Result<Verdict> {
    let root = crate::workspace_root()?;
    let tree = Tree::read(&root)?;
    let mut findings = Findings::default();
    for rule in RULES {
        rule(&tree, &mut findings);
    }
    dependencies::check_weight(&root, &tree, &mut findings)?;
    let mut findings = findings.0;
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, {} packages, nothing found", tree.paths.len(), tree.packages.len());
        return Ok(Verdict::Holds);
    }
    println!("tidy: {} findings in {} files; again with: cargo xtask tidy", findings.len(), tree.paths.len());
    Ok(Verdict::Broken)
}
