//! The clock's read-modify-writes in every interleaving, and naive ones that some interleaving breaks.

mod twins;

use core::time::Duration;
use std::sync::Arc;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn};

use super::{HybridClock, HybridError, JumpPolicy, Jumps, Micros, Options, Physical, Timestamp};

/// Stamps of one thread.
type Stamps = Vec<u64>;

/// What gives stamps, or only looks like it.
trait Stamping: Send + Sync + 'static {
    /// A stamp, or none at the bound.
    fn now(&self) -> Option<u64>;
    fn recv(&self, remote: u64) -> Option<u64>;
    fn observe(&self, remote: u64);
    fn raise_bound(&self, bound: u64);
}

type Fixed = super::FromFn<fn() -> Duration>;

/// Three microseconds after 1970.
fn wall() -> Duration {
    Duration::from_micros(3)
}

const WALL: u64 = 3 << 12;

fn quiet() -> Options {
    Options { jumps: Jumps { policy: JumpPolicy::Ignore, ..Jumps::default() }, ..Options::default() }
}

fn sound(last: u64, bound: u64) -> HybridClock<Fixed> {
    let source = super::from_fn(wall as fn() -> Duration);
    HybridClock::resume(source, quiet(), Timestamp::from_u64(last), Timestamp::from_u64(bound))
}

impl Stamping for HybridClock<Fixed> {
    fn now(&self) -> Option<u64> {
        match self.now() {
            Ok(stamp) => Some(stamp.as_u64()),
            Err(HybridError::UpperBound) => None,
            Err(other) => panic!("{other}"),
        }
    }
    fn recv(&self, remote: u64) -> Option<u64> {
        self.recv(Timestamp::from_u64(remote)).map(Timestamp::as_u64).ok()
    }
    fn observe(&self, remote: u64) {
        self.observe(Timestamp::from_u64(remote)).unwrap();
    }
    fn raise_bound(&self, bound: u64) {
        self.raise_bound(Timestamp::from_u64(bound));
    }
}

/// Both threads' stamps rise, and no two are the same.
fn stamps_are_unique(clock: &Arc<impl Stamping>, each: usize) {
    let ask = move |clock: &dyn Stamping| -> Stamps { (0..each).filter_map(|_| clock.now()).collect() };
    let other = Arc::clone(clock);
    let thread = spawn(move || ask(&*other));
    let mine = ask(&**clock);
    let theirs = thread.join();
    assert!(mine.is_sorted() && theirs.is_sorted(), "a thread's stamps go back");
    let mut all = [mine, theirs].concat();
    assert_eq!(all.len(), 2 * each);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 2 * each, "a stamp was given twice");
}

/// Whatever the other thread does, a stamp given after something was taken is greater.
fn what_was_taken_stays_below(clock: &Arc<impl Stamping>) {
    let other = Arc::clone(clock);
    let thread = spawn(move || other.now());
    clock.observe(WALL + 10);
    let after = clock.now();
    assert!(after > Some(WALL + 10), "a stamp is older than what was observed");
    let received = clock.recv(WALL + 20);
    assert!(received > Some(WALL + 20) && received > after, "a receipt is older than its message");
    assert_ne!(thread.join(), received, "a stamp was given twice");
}

/// What is observed late takes nothing back.
fn observing_undoes_nothing(clock: &Arc<impl Stamping>) {
    let other = Arc::clone(clock);
    let thread = spawn(move || [other.now(), other.now()]);
    clock.observe(WALL + 1);
    let given = thread.join();
    assert!(given.is_sorted());
    assert!(clock.now() > given[1], "a stamp was given twice");
}

/// No stamp reaches a bound that is not durable yet, and a durable one lets stamps go on.
fn the_bound_comes_first(clock: &Arc<impl Stamping>) {
    let durable = Arc::new(AtomicU64::new(WALL + 2));
    let (other, stored) = (Arc::clone(clock), Arc::clone(&durable));
    let thread = spawn(move || {
        other.now();
        stored.store(WALL + 5, Ordering::SeqCst);
        other.raise_bound(WALL + 5);
        other.raise_bound(WALL + 2); // late, of an earlier write
    });
    for _ in 0..2 {
        if let Some(stamp) = clock.now() {
            assert!(stamp < durable.load(Ordering::SeqCst), "a stamp reached a bound that is not durable");
        }
    }
    thread.join();
    assert!(clock.now().is_some(), "a durable bound was lost");
}

#[test]
fn two_threads_stamp() {
    holds("hybrid: stamps are unique", Bound::All, || {
        stamps_are_unique(&Arc::new(sound(WALL, u64::MAX)), 2);
    });
    // The first stamps race for the wall reading itself.
    holds("hybrid: the first stamps are unique", Bound::All, || {
        stamps_are_unique(&Arc::new(sound(0, u64::MAX)), 2);
    });
    // 4094 and 4095, then the next tick.
    holds("hybrid: stamps are unique while the logical part carries", Bound::All, || {
        let clock = Arc::new(sound(WALL + 4093, u64::MAX));
        stamps_are_unique(&clock, 2);
        assert_eq!(clock.statistics().carried, 1);
        assert_eq!(clock.last(), Timestamp::<Micros>::from_parts(4, 1).unwrap());
    });
}

#[test]
fn three_threads_stamp() {
    holds("hybrid: three threads", Bound::Preemptions(3), || {
        let clock = Arc::new(sound(0, u64::MAX));
        let third = Arc::clone(&clock);
        let thread = spawn(move || third.now().unwrap().as_u64());
        stamps_are_unique(&clock, 2);
        let third = thread.join();
        // Five stamps were given, from the wall reading on, without a gap.
        assert!((WALL..WALL + 5).contains(&third));
        assert_eq!(clock.last().as_u64(), WALL + 4);
    });
}

#[test]
fn one_observes_while_another_stamps() {
    holds("hybrid: what was taken stays below", Bound::All, || {
        what_was_taken_stays_below(&Arc::new(sound(WALL, u64::MAX)));
    });
}

#[test]
fn one_observes_what_is_old_by_then() {
    holds("hybrid: observing undoes nothing", Bound::All, || {
        observing_undoes_nothing(&Arc::new(sound(WALL, u64::MAX)));
    });
}

#[test]
fn one_raises_the_bound_while_another_stamps() {
    holds("hybrid: the bound comes first", Bound::All, || {
        the_bound_comes_first(&Arc::new(sound(WALL, WALL + 2)));
    });
}

/// A wall that another thread can set, beside a monotonic clock that stands still.
#[derive(Clone)]
struct Settable(Arc<AtomicU64>);

impl Physical for Settable {
    fn wall_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst) * 1_000_000
    }
}

fn watched(policy: JumpPolicy) -> (Settable, Arc<HybridClock<Settable>>) {
    let wall = Settable(Arc::new(AtomicU64::new(5_000)));
    let step = Duration::from_millis(100);
    let options = Options { jumps: Jumps { forward: step, backward: step, policy }, ..Options::default() };
    (wall.clone(), Arc::new(HybridClock::with_options(wall, options)))
}

/// What looks for jumps of a wall.
trait Watching: Send + Sync + 'static {
    fn look(&self);
    /// Whether the next stamp would look first.
    fn is_due(&self) -> bool;
}

impl Watching for HybridClock<Settable> {
    fn look(&self) {
        self.accept_jump();
    }
    fn is_due(&self) -> bool {
        let before = self.statistics().jumps_forward;
        self.read_settled().unwrap();
        self.statistics().jumps_forward > before
    }
}

/// The wall is set back while two threads look; afterwards a step forward is seen, though it stays below where the
/// wall once was.
fn no_mark_stays_from_before_a_step_back(clock: &Arc<impl Watching>, wall: &Settable) {
    let (other, set) = (Arc::clone(clock), wall.clone());
    let thread = spawn(move || {
        set.0.store(1_000, Ordering::SeqCst);
        other.look();
    });
    clock.look();
    thread.join();
    wall.0.store(1_500, Ordering::SeqCst);
    assert!(clock.is_due(), "a jump forward was not seen");
}

#[test]
fn two_threads_look_for_jumps() {
    holds("hybrid: a mark belongs to the last look", Bound::Preemptions(3), || {
        let (wall, clock) = watched(JumpPolicy::Count);
        no_mark_stays_from_before_a_step_back(&clock, &wall);
    });
}

#[test]
fn a_jump_is_reported_to_one() {
    holds("hybrid: a jump is reported once", Bound::Preemptions(3), || {
        let (wall, clock) = watched(JumpPolicy::Report);
        wall.0.store(6_000, Ordering::SeqCst);
        let other = Arc::clone(&clock);
        let thread = spawn(move || other.now());
        let results = [clock.now(), thread.join()];
        let jumped = |result: &&Result<_, _>| matches!(result, Err(HybridError::Jumped { .. }));
        assert_eq!(results.iter().filter(jumped).count(), 1);
        assert_eq!(clock.statistics().jumps_forward, 1);
    });
}
