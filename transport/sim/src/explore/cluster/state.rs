//! A state of a whole world in a few words.

use super::bounds::{Bounds, Spent};

/// A world at one moment, as numbers from the tables of the [`Cluster`](super::Cluster) that made it. States of two clusters
/// must not be mixed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct State {
    /// Budgets spent; what watches remember or what broke; nodes; messages in rising order, then zeros.
    words: [u32; HEAD + Bounds::WORDS],
}

const HEAD: usize = 2;
/// Marks the second word as a breach's number.
const BROKEN: u32 = 1 << 31;

impl State {
    pub(crate) fn new(nodes: &[u32], memory: u32) -> Self {
        let mut words = [0; HEAD + Bounds::WORDS];
        words[1] = memory;
        for (place, node) in words.iter_mut().skip(HEAD).zip(nodes) {
            *place = *node;
        }
        Self { words }
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent::from_word(self.words[0])
    }

    pub(crate) fn set_spent(&mut self, spent: Spent) {
        self.words[0] = spent.to_word();
    }

    pub(crate) fn memory(&self) -> Result<u32, u32> {
        let word = self.words[1];
        if word & BROKEN == 0 { Ok(word) } else { Err(word & !BROKEN) }
    }

    pub(crate) fn set_memory(&mut self, memory: Result<u32, u32>) {
        self.words[1] = match memory {
            Ok(id) => id,
            Err(breach) => breach | BROKEN,
        };
    }

    pub(crate) fn nodes(&self, count: usize) -> &[u32] {
        self.words.get(HEAD..HEAD + count).unwrap_or_default()
    }

    pub(crate) fn set_node(&mut self, slot: usize, node: u32) {
        if let Some(place) = self.words.get_mut(HEAD + slot) {
            *place = node;
        }
    }

    /// Messages on their way, in rising order of their numbers.
    pub(crate) fn network(&self, nodes: usize) -> &[u32] {
        let places = self.words.get(HEAD + nodes..).unwrap_or_default();
        let count = places.iter().position(|packet| *packet == 0).unwrap_or(places.len());
        places.get(..count).unwrap_or_default()
    }

    /// Replaces the network by two lists in rising order, which fit.
    pub(crate) fn set_network(
        &mut self,
        nodes: usize,
        kept: impl Iterator<Item = u32>,
        new: impl Iterator<Item = u32>,
    ) {
        let (mut kept, mut new) = (kept.peekable(), new.peekable());
        for place in self.words.iter_mut().skip(HEAD + nodes) {
            let from_new = match (kept.peek(), new.peek()) {
                (Some(old), Some(it)) => it < old,
                (old, _) => old.is_none(),
            };
            *place = if from_new { new.next() } else { kept.next() }.unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_stays_in_order() {
        let mut state = State::new(&[9, 8, 7], 5);
        state.set_network(3, [2, 4, 4].into_iter(), [1, 4, 6].into_iter());
        assert_eq!(state.network(3), [1, 2, 4, 4, 4, 6]);
        assert_eq!((state.nodes(3), state.memory()), ([9, 8, 7].as_slice(), Ok(5)));
        state.set_memory(Err(3));
        state.set_network(3, [1].into_iter(), [].into_iter());
        assert_eq!((state.network(3), state.memory()), ([1].as_slice(), Err(3)));
    }
}
