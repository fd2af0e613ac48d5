//! Waiting for the next id.
//!
//! A thread sleeps for most of the time and looks again and again at the end, so that the first id of a tick comes on time:
//! a sleep ends when the system sees fit, tens of microseconds late as a rule. A task sleeps by its runtime's timer. Both
//! ask the wall anew after each sleep, so that a wall that is set meanwhile is noticed.

use core::future::Future;
use core::time::Duration;

use super::error::GeneratorError;
use super::{Block, Generator};
use crate::layout::{Id, Layout};
use crate::node::Hold;
use crate::wall::Wall;

/// No sleep is longer: the wall may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What is not slept of a wait, for the system wakes nobody on time.
#[cfg(feature = "std")]
const SPIN: Duration = Duration::from_micros(120);

/// A task's sleeps grow to this part of what it has waited, so that a wall that stands just before a tick is not asked a
/// thousand million times. A few hundred sleeps are as many seconds as may be waited.
const GROWTH: u32 = 16;

/// Sleeps of a runtime. Any function that takes a [`Duration`] and gives a future is one.
///
/// ```
/// use synod_idgen::generator::Generator;
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::node::NodeId;
/// use synod_idgen::wall::System;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let generator = Generator::new(NodeId::<Twitter>::new(7)?, System)?;
/// let first = generator.next_async(&tokio::time::sleep).await?;
/// assert!(first < generator.next_async(&tokio::time::sleep).await?);
/// # Ok(())
/// # }
/// ```
pub trait Timer {
    /// Ends when at least so much time has passed.
    fn sleep(&self, span: Duration) -> impl Future<Output = ()>;
}

impl<F: Fn(Duration) -> S, S: Future<Output = ()>> Timer for F {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
        self(span)
    }
}

impl<L: Layout, W: Wall, H: Hold> Generator<L, W, H> {
    /// The next id; where the policy says to wait, this thread waits: it sleeps, and looks closely at the end.
    ///
    /// The wait is bounded: by a tick where ids are used up ([`Exhausted`](super::Exhausted)), by the policy's span where the
    /// wall stepped back ([`Backward`](super::Backward)). A wall that does not go on as it should, or threads that have each
    /// tick's ids first, end it: at the latest after twice the first wait and a second.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Length` and `NotYet`.
    #[cfg(feature = "std")]
    #[inline]
    pub fn next(&self) -> Result<Id<L>, GeneratorError> {
        match self.try_next() {
            Err(GeneratorError::NotYet { wait }) => until(wait, || self.try_next()),
            other => other,
        }
    }

    /// [`reserve`](Self::reserve), waiting as [`next`](Self::next) does. A block that needs most of a tick does not come by
    /// while others take an id of each: without [`Exhausted::Borrow`](super::Exhausted::Borrow), ask for less.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `NotYet`.
    #[cfg(feature = "std")]
    pub fn reserve_next(&self, count: u32) -> Result<Block<L>, GeneratorError> {
        match self.reserve(count) {
            Err(GeneratorError::NotYet { wait }) => until(wait, || self.reserve(count)),
            other => other,
        }
    }

    /// The next id; where the policy says to wait, this task sleeps by the timer. Bounded as [`next`](Self::next) is, by the
    /// sum of what the timer is asked for, in some hundred sleeps and one a second. Dropped before its end it has taken nothing.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `Length` and `NotYet`.
    pub fn next_async<T: Timer>(&self, timer: &T) -> impl Future<Output = Result<Id<L>, GeneratorError>> {
        until_async(timer, || self.try_next())
    }

    /// [`reserve`](Self::reserve), waiting as [`next_async`](Self::next_async) does.
    ///
    /// # Errors
    /// Any [`GeneratorError`] but `NotYet`.
    pub fn reserve_async<T: Timer>(
        &self,
        count: u32,
        timer: &T,
    ) -> impl Future<Output = Result<Block<L>, GeneratorError>> {
        until_async(timer, move || self.reserve(count))
    }
}

/// How long waiting may take when it is first said to take so long.
fn patience(wait: Duration) -> Duration {
    wait.saturating_mul(2).saturating_add(Duration::from_secs(1))
}

/// Tries after each wait, until it is not too early.
#[cfg(feature = "std")]
#[cold]
pub(super) fn until<T>(
    first: Duration,
    mut attempt: impl FnMut() -> Result<T, GeneratorError>,
) -> Result<T, GeneratorError> {
    use synod_transport::time::{SystemTime, TimeSource};
    let clock = SystemTime::new();
    let begun = clock.monotonic();
    let (mut wait, mut awake) = (first, begun);
    loop {
        // A wall that goes in leaps, or stands, is not looked at all the time.
        let spun = clock.monotonic().since(awake);
        let sleep = if wait > SPIN { wait - SPIN } else { SPIN };
        if wait > SPIN || spun > 2 * SPIN {
            std::thread::sleep(sleep.min(LONGEST_SLEEP));
            awake = clock.monotonic();
        } else {
            core::hint::spin_loop();
        }
        match attempt() {
            Err(GeneratorError::NotYet { wait: left }) => wait = left,
            other => return other,
        }
        let waited = clock.monotonic().since(begun);
        if waited > patience(first) {
            return Err(GeneratorError::Stalled { waited });
        }
    }
}

/// The same of a task. A sleep takes at least as long as it was asked to, so the sum of them is what was waited at least;
/// what the timer adds to each is bounded by their number.
async fn until_async<T>(
    timer: &impl Timer,
    mut attempt: impl FnMut() -> Result<T, GeneratorError>,
) -> Result<T, GeneratorError> {
    let (mut waited, mut most) = (Duration::ZERO, None);
    loop {
        let wait = match attempt() {
            Err(GeneratorError::NotYet { wait }) => wait,
            other => return other,
        };
        if waited > *most.get_or_insert(patience(wait)) {
            return Err(GeneratorError::Stalled { waited });
        }
        let wait = wait.max(waited / GROWTH).min(LONGEST_SLEEP);
        timer.sleep(wait).await;
        waited = waited.saturating_add(wait);
    }
}
