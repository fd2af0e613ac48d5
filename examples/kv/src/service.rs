//! The replicated state machine: a map and its session table, changed by committed entries alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use synod_node::Service;
use synod_transport::ids::LogIndex;
use synod_transport::log::Entry;

use crate::command::{Change, Command, Version};
use crate::reply::Reply;
use crate::sessions::{MAX_SESSIONS, Sessions};

/// A value and the write that made it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Versioned {
    /// The bytes.
    pub value: Bytes,
    /// The log index of the write.
    pub version: Version,
}

/// The map. The same entries in the same order give the same map and the same replies on every node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyValue {
    map: BTreeMap<Bytes, Versioned>,
    sessions: Sessions,
}

impl KeyValue {
    /// An empty map that remembers [`MAX_SESSIONS`] clients.
    pub fn new() -> Self {
        Self::with_sessions(MAX_SESSIONS)
    }

    /// An empty map that remembers `capacity` clients.
    pub fn with_sessions(capacity: usize) -> Self {
        Self { map: BTreeMap::new(), sessions: Sessions::new(capacity) }
    }

    /// What a key holds.
    pub fn get(&self, key: &[u8]) -> Option<&Versioned> {
        self.map.get(key)
    }

    /// How many keys hold something.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no key does.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many sessions are open.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Carries out a committed command and answers it.
    ///
    /// One that cannot be read changes nothing, on every node alike.
    pub fn execute(&mut self, index: LogIndex, payload: Bytes) -> Reply {
        match Command::decode(payload) {
            Err(_) => Reply::Malformed,
            Ok(Command::Open) => Reply::Opened(self.sessions.open(index)),
            Ok(Command::Change(change)) => match change.request {
                None => self::change(&mut self.map, index, change),
                Some(request) => {
                    let map = &mut self.map;
                    self.sessions.once(index, request, || self::change(map, index, change))
                }
            },
        }
    }
}

impl Default for KeyValue {
    fn default() -> Self {
        Self::new()
    }
}

fn change(map: &mut BTreeMap<Bytes, Versioned>, index: LogIndex, change: Change) -> Reply {
    let current = map.get(&change.key).map(|it| it.version);
    if !change.expect.is_met_by(current) {
        return Reply::Mismatch(current);
    }
    // A copy, so that a small key or value does not keep a whole network buffer alive.
    let key = Bytes::copy_from_slice(&change.key);
    match change.value {
        None => {
            map.remove(&key);
            Reply::Deleted(current)
        }
        Some(value) => {
            let version = index.get();
            map.insert(key, Versioned { value: Bytes::copy_from_slice(&value), version });
            Reply::Stored(version)
        }
    }
}

impl Service for KeyValue {
    fn apply(&mut self, entry: &Entry) -> Bytes {
        self.execute(entry.position.index, entry.payload.clone()).encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Expect, RequestId};

    fn put(key: &'static str, value: &'static str, expect: Expect) -> Change {
        Change { request: None, expect, key: Bytes::from(key), value: Some(Bytes::from(value)) }
    }

    fn run(service: &mut KeyValue, index: u64, change: Change) -> Reply {
        service.execute(LogIndex::new(index), Command::Change(change).encode())
    }

    #[test]
    fn conditions_decide_and_a_version_is_never_used_twice() {
        let mut it = KeyValue::new();
        assert_eq!(run(&mut it, 1, put("k", "a", Expect::Present)), Reply::Mismatch(None));
        assert_eq!(run(&mut it, 2, put("k", "a", Expect::Absent)), Reply::Stored(2));
        assert_eq!(run(&mut it, 3, put("k", "b", Expect::Absent)), Reply::Mismatch(Some(2)));
        assert_eq!(run(&mut it, 4, put("k", "b", Expect::Version(1))), Reply::Mismatch(Some(2)));
        assert_eq!(run(&mut it, 5, put("k", "b", Expect::Version(2))), Reply::Stored(5));
        let delete = Change { value: None, ..put("k", "", Expect::Version(5)) };
        assert_eq!(run(&mut it, 6, delete.clone()), Reply::Deleted(Some(5)));
        assert_eq!(run(&mut it, 7, delete), Reply::Mismatch(None));
        assert_eq!(run(&mut it, 8, put("k", "a", Expect::Anything)), Reply::Stored(8));
        assert_eq!(it.get(b"k"), Some(&Versioned { value: Bytes::from_static(b"a"), version: 8 }));
        assert_eq!(it.len(), 1);
    }

    #[test]
    fn a_retried_change_takes_effect_once_and_answers_alike() {
        let mut it = KeyValue::new();
        let opened = it.execute(LogIndex::new(1), Command::Open.encode());
        assert_eq!(opened, Reply::Opened(1));
        let request = Some(RequestId { client: 1, number: 1 });
        let change = Change { request, ..put("k", "a", Expect::Absent) };
        assert_eq!(run(&mut it, 2, change.clone()), Reply::Stored(2));
        assert_eq!(run(&mut it, 3, put("k", "b", Expect::Anything)), Reply::Stored(3));
        assert_eq!(run(&mut it, 4, change), Reply::Stored(2), "the reply of the first attempt");
        assert_eq!(it.get(b"k").map(|it| it.version), Some(3), "and no second effect");
    }

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let mut it = KeyValue::new();
        assert_eq!(it.execute(LogIndex::new(1), Bytes::from_static(b"?!")), Reply::Malformed);
        assert_eq!(it, KeyValue::new());
    }
}
