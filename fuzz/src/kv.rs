//! What stands in the log of the key-value service, and in its session table.

use bytes::Bytes;

use crate::command::{Change, Command, Expect, MAX_KEY, MAX_VALUE, RequestId};
use crate::reply::Reply;

/// A command of the log.
pub fn kv_command(data: &[u8]) {
    let Ok(command) = Command::decode(Bytes::copy_from_slice(data)) else { return };
    assert_eq!(command.encode(), data, "a command has one encoding");
    if let Command::Change(change) = command {
        assert!((1..=MAX_KEY as usize).contains(&change.key.len()));
        assert!(change.value.is_none_or(|value| value.len() <= MAX_VALUE as usize));
    }
}

/// Commands of every kind.
pub fn kv_command_seeds() -> Vec<Vec<u8>> {
    let change = |expect, request, value: Option<&'static str>| {
        let key = Bytes::from_static(b"key");
        Command::Change(Change { request, expect, key, value: value.map(Bytes::from) })
    };
    let request = Some(RequestId { client: 3, number: 4 });
    let commands = [
        Command::Open,
        change(Expect::Anything, None, Some("value")),
        change(Expect::Absent, request, Some("")),
        change(Expect::Present, None, None),
        change(Expect::Version(17), request, None),
    ];
    commands.iter().map(|command| command.encode().to_vec()).collect()
}

/// A stored reply.
pub fn kv_reply(data: &[u8]) {
    if let Ok(reply) = Reply::decode(Bytes::copy_from_slice(data)) {
        assert_eq!(reply.encode(), data, "a reply has one encoding");
    }
}

/// Replies of every kind.
pub fn kv_reply_seeds() -> Vec<Vec<u8>> {
    let replies = [
        Reply::Opened(3),
        Reply::Stored(9),
        Reply::Deleted(None),
        Reply::Deleted(Some(4)),
        Reply::Mismatch(Some(7)),
        Reply::Expired,
        Reply::Superseded,
        Reply::Malformed,
    ];
    replies.map(|reply| reply.encode().to_vec()).into()
}
