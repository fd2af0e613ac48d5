//! What nodes say to each other: figure 2's remote calls as one-way messages.

use synod_transport::ids::{LogIndex, Position, Term};
use synod_transport::log::Span;
use synod_transport::machine;
use synod_transport::net::Class;
use synod_transport::trace::Value;
use synod_transport::wire::{Reader, WireError, Writer};

use crate::observe;

/// The most entries that a message may claim to carry; a length to check, not a goal.
pub(crate) const MAX_ENTRIES: u32 = 1 << 20;

/// One message. `term` is always the sender's current term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Message {
    /// "Would you vote for me in `proposed`?" Changes nothing at the receiver.
    PreVote {
        /// Sender's term.
        term: Term,
        /// The term it would campaign in.
        proposed: Term,
        /// Its last entry.
        last: Position,
    },
    /// Answer to [`Message::PreVote`].
    PreVoteReply {
        /// Sender's term.
        term: Term,
        /// The term that was asked about.
        proposed: Term,
        /// Whether the sender would vote so.
        granted: bool,
    },
    /// `RequestVote`.
    Vote {
        /// The candidate's term.
        term: Term,
        /// Its last entry.
        last: Position,
    },
    /// Answer to [`Message::Vote`]; a grant leaves only once the vote is durable.
    VoteReply {
        /// The voter's term.
        term: Term,
        /// Whether the candidate has its vote.
        granted: bool,
    },
    /// `AppendEntries`; the entries' payloads travel behind it.
    Append {
        /// The leader's term.
        term: Term,
        /// The previous entry and the terms of those that follow it.
        span: Span,
        /// The leader's commit index.
        commit: LogIndex,
    },
    /// The follower's log agrees with the leader's through `matched`, durably.
    Appended {
        /// The follower's term.
        term: Term,
        /// The last index that is known to agree.
        matched: LogIndex,
    },
    /// The entry before the span is not in the follower's log. Acknowledges nothing (raft_s13).
    Conflict {
        /// The follower's term.
        term: Term,
        /// Index of the previous entry that was refused.
        refused: LogIndex,
        /// The best place at which the logs may agree, for skipping a term at a time (section 5.3, end).
        hint: Position,
    },
    /// "I still lead." Carries no entry, and asks for an answer that names the same round.
    Heartbeat {
        /// The leader's term.
        term: Term,
        /// What this follower may commit: at most what it is known to hold.
        commit: LogIndex,
        /// The leader's own number for the question (raft_s27: never the client's).
        round: u64,
    },
    /// Answer to [`Message::Heartbeat`].
    HeartbeatReply {
        /// The follower's term.
        term: Term,
        /// The round that was asked.
        round: u64,
    },
    /// Answer to a leader whose term is over.
    Outdated {
        /// The sender's, later, term.
        term: Term,
    },
}

impl Message {
    /// The sender's current term.
    pub fn term(&self) -> Term {
        match self {
            Self::PreVote { term, .. }
            | Self::PreVoteReply { term, .. }
            | Self::Vote { term, .. }
            | Self::VoteReply { term, .. }
            | Self::Append { term, .. }
            | Self::Appended { term, .. }
            | Self::Conflict { term, .. }
            | Self::Heartbeat { term, .. }
            | Self::HeartbeatReply { term, .. }
            | Self::Outdated { term } => *term,
        }
    }
}

impl machine::Message for Message {
    fn class(&self) -> Class {
        match self {
            Self::Append { .. } | Self::Appended { .. } | Self::Conflict { .. } => Class::Data,
            _ => Class::Control,
        }
    }

    fn span(&self) -> Option<&Span> {
        match self {
            Self::Append { span, .. } => Some(span),
            _ => None,
        }
    }

    fn split(self, keep: u32) -> (Self, Option<Self>) {
        match self {
            Self::Append { term, span, commit } if keep < span.runs.count() => {
                let (head, tail) = span.split(keep.max(1));
                let rest = (!tail.is_empty()).then_some(Self::Append { term, span: tail, commit });
                (Self::Append { term, span: head, commit }, rest)
            }
            other => (other, None),
        }
    }

    fn encode(&self, out: &mut Writer) {
        let mut head = |tag: u8, term: Term| {
            out.u8(tag);
            out.u64(term.get());
        };
        match self {
            Self::PreVote { term, proposed, last } => {
                head(0, *term);
                out.u64(proposed.get());
                out.position(*last);
            }
            Self::PreVoteReply { term, proposed, granted } => {
                head(1, *term);
                out.u64(proposed.get());
                out.bool(*granted);
            }
            Self::Vote { term, last } => {
                head(2, *term);
                out.position(*last);
            }
            Self::VoteReply { term, granted } => {
                head(3, *term);
                out.bool(*granted);
            }
            Self::Append { term, span, commit } => {
                head(4, *term);
                span.encode(out);
                out.u64(commit.get());
            }
            Self::Appended { term, matched } => {
                head(5, *term);
                out.u64(matched.get());
            }
            Self::Conflict { term, refused, hint } => {
                head(6, *term);
                out.u64(refused.get());
                out.position(*hint);
            }
            Self::Heartbeat { term, commit, round } => {
                head(7, *term);
                out.u64(commit.get());
                out.u64(*round);
            }
            Self::HeartbeatReply { term, round } => {
                head(8, *term);
                out.u64(*round);
            }
            Self::Outdated { term } => head(9, *term),
        }
    }

    fn decode(from: &mut Reader) -> Result<Self, WireError> {
        let tag = from.u8()?;
        let term = from.term()?;
        Ok(match tag {
            0 => Self::PreVote { term, proposed: from.term()?, last: from.position()? },
            1 => Self::PreVoteReply { term, proposed: from.term()?, granted: from.bool("granted")? },
            2 => Self::Vote { term, last: from.position()? },
            3 => Self::VoteReply { term, granted: from.bool("granted")? },
            4 => Self::Append { term, span: Span::decode(from, MAX_ENTRIES)?, commit: from.index()? },
            5 => Self::Appended { term, matched: from.index()? },
            6 => Self::Conflict { term, refused: from.index()?, hint: from.position()? },
            7 => Self::Heartbeat { term, commit: from.index()?, round: from.u64()? },
            8 => Self::HeartbeatReply { term, round: from.u64()? },
            9 => Self::Outdated { term },
            value => return Err(WireError::Undefined { field: "message", value: value.into() }),
        })
    }

    fn name(&self) -> &'static str {
        observe::message_name(self)
    }

    fn noun(&self) -> &'static str {
        observe::message_noun(self)
    }

    fn observe(&self) -> Value {
        observe::message(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::Message as _;
    use proptest::prelude::*;
    use synod_transport::log::Runs;

    fn any_message() -> impl Strategy<Value = Message> {
        (0u8..10, any::<u64>(), 0u64..1000, 0u64..1000, any::<bool>(), 0u32..50).prop_map(
            |(kind, term, a, b, granted, count)| {
                let (term, last, index) = (Term::new(term), Position::new(a, b), LogIndex::new(b));
                match kind {
                    0 => Message::PreVote { term, proposed: Term::new(a), last },
                    1 => Message::PreVoteReply { term, proposed: Term::new(a), granted },
                    2 => Message::Vote { term, last },
                    3 => Message::VoteReply { term, granted },
                    4 => {
                        let span = Span { after: last, runs: Runs::one(Term::new(a + 1), count) };
                        Message::Append { term, span, commit: index }
                    }
                    5 => Message::Appended { term, matched: index },
                    6 => Message::Conflict { term, refused: index, hint: last },
                    7 => Message::Heartbeat { term, commit: index, round: a },
                    8 => Message::HeartbeatReply { term, round: a },
                    _ => Message::Outdated { term },
                }
            },
        )
    }

    #[test]
    fn entries_and_their_answers_never_hold_up_control() {
        let (term, index, last) = (Term::new(2), LogIndex::new(3), Position::new(1, 3));
        let span = Span { after: last, runs: Runs::one(term, 1) };
        let data = [
            Message::Append { term, span, commit: index },
            Message::Appended { term, matched: index },
            Message::Conflict { term, refused: index, hint: last },
        ];
        assert!(data.iter().all(|message| message.class() == Class::Data));
        let control = [
            Message::PreVote { term, proposed: term.next(), last },
            Message::PreVoteReply { term, proposed: term.next(), granted: true },
            Message::Vote { term, last },
            Message::VoteReply { term, granted: true },
            Message::Heartbeat { term, commit: index, round: 1 },
            Message::HeartbeatReply { term, round: 1 },
            Message::Outdated { term },
        ];
        assert!(control.iter().all(|message| message.class() == Class::Control));
    }

    #[test]
    fn a_split_keeps_as_many_entries_as_asked_for_and_at_least_one() {
        let term = Term::new(2);
        let span = Span { after: Position::new(1, 3), runs: Runs::one(term, 4) };
        let whole = Message::Append { term, span, commit: LogIndex::new(3) };
        let counts = |keep| {
            let (head, rest) = whole.split(keep);
            let count = |message: &Message| message.span().expect("an append").runs.count();
            (count(&head), rest.as_ref().map(count))
        };
        assert_eq!(counts(0), (1, Some(3)));
        assert_eq!(counts(1), (1, Some(3)));
        assert_eq!(counts(3), (3, Some(1)));
        assert_eq!([4, 5].map(counts), [(4, None); 2]);
    }

    proptest! {
        #[test]
        fn a_message_survives_the_wire(message in any_message()) {
            let mut writer = Writer::default();
            message.encode(&mut writer);
            let mut reader = Reader::new(writer.take());
            prop_assert_eq!(Message::decode(&mut reader), Ok(message));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn bytes_from_outside_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut reader = Reader::new(bytes.into());
            if let Ok(message) = Message::decode(&mut reader) {
                let mut writer = Writer::default();
                message.encode(&mut writer);
                prop_assert!(!writer.is_empty());
            }
        }

        #[test]
        fn a_split_append_says_the_same_in_two_messages(message in any_message(), keep in 1u32..60) {
            let Some(whole) = message.span().copied() else { return Ok(()) };
            let (head, rest) = message.split(keep);
            let mut all: Vec<_> = head.span().expect("an append").positions().collect();
            if let Some(rest) = rest {
                let span = rest.span().expect("an append");
                prop_assert_eq!(span.after, head.span().expect("an append").last());
                all.extend(span.positions());
            }
            prop_assert_eq!(all, whole.positions().collect::<Vec<_>>());
        }
    }
}
