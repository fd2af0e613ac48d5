//! Where a node's number comes from, so that no two generators have one at once.
//!
//! | | who sees to it that a number is one process's alone | what happens when clocks go back between two processes |
//! |---|---|---|
//! | [`NodeId::new`](crate::node::NodeId::new) | whoever writes configurations | a [`Keeper`](crate::keeper::Keeper) |
//! | [`from_text`], [`from_environment`] | the orchestrator: ordinals of pods | a keeper on a disk that moves with the ordinal |
//! | [`NodeLock`]: a folder of lock files | the kernel, among processes of one host | a keeper for each node, on the same disk |
//! | [`Granted`]: a lease | a grantor, through [`NodeGrants`] | the grantor's record of ceilings |
//!
//! Each of the last two is a [`Hold`](crate::node::Hold): the generator asks it before each id. Never from a MAC or an IP
//! address: virtual machines share the one, networks reuse the other, and neither fits ten bits.

mod grant;
mod granted;
#[cfg(unix)]
mod lock;
mod memory;
mod text;
#[cfg(test)]
mod threads;
mod uptime;

pub use grant::{Grant, GrantHold, NodeGrants};
pub use granted::{GrantOptions, Granted, GrantedError};
#[cfg(unix)]
pub use lock::{LockError, NodeLock};
pub use memory::{MemGrants, MemGrantsError};
pub use text::{TextError, from_environment, from_text};
#[cfg(target_os = "linux")]
pub use uptime::CoarseUptime;
pub use uptime::{Monotonic, Uptime};
