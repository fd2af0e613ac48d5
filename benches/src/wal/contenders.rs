//! Who is measured: ours, raft-engine, and the bare device.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use raft_engine::{Config, Engine, LogBatch, MessageExt, ReadableSize};
use raft_rs::eraftpb::Entry;
use synod_transport::ids::{LogIndex, Term};
use synod_wal::{Options, Ticket, Wal};

use super::{ENTRY_BYTES, Store, Writer};

/// Who can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Contender {
    /// Ours, with its defaults.
    Ours,
    /// raft-engine with its defaults, but without compression: commands that repeat would flatter it.
    RaftEngine,
    /// One write and one sync after the other.
    Device,
}

impl Contender {
    /// All, ours amid its peers.
    pub const ALL: [Self; 3] = [Self::Device, Self::Ours, Self::RaftEngine];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "synod-wal",
            Self::RaftEngine => "raft-engine 0.4.2",
            Self::Device => "bare device",
        }
    }

    /// How many threads write where others have `threads`: the device has one, which writes as many entries at once.
    pub const fn threads(self, threads: u64) -> u64 {
        match self {
            Self::Device => 1,
            Self::Ours | Self::RaftEngine => threads,
        }
    }

    /// An empty log in an empty folder, for this many writing threads.
    pub fn open(self, folder: &Path, threads: u64) -> Result<Box<dyn Store>> {
        Ok(match self {
            Self::Ours => Box::new(Wal::open(folder, &Options::default())?.0),
            Self::RaftEngine => Box::new(open_raft_engine(folder)?),
            Self::Device => Box::new(Device::create(folder, threads)?),
        })
    }

    /// Writes a log of this many entries and closes it.
    pub fn fill(self, folder: &Path, entries: u64) -> Result<()> {
        match self {
            Self::Ours => fill_ours(folder, entries),
            Self::RaftEngine => fill_raft_engine(folder, entries),
            Self::Device => {
                let bytes = vec![7; ENTRY_BYTES * usize::try_from(entries)?];
                std::fs::write(folder.join("log"), bytes).context("writing a file")
            }
        }
    }

    /// Opens what [`Contender::fill`] wrote and says how many entries there are. Of the device: the time to read it.
    pub fn recover(self, folder: &Path) -> Result<u64> {
        match self {
            Self::Ours => Ok(Wal::open(folder, &Options::default())?.0.last().index.get()),
            Self::RaftEngine => Ok(open_raft_engine(folder)?.last_index(1).unwrap_or_default()),
            Self::Device => {
                let mut file = File::open(folder.join("log"))?;
                let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(bytes / ENTRY_BYTES as u64),
                        read => bytes += read as u64,
                    }
                }
            }
        }
    }
}

impl Store for Wal {
    fn writer(&self, _thread: u64) -> Result<Box<dyn Writer + Send + '_>> {
        Ok(Box::new(OurWriter { wal: self, payload: Bytes::from(vec![7; ENTRY_BYTES]) }))
    }

    fn groups(&self) -> Option<u64> {
        Some(self.counters().groups)
    }
}

struct OurWriter<'a> {
    wal: &'a Wal,
    payload: Bytes,
}

impl Writer for OurWriter<'_> {
    fn write_durably(&mut self) -> Result<u64> {
        let (_, ticket) = self.wal.append(Term::new(1), self.payload.clone())?;
        self.wal.sync(ticket)?;
        Ok(1)
    }
}

/// Entries that a fill writes between two syncs.
const FILL_GROUP: u64 = 1000;

fn fill_ours(folder: &Path, entries: u64) -> Result<()> {
    let (wal, _) = Wal::open(folder, &Options::default())?;
    let payload = Bytes::from(vec![7; ENTRY_BYTES]);
    let mut last: Option<Ticket> = None;
    for number in 1..=entries {
        let (position, ticket) = wal.append(Term::new(1), payload.clone())?;
        ensure!(position.index == LogIndex::new(number), "{position:?} is not the next");
        last = Some(ticket);
        if number % FILL_GROUP == 0 {
            wal.sync(ticket)?;
        }
    }
    last.map_or(Ok(()), |ticket| wal.sync(ticket)).context("the last sync")
}

/// How raft-engine learns an entry's index.
#[derive(Clone)]
struct Indexed;

impl MessageExt for Indexed {
    type Entry = Entry;

    fn index(entry: &Entry) -> u64 {
        entry.index
    }
}

fn open_raft_engine(folder: &Path) -> Result<Engine> {
    let dir = folder.to_str().context("a path in UTF-8")?.to_owned();
    Ok(Engine::open(Config { dir, batch_compression_threshold: ReadableSize(0), ..Config::default() })?)
}

fn fill_raft_engine(folder: &Path, entries: u64) -> Result<()> {
    let engine = open_raft_engine(folder)?;
    let mut entry = raft_entry();
    let mut batch = LogBatch::default();
    for index in 1..=entries {
        entry.index = index;
        batch.add_entries::<Indexed>(1, std::slice::from_ref(&entry))?;
        if index % FILL_GROUP == 0 || index == entries {
            engine.write(&mut batch, true)?;
        }
    }
    Ok(())
}

fn raft_entry() -> Entry {
    Entry { data: vec![7; ENTRY_BYTES].into(), term: 1, ..Entry::default() }
}

impl Store for Engine {
    fn writer(&self, thread: u64) -> Result<Box<dyn Writer + Send + '_>> {
        let entry = raft_entry();
        Ok(Box::new(EngineWriter { engine: self, group: thread + 1, entry, batch: LogBatch::default() }))
    }

    fn groups(&self) -> Option<u64> {
        None
    }
}

struct EngineWriter<'a> {
    engine: &'a Engine,
    group: u64,
    entry: Entry,
    batch: LogBatch,
}

impl Writer for EngineWriter<'_> {
    fn write_durably(&mut self) -> Result<u64> {
        self.entry.index += 1;
        self.batch.add_entries::<Indexed>(self.group, std::slice::from_ref(&self.entry))?;
        self.engine.write(&mut self.batch, true)?;
        Ok(1)
    }
}

/// A file written full and synced once, so that a later write changes no metadata.
struct Device {
    file: File,
    entries: u64,
}

/// Size of the file, in bytes.
const DEVICE_BYTES: u64 = 64 << 20;

impl Device {
    fn create(folder: &Path, entries: u64) -> Result<Self> {
        let file = File::create(folder.join("device"))?;
        let zeros = vec![0; 1 << 20];
        for megabyte in 0..DEVICE_BYTES >> 20 {
            file.write_all_at(&zeros, megabyte << 20)?;
        }
        file.sync_all()?;
        Ok(Self { file, entries })
    }
}

impl Store for Device {
    fn writer(&self, _thread: u64) -> Result<Box<dyn Writer + Send + '_>> {
        let group = vec![7; ENTRY_BYTES * usize::try_from(self.entries)?];
        Ok(Box::new(DeviceWriter { device: self, group, offset: 0 }))
    }

    fn groups(&self) -> Option<u64> {
        None
    }
}

struct DeviceWriter<'a> {
    device: &'a Device,
    group: Vec<u8>,
    offset: u64,
}

impl Writer for DeviceWriter<'_> {
    fn write_durably(&mut self) -> Result<u64> {
        let len = self.group.len() as u64;
        if self.offset + len > DEVICE_BYTES {
            self.offset = 0;
        }
        self.device.file.write_all_at(&self.group, self.offset)?;
        self.device.file.sync_data()?;
        self.offset += len;
        Ok(self.device.entries)
    }
}
