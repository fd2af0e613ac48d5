//! Waiting for connections that other tasks make.

use std::sync::Arc;

use synod_interleave::{Bound, block_on, holds, spawn};
use synod_transport::ids::NodeId;
use synod_transport::net::Class;

use crate::error::ConnectionError;
use crate::status::Status;

const PEERS: [NodeId; 2] = [NodeId::new(1), NodeId::new(2)];

/// Waits, as [`Status::wait_for`] does or should do.
trait Wait: Copy + Send + Sync + 'static {
    fn wait(self, status: &Status, condition: impl FnMut() -> bool);
}

#[derive(Clone, Copy)]
struct Real;

impl Wait for Real {
    fn wait(self, status: &Status, condition: impl FnMut() -> bool) {
        block_on(status.wait_for(condition));
    }
}

/// Two tasks dial; whoever waits for both connections ends.
fn both_stand(wait: impl Wait) {
    let status = Arc::new(Status::new());
    let threads = PEERS.map(|peer| {
        let status = Arc::clone(&status);
        spawn(move || status.dialled(peer, Class::Data))
    });
    wait.wait(&status, || PEERS.iter().all(|peer| status.is_connected(*peer, Class::Data)));
    threads.into_iter().for_each(synod_interleave::Thread::join);
    assert_eq!(status.stats().dialled, 2, "a count is lost");
}

/// One connection goes while another comes; whoever waits for either change ends.
fn one_goes(wait: impl Wait) {
    let status = Arc::new(Status::new());
    status.dialled(PEERS[0], Class::Data);
    let other = Arc::clone(&status);
    let thread = spawn(move || {
        other.failed(PEERS[0], Class::Data, ConnectionError::Ended);
        other.accepted();
    });
    wait.wait(&status, || !status.is_connected(PEERS[0], Class::Data));
    assert_eq!(status.last_error(PEERS[0]), Some(ConnectionError::Ended), "gone, and nobody knows why");
    wait.wait(&status, || status.stats().accepted == 1);
    thread.join();
}

#[test]
fn whoever_waits_ends() {
    holds("status: two connections are awaited", Bound::Preemptions(3), || both_stand(Real));
    holds("status: a lost connection is awaited", Bound::All, || one_goes(Real));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;

    use super::*;
    use crate::sync::Notify;

    /// Asks first, and listens for changes then.
    #[derive(Clone, Copy)]
    struct ListensTooLate;

    impl Wait for ListensTooLate {
        fn wait(self, status: &Status, mut condition: impl FnMut() -> bool) {
            while !condition() {
                block_on(status.change());
            }
        }
    }

    /// Tells of a change, then makes it.
    #[test]
    fn news_before_the_fact() {
        breaks("TellsBeforeChanging", Bound::All, "deadlock", || {
            let shared = Arc::new((Notify::new(), synod_interleave::sync::atomic::AtomicBool::new(false)));
            let other = Arc::clone(&shared);
            let thread = spawn(move || {
                other.0.notify_waiters();
                other.1.store(true, std::sync::atomic::Ordering::SeqCst);
            });
            loop {
                let changed = shared.0.notified();
                if shared.1.load(std::sync::atomic::Ordering::SeqCst) {
                    break;
                }
                block_on(changed);
            }
            thread.join();
        });
    }

    #[test]
    fn listening_too_late() {
        breaks("ListensTooLate", Bound::Preemptions(3), "deadlock", || both_stand(ListensTooLate));
        breaks("ListensTooLate, one goes", Bound::All, "deadlock", || one_goes(ListensTooLate));
    }
}
