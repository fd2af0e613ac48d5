//! Votes and what must be on disk before them: S1 to S5, S7, S8, S20.

use crate::common::*;
use crate::{Verdict, finds, require, sound};
use synod_raft::fault::{Fault, Planted};
use synod_transport::machine::Role;

/// S1: a crash between any two operations of the disk leads to no second vote in a term.
pub(crate) fn a_crash_between_any_two_writes(faults: Planted) -> Verdict {
    for synced in 0..3 {
        let mut voter = node(1).start_with(faults);
        let mut said = voter.deliver(2, vote(1, (0, 0))).send;
        for _ in 0..synced {
            said.extend(voter.try_persist()?.opened);
        }
        let mut voter = voter.crash();
        let mut said_later = voter.try_deliver(3, vote(1, (0, 0)))?.send;
        said_later.extend(voter.try_persist()?.opened);
        let both = said.contains(&(2, granted(1))) && said_later.contains(&(3, granted(1)));
        require(!both, "two votes in one term")?;
    }
    Ok(())
}

#[test]
fn raft_s01_term_and_vote_are_one_write() {
    finds(Fault::VoteNotPersisted, a_crash_between_any_two_writes);
}

/// S2: stepping down within a term, at the word of its leader, does not free the vote.
pub(crate) fn stepping_down_within_a_term(faults: Planted) -> Verdict {
    let mut candidate = node(1).plain().start_with(faults);
    candidate.campaign();
    let asked = candidate.try_persist()?.opened;
    require(asked.contains(&(2, vote(1, (0, 0)))), "the candidate asks")?;
    // Refused by rule 2 of AppendEntries, as in the reports: the leader's log is longer.
    candidate.try_deliver(3, append(1, (1, 5), &[1], 0))?;
    require(candidate.role() == Role::Follower, "it follows")?;
    candidate.try_persist()?;
    let mut said = candidate.try_deliver(2, vote(1, (9, 9)))?.send;
    said.extend(candidate.try_persist()?.opened);
    require(!said.contains(&(2, granted(1))), "a second vote in term 1")
}

#[test]
fn raft_s02_a_step_down_keeps_the_vote() {
    finds(Fault::ForgetVote, stepping_down_within_a_term);
}

/// S2, the variant with pre-vote: a pre-candidate voted for another before.
fn stepping_down_as_a_pre_candidate(faults: Planted) -> Verdict {
    let mut voter = node(1).ballot(1, Some(2)).start_with(faults);
    voter.campaign();
    require(voter.role() == Role::PreCandidate, "it asks")?;
    voter.try_deliver(2, heartbeat(1, 0, 0))?;
    voter.try_persist()?;
    require(voter.vote() == Some(2), "the vote for 2 is forgotten")
}

#[test]
fn raft_s02_a_pre_candidate_keeps_the_vote() {
    finds(Fault::ForgetVote, stepping_down_as_a_pre_candidate);
}

/// S3: answers to a pre-vote that come after the campaign move nobody.
#[test]
fn raft_s03_late_pre_votes_start_nothing() {
    sound(|faults| {
        let mut node = node(1).of(5).start_with(faults);
        node.campaign();
        node.deliver(2, pre_vote_reply(0, 1, true));
        node.deliver(3, pre_vote_reply(0, 1, true));
        require(node.role() == Role::Candidate, "the real election began")?;
        require(node.deliver(4, pre_vote_reply(0, 1, true)).is_silent(), "a candidate ignores it")?;
        node.persist();
        node.deliver(2, granted(1));
        node.deliver(3, granted(1));
        for late in [pre_vote_reply(0, 1, true), pre_vote_reply(1, 2, true), pre_vote_reply(1, 1, false)] {
            require(node.deliver(5, late).is_silent(), "a leader ignores it")?;
        }
        require((node.role(), node.term()) == (Role::Leader, 1), "still the leader of term 1")
    });
}

/// S3: answers to the pre-vote of an earlier term do not count in this one's.
#[test]
fn raft_s03_pre_votes_count_for_the_term_they_were_asked_for() {
    sound(|faults| {
        let mut node = node(1).start_with(faults);
        node.campaign();
        node.deliver(2, heartbeat(4, 0, 0));
        node.persist();
        node.campaign();
        node.deliver(3, pre_vote_reply(0, 1, true));
        require((node.role(), node.term()) == (Role::PreCandidate, 4), "an old yes started an election")?;
        node.deliver(3, pre_vote_reply(4, 5, true));
        require((node.role(), node.term()) == (Role::Candidate, 5), "a new one does")
    });
}

/// S4: a denied vote is no vote, and the later term of a denial is adopted without a vote in it.
pub(crate) fn a_denied_vote(faults: Planted) -> Verdict {
    let mut candidate = node(1).plain().start_with(faults);
    candidate.campaign();
    candidate.try_persist()?;
    candidate.try_deliver(2, denied(1))?;
    require(candidate.role() != Role::Leader, "elected by a denial")?;
    candidate.try_deliver(3, denied(8))?;
    require((candidate.term(), candidate.vote()) == (8, None), "the later term has a vote")
}

#[test]
fn raft_s04_a_denial_is_not_a_vote() {
    finds(Fault::DenialCountsAsVote, a_denied_vote);
}

/// S5 for votes: whatever a node said, a crash right after it takes nothing of it back.
#[test]
fn raft_s05_no_vote_leaves_before_the_disk_has_it() {
    finds(Fault::VoteNotPersisted, |faults| {
        let mut voter = node(1).start_with(faults);
        let said = voter.deliver(2, vote(4, (0, 0))).send;
        let disk = voter.disk.ballot();
        let kept = disk.term.get() == 4 && disk.vote.is_some();
        require(said.is_empty() || kept, "a vote that a crash takes back")
    });
}

/// S7: entries never reach the disk before the term they were taken in.
#[test]
fn raft_s07_the_term_is_never_behind_the_log() {
    sound(|faults| {
        let mut follower = node(1).start_with(faults);
        for term in 1..=5 {
            follower.deliver(2 + term % 2, append(term, (0, 0), &[term], 0));
        }
        while !follower.unsynced.is_empty() {
            let log_term = follower.disk.log.last().copied().unwrap_or(0);
            require(log_term <= follower.disk.ballot().term.get(), "the log is ahead of the term")?;
            require(follower.crash().last().0 <= follower.crash().term(), "and so after a crash")?;
            follower.persist_one();
        }
        require(follower.disk.log == [5] && follower.disk.ballot().term.get() == 5, "all arrived")
    });
}

/// S8: a vote that the network doubled is one vote.
pub(crate) fn one_vote_three_times(faults: Planted) -> Verdict {
    let mut candidate = node(1).of(5).plain().start_with(faults);
    candidate.campaign();
    candidate.try_persist()?;
    for _ in 0..3 {
        candidate.try_deliver(2, granted(1))?;
    }
    require(candidate.role() == Role::Candidate, "two servers of five elected a leader")
}

#[test]
fn raft_s08_a_doubled_vote_counts_once() {
    finds(Fault::CountDuplicateVotes, one_vote_three_times);
}

/// S8: the same for pre-votes.
#[test]
fn raft_s08_a_doubled_pre_vote_counts_once() {
    finds(Fault::CountDuplicateVotes, |faults| {
        let mut node = node(1).of(5).start_with(faults);
        node.campaign();
        for _ in 0..3 {
            node.deliver(2, pre_vote_reply(0, 1, true));
        }
        require(node.role() == Role::PreCandidate, "one yes of four others started an election")
    });
}

/// S8: votes from outside the configuration are nothing, and break nothing.
#[test]
fn raft_s08_strangers_have_no_vote() {
    sound(|faults| {
        let mut candidate = node(1).plain().start_with(faults);
        candidate.campaign();
        candidate.persist();
        for stranger in [0, 4, 64, u64::MAX] {
            require(candidate.deliver(stranger, granted(1)).is_silent(), "a stranger moved it")?;
        }
        require(candidate.role() == Role::Candidate, "elected by strangers")
    });
}

/// S20: last positions compare by term first, then by index, never field by field.
pub(crate) fn last_positions_in_lexicographic_order(faults: Planted) -> Verdict {
    for (last, better) in [((1, 99), false), ((2, 2), false), ((2, 3), true), ((3, 1), true)] {
        let mut voter = node(1).log(&[1, 2, 2]).start_with(faults);
        voter.try_deliver(2, vote(4, last))?;
        require((voter.vote() == Some(2)) == better, "logs compared field by field")?;
    }
    Ok(())
}

#[test]
fn raft_s20_a_later_term_beats_a_longer_log() {
    finds(Fault::IgnoreLogInVote, last_positions_in_lexicographic_order);
}
