//! A grant that ends while one thread asks and another renews, in every interleaving.

use core::time::Duration;
use std::sync::Arc;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn};

use super::GrantHold;
use crate::node::Hold;

/// A grant, or what looks like one.
trait Grant: Send + Sync + 'static {
    fn is_held(&self) -> bool;
    /// Until then; false when it is over already.
    fn prolong(&self, until_ns: u64) -> bool;
}

type Clock = Arc<AtomicU64>;

fn read(clock: &Clock) -> Duration {
    Duration::from_nanos(clock.load(Ordering::SeqCst))
}

impl<F: Fn() -> Duration + Send + Sync + 'static> Grant for GrantHold<F> {
    fn is_held(&self) -> bool {
        Hold::is_held(self)
    }
    fn prolong(&self, until_ns: u64) -> bool {
        self.prolong(Duration::from_nanos(until_ns))
    }
}

fn sound(clock: &Clock) -> Arc<impl Grant + use<>> {
    let clock = Arc::clone(clock);
    Arc::new(GrantHold::new(move || read(&clock), Duration::from_nanos(10)))
}

/// Compares, and forgets what it saw; prolongs by a plain store.
#[cfg_attr(not(synod_loom), expect(dead_code, reason = "a naive twin, for loom"))]
struct Forgets {
    clock: Clock,
    until: AtomicU64,
}

impl Grant for Forgets {
    fn is_held(&self) -> bool {
        self.clock.load(Ordering::SeqCst) < self.until.load(Ordering::SeqCst)
    }
    fn prolong(&self, until_ns: u64) -> bool {
        if !self.is_held() {
            return false;
        }
        self.until.store(until_ns, Ordering::SeqCst);
        true
    }
}

/// The term ends at 10 while a renewal until 20 comes in. Who hears that it is over hears so ever after, and so does who
/// renews.
fn what_is_over_stays_over<G: Grant>(make: impl Fn(&Clock) -> Arc<G>) {
    let clock = Clock::new(AtomicU64::new(9));
    let grant = make(&clock);
    let (other, ticking) = (Arc::clone(&grant), Arc::clone(&clock));
    let renewing = spawn(move || other.prolong(20));
    ticking.store(10, Ordering::SeqCst);
    let first = grant.is_held();
    let renewed = renewing.join();
    let second = grant.is_held();
    assert!(first || !second, "what was over is held again");
    assert_eq!(second, renewed, "who renewed was told otherwise");
    clock.store(20, Ordering::SeqCst);
    assert!(!grant.is_held(), "held past its end");
}

#[test]
fn idgen_p33_a_grant_that_was_seen_to_end_is_not_held_again() {
    holds("grant: what is over stays over", Bound::All, || what_is_over_stays_over(sound));
}

#[cfg(synod_loom)]
#[test]
fn idgen_p33_a_naive_grant_is_held_again() {
    synod_interleave::breaks("grant: compares and forgets", Bound::All, "held again", || {
        what_is_over_stays_over(|clock| {
            Arc::new(Forgets { clock: Arc::clone(clock), until: AtomicU64::new(10) })
        });
    });
}
