//! The registry of planted faults: whole, found as it says, and absent from programs that are made for use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use synod_raft::Raft;
use synod_raft::fault::Sound;
use synod_raft_check::coverage::Seen;
use synod_raft_check::registry::{Checker, ENTRIES, Entry, Plant, same};
use synod_raft_check::{invariants, run_covered};
use synod_transport::quorum::Static;

/// Seeds of an entry that a test can afford; `cargo xtask plant --all` runs those of every entry.
const AFFORDABLE: u64 = 3_000;

#[test]
fn every_fault_has_an_entry_and_every_entry_a_checker() {
    for plant in Plant::all() {
        assert_eq!(ENTRIES.iter().filter(|entry| entry.plant == plant).count(), 1, "{}", plant.name());
        assert_eq!(Plant::from_name(plant.name()), Some(plant));
    }
    for entry in ENTRIES {
        assert!(!entry.checkers.is_empty(), "{}", entry.plant.name());
        assert_eq!(
            entry.or.is_empty(),
            entry.because.is_empty(),
            "{}: more than one needs a reason",
            entry.plant.name()
        );
    }
}

#[test]
fn every_invariant_is_broken_by_some_fault() {
    for invariant in invariants() {
        let broken = ENTRIES.iter().any(|entry| same(entry.breaks, invariant.name()));
        assert!(broken, "nothing planted breaks {}", invariant.name());
    }
}

#[test]
fn every_name_in_the_registry_is_an_invariant() {
    let names: Vec<&str> = invariants().iter().map(|it| it.name()).chain(["machine"]).collect();
    for entry in ENTRIES {
        for name in entry.or.iter().chain([&entry.breaks]) {
            assert!(names.iter().any(|known| same(known, name)), "{}: {name}", entry.plant.name());
        }
    }
}

#[test]
fn at_least_fourteen_scenarios_of_the_core_can_be_planted() {
    let core = ENTRIES.iter().filter(|entry| matches!(entry.plant, Plant::Core(_)));
    let scenarios: BTreeSet<&str> =
        core.map(|entry| entry.scenario).filter(|it| it.starts_with("raft_s")).collect();
    assert!(scenarios.len() >= 14, "{scenarios:?}");
}

/// What the worlds of a fault show first.
fn first(entry: &Entry, seeds: u64) -> Option<&'static str> {
    (0..seeds).find_map(|seed| {
        [5, 3]
            .iter()
            .find_map(|nodes| Some(run_covered(seed, *nodes, Some(entry.plant)).0.violation?.invariant))
    })
}

#[test]
fn worlds_find_what_the_registry_says() {
    let mut tried = 0;
    for entry in ENTRIES {
        for checker in entry.checkers {
            if let Checker::Simulation { seeds } = *checker {
                if seeds <= AFFORDABLE {
                    let found = first(entry, seeds);
                    assert!(
                        found.is_some_and(|found| entry.expects(found)),
                        "{} shows as {found:?}, not as {}",
                        entry.plant.name(),
                        entry.breaks
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn three_hundred_worlds_have_seen_everything_telling() {
    let mut unseen: BTreeSet<Seen> = Seen::ALL.iter().copied().collect();
    for seed in 0..150 {
        for nodes in [3, 5] {
            let coverage = run_covered(seed, nodes, None).1;
            unseen.retain(|what| !coverage.saw(*what));
        }
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}

/// The default machine has the type without faults, which has no room for one.
#[test]
fn a_machine_is_sound_unless_its_type_says_otherwise() {
    fn same_type<T>(_: fn(T), _: fn(T)) {}
    same_type::<Raft>(|_: Raft| {}, |_: Raft<Static, Sound>| {});
    assert_eq!(size_of::<Sound>(), 0);
}

/// The only names that make a machine deviate stand in no source but those of the crates whose faults they are, this
/// crate, tests and the tasks of `xtask`. A program in which none of them occurs cannot name a machine with faults: it holds `Sound` ones, for which
/// `Faults::has` is the constant `false`.
#[test]
fn no_program_for_use_names_a_planted_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut sources = Vec::new();
    collect(&root, &mut sources);
    let mut looked_at = 0;
    for path in sources {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let checks = ["raft/src/", "raft/check/", "clock/src/", "xtask/", "transport/sim/"];
        if name.contains("/tests/")
            || name.contains("/benches/")
            || checks.iter().any(|it| name.starts_with(it))
        {
            continue;
        }
        looked_at += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["Planted", "with_faults", "driver_fault", "DriverFault"] {
            assert!(!text.contains(word), "{name} speaks of {word}");
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

/// Who depends on the crates that plant faults: none but tasks, and for tests.
#[test]
fn no_manifest_for_use_depends_on_the_checks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    for manifest in ["transport", "transport/wal", "transport/tcp", "transport/node", "raft", "examples/kv"] {
        let text = std::fs::read_to_string(root.join(manifest).join("Cargo.toml")).unwrap();
        let used = text.split("[dev-dependencies]").next().unwrap();
        for name in ["synod-raft-check", "synod-sim"] {
            assert!(!used.contains(name), "{manifest} depends on {name}");
        }
    }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(&path, sources);
            }
        } else if name.ends_with(".rs") {
            sources.push(path);
        }
    }
}
