//! Tokio's channels, as far as a node uses them, with tokio's promises and no more: above all, what is sent through a
//! place that was taken before the receiver went lies in the channel as long as there are senders.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use loom::sync::{Mutex, MutexGuard};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waiting: &mut Vec<Waker>) {
    waiting.drain(..).for_each(Waker::wake);
}

/// Whether a search has failed and takes down what it built: loom's locks are gone then.
fn is_over() -> bool {
    std::thread::panicking()
}

/// Closed.
#[derive(Debug)]
pub(crate) struct Closed;

pub(crate) struct Semaphore(Mutex<Permits>);

struct Permits {
    free: usize,
    closed: bool,
    waiting: Vec<Waker>,
}

pub(crate) struct SemaphorePermit<'a>(&'a Semaphore, usize);

impl Semaphore {
    pub(crate) fn new(free: usize) -> Self {
        Self(Mutex::new(Permits { free, closed: false, waiting: Vec::new() }))
    }

    pub(crate) async fn acquire_many(&self, count: u32) -> Result<SemaphorePermit<'_>, Closed> {
        let count = count as usize;
        poll_fn(|cx| {
            let mut permits = lock(&self.0);
            if permits.closed {
                return Poll::Ready(Err(Closed));
            }
            if permits.free >= count {
                permits.free -= count;
                return Poll::Ready(Ok(SemaphorePermit(self, count)));
            }
            permits.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub(crate) fn add_permits(&self, count: usize) {
        let mut permits = lock(&self.0);
        permits.free += count;
        wake(&mut permits.waiting);
    }

    pub(crate) fn close(&self) {
        if is_over() {
            return;
        }
        let mut permits = lock(&self.0);
        permits.closed = true;
        wake(&mut permits.waiting);
    }

    #[cfg(test)]
    pub(crate) fn available_permits(&self) -> usize {
        lock(&self.0).free
    }
}

impl SemaphorePermit<'_> {
    pub(crate) fn forget(mut self) {
        self.1 = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        if self.1 > 0 && !is_over() {
            self.0.add_permits(self.1);
        }
    }
}

pub(crate) mod oneshot {
    use super::*;

    struct Slot<T> {
        value: Option<T>,
        sender_gone: bool,
        receiver_gone: bool,
        receiver: Option<Waker>,
    }

    pub(crate) struct Sender<T>(Arc<Mutex<Slot<T>>>);
    pub(crate) struct Receiver<T>(Arc<Mutex<Slot<T>>>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let slot = Slot { value: None, sender_gone: false, receiver_gone: false, receiver: None };
        let slot = Arc::new(Mutex::new(slot));
        (Sender(Arc::clone(&slot)), Receiver(slot))
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            let mut slot = lock(&self.0);
            if slot.receiver_gone {
                return Err(value);
            }
            slot.value = Some(value);
            Ok(())
        }

        pub(crate) fn is_closed(&self) -> bool {
            lock(&self.0).receiver_gone
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if is_over() {
                return;
            }
            let mut slot = lock(&self.0);
            slot.sender_gone = true;
            slot.receiver.take().into_iter().for_each(Waker::wake);
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn try_recv(&mut self) -> Result<T, Closed> {
            lock(&self.0).value.take().ok_or(Closed)
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, Closed>;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let mut slot = lock(&self.0);
            if let Some(value) = slot.value.take() {
                return Poll::Ready(Ok(value));
            }
            if slot.sender_gone {
                return Poll::Ready(Err(Closed));
            }
            slot.receiver = Some(cx.waker().clone());
            Poll::Pending
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            if !is_over() {
                lock(&self.0).receiver_gone = true;
            }
        }
    }
}

pub(crate) mod mpsc {
    use super::*;

    struct Queue<T> {
        waiting: VecDeque<T>,
        /// Places that senders took and have not used.
        taken: usize,
        most: usize,
        senders: usize,
        closed: bool,
        receiver: Option<Waker>,
        /// Senders that wait for a place or for the end.
        others: Vec<Waker>,
    }

    pub(crate) struct Sender<T>(Arc<Mutex<Queue<T>>>);
    pub(crate) struct Receiver<T>(Arc<Mutex<Queue<T>>>);
    pub(crate) struct Permit<'a, T>(&'a Mutex<Queue<T>>, bool);

    pub(crate) fn channel<T>(most: usize) -> (Sender<T>, Receiver<T>) {
        let (waiting, others) = (VecDeque::new(), Vec::new());
        let queue = Queue { waiting, taken: 0, most, senders: 1, closed: false, receiver: None, others };
        let queue = Arc::new(Mutex::new(queue));
        (Sender(Arc::clone(&queue)), Receiver(queue))
    }

    impl<T> Queue<T> {
        fn take_place(&mut self) -> Option<Result<(), Closed>> {
            if self.closed {
                return Some(Err(Closed));
            }
            let has_room = self.waiting.len() + self.taken < self.most;
            has_room.then(|| {
                self.taken += 1;
                Ok(())
            })
        }

        fn wake_receiver(&mut self) {
            self.receiver.take().into_iter().for_each(Waker::wake);
        }
    }

    impl<T> Sender<T> {
        pub(crate) async fn reserve(&self) -> Result<Permit<'_, T>, Closed> {
            poll_fn(|cx| {
                let mut queue = lock(&self.0);
                match queue.take_place() {
                    Some(place) => Poll::Ready(place.map(|()| Permit(&self.0, true))),
                    None => {
                        queue.others.push(cx.waker().clone());
                        Poll::Pending
                    }
                }
            })
            .await
        }

        pub(crate) async fn send(&self, value: T) -> Result<(), Closed> {
            self.reserve().await?.send(value);
            Ok(())
        }

        pub(crate) fn try_send(&self, value: T) -> Result<(), Closed> {
            let place = lock(&self.0).take_place().unwrap_or(Err(Closed));
            place.map(|()| Permit(&self.0, true).send(value))
        }

        pub(crate) async fn closed(&self) {
            poll_fn(|cx| {
                let mut queue = lock(&self.0);
                if queue.closed {
                    return Poll::Ready(());
                }
                queue.others.push(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            lock(&self.0).senders += 1;
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if is_over() {
                return;
            }
            let mut queue = lock(&self.0);
            queue.senders -= 1;
            if queue.senders == 0 {
                queue.wake_receiver();
            }
        }
    }

    impl<T> Permit<'_, T> {
        pub(crate) fn send(mut self, value: T) {
            self.1 = false;
            let mut queue = lock(self.0);
            queue.taken -= 1;
            queue.waiting.push_back(value);
            queue.wake_receiver();
        }
    }

    impl<T> Drop for Permit<'_, T> {
        fn drop(&mut self) {
            if self.1 && !is_over() {
                let mut queue = lock(self.0);
                queue.taken -= 1;
                wake(&mut queue.others);
                queue.wake_receiver();
            }
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
            let mut queue = lock(&self.0);
            if let Some(value) = queue.waiting.pop_front() {
                wake(&mut queue.others);
                return Poll::Ready(Some(value));
            }
            if queue.senders == 0 || (queue.closed && queue.taken == 0) {
                return Poll::Ready(None);
            }
            queue.receiver = Some(cx.waker().clone());
            Poll::Pending
        }

        pub(crate) fn poll_recv_many(
            &mut self,
            cx: &mut Context<'_>,
            out: &mut Vec<T>,
            most: usize,
        ) -> Poll<usize> {
            for taken in 0..most {
                match self.poll_recv(cx) {
                    Poll::Ready(Some(value)) => out.push(value),
                    Poll::Pending if taken == 0 => return Poll::Pending,
                    _ => return Poll::Ready(taken),
                }
            }
            Poll::Ready(most)
        }

        pub(crate) async fn recv(&mut self) -> Option<T> {
            poll_fn(|cx| self.poll_recv(cx)).await
        }

        pub(crate) fn close(&mut self) {
            let mut queue = lock(&self.0);
            queue.closed = true;
            wake(&mut queue.others);
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            if is_over() {
                return;
            }
            self.close();
            // One at a time: what comes in between, and after the last, stays.
            loop {
                let Some(value) = lock(&self.0).waiting.pop_front() else { return };
                drop(value);
            }
        }
    }
}
