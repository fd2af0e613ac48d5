//! What a trace and a checker see of a node and of a message: plain values under the specification's names.

use synod_transport::ids::{LogIndex, NodeId};
use synod_transport::quorum::{ConfigurationHistory, NodeSet};
use synod_transport::store::HardState;
use synod_transport::trace::Value;

use crate::core::{Raft, State, Tally};
use crate::durable::Ballot;
use crate::fault::Faults;
use crate::message::Message;
use crate::progress::{Flow, Progress};

impl<H: ConfigurationHistory, F: Faults> Raft<H, F> {
    /// The state without time, chance and caller's marks. `matched`, `next` and `flow` go by slot, as `members` does,
    /// and are empty unless this node leads; in its own slot `next` is 0 and `flow` is `Self`.
    pub(crate) fn observed(&self) -> Value {
        let tally = match &self.state {
            State::PreCandidate(tally) | State::Candidate(tally) => *tally,
            State::Follower | State::Leader(_) => Tally::default(),
        };
        let (matched, next, flow) = self.observed_peers();
        let writes = &self.writes;
        Value::record([
            ("role", Value::word(self.role().name())),
            ("term", self.ballot.term.into()),
            ("vote", node(self.ballot.vote)),
            ("log", self.observed_log()),
            ("commit", self.commit.into()),
            ("persisted", writes.persisted.into()),
            ("leader", node(self.leader)),
            ("members", self.history.members().ids().iter().copied().collect()),
            ("yes", self.ids(tally.yes)),
            ("no", self.ids(tally.no)),
            ("matched", matched),
            ("next", next),
            ("flow", flow),
            ("unsaved", writes.last.get().saturating_sub(writes.durable.get()).into()),
            ("ballot_after", writes.ballot.get().saturating_sub(writes.durable.get()).into()),
        ])
    }

    fn observed_log(&self) -> Value {
        let runs = self.log.runs().map(|(term, count)| Value::List(vec![term.into(), count.into()]));
        Value::record([("base", self.log.base().into()), ("runs", runs.collect())])
    }

    fn observed_peers(&self) -> (Value, Value, Value) {
        let State::Leader(leader) = &self.state else {
            return (Value::List(Vec::new()), Value::List(Vec::new()), Value::List(Vec::new()));
        };
        let peers = || leader.peers.iter().enumerate();
        let next = peers().map(|(slot, peer)| if self.is_me(slot) { LogIndex::ZERO } else { peer.next });
        let flow = peers().map(|(slot, peer)| {
            Value::word(if self.is_me(slot) { "Self" } else { flow_name(peer, self.settings.window) })
        });
        (leader.matched.iter().copied().collect(), next.collect(), flow.collect())
    }

    /// The members in these slots; a slot that nobody has shows as node 0.
    fn ids(&self, slots: NodeSet) -> Value {
        slots.slots().map(|slot| self.history.members().id(slot).unwrap_or_default()).collect()
    }
}

/// The fields of a message.
pub(crate) fn message(message: &Message) -> Value {
    match *message {
        Message::PreVote { term, proposed, last } => {
            Value::record([("term", term.into()), ("proposed", proposed.into()), ("last", last.into())])
        }
        Message::PreVoteReply { term, proposed, granted } => {
            Value::record([("term", term.into()), ("proposed", proposed.into()), ("granted", granted.into())])
        }
        Message::Vote { term, last } => Value::record([("term", term.into()), ("last", last.into())]),
        Message::VoteReply { term, granted } => {
            Value::record([("term", term.into()), ("granted", granted.into())])
        }
        Message::Append { term, span, commit } => Value::record([
            ("term", term.into()),
            ("after", span.after.into()),
            ("runs", span.runs.into()),
            ("commit", commit.into()),
        ]),
        Message::Appended { term, matched } => {
            Value::record([("term", term.into()), ("matched", matched.into())])
        }
        Message::Conflict { term, refused, hint } => {
            Value::record([("term", term.into()), ("refused", refused.into()), ("hint", hint.into())])
        }
        Message::Heartbeat { term, commit, round } => {
            Value::record([("term", term.into()), ("commit", commit.into()), ("round", round.into())])
        }
        Message::HeartbeatReply { term, round } => {
            Value::record([("term", term.into()), ("round", round.into())])
        }
        Message::Outdated { term } => Value::record([("term", term.into())]),
    }
}

/// The name of a message's kind.
pub(crate) const fn message_name(message: &Message) -> &'static str {
    match message {
        Message::PreVote { .. } => "PreVote",
        Message::PreVoteReply { .. } => "PreVoteReply",
        Message::Vote { .. } => "Vote",
        Message::VoteReply { .. } => "VoteReply",
        Message::Append { .. } => "Append",
        Message::Appended { .. } => "Appended",
        Message::Conflict { .. } => "Conflict",
        Message::Heartbeat { .. } => "Heartbeat",
        Message::HeartbeatReply { .. } => "HeartbeatReply",
        Message::Outdated { .. } => "Outdated",
    }
}

/// The noun of a message in the names of events: etcd's trace specification has them where the two protocols say the
/// same, and an answer to an append is one event there whatever it says.
pub(crate) const fn message_noun(message: &Message) -> &'static str {
    match message {
        Message::PreVote { .. } => "RequestPreVoteRequest",
        Message::PreVoteReply { .. } => "RequestPreVoteResponse",
        Message::Vote { .. } => "RequestVoteRequest",
        Message::VoteReply { .. } => "RequestVoteResponse",
        Message::Append { .. } => "AppendEntriesRequest",
        Message::Appended { .. } | Message::Conflict { .. } | Message::Outdated { .. } => {
            "AppendEntriesResponse"
        }
        Message::Heartbeat { .. } => "HeartbeatRequest",
        Message::HeartbeatReply { .. } => "HeartbeatResponse",
    }
}

/// Term and vote as a write holds them; [`Value::Null`] for bytes that are no ballot.
pub(crate) fn hard_state(state: &HardState) -> Value {
    Ballot::decode(state).map_or(Value::Null, |ballot| {
        Value::record([("term", ballot.term.into()), ("vote", node(ballot.vote))])
    })
}

fn flow_name(peer: &Progress, window: u32) -> &'static str {
    match peer.flow {
        Flow::Probe { waiting: false } => "Probe",
        Flow::Probe { waiting: true } => "Waiting",
        Flow::Stream if peer.may_send(window) => "Stream",
        Flow::Stream => "Full",
    }
}

/// A node, or 0 for none.
fn node(id: Option<NodeId>) -> Value {
    id.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use synod_transport::ids::{Position, Tag, Term, WriteId};
    use synod_transport::log::{Runs, Span};
    use synod_transport::machine::{Effects, Input, Machine as _, Message as _};
    use synod_transport::quorum::{Members, Static};
    use synod_transport::store::{LogSummary, Receipt};
    use synod_transport::time::Instant;

    use super::*;
    use crate::{Command, Config};

    fn node_one() -> Raft {
        let members = Members::new([1, 2, 3].map(NodeId::new)).expect("three");
        Raft::new(Config::new(NodeId::new(1)), Static::new(members), &LogSummary::default()).expect("valid")
    }

    fn tell(raft: &mut Raft, inputs: impl IntoIterator<Item = Input<Message, Command>>) {
        for input in inputs {
            raft.step(Instant::ZERO, input, &mut Effects::default()).expect("no invariant breaks");
        }
    }

    fn from(peer: u64, message: Message) -> Input<Message, Command> {
        Input::Message { from: NodeId::new(peer), message }
    }

    fn field(value: &Value, name: &str) -> Value {
        value.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {value:?}"))
    }

    fn numbers<const N: usize>(numbers: [u64; N]) -> Value {
        numbers.into_iter().collect()
    }

    #[test]
    fn a_candidate_shows_its_tally_and_the_ballot_it_waits_for() {
        let mut raft = node_one();
        let term = Term::ZERO;
        let yes = Message::PreVoteReply { term, proposed: Term::new(1), granted: true };
        tell(&mut raft, [Input::Command(Command::Campaign)]);
        assert_eq!(field(&raft.observe(), "role"), Value::word("PreCandidate"));
        assert_eq!(field(&raft.observe(), "yes"), numbers([1]));
        tell(&mut raft, [from(3, yes)]);
        let seen = raft.observe();
        assert_eq!(field(&seen, "role"), Value::word("Candidate"));
        assert_eq!(field(&seen, "vote"), Value::Number(1));
        assert_eq!(field(&seen, "yes"), numbers([]), "its own vote is not durable");
        assert_eq!((field(&seen, "unsaved"), field(&seen, "ballot_after")), (1u64.into(), 1u64.into()));
        tell(&mut raft, [from(2, Message::VoteReply { term: Term::new(1), granted: false })]);
        assert_eq!(field(&raft.observe(), "no"), numbers([2]));
    }

    #[test]
    fn a_leader_shows_each_peer_by_slot() {
        let mut raft = node_one();
        let term = Term::new(1);
        let yes = Message::PreVoteReply { term: Term::ZERO, proposed: term, granted: true };
        tell(
            &mut raft,
            [
                Input::Command(Command::Campaign),
                from(2, yes),
                from(2, Message::VoteReply { term, granted: true }),
                Input::Persisted(Receipt::attest(WriteId::new(1))),
                from(2, Message::Appended { term, matched: LogIndex::new(1) }),
                Input::Propose { tag: Tag::new(7), count: 2 },
            ],
        );
        let seen = raft.observe();
        assert_eq!(field(&seen, "role"), Value::word("Leader"));
        assert_eq!(
            field(&seen, "log"),
            Value::record([("base", numbers([0, 0])), ("runs", Value::List(vec![numbers([1, 3])])),])
        );
        assert_eq!(field(&seen, "members"), numbers([1, 2, 3]));
        assert_eq!(field(&seen, "matched"), numbers([0, 1, 0]), "nothing of its own is durable");
        assert_eq!(field(&seen, "next"), numbers([0, 4, 1]));
        let flow = ["Self", "Stream", "Waiting"].map(Value::word);
        assert_eq!(field(&seen, "flow"), Value::List(flow.to_vec()));
        assert_eq!((field(&seen, "unsaved"), field(&seen, "ballot_after")), (2u64.into(), 0u64.into()));
    }

    #[test]
    fn a_message_shows_every_field_and_its_noun() {
        let (term, last, commit) = (Term::new(3), Position::new(2, 9), LogIndex::new(4));
        let span = Span { after: last, runs: Runs::one(term, 2) };
        let append = Message::Append { term, span, commit };
        assert_eq!((append.name(), append.noun()), ("Append", "AppendEntriesRequest"));
        assert_eq!(
            append.observe(),
            Value::record([
                ("term", 3u64.into()),
                ("after", numbers([2, 9])),
                ("runs", Value::List(vec![numbers([3, 2])])),
                ("commit", 4u64.into()),
            ])
        );
        let conflict = Message::Conflict { term, refused: commit, hint: last };
        assert_eq!((conflict.name(), conflict.noun()), ("Conflict", "AppendEntriesResponse"));
        assert_eq!(conflict.observe().get("hint"), Some(&numbers([2, 9])));
        let ballot = Ballot { term, vote: Some(NodeId::new(2)) };
        let stored = Value::record([("term", 3u64.into()), ("vote", 2u64.into())]);
        assert_eq!(hard_state(&ballot.encode()), stored);
        assert_eq!(hard_state(&HardState::from_array([9])), Value::Null);
    }
}
