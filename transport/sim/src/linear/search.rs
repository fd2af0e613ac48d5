//! The search for an order of moments, for one key.

use std::collections::{BTreeMap, BTreeSet};

use synod_transport::rng::Rng;

/// A value as a number; zero when the key is absent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct State(pub(super) u32);

impl State {
    pub(super) const ABSENT: Self = Self(0);
}

/// What an operation says about the moment at which it happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Observed {
    /// Nothing, and it changes nothing.
    Nothing,
    /// The value was this.
    Read(State),
    /// The value was something else.
    Differs(State),
    /// It set the value, whatever it was.
    Set(State),
    /// It found one value and set another.
    Swap { expect: State, new: State },
}

impl Observed {
    /// The value after it, when it can happen at this value.
    fn at(self, state: State) -> Option<State> {
        match self {
            Self::Nothing => Some(state),
            Self::Read(value) => (value == state).then_some(state),
            Self::Differs(value) => (value != state).then_some(state),
            Self::Set(value) => Some(value),
            Self::Swap { expect, new } => (expect == state).then_some(new),
        }
    }
}

/// One operation, without names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Call {
    pub(super) invoke: u64,
    /// `None`: open to the end, and perhaps it never happened.
    pub(super) complete: Option<u64>,
    pub(super) observed: Observed,
}

/// A place in the list of calls and returns.
#[derive(Clone, Copy)]
struct Place {
    next: u32,
    previous: u32,
    call: u32,
    /// For a call: where its return stands; zero for an open one.
    partner: u32,
    is_return: bool,
}

/// A choice that can be taken back.
struct Choice {
    place: u32,
    state: State,
    /// Whether an open operation was placed last, and nothing saw it yet.
    unseen: bool,
}

/// The calls and returns of one key in order of time, as a list from which what was placed is lifted.
pub(super) struct Problem {
    calls: Vec<Call>,
    /// The first is the head of the ring.
    places: Vec<Place>,
    marks: Vec<u128>,
    /// For an open call: the one before it that would have the same effect. It is placed first, so that calls that
    /// nobody can tell apart are not tried in every order.
    twins: Vec<Option<u32>>,
    lifted: Vec<bool>,
    returns_left: usize,
}

impl Problem {
    /// Operations that say nothing and change nothing are left out.
    pub(super) fn new(calls: impl Iterator<Item = Call>) -> Self {
        let calls: Vec<Call> = calls.filter(|call| call.observed != Observed::Nothing).collect();
        let mut moments = Vec::with_capacity(calls.len() * 2);
        let mut returns_left = 0;
        for (at, call) in (0u32..).zip(&calls) {
            moments.push((call.invoke, false, at));
            if let Some(complete) = call.complete {
                returns_left += 1;
                moments.push((complete.max(call.invoke), true, at));
            }
        }
        // At one moment calls come before returns: what touches is concurrent.
        moments.sort_unstable();
        let ring = u32::try_from(moments.len() + 1).unwrap_or(u32::MAX);
        let mut places = Vec::with_capacity(moments.len() + 1);
        places.push(Place { next: 1 % ring, previous: ring - 1, call: 0, partner: 0, is_return: false });
        let mut called = vec![0u32; calls.len()];
        for (at, (_, is_return, call)) in (1u32..).zip(moments) {
            places.push(Place { next: (at + 1) % ring, previous: at - 1, call, partner: 0, is_return });
            let Some(mine) = called.get_mut(call as usize) else { continue };
            if is_return {
                if let Some(place) = places.get_mut(*mine as usize) {
                    place.partner = at;
                }
            } else {
                *mine = at;
            }
        }
        let mut rng = Rng::new(0x11ea_4512_ab1e);
        let mut mark = || (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
        let marks = calls.iter().map(|_| mark()).collect();
        let twins = twins(&calls);
        let lifted = vec![false; calls.len()];
        Self { calls, places, marks, twins, lifted, returns_left }
    }

    /// Whether some order explains every answer, from this value on.
    pub(super) fn solve(&mut self, from: State) -> bool {
        let mut visited: BTreeSet<(u128, State, bool)> = BTreeSet::new();
        let mut choices: Vec<Choice> = Vec::new();
        let (mut state, mut placed, mut unseen) = (from, 0u128, false);
        let mut at = self.next(0);
        while self.returns_left > 0 {
            let Some(place) = self.places.get(at as usize).copied() else { return false };
            if at != 0 && !place.is_return {
                if let Some((after, open)) = self.step(&place, state, unseen) {
                    let mark = self.marks.get(place.call as usize).copied().unwrap_or_default();
                    if visited.insert((placed ^ mark, after, open)) {
                        choices.push(Choice { place: at, state, unseen });
                        (state, placed, unseen) = (after, placed ^ mark, open);
                        self.lift(at);
                        at = self.next(0);
                        continue;
                    }
                }
                at = place.next;
                continue;
            }
            // A return that nothing placed before it explains: take the last choice back.
            let Some(choice) = choices.pop() else { return false };
            self.put_back(choice.place);
            let call = self.places.get(choice.place as usize).map_or(0, |place| place.call);
            placed ^= self.marks.get(call as usize).copied().unwrap_or_default();
            (state, unseen) = (choice.state, choice.unseen);
            at = self.next(choice.place);
        }
        true
    }

    /// The value after this operation, and whether it is open and unseen. An open operation is placed only where it
    /// changes the value, and is followed by one that can tell: elsewhere it may as well never have happened.
    fn step(&self, place: &Place, state: State, unseen: bool) -> Option<(State, bool)> {
        let call = self.calls.get(place.call as usize)?;
        if unseen && matches!(call.observed, Observed::Set(_)) {
            return None;
        }
        let after = call.observed.at(state)?;
        let open = call.complete.is_none();
        let twin = self.twins.get(place.call as usize).copied().flatten();
        let first = twin.is_none_or(|twin| self.lifted.get(twin as usize) == Some(&true));
        if open && (after == state || !first) { None } else { Some((after, open)) }
    }

    fn next(&self, at: u32) -> u32 {
        self.places.get(at as usize).map_or(0, |place| place.next)
    }

    fn lift(&mut self, at: u32) {
        self.mark_lifted(at, true);
        self.unlink(at);
        if let Some(partner) = self.partner(at) {
            self.unlink(partner);
            self.returns_left -= 1;
        }
    }

    /// The inverse of the latest [`Problem::lift`].
    fn put_back(&mut self, at: u32) {
        if let Some(partner) = self.partner(at) {
            self.link(partner);
            self.returns_left += 1;
        }
        self.link(at);
        self.mark_lifted(at, false);
    }

    fn mark_lifted(&mut self, at: u32, lifted: bool) {
        let call = self.places.get(at as usize).map_or(0, |place| place.call);
        if let Some(flag) = self.lifted.get_mut(call as usize) {
            *flag = lifted;
        }
    }

    fn partner(&self, at: u32) -> Option<u32> {
        self.places.get(at as usize).map(|place| place.partner).filter(|partner| *partner != 0)
    }

    fn unlink(&mut self, at: u32) {
        let Some(Place { next, previous, .. }) = self.places.get(at as usize).copied() else { return };
        if let Some(place) = self.places.get_mut(previous as usize) {
            place.next = next;
        }
        if let Some(place) = self.places.get_mut(next as usize) {
            place.previous = previous;
        }
    }

    fn link(&mut self, at: u32) {
        let Some(Place { next, previous, .. }) = self.places.get(at as usize).copied() else { return };
        if let Some(place) = self.places.get_mut(previous as usize) {
            place.next = at;
        }
        if let Some(place) = self.places.get_mut(next as usize) {
            place.previous = at;
        }
    }
}

/// For each open call the latest open one before it, by call, with the same effect.
fn twins(calls: &[Call]) -> Vec<Option<u32>> {
    let mut order: Vec<u32> = (0u32..).take(calls.len()).collect();
    order.sort_by_key(|at| calls.get(*at as usize).map(|call| call.invoke));
    let mut latest: BTreeMap<Observed, u32> = BTreeMap::new();
    let mut twins = vec![None; calls.len()];
    for at in order {
        let Some(call) = calls.get(at as usize).filter(|call| call.complete.is_none()) else { continue };
        if let Some(twin) = twins.get_mut(at as usize) {
            *twin = latest.insert(call.observed, at);
        }
    }
    twins
}
