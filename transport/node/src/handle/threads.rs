//! Callers against a driver that serves, stops, or is dropped, in every interleaving; and naive callers and drivers that
//! some interleaving leaves waiting.
//!
//! The driver here has no machine: what it takes is accepted and applied at once. Its channels' ends, who waits in
//! [`Proposals`], and the end are those of the real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use synod_interleave::{Bound, block_on, holds, spawn, wait_until};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term};

use super::*;

type Answer = Result<Bytes, ProposeError>;

fn propose(handle: &Handle<()>) -> Answer {
    block_on(handle.propose(Bytes::new()))
}

fn read(handle: &Handle<()>) -> Result<(), ReadError> {
    block_on(handle.read(Consistency::Stale, |()| ()))
}

/// Room for so many proposals at a time.
fn new(window: usize) -> (Handle<()>, Ends<()>) {
    let options = Options { queue: 2, max_bytes_in_flight: window * COST_BYTES, ..Options::default() };
    Handle::new(&options, Status::new(NodeId::default(), LogIndex::default()))
}

/// A driver that has served until it was asked to stop.
struct Served {
    ends: Ends<()>,
    proposals: Proposals,
    applied: usize,
}

/// Serves until asked to stop. Never finds more proposals than fit the window.
fn serve(mut ends: Ends<()>, window: usize) -> Served {
    let (mut proposals, mut applied, mut arrived) = (Proposals::default(), 0, Vec::new());
    let mut readings = Vec::new();
    loop {
        let stop = wait_until(|cx| {
            if ends.stop.poll_recv(cx).is_ready() {
                return Poll::Ready(true);
            }
            let _ = ends.proposals.poll_recv_many(cx, &mut arrived, 9);
            let _ = ends.reads.poll_recv_many(cx, &mut readings, 9);
            if arrived.is_empty() && readings.is_empty() { Poll::Pending } else { Poll::Ready(false) }
        });
        if stop {
            return Served { ends, proposals, applied };
        }
        assert!(arrived.len() <= window, "more is in flight than the window lets in");
        for Reading { run, .. } in readings.drain(..) {
            run(Ok(&()));
        }
        for Proposal { reply, .. } in arrived.drain(..) {
            applied += 1;
            let position = Position { term: Term::new(1), index: LogIndex::new(applied as u64) };
            let tag = Tag::ZERO.next();
            proposals.begin(tag);
            proposals.offered.push(reply);
            proposals.accept(tag, position.term, position.index, 1);
            proposals.applied(position, Some(&Bytes::new()));
        }
        ends.window.0.add_permits(proposals.take_freed());
    }
}

/// As the driver ends; gives how many it had applied.
fn end(mut served: Served) -> usize {
    served.ends.close();
    block_on(served.ends.answer_the_rest(&mut served.proposals));
    served.applied
}

/// A caller, a stop and a driver at once: the caller hears that its command is applied, or that it is not.
fn a_stop_answers(call: fn(&Handle<()>) -> Answer, end: fn(Served) -> usize) {
    let (handle, ends) = new(1);
    let driver = spawn(move || end(serve(ends, 1)));
    let caller = {
        let handle = handle.clone();
        spawn(move || call(&handle))
    };
    block_on(handle.stop());
    let (answer, applied) = (caller.join(), driver.join());
    match answer {
        Ok(_) => assert_eq!(applied, 1),
        Err(error) => assert_eq!((error, applied), (ProposeError::Stopped, 0), "the answer is not true"),
    }
}

/// The driver is dropped while a caller speaks to it: the caller ends.
fn a_drop_ends_callers(call: fn(&Handle<()>) -> Answer) {
    let (handle, ends) = new(1);
    let driver = spawn(move || drop(ends));
    let error = call(&handle).unwrap_err();
    assert!(matches!(error, ProposeError::Stopped | ProposeError::Unknown), "{error}");
    driver.join();
}

/// Two callers share a window for one; both are served, never at once, and the window is whole in the end.
fn the_window_is_kept(call: fn(&Handle<()>) -> Answer) {
    let (handle, ends) = new(1);
    let driver = spawn(move || {
        let served = serve(ends, 1);
        assert_eq!(served.ends.window.0.available_permits(), COST_BYTES, "the window has shrunk or grown");
        end(served)
    });
    let done = Arc::new(AtomicUsize::new(0));
    let caller = {
        let (handle, done) = (handle.clone(), Arc::clone(&done));
        spawn(move || call(&handle).map(|_| done.fetch_add(1, Ordering::Relaxed)))
    };
    call(&handle).unwrap();
    drop(handle);
    caller.join().unwrap();
    // The last handle is gone, which stops the driver.
    assert_eq!((driver.join(), done.load(Ordering::Relaxed)), (2, 1));
}

#[test]
fn whoever_calls_while_the_node_stops_has_a_true_answer() {
    holds("a stop answers proposals", Bound::Preemptions(3), || a_stop_answers(propose, end));
    holds("a stop answers reads", Bound::Preemptions(3), || {
        let (handle, ends) = new(1);
        let driver = spawn(move || end(serve(ends, 1)));
        let caller = {
            let handle = handle.clone();
            spawn(move || read(&handle))
        };
        block_on(handle.stop());
        assert!(matches!(caller.join(), Ok(()) | Err(ReadError::Stopped)));
        driver.join();
    });
}

#[test]
fn whoever_calls_while_the_driver_is_dropped_ends() {
    holds("a dropped driver ends proposals", Bound::All, || a_drop_ends_callers(propose));
    holds("a dropped driver ends reads", Bound::All, || {
        let (handle, ends) = new(1);
        let driver = spawn(move || drop(ends));
        assert_eq!(read(&handle), Err(ReadError::Stopped));
        driver.join();
    });
}

#[test]
fn a_window_for_one() {
    holds("the window is kept", Bound::Preemptions(2), || the_window_is_kept(propose));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;

    use super::*;

    /// Proposes, and does what the caller says with the room and the answer.
    async fn call(handle: &Handle<()>, gives_room_back: bool, hears_of_the_end: bool) -> Answer {
        let Ok(room) = handle.window.acquire_many(u32::try_from(COST_BYTES).unwrap()).await else {
            return Err(ProposeError::Stopped);
        };
        let Ok(place) = handle.proposals.reserve().await else { return Err(ProposeError::Stopped) };
        let (to, answer) = oneshot::channel();
        place.send(Proposal { command: Bytes::new(), reply: Reply { to, cost: COST_BYTES } });
        if gives_room_back {
            drop(room);
        } else {
            room.forget();
        }
        if hears_of_the_end {
            return handle.answer(answer).await.unwrap_or(Err(ProposeError::Unknown));
        }
        answer.await.unwrap_or(Err(ProposeError::Unknown))
    }

    #[test]
    fn without_a_flaw_the_naive_caller_passes() {
        fn sound(handle: &Handle<()>) -> Answer {
            block_on(call(handle, false, true))
        }
        holds("control: drop", Bound::All, || a_drop_ends_callers(sound));
        holds("control: window", Bound::Preemptions(1), || the_window_is_kept(sound));
    }

    /// Trusts the channel to drop what it holds when its receiver goes.
    #[test]
    fn a_caller_that_waits_for_the_answer_alone() {
        breaks("AwaitsTheAnswerAlone", Bound::All, "deadlock", || {
            a_drop_ends_callers(|handle| block_on(call(handle, false, false)));
        });
    }

    /// Lets the room go with the message, instead of with the answer.
    #[test]
    fn a_caller_that_gives_its_room_back_early() {
        breaks("GivesRoomBackEarly", Bound::Preemptions(3), "the window", || {
            the_window_is_kept(|handle| block_on(call(handle, true, true)));
        });
    }

    /// Closes the channels, answers what it finds there, and goes.
    #[test]
    fn a_driver_that_does_not_wait_for_the_last_places() {
        fn hasty(mut served: Served) -> usize {
            served.ends.close();
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            while let Poll::Ready(Some(proposal)) = served.ends.proposals.poll_recv(&mut cx) {
                served.proposals.stop(proposal.reply);
            }
            served.applied
        }
        breaks("GoesBeforeTheLastPlace", Bound::Preemptions(3), "the answer is not true", || {
            a_stop_answers(propose, hasty);
        });
    }
}
