//! Node and clock sequence in a store (section 6.3).

use synod_transport::store::{StateStore, StoreError};

use super::{LIVES, Node, TimeGenerator, TimeOptions, random_life};
use crate::random::{Random, RandomError};
use crate::wall::Wall;

const MAGIC: [u8; 4] = *b"UUT1";
/// Magic, node (6 bytes), life (2), big-endian.
const LENGTH: usize = 12;

/// Why a generator could not be restored. No id was given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The store failed, at reading or at writing. Try again.
    #[error("the store of node and clock sequence: {0}")]
    Store(#[from] StoreError),
    /// What is stored under the name is no state of such a generator. Nothing was changed.
    #[error("the stored value is no node and clock sequence")]
    Damaged,
    /// The source of random bits failed. Nothing was changed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl<W: Wall> TimeGenerator<W> {
    /// With the node of the lives before, and the clock sequences after theirs. The first life takes both at random. One
    /// write, which is durable before the first id; none after that. A name in a store belongs to one generator at a time:
    /// two that restore it at once would have the same.
    ///
    /// After 1024 lives clock sequences come again. By then an id is repeated only if the clock stands where it stood
    /// then. A node of the caller's other than the stored one begins at a random clock sequence (section 5.1).
    ///
    /// # Errors
    /// Any [`StateError`].
    ///
    /// ```
    /// use synod_idgen::random::SystemRandom;
    /// use synod_idgen::uuid::{TimeGenerator, TimeOptions};
    /// use synod_idgen::wall::System;
    /// use synod_transport::store::MemStateStore;
    ///
    /// let mut store = MemStateStore::new(); // synod_wal::FileStateStore::open(folder)?, outside of examples
    /// let mut start = || {
    ///     TimeGenerator::restore(System, None, &SystemRandom, TimeOptions::default(), &mut store, "uuid")
    /// };
    /// let (before, after) = (start()?, start()?);
    /// assert_eq!(before.node(), after.node());
    /// assert_ne!(before.clock_sequence(), after.clock_sequence());
    /// # Ok::<(), synod_idgen::uuid::StateError>(())
    /// ```
    pub fn restore(
        wall: W,
        node: Option<Node>,
        random: &impl Random,
        options: TimeOptions,
        store: &mut impl StateStore,
        name: &str,
    ) -> Result<Self, StateError> {
        let stored = store.get(name)?.map(|value| decode(&value).ok_or(StateError::Damaged)).transpose()?;
        let same = stored.filter(|(stored, _)| node.is_none_or(|node| node == *stored));
        let (node, life) = match (same, node) {
            (Some((node, life)), _) => (node, (life + 1) % LIVES),
            (None, Some(node)) => (node, random_life(random)?),
            (None, None) => (Node::random(random)?, random_life(random)?),
        };
        store.set(name, &encode(node, life))?;
        Ok(Self::of_life(wall, node, life, options))
    }
}

fn encode(node: Node, life: u16) -> [u8; LENGTH] {
    let mut value = [0; LENGTH];
    let (magic, rest) = value.split_at_mut(4);
    let (octets, number) = rest.split_at_mut(6);
    magic.copy_from_slice(&MAGIC);
    octets.copy_from_slice(&node.to_bytes());
    number.copy_from_slice(&life.to_be_bytes());
    value
}

fn decode(value: &[u8]) -> Option<(Node, u16)> {
    let rest = value.strip_prefix(&MAGIC)?;
    let (octets, number) = rest.split_first_chunk::<6>()?;
    let life = u16::from_be_bytes(number.try_into().ok()?);
    (life < LIVES).then(|| (Node::from_bytes(*octets), life))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idgen_uuid_only_a_state_is_read_back() {
        let node = Node::from_bytes([1, 2, 3, 4, 5, 6]);
        let value = encode(node, 1023);
        assert_eq!(decode(&value), Some((node, 1023)));
        assert_eq!(decode(&encode(node, 1024)), None);
        for wrong in [&value[1..], &value[..11], &[&value[..], &[0]].concat()[..], &[]] {
            assert_eq!(decode(wrong), None);
        }
        let mut other = value;
        other[0] ^= 1;
        assert_eq!(decode(&other), None);
    }
}
