//! `cargo xtask replay`: step through a recorded run, forward and back.
//!
//! On a terminal it reads commands from the person; else from standard input, a line each; with `--command` from the
//! command line. What is printed is the same.

mod cause;
mod command;
mod difference;
mod grammar;
mod predicate;
mod read;
mod recording;
mod session;
mod show;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value;

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::Verdict;
use session::{Answer, Session};

/// `help` lists the commands. Without a terminal they are read from standard input, a line each, and the process ends
/// with status 1 when one could not be done.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Traces: a file of `sim --trace` or `explore --trace`, files and folders of `demo --trace`.
    #[arg(required = true)]
    traces: Vec<PathBuf>,
    /// Do this and end; may be given again: --command 'break event ~ Become' --command run.
    #[arg(long = "command", short = 'c', value_name = "COMMAND")]
    commands: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let (run, notes) = read::open(&args.traces)?;
    for note in notes {
        eprintln!("note: {note}");
    }
    let mut session = Session::new(&run);
    let mut out = anstream::stdout();
    let done = if !args.commands.is_empty() {
        obey_all(&mut session, args.commands.iter().cloned().map(Ok), &mut out)
    } else if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return converse(&mut session, &mut out);
    } else {
        obey_all(&mut session, io::stdin().lock().lines(), &mut out)
    };
    match done {
        // Whoever read the output has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Verdict::Holds),
        done => done.context("reading commands or printing"),
    }
}

/// Does every line. What cannot be done breaks the verdict, and the rest is done nevertheless.
fn obey_all(
    session: &mut Session<'_>,
    lines: impl Iterator<Item = io::Result<String>>,
    out: &mut impl Write,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::Holds;
    for line in lines {
        match session.obey(&line?, out)? {
            Answer::Given => {}
            Answer::Refused => verdict = Verdict::Broken,
            Answer::Over => break,
        }
    }
    out.flush()?;
    Ok(verdict)
}

/// Asks a person, who may err without the process ending badly.
fn converse(session: &mut Session<'_>, out: &mut impl Write) -> Result<Verdict> {
    let mut editor = DefaultEditor::new().context("this terminal cannot be read")?;
    writeln!(out, "{}", show::styled(show::FAINT, "help lists the commands, quit ends"))?;
    loop {
        let line = match editor.readline(&session.prompt()) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Verdict::Holds),
            Err(error) => return Err(error).context("reading commands"),
        };
        if !line.trim().is_empty() {
            editor.add_history_entry(line.trim()).context("history")?;
        }
        if session.obey(&line, out)? == Answer::Over {
            return Ok(Verdict::Holds);
        }
        out.flush()?;
    }
}
