//! A service that takes uploads, processes them in the background and shows the newest to readers.
//!
//! A user stores an upload and puts a message in a queue. A worker takes the message, writes a processed file, and links
//! it: readers are shown what is linked. A crashed worker's message goes back to the head of the queue. Four stages,
//! each mending what was found in the one before:
//!
//! 1. the message is sent before the upload is stored, and a worker may not find it;
//! 2. the upload is stored first; workers may crash, and nothing says that a worker ever gets through;
//! 3. it does, and there are two workers: an old edit may overtake a new one;
//! 4. a link is set only if it is newer than what is there, and a cleaner removes files that nobody will link.
//!
//! The same is written in TLA+ in `spec/uploader`; both have the same number of states.

use std::collections::{BTreeSet, VecDeque};

use synod_sim::explore::{Explorer, Model};

/// How often the content is uploaded: once created, once edited.
pub(crate) const MAX: u8 = 2;

/// What differs between the stages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uploader {
    /// How many workers there are.
    pub(crate) workers: usize,
    /// The message is sent before the upload is stored.
    pub(crate) announce_first: bool,
    /// Workers may crash.
    pub(crate) crashes: bool,
    /// A worker that starts again and again gets through some time: writing, linking and acknowledging are strongly
    /// fair, not just weakly.
    pub(crate) strong: bool,
    /// Links are set only forward, and there is a cleaner.
    pub(crate) checked: bool,
}

impl Uploader {
    /// One of the four stages.
    pub(crate) fn stage(number: u8) -> Option<Self> {
        let first = Self { workers: 1, announce_first: true, crashes: false, strong: true, checked: false };
        let second = Self { announce_first: false, crashes: true, strong: false, ..first };
        let third = Self { workers: 2, strong: true, ..second };
        let fourth = Self { checked: true, ..third };
        [first, second, third, fourth].get(usize::from(number).checked_sub(1)?).copied()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Phase {
    #[default]
    Idle,
    Taken,
    Written,
    Done,
    /// Took a message and did not find the upload.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Worker {
    pub(crate) phase: Phase,
    /// The version it works on.
    pub(crate) version: u8,
    /// The version that was linked when it began, whose file it means to replace.
    pub(crate) old: u8,
}

/// Everything there is. Versions count from one; zero is none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    /// The last version announced in the queue, and the last one stored.
    pub(crate) sent: u8,
    pub(crate) stored: u8,
    pub(crate) deleted: bool,
    pub(crate) queue: VecDeque<u8>,
    pub(crate) workers: Vec<Worker>,
    /// What readers are shown.
    pub(crate) link: u8,
    /// Processed files.
    pub(crate) outputs: BTreeSet<u8>,
}

impl State {
    /// The version that the user wants shown.
    pub(crate) fn record(&self) -> u8 {
        if self.deleted { 0 } else { self.stored }
    }

    /// Files that are not linked.
    pub(crate) fn loose(&self) -> impl Iterator<Item = u8> + '_ {
        self.outputs.iter().copied().filter(|version| *version != self.link)
    }

    /// No message waits, no worker works.
    pub(crate) fn quiet(&self) -> bool {
        self.queue.is_empty() && self.workers.iter().all(|worker| worker.phase == Phase::Idle)
    }
}

/// Workers are numbered from zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    Upload,
    Store,
    Delete,
    Take(usize),
    Write(usize),
    Link(usize),
    Ack(usize),
    Crash(usize),
    Clean(u8),
}

impl Model for Uploader {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let workers = vec![Worker::default(); self.workers];
        let (queue, outputs) = (VecDeque::new(), BTreeSet::new());
        vec![State { sent: 0, stored: 0, deleted: false, queue, workers, link: 0, outputs }]
    }

    fn steps(&self, state: &State, out: &mut Vec<(Action, State)>) {
        let mut actions = vec![Action::Upload, Action::Store, Action::Delete];
        for worker in 0..self.workers {
            let of_workers = [Action::Take, Action::Write, Action::Link, Action::Ack, Action::Crash];
            actions.extend(of_workers.map(|action| action(worker)));
        }
        actions.extend((1..=MAX).map(Action::Clean));
        for action in actions {
            let mut after = state.clone();
            let possible = match action {
                Action::Take(worker)
                | Action::Write(worker)
                | Action::Link(worker)
                | Action::Ack(worker)
                | Action::Crash(worker) => self.work(&mut after, action, worker),
                Action::Clean(version) => self.clean(&mut after, version),
                _ => self.use_it(&mut after, action),
            };
            if possible {
                out.push((action, after));
            }
        }
    }
}

impl Uploader {
    /// A user creates, edits, deletes.
    fn use_it(&self, state: &mut State, action: Action) -> bool {
        let calm = !state.deleted && state.sent == state.stored;
        match action {
            Action::Upload if calm && state.sent < MAX => {
                state.sent += 1;
                state.queue.push_back(state.sent);
                if !self.announce_first {
                    state.stored = state.sent;
                }
            }
            Action::Store if state.sent > state.stored => state.stored = state.sent,
            Action::Delete if calm && state.stored > 0 => {
                state.deleted = true;
                state.outputs.remove(&state.link);
                state.link = 0;
            }
            _ => return false,
        }
        true
    }

    /// A worker takes a message, writes the file, links it, acknowledges the message; or crashes.
    fn work(&self, state: &mut State, action: Action, number: usize) -> bool {
        let Some(Worker { phase, version, old }) = state.workers.get(number).copied() else { return false };
        let worker = match (action, phase) {
            (Action::Take(_), Phase::Idle) => {
                let Some(version) = state.queue.pop_front() else { return false };
                if version > state.stored {
                    Worker { phase: Phase::Lost, version, old: 0 }
                } else {
                    Worker { phase: Phase::Taken, version, old: if self.checked { 0 } else { state.link } }
                }
            }
            (Action::Write(_), Phase::Taken) => {
                state.outputs.insert(version);
                Worker { phase: Phase::Written, version, old }
            }
            (Action::Link(_), Phase::Written) => {
                self.link(state, version, old);
                Worker { phase: Phase::Done, version, old: 0 }
            }
            (Action::Ack(_), Phase::Done) => Worker::default(),
            (Action::Crash(_), Phase::Taken | Phase::Written | Phase::Done) if self.crashes => {
                state.queue.push_front(version);
                Worker::default()
            }
            _ => return false,
        };
        if let Some(place) = state.workers.get_mut(number) {
            *place = worker;
        }
        true
    }

    fn link(&self, state: &mut State, version: u8, old: u8) {
        if self.checked {
            // Compare and set. Whatever is no longer linked is left to the cleaner.
            if !state.deleted && version > state.link {
                state.link = version;
            }
        } else if state.deleted {
            state.outputs.remove(&version);
        } else {
            state.link = version;
            if old != version {
                state.outputs.remove(&old);
            }
        }
    }

    /// The cleaner removes a file that no worker will link any more.
    fn clean(&self, state: &mut State, version: u8) -> bool {
        self.cleanable(state, version) && state.outputs.remove(&version)
    }

    fn cleanable(&self, state: &State, version: u8) -> bool {
        let never_linked = state.deleted || version < state.link;
        self.checked && never_linked && version != state.link && state.outputs.contains(&version)
    }

    /// Explores all of it, with everything that ought to hold.
    pub(crate) fn explorer(&self) -> Explorer<'_, Self> {
        let explorer = Explorer::new(self)
            .keep_going()
            .always("Found", |state| {
                let lost = state.workers.iter().position(|worker| worker.phase == Phase::Lost);
                lost.map_or(Ok(()), |worker| Err(format!("worker {worker} cannot find the upload")))
            })
            .always("LinkWhole", |state| {
                let whole = state.link == 0 || state.outputs.contains(&state.link);
                if whole { Ok(()) } else { Err(format!("version {} is linked and has no file", state.link)) }
            })
            .always("NoOrphan", |state| {
                let at_rest = state.quiet() && !(1..=MAX).any(|version| self.cleanable(state, version));
                let orphan = state.loose().next().filter(|_| at_rest);
                orphan.map_or(Ok(()), |version| Err(format!("nobody will ever remove file {version}")))
            })
            .step("NewerStays", |before, _, after| {
                let newer = after.link == 0 || after.link >= before.link;
                if newer {
                    Ok(())
                } else {
                    Err(format!("edit {} is overwritten by {}", before.link, after.link))
                }
            })
            .leads_to(
                "Served",
                |state| state.record() != 0 && state.link != state.record(),
                |state| state.link == state.record() || state.record() == 0,
            )
            .leads_to(
                "Tidied",
                |state| state.loose().next().is_some(),
                |state| state.loose().next().is_none(),
            )
            .reachable("Edited", |state| state.link == 2)
            .reachable("Gone", |state| state.deleted && state.quiet() && state.outputs.is_empty());
        self.fair(explorer)
    }

    fn fair<'m>(&self, explorer: Explorer<'m, Self>) -> Explorer<'m, Self> {
        let explorer = explorer
            .weakly_fair(|action| matches!(action, Action::Take(_)))
            .weakly_fair(|action| matches!(action, Action::Clean(_)));
        let of_work: [fn(&Action) -> bool; 3] = [
            |action| matches!(action, Action::Write(_)),
            |action| matches!(action, Action::Link(_)),
            |action| matches!(action, Action::Ack(_)),
        ];
        of_work.into_iter().fold(explorer, |explorer, set| {
            if self.strong { explorer.strongly_fair(set) } else { explorer.weakly_fair(set) }
        })
    }
}
