//! The ban list, with what to use instead.

use super::Findings;
use super::tree::Tree;

const RULE: &str = "banned";

/// Packages that none of ours may name, in tests neither.
const PACKAGES: &[(&str, &str)] = &[
    ("async-std", "use tokio in drivers"),
    ("atty", "use `std::io::IsTerminal`"),
    ("bincode", "it is no longer maintained: use `synod_transport::wire`"),
    ("chrono", "use jiff"),
    ("failure", "use thiserror, and anyhow in programs"),
    ("fs2", "use `std::fs::File::lock`"),
    ("lazy_static", "use `std::sync::LazyLock`"),
    ("num_cpus", "use `std::thread::available_parallelism`"),
    ("once_cell", "use `std::sync::OnceLock` or `LazyLock`"),
    ("openssl", "use rustls"),
    ("protobuf", "use `synod_transport::wire`"),
    ("serde_cbor", "use `synod_transport::wire`"),
    ("serde_yaml", "it is no longer maintained: use toml"),
    ("sled", "use synod-wal"),
    ("structopt", "use clap"),
    ("tempdir", "use tempfile"),
    ("time", "use jiff"),
];

/// Packages that a published crate of ours does not need: they would reach its callers.
const PACKAGES_OF_LIBRARIES: &[(&str, &str)] = &[
    ("anyhow", "give callers an error enum with thiserror"),
    ("getrandom", "take a seed"),
    ("rand", "take a seed, and draw from `synod_transport::rng::Rng`"),
];

/// What a manifest may name all the same, since it is what the crate is there for.
const EDGES: &[(&str, &str)] = &[
    // Ids that nobody guesses; those who want a seed give one.
    ("idgen/Cargo.toml", "getrandom"),
];

/// What no source holds.
const EVERYWHERE: &[(&str, &str)] = &[
    ("todo!", "write it, or leave the feature out"),
    ("unimplemented!", "write it, or return a typed error"),
    ("dbg!", "remove it, or record a trace event"),
    ("#[ignore", "make the test quick enough to run, or delete it"),
    ("unsafe", "find the safe way, or a crate that has one"),
    ("lazy_static!", "use `std::sync::LazyLock`"),
];

/// What no test holds.
const TESTS: &[(&str, &str)] = &[
    ("thread::sleep", "wait for the event itself"),
    ("time::sleep", "wait for the event itself, with a time-out around it"),
];

/// What the sources of a published crate do not hold outside of tests.
const LIBRARIES: &[(&str, &str)] = &[
    (".unwrap()", "return a typed error"),
    (".expect(", "return a typed error"),
    (".unwrap_err()", "match on it"),
    (".expect_err(", "match on it"),
    ("panic!", "return a typed error, or `Fatal` for a broken invariant"),
    ("unreachable!", "return `Fatal`"),
    ("process::exit", "return an error"),
    ("println!", "use tracing, or record a trace event"),
    ("eprintln!", "use tracing, or record a trace event"),
];

/// Folders whose sources are test kits: they may panic, since that is how a check fails.
const KITS: &[&str] = &["transport/src/testing"];

pub(super) fn check_packages(tree: &Tree, findings: &mut Findings) {
    for package in &tree.packages {
        let at = |line| (package.manifest_path.as_str(), line);
        let dev = package.manifest.get("dev-dependencies").and_then(toml::Value::as_table);
        let of_tests = dev.into_iter().flatten().map(|(key, _)| (key.clone(), package.line_of(key)));
        for (name, line) in package.dependencies().into_iter().chain(of_tests) {
            if let Some((_, instead)) = PACKAGES.iter().find(|(banned, _)| *banned == name) {
                findings.add(RULE, at(line), format!("the package {name}"), *instead);
            }
        }
        let is_edge = |name: &str| EDGES.contains(&(package.manifest_path.as_str(), name));
        let of_library = package.dependencies().into_iter().filter(|_| package.is_published());
        for (name, line) in of_library.filter(|(name, _)| !is_edge(name)) {
            if let Some((_, instead)) = PACKAGES_OF_LIBRARIES.iter().find(|(banned, _)| *banned == name) {
                findings.add(RULE, at(line), format!("the package {name} in a library"), *instead);
            }
        }
    }
}

pub(super) fn check_sources(tree: &Tree, findings: &mut Findings) {
    for file in &tree.rust {
        for (pattern, instead) in EVERYWHERE {
            for line in file.find(pattern) {
                findings.add(RULE, (&file.path, line), format!("`{pattern}`"), *instead);
            }
        }
        for (pattern, instead) in TESTS {
            for line in file.find(pattern).into_iter().filter(|line| file.is_test(*line)) {
                findings.add(RULE, (&file.path, line), format!("`{pattern}` in a test"), *instead);
            }
        }
    }
    for file in tree.library_sources().filter(|file| !KITS.iter().any(|kit| file.path.starts_with(kit))) {
        for (pattern, instead) in LIBRARIES {
            for line in file.find(pattern).into_iter().filter(|line| !file.is_test(*line)) {
                findings.add(RULE, (&file.path, line), format!("`{pattern}` in a library"), *instead);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::findings;

    const LIBRARY: (&str, &str) = ("a/Cargo.toml", "[package]\nname = \"a\"\n");
    const TOOL: (&str, &str) = ("b/Cargo.toml", "[package]\nname = \"b\"\npublish = false\n");

    #[test]
    fn banned_packages_are_found_under_any_table_and_name() {
        let text = "[package]\nname = \"a\"\n[dependencies]\ncodec = { package = \"bincode\", version = \"1\" }\n\
                    rand = \"0.9\"\n[dev-dependencies]\nlazy_static = \"1\"\nrand_core = \"1\"\n";
        let expected = [
            "a/Cargo.toml:4: the package bincode",
            "a/Cargo.toml:5: the package rand in a library",
            "a/Cargo.toml:7: the package lazy_static",
        ];
        assert_eq!(findings(super::check_packages, &[("a/Cargo.toml", text)]), expected);
    }

    #[test]
    fn a_tool_may_use_what_a_library_may_not() {
        let tool =
            "[package]\nname = \"b\"\npublish = false\n[dependencies]\nanyhow = \"1\"\nrand = \"0.9\"\n";
        assert_eq!(findings(super::check_packages, &[("b/Cargo.toml", tool)]), Vec::<String>::new());
    }

    #[test]
    fn an_edge_may_name_what_it_is_there_for_and_no_more() {
        let text = "[package]\nname = \"a\"\n[dependencies]\ngetrandom = \"0.4\"\nrand = \"0.9\"\n";
        let expected = [
            "idgen/Cargo.toml:5: the package rand in a library",
            "raft/Cargo.toml:4: the package getrandom in a library",
            "raft/Cargo.toml:5: the package rand in a library",
        ];
        let files = [("idgen/Cargo.toml", text), ("raft/Cargo.toml", text)];
        assert_eq!(findings(super::check_packages, &files), expected);
    }

    #[test]
    fn what_is_banned_everywhere_is_found_in_tests_too() {
        let text = "#[test]\n#[ignore]\nfn f() { todo!() }\nfn g() { unsafe { dbg!(1); } }\nfn h() { unimplemented!() }\n";
        let expected = [
            "b/tests/t.rs:2: `#[ignore`",
            "b/tests/t.rs:3: `todo!`",
            "b/tests/t.rs:4: `dbg!`",
            "b/tests/t.rs:4: `unsafe`",
            "b/tests/t.rs:5: `unimplemented!`",
        ];
        assert_eq!(findings(super::check_sources, &[TOOL, ("b/tests/t.rs", text)]), expected);
    }

    #[test]
    fn a_sleep_is_found_in_tests_alone() {
        let text =
            "fn f() { std::thread::sleep(d); }\n#[cfg(test)]\nmod tests {\n  use tokio::time::sleep;\n}\n";
        assert_eq!(
            findings(super::check_sources, &[LIBRARY, ("a/src/x.rs", text)]),
            ["a/src/x.rs:4: `time::sleep` in a test"]
        );
    }

    #[test]
    fn a_library_does_not_panic_but_its_tests_and_tools_do() {
        let text = "/// ```\n/// f().unwrap();\n/// ```\nfn f() { g().unwrap(); h().expect(\"x\"); panic!(\"no\"); }\n\
                    fn ok() { g().unwrap_or_default(); }\n#[cfg(test)]\nmod tests {\n  fn t() { f().unwrap(); }\n}\n";
        let files = [LIBRARY, TOOL, ("a/src/x.rs", text), ("b/src/main.rs", text), ("a/tests/t.rs", text)];
        let expected = [
            "a/src/x.rs:4: `.expect(` in a library",
            "a/src/x.rs:4: `.unwrap()` in a library",
            "a/src/x.rs:4: `panic!` in a library",
        ];
        assert_eq!(findings(super::check_sources, &files), expected);
    }
}
