//! What a host records: every kind of event, each step closed, and nothing looked at when nobody records.
#![cfg(feature = "trace")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use synod_transport::host::Host;
use synod_transport::ids::{LogIndex, NodeId, Position, Tag, Term, WriteId};
use synod_transport::log::{Runs, Span};
use synod_transport::machine::{Effects, Event, Fatal, Input, Machine, Message, Refusal, Role};
use synod_transport::net::Class;
use synod_transport::store::{Append, Body, HardState, MemLogStore, Write};
use synod_transport::time::Instant;
use synod_transport::trace::{Group, Line, Ndjson, Recorder, TraceEvent, Value, groups, read};
use synod_transport::wire::{Reader, WireError, Writer};

thread_local! {
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

fn look() {
    LOOKS.set(LOOKS.get() + 1);
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note(u64);

impl Message for Note {
    fn class(&self) -> Class {
        Class::Control
    }
    fn span(&self) -> Option<&Span> {
        None
    }
    fn split(self, _: u32) -> (Self, Option<Self>) {
        (self, None)
    }
    fn encode(&self, out: &mut Writer) {
        out.u64(self.0);
    }
    fn decode(from: &mut Reader) -> Result<Self, WireError> {
        from.u64().map(Self)
    }
    fn name(&self) -> &'static str {
        look();
        "Note"
    }
    fn noun(&self) -> &'static str {
        look();
        "NoteRequest"
    }
    fn observe(&self) -> Value {
        look();
        Value::record([("number", self.0.into())])
    }
}

/// Asks for what its next step was given, and counts its steps.
#[derive(Default)]
struct Puppet {
    steps: u64,
    broken: bool,
}

type Pull = fn(&mut Effects<Note>);

impl Machine for Puppet {
    type Message = Note;
    type Command = Pull;

    fn id(&self) -> NodeId {
        NodeId::new(1)
    }

    fn observe(&self) -> Value {
        look();
        Value::record([("steps", self.steps.into())])
    }

    fn observe_command(&self, _: &Pull) -> Value {
        look();
        Value::word("pull")
    }

    fn step(&mut self, _: Instant, input: Input<Note, Pull>, to: &mut Effects<Note>) -> Result<(), Fatal> {
        self.steps += 1;
        if self.broken {
            return Err(Fatal("as planted"));
        }
        match input {
            Input::Command(pull) => pull(to),
            Input::Propose { tag, count } => {
                let first = LogIndex::new(2);
                to.events.push(Event::Accepted { tag, term: Term::new(1), first, count });
                let span = Span { after: Position::new(1, 1), runs: Runs::one(Term::new(1), count) };
                let append = Some(Append { span, body: Body::Proposed });
                to.write = Some(write(2, append));
            }
            Input::Read { tag } => to.events.push(Event::Refused { tag, reason: Refusal::Busy }),
            Input::Wake | Input::Message { .. } | Input::Persisted(_) => {}
        }
        Ok(())
    }
}

const fn write(id: u64, append: Option<Append>) -> Write {
    Write { id: WriteId::new(id), truncate_from: None, append, hard_state: None, purge_through: None }
}

fn everything(to: &mut Effects<Note>) {
    let span = Span { after: Position::ZERO, runs: Runs::one(Term::new(1), 1) };
    let leader = Some(NodeId::new(1));
    to.write = Some(Write {
        truncate_from: Some(LogIndex::new(1)),
        hard_state: Some(HardState::from_array([0x0a, 0xff])),
        ..write(1, Some(Append { span, body: Body::Blank }))
    });
    to.send(NodeId::new(2), Note(1));
    to.send_after(WriteId::new(1), NodeId::new(3), Note(2));
    to.apply_through = LogIndex::new(1);
    to.events.push(Event::Role { role: Role::Leader, term: Term::new(1), leader });
    to.events.push(Event::ReadReady { tag: Tag::new(8), index: LogIndex::new(1) });
    let reason = Refusal::NotLeader { leader: None };
    to.events.push(Event::Refused { tag: Tag::new(9), reason });
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Recorder for Kept {
    fn record(&mut self, event: TraceEvent<'_>) {
        let mut out = Ndjson::new(Vec::new());
        out.record(event);
        self.0.lock().unwrap().extend(out.finish().unwrap());
    }
}

/// One life with each input, driven the same with a recorder and without.
fn live(host: &mut Host<Puppet, MemLogStore>) {
    let at = Instant::from_nanos;
    let mut cx = Context::from_waker(Waker::noop());
    host.wake(at(10)).unwrap();
    host.command(at(20), everything).unwrap();
    assert!(host.poll_durable(at(25), &mut cx).is_pending());
    host.store_mut().sync();
    assert!(host.poll_durable(at(30), &mut cx).is_ready());
    host.deliver(at(40), NodeId::new(2), Note(7), &mut Vec::new()).unwrap();
    host.receive(at(50), NodeId::new(2), b"short"[..].into()).unwrap_err();
    host.propose(at(60), Tag::new(4), &mut vec!["a".into(), "b".into()]).unwrap();
    host.read(at(70), Tag::new(5)).unwrap();
    host.take_events(&mut Vec::new());
    host.wake(at(80)).unwrap();
}

fn host() -> Host<Puppet, MemLogStore> {
    Host::new(Puppet::default(), MemLogStore::with_manual_sync(), LogIndex::ZERO)
}

fn recorded(mut host: Host<Puppet, MemLogStore>, act: impl FnOnce(&mut Host<Puppet, MemLogStore>)) -> String {
    let kept = Kept::default();
    host.record_to(Box::new(kept.clone()));
    act(&mut host);
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// The whole trace of [`live`]: also the example in `docs/trace.md`.
const LIFE: &str = r#"
{"at":10,"node":1,"event":"InitState","state":{"steps":0}}
{"at":10,"node":1,"event":"Wake"}
{"at":10,"node":1,"event":"Ready","state":{"steps":1}}
{"at":20,"node":1,"event":"Command","command":"pull"}
{"at":20,"node":1,"event":"BecomeLeader","term":1,"leader":1}
{"at":20,"node":1,"event":"Write","id":1,"truncate_from":1,"append":{"after":[0,0],"runs":[[1,1]],"body":"Blank"},"hard_state":"0aff"}
{"at":20,"node":1,"event":"SendNoteRequest","peer":2,"message":{"kind":"Note","number":1}}
{"at":20,"node":1,"event":"Seal","peer":3,"message":{"kind":"Note","number":2},"seal":1,"after":1,"sends":"SendNoteRequest"}
{"at":20,"node":1,"event":"Commit","index":1}
{"at":20,"node":1,"event":"ReadReady","tag":8,"index":1}
{"at":20,"node":1,"event":"Refuse","tag":9,"reason":"NotLeader","leader":0}
{"at":20,"node":1,"event":"Ready","state":{"steps":2}}
{"at":30,"node":1,"event":"Persisted","through":1}
{"at":30,"node":1,"event":"SendNoteRequest","peer":3,"message":{"kind":"Note","number":2},"seal":1}
{"at":30,"node":1,"event":"Ready","state":{"steps":3}}
{"at":40,"node":1,"event":"ReceiveNoteRequest","peer":2,"message":{"kind":"Note","number":7}}
{"at":40,"node":1,"event":"Ready","state":{"steps":4}}
{"at":50,"node":1,"event":"Unreadable","peer":2,"error":"needs 8 more bytes, has 5"}
{"at":60,"node":1,"event":"Propose","tag":4,"count":2}
{"at":60,"node":1,"event":"Write","id":2,"append":{"after":[1,1],"runs":[[1,2]],"body":"Proposed"}}
{"at":60,"node":1,"event":"Replicate","tag":4,"term":1,"first":2,"count":2}
{"at":60,"node":1,"event":"Ready","state":{"steps":5}}
{"at":70,"node":1,"event":"Read","tag":5}
{"at":70,"node":1,"event":"Refuse","tag":5,"reason":"Busy"}
{"at":70,"node":1,"event":"Ready","state":{"steps":6}}
{"at":80,"node":1,"event":"Wake"}
{"at":80,"node":1,"event":"Ready","state":{"steps":7}}
"#;

#[test]
fn a_life_is_told_step_by_step_and_each_event_once() {
    let text = recorded(host(), live);
    for (line, want) in text.lines().zip(LIFE.trim().lines()) {
        assert_eq!(line, want);
    }
    assert_eq!(text.lines().count(), LIFE.trim().lines().count());
}

#[test]
fn what_was_written_is_read_back_in_closed_steps() {
    let back: Vec<Line> = read(LIFE.trim().as_bytes()).map(Result::unwrap).collect();
    let again: Vec<String> = back.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(again, LIFE.trim().lines().collect::<Vec<_>>());
    let groups: Vec<Group> = groups(read(LIFE.trim().as_bytes())).map(Result::unwrap).collect();
    let alone = groups.iter().filter(|group| matches!(group, Group::Alone(_))).count();
    assert_eq!((groups.len(), alone), (9, 2), "seven steps, InitState and a frame");
    for group in &groups {
        if let Group::Step { input, effects, end } = group {
            assert!(end.state.is_some() && end.event == "Ready", "{input:?}");
            assert!(effects.iter().all(|line| line.state.is_none() && line.at == input.at));
        }
    }
}

#[test]
fn a_failing_step_is_closed_and_the_last() {
    let broken = Puppet { broken: true, ..Puppet::default() };
    let broken = Host::new(broken, MemLogStore::with_manual_sync(), LogIndex::ZERO);
    let text = recorded(broken, |host| {
        host.wake(Instant::from_nanos(3)).unwrap_err();
        host.wake(Instant::from_nanos(4)).unwrap_err();
    });
    let events: Vec<String> = read(text.as_bytes()).map(|line| line.unwrap().event).collect();
    assert_eq!(events, ["InitState", "Wake", "Failed"]);
    let failed = read(text.as_bytes()).last().unwrap().unwrap();
    assert_eq!(failed.get("error"), Some(&Value::word("invariant broken: as planted")));
    assert_eq!(failed.state, Some(Value::record([("steps", 1u64.into())])));
}

#[test]
fn a_write_that_the_store_refuses_ends_the_step_before_anything_is_sent() {
    let text = recorded(host(), |host| {
        let hole: Pull = |to| {
            to.write = Some(write(9, None));
            to.send(NodeId::new(2), Note(1));
        };
        host.command(Instant::ZERO, hole).unwrap_err();
    });
    let events: Vec<String> = read(text.as_bytes()).map(|line| line.unwrap().event).collect();
    assert_eq!(events, ["InitState", "Command", "Write", "Failed"]);
}

#[test]
fn a_recorder_that_comes_late_knows_the_state_and_the_seals() {
    let mut host = host();
    host.command(Instant::ZERO, everything).unwrap();
    let text = recorded(host, |host| {
        host.store_mut().sync();
        assert!(host.poll_durable(Instant::ZERO, &mut Context::from_waker(Waker::noop())).is_ready());
    });
    let lines: Vec<Line> = read(text.as_bytes()).map(Result::unwrap).collect();
    let events: Vec<&str> = lines.iter().map(|line| &*line.event).collect();
    assert_eq!(events, ["InitState", "Persisted", "SendNoteRequest", "Ready"], "what was news before is not");
    assert_eq!(lines.iter().find_map(|line| line.get("seal")), Some(&Value::Number(1)));
}

#[test]
fn nobody_looks_when_nobody_records() {
    let mut host = host();
    LOOKS.set(0);
    live(&mut host);
    assert_eq!(LOOKS.get(), 0);
    recorded(self::host(), live);
    assert!(LOOKS.get() > 10);
}
