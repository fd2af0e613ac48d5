//! Log replication: section 5.3 and 5.4.2.

use synod_transport::ids::{LogIndex, NodeId, Position, Tag};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Refusal};
use synod_transport::quorum::{ConfigurationHistory, NodeSet, Phase, QuorumSystem, Verdict};
use synod_transport::store::Body;

use crate::core::{Raft, State};
use crate::fault::{Fault, Faults};
use crate::message::Message;

impl<H: ConfigurationHistory, F: Faults> Raft<H, F> {
    /// "If command received from client: append entry to local log" (figure 2, leaders). All are taken or none.
    pub(crate) fn propose(
        &mut self,
        tag: Tag,
        count: u32,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let mut refuse = |reason| effects.events.push(Event::Refused { tag, reason });
        if !matches!(self.state, State::Leader(_)) {
            refuse(Refusal::NotLeader { leader: self.leader });
            return Ok(());
        }
        let last = self.log.last().index;
        if last.since(self.commit).saturating_add(count.into()) > self.settings.max_uncommitted {
            refuse(Refusal::Busy);
            return Ok(());
        }
        let term = self.term();
        effects.events.push(Event::Accepted { tag, term, first: last.next(), count });
        if count > 0 {
            self.append(Runs::one(term, count), Body::Proposed, effects);
            self.advance_commit(effects);
            self.replicate(effects);
        }
        Ok(())
    }

    /// Sends every follower what it lacks and its window allows. Needs no disk: a leader's term is durable, and what it
    /// sends promises nothing (thesis 10.2.1).
    pub(crate) fn replicate(&mut self, effects: &mut Effects<Message>) {
        for slot in 0..self.history.members().len() {
            if !self.is_me(slot) {
                self.replicate_to(slot, effects);
            }
        }
    }

    pub(crate) fn replicate_to(&mut self, slot: usize, effects: &mut Effects<Message>) {
        let term = self.term();
        let Some(peer) = self.history.members().id(slot) else { return };
        let State::Leader(leader) = &mut self.state else { return };
        let Some(progress) = leader.peers.get_mut(slot) else { return };
        while progress.next <= self.log.last().index && progress.may_send(self.settings.window) {
            // Entries before the log's base can only come with a snapshot.
            let span = self.log.span_after(progress.next.previous(), self.settings.max_batch);
            let Some(span) = span else { break };
            progress.sent(span.last().index);
            effects.send(peer, Message::Append { term, span, commit: self.commit });
        }
    }

    /// A leader's clock: heartbeats, entries that seem lost, and whether a quorum is still there.
    pub(crate) fn leader_wake(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let State::Leader(leader) = &mut self.state else { return Ok(()) };
        if self.now >= leader.check_at {
            leader.check_at = self.now.plus(self.settings.election_timeout);
            let active = core::mem::take(&mut leader.active);
            let waits = self.writes.last > self.writes.durable;
            let before = core::mem::replace(&mut leader.waiting_behind, waits.then_some(self.writes.durable));
            // A leader whose disk does nothing for so long serves nobody (raft_l04); another may have a better one.
            let stalled = waits && before == Some(self.writes.durable);
            if self.settings.check_quorum && (stalled || !self.is_quorum_with_me(active)) {
                self.follow(self.term(), None, effects);
                return Ok(());
            }
        }
        let State::Leader(leader) = &mut self.state else { return Ok(()) };
        if self.now >= leader.heartbeat_at {
            leader.heartbeat_at = self.now.plus(self.settings.heartbeat_interval);
            for (progress, matched) in leader.peers.iter_mut().zip(&leader.matched) {
                progress.interval_passed(*matched);
            }
            self.send_heartbeats(effects);
            self.replicate(effects);
        }
        Ok(())
    }

    pub(crate) fn send_heartbeats(&self, effects: &mut Effects<Message>) {
        let State::Leader(leader) = &self.state else { return };
        for (slot, peer) in self.others() {
            let matched = leader.matched.get(slot).copied().unwrap_or_default();
            let known = if self.faults.has(Fault::CommitBeyondMatch) { self.commit } else { matched };
            let commit = self.commit.min(known);
            effects.send(peer, Message::Heartbeat { term: self.term(), commit, round: leader.round });
        }
    }

    /// Whether these and this node are a quorum of the first phase.
    pub(crate) fn is_quorum_with_me(&self, others: NodeSet) -> bool {
        let all = others.union(self.myself());
        self.quorum().verdict(Phase::One, all, NodeSet::EMPTY) == Verdict::Won
    }

    /// A message of this term's leader came.
    fn obey(&mut self, from: NodeId, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let known = self.leader.is_none_or(|leader| leader == from);
        if matches!(self.state, State::Leader(_)) || !known {
            return Err(Fatal("a term has at most one leader"));
        }
        self.follow(self.term(), Some(from), effects);
        self.heard_at = self.now;
        self.reset_deadline();
        Ok(())
    }

    /// `AppendEntries` (figure 2, rules 2 to 5).
    pub(crate) fn on_append(
        &mut self,
        from: NodeId,
        span: Span,
        commit: LogIndex,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        self.obey(from, effects)?;
        if span.last().term > self.term() {
            return Err(Fatal("a leader sends no entry of a later term"));
        }
        if span.runs.as_slice().first().is_some_and(|run| run.term < span.after.term) {
            return Err(Fatal("the terms of a log never fall"));
        }
        let Some(span) = self.behind_base(span) else {
            // All of it was committed and purged long ago.
            let (term, matched) = (self.term(), self.commit);
            self.say_once_written(from, Message::Appended { term, matched }, effects);
            return Ok(());
        };
        if !self.agrees_before(&span)? {
            let hint = self.conflict_hint(span.after);
            let (term, refused) = (self.term(), span.after.index);
            self.say(from, Message::Conflict { term, refused, hint }, effects);
            return Ok(());
        }
        self.merge(&span, effects)?;
        let matched = span.last().index;
        let known = if self.faults.has(Fault::CommitBeyondMatch) { self.log.last().index } else { matched };
        self.commit_through(commit.min(known));
        let message = Message::Appended { term: self.term(), matched };
        if self.faults.has(Fault::AckBeforeSync) {
            effects.send(from, message);
        } else if matched <= self.writes.persisted {
            self.say(from, message, effects);
        } else {
            self.say_once_written(from, message, effects);
        }
        Ok(())
    }

    /// The part of a span that this log can still compare (raft_s15); `None` when all of it is purged.
    fn behind_base(&self, span: Span) -> Option<Span> {
        let purged = self.log.base().index.since(span.after.index);
        if purged == 0 {
            return Some(span);
        }
        let (_, rest) = span.split(u32::try_from(purged).unwrap_or(u32::MAX));
        (rest.after.index == self.log.base().index).then_some(rest)
    }

    /// Rule 2: whether the entry before the span is here.
    fn agrees_before(&self, span: &Span) -> Result<bool, Fatal> {
        if self.holds(span.after) {
            return Ok(true);
        }
        if self.faults.has(Fault::SkipPreviousCheck) && span.after.index <= self.log.last().index {
            return Ok(true);
        }
        if span.after.index <= self.commit {
            return Err(Fatal("a leader holds every committed entry"));
        }
        Ok(false)
    }

    /// Where the logs may agree at best: never before the committed part, a term at a time.
    fn conflict_hint(&self, refused: Position) -> Position {
        let last = self.log.last();
        if refused.index > last.index {
            return last;
        }
        self.log.last_at_most(refused.index.previous(), refused.term)
    }

    /// Rules 3 and 4: cut at the first real conflict, append what is new (raft_s14).
    fn merge(&mut self, span: &Span, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let mut difference = self.log.first_difference(span);
        if self.faults.has(Fault::TruncateUnconditionally) {
            difference = Some(span.first());
        }
        let Some(at) = difference else { return Ok(()) };
        if at <= self.log.last().index {
            if at <= self.commit && !self.faults.has(Fault::TruncateUnconditionally) {
                return Err(Fatal("a committed entry is never replaced"));
            }
            self.truncate(at, effects);
        }
        let known = u32::try_from(at.since(span.first())).unwrap_or(u32::MAX);
        let (_, rest) = span.split(known);
        if !rest.is_empty() {
            self.append(rest.runs, Body::Received, effects);
        }
        Ok(())
    }

    /// A heartbeat's commit index is at most what the leader knows this log to hold.
    pub(crate) fn on_heartbeat(
        &mut self,
        from: NodeId,
        commit: LogIndex,
        round: u64,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        self.obey(from, effects)?;
        let last = self.log.last().index;
        if commit > last && !self.faults.has(Fault::CommitBeyondMatch) {
            return Err(Fatal("a leader knows what its follower holds"));
        }
        self.commit_through(commit.min(last));
        self.say(from, Message::HeartbeatReply { term: self.term(), round }, effects);
        Ok(())
    }

    pub(crate) fn on_appended(
        &mut self,
        slot: usize,
        matched: LogIndex,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let last = self.log.last().index;
        let State::Leader(leader) = &mut self.state else { return Ok(()) };
        if matched > last {
            return Err(Fatal("a follower acknowledges only what its leader has"));
        }
        if let (Some(known), Some(progress)) = (leader.matched.get_mut(slot), leader.peers.get_mut(slot)) {
            *known = matched.max(*known);
            progress.acknowledged(*known);
        }
        self.advance_commit(effects);
        self.replicate_to(slot, effects);
        Ok(())
    }

    /// "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry" (figure 2), a term at a
    /// time. Moves only the guess of what to send next, never what is known to match.
    pub(crate) fn on_conflict(
        &mut self,
        slot: usize,
        refused: LogIndex,
        hint: Position,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let best = self.log.last_at_most(hint.index.min(refused.previous()), hint.term).index;
        let pretend = self.faults.has(Fault::HintCountsAsMatch);
        let State::Leader(leader) = &mut self.state else { return Ok(()) };
        if let (Some(known), Some(progress)) = (leader.matched.get_mut(slot), leader.peers.get_mut(slot)) {
            if refused <= *known || refused >= progress.next {
                return Ok(());
            }
            if pretend {
                *known = best.max(*known);
            }
            progress.probe_from(best.max(*known).next());
        }
        if self.faults.has(Fault::LeaderTruncates) {
            self.cut_own_log(effects);
        }
        self.advance_commit(effects);
        self.replicate_to(slot, effects);
        Ok(())
    }

    /// A planted fault: forgets what no other is known to hold, but for the first entry of the term.
    fn cut_own_log(&mut self, effects: &mut Effects<Message>) {
        let (me, term) = (self.myself(), self.term());
        let before = self.log.last_at_most(self.log.last().index, term.previous()).index;
        let State::Leader(leader) = &mut self.state else { return };
        let others = leader.matched.iter().enumerate().filter(|(slot, _)| !me.contains(*slot));
        let keep = others.map(|(_, matched)| *matched).max().unwrap_or_default();
        let keep = keep.max(self.commit).max(before.next());
        if keep >= self.log.last().index {
            return;
        }
        for (progress, matched) in leader.peers.iter_mut().zip(&mut leader.matched) {
            *matched = keep.min(*matched);
            progress.probe_from(progress.next.min(keep.next()));
        }
        self.truncate(keep.next(), effects);
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and log[N].term ==
    /// currentTerm: set commitIndex = N" (figure 2, leaders). The own log counts as far as it is durable.
    pub(crate) fn advance_commit(&mut self, effects: &mut Effects<Message>) {
        let me = self.history.members().slot(self.settings.id);
        let durable = if self.faults.has(Fault::SelfAckBeforeSync) {
            self.log.last().index
        } else {
            self.writes.persisted
        };
        let State::Leader(leader) = &mut self.state else { return };
        if let Some(matched) = me.and_then(|slot| leader.matched.get_mut(slot)) {
            *matched = durable.max(*matched);
        }
        let mut reached = self.history.quorum().committed(&leader.matched);
        if self.faults.has(Fault::QuorumOffByOne) {
            reached = leader.matched.iter().copied().filter(|it| *it > reached).min().unwrap_or(reached);
        }
        let own_term = self.log.term_at(reached) == Some(self.ballot.term);
        if reached > self.commit && (own_term || self.faults.has(Fault::CommitOlderTerm)) {
            self.commit_through(reached);
            self.begin_waiting_reads(effects);
        }
    }

    fn commit_through(&mut self, index: LogIndex) {
        if index > self.commit {
            self.commit = index;
            // Leaving a joint configuration becomes a proposal once configurations can change.
            self.history.committed(index);
        }
    }
}
