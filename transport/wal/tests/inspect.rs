//! Looking into a directory gives what was written and changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position};
use synod_transport::log::Entry;
use synod_transport::store::HardState;
use synod_wal::{BatchSketch, Change, Content, Options, Wal, WalError, inspect};

#[test]
fn inspect_gives_every_batch_and_the_log_it_makes() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 4096, ..Options::default() };
    let (wal, _) = Wal::open(dir.path(), &options).unwrap();
    let hard_state = HardState::new(b"vote");
    let entry = |index| Entry {
        position: Position::new(1, index),
        payload: Bytes::from(vec![1; 9]),
        ..Entry::default()
    };
    let first = Change { append: vec![entry(1), entry(2)], hard_state, ..Change::default() };
    let second = Change {
        truncate_from: Some(LogIndex::new(2)),
        append: vec![entry(2)],
        purge_through: Some(LogIndex::new(1)),
        ..Change::default()
    };
    for change in [first, second] {
        wal.sync(wal.submit(change).unwrap()).unwrap();
    }
    let mut records = Vec::new();
    let (summary, recovery) = inspect(dir.path(), |record| records.push(record)).unwrap();
    assert_eq!(summary, wal.summary());
    assert_eq!((recovery.groups, recovery.torn), (2, None));
    let batches: Vec<BatchSketch> = records
        .iter()
        .filter_map(|record| match &record.content {
            Content::Group(batches) => Some(batches.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let append = |first, count| Some((LogIndex::new(first), count));
    assert_eq!(
        batches,
        [
            BatchSketch { append: append(1, 2), payload_bytes: 18, hard_state, ..BatchSketch::default() },
            BatchSketch {
                truncate_from: Some(LogIndex::new(2)),
                append: append(2, 1),
                payload_bytes: 9,
                purge_through: Some(Position::new(1, 1)),
                ..BatchSketch::default()
            },
        ]
    );
    let ends = records.iter().map(|record| record.offset + record.len);
    assert!(
        ends.zip(records.iter().skip(1)).all(|(end, next)| end == next.offset),
        "records join: {records:?}"
    );
}

#[test]
fn options_out_of_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for options in [
        Options { segment_bytes: 4095, ..Options::default() },
        Options { segment_bytes: (1 << 30) + 1, ..Options::default() },
        Options { window_bytes: 0, ..Options::default() },
    ] {
        assert!(matches!(Wal::open(dir.path(), &options), Err(WalError::Options(_))), "{options:?}");
    }
}
