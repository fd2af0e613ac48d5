//! The purity law: in a protocol, time is an argument, randomness a seed, and order never comes from a hash map.

use super::Findings;
use super::dependencies::PROTOCOLS;
use super::tree::Tree;

const RULE: &str = "purity law";

/// What a protocol's sources never hold, and what to do instead. Tests within them may.
const IMPURE: &[(&str, &str)] = &[
    ("Instant::now", "take `now` as an argument"),
    ("SystemTime::now", "take `now` as an argument"),
    ("std::time::Instant", "use `synod_transport::time::Instant`"),
    ("std::time::SystemTime", "use `synod_transport::time::WallTime`"),
    ("std::thread", "step on inputs, and leave threads to a driver"),
    ("std::fs", "ask for a write in the effects"),
    ("std::net", "ask for a message in the effects"),
    ("std::process", "return `Fatal`"),
    ("std::env", "take a configuration"),
    ("tokio::", "step on inputs, and leave waiting to a driver"),
    ("async fn", "step on inputs, and leave waiting to a driver"),
    ("async move", "step on inputs, and leave waiting to a driver"),
    ("async {", "step on inputs, and leave waiting to a driver"),
    ("rand::", "use `synod_transport::rng::Rng` with a seed from the configuration"),
    ("HashMap", "use `BTreeMap`, or a vector by slot"),
    ("HashSet", "use `BTreeSet`, or `NodeSet`"),
    ("RandomState", "use ordered containers"),
    ("thread_local!", "keep state in the machine"),
    ("static mut", "keep state in the machine"),
];

/// What a file may hold all the same, for it is there to do what its caller asks of the system.
const EDGES: &[(&str, &str)] = &[
    // `next` waits for the next tick, as a thread or as a task.
    ("idgen/src/generator/wait.rs", "std::thread"),
    ("idgen/src/generator/wait.rs", "async fn"),
    // Each thread has a block of the system's randomness.
    ("idgen/src/random/system.rs", "thread_local!"),
];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let pure = |path: &str| PROTOCOLS.iter().any(|folder| path.starts_with(&format!("{folder}/src/")));
    for file in tree.rust.iter().filter(|file| pure(&file.path)) {
        let is_edge = |pattern: &str| EDGES.contains(&(file.path.as_str(), pattern));
        for (pattern, instead) in IMPURE.iter().filter(|(pattern, _)| !is_edge(pattern)) {
            for line in file.find(pattern).into_iter().filter(|line| !file.is_test(*line)) {
                findings.add(RULE, (&file.path, line), format!("`{pattern}` in a protocol"), *instead);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::findings;

    #[test]
    fn every_impurity_is_found() {
        let text = "use std::{fs, net::TcpStream};\nfn f() { let a = Instant::now(); }\nfn g() { std::thread::spawn(|| ()); }\n\
                    async fn h() {}\nfn i(m: HashMap<u8, u8>, s: HashSet<u8>) {}\nfn j() -> u8 { rand::random() }\n";
        let found = findings(super::check, &[("raft/src/core.rs", text)]);
        let expected = [
            "raft/src/core.rs:1: `std::fs` in a protocol",
            "raft/src/core.rs:1: `std::net` in a protocol",
            "raft/src/core.rs:2: `Instant::now` in a protocol",
            "raft/src/core.rs:3: `std::thread` in a protocol",
            "raft/src/core.rs:4: `async fn` in a protocol",
            "raft/src/core.rs:5: `HashMap` in a protocol",
            "raft/src/core.rs:5: `HashSet` in a protocol",
            "raft/src/core.rs:6: `rand::` in a protocol",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_edge_may_hold_what_it_is_there_for_and_no_more() {
        let text = "async fn f() { std::thread::yield_now(); std::fs::read(\"x\"); }\n";
        let found =
            findings(super::check, &[("idgen/src/generator/wait.rs", text), ("idgen/src/node.rs", text)]);
        let expected = [
            "idgen/src/generator/wait.rs:1: `std::fs` in a protocol",
            "idgen/src/node.rs:1: `async fn` in a protocol",
            "idgen/src/node.rs:1: `std::fs` in a protocol",
            "idgen/src/node.rs:1: `std::thread` in a protocol",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn drivers_tests_comments_and_pure_sources_pass() {
        let impure = "fn f() { std::thread::yield_now(); }\n";
        let pure = "//! No std::thread here.\nuse core::time::Duration;\nfn f(now: Instant) -> Instant { now }\n\
                    #[cfg(test)]\nmod tests { use std::collections::HashMap; }\n";
        let files = [
            ("transport/node/src/lib.rs", impure),
            ("raft/tests/threads.rs", impure),
            ("raft/check/src/lib.rs", impure),
            ("raft/src/lib.rs", pure),
        ];
        assert_eq!(findings(super::check, &files), Vec::<String>::new());
    }
}
