//! A Raft node told whatever the types allow, by its peers, its callers and its disk.

use std::time::Duration;

use synod_raft::fault::Sound;
use synod_raft::{Ballot, Command, Config, Message, Raft};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Fatal, Input, Machine as _};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{LogSummary, Receipt};
use synod_transport::time::Instant;

use crate::tape::Tape;

type Node = Raft<Static, Sound>;

/// The input is a course of a node: its settings, what its disk holds, then what it is told. It never panics; it goes
/// on with its invariants upheld, or finds one broken and says the same for ever after.
pub fn raft_machine(data: &[u8]) {
    run(data);
}

/// Runs a course; gives the node as it was before its end or its stop.
fn run(data: &[u8]) -> Option<Node> {
    let mut tape = Tape::new(data);
    let node = started(&mut tape)?;
    let mut course = Course {
        term: node.term(),
        commit: node.commit(),
        node,
        effects: Effects::default(),
        now: Instant::ZERO,
        written: WriteId::ZERO,
        durable: WriteId::ZERO,
        applied: LogIndex::ZERO,
    };
    for _ in 0..400 {
        if tape.is_over() {
            break;
        }
        let input = course.input(&mut tape);
        if let Err(fatal) = course.step(input) {
            for _ in 0..2 {
                let input = course.input(&mut tape);
                let again = course.node.step(course.now, input, &mut course.effects);
                assert_eq!(again, Err(fatal), "a stopped node stays stopped");
            }
            break;
        }
    }
    Some(course.node)
}

/// A node from whatever its disk may hold; none when it refuses to start.
fn started(tape: &mut Tape<'_>) -> Option<Node> {
    let flags = tape.byte();
    let members = 1 + u64::from(flags & 3) + u64::from(flags & 4) / 2;
    let mut config = Config::new(NodeId::new(1));
    config.pre_vote = flags & 8 != 0;
    config.check_quorum = flags & 16 != 0;
    if flags & 32 != 0 {
        config.max_batch = 1 + u32::from(tape.below(4));
        config.max_messages_in_flight = 1 + u32::from(tape.below(3));
        config.max_uncommitted = 1 + u64::from(tape.below(9));
        config.max_pending_reads = tape.below(4).into();
    }
    let mut stored = LogSummary::default();
    if flags & 64 != 0 {
        let mut term = u64::from(tape.below(3));
        stored.base = Position::new(term, tape.number(5));
        for _ in 0..tape.below(6) {
            term = term.saturating_add(tape.below(2).into());
            stored.push(Term::new(term));
        }
        let vote = tape.flag().then(|| NodeId::new(tape.number(1)));
        let ballot = Ballot { term: Term::new(tape.number(term)), vote };
        stored.hard_state = tape.flag().then(|| ballot.encode());
    }
    let members = Members::new((1..=members).map(NodeId::new)).expect("few members");
    Raft::new(config, Static::new(members), &stored).ok()
}

/// A node under way, and what it must not fall behind.
struct Course {
    node: Node,
    effects: Effects<Message>,
    now: Instant,
    term: Term,
    commit: LogIndex,
    /// The newest write that it asked for, and the newest that it was told to be durable.
    written: WriteId,
    durable: WriteId,
    applied: LogIndex,
}

impl Course {
    fn input(&mut self, tape: &mut Tape<'_>) -> Input<Message, Command> {
        let tag = |tape: &mut Tape<'_>| Tag::new(tape.below(3).into());
        match tape.below(24) {
            0 | 1 => {
                self.now = self.now.plus(Duration::from_millis(u64::from(tape.byte()) * 10));
                Input::Wake
            }
            2 => {
                self.now = self.effects.wake_at.max(self.now);
                Input::Wake
            }
            3 => Input::Propose { tag: tag(tape), count: u32::from(tape.below(6)) },
            4 => Input::Propose { tag: tag(tape), count: tape.u32() },
            5 => Input::Read { tag: tag(tape) },
            6 => Input::Command(Command::Campaign),
            7..=9 => Input::Persisted(Receipt::attest(self.written)),
            10 => {
                let through = tape.number(self.durable.get().saturating_add(1));
                Input::Persisted(Receipt::attest(WriteId::new(through)))
            }
            _ => {
                let from = NodeId::new(if tape.byte() < 240 {
                    2 + u64::from(tape.below(4))
                } else {
                    tape.number(1)
                });
                Input::Message { from, message: self.message(tape) }
            }
        }
    }

    fn message(&self, tape: &mut Tape<'_>) -> Message {
        let current = self.node.term().get();
        let kind = tape.byte();
        let term = Term::new(if kind < 192 { current } else { tape.number(current) });
        let proposed = |tape: &mut Tape<'_>| Term::new(tape.number(current.saturating_add(1)));
        let index = |tape: &mut Tape<'_>, near: LogIndex| LogIndex::new(tape.number(near.get()));
        let last = self.node.log().last().index;
        match kind % 10 {
            0 => Message::PreVote { term, proposed: proposed(tape), last: self.position(tape) },
            1 => Message::PreVoteReply { term, proposed: proposed(tape), granted: tape.byte() < 192 },
            2 => Message::Vote { term, last: self.position(tape) },
            3 => Message::VoteReply { term, granted: tape.byte() < 192 },
            4 => Message::Append { term, span: self.span(tape), commit: index(tape, self.commit) },
            5 => Message::Appended { term, matched: index(tape, last) },
            6 => Message::Conflict { term, refused: index(tape, last), hint: self.position(tape) },
            7 => {
                let commit = index(tape, self.commit);
                Message::Heartbeat { term, commit, round: tape.number(1) }
            }
            8 => Message::HeartbeatReply { term, round: tape.number(1) },
            _ => Message::Outdated { term },
        }
    }

    /// A position in the log, or near it, or anywhere.
    fn position(&self, tape: &mut Tape<'_>) -> Position {
        let last = self.node.log().last();
        let index = LogIndex::new(tape.number(last.index.get()));
        let held = self.node.log().term_at(index).filter(|_| tape.byte() < 192);
        Position { term: held.unwrap_or_else(|| Term::new(tape.number(last.term.get()))), index }
    }

    /// Any span that a decoder lets through: terms rise, and the indices end before the last there is.
    fn span(&self, tape: &mut Tape<'_>) -> Span {
        let after = self.position(tape);
        let mut runs = Runs::none();
        let mut term = after.term.get();
        for _ in 0..tape.below(5) {
            let count = 1 + u32::from(tape.below(4));
            let fits = after.index.get().checked_add(u64::from(runs.count()) + u64::from(count)).is_some();
            if !fits || !runs.push(Term::new(term), count) {
                break;
            }
            term = tape.number(term).max(term);
        }
        Span { after, runs }
    }

    fn step(&mut self, input: Input<Message, Command>) -> Result<(), Fatal> {
        if let Input::Persisted(receipt) = &input {
            self.durable = self.durable.max(receipt.through());
        }
        self.node.step(self.now, input, &mut self.effects)?;
        self.node.check_invariants()?;
        if let Some(write) = self.effects.write.take() {
            assert_eq!(write.id, self.written.next(), "writes are numbered without a gap");
            self.written = write.id;
        }
        assert!(self.effects.sealed.iter().all(|sealed| sealed.after() <= self.written));
        assert!(self.node.term() >= self.term && self.node.commit() >= self.commit, "neither falls");
        (self.term, self.commit) = (self.node.term(), self.node.commit());
        let through = self.effects.apply_through;
        assert!(through >= self.applied && through <= self.commit, "only what is committed is applied");
        self.applied = through;
        for sent in &self.effects.send {
            self.check_sent(sent.to, &sent.message);
        }
        self.effects.send.clear();
        self.effects.sealed.clear();
        self.effects.events.clear();
        Ok(())
    }

    /// What a node says is about its own term and its own log.
    fn check_sent(&self, to: NodeId, message: &Message) {
        assert_ne!(to, NodeId::new(1), "a node does not write to itself");
        assert!(message.term() <= self.term);
        if let Message::Append { span, commit, .. } = message {
            let log = self.node.log();
            assert_eq!(log.term_at(span.after.index), Some(span.after.term));
            assert!(span.positions().all(|it| log.term_at(it.index) == Some(it.term)));
            assert!(*commit <= self.commit);
        }
    }
}

/// Courses in which a node is elected and replicates, and one in which it follows.
pub fn raft_machine_seeds() -> Vec<Vec<u8>> {
    let near = 128;
    // A member of three without pre-vote stands, gets its vote to disk and a vote from the second, and leads.
    let lead = vec![0b10, 6, 7, 11, 0, 0, 3, 0, 7, 11, 0, 0, 5, near];
    let rest = [
        vec![3, 0, 4, 7, 11, 0, 0, 5, near, 11, 0, 1, 5, near, 5, 1],
        vec![1, 5, 11, 0, 0, 8, 1, 2, 2, 2],
        vec![3, 0, 5, 11, 0, 0, 6, near, near, 0, 11, 0, 0, 9],
    ];
    let mut seeds: Vec<Vec<u8>> = rest.iter().map(|rest| [lead.clone(), rest.clone()].concat()).collect();
    // A follower that takes entries, some of them again, and heartbeats.
    let append = [11, 0, 0, 194, 1, 0, 0, 2, 1, 1, 1, 1, 0];
    seeds.push([[0b1_1010].as_slice(), &append, &[7], &append, &[7, 11, 0, 0, 7, 1, 1]].concat());
    let whole: Vec<u8> = (0..=255).collect();
    seeds.extend([whole.clone(), whole.iter().rev().copied().collect()]);
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_transport::machine::Role;

    #[test]
    fn the_seeds_lead_commit_and_follow() {
        let ends: Vec<Node> = raft_machine_seeds().iter().filter_map(|seed| run(seed)).collect();
        let led = ends.iter().filter(|node| node.role() == Role::Leader).count();
        assert!(led >= 2, "{led} seeds lead");
        assert!(ends.iter().any(|node| node.role() == Role::Leader && node.commit() > LogIndex::new(1)));
        assert!(
            ends.iter().any(|node| node.role() == Role::Follower && node.log().last().index > LogIndex::ZERO)
        );
    }
}
