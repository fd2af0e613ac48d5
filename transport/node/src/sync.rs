//! The channels between handles and their driver: tokio's, or under `--cfg synod_loom` stand-ins whose interleavings
//! loom sees. The status goes through tokio's either way: it is a value that is overwritten, and nothing hangs on it.

#[cfg(synod_loom)]
mod channels;

#[cfg(synod_loom)]
pub(crate) use channels::{Semaphore, mpsc, oneshot};
#[cfg(not(synod_loom))]
pub(crate) use tokio::sync::{Semaphore, mpsc, oneshot};
