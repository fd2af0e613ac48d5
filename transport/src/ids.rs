//! Names and numbers that every protocol shares.
//!
//! Each is its own type, so that a term is never passed where an index is meant. All are plain `u64` (a cluster
//! id is `u128`) and travel as little-endian integers.

use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u64);

        impl $name {
            /// The smallest value.
            pub const ZERO: Self = Self(0);

            /// Wraps a raw number.
            #[inline]
            pub const fn new(raw: u64) -> Self {
                Self(raw)
            }

            /// The raw number.
            #[inline]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after this; stays at the top instead of wrapping.
            #[inline]
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The one before this; stays at zero instead of wrapping.
            #[inline]
            #[must_use]
            pub const fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<u64> for $name {
            fn from(raw: u64) -> Self {
                Self(raw)
            }
        }

        impl From<$name> for u64 {
            fn from(it: $name) -> u64 {
                it.0
            }
        }
    };
}

number!(
    /// A process that takes part in a protocol. Unique within its cluster for ever.
    NodeId, "n"
);
number!(
    /// One life of a process: grows with every start, so that a peer can tell a restart from a reconnect.
    Incarnation, "life"
);
number!(
    /// A logical period with at most one leader (a Raft term, the round of a Paxos ballot).
    Term, "t"
);
number!(
    /// A place in a replicated log. The first entry stands at 1; 0 is the place before it.
    LogIndex, "i"
);
number!(
    /// The number a machine gives to one atomic write. Grows by one per write, from 1, for each time the store is
    /// opened.
    WriteId, "w"
);
number!(
    /// A caller's own mark on a request; comes back in the [`Event`](crate::machine::Event) that answers it.
    Tag, "tag"
);

impl LogIndex {
    /// The index `count` places further on.
    #[inline]
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// How many places this lies beyond `other`; zero when it does not.
    #[inline]
    pub const fn since(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

/// The name of a cluster. Two clusters never talk to each other by accident: every handshake compares it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClusterId(pub u128);

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster {:032x}", self.0)
    }
}

/// An entry's term and place.
///
/// The derived order is Raft's "at least as up to date" (section 5.4.1): term first, then index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Term in which the entry was made.
    pub term: Term,
    /// Where it stands.
    pub index: LogIndex,
}

impl Position {
    /// The place before every log.
    pub const ZERO: Self = Self { term: Term::ZERO, index: LogIndex::ZERO };

    /// A position from raw numbers, term first.
    pub const fn new(term: u64, index: u64) -> Self {
        Self { term: Term::new(term), index: LogIndex::new(index) }
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index.get(), self.term.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_term_beats_a_longer_log() {
        assert!(Position::new(5, 3) > Position::new(4, 4));
        assert!(Position::new(4, 4) > Position::new(4, 3));
    }

    #[test]
    fn numbers_stop_at_their_ends() {
        assert_eq!(Term::new(u64::MAX).next(), Term::new(u64::MAX));
        assert_eq!(LogIndex::ZERO.previous(), LogIndex::ZERO);
        assert_eq!(LogIndex::new(3).since(LogIndex::new(5)), 0);
    }
}
