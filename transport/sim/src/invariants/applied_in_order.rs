//! A node applies index 1, 2, 3, … in each of its lives: no gap, and nothing twice.

use synod_transport::ids::NodeId;
use synod_transport::machine::Machine;

use super::Cursor;
use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct AppliedInOrder {
    cursor: Cursor,
}

impl<M: Machine> Invariant<M> for AppliedInOrder {
    fn name(&self) -> &'static str {
        "applied-in-order"
    }

    fn check(&mut self, world: &World<M>, touched: NodeId) -> Result<(), Broken> {
        let (before, fresh) = self.cursor.fresh(world, touched);
        for (index, entry) in (before as u64 + 1..).zip(fresh) {
            if entry.position.index.get() != index {
                return Err(format!("{touched:?} applied {:?} where {index} is due", entry.position).into());
            }
        }
        Ok(())
    }
}
