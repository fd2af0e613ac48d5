//! How many events happened where: the paper's `leq`, `join`, `fill` and `grow`. Heights are absolute, so its `lift` and
//! `sink` have no place.

use alloc::vec::Vec;

use super::ItcError;
use super::id::Id;
use super::tree::{Leaf, Tree, overlay, take_node};

/// The height of the step function; at most `u64::MAX`.
pub(super) type Events = Tree<u64>;

impl Events {
    pub(super) fn is_within(&self, other: &Self) -> bool {
        overlay(self, other).all(|piece| piece.value.0 <= piece.value.1)
    }

    /// Whether some step on the left is higher, and whether some on the right is.
    pub(super) fn higher_on(&self, other: &Self) -> (bool, bool) {
        let (mut left, mut right) = (false, false);
        for Leaf { value, .. } in overlay(self, other) {
            left |= value.0 > value.1;
            right |= value.1 > value.0;
        }
        (left, right)
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        let higher = |Leaf { start, depth, value }: Leaf<(u64, u64)>| {
            let (left, right) = value;
            Leaf { start, depth, value: left.max(right) }
        };
        Self::from_leaves(overlay(self, other).map(higher))
    }

    /// Raises some step within what is owned: fills up for nothing where that makes the tree simpler, else grows at the
    /// cheapest place.
    pub(super) fn event(&mut self, id: &Id) -> Result<(), ItcError> {
        match fill(id, self) {
            Some(filled) => *self = filled,
            None => grow(id, self)?,
        }
        Ok(())
    }
}

/// The filled tree, when filling changes anything.
fn fill(id: &Id, events: &Events) -> Option<Events> {
    // Most often nothing is to be filled, and a look costs less than a tree.
    let mut look = Fill::<false>::new(id, events);
    look.node(0);
    look.changes.then(|| {
        let mut fill = Fill::<true>::new(id, events);
        fill.node(0);
        Events::from_leaves(fill.filled)
    })
}

/// One walk over both trees at once.
struct Fill<'a, const WRITES: bool> {
    id: &'a [Leaf<bool>],
    events: &'a [Leaf<u64>],
    changes: bool,
    filled: Vec<Leaf<u64>>,
}

impl<'a, const WRITES: bool> Fill<'a, WRITES> {
    fn new(id: &'a Id, events: &'a Events) -> Self {
        let filled = Vec::with_capacity(if WRITES { events.leaves().len() } else { 0 });
        Self { id: id.leaves(), events: events.leaves(), changes: false, filled }
    }

    /// Fills the node at this level that both lists begin with. Returns the lowest step that it has then.
    fn node(&mut self, level: u16) -> u64 {
        let (Some(id), Some(event)) = (self.id.first(), self.events.first()) else { return 0 };
        if id.depth == level {
            take_node(&mut self.id, level);
            return if id.value { self.owned(level, 0) } else { self.copy(level) };
        }
        if event.depth == level {
            take_node(&mut self.id, level);
            return self.copy(level);
        }
        let below = level + 1;
        if self.owns_node(below) {
            take_node(&mut self.id, below);
            let place = self.filled.len();
            let own = self.owned(below, 0);
            let lowest = self.node(below);
            if own < lowest {
                self.changes = true;
                self.filled.iter_mut().skip(place).take(1).for_each(|leaf| leaf.value = lowest);
            }
            return lowest;
        }
        let lowest = self.node(below);
        if self.owns_node(below) {
            take_node(&mut self.id, below);
            self.owned(below, lowest);
            return lowest;
        }
        self.node(below).min(lowest)
    }

    fn owns_node(&self, level: u16) -> bool {
        self.id.first().is_some_and(|leaf| leaf.depth == level && leaf.value)
    }

    /// An owned node becomes one step, as high as its highest, and at least this high. Returns its height.
    fn owned(&mut self, level: u16, least: u64) -> u64 {
        let node = take_node(&mut self.events, level);
        let highest = node.iter().map(|leaf| leaf.value).max().unwrap_or(0);
        let value = highest.max(least);
        self.changes |= node.len() > 1 || value > highest;
        if WRITES {
            let start = node.first().map_or(0, |leaf| leaf.start);
            self.filled.push(Leaf { start, depth: level, value });
        }
        value
    }

    /// A node of which nothing is owned, or that is one step, stays. Returns its lowest step.
    fn copy(&mut self, level: u16) -> u64 {
        let node = take_node(&mut self.events, level);
        if WRITES {
            self.filled.extend_from_slice(node);
        }
        node.iter().map(|leaf| leaf.value).min().unwrap_or(0)
    }
}

/// Raises one step by one, when there is nothing to fill: every owned leaf is then as deep as the step it lies on, or
/// deeper. The cheapest place needs the fewest new nodes, then is the least deep, then the rightmost.
fn grow(id: &Id, events: &mut Events) -> Result<(), ItcError> {
    let mut best: Option<((u16, u16), usize, usize)> = None;
    let (mut owner, mut step) = (0, 0);
    let (ids, steps) = (id.leaves(), events.leaves());
    while let (Some(own), Some(event)) = (ids.get(owner), steps.get(step)) {
        let cost = (own.depth.saturating_sub(event.depth), own.depth);
        if own.value && best.is_none_or(|(least, ..)| cost <= least) {
            best = Some((cost, owner, step));
        }
        let ends = |depth, next: Option<u16>| next.is_none_or(|start| start <= depth);
        let (ids_next, steps_next) = (ids.get(owner + 1), steps.get(step + 1));
        if own.depth >= event.depth {
            owner += 1;
            step += usize::from(ends(event.depth, ids_next.map(|leaf| leaf.start)));
        } else {
            step += 1;
            owner += usize::from(ends(own.depth, steps_next.map(|leaf| leaf.start)));
        }
    }
    let Some(((new_levels, _), owner, step)) = best else { return Ok(()) }; // never: a stamp owns something
    let Some(event) = events.leaves_mut().get_mut(step) else { return Ok(()) };
    let raised = event.value.checked_add(1).ok_or(ItcError::CounterOverflow)?;
    if new_levels == 0 {
        event.value = raised;
    } else {
        let event = *event;
        let new = unfold(ids, owner, event, raised);
        events.leaves_mut().splice(step..=step, new);
    }
    Ok(())
}

/// The leaves that stand in place of `event` when only what `owner` owns of it is raised.
fn unfold(ids: &[Leaf<bool>], owner: usize, event: Leaf<u64>, raised: u64) -> Vec<Leaf<u64>> {
    // The levels at which the way down to the owner turns right, bottom up: it does where a node on the way starts,
    // and the node above that one starts with the nearest earlier leaf that starts higher.
    let mut rights = Vec::new();
    let mut above = u16::MAX;
    for leaf in ids.iter().take(owner + 1).rev() {
        if leaf.start < above {
            above = leaf.start;
            if above <= event.depth {
                break;
            }
            rights.push(above);
        }
    }
    let depth = ids.get(owner).map_or(event.depth, |leaf| leaf.depth);
    let mut leaves = Vec::with_capacity(usize::from(depth - event.depth) + 1);
    let mut start = event.start;
    for right in rights.iter().rev().copied() {
        leaves.push(Leaf { start, depth: right, value: event.value });
        start = right;
    }
    leaves.push(Leaf { start, depth, value: raised });
    let lefts = (event.depth + 1..=depth).rev().filter(|level| !rights.contains(level));
    leaves.extend(lefts.map(|level| Leaf { start: level, depth: level, value: event.value }));
    leaves
}
