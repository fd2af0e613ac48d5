//! A queue as one might write it first, with one flaw. Without a flaw it passes, so it is the flaw that is found.

use std::sync::Arc;
use std::task::Waker;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::sync::{Condvar, Mutex, MutexGuard};
use synod_interleave::{Bound, holds};
use synod_transport::store::StoreError;

use super::{Device, Queue};

/// What the naive queue does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(synod_loom), allow(dead_code))] // only interleavings show them
enum Flaw {
    None,
    /// Reads the last number, then writes the next one.
    NumberInTwoSteps,
    /// Says durable, then syncs.
    ReceiptBeforeSync,
    /// Reads the newest durable number past the lock, without order.
    RelaxedReceipt,
    /// Looks, lets the lock go, and waits then.
    WaitsAfterUnlock,
    /// Rings, then says what for.
    RingsBeforePublishing,
    /// Wakes one of those who wait.
    WakesOne,
    /// Wakes one of those who wait, when it failed.
    FailureWakesOne,
    /// Looks, lets the lock go, and leaves its waker then.
    WakerAfterUnlock,
    /// Ends as soon as it is told to, whatever has gathered.
    EndsBeforeTheLast,
    /// Wakes, then says that the thread is gone.
    GoneAfterWaking,
    /// Finds room, lets the lock go, and takes the room then.
    RoomInTwoSteps,
}

struct Naive {
    flaw: Flaw,
    device: Arc<Device>,
    window: u64,
    state: Mutex<State>,
    changed: Condvar,
    newest: AtomicU64,
}

#[derive(Default)]
struct State {
    submitted: u64,
    durable: u64,
    flying: bool,
    failed: bool,
    closing: bool,
    gone: bool,
    waker: Option<Waker>,
}

fn naive(flaw: Flaw) -> impl Fn(&Arc<Device>, usize) -> Naive + Copy {
    move |device, window| Naive {
        flaw,
        device: Arc::clone(device),
        window: window as u64,
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
        newest: AtomicU64::new(0),
    }
}

impl Naive {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if self.flaw == Flaw::WaitsAfterUnlock {
            drop(state);
            state = self.lock();
        }
        self.changed.wait(state).unwrap()
    }

    fn fly<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.flying = true;
        let through = state.submitted;
        if self.flaw == Flaw::ReceiptBeforeSync {
            state.durable = through;
        }
        drop(state);
        let result = self.device.write(through);
        if self.flaw == Flaw::RingsBeforePublishing {
            self.changed.notify_all();
        }
        let mut state = self.lock();
        state.flying = false;
        match result {
            Ok(()) => state.durable = through,
            Err(_) => state.failed = true,
        }
        self.newest.store(state.durable, Ordering::Relaxed);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        match self.flaw {
            Flaw::RingsBeforePublishing => {}
            Flaw::WakesOne => self.changed.notify_one(),
            Flaw::FailureWakesOne if state.failed => self.changed.notify_one(),
            _ => self.changed.notify_all(),
        }
        state
    }
}

fn check_alive(state: &State) -> Result<(), StoreError> {
    if state.failed { Err(StoreError::Fatal("failed".to_owned())) } else { Ok(()) }
}

impl Queue for Naive {
    fn submit(&self) -> Result<u64, StoreError> {
        let mut state = self.lock();
        check_alive(&state)?;
        if state.submitted - state.durable >= self.window {
            return Err(StoreError::Full);
        }
        if self.flaw == Flaw::RoomInTwoSteps {
            drop(state);
            state = self.lock();
        }
        let number = state.submitted + 1;
        if self.flaw == Flaw::NumberInTwoSteps {
            drop(state);
            state = self.lock();
        }
        state.submitted = number;
        self.changed.notify_all();
        Ok(number)
    }

    fn sync(&self, upto: u64) -> Result<(), StoreError> {
        if self.flaw == Flaw::RelaxedReceipt && self.newest.load(Ordering::Relaxed) >= upto {
            return Ok(());
        }
        let mut state = self.lock();
        loop {
            if state.durable >= upto {
                return Ok(());
            }
            check_alive(&state)?;
            state = if state.flying { self.wait(state) } else { self.fly(state) };
        }
    }

    fn poll(&self, reported: u64, waker: &Waker) -> Result<Option<u64>, StoreError> {
        let mut state = self.lock();
        check_alive(&state)?;
        if state.durable > reported {
            return Ok(Some(state.durable));
        }
        if self.flaw == Flaw::WakerAfterUnlock {
            drop(state);
            state = self.lock();
        }
        state.waker = Some(waker.clone());
        Ok(None)
    }

    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if self.flaw == Flaw::EndsBeforeTheLast && state.closing {
                return;
            } else if state.submitted > state.durable && !state.flying && !state.failed {
                state = self.fly(state);
            } else if state.closing || state.failed {
                return;
            } else {
                state = self.wait(state);
            }
        }
    }

    fn lent_thread_gone(&self) {
        let mut state = self.lock();
        let waker = state.waker.take();
        if self.flaw == Flaw::GoneAfterWaking {
            drop(state);
            waker.into_iter().for_each(Waker::wake);
            state = self.lock();
        } else {
            waker.into_iter().for_each(Waker::wake);
        }
        state.gone = true;
        state.failed |= !state.closing;
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    fn join(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        while !state.gone {
            state = self.changed.wait(state).unwrap();
        }
        check_alive(&state)
    }
}

#[test]
fn without_a_flaw_the_naive_queue_passes() {
    let sound = naive(Flaw::None);
    holds("control: tickets", Bound::All, move || super::tickets_are_honest(2, 1, sound));
    holds("control: three threads", Bound::Preemptions(1), move || super::tickets_are_honest(3, 1, sound));
    holds("control: failure", Bound::Preemptions(1), move || {
        let device = Device::new(0);
        super::failure_reaches_everyone(3, &device, sound(&device, super::WIDE));
    });
    holds("control: receipts", Bound::Preemptions(2), move || {
        super::receipts_rise_and_close_ends_all(2, sound);
    });
    holds("control: failure, lent thread", Bound::All, move || super::failure_ends_the_lent_thread(sound));
    holds("control: close", Bound::All, move || super::close_leaves_nothing_behind(sound));
    holds("control: lost thread", Bound::All, move || super::a_thread_that_never_came_is_heard_of(sound));
    holds("control: window", Bound::All, move || super::the_window_is_never_passed(sound));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::{Bound, breaks};

    use super::super::{Device, WIDE};
    use super::{Flaw, naive};

    const STUCK: &str = "deadlock";

    fn tickets(flaw: Flaw, threads: usize, reason: &str) {
        let name = format!("{flaw:?}");
        breaks(&name, Bound::Preemptions(3), reason, move || {
            super::super::tickets_are_honest(threads, 1, naive(flaw));
        });
    }

    #[test]
    fn tickets_that_lie() {
        tickets(Flaw::NumberInTwoSteps, 2, "a ticket is given twice");
        tickets(Flaw::ReceiptBeforeSync, 2, "a receipt comes before its sync");
        tickets(Flaw::RelaxedReceipt, 2, "a receipt comes before its sync");
    }

    #[test]
    fn waiters_that_sleep_for_ever() {
        tickets(Flaw::WaitsAfterUnlock, 2, STUCK);
        tickets(Flaw::RingsBeforePublishing, 2, STUCK);
        tickets(Flaw::WakesOne, 3, STUCK);
    }

    #[test]
    fn a_failure_that_only_some_hear_of() {
        breaks("FailureWakesOne", Bound::Preemptions(3), STUCK, || {
            let device = Device::new(0);
            super::super::failure_reaches_everyone(3, &device, naive(Flaw::FailureWakesOne)(&device, WIDE));
        });
    }

    #[test]
    fn a_driver_that_sleeps_for_ever() {
        breaks("WakerAfterUnlock", Bound::Preemptions(3), STUCK, || {
            super::super::receipts_rise_and_close_ends_all(1, naive(Flaw::WakerAfterUnlock));
        });
    }

    #[test]
    fn a_close_that_loses() {
        breaks("EndsBeforeTheLast", Bound::All, "a receipt comes before its sync", || {
            super::super::close_leaves_nothing_behind(naive(Flaw::EndsBeforeTheLast));
        });
        breaks("WaitsAfterUnlock, closing", Bound::All, STUCK, || {
            super::super::close_leaves_nothing_behind(naive(Flaw::WaitsAfterUnlock));
        });
    }

    #[test]
    fn a_lost_thread_that_nobody_hears_of() {
        breaks("GoneAfterWaking", Bound::All, STUCK, || {
            super::super::a_thread_that_never_came_is_heard_of(naive(Flaw::GoneAfterWaking));
        });
    }

    #[test]
    fn a_window_that_two_pass_at_once() {
        breaks("RoomInTwoSteps", Bound::All, "the window is passed", || {
            super::super::the_window_is_never_passed(naive(Flaw::RoomInTwoSteps));
        });
    }
}
