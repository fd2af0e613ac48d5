//! The locks of what threads share: the standard library's, or those of loom under `--cfg synod_loom`.

#[cfg(synod_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(synod_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
