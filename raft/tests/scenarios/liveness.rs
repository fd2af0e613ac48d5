//! Liveness: L1 to L4. The limits are generous multiples of the election timeout, not measurements.

use crate::common::*;
use crate::world::{World, settled_leader};
use synod_raft::Message;
use synod_transport::machine::{Event, Role};

fn three(change: impl Fn(u64, Setup) -> Setup) -> World {
    World::new((1..=3).map(|id| change(id, node(id))).collect())
}

/// A sound cluster settles at all.
#[test]
fn a_cluster_elects_a_leader_and_keeps_it() {
    let mut world = three(|_, setup| setup);
    assert!(world.run_until(10_000, |nodes| settled_leader(nodes).is_some()).is_some());
    let leader = settled_leader(&world.nodes);
    let term = world.node(1).term();
    world.run(20_000);
    assert_eq!((settled_leader(&world.nodes), world.node(1).term()), (leader, term));
}

/// L1: while pre-vote is being rolled out, some nodes have it and some do not. Whichever mixture: a leader is found,
/// also when those without it have run ahead in terms.
#[test]
fn raft_l01_a_mixture_of_nodes_with_and_without_pre_vote_elects() {
    for without in [&[1][..], &[1, 2], &[3]] {
        for ahead in [0, 50] {
            let mut world = three(|id, setup| {
                let plain = without.contains(&id);
                let setup = setup.log(&[1]).config(|config| config.pre_vote = !plain);
                if plain { setup.ballot(1 + ahead, Some(id)) } else { setup }
            });
            let took = world.run_until(60_000, |nodes| settled_leader(nodes).is_some());
            assert!(took.is_some(), "without pre-vote: {without:?}, ahead by {ahead}");
        }
    }
}

/// L1: the only node whose log can win lags in its term. Refusals teach it the later term.
#[test]
fn raft_l01_the_node_that_can_win_learns_the_later_term() {
    let mut world = three(|id, setup| match id {
        1 => setup.log(&[1, 1, 1]),
        _ => setup.log(&[1]).ballot(9, None),
    });
    world.isolate(3);
    assert!(world.run_until(60_000, |nodes| nodes[0].role() == Role::Leader).is_some());
    assert!(world.node(1).term() > 9);
}

/// L1: a node comes back with a later term than the leader's, which it got while it had no pre-vote. The leader, whose
/// heartbeats it refuses, gives up its term, and all settle in a later one.
#[test]
fn raft_l01_a_node_with_a_later_term_is_taken_back() {
    let mut world = three(|id, setup| setup.config(|config| config.pre_vote = id != 3));
    world.isolate(3);
    world.run(30_000);
    let ahead = world.node(3).term();
    assert!(ahead > world.node(1).term() + 3, "it went on alone to term {ahead}");
    world.cut.clear();
    assert!(world.run_until(60_000, |nodes| settled_leader(nodes).is_some()).is_some());
    assert!(world.node(1).term() >= ahead);
}

/// L1 with check-quorum: a leader cut off steps down by itself, and the others elect another meanwhile.
#[test]
fn raft_l01_a_leader_cut_off_is_replaced_and_comes_back() {
    let mut world = three(|_, setup| setup);
    world.run_until(10_000, |nodes| settled_leader(nodes).is_some()).unwrap();
    let old = settled_leader(&world.nodes).unwrap();
    world.isolate(old);
    let replaced = |nodes: &[Node]| {
        nodes.iter().any(|node| node.id() != old && node.role() == Role::Leader)
            && nodes.iter().all(|node| node.id() != old || node.role() != Role::Leader)
    };
    assert!(world.run_until(10_000, replaced).is_some());
    world.cut.clear();
    assert!(world.run_until(10_000, |nodes| settled_leader(nodes).is_some()).is_some());
    assert_ne!(settled_leader(&world.nodes), Some(old), "its return disturbs nobody");
}

/// L2: messages that are lost, or acknowledged out of order, give their places in the window back.
#[test]
fn raft_l02_a_window_never_leaks() {
    let mut leader = node(1).config(|config| config.max_messages_in_flight = 2).lead();
    for round in 0..100 {
        let last = leader.last().1;
        leader.ack(2, last);
        leader.ack(3, last);
        let sent: usize = (0..3).map(|tag| leader.propose(tag, 1).to(2).len()).sum();
        assert_eq!(sent, 2, "round {round}: the window holds two messages");
        match round % 3 {
            0 => {
                leader.advance(100);
                leader.advance(100);
            }
            1 => drop(leader.deliver(2, conflict(1, last + 1, (1, last)))),
            _ => drop(leader.ack(2, last + 1)),
        }
        leader.persist();
    }
    assert_eq!(leader.role(), Role::Leader);
}

/// L2: what was proposed to a leader that lost its place does not count against the next term's limit.
#[test]
fn raft_l02_lost_proposals_do_not_fill_the_limit() {
    let mut one = node(1).config(|config| config.max_uncommitted = 3).start();
    let mut committed = (0, 0);
    for _ in 0..20 {
        one.elect();
        one.persist();
        assert!(matches!(one.propose(1, 2).events[..], [Event::Accepted { .. }]));
        assert!(matches!(one.propose(2, 1).events[..], [Event::Refused { .. }]));
        let term = one.term() + 1;
        one.deliver(2, append(term, committed, &[term], committed.1 + 1));
        one.persist();
        committed = (term, committed.1 + 1);
        assert_eq!((one.commit(), one.last()), (committed.1, committed));
    }
}

/// L3: a follower that has caught up is sent to without waiting for its answers.
#[test]
fn raft_l03_a_follower_that_caught_up_is_streamed_to() {
    let mut leader = node(1).lead();
    leader.deliver(2, conflict(1, 0, (0, 0)));
    leader.ack(2, 1);
    let sent: Vec<usize> = (1..=4).map(|tag| leader.propose(tag, 1).to(2).len()).collect();
    assert_eq!(sent, [1; 4], "a message per proposal");
    leader.advance(100);
    leader.advance(100);
    assert!(leader.propose(5, 1).to(2).is_empty(), "after a loss it is probed");
    leader.ack(2, 5);
    let sent: Vec<usize> = (6..=9).map(|tag| leader.propose(tag, 1).to(2).len()).collect();
    assert_eq!(sent, [1; 4], "and streamed to again");
}

/// L3: a follower whose disk was lost gets everything anew, as long as the leader has it.
#[test]
fn raft_l03_an_empty_follower_catches_up() {
    let mut world = World::new(vec![
        node(1).log(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        node(2).log(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        node(3),
    ]);
    let everywhere = |nodes: &[Node]| {
        settled_leader(nodes).is_some()
            && nodes.iter().all(|node| node.commit() >= 10 && node.last() == nodes[0].last())
    };
    assert!(world.run_until(30_000, everywhere).is_some());
}

/// L4, hashicorp 503: a leader whose disk does nothing gives its place to one whose disk works.
#[test]
fn raft_l04_a_leader_whose_disk_stalls_steps_down() {
    let mut leader = node(1).lead();
    let hears = |leader: &mut Node| {
        let (term, round) = (leader.raft.term(), 0);
        leader.deliver(2, Message::HeartbeatReply { term, round });
        leader.deliver(3, Message::HeartbeatReply { term, round });
    };
    let pass = |leader: &mut Node, millis: u64| {
        for _ in 0..millis / 100 {
            hears(leader);
            leader.advance(100);
        }
    };
    pass(&mut leader, 3000);
    assert_eq!(leader.role(), Role::Leader, "an idle disk is not a stalled one");
    leader.propose(1, 1);
    pass(&mut leader, 1000);
    assert_eq!(leader.role(), Role::Leader, "a slow one neither");
    pass(&mut leader, 1000);
    assert_eq!(leader.role(), Role::Follower);
}
