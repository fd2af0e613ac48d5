//! Log and commit: S5, S6, S9 to S19.

use std::task::{Context, Waker};

use proptest::prelude::*;

use crate::common::*;
use crate::{Verdict, finds, require, sound};
use synod_raft::fault::{Fault, Planted};
use synod_raft::{Config, Message, Raft};
use synod_transport::host::Host;
use synod_transport::ids::{LogIndex, NodeId, Tag};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogStore, MemLogStore};

/// S5: what a follower acknowledged survives its crash at any moment.
pub(crate) fn a_crash_after_an_acknowledgement(faults: Planted) -> Verdict {
    let mut follower = node(2).start_with(faults);
    let message = append(1, (0, 0), &[1, 1], 0);
    for _ in 0..2 {
        let said = follower.try_deliver(1, message)?.send;
        let kept = follower.crash().last().1;
        let all_kept = said.iter().all(|(_, message)| match message {
            Message::Appended { matched, .. } => matched.get() <= kept,
            _ => true,
        });
        require(all_kept, "an acknowledged entry is lost")?;
    }
    require(follower.try_persist()?.opened.contains(&(1, appended(1, 2))), "acknowledged in the end")
}

#[test]
fn raft_s05_no_acknowledgement_leaves_before_the_disk_has_the_entries() {
    finds(Fault::AckBeforeSync, a_crash_after_an_acknowledgement);
}

/// S6: what a leader committed is on a majority of disks when it crashes.
pub(crate) fn a_crash_of_a_leader_that_committed(faults: Planted) -> Verdict {
    for members in [1, 3] {
        let mut leader = node(1).of(members).start_with(faults);
        leader.elect();
        if members == 3 {
            leader.ack(2, 1);
        }
        let others = u64::from(members == 3);
        let disks = others + leader.crash().last().1.min(1);
        require(leader.commit() == 0 || disks > members / 2, "committed on a minority of disks")?;
        leader.try_persist()?;
        require(leader.commit() == 1, "committed in the end")?;
    }
    Ok(())
}

#[test]
fn raft_s06_self_ack_before_fsync() {
    finds(Fault::SelfAckBeforeSync, a_crash_of_a_leader_that_committed);
}

/// S9: figure 8. S1 spreads its entry of term 2 to a majority in term 4; S5 can still win and overwrite it.
pub(crate) fn figure_8(faults: Planted) -> Verdict {
    let mut s1 = node(1).of(5).log(&[1, 2]).ballot(3, None).start_with(faults);
    s1.elect();
    s1.try_persist()?;
    let mut s3 = node(3).of(5).log(&[1]).ballot(3, None).start_with(faults);
    s3.try_deliver(1, append(4, (1, 1), &[2], 0))?;
    for (_, answer) in s3.try_persist()?.opened {
        s1.try_deliver(3, answer)?;
    }
    s1.ack(2, 2);
    let committed = s1.commit();
    let mut s5 = node(5).of(5).log(&[1, 3]).ballot(4, None).start_with(faults);
    let first = s5.elect().send;
    s5.try_persist()?;
    settle(&mut s5, &mut s3, first);
    require(s3.log() == [1, 3, 5], "S5 overwrites it on S3")?;
    require(committed < 2, "a committed entry was overwritten")
}

#[test]
fn raft_s09_entries_of_earlier_terms_are_not_counted() {
    finds(Fault::CommitOlderTerm, figure_8);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// S10: after any acknowledgements the commit index is that of a plain count.
    #[test]
    fn raft_s10_the_commit_index_is_that_of_a_plain_count(acks in proptest::collection::vec((2u64..=5, 0u64..=12), 1..40)) {
        let mut leader = node(1).of(5).log(&[1, 1, 2, 2]).start();
        leader.elect();
        leader.propose(1, 7);
        leader.persist();
        for (peer, matched) in acks {
            leader.ack(peer, matched);
            let held = leader.matched();
            let counted = |index: &u64| held.iter().filter(|reached| **reached >= *index).count() >= 3;
            let want = (5..=12).rev().find(counted).unwrap_or(0);
            prop_assert_eq!(leader.commit(), want, "{:?}", held);
        }
    }

    /// S12: whatever is acknowledged, refused, lost or doubled, each message holds exactly the entries behind the one it
    /// names.
    #[test]
    fn raft_s12_every_append_is_a_piece_of_the_leaders_log(
        answers in proptest::collection::vec((0u8..4, 0u64..=9, 0u64..=9), 1..60)
    ) {
        let setup = node(1).log(&[1, 1, 2, 4, 4]).config(|config| config.max_batch = 3);
        let mut leader = setup.lead();
        leader.propose(1, 3);
        leader.persist();
        for (kind, a, b) in answers {
            let last = leader.last().1;
            let out = match kind {
                0 => leader.ack(2, a.min(last)),
                1 => leader.deliver(2, conflict(leader.term(), a, (b.min(5), b))),
                2 => leader.advance(100),
                _ => leader.propose(a, 1),
            };
            for message in out.to(2) {
                let Message::Append { span, .. } = message else { continue };
                prop_assert_eq!(leader.raft.log().term_at(span.after.index), Some(span.after.term));
                prop_assert!(!span.is_empty());
                for position in span.positions() {
                    prop_assert_eq!(leader.raft.log().term_at(position.index), Some(position.term));
                }
            }
            leader.deliver(3, heartbeat_reply(leader.term(), 0));
        }
    }
}

/// S11: acknowledgements and refusals of an earlier leadership, late, after the log was overwritten.
#[test]
fn raft_s11_answers_to_an_earlier_leadership_are_dropped() {
    sound(|faults| {
        let mut one = node(1).start_with(faults);
        one.elect();
        one.propose(1, 4);
        one.persist();
        one.deliver(2, append(2, (0, 0), &[2, 2, 2, 2, 2], 0));
        one.persist();
        one.elect();
        one.persist();
        require((one.term(), one.last()) == (3, (3, 6)), "leads again, over another log")?;
        for late in [appended(1, 5), conflict(1, 5, (1, 2)), appended(2, 5)] {
            require(one.deliver(3, late).is_silent(), "a late answer moved it")?;
        }
        require(one.matched() == [6, 0, 0] && one.commit() == 0, "nothing of it counts")
    });
}

/// S12 at the receiver: an append behind an entry that is another one is refused.
pub(crate) fn an_append_behind_another_entry(faults: Planted) -> Verdict {
    let mut follower = node(2).log(&[1, 1, 1]).ballot(2, None).start_with(faults);
    let mut said = follower.try_deliver(1, append(2, (2, 2), &[2], 0))?.send;
    said.extend(follower.try_persist()?.opened);
    require(said == [(1, conflict(2, 2, (1, 1)))], "entries behind another one were taken")
}

#[test]
fn raft_s12_an_append_behind_another_entry_is_refused() {
    finds(Fault::SkipPreviousCheck, an_append_behind_another_entry);
}

/// S13: the place that a refusal proposes is a guess, no acknowledgement.
pub(crate) fn a_refusal_with_a_hint(faults: Planted) -> Verdict {
    let mut leader = node(1).log(&[1, 1, 1]).start_with(faults);
    leader.elect();
    leader.try_persist()?;
    leader.try_deliver(2, conflict(2, 3, (1, 2)))?;
    require(leader.matched() == [4, 0, 0], "a guess was counted")
}

#[test]
fn raft_s13_a_hint_is_not_an_acknowledgement() {
    finds(Fault::HintCountsAsMatch, a_refusal_with_a_hint);
}

/// S14: an older append that was overtaken cuts nothing that a newer one brought.
pub(crate) fn an_old_append_overtaken_by_a_newer(faults: Planted) -> Verdict {
    let mut follower = node(2).start_with(faults);
    follower.try_deliver(1, append(1, (0, 0), &[1, 1, 1], 0))?;
    let said = follower.try_persist()?.opened;
    require(said == [(1, appended(1, 3))], "acknowledged through 3")?;
    follower.try_deliver(1, append(1, (0, 0), &[1], 0))?;
    follower.try_persist()?;
    require(follower.crash().last().1 == 3, "acknowledged entries are gone")
}

#[test]
fn raft_s14_only_a_real_conflict_cuts_the_log() {
    finds(Fault::TruncateUnconditionally, an_old_append_overtaken_by_a_newer);
}

/// S15: entries before the purged front are neither a conflict nor appended again.
#[test]
fn raft_s15_an_append_that_reaches_behind_the_purged_front() {
    sound(|faults| {
        let follower = || node(2).base(1, 5).log(&[1, 2]).start_with(faults);
        let mut across = follower();
        let out = across.deliver(1, append(2, (1, 3), &[1, 1, 1, 2, 2], 0));
        require(out.truncated().is_none() && out.appended() == [(2, 8)], "only 8 is new")?;
        let mut before = follower();
        let out = before.deliver(1, append(2, (1, 2), &[1, 1], 9));
        require(out.send == [(1, appended(2, 5))] && out.write.is_none(), "all of it is there")?;
        let mut at_front = follower();
        let out = at_front.deliver(1, append(2, (1, 5), &[1], 0));
        require(out.send == [(1, appended(2, 6))], "the front itself compares")?;
        require(follower().try_deliver(1, append(2, (2, 5), &[2], 0)).is_err(), "another front is loud")
    });
}

/// S16: an entry that is not there has no term, not even zero.
#[test]
fn raft_s16_a_missing_entry_matches_nothing() {
    sound(|faults| {
        let mut follower = node(2).start_with(faults);
        let out = follower.deliver(1, append(1, (0, 5), &[], 5));
        require(!out.sealed.is_empty() && follower.commit() == 0, "0 == 0")?;
        require(follower.persist().opened == [(1, conflict(1, 5, (0, 0)))], "refused")
    });
}

/// S17: entries handed out a few at a time come all, once, in order.
#[test]
fn raft_s17_pages_of_committed_entries_skip_nothing() {
    let members = Members::new([NodeId::new(1)]).unwrap();
    let store = MemLogStore::new();
    let raft = Raft::new(Config::new(NodeId::new(1)), Static::new(members), &store.summary()).unwrap();
    let mut host = Host::new(raft, store, LogIndex::ZERO);
    let mut cx = Context::from_waker(Waker::noop());
    host.wake(synod_transport::time::Instant::ZERO).unwrap();
    let now = host.wake_at();
    host.wake(now).unwrap();
    let mut applied = Vec::new();
    for round in 0..5 {
        host.propose(now, Tag::new(round), &mut vec!["abc".into(); 4]).unwrap();
        while host.poll_durable(now, &mut cx).is_ready() {}
        host.take_committed(1, &mut applied).unwrap();
        host.take_committed(7, &mut applied).unwrap();
    }
    while host.take_committed(5, &mut applied).unwrap() {}
    let indexes: Vec<u64> = applied.iter().map(|entry| entry.position.index.get()).collect();
    assert_eq!(indexes, (1..=host.apply_through().get()).collect::<Vec<_>>());
    assert_eq!(indexes.len(), 17, "four of the five proposals came after the election, and its blank entry");
}

/// S18: the receipt of an entry that was since replaced says nothing about its successor.
pub(crate) fn a_receipt_of_a_replaced_entry(faults: Planted) -> Verdict {
    let mut follower = node(2).start_with(faults);
    follower.try_deliver(1, append(1, (0, 0), &[1, 1], 0))?;
    follower.try_deliver(3, heartbeat(2, 0, 0))?;
    let replacement = append(2, (0, 0), &[2, 2], 0);
    follower.try_deliver(3, replacement)?;
    // Entries of term 1 and term 2 itself are durable now; the entries of term 2 are not.
    follower.persist_one();
    follower.persist_one();
    let said = follower.try_deliver(3, replacement)?.send;
    let kept = follower.crash().log();
    require(said.is_empty() || kept == [2, 2], "acknowledged what the disk does not hold")?;
    require(follower.raft.persisted().get() == 0, "counted the successor as durable")
}

#[test]
fn raft_s18_a_stale_receipt_does_not_cover_a_replacement() {
    finds(Fault::StaleDurableIndex, a_receipt_of_a_replaced_entry);
}

/// S19: a heartbeat asks nothing of the log, however far the follower is behind.
#[test]
fn raft_s19_a_heartbeat_is_never_a_conflict() {
    sound(|faults| {
        let mut leader = node(1).log(&[1, 1, 1]).start_with(faults);
        leader.elect();
        leader.persist();
        leader.ack(2, 4);
        let mut behind = node(3).start_with(faults);
        let beats: Vec<Message> = leader.advance(100).to(3);
        require(beats.contains(&heartbeat(2, 0, 0)), "commits nothing at one that is behind")?;
        behind.deliver(1, heartbeat(2, 0, 0));
        let said = behind.persist().opened;
        require(said == [(1, heartbeat_reply(2, 0))], "answered as a heartbeat")
    });
}

/// Rule 5 of `AppendEntries`: a follower commits what both logs are known to share, not what it happens to have.
pub(crate) fn a_commit_index_beyond_what_was_compared(faults: Planted) -> Verdict {
    let mut follower = node(2).log(&[1, 1, 2, 2]).ballot(3, None).start_with(faults);
    follower.try_deliver(1, append(3, (1, 1), &[1], 4))?;
    require(follower.commit() <= 2, "entries of another log were committed")
}

#[test]
fn raft_figure_2_a_commit_ends_where_the_comparison_ends() {
    finds(Fault::CommitBeyondMatch, a_commit_index_beyond_what_was_compared);
}
