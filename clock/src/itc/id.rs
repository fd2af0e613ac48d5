//! Whose part of the interval it is: the paper's `split` and `sum`.

use super::ItcError;
use super::tree::{Leaf, MAX_DEPTH, Tree, overlay};

/// True where it is owned.
pub(super) type Id = Tree<bool>;

impl Id {
    /// Two halves of what is owned: between the two children of the smallest node that holds all of it (equation of
    /// `split`).
    pub(super) fn split(&self) -> Result<(Self, Self), ItcError> {
        let leaves = self.leaves();
        let first = leaves.iter().position(|leaf| leaf.value).unwrap_or(0);
        let last = leaves.iter().rposition(|leaf| leaf.value).unwrap_or(0);
        // Among the leaves after the first, the right child of that node starts highest.
        let between = leaves.iter().enumerate().take(last + 1).skip(first + 1);
        let halves = match between.min_by_key(|(_, leaf)| leaf.start) {
            Some((middle, _)) => {
                let masked = |keeps: fn(usize, usize) -> bool| {
                    let of = |(place, leaf): (usize, &Leaf<bool>)| Leaf {
                        value: leaf.value && keeps(place, middle),
                        ..*leaf
                    };
                    Self::from_leaves(leaves.iter().enumerate().map(of))
                };
                (masked(|place, middle| place < middle), masked(|place, middle| place >= middle))
            }
            None => {
                if leaves.get(first).is_some_and(|leaf| leaf.depth >= MAX_DEPTH) {
                    return Err(ItcError::TooDeep);
                }
                (self.half(first, true), self.half(first, false))
            }
        };
        Ok(halves)
    }

    /// With one half of this leaf instead of the whole.
    fn half(&self, place: usize, is_left: bool) -> Self {
        let mut half = self.clone();
        if let Some(leaf) = half.leaves_mut().get_mut(place) {
            let depth = leaf.depth + 1;
            *leaf = Leaf { depth, value: is_left, ..*leaf };
            half.leaves_mut().insert(place + 1, Leaf { start: depth, depth, value: !is_left });
        }
        half
    }

    /// What both own together; `None` when some of it belongs to both.
    pub(super) fn sum(&self, other: &Self) -> Option<Self> {
        let overlaps = overlay(self, other).any(|piece| piece.value.0 && piece.value.1);
        let either = |Leaf { start, depth, value }: Leaf<(bool, bool)>| Leaf {
            start,
            depth,
            value: value.0 || value.1,
        };
        (!overlaps).then(|| Self::from_leaves(overlay(self, other).map(either)))
    }
}
