//! Planted faults: named deviations from the protocol that the checkers must find.
//!
//! They hang on a type parameter. A program that uses [`Raft`](crate::Raft) with its default, [`Sound`], holds none of
//! them: every question below is a constant `false` there. Only tests and checkers make a machine with [`Planted`].

/// Answers whether a deviation is switched on.
pub trait Faults: Clone + core::fmt::Debug {
    /// Whether to deviate here.
    fn has(&self, fault: Fault) -> bool;
}

/// No deviation: the protocol as specified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Sound;

impl Faults for Sound {
    #[inline(always)]
    fn has(&self, _fault: Fault) -> bool {
        false
    }
}

/// One deviation, for a checker to find.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Planted(pub Option<Fault>);

impl Faults for Planted {
    fn has(&self, fault: Fault) -> bool {
        self.0 == Some(fault)
    }
}

macro_rules! faults {
    ($(#[doc = $about:literal] $variant:ident = $name:literal breaks $invariant:literal;)*) => {
        /// A deviation, with the name under which checkers know it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $about] $variant,)*
        }

        impl Fault {
            /// Every fault there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on a command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the machine does instead of what it should, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about.trim_ascii(),)* }
            }

            /// The property it breaks: an invariant of `synod-raft-check`, or `machine` where the core or its recovery itself
            /// refuses what cannot be.
            pub const fn breaks(self) -> &'static str {
                match self { $(Self::$variant => $invariant,)* }
            }

            /// The fault of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fault| fault.name() == name)
            }
        }
    };
}

faults! {
    /// A vote is answered at once and never written (raft_s01).
    VoteNotPersisted = "vote-not-persisted" breaks "election safety";
    /// A follower acknowledges entries before its disk has them (raft_s05).
    AckBeforeSync = "ack-before-sync" breaks "committed is durable";
    /// A leader counts its own entries before its disk has them (raft_s06).
    SelfAckBeforeSync = "self-ack-before-sync" breaks "committed is durable";
    /// Entries of earlier terms are committed by counting (raft_s09, figure 8).
    CommitOlderTerm = "commit-older-term" breaks "leader completeness";
    /// A follower cuts its log after the previous entry without a conflict (raft_s14).
    TruncateUnconditionally = "truncate-unconditionally" breaks "invariants of the core";
    /// A vote that arrives twice counts twice (raft_s08).
    CountDuplicateVotes = "count-duplicate-votes" breaks "election safety";
    /// A read is answered without asking a quorum (raft_s30).
    ReadWithoutQuorum = "read-without-quorum" breaks "read freshness";
    /// A new leader answers reads before it committed an entry of its term (raft_s29).
    ReadBeforeOwnCommit = "read-before-own-commit" breaks "read freshness";
    /// A read is confirmed by answers to an earlier question (raft_s27).
    ReuseReadToken = "reuse-read-token" breaks "read freshness";
    /// Votes are given without comparing logs (section 5.4.1).
    IgnoreLogInVote = "ignore-log-in-vote" breaks "leader completeness";
    /// Stepping down, or obeying a leader, within a term forgets the vote (raft_s02).
    ForgetVote = "forget-vote" breaks "election safety";
    /// A denied vote counts as granted (raft_s04).
    DenialCountsAsVote = "denial-counts-as-vote" breaks "election safety";
    /// The hint of a refusal is taken for an acknowledgement (raft_s13).
    HintCountsAsMatch = "hint-counts-as-match" breaks "committed is durable";
    /// A follower commits what the leader has, not what both have (section 5.3).
    CommitBeyondMatch = "commit-beyond-match" breaks "leader completeness";
    /// The previous entry is not compared (section 5.3, log matching).
    SkipPreviousCheck = "skip-previous-check" breaks "log matching";
    /// An acknowledgement of a write that was since cut still counts (raft_s18).
    StaleDurableIndex = "stale-durable-index" breaks "invariants of the core";
    /// A leader cuts its own log back to what a refusal says (figure 3, leader append-only).
    LeaderTruncates = "leader-truncates" breaks "leader append-only";
    /// Positions are compared by length first, then by term (raft_s20).
    CompareLengthFirst = "compare-length-first" breaks "leader completeness";
    /// A new term is not written before what is done in it (raft_s07).
    TermNotPersisted = "term-not-persisted" breaks "machine";
    /// An acknowledgement given in an earlier term counts in this one (raft_s11).
    OldAcknowledgementCounts = "old-acknowledgement-counts" breaks "committed is durable";
    /// The commit index is taken one place too high among the matched ones (raft_s10).
    QuorumOffByOne = "quorum-off-by-one" breaks "committed is durable";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for fault in Fault::ALL {
            assert_eq!(Fault::from_name(fault.name()), Some(*fault));
        }
        assert_eq!(Fault::from_name("none such"), None);
    }

    #[test]
    fn a_sound_machine_has_none() {
        assert!(Fault::ALL.iter().all(|fault| !Sound.has(*fault)));
        assert_eq!(size_of::<Sound>(), 0);
    }
}
