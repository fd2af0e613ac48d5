//! How small the world is.

use synod_transport::quorum::NodeSet;

/// What may happen, and how often. A world within these bounds is finite when its machines' logs and terms are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bounds {
    /// Members of the cluster.
    pub nodes: usize,
    /// Nobody campaigns in this term or a later one, so no term beyond it is reached.
    pub max_term: u64,
    /// Nothing is proposed to a log of this length.
    pub max_log: u64,
    /// Most messages on their way at any moment. With the nodes at most [`Bounds::WORDS`].
    pub in_flight: usize,
    /// Whether messages may get lost. Without loss, a step whose messages do not fit cannot happen.
    pub loss: bool,
    /// Most writes of a node that its disk has not synced.
    pub unsynced: usize,
    /// Most messages of a node that wait for its disk. A step that would seal more cannot happen.
    pub sealed: usize,
    /// Whose election timeout may pass, by slot.
    pub campaigners: NodeSet,
    /// How many entries are proposed in all.
    pub proposals: u32,
    /// How many crashes there are in all.
    pub crashes: u32,
    /// How many times a message is delivered and stays.
    pub duplicates: u32,
    /// How many times a leader's clock sends again what is unanswered.
    pub intervals: u32,
    /// How many reads are asked for in all.
    pub reads: u32,
}

impl Bounds {
    /// Room for nodes and messages in one state.
    pub const WORDS: usize = 10;

    /// Why these cannot be explored, if they cannot.
    ///
    /// # Errors
    /// The bound that is out of range.
    pub fn check(&self) -> Result<(), BoundsError> {
        if self.nodes == 0 || self.nodes + self.in_flight > Self::WORDS {
            return Err(BoundsError::TooWide { nodes: self.nodes, in_flight: self.in_flight });
        }
        let budgets = [self.proposals, self.crashes, self.duplicates, self.intervals, self.reads];
        if budgets.iter().any(|budget| *budget > Spent::MOST) {
            return Err(BoundsError::Budget { most: Spent::MOST });
        }
        Ok(())
    }
}

impl Default for Bounds {
    /// Three nodes, two terms, two entries, loss, one of each trouble.
    fn default() -> Self {
        Self {
            nodes: 3,
            max_term: 2,
            max_log: 4,
            in_flight: 2,
            loss: true,
            unsynced: 2,
            sealed: 2,
            campaigners: NodeSet::first(64),
            proposals: 2,
            crashes: 1,
            duplicates: 1,
            intervals: 1,
            reads: 0,
        }
    }
}

/// Bounds that cannot be explored. The caller's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// A state has no room for so much.
    #[error(
        "{nodes} nodes and {in_flight} messages do not fit into a state: together at most {}",
        Bounds::WORDS
    )]
    TooWide {
        /// Nodes asked for.
        nodes: usize,
        /// Messages asked for.
        in_flight: usize,
    },
    /// A budget is too large to be counted.
    #[error("no budget may be over {most}")]
    Budget {
        /// The most that can be counted.
        most: u32,
    },
}

/// What of the budgets is used up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Spent(u32);

/// One budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Budget {
    /// Entries proposed.
    Proposals,
    /// Crashes.
    Crashes,
    /// Messages that were delivered and stayed.
    Duplicates,
    /// Intervals passed.
    Intervals,
    /// Reads asked for.
    Reads,
}

impl Budget {
    /// How much of it there is.
    pub const fn of(self, bounds: &Bounds) -> u32 {
        match self {
            Self::Proposals => bounds.proposals,
            Self::Crashes => bounds.crashes,
            Self::Duplicates => bounds.duplicates,
            Self::Intervals => bounds.intervals,
            Self::Reads => bounds.reads,
        }
    }

    const fn shift(self) -> u32 {
        self as u32 * Spent::BITS
    }
}

impl Spent {
    const BITS: u32 = 6;
    const MOST: u32 = (1 << Self::BITS) - 1;

    /// How much of it is used up.
    pub const fn get(self, budget: Budget) -> u32 {
        (self.0 >> budget.shift()) & Self::MOST
    }

    /// One more, if there is any left.
    pub const fn spend(self, budget: Budget, bounds: &Bounds) -> Option<Self> {
        if self.get(budget) < budget.of(bounds) { Some(Self(self.0 + (1 << budget.shift()))) } else { None }
    }

    pub(crate) const fn to_word(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_word(word: u32) -> Self {
        Self(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_and_leaves_the_others_alone() {
        let bounds = Bounds { crashes: 2, ..Bounds::default() };
        let twice = Spent::default()
            .spend(Budget::Crashes, &bounds)
            .and_then(|it| it.spend(Budget::Crashes, &bounds));
        let twice = twice.expect("two are allowed");
        assert_eq!((twice.get(Budget::Crashes), twice.get(Budget::Proposals)), (2, 0));
        assert_eq!(twice.spend(Budget::Crashes, &bounds), None);
        assert!(twice.spend(Budget::Reads, &bounds).is_none(), "there are none by default");
        assert!(twice.spend(Budget::Intervals, &bounds).is_some());
    }

    #[test]
    fn bounds_that_do_not_fit_are_refused() {
        assert_eq!(Bounds::default().check(), Ok(()));
        assert!(Bounds { nodes: 3, in_flight: 8, ..Bounds::default() }.check().is_err());
        assert!(Bounds { crashes: 64, ..Bounds::default() }.check().is_err());
    }
}
