//! On the stable compiler: every target holds on its seeds, on what lies near them, and on everything that ever found
//! something.

use std::path::Path;

use synod_fuzz::{TARGETS, Target};

/// Runs one input. If it fails, it is left in the system's temporary folder, to look at and to keep.
fn check(target: &Target, input: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| (target.run)(input)) {
        let path = std::env::temp_dir().join(format!("{}-failed", target.name));
        std::fs::write(&path, input).expect("the temporary folder takes a file");
        eprintln!("{} fails on {}", target.name, path.display());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_target_holds_on_its_seeds() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seed", target.name);
        seeds.iter().for_each(|seed| check(target, seed));
    }
}

/// Cuts at every place, and single flipped bits: the first steps of any fuzzer, the same every time.
#[test]
fn every_target_holds_near_its_seeds() {
    for target in TARGETS {
        for seed in (target.seeds)() {
            let step = seed.len() / 60 + 1;
            for at in (0..seed.len()).step_by(step) {
                check(target, &seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 1 << (at % 8);
                check(target, &changed);
            }
        }
    }
}

#[test]
fn what_found_something_finds_nothing_now() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for entry in std::fs::read_dir(&folder).expect("the folder of regressions") {
        let entry = entry.expect("an entry");
        if !entry.file_type().expect("its type").is_dir() {
            continue;
        }
        let name = entry.file_name();
        let target = TARGETS.iter().find(|target| name == target.name);
        let target = target.unwrap_or_else(|| panic!("{} is no target", name.display()));
        for input in std::fs::read_dir(entry.path()).expect("a folder") {
            let path = input.expect("an input").path();
            println!("{}", path.display());
            (target.run)(&std::fs::read(&path).expect("an input"));
        }
    }
}
