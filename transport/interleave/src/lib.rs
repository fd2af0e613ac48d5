//! Tests of what threads share: under `--cfg synod_loom` a test runs in every interleaving of its threads, as
//! [loom](https://docs.rs/loom) finds them; without it the same test runs a few times with the system's threads.
//!
//! Code under test names its locks through a `sync` module of its own, which is [`sync`] here. A test is a closure for
//! [`holds`]; the naive twin of the code under test must fail in `breaks`, or the test proves nothing.
//!
//! `cargo xtask loom` runs all of them and prints a table.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

mod model;

#[cfg(synod_loom)]
pub use model::breaks;
pub use model::{Bound, holds};

/// The locks and threads that an interleaving is made of.
pub mod sync {
    #[cfg(synod_loom)]
    pub use loom::{
        sync::{Condvar, Mutex, MutexGuard, atomic},
        thread,
    };
    #[cfg(not(synod_loom))]
    pub use std::{
        sync::{Condvar, Mutex, MutexGuard, atomic},
        thread,
    };
}

/// Starts a thread.
pub fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Thread<T> {
    Thread(sync::thread::spawn(run))
}

/// A thread to be waited for.
#[derive(Debug)]
#[must_use = "a thread that nobody waits for may outlive its test"]
pub struct Thread<T>(sync::thread::JoinHandle<T>);

impl<T> Thread<T> {
    /// Waits for its end, and fails as it failed.
    pub fn join(self) -> T {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// What a waker rings and a thread waits for.
#[derive(Debug, Default)]
pub struct Bell {
    rung: sync::Mutex<bool>,
    changed: sync::Condvar,
}

impl Bell {
    /// A bell that has not been rung.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { rung: sync::Mutex::new(false), changed: sync::Condvar::new() })
    }

    /// Returns once it was rung since the last time, without which the test never ends.
    pub fn wait(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while !*rung {
            rung = self.changed.wait(rung).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

/// Polls until ready, and again only after its waker was woken.
pub fn wait_until<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        match poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => bell.wait(),
        }
    }
}

/// Runs a future on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    wait_until(|cx| future.as_mut().poll(cx))
}
