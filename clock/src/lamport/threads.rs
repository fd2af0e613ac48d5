//! One clock in the hands of several threads, and naive ones that some interleaving breaks.

use alloc::sync::Arc;

use synod_interleave::{Bound, holds, spawn};

use super::{Exhausted, LamportClock};

/// A clock, or what only looks like one.
trait Numbers: Send + Sync + 'static {
    fn tick(&self) -> Result<u64, Exhausted>;
    fn receive(&self, sent: u64) -> Result<u64, Exhausted>;
}

impl Numbers for LamportClock {
    fn tick(&self) -> Result<u64, Exhausted> {
        self.tick()
    }
    fn receive(&self, sent: u64) -> Result<u64, Exhausted> {
        self.receive(sent)
    }
}

/// Two threads number two events each: no number twice, each thread's rise.
fn each_event_has_its_own(clock: impl Numbers) {
    let clock = Arc::new(clock);
    let other = Arc::clone(&clock);
    let thread = spawn(move || [other.tick().unwrap(), other.receive(2).unwrap()]);
    let own = [clock.tick().unwrap(), clock.tick().unwrap()];
    let theirs = thread.join();
    assert!(own[0] < own[1] && theirs[0] < theirs[1], "a thread's numbers fall");
    assert!(theirs[1] > 2, "a receipt is not above its message");
    let mut all = [own, theirs].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "a number was given twice");
}

/// A receipt far ahead and a tick meet: whatever comes after is above both.
fn nothing_falls_back(clock: impl Numbers) {
    let clock = Arc::new(clock);
    let other = Arc::clone(&clock);
    let thread = spawn(move || other.receive(100).unwrap());
    let own = clock.tick().unwrap();
    let received = thread.join();
    let after = clock.tick().unwrap();
    assert!(received > 100, "a receipt is not above its message");
    assert!(after > received && after > own, "the clock fell back");
}

/// One number is left and two threads want it: one gets it, the other hears that there is none, and so does everybody
/// after.
fn the_last_number_is_given_once(clock: impl Numbers) {
    let clock = Arc::new(clock);
    let other = Arc::clone(&clock);
    let thread = spawn(move || other.tick());
    let mut both = [clock.tick(), thread.join()];
    both.sort_by_key(Result::is_err);
    assert_eq!(both, [Ok(u64::MAX), Err(Exhausted(u64::MAX))], "the last number was not given once");
    assert_eq!(clock.tick(), Err(Exhausted(u64::MAX)), "the clock began again");
}

#[test]
fn clock_lamport_numbers_are_unique_and_rise() {
    holds("lamport: every event has its own number", Bound::All, || {
        each_event_has_its_own(LamportClock::new());
    });
    holds("lamport: nothing falls back", Bound::All, || nothing_falls_back(LamportClock::new()));
    holds("lamport: the last number is given once", Bound::All, || {
        the_last_number_is_given_once(LamportClock::after(u64::MAX - 1));
    });
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;
    use synod_interleave::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use super::*;

    /// Reads the number, then writes it.
    struct LoadThenStore(AtomicU64);

    impl Numbers for LoadThenStore {
        fn tick(&self) -> Result<u64, Exhausted> {
            self.receive(0)
        }
        fn receive(&self, sent: u64) -> Result<u64, Exhausted> {
            let next = self.0.load(SeqCst).max(sent) + 1;
            self.0.store(next, SeqCst);
            Ok(next)
        }
    }

    /// Catches up in one step and counts in another, without looking at what the second step found.
    struct CatchesUpByStore(AtomicU64);

    impl Numbers for CatchesUpByStore {
        fn tick(&self) -> Result<u64, Exhausted> {
            Ok(self.0.fetch_add(1, SeqCst) + 1)
        }
        fn receive(&self, sent: u64) -> Result<u64, Exhausted> {
            if self.0.load(SeqCst) < sent {
                self.0.store(sent, SeqCst);
            }
            self.tick()
        }
    }

    /// Asks whether a number is left, then takes it by an addition that wraps.
    struct AsksThenAdds(AtomicU64);

    impl Numbers for AsksThenAdds {
        fn tick(&self) -> Result<u64, Exhausted> {
            if self.0.load(SeqCst) == u64::MAX {
                return Err(Exhausted(u64::MAX));
            }
            Ok(self.0.fetch_add(1, SeqCst).wrapping_add(1))
        }
        fn receive(&self, _: u64) -> Result<u64, Exhausted> {
            self.tick()
        }
    }

    #[test]
    fn a_load_and_a_store_give_a_number_twice() {
        breaks("LoadThenStore", Bound::All, "a number was given twice", || {
            each_event_has_its_own(LoadThenStore(AtomicU64::new(0)));
        });
        breaks("LoadThenStore, far ahead", Bound::All, "the clock fell back", || {
            nothing_falls_back(LoadThenStore(AtomicU64::new(0)));
        });
    }

    #[test]
    fn catching_up_by_a_store_gives_a_number_twice() {
        breaks("CatchesUpByStore", Bound::All, "a number was given twice", || {
            each_event_has_its_own(CatchesUpByStore(AtomicU64::new(0)));
        });
    }

    #[test]
    fn asking_before_adding_wraps() {
        breaks("AsksThenAdds", Bound::All, "the last number was not given once", || {
            the_last_number_is_given_once(AsksThenAdds(AtomicU64::new(u64::MAX - 1)));
        });
    }
}
