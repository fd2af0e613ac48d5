//! Leader Completeness (figure 3): "if a log entry is committed in a given term, then that entry will be present in the
//! logs of the leaders for all higher-numbered terms." TLA+: `LeaderCompleteness`.

use synod_raft::TermLog;
use synod_transport::ids::{LogIndex, NodeId, Position, Term};

/// The committed log as far as any node has ever known it, and the latest term that committed.
#[derive(Debug, Default)]
pub struct LeaderCompleteness {
    committed: Vec<Position>,
    in_term: Term,
}

impl LeaderCompleteness {
    /// A node in `term` knows that everything through `commit` is committed.
    ///
    /// # Errors
    /// When it is not the committed log that was known before.
    pub fn commits(
        &mut self,
        node: NodeId,
        term: Term,
        log: &TermLog,
        commit: LogIndex,
    ) -> Result<(), String> {
        let known = LogIndex::new(self.committed.len() as u64);
        let last = self.committed.get(as_offset(commit.min(known)).wrapping_sub(1));
        if let Some(last) = last {
            if log.term_at(last.index) != Some(last.term) {
                return Err(format!("{node:?} commits another entry than {last:?}"));
            }
        }
        let mut index = known.next();
        while index <= commit {
            let Some(term) = log.term_at(index) else {
                return Err(format!("{node:?} commits {index} without having it"));
            };
            self.committed.push(Position { term, index });
            self.in_term = self.in_term.max(term);
            index = index.next();
        }
        self.in_term = self.in_term.max(if commit > known { term } else { Term::ZERO });
        Ok(())
    }

    /// A node leads `term` with this log. Log matching makes the newest committed entry stand for all before it.
    ///
    /// # Errors
    /// When an entry committed in an earlier term is missing.
    pub fn leads(&self, node: NodeId, term: Term, log: &TermLog) -> Result<(), String> {
        let newest = self.committed.iter().rev().find(|position| position.term < term);
        let Some(newest) = newest.filter(|_| term > self.in_term) else { return Ok(()) };
        if log.term_at(newest.index) == Some(newest.term) {
            Ok(())
        } else {
            Err(format!("{node:?} leads {term} without the committed entry {newest:?}"))
        }
    }

    /// The committed log, oldest first.
    pub fn committed(&self) -> &[Position] {
        &self.committed
    }
}

fn as_offset(index: LogIndex) -> usize {
    usize::try_from(index.get()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u64]) -> TermLog {
        let mut log = TermLog::default();
        for term in terms {
            log.push(Term::new(*term), 1);
        }
        log
    }

    #[test]
    fn a_leader_without_a_committed_entry_is_found() {
        let mut it = LeaderCompleteness::default();
        let (one, two) = (NodeId::new(1), NodeId::new(2));
        assert_eq!(it.commits(one, Term::new(2), &log(&[1, 2, 2]), LogIndex::new(2)), Ok(()));
        assert_eq!(it.leads(two, Term::new(3), &log(&[1, 2, 3])), Ok(()));
        assert!(it.leads(two, Term::new(3), &log(&[1, 3])).is_err());
        assert_eq!(
            it.leads(two, Term::new(1), &log(&[1])),
            Ok(()),
            "an earlier term's leader need not have it"
        );
    }

    #[test]
    fn a_committed_entry_that_changes_is_found() {
        let mut it = LeaderCompleteness::default();
        let one = NodeId::new(1);
        assert_eq!(it.commits(one, Term::new(2), &log(&[1, 2]), LogIndex::new(2)), Ok(()));
        assert!(it.commits(one, Term::new(3), &log(&[1, 3, 3]), LogIndex::new(3)).is_err());
    }
}
