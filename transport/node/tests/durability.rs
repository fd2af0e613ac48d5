//! What may leave before the disk has done its work, and what must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's failure is a panic")]

mod common;

use common::{Hub, Say, bytes, frame, node, proposing, quiet, soon};
use synod_node::Options;
use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Entry, EntryKind, Runs, Span};
use synod_transport::store::MemLogStore;

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_leaves_only_after_the_receipt() {
    let hub = Hub::default();
    let node = node(&hub, 2, 2, MemLogStore::with_manual_sync(), Options::default());
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(1), 2) };
    let entry = |position| Entry { position, kind: EntryKind::Command, payload: bytes("x") };
    let entries: Vec<Entry> = span.positions().map(entry).collect();
    hub.push(1, 2, frame(&Say::Append(span), &entries));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    quiet().await;
    assert_eq!(node.disk.with(|disk| disk.writes), 1);
    assert_eq!(hub.take(1), [], "nothing may leave before the sync");
    assert_eq!(node.handle.status().sealed, 1);
    node.disk.sync();
    quiet().await;
    assert_eq!(hub.take(1), [Say::Ack(LogIndex::new(2))]);
    assert_eq!(node.handle.status().sealed, 0);
}

#[tokio::test(start_paused = true)]
async fn the_leaders_entries_leave_before_its_own_sync() {
    let hub = Hub::default();
    let node = node(&hub, 1, 2, MemLogStore::with_manual_sync(), Options::default());
    let call = proposing(&node, "a");
    quiet().await;
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(1), 1) };
    assert_eq!(hub.take(2), [Say::Append(span)]);
    hub.push(2, 1, frame(&Say::Ack(LogIndex::new(1)), &[]));
    quiet().await;
    assert!(!call.is_finished(), "the leader's own copy is not durable");
    node.disk.sync();
    assert_eq!(soon(call).await.unwrap(), Ok(bytes("1")));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_breaks_attests_nothing_more() {
    let hub = Hub::default();
    let node = node(&hub, 2, 2, MemLogStore::with_manual_sync(), Options::default());
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(1), 1) };
    let entry = |position| Entry { position, kind: EntryKind::Command, payload: bytes("x") };
    let entries: Vec<Entry> = span.positions().map(entry).collect();
    hub.push(1, 2, frame(&Say::Append(span), &entries));
    quiet().await;
    node.disk.with(|disk| {
        disk.store.sync();
        disk.broken = true;
    });
    assert!(soon(node.run).await.unwrap().is_err());
    assert_eq!(hub.take(1), []);
}
