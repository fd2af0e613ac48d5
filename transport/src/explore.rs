//! What a machine offers to those who visit all its states: forgetting what decides nothing, and other names.
//!
//! An explorer meets the same situation on many ways. Two states are one to it when the machine would behave alike in
//! both, so a machine is asked to forget clocks, chance and running numbers ([`Explorable::forget`]); and a state that
//! differs from another only in the names of nodes need not be visited twice ([`Explorable::rename`]).

use core::fmt::Debug;
use core::hash::Hash;

use crate::ids::{NodeId, Term};
use crate::machine::{Fatal, Machine, Role};
use crate::quorum::{Members, NodeSet};
use crate::store::HardState;

/// A machine whose every state can be visited.
///
/// Whoever explores decides when time-outs happen, gives each step the time [`Instant::ZERO`](crate::time::Instant) unless
/// it says otherwise, and calls [`Explorable::forget`] after each step.
pub trait Explorable:
    Machine<Message: Ord + Hash + Send + Sync> + Clone + Eq + Hash + Debug + Send + Sync
{
    /// What makes this node campaign at once.
    fn campaign() -> Self::Command;

    /// What it is at present.
    fn role(&self) -> Role;

    /// The period it is in.
    fn term(&self) -> Term;

    /// What must hold of its own state.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    fn check(&self) -> Result<(), Fatal>;

    /// Forgets what decides nothing while time-outs come from outside: readings of clocks, the state of the random
    /// source, and the absolute numbers of writes, of which the newest durable one becomes zero. Forgetting twice is
    /// forgetting once.
    fn forget(&mut self);

    /// Gives every node another name, this one included.
    fn rename(&mut self, names: &Renaming);

    /// The same in a message. Most messages name no node.
    #[must_use]
    fn rename_message(message: Self::Message, _names: &Renaming) -> Self::Message {
        message
    }

    /// The same in what is stored; what cannot be read is left as it is.
    #[must_use]
    fn rename_stored(state: HardState, names: &Renaming) -> HardState;
}

/// What a message of `M` is.
pub type MessageOf<M> = <M as Machine>::Message;

/// A permutation of a cluster's members.
///
/// ```
/// use synod_transport::explore::Renaming;
/// use synod_transport::ids::NodeId;
/// use synod_transport::quorum::Members;
///
/// let members = Members::new([7, 8, 9].map(NodeId::new))?;
/// let all = Renaming::all(&members);
/// assert_eq!(all.len(), 6);
/// assert!(all[0].is_identity());
/// let there_and_back = all[4].inverse().node(all[4].node(NodeId::new(8)));
/// assert_eq!(there_and_back, NodeId::new(8));
/// # Ok::<(), synod_transport::quorum::QuorumError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renaming {
    members: Members,
    /// The new slot of each slot.
    slots: Vec<usize>,
}

impl Renaming {
    /// Every permutation of the members, the identity first. There are n! of them.
    pub fn all(members: &Members) -> Vec<Self> {
        let mut orders = vec![Vec::new()];
        for slot in 0..members.len() {
            orders = orders.iter().flat_map(|order| with_each_place(order, slot)).collect();
        }
        orders.sort_unstable();
        orders.into_iter().map(|slots| Self { members: members.clone(), slots }).collect()
    }

    /// Whether every name stays.
    pub fn is_identity(&self) -> bool {
        self.slots.iter().enumerate().all(|(from, to)| from == *to)
    }

    /// What undoes it.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut slots = vec![0; self.slots.len()];
        for (from, to) in self.slots.iter().enumerate() {
            if let Some(place) = slots.get_mut(*to) {
                *place = from;
            }
        }
        Self { members: self.members.clone(), slots }
    }

    /// The new slot of a slot; one that is no member's stays.
    pub fn slot(&self, slot: usize) -> usize {
        self.slots.get(slot).copied().unwrap_or(slot)
    }

    /// The new name of a node; a stranger keeps its own.
    #[must_use]
    pub fn node(&self, node: NodeId) -> NodeId {
        let new = self.members.slot(node).and_then(|slot| self.members.id(self.slot(slot)));
        new.unwrap_or(node)
    }

    /// The new names of a set's members.
    #[must_use]
    pub fn set(&self, set: NodeSet) -> NodeSet {
        set.slots().fold(NodeSet::EMPTY, |set, slot| set.with(self.slot(slot)))
    }

    /// Moves what stands in each member's slot to its new slot.
    pub fn by_slot<T: Clone>(&self, values: &mut [T]) {
        let before = values.to_vec();
        for (from, value) in before.into_iter().enumerate() {
            if let Some(place) = values.get_mut(self.slot(from)) {
                *place = value;
            }
        }
    }
}

fn with_each_place(order: &[usize], new: usize) -> Vec<Vec<usize>> {
    (0..=order.len())
        .map(|at| {
            let mut longer = order.to_vec();
            longer.insert(at, new);
            longer
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_slots_move_as_nodes_do() {
        let members = Members::new((1..=4).map(NodeId::new)).expect("valid");
        for names in Renaming::all(&members) {
            let mut values = members.ids().to_vec();
            names.by_slot(&mut values);
            for (slot, id) in members.ids().iter().enumerate() {
                assert_eq!(values.get(names.slot(slot)), Some(id));
                assert_eq!(members.slot(names.node(*id)), Some(names.slot(slot)));
                let one = NodeSet::EMPTY.with(slot);
                assert_eq!(names.set(one), NodeSet::EMPTY.with(names.slot(slot)));
                assert_eq!(names.inverse().set(names.set(one)), one);
            }
            assert_eq!(names.inverse().inverse(), names);
        }
    }
}
