//! Without the feature `std` the crate needs `core` and `alloc` alone.
//!
//! A crate that brings a panic handler of its own is compiled on top of it. Where the standard library is among the
//! dependencies, however deep, there are two handlers, and that is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Checks the crate `no_std/lib.rs` with these features of ours. What the compiler said when it refused.
fn refused(name: &str, features: &str) -> Option<String> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::copy(ours.join("tests/no_std/lib.rs"), folder.join("src/lib.rs")).unwrap();
    // The workspace's own choice of versions, which are at hand then.
    fs::copy(ours.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let path = ours.display();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [dependencies]\n\
         synod-clock = {{ path = '{path}', default-features = false, features = [{features}] }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--color=never", "--target-dir", "../no_std-target"])
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn core_and_alloc_suffice() {
    assert_eq!(refused("synod-clock-no-std", ""), None);
    assert_eq!(refused("synod-clock-no-std-serde", "'serde'"), None);
}

#[test]
fn the_standard_library_would_be_noticed() {
    let said = refused("synod-clock-with-std", "'std'").expect("it is not noticed");
    assert!(said.contains("found duplicate lang item `panic_impl`"), "{said}");
}
