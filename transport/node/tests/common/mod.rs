//! A toy protocol, a network and a disk that tests hold in their hands.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's failure is a panic")]

pub mod hub;
pub mod toy;

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use synod_node::{Handle, NodeError, Options, ProposeError, Service};
use synod_transport::host::{Host, encode};
use synod_transport::ids::{LogIndex, NodeId};
use synod_transport::log::Entry;
use synod_transport::store::{Batch, LogStore, LogSummary, MemLogStore, Receipt, StoreError};
use synod_transport::wire::Writer;
use tokio::task::JoinHandle;

pub use hub::Hub;
pub use toy::{Say, Toy};

/// Remembers all commands; the reply is how many there are.
#[derive(Default)]
pub struct Journal(pub Vec<Bytes>);

impl Service for Journal {
    fn apply(&mut self, entry: &Entry) -> Bytes {
        self.0.push(entry.payload.clone());
        Bytes::from(self.0.len().to_string())
    }
}

/// A memory store that the test syncs, fills and breaks from outside.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<DiskState>>);

pub struct DiskState {
    pub store: MemLogStore,
    pub full: bool,
    pub broken: bool,
    pub writes: usize,
    waker: Option<Waker>,
}

impl Disk {
    pub fn new(store: MemLogStore) -> Self {
        Self(Arc::new(Mutex::new(DiskState { store, full: false, broken: false, writes: 0, waker: None })))
    }

    pub fn with<R>(&self, f: impl FnOnce(&mut DiskState) -> R) -> R {
        let mut state = self.0.lock().unwrap();
        let out = f(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        out
    }

    pub fn sync(&self) {
        self.with(|disk| disk.store.sync());
    }
}

impl LogStore for Disk {
    fn summary(&self) -> LogSummary {
        self.0.lock().unwrap().store.summary()
    }

    fn has_room(&self) -> bool {
        !self.0.lock().unwrap().full
    }

    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        let mut disk = self.0.lock().unwrap();
        if disk.full {
            return Err(StoreError::Full);
        }
        disk.writes += 1;
        disk.store.submit(batch)
    }

    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        let mut disk = self.0.lock().unwrap();
        if disk.broken {
            return Poll::Ready(Err(StoreError::Fatal("the test broke it".to_owned())));
        }
        disk.waker = Some(cx.waker().clone());
        disk.store.poll_durable(cx)
    }

    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        self.0.lock().unwrap().store.read(first, last, max_bytes, out)
    }
}

/// A running node with everything the test may touch.
pub struct Node {
    pub handle: Handle<Journal>,
    pub disk: Disk,
    pub run: JoinHandle<Result<(), NodeError>>,
}

/// Node `id` of nodes 1 to `of`, of which 1 leads.
pub fn node(hub: &Hub, id: u64, of: u64, store: MemLogStore, options: Options) -> Node {
    let disk = Disk::new(store);
    let host = Host::new(Toy::new(id, of), disk.clone(), LogIndex::ZERO);
    let (handle, driver) = synod_node::start(host, hub.join(id), Journal::default(), options);
    Node { handle, disk, run: tokio::spawn(driver.run()) }
}

/// A node alone, whose writes are durable at once.
pub fn alone(hub: &Hub) -> Node {
    node(hub, 1, 1, MemLogStore::new(), Options::default())
}

/// Comes back when no task can go on: paused time moves only then.
pub async fn quiet() {
    let nothing = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>());
    assert!(nothing.await.is_err());
}

/// What a node is told, as a frame.
pub fn frame(say: &Say, entries: &[Entry]) -> Bytes {
    encode(say, entries, &mut Writer::default()).join()
}

pub fn id(raw: u64) -> NodeId {
    NodeId::new(raw)
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Proposes in a task of its own.
pub fn proposing(node: &Node, text: &str) -> JoinHandle<Result<Bytes, ProposeError>> {
    let (handle, command) = (node.handle.clone(), bytes(text));
    tokio::spawn(async move { handle.propose(command).await })
}

/// What must come without any wait to speak of: a second of paused time passes in no time, and only when nothing moves.
pub async fn soon<F: IntoFuture>(it: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(1), it.into_future()).await.expect("still waiting")
}
