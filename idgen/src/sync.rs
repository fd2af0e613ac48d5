//! The atomics of what threads share: the core library's, or those of loom under `--cfg synod_loom`.

#[cfg(not(synod_loom))]
#[allow(unused_imports, reason = "what a module takes from here differs by feature")]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(synod_loom)]
#[allow(unused_imports, reason = "what a module takes from here differs by feature")]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
