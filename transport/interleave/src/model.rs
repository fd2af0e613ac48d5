//! Running a closure in all interleavings, and saying how many there were.

/// How far a search goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Every interleaving there is.
    All,
    /// Those in which the scheduler takes the processor away from a running thread at most this often. Waiting for a
    /// lock or an event does not count. `LOOM_MAX_PREEMPTIONS` raises it.
    Preemptions(usize),
}

/// Fails when the closure fails, or does not end, in some interleaving. Prints a line for `cargo xtask loom`.
#[cfg(synod_loom)]
pub fn holds(name: &str, bound: Bound, test: impl Fn() + Sync + Send + 'static) {
    let search = search(bound, test);
    let failure = search.failure.as_ref().map(message);
    search.print(name, "holds", failure.as_deref().unwrap_or("-"));
    if let Some(panic) = search.failure {
        std::panic::resume_unwind(panic);
    }
}

/// A few times with real threads, to keep the test alive.
#[cfg(not(synod_loom))]
pub fn holds(_: &str, _: Bound, test: impl Fn() + Sync + Send + 'static) {
    for _ in 0..16 {
        test();
    }
}

/// Fails unless the closure fails, for this reason, in some interleaving: the naive twin of a closure that
/// [`holds`]. Prints a line for `cargo xtask loom`.
#[cfg(synod_loom)]
#[allow(clippy::panic)] // a test's verdict
pub fn breaks(name: &str, bound: Bound, reason: &str, test: impl Fn() + Sync + Send + 'static) {
    let search = search(bound, test);
    search.print(name, "breaks", search.failure.as_ref().map(message).as_deref().unwrap_or("-"));
    if let Err(complaint) = search.broke_for(reason) {
        panic!("{name}: {complaint}");
    }
}

/// What came of a search.
#[cfg(synod_loom)]
struct Search {
    interleavings: usize,
    bound: Bound,
    millis: u128,
    failure: Option<Box<dyn std::any::Any + Send>>,
}

#[cfg(synod_loom)]
impl Search {
    /// Whether it failed, and for this reason.
    fn broke_for(&self, reason: &str) -> Result<(), String> {
        match self.failure.as_ref().map(message) {
            Some(failure) if failure.contains(reason) => Ok(()),
            Some(failure) => Err(format!("it broke for another reason than `{reason}`: {failure}")),
            None => Err(format!("no interleaving of {} breaks the naive version", self.interleavings)),
        }
    }

    /// One line, fields behind tabs: `cargo xtask loom` reads it.
    #[allow(clippy::print_stdout)]
    fn print(&self, name: &str, kind: &str, failure: &str) {
        let Self { interleavings, millis, .. } = self;
        let bound = match self.bound {
            Bound::All => "all".to_owned(),
            Bound::Preemptions(most) => most.to_string(),
        };
        let failure = failure.lines().next().unwrap_or("-");
        println!("interleavings\t{name}\t{kind}\t{interleavings}\t{bound}\t{millis}\t{failure}");
    }
}

#[cfg(synod_loom)]
fn search(bound: Bound, test: impl Fn() + Sync + Send + 'static) -> Search {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let mut model = loom::model::Builder::new();
    let bound = match (bound, model.preemption_bound) {
        (Bound::Preemptions(own), Some(asked)) => Bound::Preemptions(own.max(asked)),
        (own, _) => own,
    };
    model.preemption_bound = match bound {
        Bound::All => None,
        Bound::Preemptions(most) => Some(most),
    };
    model.max_branches = 10_000;
    let begun = std::time::Instant::now();
    let tried = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tried);
    let run = std::panic::AssertUnwindSafe(move || {
        model.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            test();
        });
    });
    let failure = std::panic::catch_unwind(run).err();
    Search {
        interleavings: tried.load(Ordering::Relaxed),
        bound,
        millis: begun.elapsed().as_millis(),
        failure,
    }
}

/// What a panic said.
#[cfg(synod_loom)]
#[allow(clippy::borrowed_box)] // as a panic comes
fn message(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Bound, holds};
    use crate::sync::atomic::{AtomicU32, Ordering};
    use crate::{block_on, spawn};

    fn count_to_two(add: fn(&AtomicU32)) {
        let number = Arc::new(AtomicU32::new(0));
        let other = Arc::clone(&number);
        let thread = spawn(move || add(&other));
        add(&number);
        thread.join();
        assert_eq!(number.load(Ordering::Relaxed), 2, "a count is lost");
    }

    #[test]
    fn an_atomic_addition_loses_nothing() {
        holds("counting", Bound::All, || {
            count_to_two(|number| {
                number.fetch_add(1, Ordering::Relaxed);
            });
        });
    }

    #[cfg(synod_loom)]
    #[test]
    fn a_load_and_a_store_lose_a_count() {
        super::breaks("counting by load and store", Bound::All, "a count is lost", || {
            count_to_two(|number| number.store(number.load(Ordering::SeqCst) + 1, Ordering::SeqCst));
        });
    }

    #[cfg(synod_loom)]
    #[test]
    fn a_twin_that_does_not_break_or_breaks_otherwise_is_told() {
        let sound = super::search(Bound::All, || {
            count_to_two(|number| {
                number.fetch_add(1, Ordering::Relaxed);
            });
        });
        let complaint = sound.broke_for("a count is lost").unwrap_err();
        assert!(complaint.starts_with("no interleaving of"), "{complaint}");
        let other = super::search(Bound::All, || panic!("for another reason"));
        let complaint = other.broke_for("a count is lost").unwrap_err();
        assert!(complaint.starts_with("it broke for another reason"), "{complaint}");
    }

    #[cfg(synod_loom)]
    #[test]
    fn a_wait_without_a_wake_is_a_deadlock() {
        super::breaks("waiting for nothing", Bound::All, "deadlock", || crate::Bell::new().wait());
    }

    #[test]
    fn a_future_that_wakes_itself_ends() {
        holds("waking", Bound::All, || {
            let mut asked = 0;
            let ready = std::future::poll_fn(|cx| {
                asked += 1;
                cx.waker().wake_by_ref();
                if asked == 3 { std::task::Poll::Ready(asked) } else { std::task::Poll::Pending }
            });
            assert_eq!(block_on(ready), 3);
        });
    }
}
