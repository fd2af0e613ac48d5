//! Small named values, a file each.
//!
//! ```text
//! NAME.state   0 8  magic "synodval"
//!              8 4  length of the value
//!             12 4  CRC-32C of the name, the length and the value
//!             16    value
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use synod_transport::store::state::check_name;
use synod_transport::store::{StateStore, StoreError};

use crate::error::WalError;
use crate::files::{Files, RealFiles};
use crate::format::u32_at;

const MAGIC: [u8; 8] = *b"synodval";
const HEAD: usize = 16;
/// The longest value, in bytes.
const LIMIT: usize = 16 << 20;

/// A [`StateStore`] in a directory of its own. A value is written beside the old one, synced, and takes its name;
/// then the directory is synced. After a failure to do so the store has failed for good.
pub struct FileStateStore {
    files: Arc<dyn Files>,
    dir: PathBuf,
    failed: Option<String>,
    _lock: Box<dyn Send + Sync>,
}

impl FileStateStore {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// [`WalError::Locked`] or [`WalError::Io`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, WalError> {
        Self::over(Arc::new(RealFiles), dir.as_ref())
    }

    pub(crate) fn over(files: Arc<dyn Files>, dir: &Path) -> Result<Self, WalError> {
        let lock = open_dir(&*files, dir)?;
        Ok(Self { files, dir: dir.into(), failed: None, _lock: lock })
    }
}

/// Makes and locks a directory, removes what was left half made, and makes the names in it durable.
pub(crate) fn open_dir(files: &dyn Files, dir: &Path) -> Result<Box<dyn Send + Sync>, WalError> {
    let what = |what: &str| format!("{what} {}", dir.display());
    files.create_dir(dir).map_err(WalError::io(what("making")))?;
    let lock = files.lock(dir).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => WalError::Locked(dir.into()),
        _ => WalError::io(what("locking"))(error),
    })?;
    for name in files.list(dir).map_err(WalError::io(what("listing")))? {
        if name.ends_with(".tmp") {
            files.remove(&dir.join(&name)).map_err(WalError::io(format!("removing {name}")))?;
        }
    }
    files.sync_dir(dir).map_err(WalError::io(what("syncing")))?;
    Ok(lock)
}

fn crc(name: &str, value: &[u8]) -> u32 {
    let len = u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes();
    [name.as_bytes(), &len, value].iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

pub(crate) fn fatal(path: &Path, what: impl std::fmt::Display) -> StoreError {
    StoreError::Fatal(format!("{}: {what}", path.display()))
}

impl StateStore for FileStateStore {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        check_name(name)?;
        if let Some(reason) = &self.failed {
            return Err(StoreError::Fatal(reason.clone()));
        }
        let path = self.dir.join(format!("{name}.state"));
        let file = match self.files.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fatal(&path, error)),
        };
        let len = file.len().map_err(|error| fatal(&path, error))?;
        let len = usize::try_from(len).ok().filter(|len| (HEAD..=HEAD + LIMIT).contains(len));
        let mut bytes = vec![0; len.ok_or_else(|| fatal(&path, "not a value"))?];
        let got = file.read_at(&mut bytes, 0).map_err(|error| fatal(&path, error))?;
        let bytes = Bytes::from(bytes);
        let value = bytes.slice(HEAD..);
        let whole = got == bytes.len()
            && bytes.starts_with(&MAGIC)
            && u32_at(&bytes, 8).is_some_and(|len| len as usize == value.len())
            && u32_at(&bytes, 12) == Some(crc(name, &value));
        if whole { Ok(Some(value)) } else { Err(fatal(&path, "the value is damaged")) }
    }

    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        check_name(name)?;
        if value.len() > LIMIT {
            return Err(StoreError::Misuse("a value of more than 16 MiB"));
        }
        if let Some(reason) = &self.failed {
            return Err(StoreError::Fatal(reason.clone()));
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&crc(name, value).to_le_bytes());
        bytes.extend_from_slice(value);
        let path = self.dir.join(format!("{name}.state"));
        let done = replace(&*self.files, &self.dir, &path, &bytes);
        done.map_err(|error| {
            let error = fatal(&path, error);
            self.failed = Some(error.to_string());
            error
        })
    }
}

/// Gives `path` this content, whole or not at all, durable on return.
pub(crate) fn replace(files: &dyn Files, dir: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.to_path_buf().into_os_string();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let file = files.create(&temporary, 0)?;
    file.write_at(bytes, 0)?;
    file.sync_data()?;
    files.rename(&temporary, path)?;
    files.sync_dir(dir)
}

impl std::fmt::Debug for FileStateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileStateStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}
