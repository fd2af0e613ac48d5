//! The queue between whoever sends and the task that writes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use synod_interleave::sync::{Mutex, MutexGuard};
use synod_interleave::{Bound, holds, spawn, wait_until};
use synod_transport::ids::NodeId;
use synod_transport::net::{Class, Frame, SendError};

use crate::lane::Lane;

const PEER: NodeId = NodeId::new(2);

/// A lane, or one that only looks like one.
trait Queue: Send + Sync + 'static {
    fn push(&self, frame: Frame) -> Result<u64, SendError>;
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()>;
    fn poll_take(&self, cx: &mut Context<'_>, taken: &mut Vec<Frame>) -> Poll<()>;
    fn close(&self);
}

impl Queue for Lane {
    fn push(&self, frame: Frame) -> Result<u64, SendError> {
        self.push(frame)
    }
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_ready(cx)
    }
    fn poll_take(&self, cx: &mut Context<'_>, taken: &mut Vec<Frame>) -> Poll<()> {
        self.poll_take(cx, taken)
    }
    fn close(&self) {
        self.close();
    }
}

/// The lane that runs: so many frames, or so many bytes.
fn real(class: Class, frames: usize, bytes: usize) -> Lane {
    Lane::new(PEER, class, frames, bytes)
}

/// Two bytes long.
fn frame(number: u8) -> Frame {
    Frame::new(Bytes::copy_from_slice(&[number, 0]))
}

fn take(queue: &impl Queue) -> Vec<u8> {
    let mut taken = Vec::new();
    wait_until(|cx| queue.poll_take(cx, &mut taken));
    taken.iter().filter_map(|frame| frame.head.first().copied()).collect()
}

/// Pushes when there is room, and waits for room when there is none.
fn send(queue: &impl Queue, number: u8) {
    while let Err(error) = queue.push(frame(number)) {
        assert_eq!(error, SendError::Full(PEER));
        wait_until(|cx| queue.poll_ready(cx));
    }
}

/// All that one thread sends another one takes: in order, once, and never more at a time than the lane may hold.
fn nothing_is_lost<Q: Queue>(sent: u8, most: usize, queue: Q) {
    let queue = Arc::new(queue);
    let sender = Arc::clone(&queue);
    let thread = spawn(move || (1..=sent).for_each(|number| send(&*sender, number)));
    let mut came = Vec::<u8>::new();
    while came.len() < usize::from(sent) {
        let batch = take(&*queue);
        assert!(batch.len() <= most, "the lane holds more than it may");
        came.extend(batch);
    }
    assert_eq!(came, (1..=sent).collect::<Vec<_>>(), "frames are lost, doubled or out of order");
    thread.join();
}

/// Without anyone who takes, two senders find room once, and one of them is told.
fn a_full_lane_is_felt<Q: Queue>(queue: Q) {
    let queue = Arc::new(queue);
    let other = Arc::clone(&queue);
    let thread = spawn(move || other.push(frame(1)).is_ok());
    let mine = queue.push(frame(2)).is_ok();
    assert!(mine != thread.join(), "the lane holds more than it may");
    assert_eq!(take(&*queue).len(), 1);
}

/// Old Control frames give way and are counted; the newest always comes, and the order stays.
fn old_ones_give_way<Q: Queue>(sent: u8, queue: Q) {
    let queue = Arc::new(queue);
    let sender = Arc::clone(&queue);
    let thread = spawn(move || (1..=sent).map(|number| sender.push(frame(number)).unwrap()).sum::<u64>());
    let mut came = Vec::<u8>::new();
    while came.last() != Some(&sent) {
        came.extend(take(&*queue));
    }
    let gave_way = thread.join();
    assert!(came.is_sorted_by(|a, b| a < b), "{came:?}");
    assert_eq!(came.len() as u64 + gave_way, u64::from(sent), "frames are lost without a word");
}

struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whoever waits for room is woken, once, when the lane is closed while frames are taken.
fn a_close_wakes_the_sender<Q: Queue>(queue: Q) {
    let queue = Arc::new(queue);
    queue.push(frame(1)).unwrap();
    let woken = Arc::new(Count(AtomicU64::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    assert!(queue.poll_ready(&mut Context::from_waker(&waker)).is_pending());
    let other = Arc::clone(&queue);
    let thread = spawn(move || take(&*other));
    queue.close();
    assert_eq!(thread.join(), [1]);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1, "the sender sleeps for ever");
}

#[test]
fn everything_comes_through() {
    holds("lane: nothing is lost, 1 place", Bound::Preemptions(3), || {
        nothing_is_lost(3, 1, real(Class::Data, 1, 100));
    });
    holds("lane: nothing is lost, 2 places", Bound::Preemptions(4), || {
        nothing_is_lost(4, 2, real(Class::Data, 2, 100));
    });
    holds("lane: nothing is lost, 3 bytes", Bound::Preemptions(4), || {
        nothing_is_lost(4, 2, real(Class::Bulk, 9, 3));
    });
}

#[test]
fn a_full_lane_says_so() {
    holds("lane: a full one is felt", Bound::All, || a_full_lane_is_felt(real(Class::Data, 1, 100)));
}

#[test]
fn control_frames_give_way() {
    holds("lane: old ones give way", Bound::All, || old_ones_give_way(4, real(Class::Control, 2, 100)));
}

#[test]
fn a_close_is_heard() {
    holds("lane: a close wakes the sender", Bound::All, || {
        a_close_wakes_the_sender(real(Class::Data, 1, 100));
    });
}

/// What a naive lane does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(synod_loom), allow(dead_code))] // only interleavings show them
enum Flaw {
    None,
    /// Finds nothing, lets the lock go, and leaves its waker then.
    WriterAfterUnlock,
    /// Finds no room, lets the lock go, and leaves its waker then.
    SenderAfterUnlock,
    /// Wakes the writer, then adds the frame.
    WakesBeforePush,
    /// Finds room, lets the lock go, and takes the room then.
    RoomInTwoSteps,
    /// Copies what waits, lets the lock go, and clears it then.
    TakesInTwoSteps,
    /// Says how many gave way as counted before the lock.
    CountsBeforeLock,
    /// Closes without a word.
    ClosesInSilence,
}

/// A lane as one might write it first, with one flaw.
struct Naive {
    flaw: Flaw,
    class: Class,
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Frame>,
    writer: Option<Waker>,
    sender: Option<Waker>,
}

fn naive(flaw: Flaw, class: Class, most: usize) -> Naive {
    Naive { flaw, class, most, state: Mutex::new(State::default()) }
}

impl Naive {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Where the flaw is to let the lock go, others come in here.
    fn reopen<'a>(&'a self, flaw: Flaw, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if self.flaw != flaw {
            return state;
        }
        drop(state);
        self.lock()
    }
}

impl Queue for Naive {
    fn push(&self, frame: Frame) -> Result<u64, SendError> {
        let mut state = self.lock();
        let mut gave_way = state.waiting.len().saturating_sub(self.most - 1);
        if gave_way > 0 && self.class != Class::Control {
            return Err(SendError::Full(PEER));
        }
        state = self.reopen(Flaw::RoomInTwoSteps, state);
        state = self.reopen(Flaw::CountsBeforeLock, state);
        if self.flaw == Flaw::WakesBeforePush {
            state.writer.take().into_iter().for_each(Waker::wake);
            state = self.reopen(Flaw::WakesBeforePush, state);
        }
        let over = state.waiting.len().saturating_sub(self.most - 1);
        if self.class == Class::Control {
            state.waiting.drain(..over);
        }
        if self.flaw != Flaw::CountsBeforeLock {
            gave_way = over;
        }
        state.waiting.push_back(frame);
        if self.flaw != Flaw::WakesBeforePush {
            state.writer.take().into_iter().for_each(Waker::wake);
        }
        Ok(gave_way as u64)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.waiting.len() < self.most {
            return Poll::Ready(());
        }
        state = self.reopen(Flaw::SenderAfterUnlock, state);
        state.sender = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_take(&self, cx: &mut Context<'_>, taken: &mut Vec<Frame>) -> Poll<()> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state = self.reopen(Flaw::WriterAfterUnlock, state);
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        taken.extend(state.waiting.iter().cloned());
        state = self.reopen(Flaw::TakesInTwoSteps, state);
        state.waiting.clear();
        state.sender.take().into_iter().for_each(Waker::wake);
        Poll::Ready(())
    }

    fn close(&self) {
        if self.flaw != Flaw::ClosesInSilence {
            self.lock().sender.take().into_iter().for_each(Waker::wake);
        } else {
            self.lock().sender = None;
        }
    }
}

#[test]
fn without_a_flaw_the_naive_lane_passes() {
    holds("control: lane", Bound::Preemptions(2), || {
        nothing_is_lost(4, 2, naive(Flaw::None, Class::Data, 2));
    });
    holds("control: full lane", Bound::All, || a_full_lane_is_felt(naive(Flaw::None, Class::Data, 1)));
    holds("control: giving way", Bound::All, || old_ones_give_way(4, naive(Flaw::None, Class::Control, 2)));
    holds("control: close", Bound::All, || a_close_wakes_the_sender(naive(Flaw::None, Class::Data, 1)));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;

    use super::*;

    #[test]
    fn ends_that_sleep_for_ever() {
        for flaw in [Flaw::WriterAfterUnlock, Flaw::SenderAfterUnlock, Flaw::WakesBeforePush] {
            breaks(&format!("{flaw:?}"), Bound::All, "deadlock", move || {
                nothing_is_lost(3, 1, naive(flaw, Class::Data, 1));
            });
        }
    }

    #[test]
    fn room_that_two_take() {
        breaks("RoomInTwoSteps", Bound::All, "the lane holds more than it may", || {
            a_full_lane_is_felt(naive(Flaw::RoomInTwoSteps, Class::Data, 1));
        });
    }

    #[test]
    fn frames_that_vanish() {
        // The one who takes waits for ever for the frame that was cleared.
        breaks("TakesInTwoSteps", Bound::All, "deadlock", || {
            nothing_is_lost(3, 2, naive(Flaw::TakesInTwoSteps, Class::Data, 2));
        });
        breaks("CountsBeforeLock", Bound::All, "frames are lost", || {
            old_ones_give_way(4, naive(Flaw::CountsBeforeLock, Class::Control, 2));
        });
    }

    #[test]
    fn a_close_that_nobody_hears() {
        breaks("ClosesInSilence", Bound::All, "the sender sleeps for ever", || {
            a_close_wakes_the_sender(naive(Flaw::ClosesInSilence, Class::Data, 1));
        });
    }
}
