//! The locks of what threads share: the standard library's and tokio's, or those of loom under `--cfg synod_loom`.

#[cfg(synod_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(synod_loom)]
pub(crate) use notify::Notify;
#[cfg(not(synod_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(synod_loom))]
pub(crate) use tokio::sync::Notify;

/// Keeps tokio's promise, no more: who asked to be notified hears of every call that comes after.
#[cfg(synod_loom)]
mod notify {
    use core::future::Future;
    use core::pin::Pin;
    use core::task::{Context, Poll, Waker};

    use super::{Mutex, MutexGuard};

    pub(crate) struct Notify(Mutex<(u64, Vec<Waker>)>);

    pub(crate) struct Notified<'a>(&'a Notify, u64);

    impl Notify {
        pub(crate) fn new() -> Self {
            Self(Mutex::new((0, Vec::new())))
        }

        fn lock(&self) -> MutexGuard<'_, (u64, Vec<Waker>)> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        pub(crate) fn notified(&self) -> Notified<'_> {
            Notified(self, self.lock().0)
        }

        pub(crate) fn notify_waiters(&self) {
            let mut state = self.lock();
            state.0 += 1;
            state.1.drain(..).for_each(Waker::wake);
        }
    }

    impl Notified<'_> {
        pub(crate) fn enable(self: Pin<&mut Self>) -> bool {
            false
        }
    }

    impl Future for Notified<'_> {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = self.0.lock();
            if state.0 != self.1 {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        }
    }
}
