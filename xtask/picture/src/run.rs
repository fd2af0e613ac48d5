//! A run as a picture needs it: who there was, what happened, and how one thing led to another.

use synod_transport::trace::{Line, Value};

/// A run. Everything is named by place in `lanes` and `steps`; `steps` are in an order in which causes come first.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Where the trace comes from.
    pub kind: Kind,
    /// Nodes by id, then clients by id, then the world if anything happened to it.
    pub lanes: Vec<Lane>,
    /// What happened.
    pub steps: Vec<Step>,
    /// Messages.
    pub arrows: Vec<Arrow>,
    /// A cause on one lane and its effect on another that is no message: a client's call and its answer.
    pub links: Vec<(usize, usize)>,
    /// What lasted.
    pub spans: Vec<Span>,
    /// Writes of disks.
    pub writes: Vec<DiskWrite>,
    /// The commit index of a lane from a step on: lane, step, index.
    pub commits: Vec<(usize, usize, u64)>,
    /// What clients asked.
    pub operations: Vec<Operation>,
    /// The step at which something broke, and what.
    pub violation: Option<(usize, String)>,
    /// What a viewer should know about how good this picture is.
    pub notes: Vec<String>,
}

/// What wrote the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// A simulated world or a script: one virtual time.
    #[default]
    World,
    /// Processes: each has a clock of its own.
    Processes,
    /// The counterexample of an exploration: steps without time.
    Explored,
}

/// Somebody to whom things happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// What kind of somebody.
    pub kind: LaneKind,
    /// Its number among its kind.
    pub id: u64,
    /// What to call it.
    pub name: String,
    /// How far off its times may be, in nanoseconds either way.
    pub uncertainty: u64,
}

/// Kinds of lanes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LaneKind {
    /// A machine.
    Node,
    /// Somebody who asks nodes.
    Client,
    /// Everything.
    World,
}

/// One atomic step of a node with all its lines, or a line that stands alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// To whom it happened.
    pub lane: usize,
    /// Its place in the trace, from 1: steps and lines that stand alone count, those that became part of an arrow too.
    pub number: usize,
    /// When, in nanoseconds from the beginning of the picture.
    pub at: u64,
    /// The lines of the trace.
    pub lines: Vec<Line>,
}

impl Step {
    /// The first line's event: what the node was told.
    pub fn cause(&self) -> &str {
        self.lines.first().map_or("", |line| &line.event)
    }

    /// The command that it was given, if it was one.
    pub fn command(&self) -> Option<&str> {
        self.lines.first()?.get("command")?.as_text()
    }

    /// The node's state after it, if it says.
    pub fn state(&self) -> Option<&Value> {
        self.lines.last().and_then(|line| line.state.as_ref())
    }
}

/// A message on its way, or one copy of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// Lane and step of the sender; no step when nothing in the trace sent it.
    pub from: (usize, Option<usize>),
    /// Lane and step of the receiver; no step when it never came.
    pub to: (usize, Option<usize>),
    /// What became of it.
    pub fate: Fate,
    /// It is the second copy of a message that came twice.
    pub copy: bool,
    /// Its kind.
    pub kind: String,
    /// Its content in a few letters.
    pub brief: String,
}

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It came.
    Delivered,
    /// It was lost.
    Lost(Loss),
    /// The trace does not say.
    Unseen,
}

/// How a message was lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loss {
    /// When, in nanoseconds from the beginning of the picture.
    pub at: u64,
    /// The place in the trace of what says so, from 1.
    pub number: usize,
    /// Why, as the trace has it.
    pub why: String,
}

/// Something that lasted from one step to another; to the end of the run when it has no end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Where.
    pub lane: usize,
    /// From this step.
    pub from: usize,
    /// To this one.
    pub to: Option<usize>,
    /// What.
    pub what: Lasting,
}

/// What can last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lasting {
    /// A role, in a term if the protocol has terms.
    Role(String, Option<u64>),
    /// The node is down.
    Down,
    /// The node stands still.
    Paused,
    /// Links are cut.
    Cut(String),
}

/// A write from its submission to its receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskWrite {
    /// Whose disk.
    pub lane: usize,
    /// The step that wrote.
    pub from: usize,
    /// The step that was told of it, or the crash before that.
    pub to: Option<usize>,
    /// What became of it.
    pub end: WriteEnd,
    /// Its number.
    pub id: u64,
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteEnd {
    /// Nothing yet.
    Open,
    /// The disk has it, and the node knows.
    Synced,
    /// The disk has it, and the node lost its power before it knew.
    Survived,
    /// The disk has a part of it.
    Torn,
    /// A crash took it, or may have.
    Lost,
}

/// What a client asked and what it heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The client's lane.
    pub lane: usize,
    /// The step of the call.
    pub from: usize,
    /// The step of the answer.
    pub to: Option<usize>,
    /// What was asked, in a few words.
    pub asked: String,
    /// `Done`, `Refused`, `Unknown`; empty when the trace ends before.
    pub status: String,
}
