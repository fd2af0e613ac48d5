//! The atomics of what threads share: the core library's, or those of loom under `--cfg synod_loom`.

#[cfg(not(synod_loom))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(synod_loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
