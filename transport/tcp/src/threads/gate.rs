//! What the acceptor's handshakes hand to the receiving side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use synod_interleave::sync::{Mutex, MutexGuard};
use synod_interleave::{Bound, holds, spawn, wait_until};
use synod_transport::ids::{Incarnation, NodeId};
use synod_transport::net::Class;

use crate::gate::{Arrival, Gate};

/// A connection without a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Call {
    peer: NodeId,
    life: u64,
}

fn call(peer: u64, life: u64) -> Call {
    Call { peer: NodeId::new(peer), life }
}

impl Arrival for Call {
    fn peer(&self) -> NodeId {
        self.peer
    }
    fn class(&self) -> Class {
        Class::Data
    }
    fn incarnation(&self) -> Incarnation {
        Incarnation::new(self.life)
    }
}

/// A gate, or what only looks like one.
trait Door: Send + Sync + 'static {
    fn let_in(&self, peer: NodeId);
    fn shut_out(&self, peer: NodeId);
    fn admit(&self, call: Call) -> bool;
    fn arrive(&self, call: Call);
    fn arrivals(&self) -> Vec<Call>;
    fn wait(&self, cx: &Context<'_>) -> bool;
}

impl Door for Gate<Call> {
    fn let_in(&self, peer: NodeId) {
        self.let_in(peer);
    }
    fn shut_out(&self, peer: NodeId) {
        self.shut_out(peer);
    }
    fn admit(&self, call: Call) -> bool {
        self.admit(call.peer, call.incarnation()).is_ok()
    }
    fn arrive(&self, call: Call) {
        self.arrive(call);
    }
    fn arrivals(&self) -> Vec<Call> {
        self.arrivals()
    }
    fn wait(&self, cx: &Context<'_>) -> bool {
        self.wait(cx)
    }
}

/// The gate that runs, open to peers 1 and 2.
fn open<D: Door>(door: D) -> Arc<D> {
    door.let_in(NodeId::new(1));
    door.let_in(NodeId::new(2));
    Arc::new(door)
}

/// What a handshake does, in its own task.
fn greet(door: &impl Door, call: Call) {
    if door.admit(call) {
        door.arrive(call);
    }
}

/// As the receiving side polls: takes what is there, or waits to be woken.
fn receive(door: &impl Door) -> Vec<Call> {
    wait_until(|cx| {
        let arrivals = door.arrivals();
        if !arrivals.is_empty() {
            return Poll::Ready(arrivals);
        }
        if door.wait(cx) {
            return Poll::Pending;
        }
        Poll::Ready(door.arrivals())
    })
}

/// Two peers come at once; the receiver hears of both.
fn everyone_is_heard_of(door: &Arc<impl Door>) {
    let threads = [1, 2].map(|peer| {
        let door = Arc::clone(door);
        spawn(move || greet(&*door, call(peer, 1)))
    });
    let mut came = Vec::new();
    while came.len() < 2 {
        came.extend(receive(&**door));
    }
    came.sort_by_key(|call| call.peer);
    assert_eq!(came, [call(1, 1), call(2, 1)], "a connection came twice");
    threads.into_iter().for_each(synod_interleave::Thread::join);
}

/// Two lives of one peer come at once, while the receiver looks: the newer one is what stays.
fn the_newer_life_stays(door: &Arc<impl Door>) {
    let threads = [1, 2].map(|life| {
        let door = Arc::clone(door);
        spawn(move || greet(&*door, call(1, life)))
    });
    let mut current: Option<Call> = None;
    let mut adopt = || {
        for new in door.arrivals() {
            current = current.filter(|earlier| !new.replaces(earlier)).or(Some(new));
        }
    };
    adopt();
    threads.into_iter().for_each(synod_interleave::Thread::join);
    adopt();
    assert_eq!(current, Some(call(1, 2)), "an older life replaced a newer one");
}

/// Nobody comes in once shut out.
fn shut_out_is_out(door: &Arc<impl Door>) {
    let other = Arc::clone(door);
    let thread = spawn(move || greet(&*other, call(1, 1)));
    door.shut_out(NodeId::new(1));
    let left = door.arrivals();
    thread.join();
    assert!(left.is_empty() && door.arrivals().is_empty(), "who was shut out came in");
}

#[test]
fn two_callers() {
    holds("gate: everyone is heard of", Bound::Preemptions(3), || everyone_is_heard_of(&open(Gate::new())));
}

#[test]
fn two_lives() {
    holds("gate: the newer life stays", Bound::All, || the_newer_life_stays(&open(Gate::new())));
}

#[test]
fn shut_out() {
    holds("gate: who is shut out is out", Bound::All, || shut_out_is_out(&open(Gate::new())));
}

#[test]
fn a_close_drops_arrivals_and_wakes() {
    holds("gate: a close is heard", Bound::All, || {
        let door = open(Gate::new());
        let bell = synod_interleave::Bell::new();
        assert!(door.wait(&Context::from_waker(&Waker::from(Arc::clone(&bell)))));
        let other = Arc::clone(&door);
        let thread = spawn(move || greet(&*other, call(1, 1)));
        door.close();
        bell.wait();
        thread.join();
        door.close();
        assert_eq!(door.arrivals(), []);
    });
}

/// What a naive gate does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(synod_loom), allow(dead_code))] // only interleavings show them
enum Flaw {
    None,
    /// Finds nothing, lets the lock go, and leaves its waker then.
    WakerAfterUnlock,
    /// Does not ask again whether a later life came meanwhile.
    AdmittedIsAdmitted,
    /// Asks, lets the lock go, and hands over then.
    AsksInTwoSteps,
}

/// A gate as one might write it first, with one flaw.
struct Naive {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    newest: BTreeMap<NodeId, u64>,
    arrivals: Vec<Call>,
    receiver: Option<Waker>,
}

fn naive(flaw: Flaw) -> Arc<Naive> {
    open(Naive { flaw, state: Mutex::new(State::default()) })
}

impl Naive {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Door for Naive {
    fn let_in(&self, peer: NodeId) {
        self.lock().newest.insert(peer, 0);
    }

    fn shut_out(&self, peer: NodeId) {
        let mut state = self.lock();
        state.newest.remove(&peer);
        state.arrivals.retain(|call| call.peer != peer);
    }

    fn admit(&self, call: Call) -> bool {
        let mut state = self.lock();
        let newest = state.newest.get_mut(&call.peer).filter(|newest| **newest <= call.life);
        newest.map(|newest| *newest = call.life).is_some()
    }

    fn arrive(&self, call: Call) {
        let mut state = self.lock();
        let newest = state.newest.get(&call.peer).copied();
        if newest != Some(call.life) && self.flaw != Flaw::AdmittedIsAdmitted {
            return;
        }
        if self.flaw == Flaw::AsksInTwoSteps {
            drop(state);
            state = self.lock();
        }
        state.arrivals.push(call);
        state.receiver.take().into_iter().for_each(Waker::wake);
    }

    fn arrivals(&self) -> Vec<Call> {
        std::mem::take(&mut self.lock().arrivals)
    }

    fn wait(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        if !state.arrivals.is_empty() {
            return false;
        }
        if self.flaw == Flaw::WakerAfterUnlock {
            drop(state);
            state = self.lock();
        }
        state.receiver = Some(cx.waker().clone());
        true
    }
}

#[test]
fn without_a_flaw_the_naive_gate_passes() {
    holds("control: gate", Bound::Preemptions(2), || everyone_is_heard_of(&naive(Flaw::None)));
    holds("control: lives", Bound::All, || the_newer_life_stays(&naive(Flaw::None)));
    holds("control: shut out", Bound::All, || shut_out_is_out(&naive(Flaw::None)));
}

#[cfg(synod_loom)]
mod twins {
    use synod_interleave::breaks;

    use super::*;

    #[test]
    fn a_receiver_that_sleeps_for_ever() {
        breaks("WakerAfterUnlock", Bound::Preemptions(3), "deadlock", || {
            everyone_is_heard_of(&naive(Flaw::WakerAfterUnlock));
        });
    }

    #[test]
    fn lives_that_come_back() {
        for flaw in [Flaw::AdmittedIsAdmitted, Flaw::AsksInTwoSteps] {
            breaks(&format!("{flaw:?}"), Bound::All, "an older life", move || {
                the_newer_life_stays(&naive(flaw));
            });
            breaks(&format!("{flaw:?}, shut out"), Bound::All, "who was shut out", move || {
                shut_out_is_out(&naive(flaw));
            });
        }
    }
}
