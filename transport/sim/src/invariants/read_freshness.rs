//! A read sees everything that was acknowledged, or seen by another read, before it was asked.

use synod_transport::ids::{LogIndex, NodeId};
use synod_transport::machine::Machine;

use crate::history::{Request, Status};
use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// A read sees everything that was acknowledged, or seen by another read, before it was asked.
#[derive(Debug, Default)]
pub struct ReadFreshness {
    completions: usize,
    /// From this place in the order of answers on, a read must see at least this. Both rise.
    floors: Vec<(u64, LogIndex)>,
}

impl<M: Machine> Invariant<M> for ReadFreshness {
    fn name(&self) -> &'static str {
        "read-freshness"
    }

    fn check(&mut self, world: &World<M>, _touched: NodeId) -> Result<(), Broken> {
        let fresh = world.completions().get(self.completions..).unwrap_or_default();
        self.completions += fresh.len();
        for number in fresh {
            let Some(operation) = world.history().get(*number) else { continue };
            let (Status::Done(index), Some(order)) = (operation.status, operation.completed_order) else {
                continue;
            };
            if operation.request == Request::Read {
                let before = self.floors.partition_point(|(order, _)| *order < operation.invoked_order);
                let floor = before.checked_sub(1).and_then(|at| self.floors.get(at));
                if let Some((_, floor)) = floor.filter(|(_, floor)| *floor > index) {
                    let (node, life) = (operation.node, operation.life);
                    return Err(format!(
                        "a read at {node:?} ({life:?}) saw index {index}, but {floor} was known before it was asked"
                    )
                    .into());
                }
            }
            let highest = self.floors.last().map_or(LogIndex::ZERO, |(_, floor)| *floor);
            if index > highest {
                self.floors.push((order, index));
            }
        }
        Ok(())
    }
}
