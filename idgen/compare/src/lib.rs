//! What the programs of this package share: each shows in a few lines what a crate for ids does when the clock jumps, a
//! field ends, a process forks or a text is wrong, with the peer at the version that `Cargo.toml` pins, and ours beside it.
//!
//! `docs/compare-idgen.md` holds what each of them prints, and the tests run them again and compare.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// How many of them differ.
pub fn distinct<T: Ord>(ids: impl IntoIterator<Item = T>) -> usize {
    ids.into_iter().collect::<BTreeSet<T>>().len()
}

/// How many of the first are among the second.
pub fn shared<T: Ord>(these: &[T], those: &[T]) -> usize {
    let those: BTreeSet<&T> = those.iter().collect();
    these.iter().filter(|it| those.contains(it)).count()
}

/// Milliseconds since 1970, as some peers want them.
pub fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What it gives, or the error in words.
pub fn outcome<T: std::fmt::Debug, E: std::fmt::Display>(outcome: Result<T, E>) -> String {
    outcome.map_or_else(|error| format!("error: {error}"), |given| format!("{given:?}"))
}

/// What it gives, or what it said when it panicked.
pub fn caught<T>(attempt: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::set_hook(Box::new(|_| ()));
    let outcome = catch_unwind(AssertUnwindSafe(attempt));
    drop(std::panic::take_hook());
    outcome.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let said =
            text.or_else(|| said.downcast_ref::<&str>().copied()).unwrap_or("something else than text");
        // What follows a colon differs from run to run.
        format!("panic: {}", said.split(": SystemTimeError").next().unwrap_or_default())
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_caught() {
        assert_eq!((distinct([1, 1, 2]), shared(&[1, 2, 3], &[3, 4])), (2, 1));
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("no {}", 1)), Err::<(), _>("panic: no 1".to_owned()));
    }
}
