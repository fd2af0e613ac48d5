//! A program with a limit of time.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// What a program printed until its end.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a program to its end, whatever its status; kills it when the limit is over.
///
/// # Errors
/// When it cannot be started, or is over its limit.
pub(super) fn run(mut command: Command, limit: Duration) -> Result<Printed> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let stdout = child.stdout.take().context("its output")?;
    let stderr = child.stderr.take().context("its errors")?;
    // Nothing is ever sent: that both readers have dropped it says that both have read to the end.
    let (reading, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let out = scope.spawn({
            let reading = reading.clone();
            move || read(stdout, reading)
        });
        let err = scope.spawn(move || read(stderr, reading));
        let over = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if over {
            child.kill().context("it is over its limit and cannot be killed")?;
        }
        child.wait().context("waiting for it")?;
        let text = |joined: std::thread::Result<std::io::Result<String>>| {
            joined.ok().context("its reader panicked")?.context("reading what it prints")
        };
        let (stdout, stderr) = (text(out.join())?, text(err.join())?);
        if over {
            let last = stderr.trim_end().lines().next_back().or(stdout.trim_end().lines().next_back());
            bail!(
                "it took more than {} seconds and was stopped (--max-seconds); it last said: {}",
                limit.as_secs(),
                last.unwrap_or_default().trim()
            );
        }
        Ok(Printed { stdout, stderr })
    })
}

/// Reads to the end, then drops what says that it is still reading.
fn read(mut from: impl Read, reading: mpsc::Sender<()>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let result = from.read_to_end(&mut bytes);
    drop(reading);
    result.map(|_| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_are_read_whatever_the_status() {
        let printed = run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(60)).expect("it runs");
        assert_eq!((printed.stdout.as_str(), printed.stderr.as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn a_program_over_its_limit_is_stopped() {
        let endless = "echo begun >&2; exec cat /dev/zero >/dev/null";
        let error = run(shell(endless), Duration::from_millis(500)).expect_err("it has no end");
        assert!(error.to_string().contains("more than 0 seconds and was stopped"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(Command::new("no-such-checker"), Duration::ZERO).expect_err("not there");
        assert!(error.to_string().contains("no-such-checker"), "{error}");
    }
}
