//! The slow twin: what a log store holds, as plain values.

use super::Plan;
use crate::ids::{LogIndex, Position};
use crate::log::Entry;
use crate::store::{HardState, LogSummary};

/// The state after some batches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Model {
    pub(super) base: Position,
    pub(super) entries: Vec<Entry>,
    pub(super) hard_state: Option<HardState>,
}

impl Model {
    /// Position of the last entry.
    pub(super) fn last(&self) -> Position {
        self.entries.last().map_or(self.base, |entry| entry.position)
    }

    /// The state after one more batch, which must fit.
    #[must_use]
    pub(super) fn after(&self, plan: &Plan) -> Self {
        let mut next = self.clone();
        if let Some(from) = plan.truncate_from {
            next.entries.retain(|entry| entry.position.index < from);
        }
        next.entries.extend(plan.append.iter().cloned());
        next.hard_state = plan.hard_state.or(next.hard_state);
        if let Some(through) = plan.purge_through {
            let purged = next.entries.iter().rfind(|entry| entry.position.index <= through);
            next.base = purged.map_or(next.base, |entry| entry.position);
            next.entries.retain(|entry| entry.position.index > through);
        }
        next
    }

    /// What a store in this state says of itself.
    pub(super) fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { base: self.base, runs: Vec::new(), hard_state: self.hard_state };
        for entry in &self.entries {
            summary.push(entry.position.term);
        }
        summary
    }

    /// The entries `first..=last`; `None` unless all are there.
    pub(super) fn range(&self, first: u64, last: u64) -> Option<&[Entry]> {
        let after_base = |index: u64| LogIndex::new(index).get().checked_sub(self.base.index.get() + 1);
        let from = usize::try_from(after_base(first)?).ok()?;
        let to = usize::try_from(after_base(last)?).ok()?;
        self.entries.get(from..=to).filter(|found| !found.is_empty())
    }
}
