//! Files and functions that fit into one's head.

use super::Findings;
use super::tree::Tree;

const RULE: &str = "length";

/// Most lines of a Rust file, tests included.
const FILE: usize = 600;
/// Most lines of a function, from its signature to its closing brace.
const FUNCTION: usize = 70;
/// Most lines of a crate's `lib.rs`: it is a door, not a room.
const DOOR: usize = 120;

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for file in &tree.rust {
        let path = file.path.as_str();
        if let Some((line, error)) = &file.error {
            findings.add("parse", (path, *line), error.clone(), "mend it");
        }
        if file.line_count > FILE {
            let message = format!("{} lines are over the {FILE} of a file", file.line_count);
            findings.add(RULE, (path, FILE + 1), message, "split it by what it is about");
        }
        if path.ends_with("src/lib.rs") && file.line_count > DOOR {
            let message = format!("{} lines are over the {DOOR} of a lib.rs", file.line_count);
            findings.add(
                RULE,
                (path, DOOR + 1),
                message,
                "keep what the crate is, an example and the modules",
            );
        }
        for function in &file.functions {
            let count = function.lines.clone().count();
            if count > FUNCTION {
                let message =
                    format!("{count} lines of `{}` are over the {FUNCTION} of a function", function.name);
                findings.add(RULE, (path, *function.lines.start()), message, "name its steps");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::findings;

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn the_longest_that_pass() {
        let file = "// line\n".repeat(600);
        let door = "//! line\n".repeat(120);
        let files = [("a/src/b.rs", file.as_str()), ("a/src/lib.rs", &door), ("a/tests/c.rs", &function(70))];
        assert_eq!(findings(super::check, &files), Vec::<String>::new());
    }

    #[test]
    fn one_line_more_is_found() {
        let file = "// line\n".repeat(601);
        let door = "//! line\n".repeat(121);
        let files =
            [("a/tests/b.rs", file.as_str()), ("a/src/lib.rs", &door), ("a/tests/c.rs", &function(71))];
        let expected = [
            "a/src/lib.rs:121: 121 lines are over the 120 of a lib.rs",
            "a/tests/b.rs:601: 601 lines are over the 600 of a file",
            "a/tests/c.rs:1: 71 lines of `long` are over the 70 of a function",
        ];
        assert_eq!(findings(super::check, &files), expected);
    }

    #[test]
    fn a_file_that_cannot_be_parsed_is_reported_and_not_passed_over() {
        assert_eq!(findings(super::check, &[("a/src/b.rs", "fn f( {\n")]).len(), 1);
    }
}
