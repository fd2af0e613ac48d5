//! Small trees for the tests of rules.

use super::{Findings, Rule, tree::Tree};

/// A tree of these files.
pub(super) fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::of(files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))))
        .expect("manifests in tests can be read")
}

/// What a rule finds in these files, as `path:line: message`, sorted.
pub(super) fn findings(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let mut found = Findings::default();
    rule(&tree(files), &mut found);
    let mut lines: Vec<String> =
        found.0.iter().map(|it| format!("{}:{}: {}", it.path, it.line, it.message)).collect();
    lines.sort();
    lines
}
