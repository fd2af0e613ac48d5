//! Without the feature `std` the crate needs `core` and `alloc` alone: `no_std/lib.rs`, with a panic handler of its own,
//! is checked on top of it. With the feature there are two handlers, and that is an error.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

/// What the compiler says of the library with these features of ours; nothing when all is well.
fn complaint(name: &str, features: &str) -> String {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    // The versions that the workspace has at hand.
    std::fs::copy(ours.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let (path, library) = (ours.display(), ours.join("tests/no_std/lib.rs"));
    let manifest = format!(
        "[package]\nname = '{name}'\nedition = '2024'\n[lib]\npath = '{}'\n[workspace]\n[dependencies.synod-idgen]\n\
         path = '{path}'\ndefault-features = false\nfeatures = [{features}]\n",
        library.display()
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let check = ["check", "--quiet", "--offline", "--color=never", "--target-dir", "../no_std"];
    let mut command = Command::new(env!("CARGO"));
    command.args(check).current_dir(&folder).env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn core_and_alloc_suffice() {
    assert_eq!(complaint("bare", ""), "");
    assert_eq!(complaint("bare-serde", "'serde'"), "");
}

#[test]
fn the_standard_library_would_be_noticed() {
    let said = complaint("with-std", "'std'");
    assert!(said.contains("found duplicate lang item `panic_impl`"), "{said}");
}
