//! The state of a node and the order of a step.

use std::collections::VecDeque;

use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Input, Machine, Refusal, Role};
use synod_transport::quorum::{ConfigurationHistory, NodeSet, QuorumSystem, Static};
use synod_transport::rng::Rng;
use synod_transport::store::{Append, Body, HardState, LogSummary, Receipt, Write};
use synod_transport::time::Instant;
use synod_transport::trace::Value;

use crate::config::{Config, ConfigError, RestoreError};
use crate::durable::Ballot;
use crate::fault::{Fault, Faults, Sound};
use crate::message::Message;
use crate::observe;
use crate::progress::Progress;
use crate::term_log::TermLog;

/// One node of a Raft cluster.
///
/// - **Make:** [`Raft::new`] from what a store holds.
/// - **Tell:** [`Machine::step`], usually through a [`Host`](synod_transport::host::Host).
/// - **Ask:** [`role`](Raft::role), [`term`](Raft::term), [`leader`](Raft::leader), [`commit`](Raft::commit),
///   [`log`](Raft::log), [`check_invariants`](Raft::check_invariants).
///
/// `H` says which configuration is in force; `F` is [`Sound`] outside of tests.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Raft<H = Static, F = Sound> {
    pub(crate) settings: Settings,
    pub(crate) history: H,
    pub(crate) faults: F,
    pub(crate) ballot: Ballot,
    pub(crate) log: TermLog,
    /// Invariant: never falls, never beyond the log's end.
    pub(crate) commit: LogIndex,
    pub(crate) writes: Writes,
    pub(crate) state: State,
    /// The leader of this term, once known and until it is given up.
    pub(crate) leader: Option<NodeId>,
    /// When the leader was last heard from.
    pub(crate) heard_at: Instant,
    /// When to campaign, unless leading. `None` before the first step.
    pub(crate) deadline: Option<Instant>,
    pub(crate) now: Instant,
    pub(crate) rng: Rng,
    pub(crate) announced: (Role, Term, Option<NodeId>),
    failed: Option<Fatal>,
}

/// The configuration in the form that steps use. Durations are nanoseconds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Settings {
    pub(crate) id: NodeId,
    pub(crate) election_timeout: core::time::Duration,
    pub(crate) heartbeat_interval: core::time::Duration,
    pub(crate) max_batch: u32,
    pub(crate) window: u32,
    pub(crate) max_uncommitted: u64,
    pub(crate) max_pending_reads: usize,
    pub(crate) pre_vote: bool,
    pub(crate) check_quorum: bool,
}

/// What was asked of the disk, and how far it has come.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Writes {
    /// The newest write.
    pub(crate) last: WriteId,
    /// The newest that is durable. Invariant: at most `last`.
    pub(crate) durable: WriteId,
    /// The write that holds the current ballot.
    pub(crate) ballot: WriteId,
    /// Appends that are not durable yet, and the log's end as each left it, cut down by later truncations
    /// (raft_s18: the receipt of an entry that was since replaced says nothing about its successor).
    pub(crate) appends: VecDeque<(WriteId, LogIndex)>,
    /// The log is durable through here. Invariant: at most the log's end.
    pub(crate) persisted: LogIndex,
}

/// Role and what only that role knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum State {
    Follower,
    PreCandidate(Tally),
    Candidate(Tally),
    Leader(Leader),
}

/// Answers to a campaign, by slot, so that none counts twice (raft_s08).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) yes: NodeSet,
    pub(crate) no: NodeSet,
}

/// Volatile state on leaders (figure 2), by slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Leader {
    pub(crate) peers: Vec<Progress>,
    /// The last index known to agree and to be durable, this node's own included.
    pub(crate) matched: Vec<LogIndex>,
    /// Who was heard from since the last check of the quorum.
    pub(crate) active: NodeSet,
    pub(crate) heartbeat_at: Instant,
    pub(crate) check_at: Instant,
    /// The durable write at the last check, if later ones were waiting for the disk then.
    pub(crate) waiting_behind: Option<WriteId>,
    /// Number of the last question to the followers.
    pub(crate) round: u64,
    pub(crate) reads: VecDeque<PendingRead>,
}

/// A read that waits for its confirmation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct PendingRead {
    pub(crate) tag: Tag,
    /// The commit index when the round began; none while the leader has committed nothing of its own term.
    pub(crate) index: Option<LogIndex>,
    pub(crate) round: u64,
}

/// What Raft can be told beyond the common inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Campaign now instead of at the end of the election timeout.
    Campaign,
}

impl<H: ConfigurationHistory> Raft<H, Sound> {
    /// A node from its configuration and what its store holds.
    ///
    /// # Errors
    /// When the configuration cannot work or the stored state is not one that this crate wrote.
    pub fn new(config: Config, history: H, stored: &LogSummary) -> Result<Self, RestoreError> {
        Self::with_faults(config, history, stored, Sound)
    }
}

impl<H: ConfigurationHistory, F: Faults> Raft<H, F> {
    /// A node that may deviate; for checkers.
    ///
    /// # Errors
    /// As [`Raft::new`].
    #[expect(clippy::needless_pass_by_value, reason = "the configuration is handed over for good")]
    pub fn with_faults(
        config: Config,
        history: H,
        stored: &LogSummary,
        faults: F,
    ) -> Result<Self, RestoreError> {
        config.check()?;
        if history.members().slot(config.id).is_none() {
            return Err(ConfigError::NotAMember(config.id).into());
        }
        let ballot = match &stored.hard_state {
            None => Ballot::default(),
            Some(state) => Ballot::decode(state).ok_or(RestoreError::HardState)?,
        };
        let log = TermLog::from_summary(stored).ok_or(RestoreError::TermsFall)?;
        if log.last().index.get() >= 1 << 62 {
            return Err(RestoreError::TooLong);
        }
        if log.last().term > ballot.term {
            return Err(RestoreError::TermBehindLog);
        }
        let writes = Writes { persisted: log.last().index, ..Writes::default() };
        Ok(Self {
            settings: Settings {
                id: config.id,
                election_timeout: config.election_timeout,
                heartbeat_interval: config.heartbeat_interval,
                max_batch: config.max_batch,
                window: config.max_messages_in_flight,
                max_uncommitted: config.max_uncommitted,
                max_pending_reads: config.max_pending_reads,
                pre_vote: config.pre_vote,
                check_quorum: config.check_quorum,
            },
            history,
            faults,
            ballot,
            commit: log.base().index,
            log,
            writes,
            state: State::Follower,
            leader: None,
            heard_at: Instant::ZERO,
            deadline: None,
            now: Instant::ZERO,
            rng: Rng::new(config.seed),
            announced: (Role::Follower, Term::ZERO, None),
            failed: None,
        })
    }

    /// What this node is at present.
    pub fn role(&self) -> Role {
        match self.state {
            State::Follower => Role::Follower,
            State::PreCandidate(_) => Role::PreCandidate,
            State::Candidate(_) => Role::Candidate,
            State::Leader(_) => Role::Leader,
        }
    }

    /// The current term.
    pub fn term(&self) -> Term {
        self.ballot.term
    }

    /// The current term and the vote in it.
    pub fn ballot(&self) -> Ballot {
        self.ballot
    }

    /// The leader of the current term, as far as known.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// The last index known to be committed.
    pub fn commit(&self) -> LogIndex {
        self.commit
    }

    /// The last index that is durable here.
    pub fn persisted(&self) -> LogIndex {
        self.writes.persisted
    }

    /// The log's terms.
    pub fn log(&self) -> &TermLog {
        &self.log
    }

    /// As a leader: the last index each member is known to hold, by slot.
    pub fn matched(&self) -> Option<&[LogIndex]> {
        match &self.state {
            State::Leader(leader) => Some(&leader.matched),
            _ => None,
        }
    }

    /// What every step upholds. O(members + unsynced writes).
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check_invariants(&self) -> Result<(), Fatal> {
        let holds = |it: bool, what| if it { Ok(()) } else { Err(Fatal(what)) };
        let last = self.log.last();
        holds(self.commit <= last.index, "commit index within the log")?;
        holds(self.commit >= self.log.base().index, "commit index not before the log's base")?;
        holds(self.writes.persisted <= last.index, "durable index within the log")?;
        holds(self.writes.durable <= self.writes.last, "durable write was made")?;
        holds(last.term <= self.ballot.term, "log's last term not beyond the current")?;
        holds(
            self.writes.appends.iter().all(|(_, end)| *end <= last.index),
            "pending appends within the log",
        )?;
        if let State::Leader(leader) = &self.state {
            holds(self.ballot.vote == Some(self.settings.id), "a leader voted for itself")?;
            holds(last.term == self.ballot.term, "a leader's log ends in its term")?;
            let peers = leader.peers.iter().zip(&leader.matched).enumerate();
            for (slot, (peer, matched)) in peers {
                holds(*matched <= last.index, "matched index within the log")?;
                holds(self.is_me(slot) || *matched < peer.next, "matched before next")?;
                holds(peer.next <= last.index.next(), "next index within the log")?;
            }
        }
        Ok(())
    }

    pub(crate) fn id(&self) -> NodeId {
        self.settings.id
    }

    pub(crate) fn is_me(&self, slot: usize) -> bool {
        self.history.members().id(slot) == Some(self.settings.id)
    }

    /// This node alone.
    pub(crate) fn myself(&self) -> NodeSet {
        self.history.members().slot(self.settings.id).map_or(NodeSet::EMPTY, |slot| NodeSet::EMPTY.with(slot))
    }

    /// The write of this step, begun by whoever needs it first.
    pub(crate) fn write<'e>(&mut self, effects: &'e mut Effects<Message>) -> &'e mut Write {
        effects.write.get_or_insert_with(|| {
            self.writes.last = self.writes.last.next();
            Write {
                id: self.writes.last,
                truncate_from: None,
                append: None,
                hard_state: None,
                purge_through: None,
            }
        })
    }

    /// Writes the ballot as it is now.
    pub(crate) fn write_ballot(&mut self, effects: &mut Effects<Message>) {
        let state = self.ballot.encode();
        self.write(effects).hard_state = Some(state);
        self.writes.ballot = self.writes.last;
    }

    /// Adds entries at the log's end and writes them.
    pub(crate) fn append(&mut self, runs: Runs, body: Body, effects: &mut Effects<Message>) -> Span {
        let span = Span { after: self.log.last(), runs };
        for run in runs.as_slice() {
            self.log.push(run.term, run.count);
        }
        self.write(effects).append = Some(Append { span, body });
        self.writes.appends.push_back((self.writes.last, self.log.last().index));
        span
    }

    /// Cuts the log and writes that.
    pub(crate) fn truncate(&mut self, from: LogIndex, effects: &mut Effects<Message>) {
        self.log.truncate(from);
        self.history.truncated(from);
        self.write(effects).truncate_from = Some(from);
        if self.faults.has(Fault::StaleDurableIndex) {
            return;
        }
        let end = from.previous();
        self.writes.persisted = self.writes.persisted.min(end);
        for (_, last) in &mut self.writes.appends {
            *last = end.min(*last);
        }
    }

    /// Says something that rests on the current ballot.
    pub(crate) fn say(&self, to: NodeId, message: Message, effects: &mut Effects<Message>) {
        self.say_after(self.writes.ballot, to, message, effects);
    }

    /// Says something that rests on everything written so far.
    pub(crate) fn say_once_written(&self, to: NodeId, message: Message, effects: &mut Effects<Message>) {
        self.say_after(self.writes.last, to, message, effects);
    }

    fn say_after(&self, after: WriteId, to: NodeId, message: Message, effects: &mut Effects<Message>) {
        if after <= self.writes.durable {
            effects.send(to, message);
        } else {
            effects.send_after(after, to, message);
        }
    }

    /// A new wait in `[T, 2T)` (section 5.2).
    pub(crate) fn reset_deadline(&mut self) {
        let timeout = self.settings.election_timeout;
        let spread = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX / 2);
        let extra = core::time::Duration::from_nanos(self.rng.below(spread));
        self.deadline = Some(self.now.plus(timeout).plus(extra));
    }

    /// Becomes a follower in this term, at a leader's word or at the sight of a later term (figure 2, "all servers").
    pub(crate) fn follow(&mut self, term: Term, leader: Option<NodeId>, effects: &mut Effects<Message>) {
        if term > self.ballot.term {
            self.ballot = Ballot { term, vote: None };
            self.leader = None;
            if !self.faults.has(Fault::TermNotPersisted) {
                self.write_ballot(effects);
            }
        } else if self.faults.has(Fault::ForgetVote) && self.ballot.vote.is_some() {
            self.ballot.vote = None;
            self.write_ballot(effects);
        }
        if let State::Leader(led) = &mut self.state {
            self.leader = None;
            let reason = Refusal::NotLeader { leader };
            effects.events.extend(led.reads.drain(..).map(|read| Event::Refused { tag: read.tag, reason }));
        }
        if !matches!(self.state, State::Follower) {
            self.state = State::Follower;
            self.reset_deadline();
        }
        if leader.is_some() {
            self.leader = leader;
        }
    }

    fn take(&mut self, input: &Input<Message, Command>, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        match input {
            Input::Wake => self.wake(effects),
            Input::Message { from, message } => self.message(*from, *message, effects),
            Input::Persisted(receipt) => self.on_persisted(receipt, effects),
            Input::Propose { tag, count } => self.propose(*tag, *count, effects),
            Input::Read { tag } => self.read(*tag, effects),
            Input::Command(Command::Campaign) => {
                if self.role() != Role::Leader {
                    self.campaign(effects)?;
                }
                Ok(())
            }
        }
    }

    fn wake(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        if matches!(self.state, State::Leader(_)) {
            self.leader_wake(effects)
        } else if self.deadline.is_some_and(|deadline| self.now >= deadline) {
            self.campaign(effects)
        } else {
            Ok(())
        }
    }

    fn message(
        &mut self,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let Some(slot) = self.history.members().slot(from) else { return Ok(()) };
        if self.is_me(slot) {
            return Ok(());
        }
        // A pre-vote speaks of a term to come and moves nobody; its answer may come from an earlier term.
        if let Message::PreVote { proposed, last, .. } = message {
            self.on_pre_vote(from, proposed, last, effects);
            return Ok(());
        }
        if message.term() > self.term() {
            if matches!(message, Message::Vote { .. }) && self.hears_leader() {
                return Ok(());
            }
            self.follow(message.term(), None, effects);
        }
        if let Message::PreVoteReply { proposed, granted, .. } = message {
            return self.on_pre_vote_reply(slot, proposed, granted, effects);
        }
        let old_counts =
            matches!(message, Message::Appended { .. }) && self.faults.has(Fault::OldAcknowledgementCounts);
        if message.term() < self.term() && !old_counts {
            self.answer_outdated(from, &message, effects);
            return Ok(());
        }
        if let State::Leader(leader) = &mut self.state {
            leader.active.insert(slot);
        }
        match message {
            Message::PreVote { .. } | Message::PreVoteReply { .. } | Message::Outdated { .. } => Ok(()),
            Message::Vote { last, .. } => {
                self.on_vote(from, last, effects);
                Ok(())
            }
            Message::VoteReply { granted, .. } => self.on_vote_reply(slot, granted, effects),
            Message::Append { span, commit, .. } => self.on_append(from, span, commit, effects),
            Message::Appended { matched, .. } => self.on_appended(slot, matched, effects),
            Message::Conflict { refused, hint, .. } => self.on_conflict(slot, refused, hint, effects),
            Message::Heartbeat { commit, round, .. } => self.on_heartbeat(from, commit, round, effects),
            Message::HeartbeatReply { round, .. } => self.on_heartbeat_reply(slot, round, effects),
        }
    }

    /// Tells a sender of an earlier term that its term is over (figure 2, "reply false if term < currentTerm").
    fn answer_outdated(&self, from: NodeId, message: &Message, effects: &mut Effects<Message>) {
        let term = self.term();
        match message {
            Message::Vote { .. } => self.say(from, Message::VoteReply { term, granted: false }, effects),
            Message::Append { .. } | Message::Heartbeat { .. } => {
                self.say(from, Message::Outdated { term }, effects);
            }
            _ => {}
        }
    }

    fn on_persisted(&mut self, receipt: &Receipt, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let through = receipt.through();
        if through > self.writes.last {
            return Err(Fatal("a receipt names a write that was made"));
        }
        if through <= self.writes.durable {
            return Ok(());
        }
        self.writes.durable = through;
        while let Some((write, end)) = self.writes.appends.front().copied() {
            if write > through {
                break;
            }
            self.writes.persisted = end;
            self.writes.appends.pop_front();
        }
        self.count_own_vote(effects)?;
        self.advance_commit(effects);
        Ok(())
    }

    /// What is the same at the end of every step.
    fn finish(&mut self, effects: &mut Effects<Message>) {
        effects.apply_through = self.commit.min(self.writes.persisted).max(effects.apply_through);
        effects.wake_at = match &self.state {
            State::Leader(leader) => leader.heartbeat_at.min(leader.check_at),
            _ => self.deadline.unwrap_or(self.now),
        };
        let current = (self.role(), self.term(), self.leader);
        if current != self.announced {
            self.announced = current;
            let (role, term, leader) = current;
            effects.events.push(Event::Role { role, term, leader });
        }
    }

    /// Whether the position is in this log.
    pub(crate) fn holds(&self, position: Position) -> bool {
        self.log.term_at(position.index) == Some(position.term)
    }

    /// All slots but this node's.
    pub(crate) fn others(&self) -> impl Iterator<Item = (usize, NodeId)> + use<'_, H, F> {
        let ids = self.history.members().ids().iter().copied().enumerate();
        ids.filter(|(_, id)| *id != self.settings.id)
    }

    pub(crate) fn quorum(&self) -> &impl QuorumSystem {
        self.history.quorum()
    }
}

impl<H: ConfigurationHistory, F: Faults> Machine for Raft<H, F> {
    type Message = Message;
    type Command = Command;

    fn id(&self) -> NodeId {
        self.settings.id
    }

    fn observe(&self) -> Value {
        self.observed()
    }

    fn observe_command(&self, command: &Command) -> Value {
        match command {
            Command::Campaign => Value::word("Campaign"),
        }
    }

    fn observe_hard_state(&self, state: &HardState) -> Value {
        observe::hard_state(state)
    }

    fn step(
        &mut self,
        now: Instant,
        input: Input<Message, Command>,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        if let Some(fatal) = self.failed {
            return Err(fatal);
        }
        self.now = self.now.max(now);
        if self.deadline.is_none() {
            self.reset_deadline();
        }
        let result = self.take(&input, effects);
        let result =
            if cfg!(debug_assertions) { result.and_then(|()| self.check_invariants()) } else { result };
        self.failed = result.err();
        self.finish(effects);
        result
    }
}
