//! Every way to get the configuration wrong, and what is said about it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::time::Duration;

use clap::Parser;
use synod_kv::config::{Config, Flags};
use synod_transport::ids::{ClusterId, NodeId};

const FILE: &str = r#"
id = 1
cluster = "5eed"
data = "data/1"
election-timeout-ms = 600

[[peers]]
id = 1
address = "127.0.0.1:7001"
http = "127.0.0.1:8001"

[[peers]]
id = 2
address = "127.0.0.1:7002"
http = "127.0.0.1:8002"
"#;

fn load(file: &str, flags: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kv.toml");
    std::fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let line = ["synod-kv", "--config", path].into_iter().chain(flags.iter().copied());
    Config::load(Flags::try_parse_from(line).unwrap()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(file: &str, flags: &[&str], expected: &str) {
    let error = load(file, flags).unwrap_err();
    assert!(error.contains(expected), "expected {expected:?} in: {error}");
}

#[test]
fn a_good_file_is_taken_as_it_stands() {
    let config = load(FILE, &[]).unwrap();
    assert_eq!(config.id, NodeId::new(1));
    assert_eq!(config.cluster, ClusterId(0x5eed));
    assert_eq!(config.election_timeout, Duration::from_millis(600));
    assert_eq!(config.heartbeat_interval, Duration::from_millis(100), "the default");
    assert_eq!(config.this().unwrap().http.port(), 8001);
    assert_eq!(config.peers.len(), 2);
}

#[test]
fn flags_override_the_file() {
    let flags = ["--id", "2", "--data", "elsewhere", "--election-timeout-ms", "900", "--cluster", "ff"];
    let config = load(FILE, &flags).unwrap();
    assert_eq!((config.id, config.cluster), (NodeId::new(2), ClusterId(0xff)));
    assert_eq!(config.data.to_str(), Some("elsewhere"));
    assert_eq!(config.election_timeout, Duration::from_millis(900));
    let flags = ["--id", "7", "--peer", "7=127.0.0.1:1,127.0.0.1:2"];
    assert_eq!(load(FILE, &flags).unwrap().peers.len(), 1, "the flags' peers replace the file's");
}

#[test]
fn flags_alone_are_enough() {
    let line =
        ["synod-kv", "--id", "1", "--cluster", "a", "--data", "d", "--peer", "1=127.0.0.1:1,127.0.0.1:2"];
    let config = Config::load(Flags::try_parse_from(line).unwrap()).unwrap();
    assert_eq!(config.this().unwrap().address.port(), 1);
}

#[test]
fn every_error_names_its_field() {
    let with = |from: &str, to: &str| {
        assert!(FILE.contains(from));
        FILE.replacen(from, to, 1)
    };
    let cases = [
        (with("id = 1", ""), "id: is missing; set it in the file or with --id"),
        (with("cluster = \"5eed\"", ""), "cluster: is missing"),
        (with("data = \"data/1\"", ""), "data: is missing"),
        (with("id = 1", "id = 3"), "id: 3 is not the id of any of the peers"),
        (with("5eed", "seed"), "cluster: \"seed\" is not a number of 1 to 32 hexadecimal digits"),
        (with("= 600", "= 200"), "election-timeout-ms: 200 is less than three heartbeat intervals of 100"),
        (with("= 600", "= 600\nheartbeat-interval-ms = 0"), "heartbeat-interval-ms: must not be 0"),
        (with("127.0.0.1:7002", "x"), "peers[1].address: \"x\" is not a socket address"),
        (with("127.0.0.1:8001", "localhost"), "peers[0].http: \"localhost\" is not a socket address"),
        (with("127.0.0.1:8001", "127.0.0.1:0"), "peers[0].http: \"127.0.0.1:0\" has no port"),
        (
            with("127.0.0.1:7001", "10.0.0.1:7001"),
            "peers[0].address: \"10.0.0.1:7001\" is not a loopback address",
        ),
        (with("id = 2", "id = 1"), "peers[1].id: 1 is also the id of peers[0]"),
        (with("data =", "date ="), "unknown field `date`"),
        (with("http = \"127.0.0.1:8002\"", ""), "missing field `http`"),
        (with("id = 1", "id = \"one\""), "id = \"one\""),
        ("id = 1\ncluster = \"1\"\ndata = \"d\"".to_owned(), "peers: names nobody"),
        ("id = ".to_owned(), "kv.toml: TOML parse error at line 1"),
    ];
    for (file, expected) in cases {
        refused(&file, &[], expected);
    }
}

#[test]
fn errors_in_flags_name_their_field_too() {
    refused(FILE, &["--peer", "1=127.0.0.1:1"], "peers[0]: \"1=127.0.0.1:1\" is not ID=ADDRESS,HTTP");
    refused(FILE, &["--peer", "1=127.0.0.1:1,y"], "peers[0].http: \"y\" is not a socket address");
    let missing = Flags::try_parse_from(["synod-kv", "--config", "no/such/file.toml"]).unwrap();
    let error = Config::load(missing).unwrap_err().to_string();
    assert!(error.starts_with("no/such/file.toml: "), "{error}");
}

#[test]
fn other_hosts_are_served_once_the_risk_is_named() {
    let open = FILE.replace("127.0.0.1:7001", "10.0.0.1:7001");
    assert!(load(&open, &["--allow-plaintext"]).unwrap().allow_plaintext);
    assert!(load(&format!("allow-plaintext = true\n{open}"), &[]).unwrap().allow_plaintext);
}
