//! What a leader knows of one peer.

use std::collections::VecDeque;

use synod_transport::ids::LogIndex;

/// How entries are sent to a peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Flow {
    /// Where the logs agree is not known: one message at a time, each answered before the next.
    Probe {
        /// Whether one is on its way.
        waiting: bool,
    },
    /// The logs agree through `matched`: messages follow each other without waiting.
    Stream,
}

/// Invariant: `matched < next`. Invariant: `in_flight` is empty while probing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Progress {
    /// The next entry to send.
    pub(crate) next: LogIndex,
    /// How entries are sent.
    pub(crate) flow: Flow,
    /// Last index of each append that was not acknowledged yet.
    in_flight: VecDeque<LogIndex>,
    /// The last heartbeat round that the peer answered.
    pub(crate) round: u64,
    /// Whether anything was acknowledged since the last heartbeat.
    moved: bool,
    /// Whether something was unanswered at the last heartbeat.
    overdue: bool,
}

impl Progress {
    /// At the start of a term: everything is unknown; the guess is that the peer has what the leader has.
    pub(crate) fn new(next: LogIndex) -> Self {
        Self {
            next,
            flow: Flow::Probe { waiting: false },
            in_flight: VecDeque::new(),
            round: 0,
            moved: false,
            overdue: false,
        }
    }

    /// Whether an append may go out now.
    pub(crate) fn may_send(&self, window: u32) -> bool {
        match self.flow {
            Flow::Probe { waiting } => !waiting,
            Flow::Stream => self.in_flight.len() < window as usize,
        }
    }

    /// An append whose last entry stands at `last` went out.
    pub(crate) fn sent(&mut self, last: LogIndex) {
        match &mut self.flow {
            Flow::Probe { waiting } => *waiting = true,
            Flow::Stream => {
                self.in_flight.push_back(last);
                self.next = last.next();
            }
        }
    }

    /// The peer holds everything through `matched`.
    pub(crate) fn acknowledged(&mut self, matched: LogIndex) {
        self.moved = true;
        if self.flow != Flow::Stream {
            self.flow = Flow::Stream;
            self.next = matched.next();
        }
        self.next = self.next.max(matched.next());
        while self.in_flight.front().is_some_and(|last| *last <= matched) {
            self.in_flight.pop_front();
        }
    }

    /// Starts over from `next`.
    pub(crate) fn probe_from(&mut self, next: LogIndex) {
        self.next = next;
        self.flow = Flow::Probe { waiting: false };
        self.in_flight.clear();
        self.overdue = false;
    }

    /// A heartbeat interval went by. What was unanswered at its beginning already, with no acknowledgement since, counts
    /// as lost: a stream starts over behind the last match, a probe repeats its guess.
    pub(crate) fn interval_passed(&mut self, matched: LogIndex) {
        let waits = self.flow == Flow::Probe { waiting: true } || !self.in_flight.is_empty();
        let quiet = !core::mem::take(&mut self.moved);
        if waits && quiet && self.overdue {
            let next = if self.flow == Flow::Stream { matched.next() } else { self.next };
            self.probe_from(next);
        } else {
            self.overdue = waits;
        }
    }

    /// Forgets what was noted for the next heartbeat.
    pub(crate) fn forget(&mut self) {
        self.moved = false;
        self.overdue = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(index: u64) -> LogIndex {
        LogIndex::new(index)
    }

    #[test]
    fn a_probe_waits_for_its_answer_and_a_stream_for_its_window() {
        let mut peer = Progress::new(at(5));
        assert!(peer.may_send(2));
        peer.sent(at(9));
        assert!(!peer.may_send(2));
        peer.acknowledged(at(9));
        assert_eq!((peer.flow, peer.next), (Flow::Stream, at(10)));
        peer.sent(at(10));
        peer.sent(at(11));
        assert!(!peer.may_send(2));
        peer.acknowledged(at(11));
        assert!(peer.may_send(2), "one acknowledgement covers all before it");
    }

    #[test]
    fn raft_l02_starting_over_gives_the_whole_window_back() {
        let mut peer = Progress::new(at(1));
        peer.acknowledged(at(1));
        for last in 2..10 {
            peer.sent(at(last));
        }
        peer.probe_from(at(3));
        peer.acknowledged(at(3));
        assert_eq!(peer.in_flight.len(), 0);
        assert!(peer.may_send(1));
    }

    #[test]
    fn silence_for_an_interval_means_sending_again_from_the_last_match() {
        let mut peer = Progress::new(at(1));
        peer.acknowledged(at(4));
        peer.sent(at(6));
        peer.interval_passed(at(4));
        assert_eq!(peer.next, at(7), "it may have left just before");
        peer.interval_passed(at(4));
        assert_eq!((peer.next, peer.flow), (at(5), Flow::Probe { waiting: false }));
    }

    #[test]
    fn a_lost_probe_is_repeated_from_the_same_place() {
        let mut peer = Progress::new(at(1000));
        peer.sent(at(1000));
        peer.interval_passed(at(0));
        assert!(!peer.may_send(8));
        peer.interval_passed(at(0));
        assert_eq!((peer.next, peer.may_send(8)), (at(1000), true));
    }
}
