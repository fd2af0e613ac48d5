//! Section 5.4: safety.

use crate::common::*;
use synod_transport::machine::Role;

/// 5.4.1: "if the logs have last entries with different terms, then the log with the later term is more up-to-date. If
/// the logs end with the same term, then whichever log is longer is more up-to-date."
#[test]
fn the_voter_compares_last_term_then_length() {
    let voter_log = [1, 2, 2];
    let candidates = [
        ((2, 3), true),
        ((2, 4), true),
        ((3, 1), true),
        ((3, 3), true),
        ((2, 2), false),
        ((1, 3), false),
        ((1, 99), false),
        ((0, 0), false),
    ];
    for (last, want) in candidates {
        let mut voter = node(1).log(&voter_log).start();
        voter.deliver(2, vote(5, last));
        let said = voter.persist().opened;
        let answer = if want { granted(5) } else { denied(5) };
        assert_eq!(said, [(2, answer)], "candidate's last entry {last:?}");
    }
}

/// 5.4.1: "the RPC includes information about the candidate's log".
#[test]
fn a_request_names_the_candidates_last_entry() {
    let mut candidate = node(1).log(&[1, 3, 3]).start();
    let asks = candidate.time_out();
    assert_eq!(asks.to(2), [pre_vote(3, 4, (3, 3))]);
    candidate.deliver(2, pre_vote_reply(3, 4, true));
    assert_eq!(candidate.persist().opened, [(2, vote(4, (3, 3))), (3, vote(4, (3, 3)))]);
}

/// 5.4.1: what a request names is durable when it leaves, entries that were still on their way to the disk included.
#[test]
fn a_request_never_names_entries_that_a_crash_could_take() {
    let mut node = node(1).plain().start();
    node.deliver(2, append(1, (0, 0), &[1], 0));
    node.campaign();
    assert!(node.persist_one().opened.iter().all(|(_, message)| *message == appended(1, 1)));
    assert_eq!(node.persist_one().opened, [(2, vote(2, (1, 1))), (3, vote(2, (1, 1)))]);
    assert_eq!(node.disk.log, [1]);
}

/// 5.4.1: a candidate cannot win "unless its log contains all committed entries": a majority holds each of them, and
/// every one of these denies the others.
#[test]
fn a_candidate_without_a_committed_entry_cannot_win() {
    let mut lacking = node(3).plain().log(&[1]).start();
    lacking.campaign();
    let requests = lacking.persist().opened;
    for (to, request) in requests {
        let mut holder = node(to).plain().log(&[1, 1]).start();
        holder.deliver(3, request);
        let answers = holder.persist().opened;
        answers.into_iter().for_each(|(_, answer)| {
            lacking.deliver(to, answer);
        });
    }
    assert_eq!(lacking.role(), Role::Follower);
}

/// 5.4.2, figure 8 (c): an entry of an earlier term on a majority is not committed by counting.
#[test]
fn figure_8_c_an_old_entry_on_a_majority_is_not_committed() {
    let mut s1 = node(1).of(5).log(&[1, 2]).ballot(3, None).lead();
    assert_eq!(s1.term(), 4);
    s1.ack(2, 2);
    s1.ack(3, 2);
    assert_eq!(s1.matched(), [3, 2, 2, 0, 0]);
    assert_eq!(s1.commit(), 0, "index 2 of term 2 stands on three of five");
}

/// 5.4.2, figure 8 (d): such an entry can indeed be overwritten by a leader of term 5, so it must not be committed.
#[test]
fn figure_8_d_it_may_still_be_overwritten() {
    let mut s5 = node(5).of(5).log(&[1, 3]).ballot(4, None).start();
    let mut s3 = node(3).of(5).log(&[1, 2]).ballot(4, None).start();
    s3.deliver(5, vote(5, (3, 2)));
    assert_eq!(s3.vote(), Some(5), "S5's log is more up to date");
    s3.persist();
    let out = s5.elect();
    s5.persist();
    settle(&mut s5, &mut s3, out.send);
    assert_eq!(s3.log(), [1, 3, 5]);
}

/// 5.4.2, figure 8 (e): once an entry of the current term is on a majority, all before it are committed with it.
#[test]
fn figure_8_e_an_entry_of_the_own_term_commits_both() {
    let mut s1 = node(1).of(5).log(&[1, 2]).ballot(3, None).lead();
    s1.ack(2, 3);
    s1.ack(3, 3);
    assert_eq!(s1.commit(), 3);
    let mut s2 = node(2).of(5).log(&[1, 2, 4]).start();
    s2.deliver(5, vote(5, (3, 2)));
    assert_eq!(s2.vote(), None, "S5 can no longer win");
}

/// 5.4.2: "Raft never commits log entries from previous terms by counting replicas", also not far behind the own term.
#[test]
fn only_entries_of_the_own_term_are_counted() {
    let mut leader = node(1).of(5).log(&[1, 1, 2, 3]).ballot(6, None).lead();
    for matched in 1..=4 {
        (2..=5).for_each(|peer| {
            leader.ack(peer, matched);
        });
        assert_eq!(leader.commit(), 0);
    }
    leader.ack(2, 5);
    leader.ack(3, 5);
    assert_eq!(leader.commit(), 5);
}

/// 5.4.3, leader completeness, seen from a follower: a leader that lacks a committed entry is a broken invariant.
#[test]
fn a_leader_without_a_committed_entry_is_loud() {
    let mut follower = node(2).log(&[1, 2]).start();
    follower.deliver(1, append(2, (2, 2), &[], 2));
    assert_eq!(follower.commit(), 2);
    assert!(follower.try_deliver(3, append(3, (1, 2), &[3], 0)).is_err());
}

/// 5.4.3, seen from a leader: acknowledgements of entries that it never had, and answers to what it never asked.
#[test]
fn acknowledgements_of_nothing_are_loud() {
    assert!(node(1).lead().try_deliver(2, appended(1, 2)).is_err());
    assert!(node(1).lead().try_deliver(2, heartbeat_reply(1, 1)).is_err());
}

/// 5.4.3, state machine safety: what may be applied is on this disk, so that no crash makes a node apply another entry
/// at the same index.
#[test]
fn nothing_is_applied_before_it_is_durable() {
    let mut follower = node(2).start();
    follower.deliver(1, append(1, (0, 0), &[1, 1], 2));
    assert_eq!((follower.commit(), follower.apply_through()), (2, 0));
    assert!(follower.crash().log().is_empty());
    follower.persist();
    assert_eq!(follower.apply_through(), 2);
    assert_eq!(follower.crash().log(), [1, 1]);
}
