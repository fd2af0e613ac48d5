//! The vocabulary of a replicated log: entries, and the payload-free shapes that machines reason about.
//!
//! A machine never sees a payload. It speaks of a [`Span`]: "the entries after this position, in these terms"; a
//! driver attaches the bytes.

use core::fmt;

use bytes::Bytes;

use crate::ids::{LogIndex, Position, Term};
use crate::wire::{Reader, WireError, Writer};

/// What an entry is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum EntryKind {
    /// Made by a new leader so that it has something of its own term to commit. Empty.
    Blank,
    /// A command of the replicated service.
    #[default]
    Command,
    /// A change of the configuration.
    Configuration,
}

impl EntryKind {
    /// The number that stands for it on wire and disk.
    pub const fn number(self) -> u8 {
        match self {
            Self::Blank => 0,
            Self::Command => 1,
            Self::Configuration => 2,
        }
    }

    /// The kind of a number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Blank),
            1 => Some(Self::Command),
            2 => Some(Self::Configuration),
            _ => None,
        }
    }
}

/// One entry of a log with its payload.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Entry {
    /// Term and index.
    pub position: Position,
    /// What it is for.
    pub kind: EntryKind,
    /// The command, as the proposer gave it.
    pub payload: Bytes,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {} bytes", self.position, self.kind, self.payload.len())
    }
}

/// An entry that stays where it is: its payload belongs to the store that shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryRef<'a> {
    /// Term and index.
    pub position: Position,
    /// What it is for.
    pub kind: EntryKind,
    /// The command, as the proposer gave it.
    pub payload: &'a Bytes,
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { position: entry.position, kind: entry.kind, payload: &entry.payload }
    }
}

/// Consecutive entries of one term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Run {
    /// Their term.
    pub term: Term,
    /// How many; never zero inside a [`Runs`].
    pub count: u32,
}

/// A few runs of entries, terms rising, held without allocation. A message never carries more than [`Runs::MAX`]
/// changes of term; a longer history takes more messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Runs {
    runs: [Run; Self::MAX],
    len: u8,
}

impl Runs {
    /// The most runs that one value holds.
    pub const MAX: usize = 4;

    /// No entries.
    pub fn none() -> Self {
        Self::default()
    }

    /// `count` entries of one term.
    pub fn one(term: Term, count: u32) -> Self {
        let mut it = Self::default();
        it.push(term, count);
        it
    }

    /// Adds entries at the end. False, and nothing changes, when there is no room for one more term, the term would
    /// fall, or the count would overflow.
    pub fn push(&mut self, term: Term, count: u32) -> bool {
        if count == 0 {
            return true;
        }
        if self.count().checked_add(count).is_none() {
            return false;
        }
        let len = usize::from(self.len);
        if let Some(last) = len.checked_sub(1).and_then(|at| self.runs.get_mut(at)) {
            if last.term == term {
                last.count += count;
                return true;
            }
            if last.term > term {
                return false;
            }
        }
        let Some(free) = self.runs.get_mut(len) else { return false };
        *free = Run { term, count };
        self.len += 1;
        true
    }

    /// The runs, oldest first.
    pub fn as_slice(&self) -> &[Run] {
        self.runs.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// How many entries in all.
    pub fn count(&self) -> u32 {
        self.as_slice().iter().map(|run| run.count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Term of the newest entry.
    pub fn last_term(&self) -> Option<Term> {
        self.as_slice().last().map(|run| run.term)
    }

    /// The first `keep` entries, and the rest.
    #[must_use]
    pub fn split(&self, keep: u32) -> (Self, Self) {
        let (mut head, mut tail) = (Self::none(), Self::none());
        let mut left = keep;
        for run in self.as_slice() {
            let taken = left.min(run.count);
            head.push(run.term, taken);
            tail.push(run.term, run.count - taken);
            left -= taken;
        }
        (head, tail)
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, run) in self.as_slice().iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{}@{}", run.count, run.term)?;
        }
        f.write_str("]")
    }
}

/// A stretch of log without its payloads: the entries right after a position.
///
/// ```
/// use synod_transport::ids::{LogIndex, Position, Term};
/// use synod_transport::log::{Runs, Span};
///
/// let span = Span { after: Position::new(1, 4), runs: Runs::one(Term::new(2), 3) };
/// assert_eq!(span.first(), LogIndex::new(5));
/// assert_eq!(span.last(), Position::new(2, 7));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// The entry before the first.
    pub after: Position,
    /// The entries' terms.
    pub runs: Runs,
}

impl Span {
    /// Index of the first entry, were there one.
    pub fn first(&self) -> LogIndex {
        self.after.index.next()
    }

    /// Position of the last entry; that before the first when there is none.
    pub fn last(&self) -> Position {
        match self.runs.last_term() {
            None => self.after,
            Some(term) => Position { term, index: self.after.index.plus(self.runs.count().into()) },
        }
    }

    /// Whether it holds no entry.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The first `keep` entries, and the rest behind them.
    #[must_use]
    pub fn split(&self, keep: u32) -> (Self, Self) {
        let (head, tail) = self.runs.split(keep);
        let head = Self { after: self.after, runs: head };
        (head, Self { after: head.last(), runs: tail })
    }

    /// Each entry's position, oldest first.
    pub fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        let terms = self.runs.as_slice().iter().flat_map(|run| (0..run.count).map(|_| run.term));
        terms.zip(0u64..).map(|(term, at)| Position { term, index: self.first().plus(at) })
    }

    /// Writes it: position, number of runs, then term and count of each.
    pub fn encode(&self, out: &mut Writer) {
        out.position(self.after);
        out.u8(self.runs.len);
        for run in self.runs.as_slice() {
            out.u64(run.term.get());
            out.u32(run.count);
        }
    }

    /// Reads it; terms that do not rise, empty runs and counts over `limit` are errors.
    pub fn decode(from: &mut Reader, limit: u32) -> Result<Self, WireError> {
        let after = from.position()?;
        let len = from.u8()?;
        if usize::from(len) > Runs::MAX {
            return Err(WireError::OverLimit { field: "runs", value: len.into(), limit: Runs::MAX as u64 });
        }
        let mut runs = Runs::none();
        for done in 0..len {
            let term = from.term()?;
            let count = from.count("entries of a run", limit)?;
            let rises = term >= after.term && runs.last_term().is_none_or(|last| last < term);
            if count == 0 || !rises || !runs.push(term, count) || runs.len != done + 1 {
                return Err(WireError::Undefined { field: "run", value: term.get() });
            }
        }
        let total = runs.count();
        if total > limit {
            return Err(WireError::OverLimit { field: "entries", value: total.into(), limit: limit.into() });
        }
        if after.index.get().checked_add(total.into()).is_none() {
            return Err(WireError::Undefined { field: "index", value: after.index.get() });
        }
        Ok(Self { after, runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(after: Position, runs: &[(u64, u32)]) -> Span {
        let mut it = Runs::none();
        for (term, count) in runs {
            assert!(it.push(Term::new(*term), *count));
        }
        Span { after, runs: it }
    }

    #[test]
    fn runs_refuse_falling_terms_and_a_fifth_term() {
        let mut runs = Runs::one(Term::new(2), 1);
        assert!(!runs.push(Term::new(1), 1));
        for term in 3..=5 {
            assert!(runs.push(Term::new(term), 1));
        }
        assert!(!runs.push(Term::new(6), 1));
        assert!(runs.push(Term::new(5), 7), "a known term needs no room");
        assert_eq!(runs.count(), 11);
    }

    #[test]
    fn decode_refuses_lies() {
        let mut w = Writer::default();
        w.position(Position::new(3, 1));
        w.u8(2);
        for (term, count) in [(4u64, 1u32), (4, 1)] {
            w.u64(term);
            w.u32(count);
        }
        let bytes = w.take();
        assert!(matches!(
            Span::decode(&mut Reader::new(bytes), 10),
            Err(WireError::Undefined { field: "run", .. })
        ));
    }

    proptest! {
        #[test]
        fn a_span_survives_the_wire_and_splits_without_loss(
            term in 0u64..5, index in 0u64..100, gaps in proptest::collection::vec((1u64..4, 1u32..9), 0..=4), keep in 0u32..40
        ) {
            let mut at = term;
            let runs: Vec<_> = gaps.iter().map(|(gap, count)| { at += gap; (at, *count) }).collect();
            let whole = span(Position::new(term, index), &runs);
            let mut w = Writer::default();
            whole.encode(&mut w);
            let mut r = Reader::new(w.take());
            prop_assert_eq!(Span::decode(&mut r, 1000), Ok(whole));
            let (head, tail) = whole.split(keep);
            prop_assert_eq!(head.last().index.next(), tail.first());
            let joined: Vec<_> = head.positions().chain(tail.positions()).collect();
            prop_assert_eq!(joined, whole.positions().collect::<Vec<_>>());
        }

        #[test]
        fn decode_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut reader = Reader::new(bytes.into());
            if let Ok(span) = Span::decode(&mut reader, 1 << 20) {
                prop_assert!(span.last().index >= span.after.index);
            }
        }
    }
}
