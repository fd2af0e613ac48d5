//! Nodes of the processes of one host: a folder of lock files, of which the kernel knows who has them.
//!
//! The lock is advisory (`flock`) and belongs to the open file, not to its name: when a process ends, however it ends, the
//! kernel lets go, and a file that stays behind is nobody's. So files are never removed; removing one that is locked would
//! let two processes have one node. A child of `fork` inherits the open file: it neither holds the node nor lets go of it,
//! but if it outlives its parent, the node stays taken until it ends.

use alloc::format;
use alloc::string::String;
use core::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::layout::Layout;
use crate::node::{Hold, NodeError, NodeId};
use crate::process::Process;

/// Why no node was locked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Other processes have all of the nodes, or the range holds none.
    #[error("no node from {first} to {last} is free")]
    AllTaken {
        /// The first that was tried.
        first: u32,
        /// The last.
        last: u32,
    },
    /// The range holds numbers that are no nodes of the layout.
    #[error(transparent)]
    Range(#[from] NodeError),
    /// The folder is not there, or may not be written, or its file system has no locks.
    #[error("the lock file {path}: {error}")]
    System {
        /// Which file.
        path: String,
        /// What the system says.
        error: String,
    },
}

/// A node that this process has locked, until it is dropped or the process ends.
///
/// Keep the folder on a local disk, where nothing cleans up: `/run` or `/var/lib`, not `/tmp`. The lock says who has a
/// node now, not which ids it gave before: keep its ceiling beside it, in a store of the node's own.
///
/// ```
/// use synod_idgen::generator::Generator;
/// use synod_idgen::keeper::{Keeper, KeeperOptions};
/// use synod_idgen::{layout::Twitter, machine::NodeLock, wall::System};
/// # let temporary = tempfile::tempdir()?;
/// # let folder = temporary.path();
///
/// let lock = NodeLock::<Twitter>::acquire(folder, 0..=1023)?;
/// let node = lock.node();
/// let store = synod_wal::FileStateStore::open(folder.join(format!("node-{node}")))?; // locked too: a folder for each node
/// let keeper = Keeper::start(Generator::builder(node).hold(lock), System, store, KeeperOptions::of_node(node))?;
/// assert_eq!(keeper.generator().next()?.node().get(), 0);
/// assert_eq!(NodeLock::<Twitter>::acquire(folder, 0..=1023)?.node().get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NodeLock<L: Layout> {
    node: NodeId<L>,
    path: PathBuf,
    file: OwnedFd,
    process: Process,
}

impl<L: Layout> NodeLock<L> {
    /// Locks the first free node of the range. Never waits.
    ///
    /// # Errors
    /// Any [`LockError`].
    pub fn acquire(folder: impl AsRef<Path>, nodes: RangeInclusive<u32>) -> Result<Self, LockError> {
        let (first, last) = (*nodes.start(), *nodes.end());
        NodeId::<L>::try_from(last)?;
        for number in nodes {
            let node = NodeId::try_from(number)?;
            let path = folder.as_ref().join(format!("node-{number}.lock"));
            let locked = lock(&path).map_err(|error| LockError::System {
                path: path.display().to_string(),
                error: std::io::Error::from(error).to_string(),
            })?;
            if let Some(file) = locked {
                return Ok(Self { node, path, file, process: Process::current() });
            }
        }
        Err(LockError::AllTaken { first, last })
    }

    /// Which node.
    pub fn node(&self) -> NodeId<L> {
        self.node
    }

    /// Whether the locked file still stands under its name. If not, somebody removed it, and another process may lock
    /// another file of that name: stop, and see who cleans up there. Two calls of the system.
    pub fn is_in_place(&self) -> bool {
        is_named(&self.file, &self.path) == Ok(true)
    }
}

impl<L: Layout> Hold for NodeLock<L> {
    /// By the process that locked it, not by its children.
    #[inline]
    fn is_held(&self) -> bool {
        !self.process.is_another()
    }
}

impl<L: Layout> Drop for NodeLock<L> {
    /// Lets go, even while a child has the file open; a child only closes it.
    fn drop(&mut self) {
        if self.is_held() {
            let _closing_does_it_too = fs::flock(&self.file, FlockOperation::Unlock);
        }
    }
}

/// The file, locked, or none when somebody else has it.
fn lock(path: &Path) -> Result<Option<OwnedFd>, Errno> {
    loop {
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = fs::open(path, flags, Mode::from_raw_mode(0o644))?;
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error),
        }
        // Somebody may have removed the file since it was opened.
        if is_named(&file, path)? {
            return Ok(Some(file));
        }
    }
}

fn is_named(file: &OwnedFd, path: &Path) -> Result<bool, Errno> {
    let own = fs::fstat(file)?;
    match fs::stat(path) {
        Ok(named) => Ok((own.st_dev, own.st_ino) == (named.st_dev, named.st_ino)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}
