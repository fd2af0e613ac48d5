//! Nothing in the tree knows the machine it was written on.

use super::Findings;
use super::tree::Tree;

const RULE: &str = "machine path";

/// First parts of paths that exist on somebody's machine only.
const ROOTS: &[&str] = &["work", "root", "farm", "home", "Users"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in &tree.files {
        for (at, line) in text.lines().enumerate() {
            if let Some(root) = machine_root(line) {
                let message = format!("a path below `/{root}` of one machine");
                findings.add(
                    RULE,
                    (path, at + 1),
                    message,
                    "write it relative to the workspace, or ask for a temporary folder",
                );
            }
        }
    }
}

fn machine_root(line: &str) -> Option<&'static str> {
    ROOTS.iter().copied().find(|root| {
        line.match_indices(&format!("/{root}/")).any(|(at, _)| {
            let before = line.get(..at).and_then(|it| it.chars().next_back());
            !before.is_some_and(|it| {
                it.is_ascii_alphanumeric() || matches!(it, '/' | '.' | '_' | '-' | '}' | ')')
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::findings;

    #[test]
    fn a_machine_path_is_found_in_any_file() {
        // Put together here, so that this file passes its own rule.
        let line = |root: &str| format!("first\ncd /{root}/me/synod\n");
        for root in super::ROOTS {
            let expected = [format!("notes.md:2: a path below `/{root}` of one machine")];
            assert_eq!(findings(super::check, &[("notes.md", &line(root))]), expected);
        }
    }

    #[test]
    fn relative_paths_and_addresses_pass() {
        let slash = "/";
        let text = format!(
            "../work{slash}x\nhttps://example.org{slash}root{slash}x\n$CARGO_HOME{slash}bin\nhomework{slash}x\n/tmp\n"
        );
        assert_eq!(findings(super::check, &[("notes.md", &text)]), Vec::<String>::new());
    }
}
