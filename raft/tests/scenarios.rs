//! Faults that real systems had, as scripts against one node or a small world. The number in a test's name is that of
//! `README.md` beside this file, which says where the scenarios come from and which cannot occur yet.
//!
//! A script gives an error as soon as something unsafe happened. Where `raft/src/fault.rs` can plant the fault, the same
//! script must pass with the sound machine and fail with the planted one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

#[path = "scenarios/liveness.rs"]
mod liveness;
#[path = "scenarios/log.rs"]
mod log;
#[path = "scenarios/reads.rs"]
mod reads;
#[path = "scenarios/votes.rs"]
mod votes;
#[path = "scenarios/world.rs"]
mod world;

use std::error::Error;

use synod_raft::fault::{Fault, Planted};

/// What a script ends with: an error names what went wrong.
type Verdict = Result<(), Box<dyn Error>>;

/// A course of events for machines with these faults.
type Script = fn(Planted) -> Verdict;

/// An error unless it holds.
fn require(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// The script goes well with a sound machine.
fn sound(script: Script) {
    if let Err(what) = script(Planted(None)) {
        panic!("a sound machine fails: {what}");
    }
}

/// The script goes well with a sound machine, and goes wrong with this fault.
fn finds(fault: Fault, script: Script) {
    sound(script);
    assert!(script(Planted(Some(fault))).is_err(), "the script does not notice {}", fault.name());
}

/// Every fault and the script that finds it.
const FINDERS: &[(Fault, Script)] = &[
    (Fault::VoteNotPersisted, votes::a_crash_between_any_two_writes),
    (Fault::AckBeforeSync, log::a_crash_after_an_acknowledgement),
    (Fault::SelfAckBeforeSync, log::a_crash_of_a_leader_that_committed),
    (Fault::CommitOlderTerm, log::figure_8),
    (Fault::TruncateUnconditionally, log::an_old_append_overtaken_by_a_newer),
    (Fault::CountDuplicateVotes, votes::one_vote_three_times),
    (Fault::ReadWithoutQuorum, reads::a_read_nobody_confirms),
    (Fault::ReadBeforeOwnCommit, reads::a_read_right_after_the_election),
    (Fault::ReuseReadToken, reads::a_retried_read_and_a_late_answer),
    (Fault::IgnoreLogInVote, votes::last_positions_in_lexicographic_order),
    (Fault::ForgetVote, votes::stepping_down_within_a_term),
    (Fault::DenialCountsAsVote, votes::a_denied_vote),
    (Fault::HintCountsAsMatch, log::a_refusal_with_a_hint),
    (Fault::CommitBeyondMatch, log::a_commit_index_beyond_what_was_compared),
    (Fault::SkipPreviousCheck, log::an_append_behind_another_entry),
    (Fault::StaleDurableIndex, log::a_receipt_of_a_replaced_entry),
    (Fault::CompareLengthFirst, votes::last_positions_in_lexicographic_order),
];

/// Faults that no script below plants: they need a course of many nodes, which simulated worlds and the explorer find
/// (`synod-raft-check`, `registry`).
const LEFT_TO_WORLDS: &[Fault] = &[
    Fault::LeaderTruncates,
    Fault::TermNotPersisted,
    Fault::OldAcknowledgementCounts,
    Fault::QuorumOffByOne,
];

#[test]
fn every_planted_fault_is_found_by_a_script() {
    for fault in Fault::ALL.iter().filter(|fault| !LEFT_TO_WORLDS.contains(fault)) {
        let finders: Vec<Script> =
            FINDERS.iter().filter(|(planted, _)| planted == fault).map(|(_, script)| *script).collect();
        assert!(!finders.is_empty(), "no script finds {}", fault.name());
        finders.into_iter().for_each(|script| finds(*fault, script));
    }
}
