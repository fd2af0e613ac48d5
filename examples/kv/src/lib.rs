#![doc = include_str!("../README.md")]
//!
//! # The state machine alone
//! ```
//! use bytes::Bytes;
//! use synod_kv::command::{Change, Command, Expect, RequestId};
//! use synod_kv::reply::Reply;
//! use synod_kv::service::KeyValue;
//! use synod_transport::ids::LogIndex;
//!
//! let mut map = KeyValue::new();
//! assert_eq!(map.execute(LogIndex::new(1), Command::Open.encode()), Reply::Opened(1));
//! let put = Command::Change(Change {
//!     request: Some(RequestId { client: 1, number: 1 }),
//!     expect: Expect::Absent,
//!     key: Bytes::from("greeting"),
//!     value: Some(Bytes::from("hello")),
//! });
//! assert_eq!(map.execute(LogIndex::new(2), put.encode()), Reply::Stored(2));
//! // A retry stands in the log a second time, and is answered alike.
//! assert_eq!(map.execute(LogIndex::new(3), put.encode()), Reply::Stored(2));
//! ```

pub mod client;
pub mod command;
pub mod config;
pub mod http;
pub mod reply;
pub mod server;
pub mod service;
pub mod sessions;
pub mod status;
mod trace;
