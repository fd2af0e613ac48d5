//! The seams of Synod: what protocols, drivers, networks and disks say to each other.
//!
//! A protocol is a pure [`Machine`](machine::Machine): an input and the time go in, effects come out. A driver carries
//! the effects out over a [`Transport`](net::Transport) and a [`LogStore`](store::LogStore). This crate holds the
//! traits, the words they share and reference implementations in memory; it starts no thread and needs no runtime.
//!
//! ```
//! use std::task::{Context, Poll, Waker};
//! use synod_transport::ids::{Position, WriteId};
//! use synod_transport::log::Entry;
//! use synod_transport::store::{Batch, LogStore, MemLogStore, Sealed};
//!
//! let mut store = MemLogStore::with_manual_sync();
//! let mut entries = vec![Entry { position: Position::new(1, 1), ..Entry::default() }];
//! let id = WriteId::new(1);
//! store.submit(Batch { id, truncate_from: None, append: &mut entries, hard_state: None, purge_through: None })?;
//!
//! // An acknowledgement that depends on the write stays sealed until the store attests it.
//! let ack = Sealed::new(id, "stored");
//! let mut cx = Context::from_waker(Waker::noop());
//! assert!(store.poll_durable(&mut cx).is_pending());
//! store.sync();
//! let Poll::Ready(receipt) = store.poll_durable(&mut cx) else { panic!("synced") };
//! assert_eq!(ack.open(&receipt?), Ok("stored"));
//! # Ok::<(), synod_transport::store::StoreError>(())
//! ```
//!
//! In reading order: [`ids`] and [`time`], [`log`], [`wire`]; the seams [`net`], [`store`], [`quorum`], [`machine`];
//! then [`host`], which every driver sits on, [`trace`], and [`explore`], what a machine offers to those who visit all its
//! states. [`rng`] is the seeded generator that stands in for chance.
//! With the feature `testing`, `testing` holds conformance suites for implementers.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod explore;
pub mod host;
pub mod ids;
pub mod log;
pub mod machine;
pub mod net;
pub mod quorum;
pub mod rng;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod trace;
pub mod wire;
