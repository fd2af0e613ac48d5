//! The properties of figure 3, and those that this implementation adds, over every explored state and step.

use synod_raft::{Ballot, TermLog};
use synod_sim::explore::cluster::{Breach, Cause, Local, Step, Watch};
use synod_transport::explore::Renaming;
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term};
use synod_transport::machine::{Event, Machine, Role};
use synod_transport::store::LogSummary;

use crate::Node;
use crate::invariants::{committed_is_durable, log_matching};

/// Watches a cluster for what figure 3 promises.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figure3;

/// What of a node the properties speak of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Facts {
    /// The node.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// Its term.
    pub term: Term,
    /// Its log.
    pub log: TermLog,
    /// What it knows to be committed.
    pub commit: LogIndex,
    /// The log that a crash would leave at worst.
    pub durable: TermLog,
}

/// What must be remembered of the past.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Past {
    /// The terms of the longest log that anybody ever knew to be committed.
    pub decided: Vec<Term>,
    /// Who led each term first, in the order of terms.
    pub led: Vec<(Term, NodeId)>,
    /// Reads that are not answered, and how much was committed anywhere when they were asked.
    pub asked: Vec<(Tag, LogIndex)>,
}

impl Watch<Node> for Figure3 {
    type Facts = Facts;
    type Memory = Past;

    const SIGHTS: &'static [&'static str] = &[
        "a leader is elected",
        "an entry is committed",
        "an entry of an older term is committed through a newer one",
        "a log is cut",
        "a leader steps down",
        "a crash loses a vote",
        "a crash loses entries",
        "a read is answered",
    ];

    fn facts(&self, node: &Local<Node>) -> Facts {
        let machine = &node.machine;
        Facts {
            id: Machine::id(machine),
            role: machine.role(),
            term: machine.term(),
            log: machine.log().clone(),
            commit: machine.commit(),
            durable: node.durable().and_then(TermLog::from_summary).unwrap_or_default(),
        }
    }

    fn remember(&self, past: &mut Past, step: &Step<'_, Node, Facts>) -> Result<(), Breach> {
        appends_only(step.before, step.after)?;
        past.asks(step.cause);
        past.leads(step.after)?;
        past.commits(step.after)?;
        past.answers(step.events)
    }

    fn check(&self, nodes: &[&Facts], past: &Past) -> Result<(), Breach> {
        for (at, a) in nodes.iter().enumerate() {
            for b in nodes.iter().skip(at + 1) {
                log_matching(&a.log, &b.log).map_err(|text| Breach::new("log matching", text))?;
            }
        }
        let newest = past.led.last().map(|(term, _)| *term);
        let leaders = nodes.iter().filter(|node| node.role == Role::Leader && Some(node.term) == newest);
        for leader in leaders {
            if let Some(missing) = past.missing_from(&leader.log) {
                let text =
                    format!("{:?} leads {} without the committed entry {missing:?}", leader.id, leader.term);
                return Err(Breach::new("leader completeness", text));
            }
        }
        let holders = nodes.iter().filter(|node| past.missing_from(&node.durable).is_none()).count();
        match past.newest() {
            None => Ok(()),
            Some(entry) => committed_is_durable(entry, holders, nodes.len())
                .map_err(|text| Breach::new("committed is durable", text)),
        }
    }

    fn rename(&self, past: &mut Past, names: &Renaming) {
        for (_, leader) in &mut past.led {
            *leader = names.node(*leader);
        }
    }

    fn sights(&self, step: &Step<'_, Node, Facts>) -> u64 {
        let (before, after) = (step.before, step.after);
        let crash = matches!(step.cause, Cause::Crash(_));
        let (led, leads) = (before.role == Role::Leader, after.role == Role::Leader);
        let more = after.commit > before.commit;
        let next = after.log.term_at(before.commit.next());
        let lost_vote =
            crash && vote(step.from.current()).is_some_and(|vote| Some(vote) != ballot(step.to.current()));
        let shows = [
            leads && !led,
            more,
            more && leads && next.is_some_and(|term| term < after.term),
            !crash && !is_prefix(&before.log, &after.log),
            !crash && led && !leads,
            lost_vote,
            crash && !is_prefix(&before.log, &after.log),
            step.events.iter().any(|event| matches!(event, Event::ReadReady { .. })),
        ];
        shows.iter().rev().fold(0, |bits, shown| bits << 1 | u64::from(*shown))
    }
}

fn ballot(stored: Option<&LogSummary>) -> Option<Ballot> {
    stored.and_then(|stored| stored.hard_state.as_ref()).and_then(Ballot::decode)
}

/// The ballot, if it holds a vote.
fn vote(stored: Option<&LogSummary>) -> Option<Ballot> {
    ballot(stored).filter(|ballot| ballot.vote.is_some())
}

/// "A leader never overwrites or deletes entries in its log; it only appends new entries."
fn appends_only(before: &Facts, after: &Facts) -> Result<(), Breach> {
    let led = |facts: &Facts| facts.role == Role::Leader;
    if led(before) && led(after) && before.term == after.term && !is_prefix(&before.log, &after.log) {
        let text = format!("{:?} leads {} and lost an entry", after.id, after.term);
        return Err(Breach::new("leader append-only", text));
    }
    Ok(())
}

/// Whether the longer log begins with the shorter one. O(entries), of which explored logs have few.
fn is_prefix(short: &TermLog, long: &TermLog) -> bool {
    let mut indices = (1..=short.last().index.get()).map(LogIndex::new);
    indices.all(|index| short.term_at(index) == long.term_at(index))
}

impl Past {
    fn asks(&mut self, cause: Cause) {
        if let Cause::Read(tag) = cause {
            self.asked.push((tag, LogIndex::new(self.decided.len() as u64)));
        }
    }

    /// "At most one leader can be elected in a given term."
    fn leads(&mut self, facts: &Facts) -> Result<(), Breach> {
        if facts.role != Role::Leader {
            return Ok(());
        }
        match self.led.binary_search_by_key(&facts.term, |(term, _)| *term) {
            Err(at) => self.led.insert(at, (facts.term, facts.id)),
            Ok(at) => {
                if let Some((term, first)) = self.led.get(at).filter(|(_, first)| *first != facts.id) {
                    let text = format!("{first:?} and {:?} both lead term {term}", facts.id);
                    return Err(Breach::new("election safety", text));
                }
            }
        }
        Ok(())
    }

    /// "No other server will ever apply a different log entry for the same index."
    fn commits(&mut self, facts: &Facts) -> Result<(), Breach> {
        let mut index = LogIndex::ZERO;
        while index < facts.commit {
            let known = usize::try_from(index.get()).ok().and_then(|at| self.decided.get(at)).copied();
            index = index.next();
            let term = facts.log.term_at(index).unwrap_or_default();
            match known {
                None => self.decided.push(term),
                Some(known) if known == term => {}
                Some(known) => {
                    let (was, is) = (Position { term: known, index }, Position { term, index });
                    let text = format!("{:?} commits {is:?} where {was:?} was committed", facts.id);
                    return Err(Breach::new("state machine safety", text));
                }
            }
        }
        Ok(())
    }

    fn answers(&mut self, events: &[Event]) -> Result<(), Breach> {
        for event in events {
            let (tag, answer) = match event {
                Event::ReadReady { tag, index } => (tag, Some(*index)),
                Event::Refused { tag, .. } => (tag, None),
                _ => continue,
            };
            let Some(at) = self.asked.iter().position(|(asked, _)| asked == tag) else { continue };
            let (_, committed) = self.asked.remove(at);
            if let Some(index) = answer.filter(|index| *index < committed) {
                let text = format!(
                    "a read is answered at {index} though {committed} was committed when it was asked"
                );
                return Err(Breach::new("read freshness", text));
            }
        }
        Ok(())
    }

    /// The newest decided entry.
    fn newest(&self) -> Option<Position> {
        let index = LogIndex::new(self.decided.len() as u64);
        self.decided.last().map(|term| Position { term: *term, index })
    }

    /// The first decided entry that a log does not hold.
    fn missing_from(&self, log: &TermLog) -> Option<Position> {
        let positions = self
            .decided
            .iter()
            .zip(1..)
            .map(|(term, index)| Position { term: *term, index: LogIndex::new(index) });
        positions.into_iter().find(|entry| log.term_at(entry.index) != Some(entry.term))
    }
}
