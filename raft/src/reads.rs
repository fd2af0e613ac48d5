//! Linearizable reads without log writes: section 8, thesis 6.4.
//!
//! A read takes the commit index, once the leader has committed an entry of its own term (raft_s29), and is
//! confirmed when a quorum answers a heartbeat that was sent *after* the read came in. The number of that heartbeat round
//! is the leader's own (raft_s27), so a late answer to an earlier round confirms nothing.

use synod_transport::ids::Tag;
use synod_transport::machine::{Effects, Event, Fatal, Refusal};
use synod_transport::quorum::{ConfigurationHistory, NodeSet};

use crate::core::{PendingRead, Raft, State};
use crate::fault::{Fault, Faults};
use crate::message::Message;

impl<H: ConfigurationHistory, F: Faults> Raft<H, F> {
    pub(crate) fn read(&mut self, tag: Tag, effects: &mut Effects<Message>) -> Result<(), Fatal> {
        let commit = self.commit;
        let ready =
            self.log.term_at(commit) == Some(self.term()) || self.faults.has(Fault::ReadBeforeOwnCommit);
        let State::Leader(leader) = &mut self.state else {
            let reason = Refusal::NotLeader { leader: self.leader };
            effects.events.push(Event::Refused { tag, reason });
            return Ok(());
        };
        if leader.reads.len() >= self.settings.max_pending_reads {
            effects.events.push(Event::Refused { tag, reason: Refusal::Busy });
            return Ok(());
        }
        if self.faults.has(Fault::ReadWithoutQuorum) {
            effects.events.push(Event::ReadReady { tag, index: commit });
            return Ok(());
        }
        if !ready {
            leader.reads.push_back(PendingRead { tag, index: None, round: 0 });
            return Ok(());
        }
        if !self.faults.has(Fault::ReuseReadToken) {
            leader.round = leader.round.saturating_add(1);
        }
        leader.reads.push_back(PendingRead { tag, index: Some(commit), round: leader.round });
        self.send_heartbeats(effects);
        self.confirm_reads(effects);
        Ok(())
    }

    /// The leader has committed an entry of its own term: reads that waited for that begin their round.
    pub(crate) fn begin_waiting_reads(&mut self, effects: &mut Effects<Message>) {
        let commit = self.commit;
        let State::Leader(leader) = &mut self.state else { return };
        if leader.reads.front().is_none_or(|read| read.index.is_some()) {
            return;
        }
        leader.round = leader.round.saturating_add(1);
        for read in leader.reads.iter_mut().filter(|read| read.index.is_none()) {
            *read = PendingRead { index: Some(commit), round: leader.round, ..*read };
        }
        self.send_heartbeats(effects);
        self.confirm_reads(effects);
    }

    pub(crate) fn on_heartbeat_reply(
        &mut self,
        slot: usize,
        round: u64,
        effects: &mut Effects<Message>,
    ) -> Result<(), Fatal> {
        let State::Leader(leader) = &mut self.state else { return Ok(()) };
        if round > leader.round {
            return Err(Fatal("a follower answers only what was asked"));
        }
        if let Some(progress) = leader.peers.get_mut(slot) {
            progress.round = progress.round.max(round);
        }
        self.confirm_reads(effects);
        Ok(())
    }

    fn confirm_reads(&mut self, effects: &mut Effects<Message>) {
        loop {
            let State::Leader(leader) = &self.state else { return };
            let Some(PendingRead { tag, index: Some(index), round }) = leader.reads.front().copied() else {
                return;
            };
            let answered = leader.peers.iter().enumerate().filter(|(_, peer)| peer.round >= round);
            let answered = answered.fold(NodeSet::EMPTY, |set, (slot, _)| set.with(slot));
            if !self.is_quorum_with_me(answered) {
                return;
            }
            effects.events.push(Event::ReadReady { tag, index });
            if let State::Leader(leader) = &mut self.state {
                leader.reads.pop_front();
            }
        }
    }
}
