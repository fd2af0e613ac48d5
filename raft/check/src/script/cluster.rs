//! Carries out the commands of a script.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use synod_raft::{Ballot, Command as Ask, Config, Raft, RestoreError};
use synod_sim::history::Request;
use synod_transport::host::{Host, HostError};
use synod_transport::ids::{LogIndex, NodeId, Position, Term};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::quorum::{Members, Static};
use synod_transport::store::LogStore;
use synod_transport::time::Instant;
use synod_transport::trace::{Fields, Value, named};

use super::clients::Clients;
use super::command::{Command, Link};
use super::disk::Disk;
use super::journal::Journal;
use super::{Problem, show};

/// So many messages are delivered before a script counts as one without end.
const MOST_DELIVERED: u64 = 100_000;

/// Servers, and the frames on their way, by link.
#[derive(Default)]
pub(super) struct Cluster {
    servers: BTreeMap<u64, Server>,
    links: BTreeMap<Link, VecDeque<Bytes>>,
    cut: BTreeSet<Link>,
    plain: bool,
    max_batch: Option<u32>,
    starts: u64,
    delivered: u64,
    now: Instant,
    clients: Clients,
    journal: Journal,
}

#[derive(Default)]
struct Server {
    life: u64,
    paused: bool,
    /// `None` while it is down.
    process: Option<Process>,
    /// The disk while it is down.
    disk: Disk,
}

struct Process {
    host: Box<Host<Raft, Disk>>,
    /// What it has applied in this life, from index 1 on.
    applied: Vec<Position>,
}

impl Cluster {
    /// Carries out a command and says what came of it.
    pub(super) fn carry_out(&mut self, command: Command) -> Result<Vec<String>, Problem> {
        match command {
            Command::Nodes { count, plain } => self.nodes(count, plain)?,
            Command::Batch { entries } => self.max_batch = Some(entries),
            Command::Disk { node, terms, term } => self.disk(node, &terms, term)?,
            Command::Campaign { node } => self.campaign(node)?,
            Command::Propose { node, payloads } => self.propose(node, payloads)?,
            Command::Read { node } => self.read(node)?,
            Command::Persist { node } => while self.persist_one(node)? {},
            Command::PersistOne { node } => {
                if !self.persist_one(node)? {
                    return Err(Problem::Unsynced { node, unsynced: 0 });
                }
            }
            Command::Deliver { link, count } => self.deliver(link, count)?,
            Command::DeliverAll => self.deliver_all()?,
            Command::Settle => self.settle()?,
            Command::Drop { link } => self.drop_frames(link)?,
            Command::Cut { links } => self.cut(links)?,
            Command::Heal => self.heal(),
            Command::Tick { millis } => self.tick(millis)?,
            Command::Run { millis } => self.run(millis)?,
            Command::Lead { node } => self.lead(node)?,
            Command::Crash { node, keep, torn } => self.crash(node, keep, torn)?,
            Command::Restart { node } => self.start(node)?,
            Command::Pause { node } => self.pause(node)?,
            Command::Resume { node } => self.resume(node)?,
            Command::Queue => self.queue(),
            Command::Status => self.status(),
        }
        Ok(self.journal.listen())
    }

    /// What happened so far.
    pub(super) const fn journal(&self) -> &Journal {
        &self.journal
    }

    fn server(&self, id: u64) -> Result<&Server, Problem> {
        self.servers.get(&id).ok_or(Problem::Nobody(id))
    }

    fn nodes(&mut self, count: u64, plain: bool) -> Result<(), Problem> {
        if !self.servers.is_empty() {
            return Err(Problem::Again);
        }
        self.plain = plain;
        // At the first start the others are there already, down.
        self.servers = (1..=count).map(|id| (id, Server::default())).collect();
        (1..=count).try_for_each(|id| self.start(id))
    }

    fn disk(&mut self, id: u64, terms: &[u64], term: u64) -> Result<(), Problem> {
        self.server(id)?;
        if !self.journal.is_fresh(id) {
            return Err(Problem::NotFresh(id));
        }
        let entry = |(index, term): (u64, &u64)| Entry {
            position: Position::new(*term, index),
            kind: EntryKind::Command,
            payload: format!("of-term-{term}").into(),
        };
        let entries = (1..).zip(terms).map(entry).collect();
        let ballot = Ballot { term: Term::new(term), vote: None };
        let disk = Disk::of(entries, ballot.encode());
        self.journal.forget(id);
        self.servers.insert(id, Server { disk, ..Server::default() });
        self.start(id)
    }

    fn start(&mut self, id: u64) -> Result<(), Problem> {
        let members = Members::new(self.servers.keys().copied().map(NodeId::new));
        let server = self.servers.get_mut(&id).ok_or(Problem::Nobody(id))?;
        if server.process.is_some() {
            return Err(Problem::Up(id));
        }
        self.starts += 1;
        let mut config = Config::new(NodeId::new(id));
        config.seed = self.starts;
        config.pre_vote = !self.plain;
        config.check_quorum = !self.plain;
        config.max_batch = self.max_batch.unwrap_or(config.max_batch);
        let refused = |error: RestoreError| Problem::Start { node: id, error };
        let members = members.map_err(|_| Problem::Nobody(id))?;
        let raft = Raft::new(config, Static::new(members), &server.disk.summary()).map_err(refused)?;
        server.life += 1;
        self.journal.step(self.now);
        self.journal.note(id, "Start", named([("life", server.life.into())]));
        let mut disk = core::mem::take(&mut server.disk);
        if disk.drop_torn() {
            self.journal.say(format!("  {id} finds a torn write and drops it"));
        }
        let journal = self.journal.clone();
        disk.on_write = Some(Box::new(move |batch| journal.say(show::write(id, batch))));
        let mut host = Box::new(Host::new(raft, disk, LogIndex::ZERO));
        host.record_to(Box::new(self.journal.clone()));
        server.process = Some(Process { host, applied: Vec::new() });
        self.act(id, Host::wake)
    }

    /// A node does something, in a moment of its own.
    fn at(
        &mut self,
        id: u64,
        act: impl FnOnce(&mut Host<Raft, Disk>, Instant) -> Result<(), HostError>,
    ) -> Result<(), Problem> {
        self.journal.step(self.now);
        self.act(id, act)
    }

    /// Does something at a server, then carries out what it asked for, but for the disk.
    fn act(
        &mut self,
        id: u64,
        act: impl FnOnce(&mut Host<Raft, Disk>, Instant) -> Result<(), HostError>,
    ) -> Result<(), Problem> {
        let (links, cut, journal) = (&mut self.links, &self.cut, &self.journal);
        let server = self.servers.get_mut(&id).ok_or(Problem::Nobody(id))?;
        if server.paused {
            return Err(Problem::Paused(id));
        }
        let Some(Process { host, applied }) = &mut server.process else { return Err(Problem::Down(id)) };
        let stopped = |error| Problem::Host { node: id, error };
        act(host, self.now).map_err(stopped)?;
        host.drain_frames(usize::MAX, |to, _class, frame| {
            let (link, frame) = ((id, to.get()), frame.join());
            if cut.contains(&link) {
                journal.lost(link, &frame, "message-cut-off");
            } else {
                links.entry(link).or_default().push_back(frame);
            }
        });
        if let Some(error) = host.failed() {
            return Err(stopped(error.clone()));
        }
        let mut news = Vec::new();
        host.take_events(&mut news);
        news.iter().for_each(|news| self.clients.hear(news, journal));
        let mut entries = Vec::new();
        while host.take_committed(usize::MAX, &mut entries).map_err(stopped)? {}
        if let Some(last) = entries.last() {
            journal.say(show::applied(id, &entries));
            journal.note(id, "Apply", named([("through", last.position.into())]));
            applied.extend(entries.iter().map(|entry| entry.position));
        }
        self.clients.answer(id, applied, journal);
        Ok(())
    }

    /// Whether a node can be asked for anything.
    fn able(&self, id: u64) -> Result<&Process, Problem> {
        let server = self.server(id)?;
        match &server.process {
            None => Err(Problem::Down(id)),
            Some(_) if server.paused => Err(Problem::Paused(id)),
            Some(process) => Ok(process),
        }
    }

    /// Nodes that are up and not paused.
    fn awake(&self) -> Vec<u64> {
        self.servers.keys().copied().filter(|id| self.able(*id).is_ok()).collect()
    }

    fn campaign(&mut self, id: u64) -> Result<(), Problem> {
        self.at(id, |host, now| host.command(now, Ask::Campaign))
    }

    fn propose(&mut self, id: u64, payloads: Vec<String>) -> Result<(), Problem> {
        self.able(id)?;
        let mut payloads: Vec<Bytes> = payloads.into_iter().map(Bytes::from).collect();
        let count = u32::try_from(payloads.len()).unwrap_or(u32::MAX);
        self.journal.step(self.now);
        let tag = self.clients.invoke(id, Request::Propose { count }, &self.journal);
        self.at(id, |host, now| host.propose(now, tag, &mut payloads))
    }

    fn read(&mut self, id: u64) -> Result<(), Problem> {
        self.able(id)?;
        self.journal.step(self.now);
        let tag = self.clients.invoke(id, Request::Read, &self.journal);
        self.at(id, |host, now| host.read(now, tag))
    }

    fn persist_one(&mut self, id: u64) -> Result<bool, Problem> {
        if self.able(id)?.host.store().unsynced() == 0 {
            return Ok(false);
        }
        self.at(id, |host, now| {
            host.store_mut().sync_one();
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(taken) = host.poll_durable(now, &mut cx) {
                taken?;
            }
            Ok(())
        })?;
        Ok(true)
    }

    fn deliver(&mut self, link: Link, count: usize) -> Result<(), Problem> {
        let (from, to) = link;
        self.server(from)?;
        if self.server(to)?.paused {
            return Err(Problem::Paused(to));
        }
        // What these frames bring about waits for the next command.
        let waiting = self.links.get(&link).map_or(0, VecDeque::len);
        for _ in 0..count.min(waiting) {
            self.delivered += 1;
            if self.delivered >= MOST_DELIVERED {
                return Err(Problem::Endless);
            }
            let Some(frame) = self.links.get_mut(&link).and_then(VecDeque::pop_front) else { break };
            if self.server(to)?.process.is_some() {
                self.at(to, |host, now| host.receive(now, NodeId::new(from), frame))?;
            } else {
                self.journal.step(self.now);
                self.journal.lost(link, &frame, "message-to-the-dead");
            }
        }
        Ok(())
    }

    /// Links with frames on them that somebody would take, or that lead to nobody.
    fn busy(&self) -> Vec<Link> {
        let busy = self.links.iter().filter(|((_, to), frames)| {
            !frames.is_empty() && self.servers.get(to).is_some_and(|server| !server.paused)
        });
        busy.map(|(link, _)| *link).collect()
    }

    fn deliver_all(&mut self) -> Result<(), Problem> {
        while !self.busy().is_empty() {
            for link in self.busy() {
                self.deliver(link, usize::MAX)?;
            }
        }
        Ok(())
    }

    /// Delivers and persists until nothing moves.
    fn settle(&mut self) -> Result<(), Problem> {
        loop {
            self.deliver_all()?;
            let mut quiet = true;
            for id in self.awake() {
                while self.persist_one(id)? {
                    quiet = false;
                }
            }
            if quiet && self.busy().is_empty() {
                return Ok(());
            }
        }
    }

    fn drop_frames(&mut self, link: Link) -> Result<(), Problem> {
        self.server(link.0)?;
        self.server(link.1)?;
        for frame in self.links.remove(&link).unwrap_or_default() {
            self.journal.step(self.now);
            self.journal.lost(link, &frame, "loss");
            self.journal.say(format!("  lost: {}", show::frame(link, frame)));
        }
        Ok(())
    }

    fn cut(&mut self, links: Vec<Link>) -> Result<(), Problem> {
        for (from, to) in links {
            self.server(from)?;
            self.server(to)?;
            self.cut.insert((from, to));
        }
        let cut = |(from, to): &Link| [*from, *to].into_iter().collect::<Value>();
        let fields = [("kind", Value::word("cut")), ("cut", self.cut.iter().map(cut).collect())];
        self.journal.step(self.now);
        self.journal.note(0, "Partition", named(fields));
        Ok(())
    }

    fn heal(&mut self) {
        self.cut.clear();
        self.journal.step(self.now);
        self.journal.note(0, "PartitionHealed", Fields::new());
    }

    fn tick(&mut self, millis: u64) -> Result<(), Problem> {
        self.now = self.now.plus(Duration::from_millis(millis));
        for id in self.awake() {
            if self.able(id)?.host.wake_at() <= self.now {
                self.at(id, Host::wake)?;
            }
        }
        Ok(())
    }

    /// Time passes in steps of 20 ms, with everything delivered and persisted after each. In short.
    fn run(&mut self, millis: u64) -> Result<(), Problem> {
        for _ in 0..millis / 20 {
            self.tick(20)?;
            self.settle()?;
        }
        self.journal.shorten();
        Ok(())
    }

    /// An election that nothing disturbs, and the heartbeat behind it. In short.
    fn lead(&mut self, id: u64) -> Result<(), Problem> {
        self.campaign(id)?;
        self.settle()?;
        self.tick(100)?;
        self.settle()?;
        self.journal.shorten();
        Ok(())
    }

    fn crash(&mut self, id: u64, keep: usize, torn: bool) -> Result<(), Problem> {
        let server = self.servers.get_mut(&id).ok_or(Problem::Nobody(id))?;
        let Some(Process { host, .. }) = &mut server.process else { return Err(Problem::Down(id)) };
        let (unsynced, sealed) = (host.store().unsynced(), host.sealed_count());
        if keep.saturating_add(usize::from(torn)) > unsynced {
            return Err(Problem::Unsynced { node: id, unsynced });
        }
        let disk = core::mem::take(host.store_mut());
        (server.disk, server.process, server.paused) = (disk.crashed(keep, torn), None, false);
        let half = if torn { " (one torn)" } else { "" };
        let lost = unsynced - keep;
        self.journal.say(format!("  {id} loses {lost} unsynced writes{half} and {sealed} sealed messages"));
        let count = |it: usize| Value::Number(u64::try_from(it).unwrap_or(u64::MAX));
        self.journal.step(self.now);
        let fields = [
            ("life", server.life.into()),
            ("unsynced", count(unsynced)),
            ("survived", count(keep)),
            ("torn", torn.into()),
        ];
        self.journal.note(id, "Crash", named(fields));
        self.clients.give_up(id, &self.journal);
        Ok(())
    }

    fn pause(&mut self, id: u64) -> Result<(), Problem> {
        self.able(id)?;
        self.set_paused(id, true, "Pause");
        Ok(())
    }

    fn resume(&mut self, id: u64) -> Result<(), Problem> {
        if !self.server(id)?.paused {
            return Err(Problem::NotPaused(id));
        }
        self.set_paused(id, false, "Resume");
        Ok(())
    }

    fn set_paused(&mut self, id: u64, paused: bool, event: &str) {
        self.servers.entry(id).and_modify(|server| server.paused = paused);
        self.journal.step(self.now);
        self.journal.note(id, event, Fields::new());
    }

    fn queue(&self) {
        for (link, frames) in &self.links {
            for frame in frames {
                self.journal.say(format!("  {}", show::frame(*link, frame.clone())));
            }
        }
    }

    fn status(&self) {
        for (id, server) in &self.servers {
            self.journal.say(match &server.process {
                None => format!("  {id} is down, log {}", show::log(&server.disk)),
                Some(process) => {
                    let paused = if server.paused { ", paused" } else { "" };
                    format!("{}{paused}", show::running(*id, &process.host))
                }
            });
        }
    }
}
