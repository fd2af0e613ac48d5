//! Who asked for what, and what came of it.

use std::collections::BTreeMap;

use synod_sim::history::{Request, Status, complete_fields, invoke_fields};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag};
use synod_transport::machine::{Event, Refusal};

use super::journal::Journal;

/// The operations that are open. A client has one at a time: who asks is the first that has none.
#[derive(Default)]
pub(super) struct Clients {
    asked: u64,
    open: BTreeMap<u64, Open>,
}

struct Open {
    client: u64,
    node: u64,
    /// The index that its node must apply, and for a proposal the position that must stand there.
    waits_for: Option<(LogIndex, Option<Position>)>,
}

impl Clients {
    /// A client asks a node; the tag is the operation's number.
    pub(super) fn invoke(&mut self, node: u64, request: Request, journal: &Journal) -> Tag {
        self.asked += 1;
        let taken = |client: u64| self.open.values().any(|open| open.client == client);
        let client = (1..).find(|client| !taken(*client)).unwrap_or_default();
        journal.note(node, "Invoke", invoke_fields(client, self.asked, request));
        self.open.insert(self.asked, Open { client, node, waits_for: None });
        Tag::new(self.asked)
    }

    /// A node's news about a request.
    pub(super) fn hear(&mut self, news: &Event, journal: &Journal) {
        match *news {
            Event::Accepted { tag, term, first, count } => {
                let last = first.plus(u64::from(count)).previous();
                self.wait(tag, (last, Some(Position { term, index: last })));
            }
            Event::ReadReady { tag, index } => self.wait(tag, (index, None)),
            Event::Refused { tag, reason } => {
                let leader = if let Refusal::NotLeader { leader } = reason { leader } else { None };
                let was_taken = self.open.get(&tag.get()).is_some_and(|open| open.waits_for.is_some());
                let status = if was_taken { Status::Unknown } else { Status::Refused };
                self.finish(tag.get(), status, leader, journal);
            }
            Event::Role { .. } => {}
        }
    }

    /// A node has applied this, from index 1 on: whoever waits for it is answered.
    pub(super) fn answer(&mut self, node: u64, applied: &[Position], journal: &Journal) {
        let through = applied.last().map_or(LogIndex::ZERO, |last| last.index);
        let ripe = self.open.iter().filter_map(|(operation, open)| {
            let (index, proposed) = open.waits_for.filter(|(index, _)| *index <= through)?;
            let status = match proposed {
                // A read sees all that is applied by now.
                None => Status::Done(through),
                Some(position) if applied.contains(&position) => Status::Done(index),
                Some(_) => Status::Refused,
            };
            (open.node == node).then_some((*operation, status))
        });
        for (operation, status) in ripe.collect::<Vec<_>>() {
            self.finish(operation, status, None, journal);
        }
    }

    /// A node is gone: what it was asked stays open for ever.
    pub(super) fn give_up(&mut self, node: u64, journal: &Journal) {
        let left = self.open.iter().filter(|(_, open)| open.node == node).map(|(operation, _)| *operation);
        for operation in left.collect::<Vec<_>>() {
            self.finish(operation, Status::Unknown, None, journal);
        }
    }

    fn wait(&mut self, tag: Tag, what: (LogIndex, Option<Position>)) {
        if let Some(open) = self.open.get_mut(&tag.get()) {
            open.waits_for = Some(what);
        }
    }

    fn finish(&mut self, operation: u64, status: Status, leader: Option<NodeId>, journal: &Journal) {
        if let Some(Open { client, node, .. }) = self.open.remove(&operation) {
            journal.note(node, "Complete", complete_fields(client, operation, status, leader));
        }
    }
}
