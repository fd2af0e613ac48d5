//! Leader election: section 5.2 and 5.4.1, pre-vote (thesis 9.6), check-quorum (thesis 6.2).

use synod_transport::ids::{NodeId, Position, Term};
use synod_transport::log::Runs;
use synod_transport::machine::{Effects, Fatal, Role};
use synod_transport::quorum::{ConfigurationHistory, NodeSet, Phase, QuorumSystem, Verdict};
use synod_transport::store::Body;

use crate::core::{Leader, Raft, State, Tally};
use crate::durable::Ballot;
use crate::fault::{Fault, Faults};
use crate::message::Message;
use crate::progress::Progress;

impl<H: ConfigurationHistory, F: Faults> Raft<H, F> {
    /// The election timeout passed, or the caller asked for it.
    pub(crate) fn campaign(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        self.reset_deadline();
        self.leader = None;
        if !self.settings.pre_vote {
            return self.stand(effects);
        }
        self.state = State::PreCandidate(Tally { yes: self.myself(), no: NodeSet::EMPTY });
        let term = self.term();
        let message = Message::PreVote { term, proposed: term.next(), last: self.log.last() };
        for (_, peer) in self.others() {
            self.say(peer, message, effects);
        }
        self.tally(effects)
    }

    /// "To begin an election, a follower increments its current term and transitions to candidate state" (5.2). The
    /// requests leave, and the own vote counts, once the vote is durable.
    fn stand(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        if self.term() == Term::new(u64::MAX) {
            return Err(Fatal("there is a later term"));
        }
        self.ballot = Ballot { term: self.term().next(), vote: Some(self.id()) };
        self.leader = None;
        self.write_ballot(effects);
        self.state = State::Candidate(Tally::default());
        self.reset_deadline();
        let message = Message::Vote { term: self.term(), last: self.log.last() };
        for (_, peer) in self.others() {
            self.say(peer, message, effects);
        }
        Ok(())
    }

    /// Whether a leader is known to be alive: then nobody is helped to depose it (thesis 4.2.3).
    pub(crate) fn hears_leader(&self) -> bool {
        if !self.settings.check_quorum {
            return false;
        }
        let fresh = self.now < self.heard_at.plus(self.settings.election_timeout);
        self.role() == Role::Leader || (self.leader.is_some() && fresh)
    }

    pub(crate) fn on_pre_vote(
        &mut self,
        from: NodeId,
        proposed: Term,
        last: Position,
        effects: &mut Effects<Message>,
    ) {
        let granted = proposed > self.term() && self.is_up_to_date(last) && !self.hears_leader();
        self.say(from, Message::PreVoteReply { term: self.term(), proposed, granted }, effects);
    }

    /// An answer counts only for the campaign that asked (raft_s03).
    pub(crate) fn on_pre_vote_reply(
        &mut self,
        slot: usize,
        proposed: Term,
        granted: bool,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let current = self.term().next();
        match &mut self.state {
            State::PreCandidate(tally) if proposed == current => {
                count(tally, slot, granted, &self.faults);
                self.tally(effects)
            }
            _ => Ok(()),
        }
    }

    /// "If votedFor is null or candidateId, and candidate's log is at least as up-to-date as receiver's log, grant
    /// vote" (figure 2). The caller has seen to the term.
    pub(crate) fn on_vote(&mut self, from: NodeId, last: Position, effects: &mut Effects<Message>) {
        let term = self.term();
        let free = self.ballot.vote.is_none_or(|vote| vote == from);
        let granted = free && self.is_up_to_date(last) && self.role() != Role::Leader;
        if !granted {
            self.say(from, Message::VoteReply { term, granted }, effects);
            return;
        }
        let new = self.ballot.vote.is_none();
        self.ballot.vote = Some(from);
        self.reset_deadline();
        if self.faults.has(Fault::VoteNotPersisted) {
            effects.send(from, Message::VoteReply { term, granted });
            return;
        }
        if new {
            self.write_ballot(effects);
        }
        self.say(from, Message::VoteReply { term, granted }, effects);
    }

    pub(crate) fn on_vote_reply(
        &mut self,
        slot: usize,
        granted: bool,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let granted = granted || self.faults.has(Fault::DenialCountsAsVote);
        let State::Candidate(tally) = &mut self.state else { return Ok(()) };
        count(tally, slot, granted, &self.faults);
        self.tally(effects)
    }

    /// A candidate's own vote counts once its disk has it (raft_s06).
    pub(crate) fn count_own_vote(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let me = self.myself();
        let durable = self.writes.ballot <= self.writes.durable;
        match &mut self.state {
            State::Candidate(tally) if durable && tally.yes.and(me).is_empty() => {
                tally.yes = tally.yes.union(me);
                self.tally(effects)
            }
            _ => Ok(()),
        }
    }

    fn tally(&mut self, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let (tally, standing) = match &self.state {
            State::PreCandidate(tally) => (*tally, false),
            State::Candidate(tally) => (*tally, true),
            _ => return Ok(()),
        };
        match self.quorum().verdict(Phase::One, tally.yes, tally.no) {
            Verdict::Pending => Ok(()),
            Verdict::Lost => {
                self.follow(self.term(), None, effects);
                Ok(())
            }
            Verdict::Won if standing => {
                self.lead(effects);
                Ok(())
            }
            Verdict::Won => self.stand(effects),
        }
    }

    /// Won: start the term with a blank entry, so that earlier terms' entries can be committed (section 5.4.2, 8).
    fn lead(&mut self, effects: &mut Effects<Message>) {
        let next = self.log.last().index.next();
        let count = self.history.members().len();
        self.leader = Some(self.id());
        self.state = State::Leader(Leader {
            peers: vec![Progress::new(next); count],
            matched: vec![Default::default(); count],
            active: NodeSet::EMPTY,
            heartbeat_at: self.now.plus(self.settings.heartbeat_interval),
            check_at: self.now.plus(self.settings.election_timeout),
            waiting_behind: None,
            round: 0,
            reads: Default::default(),
        });
        self.append(Runs::one(self.term(), 1), Body::Blank, effects);
        self.advance_commit(effects);
        self.replicate(effects);
    }

    /// Section 5.4.1: the order of positions is term first, then length (raft_s20).
    fn is_up_to_date(&self, last: Position) -> bool {
        let mine = self.log.last();
        if self.faults.has(Fault::CompareLengthFirst) {
            return (last.index, last.term) >= (mine.index, mine.term);
        }
        last >= mine || self.faults.has(Fault::IgnoreLogInVote)
    }
}

fn count(tally: &mut Tally, slot: usize, granted: bool, faults: &impl Faults) {
    let set = if granted { &mut tally.yes } else { &mut tally.no };
    if !set.insert(slot) && granted && faults.has(Fault::CountDuplicateVotes) {
        let spare = (0..64).find(|spare| !set.contains(*spare));
        spare.map(|spare| set.insert(spare));
    }
}
