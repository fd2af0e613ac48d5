//! Whoever waits is woken.

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::{Check, Harness, NODES, Signal, Subject, Violation, numbered};
use crate::net::Class;

pub(super) fn checks<H: Harness>() -> [Check<H>; 3] {
    [
        ("poll_recv wakes when a frame comes", receiver_is_woken),
        ("the last waker counts", the_last_waker_counts),
        ("poll_ready wakes when a full queue has room", sender_is_woken),
    ]
}

/// Advances until the signal was given.
fn wait<H: Harness>(it: &mut Subject<'_, H>, signal: &Signal, whom: &str) -> Result<(), Violation> {
    for _ in 0..it.harness.patience() {
        if signal.count() > 0 {
            it.tally.wakeups += 1;
            return Ok(());
        }
        it.harness.advance();
    }
    it.violation(format!("{whom} was never woken"))
}

/// Polls until nothing is there and this waker waits.
fn sleep_on<H: Harness>(it: &mut Subject<'_, H>, waker: &Waker) -> Result<(), Violation> {
    let mut out = Vec::new();
    for _ in 0..it.harness.patience() {
        if it.poll_recv(NODES[1], &mut out, 16, waker)?.is_pending() {
            return Ok(());
        }
    }
    it.violation("frames came that nobody sent")
}

fn receiver_is_woken<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, c] = NODES;
    for (number, (from, class)) in
        (0..).zip([a, c].into_iter().flat_map(|from| Class::ALL.map(|c| (from, c))))
    {
        let mut received = Vec::new();
        it.send(from, b, class, numbered(number, 40))?;
        for _ in 0..it.harness.patience() {
            // A waker of its own for each poll; a wake-up without a frame (a new connection, say) is allowed.
            let signal = Arc::new(Signal::default());
            if it.poll_recv(b, &mut received, 16, &Waker::from(Arc::clone(&signal)))?.is_ready() {
                break;
            }
            wait(it, &signal, "the receiver")?;
        }
        it.expect(received.len() == 1, || format!("{} frames came, one was sent", received.len()))?;
    }
    Ok(())
}

fn the_last_waker_counts<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    it.warm_up()?;
    sleep_on(it, Waker::noop())?;
    let signal = Arc::new(Signal::default());
    sleep_on(it, &Waker::from(Arc::clone(&signal)))?;
    it.send(a, b, Class::Data, numbered(0, 8))?;
    wait(it, &signal, "the receiver, which changed its waker,")?;
    it.collect(b, 1).map(drop)
}

fn sender_is_woken<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    it.warm_up()?;
    for class in [Class::Data, Class::Bulk] {
        let taken = it.fill(a, b, class)?;
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(Arc::clone(&signal));
        let poll = it.poll_ready(a, b, class, &waker);
        it.expect(poll.is_pending(), || format!("{class:?} is full and poll_ready says {poll:?}"))?;
        it.collect(b, usize::try_from(taken).unwrap_or(usize::MAX))?;
        wait(it, &signal, "the sender")?;
        let poll = it.poll_ready(a, b, class, &waker);
        it.expect(poll == Poll::Ready(Ok(())), || format!("there is room and poll_ready says {poll:?}"))?;
        it.send(a, b, class, numbered(taken, 8))?;
        it.collect(b, 1)?;
    }
    Ok(())
}
