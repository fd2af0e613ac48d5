//! Proposals, reads, batches and limits, as a caller sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's failure is a panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Hub, Say, alone, bytes, frame, id, node, proposing, quiet, soon};
use synod_node::{Consistency, Options, ProposeError, ReadError};
use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Entry, EntryKind, Runs, Span};
use synod_transport::machine::Role;
use synod_transport::store::MemLogStore;

#[tokio::test(start_paused = true)]
async fn a_command_is_applied_and_answered() {
    let node = alone(&Hub::default());
    assert_eq!(node.handle.propose(bytes("a")).await, Ok(bytes("1")));
    assert_eq!(node.handle.propose(bytes("b")).await, Ok(bytes("2")));
    let journal = node.handle.read(Consistency::Linearizable, |journal| journal.0.clone()).await;
    assert_eq!(journal, Ok(vec![bytes("a"), bytes("b")]));
    let status = node.handle.status();
    assert_eq!((status.id, status.role, status.leader), (id(1), Role::Leader, Some(id(1))));
    assert_eq!((status.commit_index, status.applied_index), (LogIndex::new(2), LogIndex::new(2)));
}

#[tokio::test(start_paused = true)]
async fn three_nodes_come_to_the_same_journal() {
    let hub = Hub::default();
    let nodes = [1, 2, 3].map(|id| node(&hub, id, 3, MemLogStore::new(), Options::default()));
    for at in 0..50 {
        let reply = nodes[0].handle.propose(bytes(&at.to_string())).await;
        assert_eq!(reply, Ok(bytes(&(at + 1).to_string())));
    }
    quiet().await;
    for node in &nodes {
        let journal = node.handle.read(Consistency::Stale, |journal| journal.0.clone()).await.unwrap();
        assert_eq!(journal, (0..50).map(|at| bytes(&at.to_string())).collect::<Vec<_>>());
    }
    let refused = nodes[1].handle.propose(bytes("x")).await;
    assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some(id(1)) }));
    let refused = nodes[2].handle.read(Consistency::Linearizable, |_| ()).await;
    assert_eq!(refused, Err(ReadError::NotLeader { leader: Some(id(1)) }));
}

#[tokio::test(start_paused = true)]
async fn queued_proposals_share_a_step_a_write_and_a_message() {
    let hub = Hub::default();
    let node = node(&hub, 1, 3, MemLogStore::new(), Options::default());
    quiet().await;
    let calls: Vec<_> = (0..500).map(|at| proposing(&node, &at.to_string())).collect();
    quiet().await;
    let status = node.handle.status();
    assert_eq!((status.counters.proposals, status.proposals_in_flight), (500, 500));
    assert_eq!(status.counters.proposal_steps, 1);
    assert_eq!(node.disk.with(|disk| disk.writes), 1);
    assert_eq!(hub.waiting(2), 1);
    hub.push(2, 1, frame(&Say::Ack(LogIndex::new(500)), &[]));
    for (call, at) in calls.into_iter().zip(1..) {
        assert_eq!(soon(call).await.unwrap(), Ok(bytes(&at.to_string())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_bounded_in_number_and_in_bytes() {
    let hub = Hub::default();
    let options = Options { max_batch: 10, max_batch_bytes: 1000, ..Options::default() };
    let node = node(&hub, 1, 3, MemLogStore::new(), options);
    quiet().await;
    let _calls: Vec<_> = (0..100).map(|_| proposing(&node, "x")).collect();
    quiet().await;
    assert_eq!(node.handle.status().counters.proposal_steps, 10);
    let _calls: Vec<_> = (0..10).map(|_| proposing(&node, &"x".repeat(400))).collect();
    quiet().await;
    assert_eq!(node.handle.status().counters.proposal_steps, 15);
}

#[tokio::test(start_paused = true)]
async fn reads_that_wait_together_share_a_confirmation() {
    let hub = Hub::default();
    let node = node(&hub, 1, 2, MemLogStore::new(), Options::default());
    quiet().await;
    let reads: Vec<_> = (0..100)
        .map(|_| {
            let handle = node.handle.clone();
            tokio::spawn(
                async move { handle.read(Consistency::Linearizable, |journal| journal.0.len()).await },
            )
        })
        .collect();
    quiet().await;
    assert_eq!(hub.take(2), [Say::Ping(1)]);
    assert!(reads.iter().all(|read| !read.is_finished()));
    let counters = node.handle.status().counters;
    assert_eq!((counters.read_steps, counters.linearizable_reads), (1, 100));
    hub.push(2, 1, frame(&Say::Pong(1), &[]));
    for read in reads {
        assert_eq!(soon(read).await.unwrap(), Ok(0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_stays_within_the_window_and_all_of_it_is_served() {
    let hub = Hub::default();
    let options = Options { max_proposals_in_flight: 8, queue: 4, ..Options::default() };
    let node = node(&hub, 1, 3, MemLogStore::new(), options);
    quiet().await;
    let calls: Vec<_> = (0..200).map(|at| proposing(&node, &at.to_string())).collect();
    let mut acked = 0;
    while acked < 200 {
        quiet().await;
        let status = node.handle.status();
        assert_eq!(status.proposals_in_flight, 8, "the window is full and no more than full");
        acked = status.counters.proposals;
        assert!(acked <= node.handle.status().applied_index.get() + 8);
        hub.push(2, 1, frame(&Say::Ack(LogIndex::new(acked)), &[]));
    }
    for call in calls {
        assert!(soon(call).await.unwrap().is_ok());
    }
    assert_eq!(node.handle.status().applied_index, LogIndex::new(200));
}

#[tokio::test(start_paused = true)]
async fn the_window_is_bounded_in_bytes_too() {
    let hub = Hub::default();
    let options = Options { max_bytes_in_flight: 10_000, ..Options::default() };
    let node = node(&hub, 1, 3, MemLogStore::new(), options);
    let calls: Vec<_> = (0..50).map(|_| proposing(&node, &"x".repeat(1000))).collect();
    quiet().await;
    assert_eq!(node.handle.status().counters.proposals, 9, "1064 bytes each");
    hub.push(2, 1, frame(&Say::Ack(LogIndex::new(9)), &[]));
    quiet().await;
    assert_eq!(node.handle.status().counters.proposals, 18);
    let refused = node.handle.propose(bytes(&"x".repeat(9_990))).await;
    assert_eq!(refused, Err(ProposeError::TooLarge { len: 9_990, limit: 9_936 }));
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn a_command_beyond_the_frame_is_refused_and_none_makes_a_longer_frame() {
    let hub = Hub::default();
    let options = Options { max_frame_bytes: 1024, ..Options::default() };
    let node = node(&hub, 1, 2, MemLogStore::new(), options);
    let refused = node.handle.propose(bytes(&"x".repeat(769))).await;
    assert_eq!(refused, Err(ProposeError::TooLarge { len: 769, limit: 768 }));
    let _calls = [1, 300, 500, 768, 10].map(|len| proposing(&node, &"x".repeat(len)));
    quiet().await;
    assert!(hub.lengths(2).iter().all(|len| *len <= 1024), "{:?}", hub.lengths(2));
    assert_eq!(hub.take(2).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn without_room_in_the_store_nothing_is_taken_in_but_stale_reads() {
    let hub = Hub::default();
    let node = node(&hub, 1, 2, MemLogStore::with_manual_sync(), Options::default());
    let first = proposing(&node, "first");
    quiet().await;
    node.disk.with(|disk| disk.full = true);
    let second = proposing(&node, "second");
    hub.push(2, 1, frame(&Say::Ack(LogIndex::new(1)), &[]));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    quiet().await;
    let counters = node.handle.status().counters;
    assert_eq!((counters.proposals, counters.frames_in), (1, 0));
    assert_eq!(node.handle.read(Consistency::Stale, |journal| journal.0.len()).await, Ok(0));
    node.disk.with(|disk| disk.full = false);
    node.disk.sync();
    assert_eq!(soon(first).await.unwrap(), Ok(bytes("1")));
    quiet().await;
    assert_eq!(node.handle.status().counters.proposals, 2);
    assert!(!second.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_until_its_entries_are_applied_and_a_stale_one_does_not() {
    let hub = Hub::default();
    let options = Options { max_batch: 1, ..Options::default() };
    let node = node(&hub, 1, 2, MemLogStore::new(), options);
    let calls = ["a", "b", "c"].map(|text| proposing(&node, text));
    quiet().await;
    hub.take(2);
    hub.push(2, 1, frame(&Say::Ack(LogIndex::new(3)), &[]));
    let handle = node.handle.clone();
    let linearizable =
        tokio::spawn(async move { handle.read(Consistency::Linearizable, |journal| journal.0.len()).await });
    assert_eq!(node.handle.read(Consistency::Stale, |journal| journal.0.len()).await, Ok(0));
    quiet().await;
    assert!(!linearizable.is_finished(), "not confirmed yet");
    hub.push(2, 1, frame(&Say::Pong(1), &[]));
    assert_eq!(soon(linearizable).await.unwrap(), Ok(3));
    for call in calls {
        assert!(soon(call).await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_replay_is_applied_in_pieces_between_which_reads_and_frames_are_served() {
    let hub = Hub::default();
    let options = Options { max_batch: 10, ..Options::default() };
    let node = node(&hub, 2, 2, MemLogStore::new(), options);
    quiet().await;
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(1), 1000) };
    let entry = |position| Entry { position, kind: EntryKind::Command, payload: bytes("x") };
    let entries: Vec<Entry> = span.positions().map(entry).collect();
    hub.push(1, 2, frame(&Say::Append(span), &entries));
    hub.push(1, 2, frame(&Say::Commit(LogIndex::new(1000)), &[]));
    let seen = node.handle.read(Consistency::Stale, |journal| journal.0.len());
    let mut watch = node.handle.watch();
    let between = watch.wait_for(|status| status.applied_index > LogIndex::ZERO).await.unwrap().applied_index;
    assert!(between < LogIndex::new(1000), "a piece, not the whole: {between:?}");
    let seen = seen.await.unwrap();
    assert!(seen < 1000, "a read came between the pieces: {seen}");
    quiet().await;
    let status = node.handle.status();
    assert_eq!(status.applied_index, LogIndex::new(1000));
    assert!(status.counters.rounds >= 100, "{}", status.counters.rounds);
}

#[tokio::test(start_paused = true)]
async fn the_timer_is_kept_and_an_idle_node_does_not_spin() {
    let hub = Hub::default();
    let node = node(&hub, 1, 2, MemLogStore::new(), Options::default());
    quiet().await;
    tokio::time::timeout(std::time::Duration::from_millis(950), std::future::pending::<()>())
        .await
        .unwrap_err();
    assert_eq!(hub.take(2), vec![Say::Commit(LogIndex::ZERO); 9]);
    let rounds = node.handle.status().counters.rounds;
    assert!(rounds <= 20, "{rounds} rounds for 9 heartbeats");
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_rubbish_is_counted_and_the_node_goes_on() {
    let hub = Hub::default();
    let node = alone(&hub);
    for rubbish in [&b""[..], b"\xff", b"\x00\x01\x02", &[7; 300]] {
        hub.push(9, 1, bytes::Bytes::copy_from_slice(rubbish));
    }
    assert_eq!(node.handle.propose(bytes("a")).await, Ok(bytes("1")));
    quiet().await;
    assert_eq!(node.handle.status().counters.frames_unreadable, 4);
    assert_eq!(node.handle.status().failed, None);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_and_counts_and_never_blocks() {
    let hub = Hub::default();
    let node = node(&hub, 1, 3, MemLogStore::new(), Options::default());
    quiet().await;
    hub.fill(2, true);
    let call = proposing(&node, "a");
    quiet().await;
    assert_eq!(node.handle.status().counters.frames_dropped_full, 1);
    hub.push(3, 1, frame(&Say::Ack(LogIndex::new(1)), &[]));
    assert_eq!(soon(call).await.unwrap(), Ok(bytes("1")));
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_give_their_room_back() {
    let hub = Hub::default();
    let options = Options { max_bytes_in_flight: 650, ..Options::default() };
    let node = node(&hub, 1, 2, MemLogStore::new(), options);
    quiet().await;
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..5 {
        let calls: Vec<_> = (0..30).map(|_| proposing(&node, "x")).collect();
        quiet().await;
        assert_eq!(node.handle.status().proposals_in_flight, 10, "65 bytes each");
        for call in &calls {
            call.abort();
        }
        quiet().await;
        let last = node.handle.status().counters.proposals;
        hub.push(2, 1, frame(&Say::Ack(LogIndex::new(last)), &[]));
        quiet().await;
        assert_eq!(node.handle.status().proposals_in_flight, 0);
        done.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!(done.load(Ordering::Relaxed), 5);
    assert_eq!(node.handle.status().counters.proposals, 50, "those who waited outside never came in");
}
