//! Runs the commands of a script.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use synod_raft::{Ballot, Command, Config, Message, Raft};
use synod_transport::host::{Host, decode};
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term};
use synod_transport::log::{Entry, EntryKind};
use synod_transport::machine::Role;
use synod_transport::quorum::{Members, Static};
use synod_transport::store::{Batch, LogStore};
use synod_transport::time::Instant;
use synod_transport::trace::TraceEvent;

use crate::disk::Disk;

enum Server {
    Up(Box<Host<Raft, Disk>>),
    Down(Box<Disk>),
}

/// Servers, and the frames on their way, by link.
#[derive(Default)]
pub(crate) struct Cluster {
    servers: BTreeMap<u64, Server>,
    links: BTreeMap<(u64, u64), VecDeque<Bytes>>,
    cut: BTreeSet<(u64, u64)>,
    plain: bool,
    max_batch: Option<u32>,
    starts: u64,
    tags: u64,
    delivered: u64,
    now: Instant,
    said: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    /// Carries out one line and says what came of it.
    pub(crate) fn command(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["nodes", count] => self.nodes(number(count), false),
            ["nodes", count, "plain"] => self.nodes(number(count), true),
            ["batch", count] => self.max_batch = u32::try_from(number(count)).ok(),
            ["disk", id, terms, "term", term] => self.disk(number(id), terms, number(term)),
            ["campaign", id] => {
                self.at(number(id), |host, now| host.command(now, Command::Campaign).unwrap());
            }
            ["propose", id, payloads @ ..] => self.propose(number(id), payloads),
            ["read", id] => self.read(number(id)),
            ["persist", id] => while self.persist_one(number(id)) {},
            ["persist-one", id] => assert!(self.persist_one(number(id)), "nothing to persist"),
            ["deliver", link] => self.deliver(parse_link(link), usize::MAX),
            ["deliver", link, count] => {
                self.deliver(parse_link(link), usize::try_from(number(count)).unwrap());
            }
            ["deliver-all"] => self.deliver_all(),
            ["settle"] => self.settle(),
            ["drop", link] => self.drop_frames(parse_link(link)),
            ["cut", links @ ..] => self.cut.extend(links.iter().map(|link| parse_link(link))),
            ["heal"] => self.cut.clear(),
            ["tick", millis] => self.tick(number(millis)),
            ["run", millis] => self.run(number(millis)),
            ["lead", id] => self.lead(number(id)),
            ["crash", id] => self.crash(number(id)),
            ["restart", id] => self.start(number(id)),
            ["queue"] => self.queue(),
            ["status"] => self.status(),
            _ => panic!("what is {line:?}?"),
        }
        std::mem::take(&mut *self.said.lock().unwrap())
    }

    fn say(&self, line: String) {
        self.said.lock().unwrap().push(line);
    }

    fn nodes(&mut self, count: u64, plain: bool) {
        self.plain = plain;
        for id in 1..=count {
            self.servers.insert(id, Server::Down(Box::default()));
        }
        (1..=count).for_each(|id| self.start(id));
    }

    fn disk(&mut self, id: u64, terms: &str, term: u64) {
        let entry = |(index, term): (u64, &str)| Entry {
            position: Position::new(number(term), index),
            kind: EntryKind::Command,
            payload: format!("of-term-{term}").into(),
        };
        let entries = (1..).zip(terms.split(',')).map(entry).collect();
        let ballot = Ballot { term: Term::new(term), vote: None };
        self.servers.insert(id, Server::Down(Box::new(Disk::of(entries, ballot.encode()))));
        self.start(id);
    }

    fn start(&mut self, id: u64) {
        let Some(Server::Down(disk)) = self.servers.remove(&id) else { panic!("{id} is up") };
        self.starts += 1;
        let mut config = Config::new(NodeId::new(id));
        config.seed = self.starts;
        config.pre_vote = !self.plain;
        config.check_quorum = !self.plain;
        config.max_batch = self.max_batch.unwrap_or(config.max_batch);
        let members = self.servers.keys().copied().chain([id]).map(NodeId::new);
        // At the first start the others are there already, down.
        let history = Static::new(Members::new(members).unwrap());
        let raft = Raft::new(config, history, &disk.summary()).unwrap();
        let mut disk = *disk;
        let said = Arc::clone(&self.said);
        disk.on_write = Some(Box::new(move |batch| said.lock().unwrap().push(show_write(id, batch))));
        let mut host = Host::new(raft, disk, LogIndex::ZERO);
        let said = Arc::clone(&self.said);
        host.record_to(Box::new(move |event: TraceEvent<'_>| {
            said.lock().unwrap().extend(describe(&event));
        }));
        self.servers.insert(id, Server::Up(Box::new(host)));
        self.at(id, |host, now| host.wake(now).unwrap());
    }

    fn up(&self) -> Vec<u64> {
        let up = self.servers.iter().filter(|(_, server)| matches!(server, Server::Up(_)));
        up.map(|(id, _)| *id).collect()
    }

    /// Does something at a server, then carries out what it asked for, but for the disk.
    fn at(&mut self, id: u64, act: impl FnOnce(&mut Host<Raft, Disk>, Instant)) {
        let Some(Server::Up(host)) = self.servers.get_mut(&id) else { panic!("{id} is down") };
        act(host, self.now);
        let (links, cut) = (&mut self.links, &self.cut);
        host.drain_frames(usize::MAX, |to, _class, frame| {
            let link = (id, to.get());
            if !cut.contains(&link) {
                links.entry(link).or_default().push_back(frame.join());
            }
        });
        host.take_events(&mut Vec::new());
        let mut applied = Vec::new();
        while host.take_committed(usize::MAX, &mut applied).unwrap() {}
        if !applied.is_empty() {
            let entries: Vec<String> = applied.iter().map(show_entry).collect();
            self.say(format!("  {id} applies {}", entries.join(", ")));
        }
    }

    fn propose(&mut self, id: u64, payloads: &[&str]) {
        self.tags += 1;
        let tag = Tag::new(self.tags);
        let mut payloads = payloads.iter().map(|payload| Bytes::from((*payload).to_owned())).collect();
        self.at(id, |host, now| host.propose(now, tag, &mut payloads).unwrap());
    }

    fn read(&mut self, id: u64) {
        self.tags += 1;
        let tag = Tag::new(self.tags);
        self.at(id, |host, now| host.read(now, tag).unwrap());
    }

    fn persist_one(&mut self, id: u64) -> bool {
        let mut synced = false;
        self.at(id, |host, now| {
            synced = host.store_mut().sync_one();
            let mut cx = Context::from_waker(Waker::noop());
            while host.poll_durable(now, &mut cx).is_ready() {}
        });
        synced
    }

    fn deliver(&mut self, link: (u64, u64), count: usize) {
        // What these frames bring about waits for the next command.
        let waiting = self.links.get(&link).map_or(0, VecDeque::len);
        for _ in 0..count.min(waiting) {
            self.delivered += 1;
            assert!(self.delivered < 100_000, "messages without end");
            let frame = self.links.get_mut(&link).and_then(VecDeque::pop_front).expect("just counted");
            if matches!(self.servers.get(&link.1), Some(Server::Up(_))) {
                self.at(link.1, |host, now| host.receive(now, NodeId::new(link.0), frame).unwrap());
            }
        }
    }

    fn busy(&self) -> Vec<(u64, u64)> {
        self.links.iter().filter(|(_, frames)| !frames.is_empty()).map(|(link, _)| *link).collect()
    }

    fn deliver_all(&mut self) {
        while !self.busy().is_empty() {
            for link in self.busy() {
                self.deliver(link, usize::MAX);
            }
        }
    }

    /// Delivers and persists until nothing moves.
    fn settle(&mut self) {
        loop {
            self.deliver_all();
            let mut quiet = true;
            for id in self.up() {
                while self.persist_one(id) {
                    quiet = false;
                }
            }
            if quiet && self.busy().is_empty() {
                return;
            }
        }
    }

    fn drop_frames(&mut self, link: (u64, u64)) {
        let dropped = self.links.remove(&link).unwrap_or_default();
        for frame in dropped {
            self.say(format!("  lost: {}", show_frame(link, frame)));
        }
    }

    fn tick(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
        for id in self.up() {
            self.at(id, |host, now| host.wake(now).unwrap());
        }
    }

    /// Time passes in steps of 20 ms, with everything delivered and persisted after each. In short.
    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            self.tick(20);
            self.settle();
        }
        self.shorten();
    }

    /// An election that nothing disturbs, and the heartbeat behind it. In short.
    fn lead(&mut self, id: u64) {
        self.at(id, |host, now| host.command(now, Command::Campaign).unwrap());
        self.settle();
        self.tick(100);
        self.settle();
        self.shorten();
    }

    /// Keeps what was told about roles, answers and what was applied.
    fn shorten(&self) {
        let told =
            |line: &String| [" is now ", " answers ", " applies "].iter().any(|word| line.contains(word));
        self.said.lock().unwrap().retain(told);
    }

    fn crash(&mut self, id: u64) {
        let Some(Server::Up(mut host)) = self.servers.remove(&id) else { panic!("{id} is down") };
        let lost = host.store().unsynced();
        self.say(format!("  {id} loses {lost} unsynced writes and {} sealed messages", host.sealed_count()));
        let disk = std::mem::take(host.store_mut());
        self.servers.insert(id, Server::Down(Box::new(disk.crashed())));
    }

    fn queue(&mut self) {
        for (link, frames) in &self.links {
            for frame in frames {
                self.say(format!("  {}", show_frame(*link, frame.clone())));
            }
        }
    }

    fn status(&mut self) {
        for (id, server) in &self.servers {
            let host = match server {
                Server::Up(host) => host,
                Server::Down(disk) => {
                    self.say(format!("  {id} is down, log {}", show_log(disk)));
                    continue;
                }
            };
            let raft = host.machine();
            let mut line = format!("  {id} {} {:?}", show_role(raft.role()), raft.term());
            let vote = raft.ballot().vote.map_or("nobody".to_owned(), |vote| vote.to_string());
            let leader = raft.leader().map_or("nobody".to_owned(), |leader| leader.to_string());
            write!(
                line,
                " vote {vote} leader {leader} commit {} log {}",
                raft.commit(),
                show_log(host.store())
            )
            .unwrap();
            match host.store().unsynced() {
                0 => {}
                unsynced => write!(line, " ({unsynced} writes unsynced)").unwrap(),
            }
            self.say(line);
        }
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is no number"))
}

fn parse_link(word: &str) -> (u64, u64) {
    let (from, to) = word.split_once("->").unwrap_or_else(|| panic!("{word:?} is no link"));
    (number(from), number(to))
}

fn show_role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

fn show_entry(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Blank => format!("{:?} blank", entry.position),
        _ => format!("{:?} {}", entry.position, String::from_utf8_lossy(&entry.payload)),
    }
}

fn show_log(disk: &Disk) -> String {
    let terms: Vec<String> = disk.entries().iter().map(|entry| entry.position.term.to_string()).collect();
    format!("[{}]", terms.join(" "))
}

fn show_frame((from, to): (u64, u64), frame: Bytes) -> String {
    let mut entries = Vec::new();
    let message: Message = decode(frame, &mut entries).expect("a frame of ours");
    format!("{from} -> {to}  {message:?}")
}

/// A line for a trace event; none for those that say nothing new.
fn describe(event: &TraceEvent<'_>) -> Option<String> {
    let node = event.node;
    let detail = format!("{:?}", event.detail);
    Some(match (event.event, event.peer) {
        ("Seal", _) => format!("  {node} holds back a message: {detail}"),
        ("Persisted", _) => format!("{node} persisted through {detail}"),
        ("Replicate" | "Refuse" | "ReadReady", _) => format!("  {node} answers {detail}"),
        (send, Some(to)) if send.starts_with("Send") => format!("  {node} -> {to}  {detail}"),
        (receive, Some(from)) if receive.starts_with("Receive") => format!("{node} <- {from}  {detail}"),
        (becomes, _) if becomes.starts_with("Become") => {
            let role = detail.strip_prefix("Role { role: ").expect("news of a role");
            format!("  {node} is now {}", role.trim_end_matches(" }"))
        }
        // The disk tells of writes itself.
        _ => return None,
    })
}

/// What a write does, in its order.
fn show_write(id: u64, batch: &Batch<'_>) -> String {
    let mut line = format!("  {id} writes {:?}:", batch.id);
    if let Some(from) = batch.truncate_from {
        write!(line, " cut from {from}").unwrap();
    }
    batch.append.iter().for_each(|entry| write!(line, " {}", show_entry(entry)).unwrap());
    if let Some(ballot) = batch.hard_state.as_ref().and_then(Ballot::decode) {
        let vote = ballot.vote.map_or("nobody".to_owned(), |vote| vote.to_string());
        write!(line, " term {} vote {vote}", ballot.term).unwrap();
    }
    line
}
