//! What must survive a crash beside the log: one value, written whole (figure 2, "persistent state").

use synod_transport::ids::{NodeId, Term};
use synod_transport::store::HardState;

/// Current term and the vote cast in it. Held in one atomic value, so that no crash can part them (raft_s01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ballot {
    /// The latest term this node has seen.
    pub term: Term,
    /// Who got this node's vote in that term.
    pub vote: Option<NodeId>,
}

impl Ballot {
    /// As a store keeps it: term, a flag, the vote.
    pub fn encode(&self) -> HardState {
        let mut bytes = [0u8; 17];
        let (term, rest) = bytes.split_at_mut(8);
        term.copy_from_slice(&self.term.get().to_le_bytes());
        if let (Some(vote), Some((flag, id))) = (self.vote, rest.split_first_mut()) {
            *flag = 1;
            id.copy_from_slice(&vote.get().to_le_bytes());
        }
        HardState::from_array(bytes)
    }

    /// The inverse of [`Ballot::encode`]; `None` for anything else.
    pub fn decode(state: &HardState) -> Option<Self> {
        let (term, rest) = state.as_bytes().split_first_chunk::<8>()?;
        let (flag, rest) = rest.split_first()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        if !rest.is_empty() {
            return None;
        }
        let id = u64::from_le_bytes(*id);
        let vote = match (flag, id) {
            (0, 0) => None,
            (1, id) => Some(NodeId::new(id)),
            _ => return None,
        };
        Some(Self { term: Term::new(u64::from_le_bytes(*term)), vote })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ballot_survives_the_store(term: u64, vote: Option<u64>) {
            let ballot = Ballot { term: Term::new(term), vote: vote.map(NodeId::new) };
            prop_assert_eq!(Ballot::decode(&ballot.encode()), Some(ballot));
        }

        #[test]
        fn other_bytes_are_refused_or_mean_what_they_say(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let state = HardState::new(&bytes).expect("short");
            if let Some(ballot) = Ballot::decode(&state) {
                prop_assert_eq!(ballot.encode(), state);
            }
        }
    }
}
