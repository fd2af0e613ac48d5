//! Figure 2, "RequestVote RPC".

use crate::common::*;
use synod_transport::ids::NodeId;
use synod_transport::machine::Role;

/// Rule 1: "reply false if term < currentTerm", and tell the current term "for candidate to update itself".
#[test]
fn rule_1_an_earlier_term_is_denied() {
    let mut voter = node(1).ballot(5, None).start();
    let out = voter.deliver(2, vote(4, (9, 9)));
    assert_eq!(out.send, [(2, denied(5))]);
    assert!(out.write.is_none());
    assert_eq!(voter.vote(), None);

    let mut candidate = node(2).plain().start();
    candidate.campaign();
    candidate.persist();
    candidate.deliver(1, denied(5));
    assert_eq!((candidate.role(), candidate.term()), (Role::Follower, 5));
}

/// Rule 2: "if votedFor is null ... grant vote". The grant leaves once the disk has the vote.
#[test]
fn rule_2_a_free_vote_is_granted_after_it_is_durable() {
    let mut voter = node(1).ballot(4, None).start();
    let out = voter.deliver(2, vote(4, (0, 0)));
    assert!(out.send.is_empty(), "a vote told before it is durable");
    assert_eq!(out.ballot(), Some((4, Some(2))));
    assert_eq!(out.sealed, [out.write_id()]);
    let receipt = voter.persist();
    assert_eq!(receipt.opened, [(2, granted(4))]);
    assert_eq!(voter.disk.ballot().vote.map(NodeId::get), Some(2));
}

/// Rule 2 with a later term: term and vote are one write, and one crash loses both or none.
#[test]
fn rule_2_a_new_term_and_its_vote_are_one_write() {
    let mut voter = node(1).start();
    let out = voter.deliver(2, vote(7, (0, 0)));
    assert_eq!(out.ballot(), Some((7, Some(2))));
    assert_eq!(voter.unsynced.len(), 1);
    let again = voter.crash();
    assert_eq!((again.term(), again.vote()), (0, None));
    voter.persist();
    let again = voter.crash();
    assert_eq!((again.term(), again.vote()), (7, Some(2)));
}

/// Rule 2: "... or candidateId": a repeated request gets the same answer without another write.
#[test]
fn rule_2_the_same_candidate_is_granted_again() {
    let mut voter = node(1).start();
    voter.deliver(2, vote(1, (0, 0)));
    voter.persist();
    let out = voter.deliver(2, vote(1, (0, 0)));
    assert_eq!(out.send, [(2, granted(1))]);
    assert!(out.write.is_none());
}

/// Rule 2: the repetition of a grant does not overtake the disk.
#[test]
fn rule_2_a_repeated_grant_waits_for_the_first_write() {
    let mut voter = node(1).start();
    let first = voter.deliver(2, vote(1, (0, 0)));
    let second = voter.deliver(2, vote(1, (0, 0)));
    assert!(second.send.is_empty());
    assert_eq!(second.sealed, [first.write_id()]);
}

/// Rule 2: votedFor is another: no.
#[test]
fn rule_2_a_vote_is_given_once() {
    let mut voter = node(1).ballot(4, Some(3)).start();
    let out = voter.deliver(2, vote(4, (9, 9)));
    assert_eq!(out.send, [(2, denied(4))]);
    assert_eq!(voter.vote(), Some(3));
}

/// Rule 2: a candidate and a leader have voted for themselves.
#[test]
fn rule_2_candidates_and_leaders_keep_their_own_vote() {
    let mut candidate = node(1).plain().start();
    candidate.campaign();
    candidate.persist();
    assert_eq!(candidate.deliver(2, vote(1, (9, 9))).send, [(2, denied(1))]);
    let mut leader = node(1).lead();
    assert_eq!(leader.deliver(2, vote(1, (9, 9))).send, [(2, denied(1))]);
}

/// Rule 2: "... and candidate's log is at least as up-to-date as receiver's log": an equal log suffices.
#[test]
fn rule_2_an_equal_log_is_up_to_date() {
    let mut voter = node(1).log(&[1, 2]).start();
    voter.deliver(2, vote(3, (2, 2)));
    assert_eq!(voter.vote(), Some(2));
}

/// Rule 2: a log that lacks something is not; the later term is adopted all the same, without a vote in it.
#[test]
fn rule_2_a_lesser_log_is_denied_but_its_term_adopted() {
    let mut voter = node(1).log(&[1, 2]).start();
    let out = voter.deliver(2, vote(3, (2, 1)));
    assert_eq!(out.ballot(), Some((3, None)));
    assert!(out.send.is_empty(), "even the denial speaks of a term that is not durable");
    assert_eq!(voter.persist().opened, [(2, denied(3))]);
    voter.deliver(3, vote(3, (2, 2)));
    assert_eq!(voter.vote(), Some(3), "the vote was still free");
}

/// Rule 2: after a restart the vote stands.
#[test]
fn rule_2_a_restarted_voter_keeps_its_word() {
    let mut voter = node(1).start();
    voter.deliver(2, vote(1, (0, 0)));
    voter.persist();
    let mut voter = voter.crash();
    assert_eq!(voter.deliver(3, vote(1, (0, 0))).send, [(3, denied(1))]);
    assert_eq!(voter.deliver(2, vote(1, (0, 0))).send, [(2, granted(1))]);
}

/// Results: "voteGranted: true means candidate received vote"; a refusal gives nothing.
#[test]
fn only_grants_elect() {
    let mut candidate = node(1).of(5).plain().start();
    candidate.campaign();
    candidate.persist();
    candidate.deliver(2, denied(1));
    candidate.deliver(3, granted(1));
    assert_eq!(candidate.role(), Role::Candidate);
    candidate.deliver(4, granted(1));
    assert_eq!(candidate.role(), Role::Leader);
}
