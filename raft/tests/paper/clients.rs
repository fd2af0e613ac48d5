//! Section 8 (client interaction) and thesis 6.4 (linearizable reads by read index).

use crate::common::*;
use synod_transport::ids::LogIndex;
use synod_transport::machine::{Event, Refusal, Role};

fn ready(tag: u64, index: u64) -> Event {
    Event::ReadReady { tag: tag.into(), index: LogIndex::new(index) }
}

/// A leader of three that has committed its first entry.
fn settled() -> Node {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    assert_eq!(leader.commit(), 1);
    leader
}

/// 8: "if the client's first choice is not the leader, that server will reject the client's request and supply
/// information about the most recent leader it has heard from".
#[test]
fn a_follower_rejects_and_names_the_leader() {
    let mut node = node(1).start();
    let refused = |leader: Option<u64>| Event::Refused {
        tag: 5.into(),
        reason: Refusal::NotLeader { leader: leader.map(Into::into) },
    };
    assert_eq!(node.propose(5, 1).events, [refused(None)]);
    node.deliver(2, heartbeat(1, 0, 0));
    let out = node.propose(5, 1);
    assert_eq!(out.events, [refused(Some(2))]);
    assert!(out.write.is_none());
}

/// 8: "each leader [commits] a blank no-op entry into the log at the start of its term".
#[test]
fn a_leader_begins_its_term_with_a_blank_entry() {
    let mut leader = node(1).log(&[1]).start();
    let out = leader.elect();
    assert_eq!(out.appended(), [(2, 2)]);
    assert_eq!(leader.last(), (2, 2));
}

/// 8 and 6.4 step 1: "a leader must have the latest information on which entries are committed": a read waits for the
/// first commit of the term.
#[test]
fn a_read_waits_for_the_first_commit_of_the_term() {
    let mut leader = node(1).log(&[1, 1]).lead();
    assert!(leader.read(7).is_silent());
    leader.deliver(2, heartbeat_reply(2, 0));
    leader.deliver(3, heartbeat_reply(2, 0));
    let out = leader.ack(2, 3);
    assert!(out.to(3).contains(&heartbeat(2, 0, 1)), "now it asks: {out:?}");
    assert_eq!(leader.deliver(3, heartbeat_reply(2, 1)).events, [ready(7, 3)]);
}

/// 8 and 6.4 step 3: "a leader must check whether it has been deposed before processing a read-only request ...
/// exchange heartbeat messages with a majority of the cluster before responding".
#[test]
fn a_read_waits_for_a_majority_of_heartbeats() {
    let mut leader = node(1).of(5).lead();
    leader.ack(2, 1);
    leader.ack(3, 1);
    let out = leader.read(7);
    assert!(out.events.is_empty());
    assert_eq!(out.send.len(), 4);
    assert!(leader.deliver(4, heartbeat_reply(1, 1)).events.is_empty());
    assert!(leader.deliver(4, heartbeat_reply(1, 1)).events.is_empty(), "one voice, however often");
    assert_eq!(leader.deliver(5, heartbeat_reply(1, 1)).events, [ready(7, 1)]);
}

/// 6.4 step 2: "the leader saves its current commit index in a local variable readIndex": what is committed later is
/// not waited for.
#[test]
fn a_read_takes_the_commit_index_of_its_arrival() {
    let mut leader = settled();
    leader.propose(1, 1);
    leader.persist();
    leader.read(7);
    leader.ack(2, 2);
    assert_eq!(leader.commit(), 2);
    assert_eq!(leader.deliver(3, heartbeat_reply(1, 1)).events, [ready(7, 1)]);
}

/// 6.4 step 3: heartbeats that were sent before the read came in prove nothing for it.
#[test]
fn earlier_heartbeats_do_not_confirm_a_read() {
    let mut leader = settled();
    leader.read(7);
    leader.read(8);
    assert_eq!(leader.deliver(2, heartbeat_reply(1, 1)).events, [ready(7, 1)]);
    assert!(leader.deliver(3, heartbeat_reply(1, 1)).events.is_empty());
    assert_eq!(leader.deliver(3, heartbeat_reply(1, 2)).events, [ready(8, 1)]);
}

/// 6.4: one round confirms all reads that came before it.
#[test]
fn one_round_confirms_all_reads_before_it() {
    let mut leader = settled();
    leader.read(7);
    leader.read(8);
    assert_eq!(leader.deliver(2, heartbeat_reply(1, 2)).events, [ready(7, 1), ready(8, 1)]);
}

/// 6.4 step 3: an answer to an earlier round that comes late takes nothing back.
#[test]
fn answers_may_come_in_any_order() {
    let mut leader = node(1).of(5).lead();
    leader.ack(2, 1);
    leader.ack(3, 1);
    leader.read(7);
    leader.read(8);
    leader.deliver(2, heartbeat_reply(1, 2));
    leader.deliver(2, heartbeat_reply(1, 1));
    assert_eq!(leader.deliver(3, heartbeat_reply(1, 2)).events, [ready(7, 1), ready(8, 1)]);
}

/// 6.4 step 4: "the leader waits for its state machine to advance at least as far as the readIndex": the index is given,
/// and what may be applied says when.
#[test]
fn a_read_names_what_must_be_applied_first() {
    let mut leader = node(1).start();
    leader.elect();
    leader.ack(2, 1);
    leader.ack(3, 1);
    leader.read(7);
    assert_eq!(leader.deliver(2, heartbeat_reply(1, 1)).events, [ready(7, 1)]);
    assert_eq!(leader.apply_through(), 0, "committed, but not yet on this disk");
    leader.persist();
    assert_eq!(leader.apply_through(), 1);
}

/// 8: a deposed leader answers no read: those that wait are refused.
#[test]
fn a_deposed_leader_refuses_the_reads_that_wait() {
    let mut leader = settled();
    leader.read(7);
    let out = leader.deliver(3, outdated(2));
    let refused = Event::Refused { tag: 7.into(), reason: Refusal::NotLeader { leader: None } };
    assert!(out.events.contains(&refused), "{:?}", out.events);
    assert!(leader.deliver(2, heartbeat_reply(1, 1)).events.is_empty());
    assert_eq!(leader.role(), Role::Follower);
}

/// 8: answers to an earlier leadership's heartbeats confirm nothing in this one.
#[test]
fn answers_of_an_earlier_term_confirm_nothing() {
    let mut leader = settled();
    leader.read(7);
    leader.deliver(3, outdated(2));
    leader.persist();
    leader.elect();
    leader.persist();
    leader.ack(2, 2);
    leader.read(9);
    assert!(leader.deliver(2, heartbeat_reply(1, 1)).events.is_empty());
    assert_eq!(leader.deliver(2, heartbeat_reply(3, 1)).events, [ready(9, 2)]);
}

/// 6.4: a heartbeat's answer speaks for the follower's durable term only.
#[test]
fn a_follower_answers_heartbeats_of_a_new_term_once_it_is_durable() {
    let mut follower = node(2).start();
    let out = follower.deliver(1, heartbeat(4, 0, 6));
    assert!(out.send.is_empty());
    assert_eq!(follower.persist().opened, [(1, heartbeat_reply(4, 6))]);
}

/// 8: alone in its cluster, a leader is its own majority.
#[test]
fn a_leader_alone_confirms_at_once() {
    let mut leader = node(1).of(1).lead();
    assert_eq!(leader.read(7).events, [ready(7, 1)]);
}

/// Bounded: reads and proposals over their limits are refused as busy, and taken again when there is room.
#[test]
fn too_many_requests_are_refused() {
    let busy = |tag: u64| Event::Refused { tag: tag.into(), reason: Refusal::Busy };
    let setup = node(1).config(|config| {
        config.max_pending_reads = 1;
        config.max_uncommitted = 2;
    });
    let mut leader = setup.lead();
    leader.ack(2, 1);
    leader.read(1);
    assert_eq!(leader.read(2).events, [busy(2)]);
    leader.deliver(2, heartbeat_reply(1, 1));
    assert!(leader.read(3).events.is_empty());

    let refused = leader.propose(4, 3);
    assert_eq!(refused.events, [busy(4)]);
    assert!(refused.write.is_none(), "all or none");
    leader.propose(5, 2);
    assert_eq!(leader.propose(6, 1).events, [busy(6)]);
    leader.persist();
    leader.ack(2, 3);
    assert!(matches!(leader.propose(7, 2).events[..], [Event::Accepted { .. }]));
}

/// Figure 2, leaders: "if command received from client: append entry to local log"; without a command there is nothing
/// to append, write or send.
#[test]
fn a_proposal_of_no_command_writes_nothing() {
    let mut leader = settled();
    let out = leader.propose(7, 0);
    let accepted = Event::Accepted { tag: 7.into(), term: 1.into(), first: LogIndex::new(2), count: 0 };
    assert_eq!(out.events, [accepted]);
    assert!(out.is_silent());
    assert_eq!(leader.last(), (1, 1));
}
