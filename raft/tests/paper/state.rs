//! Figure 2, "State".

use crate::common::*;
use synod_raft::{Config, Raft, RestoreError};
use synod_transport::ids::{NodeId, Term};
use synod_transport::machine::Role;
use synod_transport::quorum::{Members, Static};
use synod_transport::store::LogSummary;

/// Figure 2, state: currentTerm starts at 0, votedFor at null, the log empty, commitIndex and lastApplied at 0.
#[test]
fn a_first_boot_starts_from_nothing() {
    let node = node(1).start();
    assert_eq!((node.role(), node.term(), node.vote(), node.last()), (Role::Follower, 0, None, (0, 0)));
    assert_eq!((node.commit(), node.apply_through()), (0, 0));
}

/// Figure 2, persistent state: currentTerm, votedFor and log[] survive a restart.
#[test]
fn term_vote_and_log_survive_a_crash() {
    let mut node = node(1).start();
    node.deliver(2, append(3, (0, 0), &[1, 2, 3], 0));
    node.deliver(3, vote(4, (9, 9)));
    node.now = node.now.plus(std::time::Duration::from_secs(1));
    node.deliver(3, vote(4, (9, 9)));
    node.persist();
    let again = node.crash();
    assert_eq!((again.term(), again.vote(), again.log()), (4, Some(3), vec![1, 2, 3]));
    assert_eq!(again.role(), Role::Follower);
}

/// Figure 2, persistent state: "updated on stable storage before responding to RPCs". What was not yet durable is gone
/// after a crash, and so is every answer that rested on it.
#[test]
fn what_a_crash_takes_was_never_promised() {
    let mut node = node(1).start();
    let out = node.deliver(2, append(3, (0, 0), &[3], 0));
    assert!(out.send.is_empty(), "an answer before the disk: {out:?}");
    assert_eq!(out.sealed, [out.write_id()]);
    let mut again = node.crash();
    assert_eq!((again.term(), again.log(), again.sealed()), (0, vec![], 0));
    assert!(again.persist().opened.is_empty());
}

/// Figure 2, persistent state: an answer leaves with the receipt of its write, not with that of an earlier one.
#[test]
fn an_answer_waits_for_its_own_write() {
    let mut node = node(1).start();
    node.deliver(2, append(1, (0, 0), &[1], 0));
    node.deliver(2, append(1, (1, 1), &[1], 0));
    assert_eq!(node.persist_one().opened, [(2, appended(1, 1))]);
    assert_eq!(node.persist_one().opened, [(2, appended(1, 2))]);
}

/// Figure 2, persistent state: term, vote and entries of one step are one write, so that no crash parts them.
#[test]
fn a_step_writes_once() {
    let mut node = node(1).log(&[1, 2, 2]).start();
    let out = node.deliver(2, append(3, (1, 1), &[3], 0));
    assert_eq!(out.ballot(), Some((3, None)));
    assert_eq!((out.truncated(), out.appended()), (Some(2), vec![(3, 2)]));
    node.persist();
    assert_eq!(node.disk.log, [1, 3]);
}

/// Figure 2, persistent state: currentTerm "increases monotonically".
#[test]
fn the_term_never_falls() {
    let mut node = node(1).plain().start();
    let mut highest = 0;
    for term in [3, 1, 7, 2, 7, 0, 8, 5] {
        node.deliver(2, heartbeat(term, 0, 0));
        node.deliver(3, vote(term, (0, 0)));
        highest = highest.max(term);
        assert_eq!(node.term(), highest);
    }
}

/// Figure 2, persistent state: votedFor is the candidate of the *current* term, null in a new one.
#[test]
fn a_new_term_begins_without_a_vote() {
    let mut node = node(1).ballot(4, Some(2)).start();
    let out = node.deliver(3, heartbeat(5, 0, 0));
    assert_eq!(out.ballot(), Some((5, None)));
    assert_eq!(node.vote(), None);
}

/// Figure 2, persistent state: the log's "first index is 1".
#[test]
fn the_first_entry_stands_at_one() {
    let mut leader = node(1).start();
    let out = leader.elect();
    assert_eq!(out.appended(), [(1, 1)]);
}

/// Figure 2, volatile state: commitIndex starts at 0 again after a restart, whatever was committed before.
#[test]
fn the_commit_index_is_forgotten_in_a_crash() {
    let mut node = node(1).start();
    node.deliver(2, append(1, (0, 0), &[1, 1], 2));
    node.persist();
    assert_eq!(node.commit(), 2);
    let mut again = node.crash();
    assert_eq!((again.commit(), again.apply_through()), (0, 0));
    again.deliver(2, append(1, (1, 2), &[1], 2));
    assert_eq!(again.commit(), 2, "and is learnt anew");
}

/// Figure 2, volatile state: commitIndex and lastApplied increase monotonically.
#[test]
fn the_commit_index_never_falls() {
    let mut node = node(1).start();
    node.deliver(2, append(1, (0, 0), &[1, 1, 1], 3));
    node.persist();
    node.deliver(2, append(1, (0, 0), &[1], 1));
    node.deliver(2, heartbeat(1, 0, 0));
    assert_eq!((node.commit(), node.apply_through()), (3, 3));
}

/// Figure 2, volatile state on leaders: nextIndex starts at the leader's last log index + 1.
#[test]
fn a_new_leader_first_sends_what_follows_its_old_log() {
    let mut leader = node(1).log(&[1, 1, 2]).start();
    let out = leader.elect();
    assert_eq!(out.to(2), [append(3, (2, 3), &[3], 0)]);
    assert_eq!(out.to(3), [append(3, (2, 3), &[3], 0)]);
}

/// Figure 2, volatile state on leaders: matchIndex starts at 0, for the leader itself at what its disk holds.
#[test]
fn a_new_leader_knows_nothing_of_the_others() {
    let mut leader = node(1).log(&[1, 1, 2]).start();
    leader.elect();
    assert_eq!(leader.matched(), [3, 0, 0]);
}

/// Figure 2, volatile state on leaders: "reinitialized after election".
#[test]
fn progress_of_an_earlier_leadership_is_forgotten() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    assert_eq!(leader.matched(), [1, 1, 0]);
    leader.deliver(3, outdated(5));
    leader.persist();
    leader.elect();
    assert_eq!((leader.term(), leader.matched()), (6, vec![1, 0, 0]));
}

/// Figure 2, state: a node whose stored log is ahead of its stored term lost a write; it does not start.
#[test]
fn a_disk_that_lost_its_term_is_refused() {
    let mut stored = LogSummary::default();
    stored.push(Term::new(4));
    let history = Static::new(Members::new([NodeId::new(1)]).unwrap());
    let refused = Raft::new(Config::new(NodeId::new(1)), history, &stored);
    assert_eq!(refused.map(|_| ()), Err(RestoreError::TermBehindLog));
}
