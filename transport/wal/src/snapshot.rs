//! The newest snapshot, in a file.
//!
//! ```text
//! snapshot    0  8  magic "synodsnp"
//!             8  4  CRC-32C of bytes 12..48
//!            12  4  CRC-32C of the content
//!            16 16  position: term and index of the last entry in it
//!            32  8  length of the content
//!            40  8  zeros
//!            48     content
//! ```
//!
//! It is taken in as `incoming.tmp`, whose header is written last, before the sync and the rename.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use synod_transport::ids::Position;
use synod_transport::store::StoreError;
use synod_transport::store::snapshot::{SnapshotMeta, SnapshotStore, check_install, fresh_part};

use crate::error::{Damage, WalError};
use crate::files::{Files, Handle, RealFiles};
use crate::format::{position_at, put, u32_at, u64_at};
use crate::state::{fatal, open_dir};

const MAGIC: [u8; 8] = *b"synodsnp";
const HEAD: usize = 48;
/// Bytes that opening reads at a time.
const CHUNK: usize = 1 << 20;

/// A [`SnapshotStore`] in a directory of its own. Opening verifies the whole snapshot, 1 MiB in memory at a time.
/// After a failed write or sync the store has failed for good.
pub struct FileSnapshotStore {
    files: Arc<dyn Files>,
    dir: PathBuf,
    limit: u64,
    newest: Option<(SnapshotMeta, Arc<dyn Handle>)>,
    incoming: Option<Incoming>,
    failed: Option<String>,
    _lock: Box<dyn Send + Sync>,
}

struct Incoming {
    at: Position,
    file: Arc<dyn Handle>,
    len: u64,
    checksum: u32,
}

impl FileSnapshotStore {
    /// Opens the directory, or makes it, for snapshots of up to `limit` bytes.
    ///
    /// # Errors
    /// [`WalError::Corrupt`] when the snapshot is damaged; [`WalError::Locked`]; [`WalError::Io`].
    pub fn open(dir: impl AsRef<Path>, limit: u64) -> Result<Self, WalError> {
        Self::over(Arc::new(RealFiles), dir.as_ref(), limit)
    }

    pub(crate) fn over(files: Arc<dyn Files>, dir: &Path, limit: u64) -> Result<Self, WalError> {
        let lock = open_dir(&*files, dir)?;
        let path = dir.join("snapshot");
        let newest = match files.open(&path) {
            Ok(file) => Some((verify(&path, &*file)?, file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(WalError::io(format!("opening {}", path.display()))(error)),
        };
        Ok(Self { files, dir: dir.into(), limit, newest, incoming: None, failed: None, _lock: lock })
    }

    fn check_alive(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |reason| Err(StoreError::Fatal(reason.clone())))
    }

    /// Fails for good.
    fn fail(&mut self, error: &std::io::Error) -> StoreError {
        let error = fatal(&self.dir, error);
        self.failed = Some(error.to_string());
        error
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("incoming.tmp")
    }
}

/// Reads all of it.
fn verify(path: &Path, file: &dyn Handle) -> Result<SnapshotMeta, WalError> {
    let what = || format!("reading {}", path.display());
    let damaged =
        |from: u64, to: u64, reason| WalError::Corrupt(Damage { file: path.into(), from, to, reason });
    let mut head = [0; HEAD];
    let got = file.read_at(&mut head, 0).map_err(WalError::io(what()))?;
    let meta =
        decode(&head).filter(|_| got == HEAD).ok_or_else(|| damaged(0, HEAD as u64, "not a snapshot"))?;
    let end = (HEAD as u64).saturating_add(meta.len);
    let mut chunk = vec![0; CHUNK];
    let (mut done, mut checksum) = (0u64, 0);
    while done < meta.len {
        let want = usize::try_from(meta.len - done).unwrap_or(CHUNK).min(CHUNK);
        let part = chunk.get_mut(..want).unwrap_or_default();
        let got = file.read_at(part, HEAD as u64 + done).map_err(WalError::io(what()))?;
        if got < want {
            return Err(damaged(HEAD as u64 + done + got as u64, end, "the file ends too early"));
        }
        checksum = crc32c::crc32c_append(checksum, part);
        done += want as u64;
    }
    if checksum != meta.checksum {
        return Err(damaged(HEAD as u64, end, "the content is damaged"));
    }
    Ok(meta)
}

fn encode(meta: &SnapshotMeta) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    put(&mut head, 0, &MAGIC);
    put(&mut head, 12, &meta.checksum.to_le_bytes());
    put(&mut head, 16, &meta.at.term.get().to_le_bytes());
    put(&mut head, 24, &meta.at.index.get().to_le_bytes());
    put(&mut head, 32, &meta.len.to_le_bytes());
    let crc = crc32c::crc32c(head.get(12..).unwrap_or_default());
    put(&mut head, 8, &crc.to_le_bytes());
    head
}

fn decode(head: &[u8; HEAD]) -> Option<SnapshotMeta> {
    let whole = head.starts_with(&MAGIC) && u32_at(head, 8)? == crc32c::crc32c(head.get(12..)?);
    let meta =
        SnapshotMeta { at: position_at(head, 16)?, len: u64_at(head, 32)?, checksum: u32_at(head, 12)? };
    whole.then_some(meta)
}

impl SnapshotStore for FileSnapshotStore {
    fn newest(&self) -> Result<Option<SnapshotMeta>, StoreError> {
        self.check_alive()?;
        Ok(self.newest.as_ref().map(|(meta, _)| *meta))
    }

    fn read_chunk(&self, offset: u64, max_bytes: usize) -> Result<Bytes, StoreError> {
        self.check_alive()?;
        let found = self.newest.as_ref().filter(|(meta, _)| offset <= meta.len);
        let Some((meta, file)) = found else {
            return Err(StoreError::Misuse("a chunk outside the snapshot"));
        };
        let left = usize::try_from(meta.len - offset).unwrap_or(usize::MAX);
        let mut chunk = vec![0; left.min(max_bytes)];
        match file.read_at(&mut chunk, HEAD as u64 + offset) {
            Ok(got) if got == chunk.len() => Ok(chunk.into()),
            Ok(_) => Err(fatal(&self.dir, "the snapshot ends too early")),
            Err(error) => Err(fatal(&self.dir, error)),
        }
    }

    fn begin(&mut self, at: Position) -> Result<(), StoreError> {
        self.check_alive()?;
        let made = self.files.create(&self.temporary(), 0);
        let file = made.map_err(|error| self.fail(&error))?;
        self.incoming = Some(Incoming { at, file, len: 0, checksum: 0 });
        Ok(())
    }

    fn write_chunk(&mut self, offset: u64, chunk: &[u8]) -> Result<(), StoreError> {
        self.check_alive()?;
        let Some(incoming) = &mut self.incoming else {
            return Err(StoreError::Misuse("no snapshot is being taken in"));
        };
        let Some(fresh) = fresh_part(incoming.len, offset, chunk, self.limit)? else { return Ok(()) };
        if let Err(error) = incoming.file.write_at(fresh, HEAD as u64 + incoming.len) {
            return Err(self.fail(&error));
        }
        incoming.len += fresh.len() as u64;
        incoming.checksum = crc32c::crc32c_append(incoming.checksum, fresh);
        Ok(())
    }

    fn install(&mut self, len: u64, checksum: u32) -> Result<SnapshotMeta, StoreError> {
        self.check_alive()?;
        let Some(Incoming { at, file, len: got, checksum: sum }) = self.incoming.take() else {
            return Err(StoreError::Misuse("no snapshot is being taken in"));
        };
        let meta = SnapshotMeta { at, len, checksum };
        let found = SnapshotMeta { at, len: got, checksum: sum };
        check_install(&meta, &found, self.newest.as_ref().map(|(newest, _)| newest))?;
        let installed = file
            .write_at(&encode(&meta), 0)
            .and_then(|()| file.sync_data())
            .and_then(|()| self.files.rename(&self.temporary(), &self.dir.join("snapshot")))
            .and_then(|()| self.files.sync_dir(&self.dir));
        installed.map_err(|error| self.fail(&error))?;
        self.newest = Some((meta, file));
        Ok(meta)
    }

    fn abandon(&mut self) -> Result<(), StoreError> {
        self.check_alive()?;
        if self.incoming.take().is_some() {
            let removed = self.files.remove(&self.temporary());
            removed.map_err(|error| self.fail(&error))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for FileSnapshotStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSnapshotStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}
