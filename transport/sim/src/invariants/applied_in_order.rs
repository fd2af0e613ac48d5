//! A node applies index 1, 2, 3, … in each of its lives: no gap, and nothing twice.

use synod_transport::ids::NodeId;
use synod_transport::log::Entry;
use synod_transport::machine::Machine;

use super::Cursor;
use crate::invariant::{Broken, Invariant};
use crate::world::World;

/// A node applies index 1, 2, 3, … in each of its lives: no gap, and nothing twice.
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
        in_order(before, fresh).map_err(|text| format!("{touched:?} {text}").into())
    }
}

/// Checks entries of which `before` others stand in front.
fn in_order(before: usize, fresh: &[Entry]) -> Result<(), String> {
    for (index, entry) in (before as u64 + 1..).zip(fresh) {
        if entry.position.index.get() != index {
            return Err(format!("applied {:?} where {index} is due", entry.position));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::ids::Position;

    #[test]
    fn a_gap_and_a_repeat_are_found() {
        let entries = |indexes: &[u64]| -> Vec<Entry> {
            let entry = |index: &u64| Entry { position: Position::new(1, *index), ..Entry::default() };
            indexes.iter().map(entry).collect()
        };
        assert_eq!(in_order(2, &entries(&[3, 4])), Ok(()));
        assert_eq!(in_order(2, &entries(&[3, 5])), Err("applied 5@1 where 4 is due".to_owned()));
        assert!(in_order(2, &entries(&[3, 3])).is_err());
        assert!(in_order(0, &entries(&[2])).is_err());
    }
}
