//! What is refused: full queues, strangers, frames over the limit, a closed end.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::{Check, Harness, NODES, Signal, Subject, Violation, number_of, numbered};
use crate::ids::NodeId;
use crate::net::{Class, Frame, Inbound, Received, SendError};

pub(super) fn checks<H: Harness>() -> [Check<H>; 7] {
    [
        ("a full queue refuses for its own peer and class alone", full_for_one_queue_alone),
        ("what a full queue took arrives in order", full_queues_lose_nothing),
        ("a class that nobody reads does not hold up Control", control_overtakes),
        ("Control refuses or gives way, and stays in order", control_gives_way),
        ("a stranger is unknown", strangers_are_unknown),
        ("a frame over the limit is refused, one at the limit arrives", the_limit_on_length),
        ("a closed end says so", closed_says_so),
    ]
}

fn full_for_one_queue_alone<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, c] = NODES;
    it.warm_up()?;
    for class in [Class::Data, Class::Bulk] {
        it.fill(a, b, class)?;
        let poll = it.poll_ready(a, b, class, Waker::noop());
        it.expect(poll.is_pending(), || format!("{class:?} is full and poll_ready says {poll:?}"))?;
        for other in Class::ALL.into_iter().filter(|other| *other != class) {
            let poll = it.poll_ready(a, b, other, Waker::noop());
            it.expect(poll == Poll::Ready(Ok(())), || {
                format!("{class:?} is full and poll_ready for {other:?} says {poll:?}")
            })?;
            it.send(a, b, other, numbered(0, 8))?;
        }
        for other in Class::ALL {
            it.send(a, c, other, numbered(0, 8))?;
            it.send(c, b, other, numbered(0, 8))?;
        }
        it.collect(c, 3)?;
        it.drain(b)?;
    }
    Ok(())
}

fn full_queues_lose_nothing<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    it.warm_up()?;
    for class in [Class::Data, Class::Bulk] {
        let taken = it.fill(a, b, class)?;
        let received = it.collect(b, usize::try_from(taken).unwrap_or(usize::MAX))?;
        for (due, received) in (0..).zip(&received) {
            it.expect(number_of(&received.bytes) == Some(due) && received.class == class, || {
                format!("{class:?} {due} was due, {:?} {:?} came", received.class, number_of(&received.bytes))
            })?;
        }
    }
    it.nothing_more()
}

fn control_overtakes<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    it.warm_up()?;
    let waiting = it.fill(a, b, Class::Data)? + it.fill(a, b, Class::Bulk)?;
    it.send(a, b, Class::Control, numbered(0, 8))?;
    for _ in 0..it.harness.settling() {
        it.harness.advance();
    }
    let mut out: Vec<Received> = Vec::new();
    let mut patience = it.harness.patience();
    while out.last().is_none_or(|last| last.class != Class::Control) {
        out.clear();
        if it.poll_recv(b, &mut out, 1, Waker::noop())?.is_pending() {
            it.expect(patience > 0, || "the Control frame never came".into())?;
            patience = patience.saturating_sub(1);
            it.harness.advance();
        }
    }
    let rest = it.drain(b)?.len();
    it.expect(rest > 0, || format!("Control waited for all {waiting} frames of Data and Bulk before it"))
}

fn control_gives_way<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    it.warm_up()?;
    let mut last_taken = None;
    let offered = u64::try_from(it.harness.full_within()).unwrap_or(u64::MAX);
    for number in 0..offered {
        match it.try_send(a, b, Class::Control, numbered(number, 8)) {
            Ok(()) => last_taken = Some(number),
            Err(SendError::Full(_)) => {
                it.tally.full += 1;
                break;
            }
            Err(error) => return it.violation(format!("a full queue says: {error}")),
        }
    }
    let numbers: Vec<_> = it.drain(b)?.iter().map(|received| number_of(&received.bytes)).collect();
    it.expect(numbers.is_sorted_by(|x, y| x < y), || "Control arrived out of order".into())?;
    it.expect(numbers.last() == Some(&last_taken), || {
        format!("the newest Control frame is {last_taken:?}, the last to arrive {:?}", numbers.last())
    })
}

fn strangers_are_unknown<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, ..] = NODES;
    let stranger = NodeId::new(77);
    for class in Class::ALL {
        let sent = it.try_send(a, stranger, class, numbered(0, 8));
        it.expect(sent == Err(SendError::UnknownPeer(stranger)), || format!("try_send says {sent:?}"))?;
        let poll = it.poll_ready(a, stranger, class, Waker::noop());
        it.expect(poll == Poll::Ready(Err(SendError::UnknownPeer(stranger))), || {
            format!("poll_ready says {poll:?}")
        })?;
    }
    it.nothing_more()
}

fn the_limit_on_length<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    let limit = it.harness.max_frame_bytes();
    let largest = limit.unwrap_or(1 << 20);
    let bytes: Bytes = (0..=255).cycle().take(largest).collect::<Vec<u8>>().into();
    for class in Class::ALL {
        let frame = Frame { head: bytes.slice(..largest / 3), parts: vec![bytes.slice(largest / 3..)] };
        if limit.is_some() {
            let mut over = frame.clone();
            over.parts.push(Bytes::from_static(b"x"));
            let sent = it.try_send(a, b, class, over);
            it.expect(sent == Err(SendError::TooLarge { len: largest + 1, limit: largest }), || {
                format!("a frame over the limit: {sent:?}")
            })?;
            it.tally.too_large += 1;
        }
        it.send(a, b, class, frame)?;
        for received in it.collect(b, 1)? {
            it.expect(received.bytes == bytes, || {
                format!("{largest} bytes were sent, {} came, or others", received.bytes.len())
            })?;
        }
    }
    it.nothing_more()
}

fn closed_says_so<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, c] = NODES;
    it.warm_up()?;
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut out = Vec::new();
    let idle = it.poll_recv(a, &mut out, 1, &waker)?;
    it.expect(idle.is_pending(), || "frames came that nobody sent".into())?;
    if !it.harness.close(a) {
        return Ok(());
    }
    it.tally.closed += 1;
    it.expect(signal.count() > 0, || "whoever waited for frames was not woken by the end of it".into())?;
    let closed = it.harness.endpoint(a).poll_recv(&mut Context::from_waker(&waker), &mut out, 1);
    it.expect(matches!(closed, Poll::Ready(Err(_))), || format!("poll_recv says {closed:?}"))?;
    for class in Class::ALL {
        let sent = it.try_send(a, b, class, numbered(0, 8));
        it.expect(sent == Err(SendError::Closed), || format!("try_send says {sent:?}"))?;
        let poll = it.poll_ready(a, b, class, Waker::noop());
        it.expect(poll == Poll::Ready(Err(SendError::Closed)), || format!("poll_ready says {poll:?}"))?;
    }
    others_go_on(it, b, c)
}

fn others_go_on<H: Harness>(it: &mut Subject<'_, H>, b: NodeId, c: NodeId) -> Result<(), Violation> {
    for class in Class::ALL {
        it.send(b, c, class, numbered(1, 8))?;
    }
    it.collect(c, 3).map(drop)
}
