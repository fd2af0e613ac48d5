//! Whatever peers, callers and disks say: a node never panics. It goes on, or it finds an invariant broken and refuses
//! all further work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::*;
use proptest::prelude::*;
use synod_raft::{Command, Message};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Fatal, Input, Machine, Message as _, Role};
use synod_transport::rng::Rng;
use synod_transport::store::Receipt;
use synod_transport::time::Instant;
use synod_transport::wire::{Reader, Writer};

/// How near to the truth the numbers in a message are.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// Close to what the node holds, so that many messages are accepted.
    Near,
    /// Small numbers.
    Small,
    /// Small numbers and the ends of the range.
    Wild,
}

struct Garbage {
    rng: Rng,
    style: Style,
}

impl Garbage {
    fn number(&mut self, near: u64) -> u64 {
        let step = self.rng.below(4);
        match self.style {
            Style::Near => near.saturating_add(step.saturating_sub(1)).saturating_sub(self.rng.below(3)),
            Style::Small => self.rng.below(9),
            Style::Wild => match self.rng.below(8) {
                0 => u64::MAX,
                1 => u64::MAX - 1,
                2 => near,
                _ => self.rng.below(9),
            },
        }
    }

    fn position(&mut self, node: &Node) -> Position {
        let (term, index) = node.last();
        let index = LogIndex::new(self.number(index));
        let held = node.raft.log().term_at(index).filter(|_| self.rng.below(3) > 0);
        Position { term: held.unwrap_or(Term::new(self.number(term))), index }
    }

    fn message(&mut self, node: &Node) -> Message {
        let current = node.term();
        let term = Term::new(if self.rng.below(4) > 0 { current } else { self.number(current) });
        let granted = self.rng.below(2) == 0;
        let proposed = Term::new(self.number(current.saturating_add(1)));
        let index = LogIndex::new(self.number(node.last().1));
        let commit = LogIndex::new(self.number(node.commit()));
        match self.rng.below(10) {
            0 => Message::PreVote { term, proposed, last: self.position(node) },
            1 => Message::PreVoteReply { term, proposed, granted },
            2 => Message::Vote { term, last: self.position(node) },
            3 => Message::VoteReply { term, granted },
            4 => Message::Append { term, span: self.span(node), commit },
            5 => Message::Appended { term, matched: index },
            6 => Message::Conflict { term, refused: index, hint: self.position(node) },
            7 => Message::Heartbeat { term, commit, round: self.rng.below(3) },
            8 => Message::HeartbeatReply { term, round: self.rng.below(3) },
            _ => Message::Outdated { term },
        }
    }

    fn span(&mut self, node: &Node) -> Span {
        let after = self.position(node);
        let mut runs = Runs::none();
        let mut term = after.term.get();
        for _ in 0..self.rng.below(4) {
            term = term.saturating_add(self.rng.below(2));
            runs.push(Term::new(term), 1 + u32::try_from(self.rng.below(3)).unwrap());
        }
        Span { after, runs }
    }

    fn input(&mut self, node: &Node) -> Input<Message, Command> {
        let tag = Tag::new(self.rng.below(3));
        match self.rng.below(20) {
            0 => Input::Wake,
            1 => Input::Propose { tag, count: u32::try_from(self.rng.below(5)).unwrap() },
            2 => Input::Read { tag },
            3 => Input::Command(Command::Campaign),
            4 if matches!(self.style, Style::Wild) => {
                Input::Persisted(Receipt::attest(WriteId::new(self.number(1))))
            }
            _ => {
                let from = NodeId::new(self.rng.below(5));
                Input::Message { from, message: self.message(node) }
            }
        }
    }
}

/// The message as it comes off the wire; none when the wire refuses it.
fn over_the_wire(message: Message) -> Option<Message> {
    let mut writer = Writer::default();
    message.encode(&mut writer);
    let mut reader = Reader::new(writer.take());
    let message = Message::decode(&mut reader).ok()?;
    reader.finish().ok().map(|()| message)
}

/// What a torment came to.
struct Course {
    node: Node,
    /// Invariants that were found broken.
    reasons: BTreeSet<&'static str>,
    /// Inputs that were taken.
    taken: usize,
    led: usize,
}

/// Gives a node `steps` inputs. Where one breaks an invariant, the node that stopped must stay so; its twin, which has
/// not had that input, goes on.
fn torment(seed: u64, style: Style, steps: usize) -> Course {
    let mut garbage = Garbage { rng: Rng::new(seed), style };
    let setup = match seed % 3 {
        0 => node(1),
        1 => node(1).log(&[1, 1, 2]),
        _ => node(1).base(2, 4).log(&[2, 3, 3]).plain(),
    };
    let mut node = setup.config(|config| config.max_uncommitted = 1000).start();
    let mut course = Course { node: node.clone(), reasons: BTreeSet::new(), taken: 0, led: 0 };
    for _ in 0..steps {
        node.now = node.now.plus(Duration::from_millis(garbage.rng.below(400)));
        if garbage.rng.below(3) == 0 {
            node.try_persist().expect("an honest disk breaks nothing");
        }
        let mut input = garbage.input(&node);
        if let Input::Message { from, message } = input {
            let Some(message) = over_the_wire(message) else { continue };
            input = Input::Message { from, message };
        }
        let before = node.clone();
        if let Err(fatal) = node.try_step(input.clone()) {
            course.reasons.insert(fatal.0);
            refuses_everything(node, fatal);
            node = before;
            continue;
        }
        course.taken += 1;
        course.led += usize::from(node.role() == Role::Leader);
        let fell = node.term() < before.term() || node.commit() < before.commit();
        assert!(!fell, "term or commit index fell at {input:?}");
        node.raft.check_invariants().unwrap_or_else(|fatal| panic!("{fatal} after {input:?}"));
        assert!(node.log().is_sorted(), "terms fall in {:?} after {input:?}", node.log());
    }
    course.node = node;
    course
}

/// After an invariant was found broken, nothing is taken, and nothing is asked for.
fn refuses_everything(mut node: Node, fatal: Fatal) {
    let state = node.raft.clone();
    let mut effects = Effects::default();
    let inputs = [
        Input::Wake,
        Input::Propose { tag: Tag::new(1), count: 1 },
        Input::Read { tag: Tag::new(1) },
        Input::Command(Command::Campaign),
        Input::Persisted(Receipt::attest(WriteId::new(1))),
        Input::Message { from: NodeId::new(2), message: outdated(u64::MAX) },
        Input::Message {
            from: NodeId::new(2),
            message: vote(node.term().saturating_add(1), (u64::MAX, u64::MAX)),
        },
    ];
    for input in inputs {
        assert_eq!(node.raft.step(Instant::MAX, input, &mut effects), Err(fatal));
    }
    assert!(effects.send.is_empty() && effects.sealed.is_empty() && effects.events.is_empty());
    assert!(effects.write.is_none());
    assert_eq!(node.raft, state, "nothing moved");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_node_survives_whatever_comes(seed: u64, style in prop_oneof![Just(Style::Near), Just(Style::Small), Just(Style::Wild)]) {
        let course = torment(seed, style, 4000);
        prop_assert!(course.taken > 0);
    }
}

/// The inputs are neither so wild that a node takes none, nor so tame that nothing happens: over the seeds nodes lead,
/// commit, and stop for every reason there is.
#[test]
fn the_torment_reaches_far() {
    let mut reasons = BTreeSet::new();
    let (mut taken, mut led, mut committed) = (0, 0, 0);
    for seed in 0..60 {
        for style in [Style::Near, Style::Small, Style::Wild] {
            let course = torment(seed, style, 1000);
            reasons.extend(course.reasons);
            taken += course.taken;
            led += course.led;
            committed = committed.max(course.node.commit());
        }
    }
    assert!(reasons.len() >= 9, "{reasons:?}");
    assert!(
        taken > 50_000 && led > 1000 && committed > 20,
        "{taken} taken, {led} as leader, {committed} committed"
    );
}
