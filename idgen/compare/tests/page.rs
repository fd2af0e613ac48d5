//! Runs every program and holds what it prints against the page, so that the page says what the pinned versions do today.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The command by which the page runs a program.
const COMMAND: &str = "$ cargo run -q -p synod-idgen-compare --bin ";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn page() -> String {
    std::fs::read_to_string(folder().join("../../docs/compare-idgen.md")).expect("the page")
}

/// What the page says that the program prints.
fn told(program: &str) -> String {
    let page = page();
    let (_, after) = page.split_once(&format!("{COMMAND}{program}\n")).expect("a block of the program");
    after.split_once("```").expect("the end of the block").0.to_owned()
}

/// The program prints what the page says, and what it prints has these words: what is wrong with the peer, and what
/// is right with ours.
fn shows(program: &str, executable: &str, words: &[&str]) {
    let output = Command::new(executable).output().expect("the program starts");
    let printed = String::from_utf8(output.stdout).expect("text");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed:\n{printed}{said}");
    for word in words {
        assert!(printed.contains(word), "{program} no longer prints {word:?}:\n{printed}");
    }
    assert_eq!(printed, told(program), "{program} prints something else than the page says");
}

/// A test for each program, with what it must show.
macro_rules! programs {
    ($($test:ident: $program:literal, $words:expr;)+) => {
        $(
            #[test]
            fn $test() {
                shows($program, env!(concat!("CARGO_BIN_EXE_", $program)), &$words);
            }
        )+
        /// Those with a test. `p05_step` needs libfaketime and is run by hand.
        const TESTED: &[&str] = &[$($program),+];
    };
}

programs! {
    idgen_p01_ferroid_repeats_one_id_past_the_end_of_time: "p01_ferroid", ["10 ids, 1 distinct"];
    idgen_p01_snowflaked_repeats_ids_past_the_end_of_time: "p01_snowflaked", ["2000 ids, fewer than 100 distinct"];
    idgen_p01_sonyflake_sees_the_end_of_time: "p01_sonyflake", ["sonyflake 0.5.1: error"];
    idgen_p02_signs_and_cut_times: "p02_sign",
        ["rs-snowflake 0.6.0: a negative id", "its time says 26 years after the epoch"];
    idgen_p03_nodes_out_of_range: "p03_node", ["an id of machine 8", "taken as 44", "an id of node 476"];
    idgen_p04_an_epoch_in_the_future: "p04_epoch",
        ["panic: clock went backwards", "panic: Time went mackward", "sonyflake 0.5.1: an error: true"];
    idgen_p05_ferroid_waits_out_a_step: "p05_ferroid", ["no id, and the hint to wait 3600000 ms"];
    idgen_p05_idgenerator_repeats_after_five_steps: "p05_idgenerator", ["some repeated: true"];
    idgen_p05_ids_that_sort: "p05_sortable", ["ulid 3.0.0: 3 ids of 3, in order", "or reset: 3 ids of 3, not in order"];
    idgen_p09_the_child_of_ferroid_hangs: "p09_fork_ferroid", ["gave 4096 of 10000 ids, then none"];
    idgen_p09_parent_and_child_share_a_node: "p09_fork_node", ["snowflaked 1.0.4: ids of both processes: some"];
    idgen_p09_parent_and_child_share_randomness: "p09_fork_random",
        ["ulid 3.0.0: 200 of 200", "ferroid 2.0.0, ULID: 200 of 200", "scru128 4.2.0: 0 of 200"];
    idgen_p11_text_of_no_id: "p11_decode", ["8ZZZZZZZZZZZZZZZZZZZZZZZZZ: read as 0ZZZ"];
    idgen_p12_times_that_do_not_fit: "p12_end", ["whose time is Some(10) ms"];
}

#[test]
fn every_program_is_on_the_page_and_has_a_test() {
    let sources = std::fs::read_dir(folder().join("src/bin")).unwrap();
    let programs: BTreeSet<String> =
        sources.map(|it| it.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let tested: BTreeSet<String> = TESTED.iter().copied().chain(["p05_step"]).map(str::to_owned).collect();
    assert_eq!(programs, tested);
    let page = page();
    for program in programs {
        let source = std::fs::read_to_string(folder().join(format!("src/bin/{program}.rs"))).unwrap();
        assert!(source.lines().count() < 60, "{program} is longer than the page says");
        assert!(page.contains(&format!("--bin {program}\n")), "{program} is not on the page");
    }
}

#[test]
fn versions_on_the_page_are_those_that_are_pinned() {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let pinned: Vec<(&str, &str)> = manifest
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(" = ")?;
            let (_, version) = rest.split_once("\"=")?;
            Some((name, version.split('"').next()?))
        })
        .collect();
    assert!(pinned.len() > 10, "{pinned:?}");
    let page = page();
    for (name, version) in pinned {
        let row = format!("| {name} {version} |");
        assert!(page.contains(&row), "the page's table has no row {row:?}");
        let name = format!("{name} ");
        let told = page.lines().filter_map(|line| line.strip_prefix(&name));
        for rest in told.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
            assert!(rest.starts_with(version), "another version: {name}{rest}");
        }
    }
}
