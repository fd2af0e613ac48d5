//! One test per sentence of the Raft paper (Ongaro, Ousterhout: "In Search of an Understandable Consensus Algorithm",
//! extended version) and of the parts of Ongaro's thesis that the core implements.
//!
//! Each test's comment names the section and the sentence in short. `README.md` beside this file lists the sentences
//! without a test, and why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

#[path = "paper/append_entries.rs"]
mod append_entries;
#[path = "paper/clients.rs"]
mod clients;
#[path = "paper/elections.rs"]
mod elections;
#[path = "paper/replication.rs"]
mod replication;
#[path = "paper/request_vote.rs"]
mod request_vote;
#[path = "paper/safety.rs"]
mod safety;
#[path = "paper/servers.rs"]
mod servers;
#[path = "paper/state.rs"]
mod state;
#[path = "paper/thesis.rs"]
mod thesis;
