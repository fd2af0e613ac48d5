//! Cluster scenarios as text, step by step: for a person to read, and as a trace that a picture is made of.
//!
//! A script holds commands, a line each. What came of one may stand below it, behind `----` and up to an empty line:
//! [`record`] writes it there, [`trace`] passes it by. Lines that begin with `#` are remarks.
//!
//! | command | what happens |
//! |---|---|
//! | `nodes N`, `nodes N plain` | N nodes start, from empty disks; plain: without pre-vote and check-quorum |
//! | `batch N` | nodes that start from now on send at most N entries in a message |
//! | `disk N 1,2,2 term T` | a node that has only just started has this log instead: terms of entries, and its own term |
//! | `campaign N` | N stands for election |
//! | `lead N` | N is elected, all is delivered, a heartbeat follows; in short |
//! | `propose N x y`, `read N` | a client asks N |
//! | `persist N`, `persist-one N` | N's disk syncs all writes, or the oldest |
//! | `deliver A->B`, `deliver A->B K` | messages on their way from A to B arrive: all, or the K oldest |
//! | `deliver-all` | all messages arrive, and those that come of them |
//! | `settle` | the same, and disks sync, until nothing moves |
//! | `drop A->B` | messages on their way from A to B are lost |
//! | `cut A->B …`, `heal` | what A sends to B from now on is lost; no longer |
//! | `tick MS` | time passes, and wakes whom it must |
//! | `run MS` | time passes in steps of 20 ms, with `settle` after each; in short |
//! | `crash N`, `crash N keep K`, `… torn` | N is gone. Of its unsynced writes the K oldest survive; the next is found torn |
//! | `restart N` | N starts from its disk, and drops a torn write |
//! | `pause N`, `resume N` | N takes nothing meanwhile; what was sent to it waits |
//! | `queue`, `status` | shows the messages on their way; the nodes |
//!
//! ```
//! let script = "nodes 3\ncampaign 1\nsettle\npropose 1 x\nsettle\n";
//! let mut trace = Vec::new();
//! synod_raft_check::script::trace(script, &mut trace)?;
//! assert!(String::from_utf8_lossy(&trace).contains("BecomeLeader"));
//!
//! let bad = synod_raft_check::script::trace("nodes 3\ncrash 4\n", &mut trace).unwrap_err();
//! assert_eq!(bad.to_string(), "line 2: there is no node 4");
//! # Ok::<_, synod_raft_check::script::ScriptError>(())
//! ```

use std::io;

mod clients;
mod cluster;
mod command;
mod disk;
mod journal;
mod problem;
mod show;

pub use problem::{Problem, ScriptError};

use cluster::Cluster;
use command::Command;

/// Runs a script and writes what happened as a trace, as a simulated world does (`docs/trace.md`): the steps of all
/// nodes, what clients asked, lost messages, crashes, pauses and cuts. The same script gives the same bytes.
///
/// Each thing that happens takes a microsecond of the trace's `at`, so that their order is seen; machines live in the
/// script's own time, which `tick` and `run` alone move.
///
/// # Errors
/// The first command that cannot be carried out, and then nothing is written; or the writer's.
pub fn trace(script: &str, out: impl io::Write) -> Result<(), ScriptError> {
    let cluster = play(script, |_, _| ())?;
    Ok(cluster.journal().write(out)?)
}

/// Runs a script and gives it back with what came of each command.
///
/// # Errors
/// The first command that cannot be carried out.
pub fn record(script: &str) -> Result<String, ScriptError> {
    let mut out = String::new();
    play(script, |line, said| {
        out += line;
        out.push('\n');
        if let Some(said) = said {
            out += "----\n";
            said.iter().chain([&String::new()]).for_each(|line| out += &format!("{line}\n"));
        }
    })?;
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(out)
}

/// Carries out every command, and tells each line, with what came of it if it is a command.
fn play(script: &str, mut tell: impl FnMut(&str, Option<Vec<String>>)) -> Result<Cluster, ScriptError> {
    let mut cluster = Cluster::default();
    let mut lines = (1..).zip(script.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            tell(line, None);
            continue;
        }
        let said = Command::parse(line).and_then(|command| cluster.carry_out(command));
        tell(line, Some(said.map_err(|problem| ScriptError::Command { line: number, problem })?));
        // What was recorded, and the empty line that ends it.
        if lines.peek().is_some_and(|(_, next)| *next == "----") {
            lines.by_ref().find(|(_, recorded)| recorded.is_empty());
        } else {
            lines.next_if(|(_, next)| next.is_empty());
        }
    }
    Ok(cluster)
}
