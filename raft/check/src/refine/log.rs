//! A log as runs of terms, and the part of it that a step speaks of.

use tla_eval::Value;

use super::module::number;

/// Terms of a log's entries from index 1 on, as runs. Long logs stay small.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log {
    runs: Vec<(u64, u64)>,
}

impl Log {
    /// From runs of (term, count).
    pub fn new(runs: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut log = Self::default();
        for (term, count) in runs {
            log.push(term, count);
        }
        log
    }

    /// From the term of each entry.
    pub fn of(terms: impl IntoIterator<Item = u64>) -> Self {
        Self::new(terms.into_iter().map(|term| (term, 1)))
    }

    /// Adds entries of a term.
    pub fn push(&mut self, term: u64, count: u64) {
        match self.runs.last_mut() {
            _ if count == 0 => {}
            Some((last, more)) if *last == term => *more += count,
            _ => self.runs.push((term, count)),
        }
    }

    /// How many entries.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|(_, count)| count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The first entries, as many as asked for.
    #[must_use]
    pub fn front(&self, length: u64) -> Self {
        let mut left = length;
        Self::new(self.runs.iter().map_while(|(term, count)| {
            let take = left.min(*count);
            left -= take;
            (take > 0).then_some((*term, take))
        }))
    }

    /// Without the first entries.
    #[must_use]
    pub fn behind(&self, index: u64) -> Self {
        let mut skip = index;
        Self::new(self.runs.iter().map(|(term, count)| {
            let gone = skip.min(*count);
            skip -= gone;
            (*term, count - gone)
        }))
    }

    /// How many first entries two logs share.
    pub fn shared(&self, other: &Self) -> u64 {
        let mut shared = 0;
        for ((term, count), (their_term, their_count)) in self.runs.iter().zip(&other.runs) {
            if term != their_term {
                break;
            }
            shared += count.min(their_count);
            if count != their_count {
                break;
            }
        }
        shared
    }

    /// Whether the last entry has this term.
    pub(crate) fn ends_in(&self, term: u64) -> bool {
        self.runs.last().is_some_and(|(last, _)| *last == term)
    }

    pub(crate) fn to_value(&self) -> Value {
        let terms = self.runs.iter().flat_map(|(term, count)| (0..*count).map(|_| number(*term)));
        Value::Seq(terms.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(log: &Log) -> Vec<u64> {
        log.runs
            .iter()
            .flat_map(|(term, count)| std::iter::repeat_n(*term, usize::try_from(*count).unwrap_or(0)))
            .collect()
    }

    proptest! {
        #[test]
        fn runs_say_what_a_plain_list_says(
            ours in proptest::collection::vec(1u64..4, 0..12),
            theirs in proptest::collection::vec(1u64..4, 0..12),
            at in 0usize..14,
        ) {
            let (log, other) = (Log::of(ours.clone()), Log::of(theirs.clone()));
            let cut = at.min(ours.len());
            prop_assert_eq!(terms(&log.front(at as u64)), ours[..cut].to_vec());
            prop_assert_eq!(terms(&log.behind(at as u64)), ours[cut..].to_vec());
            prop_assert_eq!(log.len(), ours.len() as u64);
            let shared = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(log.shared(&other), shared as u64);
        }
    }
}
