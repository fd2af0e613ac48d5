//! What lies on a disk: a log's segments, a value, a snapshot. Opening them never panics; what is accepted can be read,
//! and is accepted again, the same.

use std::path::Path;

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::store::{HardState, LogSummary, SnapshotStore as _, StateStore as _, StoreError};
use synod_wal::{Change, FileSnapshotStore, FileStateStore, Options, Wal, WalError, inspect};
use tempfile::TempDir;

use crate::tape::Tape;
use crate::wal_seal::{seal_segment, seal_snapshot, seal_state};

/// Bytes of a segment in these tests: the least there is.
const SEGMENT: usize = 4096;

/// A folder in memory where the system has one: a sync costs nothing there.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn options() -> Options {
    Options { segment_bytes: SEGMENT, ..Options::default() }
}

/// A log's folder: a byte of choices, then for each segment two bytes of length and the bytes, followed by zeros up to
/// its size. Choices: bits 0 and 1 the number of segments less one, bit 2 whether checksums are set right, bit 3 whether
/// the sequence starts at 1, bit 4 whether each segment starts where its predecessor's bytes end.
pub fn wal_recovery(data: &[u8]) {
    let dir = folder();
    lay_out(data, dir.path());
    let mut records = 0u64;
    let seen = inspect(dir.path(), |_| records += 1);
    let opened = Wal::open(dir.path(), &options());
    let (wal, recovery) = match (seen, opened) {
        (Err(WalError::Corrupt(seen)), Err(WalError::Corrupt(damage))) => {
            assert_eq!(seen, damage, "looking and opening find the same");
            assert!(Wal::open(dir.path(), &options()).is_err(), "and opening repaired nothing");
            return;
        }
        (Ok((summary, seen)), Ok((wal, recovery))) => {
            assert_eq!((&wal.summary(), &recovery), (&summary, &seen), "looking and opening find the same");
            (wal, recovery)
        }
        (seen, opened) => panic!("looking says {seen:?}, opening {:?}", opened.map(|(_, found)| found)),
    };
    assert!(recovery.groups <= records);
    let (summary, entries) = (wal.summary(), contents(&wal));
    drop(wal);
    let (again, recovery) = Wal::open(dir.path(), &options()).expect("what was accepted is accepted again");
    assert_eq!(recovery.torn, None, "a torn tail is cut once");
    assert_eq!((again.summary(), contents(&again)), (summary.clone(), entries));
    goes_on(again, dir.path(), summary.last());
}

/// A recovered log takes an entry and keeps it.
fn goes_on(wal: Wal, dir: &Path, last: Position) {
    let payload = Bytes::from_static(b"one more");
    let (position, ticket) = wal.append(last.term, payload.clone()).expect("a recovered log takes an entry");
    assert_eq!(position.index, last.index.next(), "behind the last one that it showed");
    wal.sync(ticket).expect("the disk is well");
    drop(wal);
    let (wal, _) = Wal::open(dir, &options()).expect("what was synced is accepted");
    let mut out = Vec::new();
    wal.read(position.index, position.index, usize::MAX, &mut out).expect("what was synced can be read");
    assert_eq!(out, [Entry { position, kind: EntryKind::Command, payload }]);
}

/// All entries. Where the log says that it holds one, it can be read or its damage is told: the bytes of an entry are
/// only looked at when it is read.
fn contents(wal: &Wal) -> Vec<Result<Entry, StoreError>> {
    let summary = wal.summary();
    let positions = positions(&summary);
    let read = |position: &Position| {
        let mut out = Vec::new();
        wal.read(position.index, position.index, usize::MAX, &mut out)?;
        assert_eq!(out.len(), 1);
        let entry = out.remove(0);
        assert_eq!(entry.position, *position, "the entry stands where the summary says");
        Ok(entry)
    };
    positions.iter().map(read).collect()
}

fn positions(summary: &LogSummary) -> Vec<Position> {
    let terms = summary.runs.iter().flat_map(|run| (0..run.count).map(|_| run.term));
    let place = |(term, at): (Term, u64)| Position { term, index: summary.base.index.plus(at) };
    terms.zip(1..).map(place).collect()
}

fn lay_out(data: &[u8], dir: &Path) {
    let mut tape = Tape::new(data);
    let choices = tape.byte();
    let (segments, seal, from_one, joined) =
        (1 + (choices & 3), choices & 4 != 0, choices & 8 != 0, choices & 16 != 0);
    let first = match choices >> 5 {
        _ if from_one => 1,
        7 => u64::MAX - 1,
        few => 1 + u64::from(few),
    };
    let mut start = None;
    for at in 0..u64::from(segments) {
        let len = usize::from(u16::from_le_bytes([tape.byte(), tape.byte()]));
        let mut bytes = tape.bytes(len).to_vec();
        let used = bytes.len();
        bytes.resize(used.max(SEGMENT), 0);
        let sequence = first.wrapping_add(at);
        if seal {
            seal_segment(&mut bytes, sequence, start);
        }
        let own = bytes.get(32..40).map(|it| u64::from_le_bytes(it.try_into().expect("eight bytes")));
        start = own.filter(|_| joined).and_then(|own| own.checked_add(used as u64));
        std::fs::write(dir.join(format!("{sequence:016}.wal")), bytes).expect("a file in a new folder");
    }
}

/// Real logs: an empty one, one with every kind of batch, one over three segments, and a cut one; each as it lies on
/// disk, and with its checksums to be set right after every mutation.
pub fn wal_recovery_seeds() -> Vec<Vec<u8>> {
    let small = |wal: &Wal| {
        append(wal, 1, 3, 20);
        sync(wal, Change { hard_state: HardState::new(&[7; 17]), ..Change::default() });
        sync(wal, Change { truncate_from: Some(LogIndex::new(3)), ..Change::default() });
        append(wal, 2, 2, 9);
        sync(wal, Change { purge_through: Some(LogIndex::new(1)), ..Change::default() });
    };
    let long = |wal: &Wal| (0..14u8).for_each(|_| append(wal, 3, 1, 600));
    let mut seeds = Vec::new();
    for make in [&(|_: &Wal| {}) as &dyn Fn(&Wal), &small, &long] {
        let dir = folder();
        let (wal, _) = Wal::open(dir.path(), &options()).expect("a new log");
        make(&wal);
        drop(wal);
        for choices in [0b0_1000, 0b1_1100] {
            seeds.push(packed(dir.path(), choices));
        }
    }
    let cut = seeds.iter().map(|seed| seed[..seed.len() - seed.len().min(40)].to_vec());
    seeds.extend(cut.collect::<Vec<_>>());
    seeds
}

fn append(wal: &Wal, term: u64, count: u64, len: usize) {
    let after = wal.last().index;
    let entry = |at| Entry {
        position: Position { term: Term::new(term), index: after.plus(at) },
        kind: EntryKind::Command,
        payload: vec![b'p'; len].into(),
    };
    sync(wal, Change { append: (1..=count).map(entry).collect(), ..Change::default() });
}

fn sync(wal: &Wal, change: Change) {
    let ticket = wal.submit(change).expect("it fits");
    wal.sync(ticket).expect("the disk is well");
}

/// A folder as [`wal_recovery`] takes it.
fn packed(dir: &Path, choices: u8) -> Vec<u8> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).expect("a folder").map(|it| it.expect("a file").path()).collect();
    names.retain(|path| path.extension().is_some_and(|it| it == "wal"));
    names.sort();
    let count = u8::try_from(names.len().min(4) - 1).expect("at most three");
    let mut out = vec![choices | count];
    for name in names.iter().take(4) {
        let bytes = std::fs::read(name).expect("a segment");
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        out.extend_from_slice(&u16::try_from(used).expect("a small segment").to_le_bytes());
        out.extend_from_slice(&bytes[..used]);
    }
    out
}

/// A value's file: the first bit of the first byte says whether its checksum is set right.
pub fn wal_state(data: &[u8]) {
    let mut tape = Tape::new(data);
    let seal = tape.flag();
    let mut bytes = tape.rest().to_vec();
    if seal {
        seal_state(&mut bytes, "value");
    }
    let dir = folder();
    let path = dir.path().join("value.state");
    std::fs::write(&path, &bytes).expect("a file in a new folder");
    let mut store = FileStateStore::open(dir.path()).expect("opening reads no value");
    match store.get("value") {
        Ok(Some(value)) => {
            store.set("value", &value).expect("the disk is well");
            assert_eq!(std::fs::read(&path).expect("the file"), bytes, "a value has one encoding");
            assert_eq!(store.get("value"), Ok(Some(value)));
        }
        Ok(None) => panic!("a file that is there holds no value"),
        Err(StoreError::Fatal(_)) => assert!(!seal || bytes.len() < 16, "a whole value is refused"),
        Err(error) => panic!("a damaged value is {error}"),
    }
    assert_eq!(store.get("other"), Ok(None));
}

/// Values as they lie on disk.
pub fn wal_state_seeds() -> Vec<Vec<u8>> {
    let file = |value: &[u8]| {
        let dir = folder();
        FileStateStore::open(dir.path()).expect("a new store").set("value", value).expect("the disk is well");
        std::fs::read(dir.path().join("value.state")).expect("the file")
    };
    let files = [file(b""), file(b"abc"), file(&[9; 100])];
    files.iter().flat_map(|file| [0, 1].map(|seal| [&[seal], file.as_slice()].concat())).collect()
}

/// A snapshot's file: the first bit of the first byte says whether its checksums are set right.
pub fn wal_snapshot(data: &[u8]) {
    let mut tape = Tape::new(data);
    let seal = tape.flag();
    let mut bytes = tape.rest().to_vec();
    if seal {
        seal_snapshot(&mut bytes);
    }
    let dir = folder();
    std::fs::write(dir.path().join("snapshot"), &bytes).expect("a file in a new folder");
    let store = match FileSnapshotStore::open(dir.path(), 1 << 20) {
        Ok(store) => store,
        Err(WalError::Corrupt(damage)) => {
            assert!(damage.from <= damage.to, "{damage}");
            assert_eq!(
                std::fs::read(dir.path().join("snapshot")).expect("the file"),
                bytes,
                "nothing was changed"
            );
            return;
        }
        Err(error) => panic!("a damaged snapshot is {error}"),
    };
    let meta = store.newest().expect("it is open").expect("it holds a snapshot");
    let mut content = Vec::new();
    while (content.len() as u64) < meta.len {
        let chunk = store.read_chunk(content.len() as u64, 7).expect("within the snapshot");
        assert!(!chunk.is_empty());
        content.extend_from_slice(&chunk);
    }
    assert_eq!(content.len() as u64, meta.len);
    assert_eq!(crc32c::crc32c(&content), meta.checksum);
    drop(store);
    let again = FileSnapshotStore::open(dir.path(), 1 << 20).expect("what was accepted is accepted again");
    assert_eq!(again.newest(), Ok(Some(meta)));
}

/// Snapshots as they lie on disk.
pub fn wal_snapshot_seeds() -> Vec<Vec<u8>> {
    let file = |content: &[u8]| {
        let dir = folder();
        let mut store = FileSnapshotStore::open(dir.path(), 1 << 20).expect("a new store");
        store.begin(Position::new(3, 9)).expect("it begins");
        store.write_chunk(0, content).expect("it takes a chunk");
        store.install(content.len() as u64, crc32c::crc32c(content)).expect("it installs");
        std::fs::read(dir.path().join("snapshot")).expect("the file")
    };
    let files = [file(b""), file(b"state"), file(&[3; 90])];
    files.iter().flat_map(|file| [0, 1].map(|seal| [&[seal], file.as_slice()].concat())).collect()
}
