//! What every [`Transport`] with its [`Inbound`] must keep, checked through the traits alone.
//!
//! An implementer writes a [`Harness`] that makes a quiet network of a few nodes and lets time pass in it; the test is
//! then one line:
//!
//! ```
//! use synod_transport::ids::NodeId;
//! use synod_transport::net::{MAX_FRAME_BYTES, MemEndpoint, MemNetwork};
//! use synod_transport::testing::net::{Harness, conformance};
//!
//! struct InMemory(Vec<MemEndpoint>);
//!
//! impl Harness for InMemory {
//!     type Endpoint = MemEndpoint;
//!     fn endpoint(&mut self, id: NodeId) -> &mut MemEndpoint {
//!         self.0.iter_mut().find(|end| end.id() == id).expect("a node of this network")
//!     }
//!     fn advance(&mut self) {} // whatever is sent is there at once
//! }
//!
//! let tally = conformance(|ids| {
//!     let network = MemNetwork::new(ids.iter().copied(), 64);
//!     InMemory(ids.iter().filter_map(|id| network.endpoint(*id)).collect())
//! });
//! assert!(tally.frames > 1000);
//! ```
//!
//! **On a quiet network.** The contract allows a frame to be lost, doubled, or overtaken by one of another class. The
//! harness must offer a network that does none of this while its queues have room, so the suite asks for more than the
//! contract gives to a protocol: each frame arrives once, whole, and in order within (sender, class). Across classes
//! and across senders no order is asked for.
//!
//! **When a queue is full.** Data and Bulk must refuse with [`SendError::Full`]. Control may refuse, or let its oldest
//! frames give way to the newest; what then arrives must still be in order.
//!
//! The suite never sleeps: it calls [`Harness::advance`] a bounded number of times until what it waits for is there.
//! [`check`] gives the first violation instead of panicking, which is how the suite itself is tested against transports
//! that are broken on purpose.

mod delivery;
mod limits;
mod wakeups;

use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Wake;

use bytes::Bytes;

use crate::ids::NodeId;
use crate::net::{Class, Frame, Inbound, Received, SendError, Transport};

/// The nodes of each network under test.
pub const NODES: [NodeId; 3] = [NodeId::new(1), NodeId::new(2), NodeId::new(3)];

/// Every queue must take this many small frames at once.
pub const LEAST_CAPACITY: usize = 8;

/// How the suite makes a network and lets time pass in it.
pub trait Harness {
    /// One node's end of the network.
    type Endpoint: Transport + Inbound;

    /// The end of one of the [`NODES`].
    fn endpoint(&mut self, id: NodeId) -> &mut Self::Endpoint;

    /// Lets the network work for a moment: a step of virtual time, a turn of a runtime, nothing at all.
    fn advance(&mut self);

    /// How often to advance before giving up. Only a broken transport ever needs that many; with real sockets it
    /// should come to some seconds.
    fn patience(&self) -> u32 {
        10_000
    }

    /// How often to advance to be sure that a quiet network has delivered what it is going to deliver.
    fn settling(&self) -> u32 {
        50
    }

    /// The largest frame it carries, if there is a limit.
    fn max_frame_bytes(&self) -> Option<usize> {
        None
    }

    /// Frames of 1 KiB after which a queue that nobody reads must be full, with all that lies between the two ends.
    fn full_within(&self) -> usize {
        1 << 17
    }

    /// Closes the end of this node and keeps it, so that it can be asked. False when that cannot be done.
    fn close(&mut self, id: NodeId) -> bool {
        let _ = id;
        false
    }
}

/// A sentence of the contract that a transport did not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {found}")]
pub struct Violation {
    /// The check that found it.
    pub check: &'static str,
    /// What was seen and what was due.
    pub found: String,
}

/// How much a run looked at. Zeros show what the harness could not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Checks that were passed.
    pub checks: u64,
    /// Frames that arrived and were compared.
    pub frames: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Frames that were refused because a queue was full.
    pub full: u64,
    /// Frames that were refused because they were too large.
    pub too_large: u64,
    /// Wake-ups that were waited for and came.
    pub wakeups: u64,
    /// Ends that were closed.
    pub closed: u64,
}

/// Runs the whole suite; `make` gives a fresh network of the nodes it is told for each check.
///
/// # Panics
/// With the first sentence of the contract that is not kept.
pub fn conformance<H: Harness>(make: impl FnMut(&[NodeId]) -> H) -> Tally {
    let result = check(make);
    assert!(result.is_ok(), "not a Transport: {result:?}");
    result.unwrap_or_default()
}

/// Like [`conformance`]; gives the first violation back.
///
/// # Errors
/// The first [`Violation`] found.
pub fn check<H: Harness>(mut make: impl FnMut(&[NodeId]) -> H) -> Result<Tally, Violation> {
    let mut tally = Tally::default();
    let checks = delivery::checks().into_iter().chain(limits::checks()).chain(wakeups::checks());
    for (name, run) in checks {
        run(&mut Subject { check: name, harness: make(&NODES), tally: &mut tally })?;
        tally.checks += 1;
    }
    Ok(tally)
}

/// A check and its name.
type Check<H> = (&'static str, fn(&mut Subject<'_, H>) -> Result<(), Violation>);

/// A waker that counts.
#[derive(Default)]
struct Signal(AtomicU64);

impl Signal {
    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A network under test.
struct Subject<'a, H: Harness> {
    check: &'static str,
    harness: H,
    tally: &'a mut Tally,
}

impl<H: Harness> Subject<'_, H> {
    fn violation<T>(&self, found: impl Into<String>) -> Result<T, Violation> {
        Err(Violation { check: self.check, found: found.into() })
    }

    fn expect(&self, kept: bool, found: impl FnOnce() -> String) -> Result<(), Violation> {
        if kept { Ok(()) } else { self.violation(found()) }
    }

    fn try_send(&mut self, from: NodeId, to: NodeId, class: Class, frame: Frame) -> Result<(), SendError> {
        self.harness.endpoint(from).try_send(to, class, frame)
    }

    /// Sends what must be taken.
    fn send(&mut self, from: NodeId, to: NodeId, class: Class, frame: Frame) -> Result<(), Violation> {
        let result = self.try_send(from, to, class, frame);
        self.expect(result.is_ok(), || format!("{class:?} from {from:?} to {to:?} was refused: {result:?}"))
    }

    fn poll_ready(
        &mut self,
        from: NodeId,
        to: NodeId,
        class: Class,
        waker: &Waker,
    ) -> Poll<Result<(), SendError>> {
        self.harness.endpoint(from).poll_ready(&mut Context::from_waker(waker), to, class)
    }

    /// Polls once, and checks the count against what was appended.
    fn poll_recv(
        &mut self,
        at: NodeId,
        out: &mut Vec<Received>,
        max: usize,
        waker: &Waker,
    ) -> Result<Poll<usize>, Violation> {
        let before = out.clone();
        let poll = self.harness.endpoint(at).poll_recv(&mut Context::from_waker(waker), out, max);
        self.expect(out.get(..before.len()) == Some(&before[..]), || {
            "poll_recv changed what `out` held before".into()
        })?;
        let added = out.len() - before.len();
        match poll {
            Poll::Pending => {
                self.expect(added == 0, || format!("poll_recv gave {added} frames and said pending"))?;
                Ok(Poll::Pending)
            }
            Poll::Ready(Ok(count)) => {
                self.expect(count == added, || {
                    format!("poll_recv said {count} frames and appended {added}")
                })?;
                self.expect(count > 0, || "poll_recv was ready with nothing".into())?;
                self.expect(count <= max, || format!("poll_recv gave {count} frames with a max of {max}"))?;
                for received in out.iter().skip(before.len()) {
                    self.tally.frames += 1;
                    self.tally.bytes += u64::try_from(received.bytes.len()).unwrap_or(u64::MAX);
                }
                Ok(Poll::Ready(count))
            }
            Poll::Ready(Err(closed)) => self.violation(format!("poll_recv at {at:?} says: {closed}")),
        }
    }

    /// Advances until `count` frames have come to this node; more than that is a violation.
    fn collect(&mut self, at: NodeId, count: usize) -> Result<Vec<Received>, Violation> {
        let mut all = Vec::new();
        let mut patience = self.harness.patience();
        while all.len() < count {
            let mut some = Vec::new();
            if self.poll_recv(at, &mut some, 64, Waker::noop())?.is_pending() {
                if patience == 0 {
                    let have = all.len();
                    return self.violation(format!("{have} of {count} frames arrived at {at:?}"));
                }
                patience -= 1;
                self.harness.advance();
            }
            all.append(&mut some);
        }
        self.expect(all.len() == count, || {
            format!("{} frames arrived at {at:?}, {count} were sent", all.len())
        })?;
        Ok(all)
    }

    /// All that comes to this node until the network has settled.
    fn drain(&mut self, at: NodeId) -> Result<Vec<Received>, Violation> {
        let mut all = Vec::new();
        let mut idle = 0;
        while idle < self.harness.settling() {
            let mut some = Vec::new();
            if self.poll_recv(at, &mut some, 64, Waker::noop())?.is_pending() {
                idle += 1;
                self.harness.advance();
            } else {
                idle = 0;
            }
            all.append(&mut some);
        }
        Ok(all)
    }

    /// Nothing more comes to anyone.
    fn nothing_more(&mut self) -> Result<(), Violation> {
        for at in NODES {
            let rest = self.drain(at)?;
            self.expect(rest.is_empty(), || {
                format!("{} frames too many at {at:?}: {:?}", rest.len(), rest.first())
            })?;
        }
        Ok(())
    }

    /// Sends and receives one frame on each (sender, receiver, class), so that all connections stand.
    fn warm_up(&mut self) -> Result<(), Violation> {
        for from in NODES {
            for to in NODES.into_iter().filter(|to| *to != from) {
                for class in Class::ALL {
                    self.send(from, to, class, numbered(u64::MAX, 8))?;
                    self.collect(to, 1)?;
                }
            }
        }
        Ok(())
    }

    /// Fills the queue with frames of 1 KiB, numbered from zero, while nobody reads; gives how many were taken.
    fn fill(&mut self, from: NodeId, to: NodeId, class: Class) -> Result<u64, Violation> {
        let mut taken = 0;
        let mut settled = 0;
        let most = u64::try_from(self.harness.full_within()).unwrap_or(u64::MAX);
        while settled < self.harness.settling() {
            match self.try_send(from, to, class, numbered(taken, 1024)) {
                Ok(()) if taken == most => {
                    return self.violation(format!("{class:?} took {taken} frames that nobody read"));
                }
                Ok(()) => (taken, settled) = (taken + 1, 0),
                Err(SendError::Full(peer)) => {
                    self.expect(peer == to, || format!("the queue to {to:?} is full, not to {peer:?}"))?;
                    self.tally.full += 1;
                    settled += 1;
                    self.harness.advance();
                }
                Err(error) => return self.violation(format!("a full queue says: {error}")),
            }
        }
        let least = u64::try_from(LEAST_CAPACITY).unwrap_or(u64::MAX);
        self.expect(taken >= least, || format!("{class:?} was full after {taken} frames"))?;
        Ok(taken)
    }
}

/// A frame of `len` bytes, at least eight, that begins with its number.
fn numbered(number: u64, len: usize) -> Frame {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(len.max(8), 0x5a);
    Frame::new(bytes.into())
}

/// The number of a frame that [`numbered`] made.
fn number_of(bytes: &Bytes) -> Option<u64> {
    bytes.first_chunk().copied().map(u64::from_le_bytes)
}
