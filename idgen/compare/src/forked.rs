//! Two processes of one, and what the child says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// One of two processes that a fork made.
pub enum Side {
    /// Gives lines to the parent; its process ends with it.
    Child(std::io::PipeWriter),
    /// Knows the child.
    Parent(Child),
}

/// A child as its parent sees it.
pub struct Child {
    pid: Pid,
    lines: mpsc::Receiver<String>,
}

/// Makes another process of this one.
pub fn fork() -> Result<Side> {
    let (from, to) = std::io::pipe().context("a pipe")?;
    match fork::fork().context("a fork")? {
        fork::Fork::Child => {
            drop(from);
            Ok(Side::Child(to))
        }
        fork::Fork::Parent(pid) => {
            drop(to);
            let (sender, lines) = mpsc::channel();
            std::thread::spawn(move || {
                let mut read = BufReader::new(from).lines().map_while(Result::ok);
                read.try_for_each(|line| sender.send(line))
            });
            Ok(Side::Parent(Child { pid: Pid::from_raw(pid).context("a process id")?, lines }))
        }
    }
}

impl Child {
    /// Whatever it wrote until it ended, or until it had been silent for so long, and whether it ended; then it is no
    /// more.
    pub fn listen(self, silence: Duration) -> Result<(Vec<String>, bool)> {
        let mut heard = Vec::new();
        let ended = loop {
            match self.lines.recv_timeout(silence) {
                Ok(line) => heard.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break true,
                Err(mpsc::RecvTimeoutError::Timeout) => break false,
            }
        };
        if !ended {
            kill_process(self.pid, Signal::KILL).context("ending the child")?;
        }
        waitpid(Some(self.pid), WaitOptions::empty()).context("waiting for the child")?;
        Ok((heard, ended))
    }
}

/// Gives the lines to the parent and ends this process.
pub fn tell(mut pipe: std::io::PipeWriter, lines: &[String]) -> ! {
    let written = lines.iter().try_for_each(|line| writeln!(pipe, "{line}"));
    drop(pipe);
    std::process::exit(i32::from(written.is_err()));
}

/// What the process and a child of it give when both are asked for the same thing after the fork.
pub fn parent_and_child<T: ToString>(
    mut ask: impl FnMut() -> Result<Vec<T>>,
) -> Result<(Vec<String>, Vec<String>)> {
    let texts = |given: Vec<T>| given.iter().map(ToString::to_string).collect::<Vec<_>>();
    match fork()? {
        Side::Child(pipe) => match ask() {
            Ok(given) => tell(pipe, &texts(given)),
            Err(error) => tell(pipe, &[format!("error: {error}")]),
        },
        Side::Parent(child) => {
            let ours = texts(ask()?);
            let (theirs, ended) = child.listen(Duration::from_secs(20))?;
            if !ended {
                return Err(anyhow!("the child did not end"));
            }
            Ok((ours, theirs))
        }
    }
}
