//! One node with everything it asks for in plain sight: what leaves at once, what is sealed behind which write, what
//! is written, what is told to the caller.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::time::Duration;

use synod_raft::fault::{Faults, Sound};
use synod_raft::{Ballot, Command, Config, Message, Raft};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Input, Machine, Outgoing, Role};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{HardState, LogSummary, Receipt, Sealed, Write};
use synod_transport::time::Instant;

/// What a node starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    config: Config,
    members: u64,
    disk: Disk,
}

/// Node `id` of a cluster of three with an empty disk.
pub fn node(id: u64) -> Setup {
    Setup { config: Config::new(NodeId::new(id)), members: 3, disk: Disk::default() }
}

impl Setup {
    /// A cluster of nodes 1 to `members`.
    pub fn of(mut self, members: u64) -> Self {
        self.members = members;
        self
    }

    /// A log with these terms from index 1 on; the current term becomes the last of them.
    pub fn log(mut self, terms: &[u64]) -> Self {
        self.disk.log = terms.to_vec();
        self.ballot(terms.last().copied().unwrap_or(0), None)
    }

    /// The entries through this position are purged; [`Setup::log`] gives those behind it.
    pub fn base(mut self, term: u64, index: u64) -> Self {
        self.disk.base = Position::new(term, index);
        self
    }

    /// Current term and vote.
    pub fn ballot(mut self, term: u64, vote: Option<u64>) -> Self {
        self.disk.hard = Some(Ballot { term: Term::new(term), vote: vote.map(NodeId::new) }.encode());
        self
    }

    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Elections as in the paper itself, without the thesis's pre-vote and check-quorum.
    pub fn plain(self) -> Self {
        self.config(|config| {
            config.pre_vote = false;
            config.check_quorum = false;
        })
    }

    pub fn start(self) -> Node<Sound> {
        self.start_with(Sound)
    }

    pub fn start_with<F: Faults>(self, faults: F) -> Node<F> {
        let members = Members::new((1..=self.members).map(NodeId::new)).unwrap();
        let history = Static::new(members);
        let raft = Raft::with_faults(self.config.clone(), history, &self.disk.summary(), faults.clone());
        let mut node = Node {
            raft: raft.unwrap(),
            now: Instant::ZERO,
            disk: self.disk.clone(),
            unsynced: VecDeque::new(),
            setup: self,
            faults,
            effects: Effects::default(),
            sealed: VecDeque::new(),
        };
        node.wake();
        node
    }

    /// Started, elected, and its first entry durable here.
    pub fn lead(self) -> Node<Sound> {
        let mut node = self.start();
        node.elect();
        node.persist();
        node
    }
}

/// A disk as of the last sync: one term per entry, and the hard state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    base: Position,
    /// Terms of the entries behind the base.
    pub log: Vec<u64>,
    hard: Option<HardState>,
}

impl Disk {
    pub fn ballot(&self) -> Ballot {
        self.hard.map_or(Ballot::default(), |hard| Ballot::decode(&hard).unwrap())
    }

    fn take(&mut self, write: &Write) {
        if let Some(from) = write.truncate_from {
            let keep = from.previous().since(self.base.index);
            self.log.truncate(usize::try_from(keep).unwrap());
        }
        if let Some(append) = &write.append {
            let next = self.base.index.plus(self.log.len() as u64).next();
            assert_eq!(append.span.first(), next, "an append that leaves a hole");
            self.log.extend(append.span.positions().map(|position| position.term.get()));
        }
        self.hard = write.hard_state.or(self.hard);
    }

    fn summary(&self) -> LogSummary {
        let mut summary = LogSummary { base: self.base, hard_state: self.hard, runs: Vec::new() };
        self.log.iter().for_each(|term| summary.push(Term::new(*term)));
        summary
    }
}

/// What one step asked for.
#[derive(Clone, Debug, Default)]
pub struct Out {
    /// Left at once.
    pub send: Vec<(u64, Message)>,
    /// Held back until this write is durable, in the order in which they were said.
    pub sealed: Vec<WriteId>,
    /// Let go by the receipt of this step.
    pub opened: Vec<(u64, Message)>,
    pub write: Option<Write>,
    pub events: Vec<Event>,
}

impl Out {
    /// Nothing left, nothing waits, nothing is written.
    pub fn is_silent(&self) -> bool {
        self.send.is_empty() && self.sealed.is_empty() && self.opened.is_empty() && self.write.is_none()
    }

    /// What left at once to this peer.
    pub fn to(&self, peer: u64) -> Vec<Message> {
        self.send.iter().filter(|(to, _)| *to == peer).map(|(_, message)| *message).collect()
    }

    /// The ballot that the step's write holds.
    pub fn ballot(&self) -> Option<(u64, Option<u64>)> {
        let hard = self.write.as_ref()?.hard_state?;
        let ballot = Ballot::decode(&hard).unwrap();
        Some((ballot.term.get(), ballot.vote.map(NodeId::get)))
    }

    /// The positions that the step's write appends, as (term, index).
    pub fn appended(&self) -> Vec<(u64, u64)> {
        let append = self.write.as_ref().and_then(|write| write.append);
        append.map_or(Vec::new(), |append| append.span.positions().map(pair).collect())
    }

    /// From where the step's write cuts the log.
    pub fn truncated(&self) -> Option<u64> {
        self.write.as_ref()?.truncate_from.map(LogIndex::get)
    }

    /// The id of the step's write.
    pub fn write_id(&self) -> WriteId {
        self.write.as_ref().expect("a write").id
    }

    fn and(&mut self, later: Out) {
        self.send.extend(later.send);
        self.sealed.extend(later.sealed);
        self.opened.extend(later.opened);
        self.events.extend(later.events);
        self.write = later.write.or(self.write);
    }
}

/// A machine, its disk, and the messages that wait for the disk.
#[derive(Clone)]
pub struct Node<F: Faults = Sound> {
    pub raft: Raft<Static, F>,
    pub now: Instant,
    /// What a crash leaves.
    pub disk: Disk,
    /// Written and not yet durable.
    pub unsynced: VecDeque<Write>,
    setup: Setup,
    faults: F,
    effects: Effects<Message>,
    sealed: VecDeque<Sealed<Outgoing<Message>>>,
}

impl<F: Faults> Node<F> {
    pub fn id(&self) -> u64 {
        self.raft.id().get()
    }

    pub fn role(&self) -> Role {
        self.raft.role()
    }

    pub fn term(&self) -> u64 {
        self.raft.term().get()
    }

    pub fn commit(&self) -> u64 {
        self.raft.commit().get()
    }

    pub fn vote(&self) -> Option<u64> {
        self.raft.ballot().vote.map(NodeId::get)
    }

    pub fn last(&self) -> (u64, u64) {
        pair(self.raft.log().last())
    }

    /// Term per entry behind the base.
    pub fn log(&self) -> Vec<u64> {
        let first = self.raft.log().base().index.next().get();
        (first..=self.last().1)
            .map(|index| self.raft.log().term_at(LogIndex::new(index)).expect("held").get())
            .collect()
    }

    /// What each member is known to hold, by slot.
    pub fn matched(&self) -> Vec<u64> {
        self.raft.matched().expect("a leader").iter().map(|index| index.get()).collect()
    }

    pub fn apply_through(&self) -> u64 {
        self.effects.apply_through.get()
    }

    /// How long until the machine wants to be woken.
    pub fn wait(&self) -> Duration {
        self.effects.wake_at.since(self.now)
    }

    /// How many messages wait for the disk.
    pub fn sealed(&self) -> usize {
        self.sealed.len()
    }

    pub fn try_step(&mut self, input: Input<Message, Command>) -> Result<Out, Fatal> {
        self.raft.step(self.now, input, &mut self.effects)?;
        let mut out = Out { write: self.effects.write.take(), ..Out::default() };
        out.send.extend(self.effects.send.drain(..).map(|it| (it.to.get(), it.message)));
        out.sealed.extend(self.effects.sealed.iter().map(Sealed::after));
        out.events.append(&mut self.effects.events);
        self.unsynced.extend(out.write);
        self.sealed.extend(self.effects.sealed.drain(..));
        Ok(out)
    }

    pub fn step(&mut self, input: Input<Message, Command>) -> Out {
        self.try_step(input).expect("no invariant broken")
    }

    pub fn wake(&mut self) -> Out {
        self.step(Input::Wake)
    }

    pub fn advance(&mut self, millis: u64) -> Out {
        self.now = self.now.plus(Duration::from_millis(millis));
        self.wake()
    }

    /// Waits until the machine wants to be woken, and wakes it.
    pub fn time_out(&mut self) -> Out {
        self.now = self.now.max(self.effects.wake_at);
        self.wake()
    }

    pub fn campaign(&mut self) -> Out {
        self.step(Input::Command(Command::Campaign))
    }

    pub fn try_deliver(&mut self, from: u64, message: Message) -> Result<Out, Fatal> {
        self.try_step(Input::Message { from: NodeId::new(from), message })
    }

    pub fn deliver(&mut self, from: u64, message: Message) -> Out {
        self.step(Input::Message { from: NodeId::new(from), message })
    }

    pub fn propose(&mut self, tag: u64, count: u32) -> Out {
        self.step(Input::Propose { tag: Tag::new(tag), count })
    }

    pub fn read(&mut self, tag: u64) -> Out {
        self.step(Input::Read { tag: Tag::new(tag) })
    }

    /// The disk takes everything written so far, and says so.
    pub fn try_persist(&mut self) -> Result<Out, Fatal> {
        match self.unsynced.back() {
            None => Ok(Out::default()),
            Some(newest) => self.try_persist_through(newest.id),
        }
    }

    pub fn persist(&mut self) -> Out {
        self.try_persist().expect("no invariant broken")
    }

    /// The disk takes the oldest write only.
    pub fn persist_one(&mut self) -> Out {
        let oldest = self.unsynced.front().expect("an unsynced write").id;
        self.try_persist_through(oldest).expect("no invariant broken")
    }

    fn try_persist_through(&mut self, through: WriteId) -> Result<Out, Fatal> {
        while self.unsynced.front().is_some_and(|write| write.id <= through) {
            let write = self.unsynced.pop_front().expect("just seen");
            self.disk.take(&write);
        }
        let receipt = Receipt::attest(through);
        let mut opened = Vec::new();
        while let Some(sealed) = self.sealed.pop_front() {
            match sealed.open(&receipt) {
                Ok(outgoing) => opened.push((outgoing.to.get(), outgoing.message)),
                Err(sealed) => {
                    self.sealed.push_front(sealed);
                    break;
                }
            }
        }
        let mut out = self.try_step(Input::Persisted(receipt))?;
        out.opened = opened;
        Ok(out)
    }

    /// The same node after a crash: unsynced writes and messages that waited for them are gone.
    pub fn crash(&self) -> Self {
        let mut setup = self.setup.clone();
        setup.disk = self.disk.clone();
        setup.config.seed = setup.config.seed.wrapping_add(100);
        let mut node = setup.start_with(self.faults.clone());
        node.now = self.now;
        node.wake();
        node
    }

    /// Goes through an election in which everyone else says yes. Gives the effects of the step that won, whose first
    /// entry is not durable yet.
    pub fn elect(&mut self) -> Out {
        let mut out = self.campaign();
        out.and(self.persist());
        let proposed = self.raft.term().next();
        for peer in self.peers() {
            if self.role() == Role::PreCandidate {
                let term = self.raft.term();
                out = self.deliver(peer, Message::PreVoteReply { term, proposed, granted: true });
                out.and(self.persist());
            }
        }
        for peer in self.peers() {
            if self.role() == Role::Candidate {
                out = self.deliver(peer, granted(self.term()));
            }
        }
        assert_eq!(self.role(), Role::Leader);
        out
    }

    /// A follower's acknowledgement in this node's term.
    pub fn ack(&mut self, peer: u64, matched: u64) -> Out {
        self.deliver(peer, appended(self.term(), matched))
    }

    pub fn peers(&self) -> Vec<u64> {
        (1..=self.setup.members).filter(|peer| *peer != self.id()).collect()
    }
}

/// Carries messages to and fro between two nodes, disks included, until both are quiet. Gives the number of messages.
pub fn settle<F: Faults>(a: &mut Node<F>, b: &mut Node<F>, from_a: Vec<(u64, Message)>) -> usize {
    let mut line: VecDeque<(u64, u64, Message)> =
        from_a.into_iter().map(|(to, message)| (a.id(), to, message)).collect();
    let mut count = 0;
    while let Some((from, to, message)) = line.pop_front() {
        let receiver = if to == a.id() { &mut *a } else { &mut *b };
        if receiver.id() != to {
            continue;
        }
        count += 1;
        assert!(count < 200, "two nodes that never become quiet");
        let mut out = receiver.deliver(from, message);
        out.and(receiver.persist());
        let said = out.send.into_iter().chain(out.opened);
        line.extend(said.map(|(next, message)| (to, next, message)));
    }
    count
}

fn pair(position: Position) -> (u64, u64) {
    (position.term.get(), position.index.get())
}

pub fn runs(terms: &[u64]) -> Runs {
    let mut runs = Runs::none();
    for term in terms {
        assert!(runs.push(Term::new(*term), 1), "at most four terms, none falling");
    }
    runs
}

/// `AppendEntries` with the entry before, as (term, index), and one term per entry.
pub fn append(term: u64, after: (u64, u64), terms: &[u64], commit: u64) -> Message {
    let span = Span { after: Position::new(after.0, after.1), runs: runs(terms) };
    Message::Append { term: Term::new(term), span, commit: LogIndex::new(commit) }
}

pub fn heartbeat(term: u64, commit: u64, round: u64) -> Message {
    Message::Heartbeat { term: Term::new(term), commit: LogIndex::new(commit), round }
}

pub fn heartbeat_reply(term: u64, round: u64) -> Message {
    Message::HeartbeatReply { term: Term::new(term), round }
}

/// `RequestVote` with the candidate's last entry as (term, index).
pub fn vote(term: u64, last: (u64, u64)) -> Message {
    Message::Vote { term: Term::new(term), last: Position::new(last.0, last.1) }
}

pub fn granted(term: u64) -> Message {
    Message::VoteReply { term: Term::new(term), granted: true }
}

pub fn denied(term: u64) -> Message {
    Message::VoteReply { term: Term::new(term), granted: false }
}

pub fn pre_vote(term: u64, proposed: u64, last: (u64, u64)) -> Message {
    Message::PreVote {
        term: Term::new(term),
        proposed: Term::new(proposed),
        last: Position::new(last.0, last.1),
    }
}

pub fn pre_vote_reply(term: u64, proposed: u64, granted: bool) -> Message {
    Message::PreVoteReply { term: Term::new(term), proposed: Term::new(proposed), granted }
}

pub fn appended(term: u64, matched: u64) -> Message {
    Message::Appended { term: Term::new(term), matched: LogIndex::new(matched) }
}

pub fn conflict(term: u64, refused: u64, hint: (u64, u64)) -> Message {
    let hint = Position::new(hint.0, hint.1);
    Message::Conflict { term: Term::new(term), refused: LogIndex::new(refused), hint }
}

pub fn outdated(term: u64) -> Message {
    Message::Outdated { term: Term::new(term) }
}
