//! `cargo xtask ntp`: the NTP client of `synod-clock` against a real chronyd on the loopback interface. Where chronyd
//! is missing, this fails and says what to install.
//!
//! chronyd serves this machine's clock; to serve another time, it is given a reference clock that says so. The
//! system's clock is never touched.

mod chronyd;
mod follow;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use synod_clock::ntp::Outcome;

use crate::Verdict;
use chronyd::Chronyd;
use follow::{Follower, Seen};

/// How long a server may take to start and to believe its reference clock.
const STARTING: Duration = Duration::from_secs(60);
/// How long the client may take to follow what the server serves.
const PATIENCE: Duration = Duration::from_secs(20);
const MILLISECOND: i64 = 1_000_000;

/// Speaks NTP to a real server.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Do something wrong on purpose: the run must end with status 1.
    #[arg(long, value_name = "FAULT")]
    plant: Option<Plant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Plant {
    /// The server whose time is expected is ahead by 60 ms.
    AheadServer,
    /// The server that should be ahead is not.
    RightServer,
}

/// Says what does not hold, if something does not.
type Check = fn(Option<Plant>) -> Result<Option<String>>;

/// Runs all that a real server can show.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    Chronyd::version()?;
    let checks: [(&str, Check); 4] = [
        ("the example agrees with chronyd", agrees),
        ("an offset of 4 ms is slewed", |plant| slews(plant, 4 * MILLISECOND)),
        ("an offset of 300 ms is stepped", |plant| steps(plant, 300 * MILLISECOND)),
        ("an offset of -300 ms is stepped, and the monotone reading waits", |plant| {
            steps(plant, -300 * MILLISECOND)
        }),
    ];
    let mut verdict = Verdict::Holds;
    // What a fault does not touch holds as without it.
    let chosen = match args.plant {
        None => 0..4,
        Some(Plant::AheadServer) => 0..1,
        Some(Plant::RightServer) => 1..4,
    };
    for (name, check) in checks.into_iter().skip(chosen.start).take(chosen.len()) {
        match check(args.plant)? {
            None => println!("ntp: {name}: holds"),
            Some(why) => {
                println!("ntp: {name}: BROKEN: {why}");
                verdict = Verdict::Broken;
            }
        }
    }
    Ok(verdict)
}

/// The example asks chronyd, which serves the clock that the example reads: it is off by nothing, within what it says.
fn agrees(plant: Option<Plant>) -> Result<Option<String>> {
    let server = Chronyd::start()?;
    let _shift = match plant {
        Some(Plant::AheadServer) => Some(server.shift(60 * MILLISECOND)?),
        _ => None,
    };
    if plant == Some(Plant::AheadServer) {
        served(&mut Follower::new(server.address())?, 60 * MILLISECOND)?;
    }
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(crate::workspace_root()?)
        .args(["run", "--quiet", "--package", "synod-clock", "--example", "ntp_client", "--"])
        .args(["--answers", "8", "--burst-ms", "100", &server.address().to_string()])
        .output()
        .context("starting the example")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the example failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    let last = text.lines().last().unwrap_or_default();
    let numbers: Vec<i64> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [offset_ns, error_ns] = numbers[..] else {
        anyhow::bail!("the example's last line is strange: {last}")
    };
    println!("ntp: {last}");
    // The stated error is half of 10 ms at least (RFC 5905's MINDISP); ten times that would say nothing.
    let vacuous = error_ns > 50 * MILLISECOND;
    let off = offset_ns.abs() > error_ns;
    Ok((vacuous || off).then(|| last.to_owned()))
}

/// Until the server serves what it was told: a third of it is far beyond what an answer on the loopback interface may
/// be off by.
fn served(follower: &mut Follower, ahead_ns: i64) -> Result<()> {
    let near = |seen: &Seen| {
        seen.sample
            .is_some_and(|it| it.offset_ns.abs_diff(ahead_ns) <= (ahead_ns / 3).unsigned_abs().max(1_000_000))
    };
    follower
        .until(STARTING, near)?
        .map(drop)
        .or(follower.broken.as_ref().map(|_| ()))
        .context("chronyd keeps its time")
}

/// The reading moves to the server's at 500 ppm at most, and gets there.
fn slews(plant: Option<Plant>, ahead_ns: i64) -> Result<Option<String>> {
    let server = Chronyd::start()?;
    let mut follower = Follower::new(server.address())?;
    follower.until(STARTING, |seen| seen.outcome.is_some())?.context("chronyd does not answer")?;
    let shift = if plant == Some(Plant::RightServer) { 0 } else { ahead_ns };
    let _shift = server.shift(shift)?;
    served(&mut follower, shift)?;
    let done = follower.until(PATIENCE, |seen| {
        let there = seen.interval.is_some_and(|it| it.contains(seen.system.shifted(ahead_ns)));
        let slewed = seen.off_ns.abs_diff(ahead_ns) < 500_000;
        there && slewed && matches!(seen.outcome, Some(Outcome::Slewing { .. }))
    })?;
    if let Some(broken) = follower.broken {
        return Ok(Some(broken));
    }
    match done {
        None => Ok(Some(format!("not there after {PATIENCE:?}"))),
        Some(_) if follower.steps > 0 => Ok(Some("it was stepped".to_owned())),
        Some(seen) => {
            println!("ntp: slewed by {} us in {:.1} s", seen.off_ns / 1000, seen.elapsed.as_secs_f64());
            Ok(None)
        }
    }
}

/// The reading stays until the stepout has passed, and then jumps.
fn steps(plant: Option<Plant>, ahead_ns: i64) -> Result<Option<String>> {
    let server = Chronyd::start()?;
    let mut follower = Follower::new(server.address())?;
    follower.until(STARTING, |seen| seen.outcome.is_some())?.context("chronyd does not answer")?;
    let shift = if plant == Some(Plant::RightServer) { 0 } else { ahead_ns };
    let _shift = server.shift(shift)?;
    served(&mut follower, shift)?;
    let is_stepped = |seen: &Seen| matches!(seen.outcome, Some(Outcome::Stepped { .. }));
    let Some(seen) = follower.until(PATIENCE, is_stepped)? else {
        return Ok(follower.broken.or_else(|| Some(format!("not stepped after {PATIENCE:?}"))));
    };
    let error_ns = seen.interval.map_or(0, |it| it.width().as_nanos() / 2);
    let missed_by = u128::from(seen.off_ns.abs_diff(ahead_ns));
    println!("ntp: stepped to {} us after {} doubts", seen.off_ns / 1000, follower.doubts);
    if follower.doubts == 0 || missed_by > error_ns {
        return Ok(Some(format!("{} doubts, missed by {missed_by} ns of {error_ns}", follower.doubts)));
    }
    // The monotone reading goes on once the step back is made up for.
    let caught_up = follower.until(PATIENCE, |seen| seen.held.nanos_since(seen.reading) == 0)?;
    Ok(follower
        .broken
        .or_else(|| caught_up.is_none().then(|| "the monotone reading stands still".to_owned())))
}
