//! Ongaro's thesis: pre-vote (9.6), check-quorum (6.2), disruptive servers (4.2.3).

use crate::common::*;
use synod_transport::machine::{Event, Role};
use synod_transport::time::Instant;

/// 9.6: "a candidate only increments its term if it first learns from a majority of the cluster that they would be
/// willing to grant the candidate their votes". Asking writes nothing and needs no disk.
#[test]
fn pre_vote_asks_before_the_term_moves() {
    let mut node = node(1).log(&[1, 2]).start();
    let out = node.time_out();
    assert_eq!((node.role(), node.term(), node.vote()), (Role::PreCandidate, 2, None));
    assert_eq!(out.send, [(2, pre_vote(2, 3, (2, 2))), (3, pre_vote(2, 3, (2, 2)))]);
    assert!(out.write.is_none());
    assert!(node.wait().as_millis() >= 1000, "and waits for answers as long as for a leader");
}

/// 9.6: with a majority of yes, the election begins.
#[test]
fn pre_vote_won_starts_the_election() {
    let mut node = node(1).of(5).start();
    node.time_out();
    node.advance(900);
    node.deliver(2, pre_vote_reply(0, 1, true));
    assert_eq!(node.role(), Role::PreCandidate);
    let out = node.deliver(3, pre_vote_reply(0, 1, true));
    assert_eq!((node.role(), out.ballot()), (Role::Candidate, Some((1, Some(1)))));
    assert_eq!((out.send.len(), out.sealed.len()), (0, 4));
    assert!(node.wait().as_millis() >= 1000, "the timer starts anew");
}

/// 9.6: with a majority of no, the node goes back to waiting, its term unchanged.
#[test]
fn pre_vote_lost_changes_nothing() {
    let mut node = node(1).start();
    node.time_out();
    node.deliver(2, pre_vote_reply(0, 1, false));
    node.deliver(3, pre_vote_reply(0, 1, false));
    assert_eq!((node.role(), node.term(), node.unsynced.len()), (Role::Follower, 0, 0));
    assert!(node.wait().as_millis() >= 1000);
}

/// 9.6: a server that was partitioned away does not raise its term, so it does not disrupt on its return.
#[test]
fn pre_vote_keeps_a_partitioned_servers_term() {
    let mut node = node(1).log(&[1]).start();
    for _ in 0..20 {
        node.time_out();
    }
    assert_eq!((node.role(), node.term(), node.unsynced.len()), (Role::PreCandidate, 1, 0));
    node.deliver(2, heartbeat(1, 0, 0));
    assert_eq!((node.role(), node.raft.leader()), (Role::Follower, Some(2.into())));
}

/// 9.6: a pre-vote is granted when "the candidate's log is sufficiently up-to-date" and the term is a later one.
#[test]
fn pre_vote_compares_logs_and_terms() {
    let cases =
        [((2, 2), 3, true), ((2, 3), 3, true), ((3, 1), 4, true), ((2, 1), 3, false), ((1, 9), 3, false)];
    for (last, proposed, want) in cases.into_iter().chain([((9, 9), 2, false), ((9, 9), 1, false)]) {
        let mut voter = node(1).log(&[1, 2]).start();
        let out = voter.deliver(2, pre_vote(proposed - 1, proposed, last));
        assert_eq!(out.send, [(2, pre_vote_reply(2, proposed, want))], "{last:?} in {proposed}");
    }
}

/// 9.6: a grant moves neither term nor vote nor timer: several may be granted in one term.
#[test]
fn pre_vote_granted_binds_nobody() {
    let mut voter = node(1).start();
    let wait = voter.wait();
    for candidate in [2, 3, 2] {
        let out = voter.deliver(candidate, pre_vote(0, 1, (0, 0)));
        assert_eq!(out.send, [(candidate, pre_vote_reply(0, 1, true))]);
        assert!(out.write.is_none());
    }
    assert_eq!((voter.term(), voter.vote(), voter.wait()), (0, None, wait));
}

/// 9.6 with 4.2.3: who has heard from a leader within the least election timeout grants no pre-vote.
#[test]
fn pre_vote_is_denied_while_a_leader_is_heard() {
    let mut voter = node(1).ballot(1, None).start();
    voter.deliver(3, heartbeat(1, 0, 0));
    voter.advance(999);
    assert_eq!(voter.deliver(2, pre_vote(1, 2, (9, 9))).send, [(2, pre_vote_reply(1, 2, false))]);
    voter.now = voter.now.plus(std::time::Duration::from_millis(1));
    assert_eq!(voter.deliver(2, pre_vote(1, 2, (9, 9))).send, [(2, pre_vote_reply(1, 2, true))]);
}

/// 9.6: the leader itself hears itself.
#[test]
fn pre_vote_is_denied_by_a_leader() {
    let mut leader = node(1).lead();
    assert_eq!(leader.deliver(2, pre_vote(1, 2, (9, 9))).send, [(2, pre_vote_reply(1, 2, false))]);
}

/// 9.6: a refusal carries the term, so that one who lags catches up and can win next time.
#[test]
fn pre_vote_refused_by_a_later_term_teaches_it() {
    let mut node = node(1).start();
    node.time_out();
    node.deliver(2, pre_vote_reply(5, 1, false));
    assert_eq!((node.role(), node.term()), (Role::Follower, 5));
    node.persist();
    assert_eq!(node.time_out().to(2), [pre_vote(5, 6, (0, 0))]);
}

/// 6.2: "a leader in Raft steps down if an election timeout elapses without a successful round of heartbeats to a
/// majority of its cluster".
#[test]
fn a_leader_without_a_majority_steps_down() {
    let mut leader = node(1).of(5).lead();
    for _ in 0..9 {
        leader.advance(100);
        leader.deliver(2, heartbeat_reply(1, 0));
        assert_eq!(leader.role(), Role::Leader);
    }
    let out = leader.advance(100);
    assert_eq!((leader.role(), leader.term(), leader.raft.leader()), (Role::Follower, 1, None));
    assert!(out.events.contains(&Event::Role { role: Role::Follower, term: 1.into(), leader: None }));
    assert!(leader.propose(1, 1).write.is_none());
    assert!(leader.wait().as_millis() >= 1000, "it waits like any follower");
}

/// 6.2: any answer of the term shows that a follower is there; with a majority the leader stays.
#[test]
fn a_leader_with_a_majority_stays() {
    let mut leader = node(1).of(5).lead();
    for round in 0..60 {
        leader.advance(100);
        leader.deliver(2 + round % 2, heartbeat_reply(1, 0));
    }
    assert_eq!(leader.role(), Role::Leader);
}

/// 6.2 can be switched off: then a leader stays until it sees a later term, as in the paper.
#[test]
fn a_leader_without_check_quorum_stays_alone() {
    let mut leader = node(1).plain().lead();
    for _ in 0..50 {
        leader.advance(100);
    }
    assert_eq!(leader.role(), Role::Leader);
    leader.deliver(2, vote(2, (1, 1)));
    assert_eq!((leader.role(), leader.term()), (Role::Follower, 2));
}

/// 6.2: a leader that stepped down keeps its vote: nobody else gets it in that term.
#[test]
fn a_leader_that_stepped_down_keeps_its_vote() {
    let mut leader = node(1).lead();
    leader.advance(1000);
    assert_eq!((leader.role(), leader.vote()), (Role::Follower, Some(1)));
    assert_eq!(leader.deliver(2, vote(1, (9, 9))).send, [(2, denied(1))]);
}

/// 4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing from a current
/// leader, it does not update its term or grant its vote".
#[test]
fn votes_are_denied_while_a_leader_is_heard() {
    let mut voter = node(1).ballot(1, None).start();
    voter.now = Instant::from_millis(60_000);
    voter.deliver(3, heartbeat(1, 0, 0));
    voter.advance(999);
    assert!(voter.deliver(2, vote(8, (9, 9))).is_silent());
    assert_eq!((voter.term(), voter.vote(), voter.raft.leader()), (1, None, Some(3.into())));
    voter.now = voter.now.plus(std::time::Duration::from_millis(1));
    voter.deliver(2, vote(8, (9, 9)));
    assert_eq!((voter.term(), voter.vote()), (8, Some(2)));
}

/// 4.2.3 for the leader: it is not deposed by a server that merely asks for votes.
#[test]
fn a_leader_ignores_requests_for_its_place() {
    let mut leader = node(1).lead();
    assert!(leader.deliver(2, vote(8, (9, 9))).is_silent());
    assert_eq!((leader.role(), leader.term()), (Role::Leader, 1));
}

/// 4.2.3: hearing counts only in the term of the leader; one that campaigns has given it up.
#[test]
fn one_that_campaigns_hears_no_leader() {
    let mut node = node(1).ballot(1, None).start();
    node.deliver(3, heartbeat(1, 0, 0));
    node.campaign();
    assert_eq!(node.deliver(2, pre_vote(1, 2, (9, 9))).send, [(2, pre_vote_reply(1, 2, true))]);
}

/// 10.2.1: "the leader can write to its disk in parallel with replicating to the followers"; of three, the two others
/// suffice.
#[test]
fn the_leaders_disk_is_one_of_many() {
    let mut leader = node(1).of(5).lead();
    (2..=5).for_each(|peer| {
        leader.ack(peer, 1);
    });
    leader.propose(1, 1);
    leader.ack(2, 2);
    leader.ack(3, 2);
    assert_eq!(leader.commit(), 1, "two of five");
    leader.ack(4, 2);
    assert_eq!(leader.commit(), 2, "three of five, none of them the leader");
}
