//! The command of `examples/ids`, on a fixed set of ids and on wrong input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../examples/ids/command.rs"]
mod command;
#[path = "../examples/ids/decode.rs"]
mod decode;
#[path = "../examples/ids/finding.rs"]
mod finding;
#[path = "../examples/ids/make.rs"]
mod make;
#[path = "../examples/ids/numbers.rs"]
mod numbers;
#[path = "../examples/ids/texts.rs"]
mod texts;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Parser as _;
use expect_test::{Expect, expect};

/// 2026-01-01, as far as the command knows.
const NOW: Duration = Duration::from_secs(1_767_225_600);

fn run(arguments: &str) -> Result<String, String> {
    run_at(arguments, NOW)
}

fn run_at(arguments: &str, now: Duration) -> Result<String, String> {
    let arguments = ["ids"].into_iter().chain(arguments.split_whitespace());
    let command = command::Command::try_parse_from(arguments).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    command.run(now, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn says(arguments: &str, expected: &Expect) {
    expected.assert_eq(&run(arguments).unwrap());
}

fn refuses(arguments: &str, expected: &Expect) {
    expected.assert_eq(&run(arguments).unwrap_err());
}

#[test]
fn texts_of_one_meaning() {
    says(
        "decode 01ARZ3NDEKTSV4RRFFQ69G5FAV",
        &expect![[r#"
        ULID: 48 bits of milliseconds, 80 random
          time       2016-07-30T23:54:10.259Z
          random     d6764c61efb99302bd5b
          as a UUID  01563e3a-b5d3-d676-4c61-efb99302bd5b
    "#]],
    );
    says(
        "decode 01arz3ndektsv4rrffq69g5fav",
        &expect![[r#"
        ULID: 48 bits of milliseconds, 80 random
          time       2016-07-30T23:54:10.259Z
          random     d6764c61efb99302bd5b
          as a UUID  01563e3a-b5d3-d676-4c61-efb99302bd5b
    "#]],
    );
    says(
        "decode 0o5Fs0EELR0fUjHjbCnEtdUwQe3",
        &expect![[r#"
        KSUID: 32 bits of seconds, 128 random
          time     2017-05-17T01:49:21Z
          payload  d7b6fe8cd7cff211704d8e7b9421210b
    "#]],
    );
}

#[test]
fn uuids() {
    says(
        "decode 550e8400-e29b-41d4-a716-446655440000",
        &expect![[r#"
        UUID, version 4: random
          variant  RFC 9562
    "#]],
    );
    says(
        "decode C232AB00-9414-11EC-B3C8-9F6BDECED846",
        &expect![[r#"
        UUID, version 1: time and node
          time            2022-02-22T19:22:22Z
          clock sequence  13256
          node            9f:6b:de:ce:d8:46
          variant         RFC 9562
    "#]],
    );
    says(
        "decode 1EC9414C-232A-6B00-B3C8-9F6BDECED846",
        &expect![[r#"
        UUID, version 6: time and node, sortable
          time            2022-02-22T19:22:22Z
          clock sequence  13256
          node            9f:6b:de:ce:d8:46
          variant         RFC 9562
    "#]],
    );
    says(
        "decode 017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        &expect![[r#"
        UUID, version 7: Unix time and random bits
          time     2022-02-22T19:22:22Z
          rand_a   cc3, a counter or a part of the millisecond for some
          rand_b   18c4dc0c0c07398f
          variant  RFC 9562
    "#]],
    );
    says(
        "decode 00000000-0000-1000-8000-000000000000",
        &expect![[r#"
        UUID, version 1: time and node
          time            before 1970
          clock sequence  0
          node            00:00:00:00:00:00
          variant         RFC 9562
    "#]],
    );
    for same in ["017F22E279B07CC398C4DC0C0C07398F", "urn:uuid:017F22E2-79B0-7CC3-98C4-DC0C0C07398F"] {
        assert_eq!(run(&format!("decode {same}")), run("decode 017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
    }
    says(
        "decode 00000000-0000-0000-0000-000000000000",
        &expect![[r#"
        The nil UUID
    "#]],
    );
    says(
        "decode 550e8400-e29b-41d4-6716-446655440000",
        &expect![[r#"
        UUID
          variant  NCS, before RFC 9562
          version  none: the variant has none
    "#]],
    );
}

/// The worked example of the project: an epoch of one's own.
#[test]
fn a_number_of_ones_own_epoch() {
    says(
        "decode 396814713251434496 --epoch-ms 1609459200000",
        &expect![[r#"
            It can be any of 6:

            Snowflake of your epoch: 41 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2024-01-01T00:00:00.1Z
              node      1
              sequence  0

            Twitter (X): a Snowflake: 41 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2013-11-03T01:42:54.757Z
              node      1
              sequence  0

            Discord: 42 bits of milliseconds, 5 of worker, 5 of process, 12 of the sequence
              time      2017-12-31T00:00:00.1Z
              worker    0
              process   1
              sequence  0

            Instagram: 41 bits of milliseconds, 13 of the shard, 10 of the sequence
              time      2013-02-22T09:07:01.771Z
              shard     4
              sequence  0

            Sonyflake: 39 bits of 10 ms, 8 of the sequence, 16 of the machine
              time      2022-02-28T12:00:00.25Z
              sequence  0
              machine   4096

            TSID: 42 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2022-12-31T00:00:00.1Z
              node      1
              sequence  0
              text      0B0E4W4CG0400

            Hardly Mastodon: its time would be 2161-11-15T00:00:06.4Z.
        "#]],
    );
}

#[test]
fn a_number_may_be_of_many_kinds() {
    says(
        "decode 175928847299117063", // the example of Discord's own documentation
        &expect![[r#"
            It can be any of 5:

            Twitter (X): a Snowflake: 41 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2012-03-03T13:01:20.453Z
              node      32
              sequence  7

            Discord: 42 bits of milliseconds, 5 of worker, 5 of process, 12 of the sequence
              time      2016-04-30T11:18:25.796Z
              worker    1
              process   0
              sequence  7

            Instagram: 41 bits of milliseconds, 13 of the shard, 10 of the sequence
              time      2012-04-23T14:46:14.619Z
              shard     128
              sequence  7

            Sonyflake: 39 bits of 10 ms, 8 of the sequence, 16 of the machine
              time      2017-12-27T16:16:04.49Z
              sequence  2
              machine   7

            TSID: 42 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2021-04-30T11:18:25.796Z
              node      32
              sequence  7
              text      04W86BB0G4007

            Hardly Mastodon: its time would be 2055-01-25T03:39:30.946Z.
        "#]],
    );
    says(
        "decode 4611686018427387904",
        &expect![[r#"
            Hardly Twitter (X): its time would be 2045-09-06T21:36:42.433Z.
            Hardly Discord: its time would be 2049-11-03T19:53:47.776Z.
            Hardly Instagram: its time would be 2029-01-24T19:03:55.609Z.
            Hardly Sonyflake: its time would be 2101-10-09T13:44:29.44Z.
            Hardly TSID: its time would be 2054-11-03T19:53:47.776Z.
            Hardly Mastodon: its time would be 4199-11-24T01:22:57.664Z.
        "#]],
    );
}

#[test]
fn text_of_thirteen_characters_is_a_tsid_and_may_be_a_number_too() {
    says(
        "decode 0DRFMHC8ZRK8M",
        &expect![[r#"
            TSID, as text: 42 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2023-09-30T13:13:35.047Z
              node      964
              sequence  3348
              text      0DRFMHC8ZRK8M
        "#]],
    );
    says(
        "decode 0123456789012",
        &expect![[r#"
            It can be any of 7:

            TSID, as text: 42 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2020-04-15T22:31:02.458Z
              node      72
              sequence  34
              text      0123456789012

            Twitter (X): a Snowflake: 41 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2010-11-04T01:43:24.091Z
              node      401
              sequence  2580

            Discord: 42 bits of milliseconds, 5 of worker, 5 of process, 12 of the sequence
              time      2015-01-01T00:00:29.434Z
              worker    12
              process   17
              sequence  2580

            Instagram: 41 bits of milliseconds, 13 of the shard, 10 of the sequence
              time      2011-08-24T21:07:16.438Z
              shard     1606
              sequence  532

            Sonyflake: 39 bits of 10 ms, 8 of the sequence, 16 of the machine
              time      2014-09-01T00:01:13.58Z
              sequence  153
              machine   6676

            TSID: 42 bits of milliseconds, 10 of the node, 12 of the sequence
              time      2020-01-01T00:00:29.434Z
              node      401
              sequence  2580
              text      000003JZ9J6GM

            53 bits, for JavaScript: 41 bits of milliseconds, 5 of the node, 7 of the sequence
              time      2020-01-01T08:22:20.817Z
              node      20
              sequence  20

            Hardly Mastodon: its time would be 1970-01-01T00:31:23.801Z.
        "#]],
    );
}

#[test]
fn wrong_ids() {
    refuses(
        "decode 8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        &expect!["not a ULID: the number needs more bits than there are."],
    );
    refuses(
        "decode 01ARZ3NDEKTSV4RRFFQ69G5FAU",
        &expect!["not a ULID: 'U' at byte 25 is no symbol of the alphabet."],
    );
    refuses(
        "decode aWgEPTl1tmebfsQzFP4bxwgy80W",
        &expect!["not a KSUID: the number needs more bits than there are."],
    );
    refuses("decode zzzzzzzzzzzzz", &expect!["not a TSID: the number needs more bits than there are."]);
    refuses("decode 0DRFMHC8ZRKU8", &expect!["not a TSID: 'U' at byte 11 is no symbol of the alphabet."]);
    refuses(
        "decode 550e8400-e29b-41d4-a716-44665544000g",
        &expect!["not a UUID: 'g' at byte 35 is no symbol of the alphabet."],
    );
    refuses(
        "decode hello",
        &expect![
            "not an id: 5 characters. UUIDs have 36 or 32, KSUIDs 27, ULIDs 26, TSIDs 13; others are decimal numbers below 2^64."
        ],
    );
    refuses("decode 18446744073709551616", &expect!["not an id: a number of more than 64 bits."]);
    refuses(
        "decode -- -5",
        &expect!["not an id: negative. If it came from a signed column, ask for the same bits unsigned."],
    );
    refuses(
        "decode -- -123456789012",
        &expect!["not an id: negative. If it came from a signed column, ask for the same bits unsigned."],
    );
    refuses("decode hello --epoch-ms 0", &expect!["--epoch-ms is for a decimal number of up to 64 bits"]);
    refuses(
        "decode 9223372036854775808 --epoch-ms 0",
        &expect!["an id of Snowflake has 63 bits; the number has more, or is negative"],
    );
}

#[test]
fn wrong_questions() {
    refuses("snowflake --node 1024", &expect!["node 1024 is out of range: Snowflake has nodes 0 to 1023"]);
    refuses("javascript --node 32", &expect!["node 32 is out of range: JavaScript has nodes 0 to 31"]);
    refuses("uuid v5", &expect!["versions 3 and 5 are ids of a name: give --name"]);
    refuses("uuid v4 --name example", &expect!["--name is for versions 3 and 5"]);
    assert!(run("uuid v2").unwrap_err().contains("possible values: v1, v3, v4, v5, v6, v7"));
    assert!(run("snowflake --node x").unwrap_err().contains("invalid digit"));
    assert!(run("fnord").unwrap_err().contains("unrecognized subcommand"));
}

/// Takes some bytes, then says what is wrong.
struct Full(usize, std::io::ErrorKind);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(self.1)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// More than any memory holds: lines are written as they are made.
#[test]
fn whoever_stops_reading_ends_it_and_what_cannot_be_written_is_told() {
    let out = |kind| {
        let command =
            command::Command::try_parse_from(["ids", "ulid", "-n", "18446744073709551615"]).unwrap();
        command.run(NOW, &mut Full(27 * 1000, kind))
    };
    assert_eq!(out(std::io::ErrorKind::BrokenPipe), Ok(()));
    assert_eq!(out(std::io::ErrorKind::StorageFull), Err("writing: no storage space".to_owned()));
}

/// Whatever is made is explained as what it was asked for, and no two are alike.
#[test]
fn what_is_made_is_recognised() {
    let kinds = [
        ("snowflake --node 7", "Twitter (X)"),
        ("discord --node 7", "Discord"),
        ("instagram --node 7", "Instagram"),
        ("sonyflake --node 7", "Sonyflake"),
        ("tsid --node 7", "TSID"),
        ("mastodon", "Mastodon"),
        ("javascript --node 7", "53 bits"),
        ("uuid v1", "UUID, version 1"),
        ("uuid v4", "UUID, version 4"),
        ("uuid v6", "UUID, version 6"),
        ("uuid v7", "UUID, version 7"),
        ("ulid", "ULID"),
        ("ksuid", "KSUID"),
    ];
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    for (question, kind) in kinds {
        let made = run(&format!("{question} -n 5")).unwrap();
        assert_eq!(made.lines().collect::<BTreeSet<_>>().len(), 5, "{question}: {made}");
        for id in made.lines() {
            let shown = run_at(&format!("decode {id}"), now).unwrap();
            assert!(shown.lines().any(|line| line.starts_with(kind)), "{question}: {id}: {shown}");
        }
    }
}

#[cfg(feature = "name-based")]
#[test]
fn names() {
    says(
        "uuid v5 --name https://example.org/",
        &expect![[r#"
        527dda32-a0de-5105-a042-cb475b5f7d11
    "#]],
    );
    says(
        "uuid v3 --name https://example.org/",
        &expect![[r#"
        38596661-c8a8-346e-825a-af55484b9a75
    "#]],
    );
}
