//! How things read in the record of a script.

use bytes::Bytes;
use synod_raft::{Ballot, Message, Raft};
use synod_transport::host::{Host, decode};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::machine::Role;
use synod_transport::store::Batch;
use synod_transport::trace::TraceEvent;

use super::command::Link;
use super::disk::Disk;

/// A line for a trace event; none for those that say nothing new.
pub(super) fn describe(event: &TraceEvent<'_>) -> Option<String> {
    let node = event.node;
    let detail = format!("{:?}", event.detail);
    Some(match (event.event, event.peer) {
        ("Seal", _) => format!("  {node} holds back a message: {detail}"),
        ("Persisted", _) => format!("{node} persisted through {detail}"),
        ("Replicate" | "Refuse" | "ReadReady", _) => format!("  {node} answers {detail}"),
        (send, Some(to)) if send.starts_with("Send") => format!("  {node} -> {to}  {detail}"),
        (receive, Some(from)) if receive.starts_with("Receive") => format!("{node} <- {from}  {detail}"),
        (becomes, _) if becomes.starts_with("Become") => {
            let role = detail.strip_prefix("Role { role: ").unwrap_or(&detail);
            format!("  {node} is now {}", role.trim_end_matches(" }"))
        }
        // The disk tells of writes itself.
        _ => return None,
    })
}

/// Keeps what was told about roles, answers and what was applied.
pub(super) fn telling(line: &str) -> bool {
    [" is now ", " answers ", " applies "].iter().any(|word| line.contains(word))
}

/// What a write does, in its order.
pub(super) fn write(id: u64, batch: &Batch<'_>) -> String {
    let mut line = format!("  {id} writes {:?}:", batch.id);
    if let Some(from) = batch.truncate_from {
        line += &format!(" cut from {from}");
    }
    for appended in batch.append.iter() {
        line += &format!(" {}", entry(appended));
    }
    if let Some(ballot) = batch.hard_state.as_ref().and_then(Ballot::decode) {
        let vote = ballot.vote.map_or("nobody".to_owned(), |vote| vote.to_string());
        line += &format!(" term {} vote {vote}", ballot.term);
    }
    line
}

/// A message on its way.
pub(super) fn frame((from, to): Link, frame: Bytes) -> String {
    match decode::<Message>(frame, &mut Vec::new()) {
        Ok(message) => format!("{from} -> {to}  {message:?}"),
        Err(error) => format!("{from} -> {to}  {error}"),
    }
}

/// Entries that were applied.
pub(super) fn applied(id: u64, entries: &[Entry]) -> String {
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!("  {id} applies {}", entries.join(", "))
}

/// A node that runs, as `status` shows it.
pub(super) fn running(id: u64, host: &Host<Raft, Disk>) -> String {
    let raft = host.machine();
    let or_nobody =
        |it: Option<synod_transport::ids::NodeId>| it.map_or("nobody".to_owned(), |it| it.to_string());
    let mut line = format!(
        "  {id} {} {:?} vote {} leader {} commit {} log {}",
        role(raft.role()),
        raft.term(),
        or_nobody(raft.ballot().vote),
        or_nobody(raft.leader()),
        raft.commit(),
        log(host.store())
    );
    if host.store().unsynced() > 0 {
        line += &format!(" ({} writes unsynced)", host.store().unsynced());
    }
    line
}

/// The terms of a log.
pub(super) fn log(disk: &Disk) -> String {
    let terms: Vec<String> = disk.entries().iter().map(|entry| entry.position.term.to_string()).collect();
    format!("[{}]", terms.join(" "))
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

fn entry(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Blank => format!("{:?} blank", entry.position),
        _ => format!("{:?} {}", entry.position, String::from_utf8_lossy(&entry.payload)),
    }
}
