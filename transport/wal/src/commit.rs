//! Group commit: what writers, waiters and whoever syncs share, whatever it is that gathers.
//!
//! ```text
//!  submit ──▶ gathering ──take_off──▶ in flight ──fly──▶ durable
//!             (lock held) (lock held)  (no lock: others gather on)
//! ```
//!
//! Whoever wants to wait and finds nobody in flight flies itself, for all who have submitted by then. A failure is for
//! good and reaches everyone.

use std::sync::PoisonError;
use std::task::Waker;

use synod_transport::store::StoreError;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// What gathers behind the lock and is made durable without it.
pub(crate) trait Gathering {
    /// A group on its way.
    type Flight;

    /// Takes what has gathered, if there is anything and no other group is in flight.
    fn take_off(&mut self) -> Option<Self::Flight>;

    /// Returns once the group is durable. The lock is not held.
    fn fly(flight: &mut Self::Flight) -> Result<(), String>;

    /// The group is durable.
    fn land(&mut self, flight: Self::Flight);
}

/// The queue in front of a device.
pub(crate) struct Commit<G> {
    state: Mutex<State<G>>,
    /// Woken when a group is durable or the log failed; the waiters for group `n` wait at `n % 2`.
    synced: [Condvar; 2],
    /// Woken when a group gathers or the store closes, for the lent thread.
    work: Condvar,
    window_bytes: usize,
}

struct State<G> {
    gathering: G,
    /// Batches taken, and those of them that are durable.
    submitted: u64,
    durable: u64,
    /// The newest batch that took off.
    taken_off: u64,
    /// Groups that took off.
    groups: u64,
    /// Bytes of batches that are not durable.
    gathering_bytes: usize,
    flying_bytes: usize,
    failed: Option<String>,
    waker: Option<Waker>,
    closing: bool,
    lent_thread_gone: bool,
}

impl<G: Gathering> Commit<G> {
    pub(crate) fn new(gathering: G, window_bytes: usize) -> Self {
        let state = State {
            gathering,
            submitted: 0,
            durable: 0,
            taken_off: 0,
            groups: 0,
            gathering_bytes: 0,
            flying_bytes: 0,
            failed: None,
            waker: None,
            closing: false,
            lent_thread_gone: false,
        };
        let synced = [Condvar::new(), Condvar::new()];
        Self { state: Mutex::new(state), synced, work: Condvar::new(), window_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State<G>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what gathers.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut G) -> T) -> T {
        look(&mut self.lock().gathering)
    }

    /// Batches taken, and groups that took off.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.lock();
        (state.submitted, state.groups)
    }

    pub(crate) fn has_room(&self) -> bool {
        let state = self.lock();
        state.failed.is_some() || state.gathering_bytes + state.flying_bytes < self.window_bytes
    }

    /// Lets `take` add a batch under the number that it is given, unless there is no room for it, and say its bytes.
    /// Gives the number: 1, 2, 3, …
    pub(crate) fn submit(
        &self,
        take: impl FnOnce(&mut G, u64, Result<(), StoreError>) -> Result<usize, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        state.check_alive()?;
        let has_room = state.gathering_bytes + state.flying_bytes < self.window_bytes;
        let number = state.submitted + 1;
        let room = if has_room { Ok(()) } else { Err(StoreError::Full) };
        state.gathering_bytes += take(&mut state.gathering, number, room)?;
        state.submitted = number;
        drop(state);
        self.work.notify_one();
        Ok(number)
    }

    /// Returns once batch `upto` is durable. The first who comes while nobody syncs does it for all who have
    /// submitted by then.
    pub(crate) fn sync(&self, upto: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        loop {
            if state.durable >= upto {
                return Ok(());
            }
            state.check_alive()?;
            if upto > state.submitted {
                return Err(StoreError::Misuse("a ticket of another log"));
            }
            if let Some(flight) = state.take_off() {
                drop(state);
                state = self.fly(flight);
            } else {
                // A group is in flight: ours, or the one before ours.
                let waits_for = if upto <= state.taken_off { state.groups } else { state.groups + 1 };
                let bell = self.bell(waits_for);
                state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn bell(&self, group: u64) -> &Condvar {
        let [even, odd] = &self.synced;
        if group % 2 == 0 { even } else { odd }
    }

    /// Makes a group durable, then tells everyone.
    fn fly(&self, (mut flight, through): (G::Flight, u64)) -> MutexGuard<'_, State<G>> {
        let landing = Landing { commit: self, landed: false };
        let result = G::fly(&mut flight);
        let mut state = landing.lock();
        match result {
            Ok(()) => state.land(flight, through),
            Err(error) => state.failed = Some(error),
        }
        self.announce(&mut state);
        state
    }

    fn announce(&self, state: &mut State<G>) {
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        if state.failed.is_some() {
            self.synced.iter().for_each(Condvar::notify_all);
            self.work.notify_all();
        } else {
            self.bell(state.groups).notify_all();
            self.bell(state.groups + 1).notify_one();
        }
    }

    /// The lent thread's life: syncs whatever gathers until the store closes.
    pub(crate) fn serve(&self) {
        let mut state = self.lock();
        while state.failed.is_none() {
            if let Some(flight) = state.take_off() {
                drop(state);
                state = self.fly(flight);
            } else if state.closing {
                break;
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Tells the lent thread to sync what has gathered, then end.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    /// The lent thread ended, or never came. Nobody syncs any more.
    pub(crate) fn lent_thread_gone(&self) {
        let mut state = self.lock();
        state.lent_thread_gone = true;
        if state.durable < state.submitted || !state.closing {
            let reason = || "the thread that was lent for syncing is gone".to_owned();
            state.failed.get_or_insert_with(reason);
        }
        self.announce(&mut state);
        self.work.notify_all();
    }

    /// Waits until the lent thread has ended.
    pub(crate) fn join(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        while !state.lent_thread_gone {
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.check_alive()
    }

    /// The number of the newest durable batch, when it is beyond `reported`; else keeps the waker.
    pub(crate) fn poll(&self, reported: u64, waker: &Waker) -> Result<Option<u64>, StoreError> {
        let mut state = self.lock();
        if state.durable > reported && state.failed.is_none() {
            return Ok(Some(state.durable));
        }
        state.check_alive()?;
        if !state.waker.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Ok(None)
    }
}

impl<G: Gathering> State<G> {
    fn check_alive(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |reason| Err(StoreError::Fatal(reason.clone())))
    }

    fn take_off(&mut self) -> Option<(G::Flight, u64)> {
        let flight = self.gathering.take_off()?;
        self.groups += 1;
        self.taken_off = self.submitted;
        self.flying_bytes = std::mem::take(&mut self.gathering_bytes);
        Some((flight, self.submitted))
    }

    fn land(&mut self, flight: G::Flight, through: u64) {
        self.gathering.land(flight);
        self.durable = through;
        self.flying_bytes = 0;
    }
}

/// Makes the log fail should the thread that flies a group unwind.
struct Landing<'a, G: Gathering> {
    commit: &'a Commit<G>,
    landed: bool,
}

impl<'a, G: Gathering> Landing<'a, G> {
    fn lock(mut self) -> MutexGuard<'a, State<G>> {
        self.landed = true;
        self.commit.lock()
    }
}

impl<G: Gathering> Drop for Landing<'_, G> {
    fn drop(&mut self) {
        if !self.landed {
            let mut state = self.commit.lock();
            state.failed = Some("a thread panicked while it wrote".to_owned());
            self.commit.announce(&mut state);
        }
    }
}
