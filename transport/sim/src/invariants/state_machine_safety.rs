//! State Machine Safety (Raft, figure 3): no two nodes ever apply different entries at the same index, over all lives.

use synod_transport::ids::NodeId;
use synod_transport::log::Entry;
use synod_transport::machine::Machine;

use super::Cursor;
use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// State Machine Safety (Raft, figure 3): no two nodes ever apply different entries at the same index, over all lives.
#[derive(Debug, Default)]
pub struct StateMachineSafety {
    cursor: Cursor,
    /// What was first applied at each index, and by whom.
    first: Vec<(Entry, NodeId)>,
}

impl<M: Machine> Invariant<M> for StateMachineSafety {
    fn name(&self) -> &'static str {
        "state-machine-safety"
    }

    fn check(&mut self, world: &World<M>, touched: NodeId) -> Result<(), Broken> {
        let (before, fresh) = self.cursor.fresh(world, touched);
        for (at, entry) in (before..).zip(fresh) {
            match self.first.get(at) {
                Some((first, _)) if first == entry => {}
                Some((first, node)) => {
                    let text =
                        format!("at index {}: {node:?} applied {first:?}, {touched:?} {entry:?}", at + 1);
                    return Err(Broken(text));
                }
                None => self.first.push((entry.clone(), touched)),
            }
        }
        Ok(())
    }
}
