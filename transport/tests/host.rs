//! What a host owes to its driver when messages carry entries.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::cell::Cell;
use std::task::{Context, Poll};

use synod_transport::host::{Host, HostError};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Entry, Runs, Span};
use synod_transport::machine::{Effects, Fatal, Input, Machine, Message};
use synod_transport::net::Class;
use synod_transport::store::{
    Append, Batch, Body, LogStore, LogSummary, MemLogStore, Receipt, StoreError, Write,
};
use synod_transport::time::Instant;
use synod_transport::wire::{Reader, WireError, Writer};

/// "Here are entries."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move(Span);

impl Message for Move {
    fn class(&self) -> Class {
        Class::Data
    }
    fn span(&self) -> Option<&Span> {
        Some(&self.0)
    }
    fn split(self, keep: u32) -> (Self, Option<Self>) {
        let (head, tail) = self.0.split(keep);
        (Self(head), (!tail.is_empty()).then_some(Self(tail)))
    }
    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
    }
    fn decode(from: &mut Reader) -> Result<Self, WireError> {
        Span::decode(from, 1 << 20).map(Self)
    }
}

/// Appends what is proposed and sends all of it to node 2.
#[derive(Debug, Default)]
struct Sender {
    last: Position,
    writes: WriteId,
}

impl Machine for Sender {
    type Message = Move;
    type Command = ();

    fn id(&self) -> NodeId {
        NodeId::new(1)
    }

    fn step(&mut self, _: Instant, input: Input<Move, ()>, effects: &mut Effects<Move>) -> Result<(), Fatal> {
        if let Input::Message { from, message } = &input {
            // An answer that rests on what was proposed.
            effects.send_after(self.writes, *from, *message);
        }
        if let Input::Propose { count, .. } = input {
            let span = Span { after: self.last, runs: Runs::one(Term::new(1), count) };
            self.last = span.last();
            self.writes = self.writes.next();
            effects.write = Some(Write {
                id: self.writes,
                truncate_from: None,
                append: Some(Append { span, body: Body::Proposed }),
                hard_state: None,
                purge_through: None,
            });
            effects.send(
                NodeId::new(2),
                Move(Span { after: Position::ZERO, runs: Runs::one(Term::new(1), count) }),
            );
        }
        Ok(())
    }
}

/// Counts what is read, and may be damaged.
#[derive(Default)]
struct Watched {
    inner: MemLogStore,
    read: Cell<usize>,
    damaged: Cell<bool>,
}

impl LogStore for Watched {
    fn summary(&self) -> LogSummary {
        self.inner.summary()
    }
    fn has_room(&self) -> bool {
        self.inner.has_room()
    }
    fn submit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.inner.submit(batch)
    }
    fn poll_durable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Receipt, StoreError>> {
        self.inner.poll_durable(cx)
    }
    fn read(
        &self,
        first: LogIndex,
        last: LogIndex,
        max_bytes: usize,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        if self.damaged.get() {
            return Err(StoreError::Fatal("entry 5 is damaged".into()));
        }
        let before = out.len();
        self.inner.read(first, last, max_bytes, out)?;
        self.read.set(self.read.get() + out.len() - before);
        Ok(())
    }
}

const ENTRIES: usize = 1000;

/// A host whose outbox holds one message with a thousand entries of 1 KiB.
fn loaded() -> Host<Sender, Watched> {
    let mut host = Host::new(Sender::default(), Watched::default(), LogIndex::ZERO);
    let mut payloads = vec![vec![7u8; 1024].into(); ENTRIES];
    host.propose(Instant::ZERO, Tag::new(1), &mut payloads).unwrap();
    host
}

#[test]
fn a_long_message_leaves_in_frames_and_is_read_about_once() {
    let mut host = loaded();
    let (mut receiver, mut frames) = (Vec::new(), 0usize);
    host.drain_frames(10 * 1024, |to, class, frame| {
        assert_eq!((to, class), (NodeId::new(2), Class::Data));
        assert!(frame.len() <= 11 * 1024);
        let message: Move = synod_transport::host::decode(frame.join(), &mut receiver).unwrap();
        assert!(!message.0.is_empty());
        frames += 1;
    });
    assert!(frames >= ENTRIES / 10);
    let positions: Vec<u64> = receiver.iter().map(|entry| entry.position.index.get()).collect();
    assert_eq!(positions, (1..=ENTRIES as u64).collect::<Vec<_>>());
    let read = host.store().read.get();
    assert!(read < 2 * ENTRIES, "{read} entries were read to send {ENTRIES}");
}

#[test]
fn damage_met_while_sending_stops_the_host_for_good() {
    let mut host = loaded();
    host.store().damaged.set(true);
    host.drain_frames(10 * 1024, |_, _, _| panic!("nothing can be sent"));
    assert!(matches!(host.failed(), Some(HostError::Store(StoreError::Fatal(_)))));
    assert!(host.wake(Instant::ZERO).is_err());
    assert!(host.propose(Instant::ZERO, Tag::new(2), &mut vec!["x".into()]).is_err());
}

#[test]
fn a_disk_that_has_stopped_does_not_let_questions_pile_up() {
    use synod_transport::host::MAX_SEALED;

    let mut host = Host::new(Sender::default(), MemLogStore::default(), LogIndex::ZERO);
    host.propose(Instant::ZERO, Tag::ZERO, &mut vec![vec![1].into()]).unwrap();
    let question = Move(Span { after: Position::ZERO, runs: Runs::none() });
    for _ in 0..MAX_SEALED {
        assert!(host.has_room());
        host.deliver(Instant::ZERO, NodeId::new(2), question, &mut Vec::new()).unwrap();
    }
    assert!(!host.has_room(), "the driver must feel it");
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(matches!(host.poll_durable(Instant::ZERO, &mut cx), Poll::Ready(Ok(()))));
    assert!(host.has_room(), "a receipt opens them all");
    assert_eq!(host.sealed_count(), 0);
}
