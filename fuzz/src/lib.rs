//! What the fuzzers run: one function per target, from bytes to nothing, that panics when a property does not hold.
//!
//! The fuzzers in `fuzz_targets/` are one line each; the same functions are run by `tests/replay.rs`, on the stable
//! compiler, over the seeds and over everything that ever found something (`regressions/TARGET/`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target reports by a panic")]

pub mod clock;
// Two files of the key-value service: its package brings an HTTP stack that no decoder needs.
#[path = "../../examples/kv/src/command.rs"]
pub mod command;
pub mod ids;
pub mod itc;
pub mod kv;
pub mod machine;
pub mod messages;
#[path = "../../examples/kv/src/reply.rs"]
pub mod reply;
mod tape;
pub mod tcp;
pub mod wal;
pub mod wal_seal;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the file in `fuzz_targets/` and of the folders of its inputs.
    pub name: &'static str,
    /// Runs it on one input. Panics when a property does not hold.
    pub run: fn(&[u8]),
    /// Inputs to start from, made of valid encodings.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "wire_reader", run: messages::wire_reader, seeds: messages::wire_reader_seeds },
    Target { name: "raft_message", run: messages::raft_message, seeds: messages::raft_message_seeds },
    Target { name: "host_frame", run: messages::host_frame, seeds: messages::host_frame_seeds },
    Target { name: "raft_ballot", run: messages::raft_ballot, seeds: messages::raft_ballot_seeds },
    Target { name: "raft_machine", run: machine::raft_machine, seeds: machine::raft_machine_seeds },
    Target { name: "wal_recovery", run: wal::wal_recovery, seeds: wal::wal_recovery_seeds },
    Target { name: "wal_state", run: wal::wal_state, seeds: wal::wal_state_seeds },
    Target { name: "wal_snapshot", run: wal::wal_snapshot, seeds: wal::wal_snapshot_seeds },
    Target { name: "tcp_hello", run: tcp::tcp_hello, seeds: tcp::tcp_hello_seeds },
    Target { name: "tcp_frames", run: tcp::tcp_frames, seeds: tcp::tcp_frames_seeds },
    Target { name: "kv_command", run: kv::kv_command, seeds: kv::kv_command_seeds },
    Target { name: "ntp_datagrams", run: clock::ntp_datagrams, seeds: clock::ntp_datagrams_seeds },
    Target { name: "clock_bound_page", run: clock::clock_bound_page, seeds: clock::clock_bound_page_seeds },
    Target { name: "kv_reply", run: kv::kv_reply, seeds: kv::kv_reply_seeds },
    Target { name: "itc_stamp", run: itc::itc_stamp, seeds: itc::itc_stamp_seeds },
    Target { name: "id_text", run: ids::id_text, seeds: ids::id_text_seeds },
];
