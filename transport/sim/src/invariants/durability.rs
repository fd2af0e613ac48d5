//! What was acknowledged stays: whoever applies its index, then or later, applies exactly it.

use std::collections::BTreeMap;

use bytes::Bytes;
use synod_transport::ids::NodeId;
use synod_transport::log::Entry;
use synod_transport::machine::Machine;

use super::Cursor;
use crate::history::{Request, payload};
use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// What was acknowledged stays: whoever applies its index, then or later, applies exactly it.
#[derive(Debug, Default)]
pub struct Durability {
    cursor: Cursor,
    acknowledged: BTreeMap<u64, Bytes>,
    completions: usize,
}

impl Durability {
    fn compare(&self, node: NodeId, index: u64, entry: &Entry) -> Result<(), Broken> {
        match self.acknowledged.get(&index) {
            Some(command) if *command != entry.payload => {
                let text = format!("{node:?} applied {entry:?}, not the command acknowledged at that index");
                Err(Broken(text))
            }
            _ => Ok(()),
        }
    }
}

impl<M: Machine> Invariant<M> for Durability {
    fn name(&self) -> &'static str {
        "durability"
    }

    fn check(&mut self, world: &World<M>, touched: NodeId) -> Result<(), Broken> {
        let fresh = world.completions().get(self.completions..).unwrap_or_default();
        self.completions += fresh.len();
        for number in fresh {
            let Some(operation) = world.history().get(*number) else { continue };
            let (Request::Propose { count }, Some(accepted)) = (operation.request, operation.accepted) else {
                continue;
            };
            for at in 0..count {
                let index = accepted.first.plus(u64::from(at)).get();
                let command = payload(*number as u64, at);
                if let Some(other) = self.acknowledged.insert(index, command.clone()) {
                    if other != command {
                        return Err(format!("two commands were acknowledged at index {index}").into());
                    }
                }
                let place = usize::try_from(index - 1).unwrap_or(usize::MAX);
                for node in world.node_ids() {
                    if let Some(entry) = world.applied(node).get(place) {
                        self.compare(node, index, entry)?;
                    }
                }
            }
        }
        let (before, fresh) = self.cursor.fresh(world, touched);
        for (index, entry) in (before as u64 + 1..).zip(fresh) {
            self.compare(touched, index, entry)?;
        }
        Ok(())
    }
}
