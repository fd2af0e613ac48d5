//! Section 5.3: log replication.

use std::collections::VecDeque;

use crate::common::*;
use synod_raft::Message;
use synod_transport::log::Span;
use synod_transport::machine::Role;

/// 5.3: the leader "issues AppendEntries RPCs in parallel to each of the other servers", without waiting for its disk.
#[test]
fn a_command_goes_to_all_at_once() {
    let mut leader = node(1).of(5).lead();
    (2..=5).for_each(|peer| {
        leader.ack(peer, 1);
    });
    let out = leader.propose(1, 1);
    let want: Vec<_> = [2, 3, 4, 5].map(|peer| (peer, append(1, (1, 1), &[1], 1))).into();
    assert_eq!(out.send, want);
    assert!(out.sealed.is_empty() && out.write.is_some());
}

/// 5.3: "if followers crash or run slowly, or if network packets are lost, the leader retries AppendEntries RPCs
/// indefinitely": after a heartbeat interval without any answer, from the last match on.
#[test]
fn lost_entries_are_sent_again() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    leader.ack(3, 1);
    leader.advance(100);
    leader.propose(1, 2);
    leader.advance(100);
    let out = leader.advance(100);
    assert!(out.to(2).contains(&append(1, (1, 1), &[1, 1], 1)), "{out:?}");
}

/// 5.3: "even after it has responded to the client": a committed entry is still sent to those who lack it.
#[test]
fn a_slow_follower_gets_committed_entries_too() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    leader.propose(1, 1);
    leader.persist();
    leader.ack(2, 2);
    assert_eq!(leader.commit(), 2);
    leader.ack(3, 1);
    leader.advance(100);
    let out = leader.advance(100);
    assert!(out.to(3).contains(&append(1, (1, 1), &[1], 2)), "{out:?}");
}

/// 5.3: an entry is committed "once the leader that created the entry has replicated it on a majority".
#[test]
fn a_majority_commits() {
    for (members, acks) in [(2, 1), (3, 1), (4, 2), (5, 2)] {
        let mut leader = node(1).of(members).lead();
        for peer in 2..2 + acks {
            assert_eq!(leader.commit(), 0, "{members} servers");
            leader.ack(peer, 1);
        }
        assert_eq!(leader.commit(), 1, "{members} servers");
    }
}

/// 5.3: "this also commits all preceding entries in the leader's log, including entries created by previous leaders".
#[test]
fn a_commit_takes_earlier_terms_with_it() {
    let mut leader = node(1).log(&[1, 2, 2]).lead();
    leader.ack(2, 4);
    assert_eq!((leader.commit(), leader.apply_through()), (4, 4));
}

/// 5.3: the leader "keeps track of the highest index it knows to be committed, and it includes that index in future
/// AppendEntries RPCs (including heartbeats) so that the other servers eventually find out".
#[test]
fn followers_learn_of_a_commit_with_the_next_message() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    leader.ack(3, 1);
    assert_eq!(leader.propose(1, 1).to(2), [append(1, (1, 1), &[1], 1)]);
    leader.persist();
    leader.ack(2, 2);
    assert_eq!(leader.advance(100).to(2), [heartbeat(1, 2, 0)]);
}

/// 5.3: "once a follower learns that a log entry is committed, it applies the entry to its local state machine (in log
/// order)".
#[test]
fn a_follower_applies_in_log_order() {
    let mut follower = node(2).start();
    let mut seen = vec![];
    for index in 1..=3u64 {
        let before = if index == 1 { (0, 0) } else { (1, index - 1) };
        follower.deliver(1, append(1, before, &[1], index - 1));
        follower.persist();
        seen.push(follower.apply_through());
    }
    assert_eq!(seen, [0, 1, 2]);
}

/// 5.3, log matching: two entries of one index and term are the same, because "a leader creates at most one entry with
/// a given log index in a given term, and log entries never change their position".
#[test]
fn a_leader_gives_each_index_once() {
    let mut leader = node(1).lead();
    let mut given = vec![];
    for tag in 1..=4 {
        given.extend(leader.propose(tag, 2).appended());
        leader.ack(2, tag);
    }
    assert_eq!(given, (2..=9).map(|index| (1, index)).collect::<Vec<_>>());
}

/// 5.3, leader append-only: "a leader never overwrites or deletes entries in its own log".
#[test]
fn a_leader_only_appends() {
    let mut leader = node(1).log(&[1, 1, 2]).lead();
    let steps = [
        leader.deliver(2, conflict(3, 3, (1, 1))),
        leader.propose(1, 1),
        leader.deliver(3, append(2, (0, 0), &[2, 2, 2], 0)),
        leader.advance(200),
    ];
    assert!(steps.iter().all(|out| out.truncated().is_none()), "{steps:?}");
    assert_eq!(leader.log(), [1, 1, 2, 3, 3]);
}

/// 5.3, the consistency check: the message names "the index and term of the entry in its log that immediately precedes
/// the new entries", also in the middle of a long history that takes several messages.
#[test]
fn each_message_names_the_entry_before_it() {
    let mut leader = node(1).log(&[1, 2, 3, 4, 5, 6, 7]).config(|config| config.max_batch = 2).lead();
    let out = leader.deliver(2, conflict(8, 7, (0, 0)));
    let mut spans: Vec<Span> = vec![];
    let mut messages = VecDeque::from(out.to(2));
    while let Some(Message::Append { span, .. }) = messages.pop_front() {
        spans.push(span);
        messages.extend(leader.ack(2, span.last().index.get()).to(2));
    }
    assert_eq!(spans.len(), 4, "eight entries, two at a time");
    for span in &spans {
        let terms: Vec<u64> = span.positions().map(|position| position.term.get()).collect();
        let from = usize::try_from(span.after.index.get()).unwrap();
        assert_eq!(terms, leader.log()[from..from + 2]);
        assert_eq!(leader.raft.log().term_at(span.after.index), Some(span.after.term));
    }
}

/// 5.3: "the leader must find the latest log entry where the two logs agree, delete any entries in the follower's log
/// after that point, and send the follower all of the leader's entries after that point". Figure 7, followers (a)
/// missing entries to (f) both missing and extra ones.
#[test]
fn figure_7_every_follower_is_brought_to_the_leaders_log() {
    let leader_log = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [(char, &[u64]); 6] = [
        ('a', &[1, 1, 1, 4, 4, 5, 5, 6, 6]),
        ('b', &[1, 1, 1, 4]),
        ('c', &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
        ('d', &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]),
        ('e', &[1, 1, 1, 4, 4, 4, 4]),
        ('f', &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    ];
    for (name, log) in followers {
        let mut leader = node(1).log(&leader_log).ballot(7, None).start();
        let mut follower = node(2).log(log).ballot(7, None).start();
        let out = leader.elect();
        assert_eq!(leader.term(), 8);
        leader.persist();
        settle(&mut leader, &mut follower, out.send);
        assert_eq!(follower.log(), leader.log(), "follower ({name})");
        assert_eq!(follower.disk.log, leader.log(), "follower ({name})'s disk");
        assert_eq!(leader.matched(), [11, 11, 0], "follower ({name})");
    }
}

/// 5.3, end: "with this optimization, one AppendEntries RPC will be required for each term with conflicting entries,
/// rather than one RPC per entry".
#[test]
fn repair_takes_one_round_per_term_not_per_entry() {
    let mut log = vec![1];
    log.extend([2; 500]);
    log.extend([3; 500]);
    let mut follower = node(2).log(&log).start();
    let mut leader = node(1).log(&[1, 4]).start();
    let out = leader.elect();
    let messages = settle(&mut leader, &mut follower, out.send);
    assert_eq!(follower.log(), [1, 4, 5]);
    assert!(messages <= 6, "{messages} messages for two terms of 500 entries");
}

/// 5.3, end: the leader, too, skips whole terms that the follower cannot have.
#[test]
fn repair_skips_the_leaders_terms_as_well() {
    let mut log = vec![1];
    log.extend([4; 500]);
    let mut leader = node(1).log(&log).start();
    let mut follower = node(2).log(&[[1].as_slice(), &[3; 600]].concat()).start();
    let out = leader.elect();
    let messages = settle(&mut leader, &mut follower, out.send);
    assert_eq!(follower.log(), leader.log());
    assert!(messages <= 6, "{messages} messages");
}

/// 5.3: "a leader does not need to take any special actions to restore log consistency when it comes to power": it just
/// sends, and a follower's extra entries stay until one of them conflicts.
#[test]
fn extra_entries_stay_until_they_conflict() {
    let mut follower = node(2).log(&[1, 1, 2]).ballot(3, None).start();
    follower.deliver(1, heartbeat(3, 0, 0));
    follower.deliver(1, append(3, (1, 1), &[], 0));
    assert_eq!(follower.log(), [1, 1, 2]);
    follower.deliver(1, append(3, (1, 2), &[3], 0));
    assert_eq!(follower.log(), [1, 1, 3]);
}

/// 5.3: probing needs one message at a time; a refusal that is late or repeated does not start another.
#[test]
fn a_repeated_refusal_is_ignored() {
    let mut leader = node(1).log(&[1, 1, 1, 1]).lead();
    let refusal = conflict(2, 4, (1, 2));
    assert_eq!(leader.deliver(2, refusal).to(2).len(), 1);
    assert!(leader.deliver(2, refusal).is_silent());
    leader.ack(2, 5);
    assert!(leader.deliver(2, refusal).is_silent());
    assert_eq!(leader.matched()[1], 5);
    let sent: Vec<usize> = (1..=3).map(|tag| leader.propose(tag, 1).to(2).len()).collect();
    assert_eq!(sent, [1; 3], "nor does it end the stream");
}

/// 5.3: "in the normal case, a new entry can be replicated with a single round of RPCs to a majority of the cluster; and
/// a single slow follower will not impact performance".
#[test]
fn one_round_suffices_and_a_slow_follower_does_not_matter() {
    let mut leader = node(1).lead();
    let mut follower = node(2).start();
    settle(&mut leader, &mut follower, vec![(2, append(1, (0, 0), &[1], 0))]);
    let out = leader.propose(1, 1);
    leader.persist();
    assert_eq!(settle(&mut leader, &mut follower, out.send), 2, "one message there, one back");
    assert_eq!((leader.commit(), leader.role()), (2, Role::Leader));
}

/// 5.3: what may be unanswered is bounded; the rest waits for the next acknowledgement and goes in one message.
#[test]
fn unanswered_messages_are_bounded() {
    let mut leader = node(1).config(|config| config.max_messages_in_flight = 2).lead();
    leader.ack(2, 1);
    let sent: Vec<usize> = (1..=5).map(|tag| leader.propose(tag, 1).to(2).len()).collect();
    assert_eq!(sent, [1, 1, 0, 0, 0]);
    assert_eq!(leader.ack(2, 2).to(2), [append(1, (1, 3), &[1, 1, 1], 1)]);
}

/// 5.3: nextIndex is taken back only "after a rejection": a first message that was lost is repeated as it was, however
/// long the log before it.
#[test]
fn a_lost_probe_is_repeated_as_it_was() {
    let mut leader = node(1).log(&[1; 1000]).start();
    let first = leader.elect().to(2);
    assert_eq!(first, [append(2, (1, 1000), &[2], 0)]);
    let sent: Vec<Message> = (0..6).flat_map(|_| leader.advance(100).to(2)).collect();
    let appends: Vec<Message> = sent.into_iter().filter(|it| *it != heartbeat(2, 0, 0)).collect();
    assert!(appends.len() >= 3, "{appends:?}");
    assert!(appends.iter().all(|again| *again == first[0]), "{appends:?}");
}

/// 5.3: the same when the front of the log is purged and could not be sent.
#[test]
fn a_lost_probe_is_repeated_behind_a_purged_front() {
    let mut leader = node(1).base(1, 1000).log(&[1]).start();
    leader.elect();
    leader.advance(100);
    assert_eq!(leader.advance(100).to(2), [heartbeat(2, 0, 0), append(2, (1, 1001), &[2], 1000)]);
}

/// 5.3: while acknowledgements come in, nothing is sent twice; once they stop for an interval, the rest is.
#[test]
fn entries_are_not_repeated_while_acknowledgements_come() {
    let mut leader = node(1).lead();
    leader.ack(2, 1);
    leader.propose(1, 1);
    leader.propose(2, 1);
    leader.advance(100);
    leader.ack(2, 2);
    assert_eq!(leader.advance(100).to(2), [heartbeat(1, 1, 0)], "3 is not acknowledged, but 2 was just now");
    assert!(leader.advance(100).to(2).contains(&append(1, (1, 2), &[1], 1)));
}
