//! What must hold for any replicated log, whatever the protocol. One file each.

mod applied_in_order;
mod durability;
mod no_promise_before_sync;
mod read_freshness;
mod state_machine_safety;

use synod_transport::ids::{Incarnation, NodeId};
use synod_transport::log::Entry;
use synod_transport::machine::Machine;

pub use applied_in_order::AppliedInOrder;
pub use durability::Durability;
pub use no_promise_before_sync::NoPromiseBeforeSync;
pub use read_freshness::ReadFreshness;
pub use state_machine_safety::StateMachineSafety;

use crate::invariant::Invariant;
use crate::world::World;

/// One of each.
pub fn all<M: Machine>() -> Vec<Box<dyn Invariant<M>>> {
    vec![
        Box::new(AppliedInOrder::default()),
        Box::new(StateMachineSafety::default()),
        Box::new(Durability::default()),
        Box::new(ReadFreshness::default()),
        Box::new(NoPromiseBeforeSync),
    ]
}

/// How much of each node's applied log was looked at, so that every entry is looked at once per life.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    seen: Vec<(Incarnation, usize)>,
}

impl Cursor {
    /// What a node applied since the last call, and how many entries stand before it.
    pub(crate) fn fresh<'a, M: Machine>(
        &mut self,
        world: &'a World<M>,
        node: NodeId,
    ) -> (usize, &'a [Entry]) {
        let at = usize::try_from(node.get()).unwrap_or(0);
        if self.seen.len() <= at {
            self.seen.resize(at + 1, (Incarnation::ZERO, 0));
        }
        let (life, applied) = (world.life(node), world.applied(node));
        let Some(seen) = self.seen.get_mut(at) else { return (0, applied) };
        if seen.0 != life || seen.1 > applied.len() {
            *seen = (life, 0);
        }
        let before = seen.1;
        seen.1 = applied.len();
        (before, applied.get(before..).unwrap_or_default())
    }
}
