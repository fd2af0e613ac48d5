//! The network suite, run on the network in memory and on transports that are broken on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // a test

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use synod_transport::ids::NodeId;
use synod_transport::net::{
    Class, Closed, Frame, Inbound, MemEndpoint, MemNetwork, Received, SendError, Transport,
};
use synod_transport::testing::net::{Harness, Tally, Violation, check, conformance};

const LIMIT: usize = 300_000;

struct Memory(BTreeMap<NodeId, Broken>);

impl Memory {
    fn new(ids: &[NodeId], fault: Fault) -> Self {
        let network = MemNetwork::new(ids.iter().copied(), 64).with_max_frame_bytes(LIMIT);
        let end = |id: &NodeId| Broken::new(network.endpoint(*id).unwrap(), fault);
        Self(ids.iter().map(|id| (*id, end(id))).collect())
    }
}

impl Harness for Memory {
    type Endpoint = Broken;

    fn endpoint(&mut self, id: NodeId) -> &mut Broken {
        self.0.get_mut(&id).unwrap()
    }

    fn advance(&mut self) {}

    fn patience(&self) -> u32 {
        20
    }

    fn settling(&self) -> u32 {
        5
    }

    fn max_frame_bytes(&self) -> Option<usize> {
        Some(LIMIT)
    }

    fn full_within(&self) -> usize {
        1000
    }

    fn close(&mut self, id: NodeId) -> bool {
        self.endpoint(id).inner.close();
        true
    }
}

#[test]
fn the_network_in_memory_keeps_the_contract() {
    let tally = conformance(|ids| Memory::new(ids, Fault::None));
    assert!(
        tally.frames > 3000
            && tally.full > 20
            && tally.too_large == 3
            && tally.wakeups >= 3
            && tally.closed == 1,
        "{tally:?}"
    );
}

#[test]
fn two_threads_pass_every_frame_with_wakers_alone() {
    let (a, b) = (NodeId::new(1), NodeId::new(2));
    let network = MemNetwork::new([a, b], 4);
    let (mut at_a, mut at_b) = (network.endpoint(a).unwrap(), network.endpoint(b).unwrap());
    let count = 20_000_u64;
    let sender = std::thread::spawn(move || {
        let parked = ThreadWaker::current();
        for number in 0..count {
            while at_a.poll_ready(&mut Context::from_waker(&parked), b, Class::Data).is_pending() {
                std::thread::park();
            }
            at_a.try_send(b, Class::Data, Frame::new(number.to_le_bytes().to_vec().into())).unwrap();
        }
        at_a
    });
    let parked = ThreadWaker::current();
    let mut received = Vec::new();
    while received.len() < usize::try_from(count).unwrap() {
        if at_b.poll_recv(&mut Context::from_waker(&parked), &mut received, 3).is_pending() {
            std::thread::park();
        }
    }
    drop(sender.join().unwrap());
    for (number, received) in (0..count).zip(received) {
        assert_eq!(received.bytes[..], number.to_le_bytes());
    }
}

struct ThreadWaker(std::thread::Thread);

impl ThreadWaker {
    fn current() -> Waker {
        std::sync::Arc::new(Self(std::thread::current())).into()
    }
}

impl std::task::Wake for ThreadWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn an_end_that_closed_can_be_opened_again_and_starts_empty() {
    let (a, b) = (NodeId::new(1), NodeId::new(2));
    let network = MemNetwork::new([a, b], 4);
    let (mut at_a, at_b) = (network.endpoint(a).unwrap(), network.endpoint(b).unwrap());
    assert!(network.endpoint(b).is_none(), "one end at a time");
    at_a.try_send(b, Class::Data, Frame::default()).unwrap();
    drop(at_b);
    at_a.try_send(b, Class::Data, Frame::default()).unwrap();
    let mut at_b = network.endpoint(b).unwrap();
    let mut out = Vec::new();
    assert!(at_b.poll_recv(&mut Context::from_waker(Waker::noop()), &mut out, 9).is_pending());
    at_a.try_send(b, Class::Data, Frame::new("x".into())).unwrap();
    assert_eq!(at_b.poll_recv(&mut Context::from_waker(Waker::noop()), &mut out, 9), Poll::Ready(Ok(1)));
}

/// How a transport is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    BelievesThePayload,
    MixesClasses,
    OneQueueForAllClasses,
    BulkBeforeControl,
    SwapsNeighbours,
    RepeatsAFrame,
    LosesAFrame,
    DropsTheLastPart,
    DropsEmptyFrames,
    SwallowsWhatIsTooMuch,
    FullForEveryPeer,
    ReceiverSleepsOn,
    SenderSleepsOn,
    KeepsTheFirstWaker,
    IgnoresMax,
    ClearsTheOutput,
    CountsWrong,
    TakesStrangers,
    TakesAnyLength,
    CutsAtTheLimit,
    StaysOpen,
}

const FAULTS: [Fault; 21] = [
    Fault::BelievesThePayload,
    Fault::MixesClasses,
    Fault::OneQueueForAllClasses,
    Fault::BulkBeforeControl,
    Fault::SwapsNeighbours,
    Fault::RepeatsAFrame,
    Fault::LosesAFrame,
    Fault::DropsTheLastPart,
    Fault::DropsEmptyFrames,
    Fault::SwallowsWhatIsTooMuch,
    Fault::FullForEveryPeer,
    Fault::ReceiverSleepsOn,
    Fault::SenderSleepsOn,
    Fault::KeepsTheFirstWaker,
    Fault::IgnoresMax,
    Fault::ClearsTheOutput,
    Fault::CountsWrong,
    Fault::TakesStrangers,
    Fault::TakesAnyLength,
    Fault::CutsAtTheLimit,
    Fault::StaysOpen,
];

/// A good end behind a bad door.
struct Broken {
    inner: MemEndpoint,
    fault: Fault,
    frames: u64,
    /// Frames that this door holds back.
    held: VecDeque<Received>,
    full: bool,
    first_waker: Option<Waker>,
}

impl Broken {
    fn new(inner: MemEndpoint, fault: Fault) -> Self {
        Self { inner, fault, frames: 0, held: VecDeque::new(), full: false, first_waker: None }
    }

    /// Takes all there is from the good end into `held`.
    fn hold(&mut self, cx: &mut Context<'_>) {
        let mut all = Vec::new();
        while self.inner.poll_recv(cx, &mut all, 64).is_ready_ok() {}
        self.held.extend(all);
    }

    fn give(&mut self, out: &mut Vec<Received>, max: usize) -> Poll<Result<usize, Closed>> {
        let count = max.min(self.held.len());
        out.extend(self.held.drain(..count));
        if count == 0 { Poll::Pending } else { Poll::Ready(Ok(count)) }
    }
}

trait ReadyOk {
    fn is_ready_ok(&self) -> bool;
}

impl ReadyOk for Poll<Result<usize, Closed>> {
    fn is_ready_ok(&self) -> bool {
        matches!(self, Poll::Ready(Ok(_)))
    }
}

impl Transport for Broken {
    fn try_send(&mut self, to: NodeId, class: Class, mut frame: Frame) -> Result<(), SendError> {
        self.frames += 1;
        match self.fault {
            Fault::OneQueueForAllClasses => {
                frame.parts.push(Bytes::copy_from_slice(&[class.number()]));
                return self.inner.try_send(to, Class::Data, frame);
            }
            Fault::MixesClasses if class == Class::Bulk => {
                return self.inner.try_send(to, Class::Data, frame);
            }
            Fault::RepeatsAFrame if self.frames % 50 == 0 => {
                self.inner.try_send(to, class, frame.clone())?;
            }
            Fault::LosesAFrame if self.frames % 50 == 0 => return Ok(()),
            Fault::DropsTheLastPart if frame.parts.len() > 2 => {
                frame.parts.pop();
            }
            Fault::DropsEmptyFrames if frame.is_empty() => return Ok(()),
            Fault::FullForEveryPeer if self.full && class != Class::Control => {
                return Err(SendError::Full(to));
            }
            Fault::CutsAtTheLimit if frame.len() == LIMIT => frame.head = frame.head.slice(1..),
            _ => {}
        }
        let result = self.inner.try_send(to, class, frame);
        self.full |= matches!(result, Err(SendError::Full(_)));
        match (self.fault, result) {
            (Fault::SwallowsWhatIsTooMuch, Err(SendError::Full(_)))
            | (Fault::TakesStrangers, Err(SendError::UnknownPeer(_)))
            | (Fault::TakesAnyLength, Err(SendError::TooLarge { .. }))
            | (Fault::StaysOpen, Err(SendError::Closed)) => Ok(()),
            (_, result) => result,
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, to: NodeId, class: Class) -> Poll<Result<(), SendError>> {
        match self.fault {
            Fault::SenderSleepsOn => {
                self.inner.poll_ready(&mut Context::from_waker(Waker::noop()), to, class)
            }
            Fault::OneQueueForAllClasses => self.inner.poll_ready(cx, to, Class::Data),
            _ => self.inner.poll_ready(cx, to, class),
        }
    }
}

impl Inbound for Broken {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Received>,
        max: usize,
    ) -> Poll<Result<usize, Closed>> {
        let before = out.len();
        match self.fault {
            Fault::ReceiverSleepsOn => {
                return self.inner.poll_recv(&mut Context::from_waker(Waker::noop()), out, max);
            }
            Fault::KeepsTheFirstWaker => {
                let waker = self.first_waker.get_or_insert_with(|| cx.waker().clone()).clone();
                let poll = self.inner.poll_recv(&mut Context::from_waker(&waker), out, max);
                if poll.is_ready() {
                    self.first_waker = None;
                }
                return poll;
            }
            Fault::IgnoresMax => return self.inner.poll_recv(cx, out, max + 5),
            Fault::ClearsTheOutput => out.clear(),
            Fault::BulkBeforeControl => {
                self.hold(cx);
                self.held.make_contiguous().sort_by_key(|received| core::cmp::Reverse(received.class));
                return self.give(out, max);
            }
            Fault::SwapsNeighbours => {
                self.hold(cx);
                if self.held.len() > 1 && self.held[0].class == self.held[1].class {
                    self.held.swap(0, 1);
                }
                return self.give(out, max);
            }
            _ => {}
        }
        let poll = self.inner.poll_recv(cx, out, max);
        for received in out.iter_mut().skip(before) {
            match self.fault {
                Fault::BelievesThePayload => {
                    if let Some(claim) = received.bytes.first_chunk().filter(|_| received.bytes.len() == 256)
                    {
                        received.from = NodeId::new(u64::from_le_bytes(*claim));
                    }
                }
                Fault::OneQueueForAllClasses => {
                    let class = received.bytes.split_off(received.bytes.len() - 1);
                    received.class = Class::from_number(class[0]).unwrap();
                }
                _ => {}
            }
        }
        match poll {
            Poll::Ready(Ok(count)) if self.fault == Fault::CountsWrong && count > 1 => {
                Poll::Ready(Ok(count - 1))
            }
            poll => poll,
        }
    }
}

fn run(fault: Fault) -> Result<Tally, Violation> {
    check(|ids| Memory::new(ids, fault))
}

#[test]
fn every_broken_transport_is_rejected() {
    let mut accepted = Vec::new();
    for fault in FAULTS {
        match run(fault) {
            Ok(tally) => accepted.push((fault, tally)),
            Err(violation) => println!("{fault:?}: {violation}"),
        }
    }
    assert!(accepted.is_empty(), "the suite did not see {accepted:?}");
    assert!(run(Fault::None).is_ok(), "the same door without a fault is sound");
}
