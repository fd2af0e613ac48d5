//! Cluster scenarios as text: `scripts/*.txt` hold commands, each followed by `----` and what came of it, recorded. A
//! person reviews the record; this test sees to it that it stays true.
//!
//! `UPDATE_EXPECT=1 cargo test -p synod-raft --test scripts` records anew: read the difference before committing it.
//! `synod_raft_check::script` runs them, and lists the commands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use synod_raft_check::script::record;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "scripts"].iter().collect()
}

fn check(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let recorded = std::fs::read_to_string(&path).expect("a script");
    let now = record(&recorded).unwrap_or_else(|error| panic!("{name}.txt: {error}"));
    assert_eq!(record(&recorded).unwrap(), now, "two runs differ");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, now).expect("a folder that can be written");
        return;
    }
    let differs = recorded.lines().zip(now.lines()).position(|(a, b)| a != b);
    let shorter = recorded.lines().count().min(now.lines().count());
    let at = differs.unwrap_or(shorter);
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    assert!(
        recorded == now,
        "{name}.txt, line {}:\n recorded {}\n now      {}\nwhole:\n{now}",
        at + 1,
        line(&recorded),
        line(&now)
    );
}

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_script_in_the_folder_is_run() {
            let listed = [$(stringify!($name)),*];
            let mut found = 0;
            for file in std::fs::read_dir(folder()).expect("the folder") {
                let path = file.expect("a file").path();
                if path.extension().is_some_and(|it| it == "txt") {
                    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                    assert!(listed.contains(&name.as_str()), "{name}.txt is not run");
                    found += 1;
                }
            }
            assert_eq!(found, listed.len());
        }
    };
}

scripts!(
    crash_between_write_and_sync,
    deposed_leaders_read,
    election_with_pre_vote,
    figure_8,
    log_repair_skips_terms,
    lost_append_is_sent_again,
    one_way_partition,
    paused_leader,
    split_vote,
    torn_write,
);
