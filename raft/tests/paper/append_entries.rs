//! Figure 2, "AppendEntries RPC". One-way messages stand for its results: `Appended` for success, `Conflict` for a
//! refusal by rule 2, `Outdated` for one by rule 1.

use crate::common::*;
use synod_transport::ids::NodeId;
use synod_transport::machine::{Event, Fatal, Refusal, Role};
use synod_transport::store::Body;

/// Rule 1: "reply false if term < currentTerm". Nothing else happens, and the election timer runs on.
#[test]
fn rule_1_an_earlier_term_is_refused() {
    let mut node = node(1).log(&[1, 2]).ballot(5, None).start();
    let wait = node.wait();
    for message in [append(4, (2, 2), &[4], 2), heartbeat(4, 2, 1)] {
        let out = node.deliver(2, message);
        assert_eq!(out.send, [(2, outdated(5))]);
        assert!(out.write.is_none() && out.events.is_empty());
    }
    assert_eq!((node.log(), node.commit(), node.raft.leader()), (vec![1, 2], 0, None));
    assert_eq!(node.wait(), wait);
}

/// Results: the term is there "for leader to update itself"; a term not yet durable is not told.
#[test]
fn the_refusal_carries_the_term_and_updates_the_leader() {
    let mut follower = node(2).start();
    follower.deliver(3, heartbeat(5, 0, 0));
    let out = follower.deliver(1, append(1, (0, 0), &[1], 0));
    assert!(out.send.is_empty() && out.sealed.len() == 1, "term 5 is on no disk yet");
    assert_eq!(follower.persist().opened.last(), Some(&(1, outdated(5))));

    let mut leader = node(1).lead();
    leader.deliver(2, outdated(5));
    assert_eq!((leader.role(), leader.term()), (Role::Follower, 5));
}

/// Rule 2: "reply false if log doesn't contain an entry at prevLogIndex": the log is too short.
#[test]
fn rule_2_a_missing_previous_entry_is_refused() {
    let mut node = node(1).log(&[1]).start();
    let out = node.deliver(2, append(1, (1, 3), &[1], 3));
    assert_eq!(out.send, [(2, conflict(1, 3, (1, 1)))]);
    assert!(out.write.is_none());
    assert_eq!((node.log(), node.commit()), (vec![1], 0), "and nothing is committed by it");
}

/// Rule 2: "... whose term matches prevLogTerm": the entry there is another one.
#[test]
fn rule_2_another_previous_entry_is_refused() {
    let mut node = node(1).log(&[1, 1, 2, 2]).ballot(4, None).start();
    let out = node.deliver(2, append(4, (3, 4), &[4], 4));
    assert_eq!(out.send, [(2, conflict(4, 4, (2, 3)))]);
    assert!(out.write.is_none());
    assert_eq!(node.log(), [1, 1, 2, 2], "rule 2 alone deletes nothing");
}

/// Rule 2: the empty prefix is in every log: index 0 always matches.
#[test]
fn rule_2_the_place_before_the_log_always_matches() {
    let mut node = node(1).start();
    let out = node.deliver(2, append(1, (0, 0), &[1], 0));
    assert_eq!(out.appended(), [(1, 1)]);
}

/// Rule 3: "if an existing entry conflicts with a new one (same index, different terms), delete the existing entry and
/// all that follow it".
#[test]
fn rule_3_a_conflict_cuts_the_log_there_and_behind() {
    let mut node = node(1).log(&[1, 2, 2, 2]).ballot(3, None).start();
    let out = node.deliver(2, append(3, (1, 1), &[2, 3], 0));
    assert_eq!((out.truncated(), out.appended()), (Some(3), vec![(3, 3)]));
    assert_eq!(node.log(), [1, 2, 3]);
    node.persist();
    assert_eq!(node.disk.log, [1, 2, 3]);
}

/// Rule 3, the other way round: without a conflict nothing is deleted, be the message ever so old and short.
#[test]
fn rule_3_no_conflict_cuts_nothing() {
    let mut node = node(1).log(&[1, 1, 1, 1]).start();
    for message in [append(1, (1, 1), &[1], 0), append(1, (0, 0), &[], 0), append(1, (0, 0), &[1, 1], 0)] {
        assert!(node.deliver(2, message).write.is_none());
    }
    assert_eq!(node.log(), [1, 1, 1, 1]);
}

/// Rule 3: a committed entry is never deleted; a leader that asks for it breaks leader completeness, loudly.
#[test]
fn rule_3_a_committed_entry_is_never_cut() {
    let mut node = node(1).log(&[1, 1]).start();
    node.deliver(2, append(1, (1, 2), &[], 2));
    let asked = node.try_deliver(3, append(2, (1, 1), &[2], 0));
    assert!(matches!(asked, Err(Fatal(_))));
    assert_eq!(node.log(), [1, 1]);
}

/// Rule 4: "append any new entries not already in the log".
#[test]
fn rule_4_only_new_entries_are_appended() {
    let mut node = node(1).log(&[1, 1]).start();
    let out = node.deliver(2, append(1, (1, 1), &[1, 1, 1], 0));
    assert_eq!((out.truncated(), out.appended()), (None, vec![(1, 3), (1, 4)]));
    assert_eq!(out.write.unwrap().append.unwrap().body, Body::Received);
    assert_eq!(node.log(), [1, 1, 1, 1]);
}

/// Rule 4 and section 5.5, "Raft RPCs are idempotent": what is already there is ignored, and acknowledged again.
#[test]
fn rule_4_a_repeated_message_changes_nothing() {
    let mut node = node(1).start();
    let message = append(1, (0, 0), &[1, 1], 0);
    node.deliver(2, message);
    node.persist();
    let out = node.deliver(2, message);
    assert!(out.write.is_none());
    assert_eq!(out.send, [(2, appended(1, 2))]);
}

/// Rule 4: a repeated message that overtakes the disk is not acknowledged before the disk has it either.
#[test]
fn rule_4_a_repetition_does_not_overtake_the_disk() {
    let mut node = node(1).start();
    let message = append(1, (0, 0), &[1], 0);
    let first = node.deliver(2, message);
    let second = node.deliver(2, message);
    assert!(second.send.is_empty() && second.write.is_none());
    assert_eq!(second.sealed, [first.write_id()]);
    assert_eq!(node.persist().opened, [(2, appended(1, 1)), (2, appended(1, 1))]);
}

/// Rule 4: what the disk has already is acknowledged at once, whatever else is still on its way there.
#[test]
fn rule_4_a_repetition_of_durable_entries_waits_for_no_other_write() {
    let mut node = node(1).start();
    let message = append(1, (0, 0), &[1], 0);
    node.deliver(2, message);
    node.persist();
    node.deliver(2, append(1, (1, 1), &[1], 0));
    assert_eq!(node.deliver(2, message).send, [(2, appended(1, 1))]);
}

/// Rule 5: "if leaderCommit > commitIndex, set commitIndex = min(leaderCommit, ...)": the leader's is the smaller.
#[test]
fn rule_5_the_leaders_commit_index_is_adopted() {
    let mut node = node(1).start();
    node.deliver(2, append(1, (0, 0), &[1, 1, 1], 2));
    assert_eq!(node.commit(), 2);
}

/// Rule 5: "... index of last new entry": the rest of the follower's log may not be the leader's.
#[test]
fn rule_5_nothing_behind_the_last_new_entry_is_committed() {
    let mut node = node(1).log(&[1, 1, 2, 2]).ballot(3, None).start();
    node.deliver(2, append(3, (1, 1), &[1], 4));
    assert_eq!(node.commit(), 2, "entries 3 and 4 were not compared");
}

/// Rule 5 holds for a heartbeat too: it names at most what the follower is known to hold.
#[test]
fn rule_5_a_heartbeat_commits_what_the_leader_knows_to_match() {
    let mut leader = node(1).of(5).lead();
    leader.propose(1, 3);
    leader.persist();
    for (peer, matched) in [(2, 4), (3, 4), (4, 2)] {
        leader.ack(peer, matched);
    }
    assert_eq!(leader.commit(), 4);
    let out = leader.advance(100);
    assert!(out.to(2).contains(&heartbeat(1, 4, 0)));
    assert!(out.to(4).contains(&heartbeat(1, 2, 0)));
    assert!(out.to(5).contains(&heartbeat(1, 0, 0)));

    let mut follower = node(4).of(5).start();
    follower.deliver(1, append(1, (0, 0), &[1, 1], 0));
    follower.deliver(1, heartbeat(1, 2, 0));
    assert_eq!(follower.commit(), 2);
}

/// Rule 5: what a follower holds is not committed by that alone.
#[test]
fn rule_5_a_heartbeat_commits_no_more_than_the_leader_has_committed() {
    let mut leader = node(1).of(5).lead();
    leader.propose(1, 3);
    leader.persist();
    leader.ack(2, 4);
    assert_eq!(leader.commit(), 0);
    assert!(leader.advance(100).to(2).contains(&heartbeat(1, 0, 0)));
}

/// Results: "success: true if follower contained entry matching prevLogIndex and prevLogTerm", said only once the
/// entries are durable.
#[test]
fn success_is_told_once_the_disk_has_the_entries() {
    let mut node = node(1).start();
    let out = node.deliver(2, append(1, (0, 0), &[1, 1], 0));
    assert!(out.send.is_empty());
    assert_eq!(out.sealed, [out.write_id()]);
    assert_eq!(node.persist().opened, [(2, appended(1, 2))]);
}

/// Arguments: "entries[]: may send more than one for efficiency", of several terms too.
#[test]
fn a_message_carries_entries_of_several_terms() {
    let mut node = node(1).start();
    let out = node.deliver(2, append(4, (0, 0), &[1, 1, 2, 4], 0));
    assert_eq!(out.appended(), [(1, 1), (1, 2), (2, 3), (4, 4)]);
}

/// Arguments: "empty for heartbeat": nothing is written for it, and it is answered.
#[test]
fn a_heartbeat_writes_nothing() {
    let mut node = node(1).log(&[1]).start();
    let out = node.deliver(2, heartbeat(1, 0, 7));
    assert!(out.write.is_none() && out.sealed.is_empty());
    assert_eq!(out.send, [(2, heartbeat_reply(1, 7))]);
}

/// Arguments: "leaderId: so follower can redirect clients". The sender's identity comes with the connection.
#[test]
fn a_follower_redirects_to_its_leader() {
    let mut node = node(1).start();
    node.deliver(3, append(1, (0, 0), &[1], 0));
    let leader = node.raft.leader();
    let refused = |tag| Event::Refused { tag, reason: Refusal::NotLeader { leader } };
    assert_eq!(leader.map(NodeId::get), Some(3));
    assert_eq!(node.propose(8, 1).events, [refused(8.into())]);
    assert_eq!(node.read(9).events, [refused(9.into())]);
}

/// Arguments: no leader of term T holds an entry of a later term.
#[test]
fn entries_of_a_later_term_than_the_leaders_are_loud() {
    let mut node = node(1).start();
    assert!(node.try_deliver(2, append(1, (0, 0), &[2], 0)).is_err());
}

/// Rule 5 by heartbeat: the leader names at most what it knows this log to hold; a commit index beyond the log means
/// that this log lost what it had acknowledged, and that must be loud.
#[test]
fn rule_5_a_heartbeats_commit_index_beyond_the_log_stops_the_node() {
    let mut node = node(1).log(&[1, 1]).start();
    assert_eq!(node.clone().deliver(2, heartbeat(1, 2, 0)).send, [(2, heartbeat_reply(1, 0))]);
    let lost = node.try_deliver(2, heartbeat(1, 3, 0)).unwrap_err();
    assert_eq!(lost, Fatal("a leader knows what its follower holds"));
    assert_eq!(node.commit(), 0);
}
