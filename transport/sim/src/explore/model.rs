//! What can be explored.

use core::fmt::Debug;
use core::hash::Hash;

/// A world small enough to be visited whole.
///
/// All methods are pure: the same state gives the same steps, in the same order.
pub trait Model: Sync {
    /// Everything that decides what can happen next. Keep it small and free of history: two ways that lead to the same
    /// state meet there.
    type State: Clone + Eq + Hash + Debug + Send + Sync;
    /// What happened, for the reader of a counterexample.
    type Action: Clone + Eq + Hash + Debug + Send + Sync;

    /// Where the world may begin.
    fn initial(&self) -> Vec<Self::State>;

    /// Adds everything that can happen next, each with the state it leads to.
    fn steps(&self, state: &Self::State, out: &mut Vec<(Self::Action, Self::State)>);

    /// The one state that stands for all those that differ from this one only by names, such as node ids. The state
    /// itself when nothing is symmetric.
    fn representative(&self, state: Self::State) -> Self::State {
        state
    }
}
