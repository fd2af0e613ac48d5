//! Who waits for what: proposals for their index, reads for their confirmation.

use std::collections::VecDeque;

use bytes::Bytes;
use synod_transport::ids::{LogIndex, Position, Tag, Term};
use synod_transport::machine::Refusal;

use crate::error::{ProposeError, ReadError};
use crate::handle::{ReadFn, Reply};

/// A proposal that stands in the log.
struct Accepted {
    position: Position,
    tag: Tag,
    reply: Reply,
}

/// Proposals from the step that offers them to the entry that answers them.
#[derive(Default)]
pub(crate) struct Proposals {
    /// Those of the step at hand.
    pub(crate) offered: Vec<Reply>,
    tag: Tag,
    /// Invariant: indices rise.
    accepted: VecDeque<Accepted>,
    freed: usize,
}

impl Proposals {
    /// How many wait for their entry.
    pub(crate) fn in_flight(&self) -> usize {
        self.accepted.len()
    }

    /// Begins a step that offers what is then pushed to `offered`.
    pub(crate) fn begin(&mut self, tag: Tag) {
        self.tag = tag;
    }

    /// The step is over: an offer that the machine neither took nor refused is in nobody's hands.
    pub(crate) fn end(&mut self) {
        for reply in self.offered.drain(..) {
            self.freed += answer(reply, Err(ProposeError::Unknown));
        }
    }

    /// The machine gave them their places.
    pub(crate) fn accept(&mut self, tag: Tag, term: Term, first: LogIndex, count: u32) {
        if tag != self.tag {
            return;
        }
        // Places that are given twice belonged to a term that is lost.
        while self.accepted.back().is_some_and(|last| last.position.index >= first) {
            self.freed +=
                self.accepted.pop_back().map_or(0, |lost| answer(lost.reply, Err(ProposeError::Unknown)));
        }
        let take = usize::try_from(count).unwrap_or(usize::MAX).min(self.offered.len());
        for (reply, at) in self.offered.drain(..take).zip(0u64..) {
            self.accepted.push_back(Accepted {
                position: Position { term, index: first.plus(at) },
                tag,
                reply,
            });
        }
    }

    /// The machine did not take them, or gave up on them after it had.
    pub(crate) fn refuse(&mut self, tag: Tag, reason: Refusal) {
        if tag == self.tag {
            for reply in self.offered.drain(..) {
                self.freed += answer(reply, Err(reason.into()));
            }
        }
        self.lose(|accepted| accepted.tag == tag);
    }

    /// An entry is applied; `reply` is the service's, when it was a command.
    pub(crate) fn applied(&mut self, position: Position, reply: Option<&Bytes>) {
        while self.accepted.front().is_some_and(|oldest| oldest.position.index <= position.index) {
            let Some(oldest) = self.accepted.pop_front() else { return };
            let own = oldest.position == position;
            let outcome = reply.filter(|_| own).cloned().ok_or(ProposeError::Unknown);
            self.freed += answer(oldest.reply, outcome);
        }
    }

    /// Leadership of all terms but this one is lost; of all, when there is none. Whether the entries survive is for
    /// others to decide and may never be learnt here, so their callers hear at once that it is unknown.
    pub(crate) fn keep_only(&mut self, term: Option<Term>) {
        self.lose(|accepted| Some(accepted.position.term) != term);
    }

    /// Answers with [`ProposeError::Stopped`] what never reached the machine.
    pub(crate) fn stop(&mut self, reply: Reply) {
        self.freed += answer(reply, Err(ProposeError::Stopped));
    }

    /// A caller left before its command was taken.
    pub(crate) fn withdraw(&mut self, reply: &Reply) {
        self.freed += reply.cost;
    }

    /// How much of the window was given back since the last time.
    pub(crate) fn take_freed(&mut self) -> usize {
        core::mem::take(&mut self.freed)
    }

    fn lose(&mut self, lost: impl Fn(&Accepted) -> bool) {
        for at in (0..self.accepted.len()).rev() {
            if self.accepted.get(at).is_some_and(&lost) {
                let gone = self.accepted.remove(at);
                self.freed += gone.map_or(0, |gone| answer(gone.reply, Err(ProposeError::Unknown)));
            }
        }
    }
}

/// Answers a caller, who may have gone, and gives back what it took of the window.
fn answer(reply: Reply, outcome: Result<Bytes, ProposeError>) -> usize {
    let _ = reply.to.send(outcome);
    reply.cost
}

/// Reads that share one confirmation.
struct Group<V> {
    tag: Tag,
    ready: Option<LogIndex>,
    reads: Vec<ReadFn<V>>,
}

/// Linearizable reads from their arrival to the entry they wait for.
pub(crate) struct Reads<V> {
    arrived: Vec<ReadFn<V>>,
    groups: VecDeque<Group<V>>,
    waiting: usize,
}

impl<V> Default for Reads<V> {
    fn default() -> Self {
        Self { arrived: Vec::new(), groups: VecDeque::new(), waiting: 0 }
    }
}

impl<V> Reads<V> {
    /// How many have no answer yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.waiting
    }

    /// Whether some have not been put to the machine.
    pub(crate) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// Another one came.
    pub(crate) fn arrive(&mut self, read: ReadFn<V>) {
        self.arrived.push(read);
        self.waiting += 1;
    }

    /// All that have arrived go to the machine under one tag. Says how many.
    pub(crate) fn group(&mut self, tag: Tag) -> usize {
        let reads = core::mem::take(&mut self.arrived);
        let count = reads.len();
        self.groups.push_back(Group { tag, ready: None, reads });
        count
    }

    /// The machine confirmed a group.
    pub(crate) fn ready(&mut self, tag: Tag, index: LogIndex) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.tag == tag) {
            group.ready = Some(index);
        }
    }

    /// The machine refused a group.
    pub(crate) fn refuse(&mut self, tag: Tag, reason: Refusal) {
        self.fail(|group| group.tag == tag, &reason.into());
    }

    /// Leadership moved: what is not confirmed, or waits for entries that are not known to be committed here, may wait
    /// for ever.
    pub(crate) fn leadership_moved(&mut self, committed: LogIndex) {
        self.fail(|group| group.ready.is_none_or(|index| index > committed), &ReadError::Unavailable);
    }

    /// Runs what is confirmed and applied. Says whether there was any.
    pub(crate) fn run(&mut self, service: &V, applied: LogIndex) -> bool {
        let due = |group: &Group<V>| group.ready.is_some_and(|index| index <= applied);
        let mut any = false;
        while let Some(group) = self.groups.iter().position(due).and_then(|at| self.groups.remove(at)) {
            any = true;
            self.waiting -= group.reads.len();
            for read in group.reads {
                read(Ok(service));
            }
        }
        any
    }

    /// The node has stopped.
    pub(crate) fn stop(&mut self) {
        self.group(Tag::ZERO);
        self.fail(|_| true, &ReadError::Stopped);
    }

    fn fail(&mut self, lost: impl Fn(&Group<V>) -> bool, error: &ReadError) {
        while let Some(group) = self.groups.iter().position(&lost).and_then(|at| self.groups.remove(at)) {
            self.waiting -= group.reads.len();
            for read in group.reads {
                read(Err(error.clone()));
            }
        }
    }
}
