//! The commit queue under every interleaving, and naive queues that some interleaving breaks.

mod naive;

use std::sync::Arc;
use std::task::Poll;

use synod_interleave::sync::atomic::{AtomicU64, Ordering};
use synod_interleave::{Bound, holds, spawn, wait_until};
use synod_transport::store::StoreError;

use crate::commit::{Commit, Gathering};

/// A disk that knows no more than the newest batch that reached it. Its number is stored and loaded without any order
/// of its own: whoever is told that a batch is durable must see it through the queue's locks.
#[derive(Debug)]
pub(super) struct Device {
    reached: AtomicU64,
    /// Batches beyond this one fail.
    works_through: u64,
    panics: bool,
}

impl Device {
    pub(super) fn new(works_through: u64) -> Arc<Self> {
        Arc::new(Self { reached: AtomicU64::new(0), works_through, panics: false })
    }

    fn panicking() -> Arc<Self> {
        Arc::new(Self { reached: AtomicU64::new(0), works_through: 0, panics: true })
    }

    pub(super) fn write(&self, through: u64) -> Result<(), String> {
        if through > self.works_through {
            if self.panics {
                std::panic::panic_any("the disk is gone");
            }
            return Err("the disk is gone".to_owned());
        }
        self.reached.store(through, Ordering::Relaxed);
        Ok(())
    }

    fn assert_holds(&self, batch: u64) {
        assert!(self.reached.load(Ordering::Relaxed) >= batch, "a receipt comes before its sync");
    }
}

/// A queue of batches of one byte each.
pub(super) trait Queue: Send + Sync + 'static {
    fn submit(&self) -> Result<u64, StoreError>;
    fn sync(&self, upto: u64) -> Result<(), StoreError>;
    fn poll(&self, reported: u64, waker: &std::task::Waker) -> Result<Option<u64>, StoreError>;
    fn serve(&self);
    fn lent_thread_gone(&self);
    fn close(&self);
    fn join(&self) -> Result<(), StoreError>;
}

/// What gathers in the queue that runs: numbers.
struct Batches {
    device: Option<Arc<Device>>,
    count: u64,
    newest: u64,
}

impl Gathering for Batches {
    type Flight = (Arc<Device>, u64);

    fn take_off(&mut self) -> Option<Self::Flight> {
        if self.count == 0 {
            return None;
        }
        let device = self.device.take()?;
        self.count = 0;
        Some((device, self.newest))
    }

    fn fly((device, through): &mut Self::Flight) -> Result<(), String> {
        device.write(*through)
    }

    fn land(&mut self, (device, _): Self::Flight) {
        self.device = Some(device);
    }
}

impl Queue for Commit<Batches> {
    fn submit(&self) -> Result<u64, StoreError> {
        self.submit(|batches, number, room| {
            room?;
            batches.count += 1;
            batches.newest = number;
            Ok(1)
        })
    }
    fn sync(&self, upto: u64) -> Result<(), StoreError> {
        self.sync(upto)
    }
    fn poll(&self, reported: u64, waker: &std::task::Waker) -> Result<Option<u64>, StoreError> {
        self.poll(reported, waker)
    }
    fn serve(&self) {
        self.serve();
    }
    fn lent_thread_gone(&self) {
        self.lent_thread_gone();
    }
    fn close(&self) {
        self.close();
    }
    fn join(&self) -> Result<(), StoreError> {
        self.join()
    }
}

/// The queue that runs.
fn real(device: &Arc<Device>, window: usize) -> Commit<Batches> {
    Commit::new(Batches { device: Some(Arc::clone(device)), count: 0, newest: 0 }, window)
}

const WIDE: usize = 100;

/// Runs the work on this many threads, this one included.
fn on_threads<Q: Queue>(count: usize, queue: &Arc<Q>, work: impl Fn(&Q) + Send + Sync + 'static) {
    let work = Arc::new(work);
    let others: Vec<_> = (1..count)
        .map(|_| {
            let (queue, work) = (Arc::clone(queue), Arc::clone(&work));
            spawn(move || work(&queue))
        })
        .collect();
    work(queue);
    for other in others {
        other.join();
    }
}

/// Every thread gets a ticket of its own, and its sync ends once the device holds the batch, not before.
fn tickets_are_honest<Q: Queue>(threads: usize, each: u64, make: impl Fn(&Arc<Device>, usize) -> Q) {
    let device = Device::new(u64::MAX);
    let queue = Arc::new(make(&device, WIDE));
    let disk = Arc::clone(&device);
    let tickets = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let seen = Arc::clone(&tickets);
    on_threads(threads, &queue, move |queue| {
        for _ in 0..each {
            let ticket = queue.submit().unwrap();
            let before = seen.fetch_or(1 << ticket, std::sync::atomic::Ordering::SeqCst);
            assert_eq!(before & (1 << ticket), 0, "a ticket is given twice");
            queue.sync(ticket).unwrap();
            disk.assert_holds(ticket);
        }
    });
    device.assert_holds(threads as u64 * each);
}

/// A failure reaches everyone who waits, and whoever comes later.
fn failure_reaches_everyone<Q: Queue>(threads: usize, device: &Arc<Device>, queue: Q) {
    let queue = Arc::new(queue);
    let disk = Arc::clone(device);
    on_threads(threads, &queue, move |queue| match queue.submit() {
        Ok(ticket) => match queue.sync(ticket) {
            Ok(()) => disk.assert_holds(ticket),
            Err(error) => assert!(matches!(error, StoreError::Fatal(_)), "{error}"),
        },
        Err(error) => assert!(matches!(error, StoreError::Fatal(_)), "{error}"),
    });
    if device.works_through < threads as u64 {
        assert!(matches!(queue.submit(), Err(StoreError::Fatal(_))), "a failed log takes a batch");
        assert!(matches!(queue.poll(0, std::task::Waker::noop()), Err(StoreError::Fatal(_))));
    }
}

/// A driver that polls gets rising receipts until all is durable, then closes; the lent thread ends.
fn receipts_rise_and_close_ends_all<Q: Queue>(batches: u64, make: impl Fn(&Arc<Device>, usize) -> Q) {
    let device = Device::new(u64::MAX);
    let queue = Arc::new(make(&device, WIDE));
    let lent = Arc::clone(&queue);
    let thread = spawn(move || {
        lent.serve();
        lent.lent_thread_gone();
    });
    let mut reported = 0;
    for _ in 0..batches {
        queue.submit().unwrap();
    }
    while reported < batches {
        let receipt = wait_until(|cx| match queue.poll(reported, cx.waker()).unwrap() {
            Some(receipt) => Poll::Ready(receipt),
            None => Poll::Pending,
        });
        assert!(receipt > reported, "receipts do not rise");
        device.assert_holds(receipt);
        reported = receipt;
    }
    queue.close();
    queue.join().unwrap();
    thread.join();
}

/// What was submitted before a close is durable once the lent thread has ended.
fn close_leaves_nothing_behind<Q: Queue>(make: impl Fn(&Arc<Device>, usize) -> Q) {
    let device = Device::new(u64::MAX);
    let queue = Arc::new(make(&device, WIDE));
    let lent = Arc::clone(&queue);
    let thread = spawn(move || {
        lent.serve();
        lent.lent_thread_gone();
    });
    let ticket = queue.submit().unwrap();
    queue.close();
    queue.join().unwrap();
    device.assert_holds(ticket);
    thread.join();
}

/// When the lent thread goes without having run, whoever waits hears it.
fn a_thread_that_never_came_is_heard_of<Q: Queue>(make: impl Fn(&Arc<Device>, usize) -> Q) {
    let queue = Arc::new(make(&Device::new(u64::MAX), WIDE));
    let lent = Arc::clone(&queue);
    let thread = spawn(move || lent.lent_thread_gone());
    if queue.submit().is_ok() {
        let end = wait_until(|cx| match queue.poll(0, cx.waker()) {
            Ok(None) => Poll::Pending,
            Ok(Some(receipt)) => Poll::Ready(Ok(receipt)),
            Err(error) => Poll::Ready(Err(error)),
        });
        assert!(matches!(end, Err(StoreError::Fatal(_))), "{end:?}");
    }
    queue.join().unwrap_err();
    thread.join();
}

/// When one thread's sync fails, the thread that serves ends too.
fn failure_ends_the_lent_thread<Q: Queue>(make: impl Fn(&Arc<Device>, usize) -> Q) {
    let queue = Arc::new(make(&Device::new(0), WIDE));
    let lent = Arc::clone(&queue);
    let thread = spawn(move || lent.serve());
    if let Ok(ticket) = queue.submit() {
        queue.sync(ticket).unwrap_err();
    }
    thread.join();
}

/// No more waits than fits the window, whoever is first; a full window is said; a sync makes room.
fn the_window_is_never_passed<Q: Queue>(make: impl Fn(&Arc<Device>, usize) -> Q) {
    let device = Device::new(u64::MAX);
    let queue = Arc::new(make(&device, 1));
    let disk = Arc::clone(&device);
    on_threads(2, &queue, move |queue| match queue.submit() {
        Ok(ticket) => {
            let waiting = ticket - disk.reached.load(Ordering::Relaxed).min(ticket);
            assert!(waiting <= 1, "the window is passed");
            queue.sync(ticket).unwrap();
        }
        Err(error) => {
            assert_eq!(error, StoreError::Full);
            // The other one's batch is the first; once it is durable there is room.
            queue.sync(1).unwrap();
            let ticket = queue.submit().unwrap();
            queue.sync(ticket).unwrap();
        }
    });
    device.assert_holds(2);
}

#[test]
fn two_tickets_each() {
    holds("tickets are honest, 2 threads of 2", Bound::Preemptions(5), || tickets_are_honest(2, 2, real));
}

#[test]
fn one_ticket_each() {
    holds("tickets are honest, 2 threads", Bound::All, || tickets_are_honest(2, 1, real));
}

#[test]
fn three_wait_for_one_another() {
    holds("tickets are honest, 3 threads", Bound::Preemptions(4), || tickets_are_honest(3, 1, real));
}

#[test]
fn four_wait_for_one_another() {
    holds("tickets are honest, 4 threads", Bound::Preemptions(2), || tickets_are_honest(4, 1, real));
}

#[test]
fn a_failed_sync_reaches_everyone() {
    for works_through in [0, 1] {
        let name = format!("failure reaches all, from batch {}", works_through + 1);
        holds(&name, Bound::Preemptions(4), move || {
            let device = Device::new(works_through);
            failure_reaches_everyone(3, &device, real(&device, WIDE));
        });
    }
}

#[test]
fn a_panic_while_writing_reaches_everyone() {
    holds("a panic while writing reaches all", Bound::All, || {
        let device = Device::panicking();
        let queue = Arc::new(real(&device, WIDE));
        on_threads(2, &queue, |queue| {
            let Ok(ticket) = Queue::submit(queue) else { return };
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.sync(ticket)));
            assert!(!matches!(end, Ok(Ok(()))), "a receipt for what was not written");
        });
        assert!(matches!(Queue::submit(&*queue), Err(StoreError::Fatal(_))));
    });
}

#[test]
fn a_driver_gets_its_receipts() {
    for batches in [1, 2] {
        let name = format!("receipts rise, close ends all, {batches} batches");
        holds(&name, Bound::All, move || receipts_rise_and_close_ends_all(batches, real));
    }
}

#[test]
fn a_close_leaves_nothing_behind() {
    holds("close leaves nothing behind", Bound::All, || close_leaves_nothing_behind(real));
}

#[test]
fn a_lost_thread_is_heard_of() {
    holds("a lent thread that goes is heard of", Bound::All, || a_thread_that_never_came_is_heard_of(real));
}

#[test]
fn a_failed_sync_ends_the_lent_thread() {
    holds("failure ends the lent thread", Bound::All, || failure_ends_the_lent_thread(real));
}

#[test]
fn the_window_holds() {
    holds("the window is never passed", Bound::All, || the_window_is_never_passed(real));
}
