//! Leader Append-Only (figure 3): "a leader never overwrites or deletes entries in its log; it only appends new
//! entries." TLA+: `LeaderAppendOnly`.

use std::collections::BTreeMap;

use synod_raft::TermLog;
use synod_transport::ids::{LogIndex, NodeId, Position, Term};

/// The log's end of each leader as it was last seen.
#[derive(Debug, Default)]
pub struct LeaderAppendOnly {
    ends: BTreeMap<NodeId, (Term, Position)>,
}

impl LeaderAppendOnly {
    /// A leader's log at this moment.
    ///
    /// # Errors
    /// When its end of before is no longer there.
    pub fn leads(&mut self, node: NodeId, term: Term, log: &TermLog) -> Result<(), String> {
        let before = self.ends.insert(node, (term, log.last()));
        let Some((same, end)) = before.filter(|(before, _)| *before == term) else { return Ok(()) };
        if end.index == LogIndex::ZERO || log.term_at(end.index) == Some(end.term) {
            Ok(())
        } else {
            Err(format!("{node:?} leads {same} and lost its own entry {end:?}"))
        }
    }

    /// The node does not lead now.
    pub fn rests(&mut self, node: NodeId) {
        self.ends.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_loses_its_end_is_found() {
        let mut it = LeaderAppendOnly::default();
        let (node, term) = (NodeId::new(1), Term::new(2));
        let mut log = TermLog::default();
        log.push(term, 3);
        assert_eq!(it.leads(node, term, &log), Ok(()));
        log.truncate(LogIndex::new(3));
        assert!(it.leads(node, term, &log).is_err());
        it.rests(node);
        log.truncate(LogIndex::new(2));
        assert_eq!(it.leads(node, term, &log), Ok(()));
    }
}
