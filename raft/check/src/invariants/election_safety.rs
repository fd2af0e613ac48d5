//! Election Safety (figure 3): "at most one leader can be elected in a given term." TLA+: `ElectionSafety`.

use std::collections::BTreeMap;

use synod_transport::ids::{NodeId, Term};

/// Who was seen leading each term, over all lives of all nodes.
#[derive(Debug, Default)]
pub struct ElectionSafety {
    leaders: BTreeMap<Term, NodeId>,
}

impl ElectionSafety {
    /// A node leads this term.
    ///
    /// # Errors
    /// When another was seen leading it.
    pub fn leads(&mut self, node: NodeId, term: Term) -> Result<(), String> {
        let first = *self.leaders.entry(term).or_insert(node);
        if first == node { Ok(()) } else { Err(format!("{first:?} and {node:?} both lead term {term}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_leader_of_a_term_is_found() {
        let mut it = ElectionSafety::default();
        assert_eq!(it.leads(NodeId::new(1), Term::new(2)), Ok(()));
        assert_eq!(it.leads(NodeId::new(1), Term::new(2)), Ok(()));
        assert_eq!(it.leads(NodeId::new(2), Term::new(3)), Ok(()));
        assert!(it.leads(NodeId::new(3), Term::new(2)).is_err());
    }
}
