//! Sections 5.1 and 5.2: terms and leader election.

use std::collections::BTreeSet;

use crate::common::*;
use synod_raft::{Config, ConfigError};
use synod_transport::machine::{Fatal, Role};

/// 5.1: followers "are passive: they issue no requests on their own". Woken before their time, they say nothing.
#[test]
fn followers_are_passive() {
    let mut node = node(1).log(&[1]).start();
    for _ in 0..9 {
        assert!(node.advance(100).is_silent());
    }
}

/// 5.1: a server with a stale term number "rejects the request"; so does everyone with a request of a stale term.
#[test]
fn requests_of_a_stale_term_are_rejected_in_every_role() {
    let mut follower = node(1).plain().ballot(3, None).start();
    let mut candidate = node(1).plain().ballot(2, None).start();
    candidate.campaign();
    candidate.persist();
    let mut leader = node(1).plain().ballot(2, None).lead();
    for node in [&mut follower, &mut candidate, &mut leader] {
        let role = node.role();
        assert_eq!(node.deliver(2, append(2, (0, 0), &[2], 1)).send, [(2, outdated(3))]);
        assert_eq!(node.deliver(2, heartbeat(2, 0, 0)).send, [(2, outdated(3))]);
        assert_eq!(node.deliver(2, vote(2, (9, 9))).send, [(2, denied(3))]);
        assert_eq!((node.role(), node.term(), node.commit()), (role, 3, 0));
    }
}

/// 5.1: answers of an earlier term say nothing about this one.
#[test]
fn answers_of_a_stale_term_are_dropped() {
    let mut leader = node(1).ballot(4, None).lead();
    for answer in [appended(4, 1), conflict(4, 0, (0, 0)), heartbeat_reply(4, 0), granted(4), outdated(4)] {
        assert!(leader.deliver(2, answer).is_silent());
    }
    assert_eq!((leader.matched(), leader.commit()), (vec![1, 0, 0], 0));
}

/// 5.1: "there is at most one leader in a given term". A second one is not argued with: the node stops.
#[test]
fn a_second_leader_of_a_term_is_loud() {
    let mut follower = node(1).start();
    follower.deliver(2, heartbeat(1, 0, 0));
    let second = follower.try_deliver(3, append(1, (0, 0), &[1], 0)).unwrap_err();
    assert_eq!(second, Fatal("a term has at most one leader"));
    assert_eq!(follower.try_deliver(2, heartbeat(1, 0, 0)).unwrap_err(), second, "for good");

    let mut leader = node(1).lead();
    assert!(leader.try_deliver(2, heartbeat(1, 0, 0)).is_err());
}

/// 5.2: "when servers start up, they begin as followers".
#[test]
fn servers_start_as_followers() {
    let mut leader = node(1).lead();
    leader.persist();
    assert_eq!(leader.crash().role(), Role::Follower);
}

/// 5.2: a server "remains in follower state as long as it receives valid RPCs from a leader".
#[test]
fn heartbeats_keep_a_follower_following() {
    let mut node = node(1).start();
    for _ in 0..50 {
        node.advance(900);
        node.deliver(2, heartbeat(1, 0, 0));
        assert_eq!((node.role(), node.term()), (Role::Follower, 1));
    }
}

/// 5.2: "each server will vote for at most one candidate in a given term, on a first-come-first-served basis".
#[test]
fn the_first_candidate_gets_the_vote() {
    let mut node = node(1).of(5).start();
    node.deliver(4, vote(1, (0, 0)));
    node.persist();
    for other in [2, 3, 5] {
        assert_eq!(node.deliver(other, vote(1, (7, 7))).send, [(other, denied(1))]);
    }
}

/// 5.2: "a candidate wins an election if it receives votes from a majority of the servers in the full cluster".
#[test]
fn a_majority_of_the_full_cluster_is_needed() {
    for (members, others) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3)] {
        let mut node = node(1).of(members).plain().start();
        node.campaign();
        node.persist();
        for peer in 2..2 + others {
            assert_eq!(node.role(), Role::Candidate, "{members} servers, {peer}");
            node.deliver(peer, granted(1));
        }
        assert_eq!(node.role(), Role::Leader, "{members} servers");
    }
}

/// 5.2: votes count by server, not by message, and only from servers.
#[test]
fn a_repeated_vote_is_one_vote() {
    let mut node = node(1).of(5).plain().start();
    node.campaign();
    node.persist();
    for voter in [2, 2, 2, 9, 1] {
        node.deliver(voter, granted(1));
    }
    assert_eq!(node.role(), Role::Candidate);
}

/// 5.2: "once a candidate wins an election ... it sends heartbeat messages to all of the other servers".
#[test]
fn a_winner_tells_everyone_and_they_follow() {
    let mut winner = node(1).start();
    let out = winner.elect();
    for (to, message) in out.send {
        let mut other = node(to).start();
        other.deliver(1, message);
        assert_eq!(other.raft.leader(), Some(1.into()));
    }
}

/// 5.2: a claim from a leader whose "term is smaller than the candidate's current term" is rejected, "and [the
/// candidate] continues in candidate state".
#[test]
fn a_candidate_rejects_an_old_leader() {
    let mut node = node(1).plain().ballot(4, None).start();
    node.campaign();
    node.persist();
    let out = node.deliver(2, append(4, (0, 0), &[4], 0));
    assert_eq!(out.send, [(2, outdated(5))]);
    assert_eq!((node.role(), node.last()), (Role::Candidate, (0, 0)));
}

/// 5.2: "if many followers become candidates at the same time, votes could be split": nobody wins, and each tries again
/// in a later term.
#[test]
fn a_split_vote_elects_nobody_and_is_tried_again() {
    let mut nodes = [node(1).of(4).plain().start(), node(2).of(4).plain().start()];
    for candidate in &mut nodes {
        candidate.campaign();
        candidate.persist();
    }
    let [one, two] = &mut nodes;
    one.deliver(3, granted(1));
    two.deliver(4, granted(1));
    for (candidate, other, third) in [(one, 2, 4), (two, 1, 3)] {
        candidate.deliver(other, denied(1));
        assert_eq!(candidate.role(), Role::Candidate);
        candidate.deliver(third, denied(1));
        assert_eq!(
            (candidate.role(), candidate.term(), candidate.vote()),
            (Role::Follower, 1, Some(candidate.id()))
        );
        candidate.time_out();
        assert_eq!((candidate.role(), candidate.term()), (Role::Candidate, 2));
    }
}

/// 5.2: "election timeouts are chosen randomly from a fixed interval", here `[T, 2T)`.
#[test]
fn timeouts_are_spread_over_an_interval() {
    let waits = (0..200).map(|seed| node(1).config(|config| config.seed = seed).start().wait().as_millis());
    let waits: BTreeSet<u128> = waits.collect();
    assert!(waits.iter().all(|wait| (1000..2000).contains(wait)));
    assert!(waits.len() > 150, "{} different waits", waits.len());
    assert!(waits.first() < Some(&1100) && waits.last() > Some(&1900), "both ends are reached");
}

/// 5.2: "each candidate restarts its randomized election timeout at the start of an election".
#[test]
fn each_election_draws_a_new_timeout() {
    let mut node = node(1).plain().start();
    let mut waits = BTreeSet::new();
    for _ in 0..20 {
        node.time_out();
        node.persist();
        waits.insert(node.wait());
    }
    assert_eq!(node.term(), 20);
    assert!(waits.len() > 15, "{} different waits", waits.len());
}

/// 5.5: "if a follower or candidate crashes ... RPCs sent to it will fail. Raft handles these failures by retrying
/// indefinitely."
#[test]
fn a_leader_never_tires_of_a_dead_follower() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    for _ in 0..30 {
        let sent = [leader.advance(100).to(3), leader.advance(100).to(3)].concat();
        assert!(sent.contains(&append(1, (0, 0), &[1], 1)), "{sent:?}");
        leader.ack(2, 1);
    }
    assert_eq!(leader.role(), Role::Leader);
}

/// 5.5: "if a server crashes after completing an RPC but before responding, then it will receive the same RPC again".
#[test]
fn a_follower_that_crashed_before_answering_answers_the_repetition() {
    let mut follower = node(2).start();
    let message = append(1, (0, 0), &[1], 0);
    follower.deliver(1, message);
    follower.persist(); // the answer that this opens is lost
    let mut follower = follower.crash();
    let out = follower.deliver(1, message);
    assert_eq!(out.send, [(1, appended(1, 1))]);
    assert!(out.write.is_none());
}

/// 5.6: "broadcastTime << electionTimeout": a configuration whose heartbeats come too seldom for it is refused.
#[test]
fn heartbeats_must_be_much_more_frequent_than_elections() {
    let refused = |heartbeat: u64| {
        let mut config = Config::new(1.into());
        config.heartbeat_interval = std::time::Duration::from_millis(heartbeat);
        let members = synod_transport::quorum::Members::new([1.into()]).unwrap();
        let history = synod_transport::quorum::Static::new(members);
        synod_raft::Raft::new(config, history, &Default::default()).err()
    };
    assert_eq!(refused(300), None);
    let timing = |error| matches!(error, Some(synod_raft::RestoreError::Config(ConfigError::Timing { .. })));
    assert!(timing(refused(400)));
}
