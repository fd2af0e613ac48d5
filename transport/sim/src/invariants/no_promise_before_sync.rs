//! No receipt names a write that a crash could lose. (That no promise leaves without a receipt is a matter of types:
//! it is sealed, and only a receipt opens it.)

use synod_transport::ids::NodeId;
use synod_transport::machine::Machine;

use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// No receipt names a write that a crash could lose. (That no promise leaves without a receipt is a matter of types:
/// it is sealed, and only a receipt opens it.)
#[derive(Debug, Default)]
pub struct NoPromiseBeforeSync;

impl<M: Machine> Invariant<M> for NoPromiseBeforeSync {
    fn name(&self) -> &'static str {
        "no-promise-before-sync"
    }

    fn check(&mut self, world: &World<M>, touched: NodeId) -> Result<(), Broken> {
        let Some(disk) = world.disk(touched) else { return Ok(()) };
        if disk.attested() <= disk.synced() {
            return Ok(());
        }
        let (attested, synced) = (disk.attested(), disk.synced());
        Err(format!("{touched:?} has a receipt for {attested:?}, but only {synced:?} is durable").into())
    }
}
