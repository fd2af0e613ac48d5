//! A log without payloads: where each term begins.

use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::{Runs, Span};
use synod_transport::store::LogSummary;

/// Positions of a log, as the first index of each term. A step costs O(log of the number of terms), not of entries.
///
/// Invariant: `starts` rises in both fields; its first start is `base.index + 1` unless the log is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TermLog {
    base: Position,
    starts: Vec<Position>,
    last: LogIndex,
}

impl TermLog {
    /// The log that a store holds; `None` when its terms fall.
    pub fn from_summary(summary: &LogSummary) -> Option<Self> {
        let mut log = Self { base: summary.base, starts: Vec::new(), last: summary.base.index };
        for run in &summary.runs {
            if run.term < log.last().term {
                return None;
            }
            log.push(run.term, run.count);
        }
        Some(log)
    }

    /// Position of the last entry.
    #[inline]
    pub fn last(&self) -> Position {
        Position { term: self.starts.last().map_or(self.base.term, |start| start.term), index: self.last }
    }

    /// The last entry that is gone from the front; zero for none.
    pub fn base(&self) -> Position {
        self.base
    }

    /// Term of an entry; `None` before the base and beyond the end (raft_s16: absence is not term zero).
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index > self.last || index < self.base.index {
            return None;
        }
        if index == self.base.index {
            return Some(self.base.term);
        }
        if let Some(newest) = self.starts.last() {
            if newest.index <= index {
                return Some(newest.term);
            }
        }
        let behind = self.starts.partition_point(|start| start.index <= index);
        self.starts.get(behind.checked_sub(1)?).map(|start| start.term)
    }

    /// Adds entries of one term at the end. The caller sees to it that terms do not fall.
    pub fn push(&mut self, term: Term, count: u32) {
        if count == 0 {
            return;
        }
        if self.starts.last().is_none_or(|start| start.term != term) {
            self.starts.push(Position { term, index: self.last.next() });
        }
        self.last = self.last.plus(count.into());
    }

    /// Forgets this index and all behind it.
    pub fn truncate(&mut self, from: LogIndex) {
        self.last = self.last.min(from.previous()).max(self.base.index);
        while self.starts.last().is_some_and(|start| start.index > self.last) {
            self.starts.pop();
        }
    }

    /// The first index of the span at which this log holds another entry, or none; `None` when it holds them all.
    pub fn first_difference(&self, span: &Span) -> Option<LogIndex> {
        let mut index = span.first();
        for run in span.runs.as_slice() {
            let end = index.plus(run.count.into());
            while index < end {
                if self.term_at(index) != Some(run.term) {
                    return Some(index);
                }
                // The rest of this log's own run has the same term; go on behind it.
                index = self.end_of_run(index).next().min(end);
            }
        }
        None
    }

    /// At most `limit` entries behind `after`; a message holds few terms, so perhaps fewer than asked for. `None` when
    /// `after` is not in the log.
    pub fn span_after(&self, after: LogIndex, limit: u32) -> Option<Span> {
        let term = self.term_at(after)?;
        let mut runs = Runs::none();
        let mut index = after.next();
        let mut left = u64::from(limit).min(self.last.since(after));
        while left > 0 {
            let term = self.term_at(index)?;
            let count = self.end_of_run(index).next().since(index).min(left);
            if !runs.push(term, u32::try_from(count).unwrap_or(u32::MAX)) {
                break;
            }
            index = index.plus(count);
            left -= count;
        }
        Some(Span { after: Position { term, index: after }, runs })
    }

    /// The last entry at or before `index` whose term is at most `term`: where two logs may agree at best.
    pub fn last_at_most(&self, index: LogIndex, term: Term) -> Position {
        let mut index = index.min(self.last);
        while index > self.base.index {
            match self.term_at(index) {
                Some(found) if found <= term => return Position { term: found, index },
                _ => index = self.start_of_run(index).previous(),
            }
        }
        self.base
    }

    /// How many terms the log holds.
    pub fn terms(&self) -> usize {
        self.starts.len()
    }

    /// Term and number of entries of each run, oldest first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Term, u64)> + '_ {
        let ends = self.starts.iter().skip(1).map(|start| start.index.previous()).chain([self.last]);
        self.starts.iter().zip(ends).map(|(start, end)| (start.term, end.next().since(start.index)))
    }

    fn end_of_run(&self, index: LogIndex) -> LogIndex {
        let next = self.starts.partition_point(|start| start.index <= index);
        self.starts.get(next).map_or(self.last, |start| start.index.previous())
    }

    fn start_of_run(&self, index: LogIndex) -> LogIndex {
        let behind = self.starts.partition_point(|start| start.index <= index);
        let own = behind.checked_sub(1).and_then(|at| self.starts.get(at));
        own.map_or(self.base.index.next(), |start| start.index)
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: one term per entry.
    fn twin(terms: &[u64]) -> TermLog {
        let mut log = TermLog::default();
        for term in terms {
            log.push(Term::new(*term), 1);
        }
        log
    }

    fn rising() -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec(0u64..2, 0..24).prop_map(|steps| {
            let mut term = 1;
            steps
                .iter()
                .map(|step| {
                    term += step;
                    term
                })
                .collect()
        })
    }

    #[test]
    fn absence_is_not_term_zero() {
        assert_eq!(twin(&[]).term_at(LogIndex::new(1)), None);
        assert_eq!(twin(&[]).term_at(LogIndex::ZERO), Some(Term::ZERO));
    }

    #[test]
    fn the_base_is_the_least_place_to_agree_whatever_its_term() {
        let mut log = TermLog { base: Position::new(5, 10), last: LogIndex::new(10), ..TermLog::default() };
        log.push(Term::new(6), 2);
        for index in [9, 10, 12] {
            let best = log.last_at_most(LogIndex::new(index), Term::new(3));
            assert_eq!(best, Position::new(5, 10));
        }
    }

    proptest! {
        #[test]
        fn terms_and_spans_are_those_of_a_plain_list(terms in rising(), after in 0u64..30, limit in 0u32..30) {
            let log = twin(&terms);
            let runs: Vec<u64> = log.runs().flat_map(|(term, count)| (0..count).map(move |_| term.get())).collect();
            prop_assert_eq!(&runs, &terms);
            let changes = terms.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert_eq!(log.terms(), if terms.is_empty() { 0 } else { changes + 1 });
            for index in 0..30u64 {
                let want = if index == 0 { Some(0) } else { terms.get(index as usize - 1).copied() };
                prop_assert_eq!(log.term_at(LogIndex::new(index)).map(Term::get), want);
            }
            match log.span_after(LogIndex::new(after), limit) {
                None => prop_assert!(after > terms.len() as u64),
                Some(span) => {
                    let got: Vec<u64> = span.positions().map(|p| p.term.get()).collect();
                    let want = &terms[after as usize..];
                    prop_assert!(want.starts_with(&got));
                    let full = got.len() == want.len().min(limit as usize);
                    prop_assert!(full || span.runs.as_slice().len() == Runs::MAX);
                }
            }
        }

        #[test]
        fn the_first_difference_is_that_of_a_plain_list(ours in rising(), theirs in rising(), after in 0usize..10) {
            let (our_log, their_log) = (twin(&ours), twin(&theirs));
            let Some(span) = their_log.span_after(LogIndex::new(after as u64), 100) else { return Ok(()) };
            let want = span.positions().find(|p| ours.get(p.index.get() as usize - 1) != Some(&p.term.get()));
            prop_assert_eq!(our_log.first_difference(&span), want.map(|p| p.index));
        }

        #[test]
        fn truncation_keeps_the_front(terms in rising(), from in 1u64..30) {
            let mut log = twin(&terms);
            log.truncate(LogIndex::new(from));
            let kept = terms.len().min(from as usize - 1);
            prop_assert_eq!(log, twin(&terms[..kept]));
        }

        #[test]
        fn the_best_agreement_is_that_of_a_plain_list(terms in rising(), index in 0u64..30, term in 0u64..15) {
            let want = (1..=terms.len() as u64)
                .rev()
                .find(|at| *at <= index && terms[*at as usize - 1] <= term)
                .map_or(Position::ZERO, |at| Position::new(terms[at as usize - 1], at));
            prop_assert_eq!(twin(&terms).last_at_most(LogIndex::new(index), Term::new(term)), want);
        }
    }
}
