//! Linearizable reads: S27, S29, S30.

use crate::common::*;
use crate::{Verdict, finds, require};
use synod_raft::fault::{Fault, Planted};
use synod_transport::machine::Event;

fn answers(out: &Out) -> usize {
    out.events.iter().filter(|event| matches!(event, Event::ReadReady { .. })).count()
}

/// S27: a client retries a read under the same tag. An answer to the first question comes late and must not confirm
/// the second, which was asked after another leader may have taken over.
pub(crate) fn a_retried_read_and_a_late_answer(faults: Planted) -> Verdict {
    let mut leader = node(1).start_with(faults);
    leader.elect();
    leader.try_persist()?;
    leader.ack(2, 1);
    let first = leader.read(7);
    require(answers(&first) == 0, "confirmed by nobody")?;
    require(answers(&leader.try_deliver(3, heartbeat_reply(1, 1))?) == 1, "confirmed by 3")?;
    let retry = leader.read(7);
    require(answers(&retry) == 0, "a retry confirmed by the first question's answer")?;
    let late = leader.try_deliver(2, heartbeat_reply(1, 1))?;
    require(answers(&late) == 0, "a retry confirmed by a late answer")?;
    require(answers(&leader.try_deliver(2, heartbeat_reply(1, 2))?) == 1, "confirmed by its own answer")
}

#[test]
fn raft_s27_a_late_answer_does_not_confirm_a_retry() {
    finds(Fault::ReuseReadToken, a_retried_read_and_a_late_answer);
}

/// S29: a new leader knows what is committed only once it has committed an entry of its own.
pub(crate) fn a_read_right_after_the_election(faults: Planted) -> Verdict {
    let mut leader = node(1).log(&[1, 1]).start_with(faults);
    leader.elect();
    leader.try_persist()?;
    let mut early = leader.read(7);
    early.events.extend(leader.try_deliver(2, heartbeat_reply(2, u64::from(!early.send.is_empty())))?.events);
    // Entry 2 was committed and answered by the leader of term 1.
    require(answers(&early) == 0, "a read that misses what the earlier leader committed")?;
    leader.ack(2, 3);
    let out = leader.try_deliver(2, heartbeat_reply(2, 1))?;
    let ready = Event::ReadReady { tag: 7.into(), index: 3.into() };
    require(out.events == [ready], "answered in the end, with all that was committed")
}

#[test]
fn raft_s29_no_read_before_the_first_commit_of_the_term() {
    finds(Fault::ReadBeforeOwnCommit, a_read_right_after_the_election);
}

/// S30: a leader that was cut off asks in vain; less than a majority is not enough.
pub(crate) fn a_read_nobody_confirms(faults: Planted) -> Verdict {
    let mut leader = node(1).of(5).start_with(faults);
    leader.elect();
    leader.try_persist()?;
    leader.ack(2, 1);
    leader.ack(3, 1);
    require(answers(&leader.read(7)) == 0, "confirmed by nobody")?;
    let one = leader.try_deliver(2, heartbeat_reply(1, 1))?;
    require(answers(&one) == 0, "confirmed by a majority less one")?;
    require(answers(&leader.try_deliver(3, heartbeat_reply(1, 1))?) == 1, "confirmed by a majority")
}

#[test]
fn raft_s30_a_read_needs_a_quorum() {
    finds(Fault::ReadWithoutQuorum, a_read_nobody_confirms);
}
