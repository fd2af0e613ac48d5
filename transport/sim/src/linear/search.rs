//! The search for an order of moments, for one key.
//!
//! A configuration is which operations were placed and the value that they left. Four observations keep the number of
//! configurations small; none of them changes the verdict:
//!
//! 1. An answer that fits the value at hand is placed at once: it changes nothing and could only be spoiled later.
//! 2. A value of which nobody speaks after its write may be any such value: they are one, [`State::OTHER`]. Where no
//!    answer says "something else", a write of it is placed right before another write, where nobody can notice.
//! 3. An open operation may never have happened, so it is placed only right before something that sees its effect.
//!    Open operations with the same effect are a class, of which only the number used so far matters: the one that was
//!    called first is used first.
//! 4. Of two configurations that differ only in the open operations used, the one that used fewer in every class can do
//!    whatever the other can. So a configuration is visited only when no such better one was.
//!
//! The worst case stays exponential (the problem is NP-complete: Gibbons, Korach 1997), so the search has a budget.

use std::collections::{BTreeMap, BTreeSet};

use synod_transport::rng::Rng;

/// A value as a number; zero when the key is absent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct State(pub(super) u32);

impl State {
    pub(super) const ABSENT: Self = Self(0);
    /// Any value that no later operation speaks of.
    pub(super) const OTHER: Self = Self(u32::MAX);
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

    /// Whether it may change the value.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Set(_) | Self::Swap { .. })
    }

    /// The value that it says was, or was not, there.
    pub(super) fn speaks_of(self) -> Option<State> {
        match self {
            Self::Read(value) | Self::Differs(value) | Self::Swap { expect: value, .. } => Some(value),
            Self::Set(_) | Self::Nothing => None,
        }
    }

    /// The value that it leaves, if it writes.
    pub(super) fn leaves(self) -> Option<State> {
        match self {
            Self::Set(new) | Self::Swap { new, .. } => Some(new),
            _ => None,
        }
    }

    fn leaving(self, new: State) -> Self {
        match self {
            Self::Set(_) => Self::Set(new),
            Self::Swap { expect, .. } => Self::Swap { expect, new },
            same => same,
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

impl Call {
    /// Until when it can happen.
    fn until(&self) -> u64 {
        self.complete.unwrap_or(u64::MAX).max(self.invoke)
    }
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Some order explains every answer.
    Order,
    /// None does: in none are all returns through this moment explained.
    NoOrder {
        /// The moment.
        reached: u64,
    },
    /// The budget ran out first.
    GaveUp,
}

/// A place in the list of calls and returns.
#[derive(Clone, Copy)]
struct Place {
    next: u32,
    previous: u32,
    call: u32,
    /// For a call: where its return stands.
    partner: u32,
    is_return: bool,
}

/// Open operations with the same effect.
struct Class {
    effect: Observed,
    /// When each was called, in order.
    invokes: Vec<u64>,
    /// How many of them were placed.
    used: u32,
}

#[derive(Clone, Copy)]
enum Choice {
    /// The call at this place.
    Known(u32),
    /// The first unused operation of this class.
    Open(u32),
}

/// The value, and whether an open operation was placed last that nothing saw yet.
#[derive(Clone, Copy)]
struct Here {
    state: State,
    unseen: bool,
}

/// A configuration that was visited, and what may be tried from it.
struct Frame {
    here: Here,
    /// Length of the trail there.
    mark: usize,
    /// The best is the last.
    choices: Vec<Choice>,
}

/// Classes of which some were used, how many of each, and whether the last of them was not seen yet.
type Used = (Box<[(u32, u32)]>, bool);

/// For what was placed of the known operations, and a value: the open operations used that no other visit beats.
type Visited = BTreeMap<(u128, State), Vec<Used>>;

/// The calls and returns of one key in order of time, as a list from which what was placed is lifted.
pub(super) struct Problem {
    /// The known ones.
    calls: Vec<Call>,
    classes: Vec<Class>,
    /// The first is the head of the ring.
    places: Vec<Place>,
    marks: Vec<u128>,
    /// What was placed, as the sum of its marks, and in order.
    placed: u128,
    trail: Vec<Choice>,
    returns_left: usize,
    /// How many answers say "something else", and how many of them are left.
    differs: u32,
    differs_left: u32,
    /// How many operations that are left speak of each value.
    spoken_left: Vec<u32>,
}

impl Problem {
    /// Operations that say nothing and change nothing are left out.
    pub(super) fn new(calls: impl Iterator<Item = Call>) -> Self {
        let mut calls: Vec<Call> = calls.filter(|call| call.observed != Observed::Nothing).collect();
        merge_unspoken(&mut calls);
        let (differs, spoken_left) = count(&calls);
        let classes = classes(&calls);
        calls.retain(|call| call.complete.is_some());
        let mut moments = Vec::with_capacity(calls.len() * 2);
        for (at, call) in (0u32..).zip(&calls) {
            moments.push((call.invoke, false, at));
            moments.push((call.until(), true, at));
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
        let returns_left = calls.len();
        Self {
            calls,
            classes,
            places,
            marks,
            placed: 0,
            trail: Vec::new(),
            returns_left,
            differs,
            differs_left: differs,
            spoken_left,
        }
    }

    /// Looks for an order from this value on. Every configuration visited takes one from the budget.
    pub(super) fn solve(mut self, from: State, budget: &mut u64) -> Found {
        let mut visited = Visited::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut here = Here { state: from, unseen: false };
        let mut reached = 0;
        loop {
            let bound = self.place_answers(&mut here);
            if self.returns_left == 0 {
                return Found::Order;
            }
            reached = bound.max(reached);
            if self.visit(here, &mut visited) {
                if *budget == 0 {
                    return Found::GaveUp;
                }
                *budget -= 1;
                frames.push(Frame { here, mark: self.trail.len(), choices: self.choices(here) });
            }
            here = loop {
                let Some(frame) = frames.last_mut() else { return Found::NoOrder { reached } };
                self.take_back(frame.mark);
                if let Some(choice) = frame.choices.pop() {
                    break self.place(choice, frame.here);
                }
                frames.pop();
            };
        }
    }

    /// Places every answer that fits the value and can happen now. Gives the moment of the first return left.
    fn place_answers(&mut self, here: &mut Here) -> u64 {
        let mut at = self.next(0);
        while let Some(place) = self.standing(at) {
            let Some(call) = self.calls.get(place.call as usize) else { return u64::MAX };
            if call.observed.writes() || call.observed.at(here.state).is_none() {
                at = place.next;
                continue;
            }
            here.unseen = false;
            self.lift(at);
            at = self.behind_lifted(place);
        }
        self.returning(at).map_or(u64::MAX, Call::until)
    }

    /// The call of which the return stands at this place.
    fn returning(&self, at: u32) -> Option<&Call> {
        let place = self.places.get(at as usize).filter(|place| place.is_return)?;
        self.calls.get(place.call as usize)
    }

    /// Whether this configuration is new, and no better one was visited.
    fn visit(&self, here: Here, visited: &mut Visited) -> bool {
        // What nobody left can notice need not be told apart.
        let matters = |class: &Class| {
            let left = class.effect.leaves().and_then(|new| self.spoken_left.get(new.0 as usize));
            class.used > 0 && (self.differs_left > 0 || left.is_some_and(|left| *left > 0))
        };
        let used = (0u32..).zip(&self.classes).filter(|(_, class)| matters(class));
        let new: Used = (used.map(|(at, class)| (at, class.used)).collect(), here.unseen);
        let known = visited.entry((self.placed, here.state)).or_default();
        if known.iter().any(|old| beats(old, &new)) {
            return false;
        }
        known.retain(|old| !beats(&new, old));
        known.push(new);
        true
    }

    /// What may be placed next and changes the value, the best last: what leaves the value that the first return needs,
    /// then what returns first; open operations when nothing else helps.
    fn choices(&self, here: Here) -> Vec<Choice> {
        let mut reachable = Vec::new();
        let mut at = self.next(0);
        let mut hidden = false;
        while let Some(place) = self.standing(at) {
            if let Some(call) = self.calls.get(place.call as usize) {
                let allowed = match call.observed {
                    Observed::Set(new) => {
                        // All writes that nobody can notice are one choice, the worst.
                        let again = self.is_hidden(new) && core::mem::replace(&mut hidden, true);
                        !here.unseen && !again
                    }
                    Observed::Swap { expect, .. } => expect == here.state,
                    _ => false,
                };
                if allowed {
                    reachable.push((call.observed, place.partner, Choice::Known(at)));
                }
            }
            at = place.next;
        }
        let first = self.returning(at);
        let bound = first.map_or(u64::MAX, Call::until);
        let wanted = first.and_then(|call| match call.observed {
            Observed::Differs(_) => None,
            observed => observed.speaks_of(),
        });
        for (at, class) in (0u32..).zip(&self.classes) {
            let free = class.invokes.get(class.used as usize).is_some_and(|invoke| *invoke <= bound);
            let blind = here.unseen && matches!(class.effect, Observed::Set(_));
            let changes = class.effect.at(here.state).is_some_and(|after| after != here.state);
            if free && !blind && changes {
                reachable.push((class.effect, u32::MAX, Choice::Open(at)));
            }
        }
        let cost = |(observed, returns, _): &(Observed, u32, Choice)| {
            let new = observed.leaves().unwrap_or(State::OTHER);
            (self.is_hidden(new), wanted != Some(new), *returns)
        };
        reachable.sort_by_key(|it| core::cmp::Reverse(cost(it)));
        reachable.into_iter().map(|(_, _, choice)| choice).collect()
    }

    /// Whether nobody can notice a write of this value that another write follows.
    fn is_hidden(&self, new: State) -> bool {
        new == State::OTHER && self.differs == 0
    }

    /// Places it, and before a write that does not look at the value all writes that it hides.
    fn place(&mut self, choice: Choice, before: Here) -> Here {
        let effect = match choice {
            Choice::Known(at) => {
                let call = self.places.get(at as usize).map_or(0, |place| place.call);
                self.calls.get(call as usize).map(|call| call.observed)
            }
            Choice::Open(at) => self.classes.get(at as usize).map(|class| class.effect),
        };
        let effect = effect.unwrap_or(Observed::Nothing);
        if matches!(effect, Observed::Set(_)) && self.differs == 0 {
            // While this one's own return still bounds what can come before it.
            self.place_hidden();
        }
        match choice {
            Choice::Known(_) if matches!(effect, Observed::Set(new) if self.is_hidden(new)) => {}
            Choice::Known(at) => self.lift(at),
            Choice::Open(at) => {
                if let Some(class) = self.classes.get_mut(at as usize) {
                    class.used += 1;
                    self.trail.push(choice);
                }
            }
        }
        let state = effect.at(before.state).unwrap_or(before.state);
        Here { state, unseen: matches!(choice, Choice::Open(_)) }
    }

    fn place_hidden(&mut self) {
        let mut at = self.next(0);
        while let Some(place) = self.standing(at) {
            let observed = self.calls.get(place.call as usize).map(|call| call.observed);
            if observed == Some(Observed::Set(State::OTHER)) {
                self.lift(at);
                at = self.behind_lifted(place);
            } else {
                at = place.next;
            }
        }
    }

    /// Undoes placements until the trail is this long.
    fn take_back(&mut self, mark: usize) {
        while self.trail.len() > mark {
            match self.trail.pop() {
                Some(Choice::Known(at)) => self.put_back(at),
                Some(Choice::Open(at)) => {
                    if let Some(class) = self.classes.get_mut(at as usize) {
                        class.used -= 1;
                    }
                }
                None => return,
            }
        }
    }

    /// The call at this place, if it can happen now: it stands before the first return.
    fn standing(&self, at: u32) -> Option<Place> {
        self.places.get(at as usize).copied().filter(|place| at != 0 && !place.is_return)
    }

    fn next(&self, at: u32) -> u32 {
        self.places.get(at as usize).map_or(0, |place| place.next)
    }

    /// What stands behind a call that was just lifted together with its return.
    fn behind_lifted(&self, place: Place) -> u32 {
        if place.next == place.partner { self.next(place.partner) } else { place.next }
    }

    fn lift(&mut self, at: u32) {
        let Some(place) = self.places.get(at as usize).copied() else { return };
        self.note_left(place.call, false);
        self.unlink(at);
        self.unlink(place.partner);
        self.returns_left -= 1;
        self.placed ^= self.marks.get(place.call as usize).copied().unwrap_or_default();
        self.trail.push(Choice::Known(at));
    }

    /// The inverse of the latest [`Problem::lift`].
    fn put_back(&mut self, at: u32) {
        let Some(place) = self.places.get(at as usize).copied() else { return };
        self.note_left(place.call, true);
        self.placed ^= self.marks.get(place.call as usize).copied().unwrap_or_default();
        self.returns_left += 1;
        self.link(place.partner);
        self.link(at);
    }

    /// An operation is left to be placed, or no longer.
    fn note_left(&mut self, call: u32, left: bool) {
        let Some(call) = self.calls.get(call as usize) else { return };
        let spoken = call.observed.speaks_of().and_then(|value| self.spoken_left.get_mut(value.0 as usize));
        let differs = matches!(call.observed, Observed::Differs(_)).then_some(&mut self.differs_left);
        for count in [spoken, differs].into_iter().flatten() {
            if left {
                *count += 1;
            } else {
                *count -= 1;
            }
        }
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

/// Whether whoever used these can do all that whoever used those can.
fn beats(these: &Used, those: &Used) -> bool {
    let at_most = |(class, used): &(u32, u32)| {
        those
            .0
            .binary_search_by_key(class, |(class, _)| *class)
            .is_ok_and(|at| those.0.get(at).is_some_and(|(_, other)| used <= other))
    };
    these.1 <= those.1 && these.0.len() <= those.0.len() && these.0.iter().all(at_most)
}

/// How many answers say "something else", and how many operations speak of each value.
fn count(calls: &[Call]) -> (u32, Vec<u32>) {
    let (mut differs, mut spoken) = (0, Vec::new());
    for call in calls {
        differs += u32::from(matches!(call.observed, Observed::Differs(_)));
        let Some(value) = call.observed.speaks_of().filter(|value| *value != State::OTHER) else { continue };
        let at = value.0 as usize;
        if spoken.len() <= at {
            spoken.resize(at + 1, 0);
        }
        if let Some(count) = spoken.get_mut(at) {
            *count += 1;
        }
    }
    (differs, spoken)
}

/// Gives [`State::OTHER`] to writes of values of which nothing speaks that can happen after them, and drops open ones
/// among these that no later "something else" could use.
fn merge_unspoken(calls: &mut Vec<Call>) {
    let differs = calls.iter().filter(|call| matches!(call.observed, Observed::Differs(_)));
    let last_differs = differs.map(Call::until).max();
    loop {
        let mut spoken: BTreeMap<State, u64> = BTreeMap::new();
        for call in calls.iter() {
            if let Some(value) = call.observed.speaks_of() {
                let until = spoken.entry(value).or_insert(0);
                *until = call.until().max(*until);
            }
        }
        for call in calls.iter_mut() {
            let Some(new) = call.observed.leaves() else { continue };
            if spoken.get(&new).is_none_or(|until| *until < call.invoke) {
                call.observed = call.observed.leaving(State::OTHER);
            }
        }
        let before = calls.len();
        let useless = |call: &Call| {
            call.complete.is_none()
                && call.observed.leaves() == Some(State::OTHER)
                && last_differs.is_none_or(|last| last < call.invoke)
        };
        calls.retain(|call| !useless(call));
        if calls.len() == before {
            return;
        }
    }
}

/// The open calls by effect.
fn classes(calls: &[Call]) -> Vec<Class> {
    let mut classes: BTreeMap<Observed, Vec<u64>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.complete.is_none() && call.observed.writes()) {
        classes.entry(call.observed).or_default().push(call.invoke);
    }
    let class = |(effect, mut invokes): (Observed, Vec<u64>)| {
        invokes.sort_unstable();
        Class { effect, invokes, used: 0 }
    };
    classes.into_iter().map(class).collect()
}

/// The values from which a window without a beginning may start: those it speaks of, and one that stands for all others.
pub(super) fn beginnings<'a>(calls: impl Iterator<Item = &'a Call>) -> BTreeSet<State> {
    let spoken = calls.filter_map(|call| call.observed.speaks_of());
    [State::ABSENT, State::OTHER].into_iter().chain(spoken).collect()
}
