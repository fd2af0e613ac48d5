//! Exactly-once: the last reply of each client (Raft thesis, section 6.3).
//!
//! A session is opened through the log and named by the index of the entry that opened it, so that an unknown client
//! can only be one that was forgotten, never one that is new: a retry is answered from the table or refused, and is
//! never carried out again. The table is part of the replicated state: all that decides who is forgotten is the order
//! of the log.

use std::collections::BTreeMap;

use synod_transport::ids::LogIndex;

use crate::command::RequestId;
use crate::reply::Reply;

/// Most sessions kept. One more, and the one that was idle for longest in the log goes.
pub const MAX_SESSIONS: usize = 4096;

/// The session table. Every operation takes logarithmic time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sessions {
    capacity: usize,
    by_client: BTreeMap<u64, Session>,
    /// Invariant: holds `session.used` of each session, and nothing else.
    by_use: BTreeMap<LogIndex, u64>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Session {
    used: LogIndex,
    last: Option<(u64, Reply)>,
}

impl Sessions {
    /// An empty table that keeps at most `capacity` sessions. All nodes must agree on it.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, by_client: BTreeMap::new(), by_use: BTreeMap::new() }
    }

    /// Opens a session at `index` and gives its client id.
    pub fn open(&mut self, index: LogIndex) -> u64 {
        if self.by_client.len() >= self.capacity {
            if let Some((_, idle)) = self.by_use.pop_first() {
                self.by_client.remove(&idle);
            }
        }
        self.by_client.insert(index.get(), Session { used: index, last: None });
        self.by_use.insert(index, index.get());
        index.get()
    }

    /// Answers a request: from the table when it was carried out before, else by carrying it out now.
    pub fn once(&mut self, index: LogIndex, request: RequestId, execute: impl FnOnce() -> Reply) -> Reply {
        let Some(session) = self.by_client.get_mut(&request.client) else { return Reply::Expired };
        self.by_use.remove(&session.used);
        self.by_use.insert(index, request.client);
        session.used = index;
        match session.last {
            Some((number, reply)) if number == request.number => reply,
            Some((number, _)) if number > request.number => Reply::Superseded,
            _ => {
                let reply = execute();
                session.last = Some((request.number, reply));
                reply
            }
        }
    }

    /// How many sessions are open.
    pub fn len(&self) -> usize {
        self.by_client.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_client.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(sessions: &mut Sessions, index: u64, client: u64, number: u64) -> (Reply, bool) {
        let mut executed = false;
        let reply = sessions.once(LogIndex::new(index), RequestId { client, number }, || {
            executed = true;
            Reply::Stored(index)
        });
        (reply, executed)
    }

    #[test]
    fn a_retry_gets_the_first_reply_and_is_not_carried_out() {
        let mut sessions = Sessions::new(2);
        let client = sessions.open(LogIndex::new(1));
        assert_eq!(once(&mut sessions, 2, client, 1), (Reply::Stored(2), true));
        assert_eq!(once(&mut sessions, 3, client, 1), (Reply::Stored(2), false));
        assert_eq!(once(&mut sessions, 4, client, 2), (Reply::Stored(4), true));
        assert_eq!(once(&mut sessions, 5, client, 1), (Reply::Superseded, false));
    }

    #[test]
    fn the_session_idle_for_longest_in_the_log_is_forgotten_and_its_retry_refused() {
        let mut sessions = Sessions::new(2);
        let first = sessions.open(LogIndex::new(1));
        let second = sessions.open(LogIndex::new(2));
        assert_eq!(once(&mut sessions, 3, first, 1), (Reply::Stored(3), true));
        let third = sessions.open(LogIndex::new(4));
        assert_eq!(sessions.len(), 2);
        assert_eq!(once(&mut sessions, 5, second, 1), (Reply::Expired, false));
        assert_eq!(once(&mut sessions, 6, first, 1), (Reply::Stored(3), false));
        assert_eq!(once(&mut sessions, 7, third, 1), (Reply::Stored(7), true));
    }
}
