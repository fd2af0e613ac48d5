//! Nobody is left waiting, however it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's failure is a panic")]

mod common;

use common::{Hub, Node, Say, alone, bytes, frame, id, node, proposing, quiet, soon};
use proptest::prelude::*;
use synod_node::{Consistency, NodeError, Options, ProposeError, ReadError};
use synod_transport::host::HostError;
use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Entry, EntryKind, Runs, Span};
use synod_transport::machine::{Fatal, Role};
use synod_transport::net::Closed;
use synod_transport::store::{LogStore, MemLogStore, StoreError};
use tokio::task::JoinHandle;

type Proposing = JoinHandle<Result<bytes::Bytes, ProposeError>>;
type Reading = JoinHandle<Result<usize, ReadError>>;

fn reading(node: &Node, consistency: Consistency) -> Reading {
    let handle = node.handle.clone();
    tokio::spawn(async move { handle.read(consistency, |journal| journal.0.len()).await })
}

/// A leader with two proposals accepted, one in the channel, one before the channel, one before the window, and a read
/// without confirmation.
async fn crowded(hub: &Hub) -> (Node, Vec<Proposing>, Reading) {
    let options =
        Options { max_proposals_in_flight: 2, queue: 1, max_bytes_in_flight: 4 * 65, ..Options::default() };
    let node = node(hub, 1, 3, MemLogStore::with_manual_sync(), options);
    let calls = ["a", "b", "c", "d", "e"].map(|text| proposing(&node, text)).into();
    quiet().await;
    let read = reading(&node, Consistency::Linearizable);
    quiet().await;
    assert_eq!(node.handle.status().proposals_in_flight, 2);
    (node, calls, read)
}

async fn all_are_answered(calls: Vec<Proposing>, read: Reading) {
    let mut answers = Vec::new();
    for call in calls {
        answers.push(soon(call).await.unwrap().unwrap_err());
    }
    use ProposeError::{Stopped, Unknown};
    assert_eq!(answers, [Unknown, Unknown, Stopped, Stopped, Stopped]);
    assert_eq!(soon(read).await.unwrap(), Err(ReadError::Stopped));
}

async fn all_later_calls_fail(node: &Node) {
    assert_eq!(soon(node.handle.propose(bytes("late"))).await, Err(ProposeError::Stopped));
    assert_eq!(soon(node.handle.read(Consistency::Stale, |_| ())).await, Err(ReadError::Stopped));
    soon(node.handle.stop()).await;
    assert!(node.handle.status().stopped);
}

#[tokio::test(start_paused = true)]
async fn a_stop_answers_everyone() {
    let (node, calls, read) = crowded(&Hub::default()).await;
    soon(node.handle.stop()).await;
    all_are_answered(calls, read).await;
    all_later_calls_fail(&node).await;
    assert_eq!(node.handle.status().failed, None);
    assert_eq!(soon(node.run).await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_broken_machine_stops_the_node_for_good() {
    let hub = Hub::default();
    let (node, calls, read) = crowded(&hub).await;
    hub.push(2, 1, frame(&Say::Break, &[]));
    all_are_answered(calls, read).await;
    all_later_calls_fail(&node).await;
    assert_eq!(node.handle.status().failed.as_deref(), Some("invariant broken: the test broke it"));
    let fatal = Fatal("the test broke it");
    assert_eq!(soon(node.run).await.unwrap(), Err(NodeError::Host(HostError::Machine(fatal))));
}

#[tokio::test(start_paused = true)]
async fn a_broken_store_stops_the_node_for_good() {
    let (node, calls, read) = crowded(&Hub::default()).await;
    node.disk.with(|disk| disk.broken = true);
    all_are_answered(calls, read).await;
    all_later_calls_fail(&node).await;
    let fatal = StoreError::Fatal("the test broke it".to_owned());
    assert_eq!(node.handle.status().failed, Some(fatal.to_string()));
    assert_eq!(soon(node.run).await.unwrap(), Err(NodeError::Host(HostError::Store(fatal))));
}

#[tokio::test(start_paused = true)]
async fn a_closed_network_stops_the_node() {
    let hub = Hub::default();
    let (node, calls, read) = crowded(&hub).await;
    hub.close();
    all_are_answered(calls, read).await;
    all_later_calls_fail(&node).await;
    assert_eq!(soon(node.run).await.unwrap(), Err(NodeError::Network(Closed)));
}

#[tokio::test(start_paused = true)]
async fn an_aborted_driver_leaves_nobody_waiting() {
    let (node, calls, read) = crowded(&Hub::default()).await;
    node.run.abort();
    for call in calls {
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(matches!(error, ProposeError::Unknown | ProposeError::Stopped), "{error:?}");
    }
    assert_eq!(soon(read).await.unwrap(), Err(ReadError::Stopped));
    assert_eq!(soon(node.handle.propose(bytes("late"))).await, Err(ProposeError::Stopped));
    soon(node.handle.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_never_ran_leaves_nobody_waiting() {
    let host = synod_transport::host::Host::new(common::Toy::new(1, 1), MemLogStore::new(), LogIndex::ZERO);
    let (handle, driver) =
        synod_node::start(host, Hub::default().join(1), common::Journal::default(), Options::default());
    let late = handle.clone();
    let call = tokio::spawn(async move { late.propose(bytes("a")).await });
    quiet().await;
    drop(driver);
    assert_eq!(soon(call).await.unwrap(), Err(ProposeError::Unknown));
    assert_eq!(handle.propose(bytes("b")).await, Err(ProposeError::Stopped));
    soon(handle.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_ends_with_its_last_handle() {
    let Node { handle, run, .. } = alone(&Hub::default());
    let other = handle.clone();
    drop(handle);
    quiet().await;
    assert!(!run.is_finished());
    drop(other);
    assert_eq!(soon(run).await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn losing_the_lead_answers_what_is_pending_at_once() {
    let hub = Hub::default();
    let node = node(&hub, 1, 3, MemLogStore::new(), Options::default());
    let calls = ["a", "b"].map(|text| proposing(&node, text));
    let read = reading(&node, Consistency::Linearizable);
    quiet().await;
    hub.push(2, 1, frame(&Say::Lead(Term::new(2), id(2)), &[]));
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Err(ProposeError::Unknown));
    }
    assert_eq!(soon(read).await.unwrap(), Err(ReadError::Unavailable));
    let status = node.handle.status();
    assert_eq!((status.role, status.term, status.leader), (Role::Follower, Term::new(2), Some(id(2))));
    assert_eq!((status.proposals_in_flight, status.reads_in_flight), (0, 0));
    let refused = node.handle.propose(bytes("c")).await;
    assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(id(2)) }));
}

#[tokio::test(start_paused = true)]
async fn another_leaders_entry_is_never_taken_for_the_own_one() {
    let hub = Hub::default();
    let node = node(&hub, 1, 3, MemLogStore::new(), Options::default());
    let lost = proposing(&node, "lost");
    quiet().await;
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(2), 1) };
    let entry = Entry { position: Position::new(2, 1), kind: EntryKind::Command, payload: bytes("won") };
    // All in one round: the entry of another term is applied where the lost one stood.
    hub.push(2, 1, frame(&Say::Append(span), &[entry]));
    hub.push(2, 1, frame(&Say::Commit(LogIndex::new(1)), &[]));
    assert_eq!(soon(lost).await.unwrap(), Err(ProposeError::Unknown));
    let journal = node.handle.read(Consistency::Stale, |journal| journal.0.clone()).await;
    assert_eq!(journal, Ok(vec![bytes("won")]));
}

/// What a schedule may do.
#[derive(Debug, Clone, Copy)]
enum Act {
    Propose,
    Read,
    Stale,
    Leave(usize),
    Ack(u64),
    Pong(u64),
    Lead(u64),
    Sync,
    Full(bool),
    Rubbish,
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Propose),
        2 => Just(Act::Read),
        1 => Just(Act::Stale),
        1 => (0..20usize).prop_map(Act::Leave),
        3 => (0..30u64).prop_map(Act::Ack),
        1 => (0..5u64).prop_map(Act::Pong),
        1 => (1..3u64).prop_map(Act::Lead),
        2 => Just(Act::Sync),
        1 => any::<bool>().prop_map(Act::Full),
        1 => Just(Act::Rubbish),
        3 => Just(Act::Settle),
    ]
}

#[derive(Debug, Clone, Copy)]
enum End {
    Stop,
    Break,
    Disk,
    Abort,
    Close,
}

/// Plays a schedule and ends the node. Says how many proposals and reads still wait, then how many answers were lies:
/// `Ok` for a command that is not in the log, or "nothing happened" for one that is.
async fn schedule(acts: Vec<Act>, end: End) -> (usize, usize, usize) {
    let hub = Hub::default();
    let options = Options {
        max_proposals_in_flight: 4,
        queue: 2,
        max_batch: 3,
        max_bytes_in_flight: 500,
        ..Options::default()
    };
    let node = node(&hub, 1, 3, MemLogStore::with_manual_sync(), options);
    let (mut proposals, mut reads, mut term): (Vec<Proposing>, Vec<Reading>, u64) = (vec![], vec![], 1);
    for act in acts {
        match act {
            Act::Propose => proposals.push(proposing(&node, &proposals.len().to_string())),
            Act::Read => reads.push(reading(&node, Consistency::Linearizable)),
            Act::Stale => reads.push(reading(&node, Consistency::Stale)),
            Act::Leave(at) => drop(proposals.get(at).map(JoinHandle::abort)),
            Act::Ack(index) => {
                let known = node.disk.with(|disk| disk.store.last().index);
                hub.push(2, 1, frame(&Say::Ack(known.min(LogIndex::new(index))), &[]));
            }
            Act::Pong(nonce) => hub.push(2, 1, frame(&Say::Pong(nonce), &[])),
            Act::Lead(leader) => {
                term += 1;
                hub.push(2, 1, frame(&Say::Lead(Term::new(term), id(leader)), &[]));
            }
            Act::Sync => node.disk.sync(),
            Act::Full(full) => node.disk.with(|disk| disk.full = full),
            Act::Rubbish => hub.push(3, 1, bytes("\u{7f}rubbish")),
            Act::Settle => quiet().await,
        }
    }
    match end {
        End::Stop => {}
        End::Break => hub.push(2, 1, frame(&Say::Break, &[])),
        End::Disk => node.disk.with(|disk| disk.broken = true),
        End::Abort => node.run.abort(),
        End::Close => hub.close(),
    }
    soon(node.handle.stop()).await;
    // No time may be needed to learn of the end: whoever is still waiting after this waits for ever.
    quiet().await;
    let waiting = proposals.iter().filter(|call| !call.is_finished()).count();
    let reads_waiting = reads.iter().filter(|read| !read.is_finished()).count();
    let log = node.disk.with(|disk| {
        let mut log = Vec::new();
        let last = disk.store.last().index;
        if last > LogIndex::ZERO {
            disk.store.read(LogIndex::new(1), last, usize::MAX, &mut log).unwrap();
        }
        log
    });
    let mut lies = 0;
    for (call, name) in proposals.into_iter().zip(0..).filter(|(call, _)| call.is_finished()) {
        let logged = log.iter().any(|entry| entry.payload == bytes(&name.to_string()));
        // An error of the task: its caller left.
        let Ok(answer) = call.await else { continue };
        lies += usize::from(match answer {
            Ok(_) => !logged,
            Err(ProposeError::Unknown) => false,
            Err(_) => logged,
        });
    }
    (waiting, reads_waiting, lies)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_waits_once_the_node_has_ended_and_nobody_was_lied_to(
        acts in prop::collection::vec(act(), 0..60),
        end in prop_oneof![Just(End::Stop), Just(End::Break), Just(End::Disk), Just(End::Abort), Just(End::Close)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        prop_assert_eq!(runtime.block_on(schedule(acts, end)), (0, 0, 0));
    }
}
