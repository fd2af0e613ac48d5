//! What to explore, and what must hold there.

use super::model::Model;
use super::report::{ExploreError, Progress, Report};
use super::search;

pub(super) type OfState<'m, S, R> = Box<dyn Fn(&S) -> R + Sync + 'm>;
pub(super) type OfStep<'m, S, A, R> = Box<dyn Fn(&S, &A, &S) -> R + Sync + 'm>;

type Show<'m> = Box<dyn Fn(&Progress) + Sync + 'm>;

/// What must hold.
pub(super) struct Property<'m, M: Model> {
    pub(super) name: String,
    pub(super) check: Check<'m, M::State, M::Action>,
}

/// What a property says.
pub(super) enum Check<'m, S, A> {
    Always(OfState<'m, S, Result<(), String>>),
    Step(OfStep<'m, S, A, Result<(), String>>),
    Reachable(OfState<'m, S, bool>),
    LeadsTo { from: OfState<'m, S, bool>, to: OfState<'m, S, bool> },
}

/// A set of actions that must not be put off for ever.
pub(super) struct Fair<'m, A> {
    pub(super) strong: bool,
    pub(super) of: Box<dyn Fn(&A) -> bool + Sync + 'm>,
}

/// Visits every state of a [`Model`], breadth first.
///
/// State what must hold, set limits, then [`run`](Self::run). The report is the same for any number of threads.
/// Without liveness a visited state costs some 26 bytes; with it 12 more, and 8 for each step. The states of two levels are
/// kept whole.
pub struct Explorer<'m, M: Model> {
    pub(super) model: &'m M,
    pub(super) threads: usize,
    pub(super) max_states: u64,
    pub(super) max_depth: u32,
    pub(super) symmetric: bool,
    pub(super) keep_going: bool,
    pub(super) properties: Vec<Property<'m, M>>,
    pub(super) fair: Vec<Fair<'m, M::Action>>,
    pub(super) on_state: Option<OfState<'m, M::State, ()>>,
    pub(super) on_edge: Option<OfStep<'m, M::State, M::Action, ()>>,
    pub(super) on_progress: Option<Show<'m>>,
}

impl<'m, M: Model> Explorer<'m, M> {
    /// One thread, no limits, no properties.
    pub fn new(model: &'m M) -> Self {
        Self {
            model,
            threads: 1,
            max_states: u64::MAX,
            max_depth: u32::MAX,
            symmetric: false,
            keep_going: false,
            properties: Vec::new(),
            fair: Vec::new(),
            on_state: None,
            on_edge: None,
            on_progress: None,
        }
    }

    /// How many threads step the model.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Stops when there are more states than this. Those found by then have all been checked.
    #[must_use]
    pub fn max_states(mut self, states: u64) -> Self {
        self.max_states = states;
        self
    }

    /// Follows no state that lies this many steps from the beginning, though it is checked.
    #[must_use]
    pub fn max_depth(mut self, steps: u32) -> Self {
        self.max_depth = steps;
        self
    }

    /// Visits only [representatives](Model::representative). For safety alone: liveness is then refused.
    #[must_use]
    pub fn symmetric(mut self) -> Self {
        self.symmetric = true;
        self
    }

    /// Visits everything even after a property was found broken, which otherwise ends the run.
    #[must_use]
    pub fn keep_going(mut self) -> Self {
        self.keep_going = true;
        self
    }

    /// Must hold in every state; the error says why it does not.
    #[must_use]
    pub fn always(
        self,
        name: impl Into<String>,
        check: impl Fn(&M::State) -> Result<(), String> + Sync + 'm,
    ) -> Self {
        self.with(name, Check::Always(Box::new(check)))
    }

    /// Must hold of every step: the state before, the action, the state after.
    #[must_use]
    pub fn step(
        self,
        name: impl Into<String>,
        check: impl Fn(&M::State, &M::Action, &M::State) -> Result<(), String> + Sync + 'm,
    ) -> Self {
        self.with(name, Check::Step(Box::new(check)))
    }

    /// Must happen somewhere: without it, what holds may hold because nothing happens.
    #[must_use]
    pub fn reachable(self, name: impl Into<String>, is: impl Fn(&M::State) -> bool + Sync + 'm) -> Self {
        self.with(name, Check::Reachable(Box::new(is)))
    }

    /// In every fair run, whenever `from` holds, `to` holds then or later: `from ~> to`.
    #[must_use]
    pub fn leads_to(
        self,
        name: impl Into<String>,
        from: impl Fn(&M::State) -> bool + Sync + 'm,
        to: impl Fn(&M::State) -> bool + Sync + 'm,
    ) -> Self {
        self.with(name, Check::LeadsTo { from: Box::new(from), to: Box::new(to) })
    }

    /// In every fair run, from any state on `to` holds again some time: `[]<> to`.
    #[must_use]
    pub fn always_eventually(
        self,
        name: impl Into<String>,
        to: impl Fn(&M::State) -> bool + Sync + 'm,
    ) -> Self {
        self.leads_to(name, |_| true, to)
    }

    /// Runs in which some action of this set stays possible from some point on, and none is ever taken, do not count:
    /// `WF(of)`. A step that changes nothing is no step here.
    #[must_use]
    pub fn weakly_fair(mut self, of: impl Fn(&M::Action) -> bool + Sync + 'm) -> Self {
        self.fair.push(Fair { strong: false, of: Box::new(of) });
        self
    }

    /// Runs in which some action of this set is possible again and again, and none is taken from some point on, do not
    /// count: `SF(of)`.
    #[must_use]
    pub fn strongly_fair(mut self, of: impl Fn(&M::Action) -> bool + Sync + 'm) -> Self {
        self.fair.push(Fair { strong: true, of: Box::new(of) });
        self
    }

    /// Is called once for every state, from any thread, in any order.
    #[must_use]
    pub fn on_state(mut self, visit: impl Fn(&M::State) + Sync + 'm) -> Self {
        self.on_state = Some(Box::new(visit));
        self
    }

    /// Is called once for every step from every state that is followed (a representative, under symmetry; the state
    /// after is given as the model gave it), from any thread, in any order.
    #[must_use]
    pub fn on_edge(mut self, visit: impl Fn(&M::State, &M::Action, &M::State) + Sync + 'm) -> Self {
        self.on_edge = Some(Box::new(visit));
        self
    }

    /// Is called after some thousand states each, from the calling thread.
    #[must_use]
    pub fn on_progress(mut self, show: impl Fn(&Progress) + Sync + 'm) -> Self {
        self.on_progress = Some(Box::new(show));
        self
    }

    /// Explores. O(states + steps) calls of the model; liveness adds O(states + steps) for each property, times the
    /// number of strongly fair sets at worst.
    ///
    /// # Errors
    /// When liveness is asked under symmetry, when too much is stated, and when the model is not pure.
    pub fn run(&self) -> Result<Report<M::State, M::Action>, ExploreError> {
        let live = self.properties.iter().filter(|it| matches!(it.check, Check::LeadsTo { .. })).count();
        if live > 0 && self.symmetric {
            return Err(ExploreError::SymmetricLiveness);
        }
        if live > 16 || self.fair.len() > 32 {
            return Err(ExploreError::TooMany);
        }
        search::run(self)
    }

    fn with(mut self, name: impl Into<String>, check: Check<'m, M::State, M::Action>) -> Self {
        self.properties.push(Property { name: name.into(), check });
        self
    }

    /// The state that is visited in place of this one.
    pub(super) fn stand_in(&self, state: M::State) -> M::State {
        if self.symmetric { self.model.representative(state) } else { state }
    }

    /// The fair sets that an action belongs to, a bit each.
    pub(super) fn fair_sets(&self, action: &M::Action) -> u32 {
        self.fair.iter().rev().fold(0, |bits, fair| (bits << 1) | u32::from((fair.of)(action)))
    }

    /// Which fair sets are weak, and which strong.
    pub(super) fn fairness(&self) -> (u32, u32) {
        self.fair.iter().rev().fold((0, 0), |(weak, strong), fair| {
            ((weak << 1) | u32::from(!fair.strong), (strong << 1) | u32::from(fair.strong))
        })
    }
}
