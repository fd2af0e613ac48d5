//! Figure 2, "Rules for Servers".

use crate::common::*;
use synod_raft::Message;
use synod_transport::ids::NodeId;
use synod_transport::machine::{Event, Role};
use synod_transport::store::Body;

fn later_term_messages() -> Vec<Message> {
    vec![
        append(9, (0, 0), &[], 0),
        heartbeat(9, 0, 0),
        vote(9, (0, 0)),
        granted(9),
        denied(9),
        appended(9, 0),
        conflict(9, 1, (0, 0)),
        heartbeat_reply(9, 0),
        outdated(9),
        pre_vote_reply(9, 2, false),
    ]
}

/// All servers: "if commitIndex > lastApplied: increment lastApplied, apply log[lastApplied]": what may be applied grows
/// in order to the commit index, as far as this node's own disk has it.
#[test]
fn all_servers_apply_what_is_committed() {
    let mut node = node(1).start();
    node.deliver(2, append(1, (0, 0), &[1, 1, 1], 2));
    assert_eq!((node.commit(), node.apply_through()), (2, 0), "not before the disk");
    node.persist();
    assert_eq!(node.apply_through(), 2);
    node.deliver(2, heartbeat(1, 3, 0));
    assert_eq!(node.apply_through(), 3);
}

/// All servers: "if RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower":
/// every message, to a follower.
#[test]
fn all_servers_adopt_a_later_term_as_followers() {
    for message in later_term_messages() {
        let mut node = node(1).plain().ballot(2, Some(3)).start();
        node.deliver(2, message);
        assert_eq!((node.role(), node.term()), (Role::Follower, 9), "{message:?}");
        assert_eq!(node.persist().write, None);
        assert_eq!(node.disk.ballot().term.get(), 9, "{message:?}");
    }
}

/// All servers, the same for a candidate.
#[test]
fn all_servers_adopt_a_later_term_as_candidates() {
    for message in later_term_messages() {
        let mut node = node(1).plain().start();
        node.campaign();
        node.persist();
        assert_eq!(node.role(), Role::Candidate);
        node.deliver(2, message);
        assert_eq!((node.role(), node.term()), (Role::Follower, 9), "{message:?}");
    }
}

/// All servers, the same for a leader.
#[test]
fn all_servers_adopt_a_later_term_as_leaders() {
    for message in later_term_messages() {
        let mut node = node(1).plain().lead();
        let out = node.deliver(2, message);
        assert_eq!((node.role(), node.term()), (Role::Follower, 9), "{message:?}");
        let told = out.events.iter().any(|event| matches!(event, Event::Role { role: Role::Follower, .. }));
        assert!(told, "the caller hears of it");
    }
}

/// Followers: "respond to RPCs from candidates and leaders".
#[test]
fn followers_respond_to_candidates_and_leaders() {
    let mut node = node(1).start();
    node.deliver(3, vote(1, (0, 0)));
    assert_eq!(node.persist().opened, [(3, granted(1))]);
    node.deliver(3, append(1, (0, 0), &[1], 0));
    assert_eq!(node.persist().opened, [(3, appended(1, 1))]);
}

/// Followers: a message from outside the configuration is nobody's request.
#[test]
fn followers_do_not_know_strangers() {
    let mut node = node(1).start();
    for message in later_term_messages() {
        assert!(node.deliver(9, message).is_silent());
        assert!(node.deliver(1, message).is_silent(), "nor a message from oneself");
    }
    assert_eq!(node.term(), 0);
}

/// Followers: "if election timeout elapses without receiving AppendEntries ... or granting vote: convert to candidate".
#[test]
fn followers_stand_when_the_timeout_elapses() {
    let mut node = node(1).plain().start();
    let almost = u64::try_from(node.wait().as_millis()).unwrap() - 1;
    node.advance(almost);
    assert_eq!(node.role(), Role::Follower);
    node.time_out();
    assert_eq!((node.role(), node.term()), (Role::Candidate, 1));
}

/// Followers: AppendEntries "from current leader" starts the wait anew, be it with entries, refused, or a heartbeat.
#[test]
fn followers_wait_again_after_hearing_the_leader() {
    for message in [append(1, (0, 0), &[1], 0), append(1, (1, 5), &[1], 0), heartbeat(1, 0, 0)] {
        let mut node = node(1).plain().start();
        node.advance(900);
        node.deliver(2, message);
        assert!(node.wait().as_millis() >= 1000, "{message:?}");
    }
}

/// Followers: "or granting vote to candidate" starts the wait anew.
#[test]
fn followers_wait_again_after_granting_a_vote() {
    let mut node = node(1).plain().start();
    node.advance(900);
    node.deliver(2, vote(1, (0, 0)));
    assert!(node.wait().as_millis() >= 1000);
}

/// Followers: denying a vote does not start the wait anew, nor does a pre-vote, nor an old leader.
#[test]
fn followers_do_not_wait_longer_for_anything_else() {
    for message in [vote(1, (1, 1)), pre_vote(2, 3, (9, 9)), append(1, (0, 0), &[], 0), vote(3, (1, 1))] {
        let mut node = node(1).plain().log(&[1, 1, 2]).start();
        node.advance(500);
        let wait = node.wait();
        node.deliver(2, message);
        assert_eq!(node.wait(), wait, "{message:?}");
    }
}

/// Candidates: "on conversion to candidate, start election: increment currentTerm, vote for self, reset election timer,
/// send RequestVote RPCs to all other servers". The requests wait for the disk.
#[test]
fn candidates_start_an_election() {
    let mut node = node(1).of(5).plain().log(&[1, 3]).start();
    let out = node.time_out();
    assert_eq!((node.role(), node.term(), node.vote()), (Role::Candidate, 4, Some(1)));
    assert_eq!(out.ballot(), Some((4, Some(1))));
    assert!(out.send.is_empty(), "a request before the own vote is durable");
    assert_eq!(out.sealed, [out.write_id(); 4]);
    let wait = node.wait().as_millis();
    assert!((1000..2000).contains(&wait), "the timer starts anew: {wait}");
    let requests: Vec<_> = [2, 3, 4, 5].map(|peer| (peer, vote(4, (3, 2)))).into();
    assert_eq!(node.persist().opened, requests);
}

/// Candidates: a crash between the own vote's write and its sync leaves no trace: nothing was asked.
#[test]
fn candidates_that_crash_before_the_sync_have_asked_nobody() {
    let mut node = node(1).plain().start();
    node.time_out();
    let mut again = node.crash();
    assert_eq!((again.term(), again.vote(), again.sealed()), (0, None, 0));
    again.deliver(2, vote(1, (0, 0)));
    assert_eq!(again.vote(), Some(2), "its vote of term 1 is free");
}

/// Candidates: "if votes received from majority of servers: become leader".
#[test]
fn candidates_with_a_majority_lead() {
    let mut node = node(1).of(5).plain().start();
    node.campaign();
    node.persist();
    node.deliver(2, granted(1));
    assert_eq!(node.role(), Role::Candidate);
    let out = node.deliver(3, granted(1));
    assert_eq!(node.role(), Role::Leader);
    assert!(out.events.contains(&Event::Role { role: Role::Leader, term: 1.into(), leader: Some(1.into()) }));
}

/// Candidates: the own vote is one of them only once it is durable. Alone in its cluster, a node leads by its receipt.
#[test]
fn candidates_count_their_own_vote_after_the_sync() {
    let mut node = node(1).of(1).plain().start();
    node.time_out();
    assert_eq!(node.role(), Role::Candidate);
    node.persist();
    assert_eq!(node.role(), Role::Leader);
}

/// Candidates: the receipt of an earlier election's vote says nothing of this one's.
#[test]
fn candidates_count_the_vote_of_this_term_only() {
    let mut node = node(1).of(1).plain().start();
    node.time_out();
    node.time_out();
    node.persist_one();
    assert_eq!((node.role(), node.term()), (Role::Candidate, 2), "term 2 is on no disk yet");
    node.persist_one();
    assert_eq!(node.role(), Role::Leader);
}

/// Candidates: "if AppendEntries RPC received from new leader: convert to follower", in the same term, vote kept.
#[test]
fn candidates_follow_a_leader_of_their_term() {
    for message in [append(1, (0, 0), &[1], 0), heartbeat(1, 0, 0)] {
        let mut node = node(1).plain().start();
        node.campaign();
        node.persist();
        node.deliver(2, message);
        assert_eq!((node.role(), node.term(), node.vote()), (Role::Follower, 1, Some(1)));
        assert_eq!(node.raft.leader().map(NodeId::get), Some(2));
    }
}

/// Candidates: "if election timeout elapses: start new election".
#[test]
fn candidates_try_again_in_the_next_term() {
    let mut node = node(1).plain().start();
    node.time_out();
    node.persist();
    let out = node.time_out();
    assert_eq!((node.role(), out.ballot()), (Role::Candidate, Some((2, Some(1)))));
    node.deliver(2, granted(1));
    assert_eq!(node.role(), Role::Candidate, "votes of term 1 are over");
}

/// Leaders: "upon election: send initial empty AppendEntries RPCs to each server". Here each gets the term's blank
/// entry (section 8), at once, before the leader's own disk has it.
#[test]
fn leaders_announce_themselves() {
    let mut node = node(1).of(5).start();
    let out = node.elect();
    let first: Vec<_> = [2, 3, 4, 5].map(|peer| (peer, append(1, (0, 0), &[1], 0))).into();
    assert_eq!(out.send, first);
    assert!(out.sealed.is_empty());
    assert_eq!(out.write.unwrap().append.unwrap().body, Body::Blank);
}

/// Leaders: "repeat during idle periods to prevent election timeouts".
#[test]
fn leaders_repeat_heartbeats() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    leader.ack(3, 1);
    for _ in 0..3 {
        let wait = leader.wait();
        assert!(wait.as_millis() <= 100);
        let out = leader.time_out();
        assert_eq!(out.send, [(2, heartbeat(1, 1, 0)), (3, heartbeat(1, 1, 0))]);
    }
}

/// Leaders: "if command received from client: append entry to local log, respond after entry applied to state machine".
#[test]
fn leaders_append_a_command_and_answer_when_it_is_applied() {
    let mut leader = node(1).lead();
    let out = leader.propose(7, 1);
    let accepted = Event::Accepted { tag: 7.into(), term: 1.into(), first: 2.into(), count: 1 };
    assert_eq!(out.events, [accepted]);
    assert_eq!(out.appended(), [(1, 2)]);
    assert_eq!(out.write.unwrap().append.unwrap().body, Body::Proposed);
    assert_eq!(leader.apply_through(), 0);
    leader.persist();
    leader.ack(2, 2);
    assert_eq!(leader.apply_through(), 2, "now the caller may apply it and answer");
}

/// Leaders: "if last log index >= nextIndex for a follower: send AppendEntries RPC with log entries starting at
/// nextIndex", without waiting for the own disk.
#[test]
fn leaders_send_from_next_index_on() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    let out = leader.propose(1, 2);
    assert_eq!(out.to(2), [append(1, (1, 1), &[1, 1], 1)]);
    let out = leader.propose(2, 1);
    assert_eq!(out.to(2), [append(1, (1, 3), &[1], 1)], "the next message follows the last");
    assert!(out.to(3).is_empty(), "one that has not answered its first message gets no second");
}

/// Leaders: "if successful: update nextIndex and matchIndex for follower".
#[test]
fn leaders_take_note_of_success() {
    let mut leader = node(1).lead();
    leader.propose(1, 2);
    let out = leader.ack(2, 1);
    assert_eq!(leader.matched(), [1, 1, 0]);
    assert_eq!(out.to(2), [append(1, (1, 1), &[1, 1], 1)]);
}

/// Leaders: an older acknowledgement that comes late does not take matchIndex back.
#[test]
fn leaders_ignore_the_order_of_acknowledgements() {
    let mut leader = node(1).lead();
    leader.propose(1, 2);
    leader.ack(2, 3);
    leader.ack(2, 1);
    assert_eq!(leader.matched()[1], 3);
}

/// Leaders: "if AppendEntries fails because of log inconsistency: decrement nextIndex and retry".
#[test]
fn leaders_step_back_and_retry() {
    let mut leader = node(1).log(&[1, 1, 1, 1]).lead();
    let out = leader.deliver(2, conflict(2, 4, (1, 2)));
    assert_eq!(out.to(2), [append(2, (1, 2), &[1, 1, 2], 0)]);
    assert_eq!(leader.matched(), [5, 0, 0], "a refusal acknowledges nothing");
}

/// Leaders: "if there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term ==
/// currentTerm: set commitIndex = N".
#[test]
fn leaders_commit_what_a_majority_holds() {
    let mut leader = node(1).of(5).lead();
    leader.propose(1, 4);
    leader.persist();
    leader.ack(2, 3);
    assert_eq!(leader.commit(), 0);
    leader.ack(3, 5);
    assert_eq!(leader.commit(), 3);
    leader.ack(4, 4);
    assert_eq!(leader.commit(), 4);
}

/// Leaders: the own log counts as far as it is durable, no further.
#[test]
fn leaders_count_their_own_log_after_the_sync() {
    let mut leader = node(1).start();
    leader.elect();
    leader.ack(2, 1);
    assert_eq!(leader.commit(), 0, "one disk of three has it");
    leader.persist();
    assert_eq!(leader.commit(), 1);
}

/// Leaders: a leader alone commits by its own receipt, not before.
#[test]
fn leaders_alone_commit_by_their_receipt() {
    let mut leader = node(1).of(1).lead();
    leader.propose(1, 1);
    assert_eq!(leader.commit(), 1);
    leader.persist();
    assert_eq!((leader.commit(), leader.apply_through()), (2, 2));
}

/// Leaders, thesis 10.2.1: a majority of others commits without the leader's disk; applying waits for it all the same.
#[test]
fn leaders_may_commit_before_their_own_disk() {
    let mut leader = node(1).start();
    leader.elect();
    leader.ack(2, 1);
    leader.ack(3, 1);
    assert_eq!((leader.commit(), leader.apply_through()), (1, 0));
    leader.persist();
    assert_eq!(leader.apply_through(), 1);
}
