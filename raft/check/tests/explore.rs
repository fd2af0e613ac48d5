//! Small worlds of the real core, visited whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicU64, Ordering};

use synod_raft::fault::Fault;
use synod_raft_check::explore::{Explored, Setup, cluster, explore, find, find_in, setup_for};
use synod_sim::explore::cluster::{Bounds, Cause};
use synod_sim::explore::{End, Explorer};
use synod_transport::ids::LogIndex;
use synod_transport::machine::Role;
use synod_transport::quorum::NodeSet;
use synod_transport::trace;

fn visit(setup: &Setup, threads: usize) -> Explored {
    let explored = explore(setup, threads, |_| {}).unwrap();
    assert_eq!(explored.broken(), None, "{setup:?}");
    assert!(explored.report.holds());
    explored
}

/// One term, a crash, anybody campaigns: small enough for the specification's checker, which counts the same.
fn one_term() -> Setup {
    let tiny = Setup::tiny();
    let campaigners = NodeSet::first(3);
    Setup { bounds: Bounds { max_term: 1, max_log: 1, crashes: 1, campaigners, ..tiny.bounds }, ..tiny }
}

#[test]
fn the_counts_are_those_of_the_specification() {
    // Counted from raft/spec/Raft.tla under the same bounds.
    let two = NodeSet::first(2);
    let election = Bounds { crashes: 0, campaigners: two, ..one_term().bounds };
    assert_eq!(visit(&Setup { bounds: election, ..one_term() }, 1).report.states, 590);
    assert_eq!(visit(&one_term(), 1).report.states, 7276);
}

#[test]
fn the_counts_do_not_depend_on_threads() {
    let [one, two] = [1, 2].map(|threads| visit(&Setup::tiny(), threads));
    assert_eq!(one.report.states, 6759);
    assert_eq!((one.report.states, one.report.edges), (two.report.states, two.report.edges));
    assert_eq!((one.report.depth, one.report.terminal), (two.report.depth, two.report.terminal));
    assert_eq!(one.tables(), two.tables());
}

#[test]
fn every_state_is_a_renaming_of_one_that_symmetry_visits() {
    for setup in [one_term(), Setup::tiny()] {
        let all = visit(&setup, 1).report;
        let world = cluster(&setup).unwrap();
        let orbits = AtomicU64::new(0);
        let count = |state: &_| {
            orbits.fetch_add(world.orbit(state) as u64, Ordering::Relaxed);
        };
        let some = Explorer::new(&world).symmetric().on_state(count).run().unwrap();
        assert!(some.states < all.states);
        assert_eq!(orbits.into_inner(), all.states);
        assert_eq!(some.depth, all.depth);
    }
}

#[test]
fn what_matters_happens() {
    let setup = Setup { symmetric: true, ..Setup::spec() };
    let bounds = Bounds { crashes: 1, proposals: 0, ..setup.bounds };
    let explored = visit(&Setup { bounds, ..setup }, 2);
    assert_eq!(explored.unseen(), ["a read is answered"]);
    let bounds = Bounds { reads: 1, proposals: 0, max_term: 1, ..setup.bounds };
    let explored = visit(&Setup { bounds, ..setup }, 1);
    assert!(!explored.unseen().contains(&"a read is answered"));
}

#[test]
fn a_network_that_never_delivers_elects_nobody() {
    let tiny = Setup::tiny();
    let explored = visit(&Setup { bounds: Bounds { in_flight: 0, ..tiny.bounds }, ..tiny }, 1);
    assert!(explored.unseen().contains(&"a leader is elected"), "{:?}", explored.unseen());
}

#[test]
fn without_loss_a_step_waits_for_room() {
    let tiny = Setup::tiny();
    let full = Bounds { loss: false, in_flight: 1, ..tiny.bounds };
    let explored = visit(&Setup { bounds: full, ..tiny }, 1);
    // Two requests never fit.
    assert!(explored.unseen().contains(&"a leader is elected"));
    let roomy = Bounds { in_flight: 4, max_term: 1, max_log: 1, campaigners: NodeSet::first(1), ..full };
    let explored = visit(&Setup { bounds: roomy, ..tiny }, 1);
    assert!(!explored.unseen().contains(&"an entry is committed"));
}

#[test]
fn raft_s01_a_vote_that_is_not_written_is_given_twice() {
    let found = find(Fault::VoteNotPersisted, 1).unwrap().expect("found");
    assert_eq!((found.invariant, found.length), ("election safety", 9));
    let path = found.explored.counterexample().unwrap();
    assert!(path.steps.iter().any(|(action, _)| matches!(action.cause, Cause::Crash(_))));
    // Without crashes nobody forgets.
    let setup = setup_for(Fault::VoteNotPersisted);
    let calm = Setup { bounds: Bounds { crashes: 0, ..setup.bounds }, ..setup };
    assert!(find_in(&calm, Fault::VoteNotPersisted, 1).unwrap().is_none());
}

#[test]
fn the_shortest_counterexamples_have_a_known_length() {
    let lengths = [
        (Fault::AckBeforeSync, 8, "committed is durable"),
        (Fault::SelfAckBeforeSync, 8, "committed is durable"),
        (Fault::DenialCountsAsVote, 9, "election safety"),
        (Fault::IgnoreLogInVote, 14, "leader completeness"),
        (Fault::ForgetVote, 13, "election safety"),
        (Fault::CommitBeyondMatch, 17, "state machine safety"),
        (Fault::ReadWithoutQuorum, 15, "read freshness"),
        (Fault::ReadBeforeOwnCommit, 17, "read freshness"),
        (Fault::StaleDurableIndex, 16, "committed is durable"),
        (Fault::SkipPreviousCheck, 18, "log matching"),
        (Fault::TruncateUnconditionally, 16, "committed is durable"),
        (Fault::CountDuplicateVotes, 14, "election safety"),
        (Fault::ReuseReadToken, 21, "read freshness"),
        (Fault::HintCountsAsMatch, 17, "committed is durable"),
        (Fault::LeaderTruncates, 17, "leader append-only"),
        (Fault::TermNotPersisted, 7, "machine"),
        (Fault::OldAcknowledgementCounts, 15, "committed is durable"),
        (Fault::QuorumOffByOne, 6, "committed is durable"),
    ];
    for (fault, length, invariant) in lengths {
        let found = find(fault, 2).unwrap().unwrap_or_else(|| panic!("{} was not found", fault.name()));
        assert_eq!((found.length, found.invariant), (length, invariant), "{}", fault.name());
    }
}

#[test]
fn the_worlds_of_faults_hold_without_them() {
    // Those of three and four terms take longer than a test should.
    for fault in Fault::ALL.iter().filter(|fault| setup_for(**fault).bounds.max_term <= 2) {
        visit(&setup_for(*fault).with(None), 2);
    }
}

#[test]
fn a_counterexample_is_told_and_written() {
    let found = find(Fault::DenialCountsAsVote, 1).unwrap().expect("found");
    let path = found.explored.counterexample().unwrap();
    let tale = found.explored.world.tale(path);
    assert!(tale.contains("n1 times out") || tale.contains("n2 times out"), "{tale}");
    assert!(tale.contains("election safety"), "{tale}");
    let mut file = Vec::new();
    found.explored.world.write_trace(path, &mut file).unwrap();
    let lines: Vec<_> = trace::read(file.as_slice()).collect::<Result<_, _>>().unwrap();
    let count = |event: &str| lines.iter().filter(|line| line.event == event).count();
    assert_eq!(count("Ready"), path.steps.len());
    assert_eq!((count("Broken"), count("Timeout")), (1, 2));
}

#[test]
fn a_limit_on_states_leaves_the_verdict_open() {
    let explored = explore(&Setup { max_states: 500, ..Setup::tiny() }, 1, |_| {}).unwrap();
    assert_eq!((explored.report.end, explored.report.states), (End::MaxStates, 500));
    assert!(!explored.report.holds());
}

#[test]
fn steps_and_states_can_be_seen_in_full() {
    let setup = Setup::tiny();
    let world = cluster(&setup).unwrap();
    let seen = AtomicU64::new(0);
    let look = |before: &_, action: &_, after: &_| {
        let (from, to) = (world.decode(before).unwrap(), world.decode(after).unwrap());
        let told = world.tell(before, action).unwrap();
        let slot = usize::from(u8::try_from(told.node.get()).unwrap()) - 1;
        assert_eq!((&from.nodes[slot], &to.nodes[slot]), (&told.before, &told.after));
        assert!((0..3).filter(|other| *other != slot).all(|other| from.nodes[other] == to.nodes[other]));
        let entered = told.sends.iter().filter(|(_, entered)| *entered).count();
        let left = usize::from(told.delivered.is_some() && !told.repeated);
        assert_eq!(to.network.len(), from.network.len() - left + entered);
        for node in to.nodes {
            let stored = node.current().unwrap();
            assert_eq!(stored.last(), node.machine.log().last());
            assert!(node.machine.role() != Role::Leader || stored.last().index > LogIndex::ZERO);
        }
        seen.fetch_add(1, Ordering::Relaxed);
    };
    let report = Explorer::new(&world).on_edge(look).run().unwrap();
    assert_eq!(seen.into_inner(), report.edges);
}

/// A rule that is a little stricter or laxer breaks nothing and still reaches other states: the counts of the named
/// worlds are those of the code as it is meant.
#[test]
fn the_named_worlds_have_as_many_states_as_ever() {
    for (setup, states) in [(Setup::spec(), 149_501), (Setup::ci(), 1_277_201)] {
        let explored = explore(&setup, 2, |_| {}).unwrap();
        assert!(explored.report.holds());
        assert_eq!(explored.report.states, states);
    }
}

/// Reads, and two writes that wait for one disk: other worlds than the named ones.
#[test]
fn reads_and_writes_that_pile_up_hold() {
    let mut reads = Setup { symmetric: true, ..Setup::spec() };
    (reads.bounds.reads, reads.bounds.crashes) = (1, 0);
    let mut writes = Setup { symmetric: true, ..Setup::spec() };
    (writes.bounds.unsynced, writes.bounds.sealed, writes.bounds.max_term) = (2, 3, 1);
    writes.bounds.crashes = 1;
    for setup in [reads, writes] {
        let explored = explore(&setup, 2, |_| {}).unwrap();
        assert!(explored.report.holds(), "{:?}", explored.broken());
        assert!(explored.report.states > 4_000, "{}", explored.report.states);
        println!("{} states", explored.report.states);
    }
}
