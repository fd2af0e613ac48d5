#![doc = include_str!("../README.md")]
//!
//! # Modules
//! In reading order: [`config`](Config), [`message`](Message), [`fault`] (deviations that only tests can switch on);
//! inside, `core` holds the state and the order of a step, `election`, `replication` and `reads` the rules of the paper,
//! `term_log` and `progress` the two data structures, `observe` what traces and checkers see of them.

mod config;
mod core;
mod durable;
mod election;
mod explore;
pub mod fault;
mod message;
mod observe;
mod progress;
mod reads;
mod replication;
mod term_log;
#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError, RestoreError};
pub use core::{Command, Raft};
pub use durable::Ballot;
pub use message::Message;
pub use term_log::TermLog;
