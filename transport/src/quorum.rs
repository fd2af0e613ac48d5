//! Who must agree. Protocols ask for a [`Verdict`]; none counts for itself.

use core::fmt;

use crate::ids::{LogIndex, NodeId};

/// A set of up to 64 members by their slot in [`Members`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeSet(u64);

impl NodeSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The slots `0..count`; all 64 for larger counts.
    pub const fn first(count: usize) -> Self {
        if count >= 64 { Self(u64::MAX) } else { Self((1 << count) - 1) }
    }

    /// With this slot; a slot beyond 63 changes nothing.
    #[must_use]
    pub const fn with(self, slot: usize) -> Self {
        if slot < 64 { Self(self.0 | (1 << slot)) } else { self }
    }

    /// Adds a slot and says whether it is new.
    pub fn insert(&mut self, slot: usize) -> bool {
        let before = self.0;
        *self = self.with(slot);
        self.0 != before
    }

    /// Whether the slot is in it.
    pub const fn contains(self, slot: usize) -> bool {
        slot < 64 && self.0 & (1 << slot) != 0
    }

    /// How many slots are in it.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Slots that are in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Slots that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Slots of this that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The slots, lowest first.
    pub fn slots(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let slot = left.trailing_zeros() as usize;
            // Clears the lowest bit; nothing to clear means nothing is left.
            let rest = left & left.checked_sub(1)?;
            left = rest;
            Some(slot)
        })
    }
}

impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.slots()).finish()
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// There is nobody to ask.
    #[error("a configuration needs at least one voter")]
    NoVoters,
    /// More than 64 members.
    #[error("{0} members are over the limit of 64")]
    TooMany(usize),
    /// Two members have the same id.
    #[error("{0:?} is listed twice")]
    Twice(NodeId),
    /// Two quorums need not meet.
    #[error("two quorums need not meet")]
    Disjoint,
}

/// The members of a configuration: node ids in rising order, each with its slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Members {
    ids: Vec<NodeId>,
}

impl Members {
    /// From ids in any order. An error when there are none, more than 64, or one twice.
    pub fn new(ids: impl IntoIterator<Item = NodeId>) -> Result<Self, QuorumError> {
        let mut ids: Vec<NodeId> = ids.into_iter().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Err(QuorumError::NoVoters);
        }
        if ids.len() > 64 {
            return Err(QuorumError::TooMany(ids.len()));
        }
        let twice = ids.iter().zip(ids.iter().skip(1)).find(|(a, b)| a == b);
        match twice {
            Some((id, _)) => Err(QuorumError::Twice(*id)),
            None => Ok(Self { ids }),
        }
    }

    /// The slot of an id. O(log n).
    pub fn slot(&self, id: NodeId) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The id in a slot.
    pub fn id(&self, slot: usize) -> Option<NodeId> {
        self.ids.get(slot).copied()
    }

    /// All ids in slot order.
    pub fn ids(&self) -> &[NodeId] {
        &self.ids
    }

    /// How many there are; never zero.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Always false.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// Which kind of agreement is asked for. Flexible systems have different quorums for the two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Election, prepare, "am I still the leader".
    One,
    /// Replication, accept.
    Two,
}

/// What the answers so far amount to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// A quorum agrees, whatever the others say.
    Won,
    /// No quorum can agree any more.
    Lost,
    /// It depends on those who have not answered.
    Pending,
}

/// A rule that says which sets of voters decide.
pub trait QuorumSystem {
    /// Everyone who has a voice.
    fn voters(&self) -> NodeSet;

    /// What these answers amount to. Answers of non-voters do not count.
    fn verdict(&self, phase: Phase, yes: NodeSet, no: NodeSet) -> Verdict;

    /// The highest index that a phase-two quorum has reached, where `reached` gives each slot's index. Slots beyond
    /// the slice have reached nothing.
    fn committed(&self, reached: &[LogIndex]) -> LogIndex;

    /// Whether any two phase-one quorums meet, so that a term has at most one leader.
    fn election_safe(&self) -> bool;

    /// Refuses a system that could lose a decision: every phase-one quorum must meet every phase-two quorum.
    fn check(&self) -> Result<(), QuorumError>;
}

/// More than half of the voters, in both phases.
///
/// ```
/// use synod_transport::quorum::{Majority, NodeSet, Phase, QuorumSystem, Verdict};
///
/// let four = Majority::new(NodeSet::first(4));
/// let (two, others) = (NodeSet::EMPTY.with(0).with(1), NodeSet::EMPTY.with(2).with(3));
/// assert_eq!(four.verdict(Phase::One, two, others), Verdict::Lost, "2-2 elects nobody");
/// assert_eq!(four.verdict(Phase::One, two, NodeSet::EMPTY), Verdict::Pending);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Majority {
    voters: NodeSet,
}

impl Majority {
    /// More than half of these.
    pub const fn new(voters: NodeSet) -> Self {
        Self { voters }
    }

    /// The one place where a majority is counted.
    const fn needed(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// The highest index that `needed` of up to `N` voters have reached.
    fn ranked<const N: usize>(&self, reached: &[LogIndex]) -> LogIndex {
        let mut ranked = [LogIndex::ZERO; N];
        for (slot, place) in self.voters.slots().zip(&mut ranked) {
            *place = reached.get(slot).copied().unwrap_or_default();
        }
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked.get(self.needed() - 1).copied().unwrap_or_default()
    }
}

impl QuorumSystem for Majority {
    fn voters(&self) -> NodeSet {
        self.voters
    }

    fn verdict(&self, _phase: Phase, yes: NodeSet, no: NodeSet) -> Verdict {
        let yes = yes.and(self.voters);
        let no = no.and(self.voters).without(yes);
        if yes.len() >= self.needed() {
            Verdict::Won
        } else if self.voters.len() - no.len() < self.needed() {
            Verdict::Lost
        } else {
            Verdict::Pending
        }
    }

    fn committed(&self, reached: &[LogIndex]) -> LogIndex {
        // Few voters are the rule; the large array is not touched for them.
        if self.voters.len() <= 8 { self.ranked::<8>(reached) } else { self.ranked::<64>(reached) }
    }

    fn election_safe(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), QuorumError> {
        if self.voters.is_empty() { Err(QuorumError::NoVoters) } else { Ok(()) }
    }
}

impl fmt::Debug for Majority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.needed(), self.voters)
    }
}

/// The configurations that a log has brought, as a protocol needs them: which is in force (from the moment it is
/// appended), and what truncation or commit does to it.
pub trait ConfigurationHistory {
    /// The rule of quorums of the configuration in force.
    type Quorum: QuorumSystem;

    /// Everyone the configuration in force sends entries to, voters or not.
    fn members(&self) -> &Members;

    /// The rule in force.
    fn quorum(&self) -> &Self::Quorum;

    /// The log was cut: this index and all behind it are gone, and with them their configurations.
    fn truncated(&mut self, from: LogIndex);

    /// Everything up to here is committed. True when a follow-up (leaving a joint configuration) should be proposed.
    fn committed(&mut self, through: LogIndex) -> bool;
}

/// One configuration for ever: a majority of fixed members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Static {
    members: Members,
    quorum: Majority,
}

impl Static {
    /// All members vote.
    pub fn new(members: Members) -> Self {
        let quorum = Majority::new(NodeSet::first(members.len()));
        Self { members, quorum }
    }
}

impl ConfigurationHistory for Static {
    type Quorum = Majority;

    fn members(&self) -> &Members {
        &self.members
    }

    fn quorum(&self) -> &Majority {
        &self.quorum
    }

    fn truncated(&mut self, _from: LogIndex) {}

    fn committed(&mut self, _through: LogIndex) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(bits: u64) -> NodeSet {
        (0..64).filter(|slot| bits & (1 << slot) != 0).fold(NodeSet::EMPTY, NodeSet::with)
    }

    #[test]
    fn three_of_five_win_and_two_of_four_do_not() {
        let five = Majority::new(NodeSet::first(5));
        assert_eq!(five.verdict(Phase::One, set(0b00111), NodeSet::EMPTY), Verdict::Won);
        assert_eq!(five.verdict(Phase::One, set(0b00011), set(0b00100)), Verdict::Pending);
        let four = Majority::new(NodeSet::first(4));
        assert_eq!(four.verdict(Phase::One, set(0b0011), set(0b1100)), Verdict::Lost);
    }

    #[test]
    fn every_pair_of_winning_sets_meets_up_to_five_voters() {
        for count in 1..=5usize {
            let majority = Majority::new(NodeSet::first(count));
            let wins: Vec<u64> = (0..1u64 << count)
                .filter(|bits| majority.verdict(Phase::One, set(*bits), NodeSet::EMPTY) == Verdict::Won)
                .collect();
            assert!(!wins.is_empty());
            assert!(wins.iter().all(|a| wins.iter().all(|b| a & b != 0)));
        }
    }

    #[test]
    fn members_are_checked() {
        let ids = |raw: &[u64]| raw.iter().copied().map(NodeId::new).collect::<Vec<_>>();
        assert_eq!(Members::new(ids(&[])), Err(QuorumError::NoVoters));
        assert_eq!(Members::new(ids(&[2, 1, 2])), Err(QuorumError::Twice(NodeId::new(2))));
        assert_eq!(Members::new((0..65).map(NodeId::new)), Err(QuorumError::TooMany(65)));
        let three = Members::new(ids(&[9, 1, 5])).expect("valid");
        assert_eq!(three.slot(NodeId::new(5)), Some(1));
        assert_eq!(three.id(2), Some(NodeId::new(9)));
    }

    proptest! {
        // raft_s10: the fast watermark against its slow twin.
        #[test]
        fn raft_s10_the_committed_index_is_the_highest_that_a_majority_reached(
            bits in 1u64..256, reached in proptest::collection::vec(0u64..20, 0..10)
        ) {
            let majority = Majority::new(set(bits));
            let reached: Vec<LogIndex> = reached.into_iter().map(LogIndex::new).collect();
            let slow = (0..=20u64).rev().find(|index| {
                let yes = (0..8).filter(|slot| reached.get(*slot).copied().unwrap_or_default().get() >= *index);
                let yes = yes.fold(NodeSet::EMPTY, NodeSet::with);
                majority.verdict(Phase::Two, yes, NodeSet::EMPTY) == Verdict::Won
            });
            prop_assert_eq!(Some(majority.committed(&reached).get()), slow);
        }

        // raft_s08: answers from outside the configuration count for nothing.
        #[test]
        fn raft_s08_strangers_never_change_a_verdict(yes in 0u64..256, no in 0u64..256, stranger in 3usize..70) {
            let three = Majority::new(NodeSet::first(3));
            let (yes, no) = (set(yes), set(no));
            let plain = three.verdict(Phase::One, yes, no);
            prop_assert_eq!(three.verdict(Phase::One, yes.with(stranger), no), plain);
            prop_assert_eq!(three.verdict(Phase::One, yes, no.with(stranger)), plain);
        }
    }
}
