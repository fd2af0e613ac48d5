//! Invariants broken by hand: each is noticed, by its name. A machine that steps never gets there, so only its inside
//! can be made to.

use synod_transport::ids::{LogIndex, NodeId, Position, Term, WriteId};
use synod_transport::machine::{Effects, Fatal, Input, Machine as _};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogSummary, Receipt};
use synod_transport::time::Instant;

use crate::core::{Leader, State};
use crate::{Ballot, Command, Config, Message, Raft};

/// Node 1 of two, whose log is behind entry 2 and holds 3 to 5; it leads term 3, and its disk has everything but its
/// first entry, 6.
fn leader() -> Raft {
    let mut stored = LogSummary { base: Position::new(1, 2), ..LogSummary::default() };
    (0..3).for_each(|_| stored.push(Term::new(2)));
    stored.hard_state = Some(Ballot { term: Term::new(2), vote: None }.encode());
    let members = Members::new([1, 2].map(NodeId::new)).expect("two members");
    let config = Config { pre_vote: false, ..Config::new(NodeId::new(1)) };
    let mut raft = Raft::new(config, Static::new(members), &stored).expect("a sound disk");
    let mut effects = Effects::default();
    let granted = Message::VoteReply { term: Term::new(3), granted: true };
    let inputs = [
        Input::Command(Command::Campaign),
        Input::Persisted(Receipt::attest(WriteId::new(1))),
        Input::Message { from: NodeId::new(2), message: granted },
    ];
    for input in inputs {
        raft.step(Instant::ZERO, input, &mut effects).expect("no invariant broken");
        effects.write = None;
    }
    assert_eq!((raft.matched().map(<[_]>::len), raft.log().last().index), (Some(2), LogIndex::new(6)));
    raft
}

/// What is said of a leader after this change.
fn broken(change: impl FnOnce(&mut Raft)) -> Result<(), Fatal> {
    let mut raft = leader();
    change(&mut raft);
    raft.check_invariants()
}

/// What is said of a leader after this change of what only leaders know.
fn broken_leader(change: impl FnOnce(&mut Leader)) -> Result<(), Fatal> {
    broken(|raft| match &mut raft.state {
        State::Leader(leader) => change(leader),
        other => panic!("it leads, and is no {other:?}"),
    })
}

#[test]
fn every_broken_invariant_is_noticed_by_its_name() {
    let [two, one] = [2, 1].map(LogIndex::new);
    let (end, beyond) = (LogIndex::new(6), LogIndex::new(7));
    assert_eq!(broken(|_| {}), Ok(()));
    assert_eq!(broken(|raft| raft.commit = end), Ok(()));
    assert_eq!(broken(|raft| raft.commit = beyond), Err(Fatal("commit index within the log")));
    assert_eq!(broken(|raft| raft.commit = two), Ok(()));
    assert_eq!(broken(|raft| raft.commit = one), Err(Fatal("commit index not before the log's base")));
    assert_eq!(broken(|raft| raft.writes.persisted = beyond), Err(Fatal("durable index within the log")));
    let ahead = |raft: &mut Raft| raft.writes.durable = raft.writes.last.next();
    assert_eq!(broken(ahead), Err(Fatal("durable write was made")));
    let behind = |raft: &mut Raft| raft.ballot.term = Term::new(2);
    assert_eq!(broken(behind), Err(Fatal("log's last term not beyond the current")));
    let pending = |raft: &mut Raft| raft.writes.appends.push_back((WriteId::new(2), beyond));
    assert_eq!(broken(pending), Err(Fatal("pending appends within the log")));
}

#[test]
fn every_broken_invariant_of_a_leader_is_noticed_by_its_name() {
    let (end, beyond) = (LogIndex::new(6), LogIndex::new(7));
    let other = |raft: &mut Raft| raft.ballot.vote = Some(NodeId::new(2));
    assert_eq!(broken(other), Err(Fatal("a leader voted for itself")));
    let later = |raft: &mut Raft| raft.ballot.term = Term::new(4);
    assert_eq!(broken(later), Err(Fatal("a leader's log ends in its term")));
    let matched = |index| broken_leader(|leader| *leader.matched.last_mut().expect("two slots") = index);
    assert_eq!(matched(beyond), Err(Fatal("matched index within the log")));
    // The probe of entry 6 is on its way: what is next has not moved.
    assert_eq!(matched(LogIndex::new(5)), Ok(()));
    assert_eq!(matched(end), Err(Fatal("matched before next")), "the next to send is not known to be there");
    let next = |index| broken_leader(|leader| leader.peers.last_mut().expect("two slots").next = index);
    assert_eq!(next(beyond), Ok(()));
    assert_eq!(next(beyond.next()), Err(Fatal("next index within the log")));
    let own = broken_leader(|leader| *leader.matched.first_mut().expect("two slots") = end);
    assert_eq!(own, Ok(()), "nothing is sent to itself");
}

#[test]
fn the_durable_index_follows_the_receipts() {
    let mut raft = leader();
    assert_eq!(raft.persisted(), LogIndex::new(5));
    let receipt = Input::Persisted(Receipt::attest(WriteId::new(2)));
    raft.step(Instant::ZERO, receipt, &mut Effects::default()).expect("no invariant broken");
    assert_eq!(raft.persisted(), LogIndex::new(6));
}

#[test]
fn a_log_that_claims_to_reach_the_end_of_all_indexes_is_refused() {
    use crate::RestoreError;

    let members = || Static::new(Members::new([1, 2].map(NodeId::new)).expect("two members"));
    let at = |index| LogSummary { base: Position::new(1, index), ..LogSummary::default() };
    let with = |mut stored: LogSummary| {
        stored.hard_state = Some(Ballot { term: Term::new(1), vote: None }.encode());
        Raft::new(Config::new(NodeId::new(1)), members(), &stored).map(|raft| raft.log().last().index.get())
    };
    assert_eq!(with(at((1 << 62) - 1)), Ok((1 << 62) - 1));
    assert_eq!(with(at(1 << 62)), Err(RestoreError::TooLong));
    assert_eq!(with(at(u64::MAX)), Err(RestoreError::TooLong));
}
