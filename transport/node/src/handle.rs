//! What callers hold: proposals, reads, status and the stop.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::error::{ProposeError, ReadError};
use crate::options::{COST_BYTES, Options};
use crate::status::Status;
use crate::sync::{Semaphore, mpsc, oneshot};
use crate::waiting::Proposals;

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// Sees every write that was acknowledged anywhere before the read began. Costs a round to a quorum, shared by all
    /// reads that wait at the time.
    Linearizable,
    /// Sees whatever is applied here. May be old; a node cut off from the others may answer with something very old.
    Stale,
}

/// A proposal on its way to the driver.
pub(crate) struct Proposal {
    pub(crate) command: Bytes,
    pub(crate) reply: Reply,
}

/// Where the answer to a proposal goes, and how much of the window it gives back.
pub(crate) struct Reply {
    pub(crate) to: oneshot::Sender<Result<Bytes, ProposeError>>,
    pub(crate) cost: usize,
}

/// What a read does with the service, or with the reason why it cannot.
pub(crate) type ReadFn<V> = Box<dyn FnOnce(Result<&V, ReadError>) + Send>;

/// A read on its way to the driver.
pub(crate) struct Reading<V> {
    pub(crate) consistency: Consistency,
    pub(crate) run: ReadFn<V>,
}

/// Closes the window when the driver goes, however it goes, so that nobody waits at it for ever.
pub(crate) struct Window(pub(crate) Arc<Semaphore>);

impl Drop for Window {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The driver's ends of a handle's channels.
pub(crate) struct Ends<V> {
    pub(crate) proposals: mpsc::Receiver<Proposal>,
    pub(crate) reads: mpsc::Receiver<Reading<V>>,
    pub(crate) stop: mpsc::Receiver<()>,
    pub(crate) window: Window,
    pub(crate) status: watch::Sender<Status>,
}

impl<V> Ends<V> {
    /// Lets nobody in any more.
    pub(crate) fn close(&mut self) {
        self.window.0.close();
        self.proposals.close();
        self.reads.close();
    }

    /// Answers those who were let in before the close: whoever has a place in a channel puts something there yet, and
    /// the end of the channel comes behind them.
    pub(crate) async fn answer_the_rest(&mut self, proposals: &mut Proposals) {
        while let Some(proposal) = self.proposals.recv().await {
            proposals.stop(proposal.reply);
        }
        while let Some(reading) = self.reads.recv().await {
            (reading.run)(Err(ReadError::Stopped));
        }
    }
}

/// A caller's side of a node. Cheap to clone; when the last one is dropped, the node stops.
pub struct Handle<V> {
    proposals: mpsc::Sender<Proposal>,
    reads: mpsc::Sender<Reading<V>>,
    stop: mpsc::Sender<()>,
    window: Arc<Semaphore>,
    status: watch::Receiver<Status>,
    max_command: usize,
}

impl<V> Clone for Handle<V> {
    fn clone(&self) -> Self {
        Self {
            proposals: self.proposals.clone(),
            reads: self.reads.clone(),
            stop: self.stop.clone(),
            window: Arc::clone(&self.window),
            status: self.status.clone(),
            max_command: self.max_command,
        }
    }
}

impl<V> core::fmt::Debug for Handle<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Handle").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}

impl<V> Handle<V> {
    pub(crate) fn new(options: &Options, status: Status) -> (Self, Ends<V>) {
        let (proposals, proposals_end) = mpsc::channel(options.queue);
        let (reads, reads_end) = mpsc::channel(options.queue);
        let (stop, stop_end) = mpsc::channel(1);
        let (status_end, status) = watch::channel(status);
        let window = Arc::new(Semaphore::new(options.max_bytes_in_flight));
        let ends = Ends {
            proposals: proposals_end,
            reads: reads_end,
            stop: stop_end,
            window: Window(Arc::clone(&window)),
            status: status_end,
        };
        (Self { proposals, reads, stop, window, status, max_command: options.max_command() }, ends)
    }

    /// Offers a command and gives the service's reply once it is applied on this node. Waits while the window is full.
    ///
    /// Dropping the future before the node took the command withdraws it; after that the command goes its way and the
    /// reply is lost.
    ///
    /// # Errors
    /// See [`ProposeError`]; all but [`ProposeError::Unknown`] mean that nothing happened.
    pub async fn propose(&self, command: Bytes) -> Result<Bytes, ProposeError> {
        let len = command.len();
        if len > self.max_command {
            return Err(ProposeError::TooLarge { len, limit: self.max_command });
        }
        let cost = len + COST_BYTES;
        let permits = u32::try_from(cost).unwrap_or(u32::MAX);
        let Ok(room) = self.window.acquire_many(permits).await else { return Err(ProposeError::Stopped) };
        let Ok(place) = self.proposals.reserve().await else { return Err(ProposeError::Stopped) };
        let (to, answer) = oneshot::channel();
        place.send(Proposal { command, reply: Reply { to, cost } });
        // The driver gives it back with the answer.
        room.forget();
        self.answer(answer).await.unwrap_or(Err(ProposeError::Unknown))
    }

    /// Runs a closure over the service, inside the driver and between two applied entries: keep it short.
    ///
    /// # Errors
    /// See [`ReadError`]. A stale read only fails when the node has stopped.
    pub async fn read<R: Send + 'static>(
        &self,
        consistency: Consistency,
        f: impl FnOnce(&V) -> R + Send + 'static,
    ) -> Result<R, ReadError> {
        let (to, answer) = oneshot::channel();
        let run = Box::new(move |service: Result<&V, ReadError>| {
            if !to.is_closed() {
                // A caller that has gone meanwhile needs no answer.
                let _ = to.send(service.map(f));
            }
        });
        let sent = self.reads.send(Reading { consistency, run }).await;
        if sent.is_err() {
            return Err(ReadError::Stopped);
        }
        self.answer(answer).await.unwrap_or(Err(ReadError::Stopped))
    }

    /// The answer, or nothing when there will be none. A message may reach its channel after the driver was dropped;
    /// it then lies there with the sender of its answer, for as long as there are handles.
    async fn answer<T>(&self, mut answer: oneshot::Receiver<T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = &mut answer => answer.ok(),
            () = self.stop.closed() => answer.try_recv().ok(),
        }
    }

    /// The node as of its last round.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Follows the status. Rounds may be skipped, the newest never is.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stops the node and waits until it has ended: every call that waits has its answer then. Needs the driver to be
    /// running, or to be dropped.
    pub async fn stop(&self) {
        // Full: someone asked already. Closed: it has ended.
        let _ = self.stop.try_send(());
        self.stop.closed().await;
    }
}

#[cfg(test)]
mod threads;

#[cfg(all(test, not(synod_loom)))]
mod tests {
    use core::future::Future;
    use core::pin::{Pin, pin};
    use core::task::{Context, Poll, Waker};

    use synod_transport::ids::{LogIndex, NodeId};

    use super::*;

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The channel keeps what comes after its receiver has gone: the caller had a place already.
    #[test]
    fn whoever_speaks_to_a_driver_that_was_dropped_has_an_end() {
        let status = Status::new(NodeId::default(), LogIndex::default());
        let (handle, ends) = Handle::<()>::new(&Options::default(), status);
        let (to, answer) = oneshot::channel();
        let Poll::Ready(Ok(place)) = poll(pin!(handle.proposals.reserve())) else {
            panic!("there is no place in an empty channel");
        };
        let mut answer = pin!(handle.answer(answer));
        assert!(poll(answer.as_mut()).is_pending(), "nobody has answered");
        drop(ends);
        place.send(Proposal { command: Bytes::new(), reply: Reply { to, cost: 0 } });
        assert_eq!(poll(answer), Poll::Ready(None));
    }
}
