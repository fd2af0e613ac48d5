//! A clock that is restarted while its wall is set back, and gives no stamp twice.
//!
//! Its keeper stores an upper bound in a file before any stamp reaches it, and the next life starts there. Jumps of the
//! wall are refused, so that a reading of the far future never becomes durable.
//!
//! `cargo run -p synod-clock --example restart [folder]`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use synod_clock::hybrid::{
    HybridError, JumpPolicy, Jumps, Keeper, KeeperError, KeeperOptions, Micros, Options, Seam, Timestamp,
};
use synod_transport::time::{ManualTime, WallTime};
use synod_wal::FileStateStore;

/// The wall is set by hand here; a service takes `Seam(SystemTime::new())`.
type Process = Keeper<Seam<ManualTime>, FileStateStore, Micros>;

const NOON: u64 = 1_704_110_400_000_000_000;
const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

fn start(folder: &Path, wall_ns: u64) -> Result<Process, Box<dyn Error>> {
    let time = ManualTime::default();
    time.set_wall(WallTime(wall_ns));
    let limits =
        Options { jumps: Jumps { policy: JumpPolicy::Refuse, ..Jumps::default() }, ..Options::default() };
    let store = FileStateStore::open(folder)?;
    let process = Keeper::start(Seam(time), limits, store, KeeperOptions::default())?;
    Ok(process)
}

/// Both clocks run on.
fn pass(process: &Process, span: Duration) {
    process.clock().source().0.advance(span);
}

/// One event every 100 ms, and the bound extended whenever that is due.
fn work(process: &mut Process, events: u32) -> Result<Timestamp, KeeperError> {
    let mut last = process.clock().now()?;
    for _ in 0..events {
        pass(process, Duration::from_millis(100));
        // A service has a task of its own that sleeps for as long as `due_in` says.
        if process.due_in().is_zero() {
            process.extend()?;
        }
        last = process.clock().now()?;
    }
    Ok(last)
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut first = start(folder, NOON)?;
    let before = work(&mut first, 30)?;
    println!("first life:   last stamp {before}, bound {}", first.clock().bound());
    drop(first); // as after a crash: nothing is written at the end

    // Meanwhile the wall was set back by two seconds.
    let mut second = start(folder, NOON + SECOND)?;
    let after = second.clock().now()?;
    println!("second life:  first stamp {after}, {:?} ahead of its wall", second.clock().lead());
    assert!(after > before, "a stamp was repeated");

    // Peers that take no stamps so far ahead would refuse it: wait before the first message goes out.
    let mut waited = Duration::ZERO;
    while let Some(left) = second.clock().remaining(second.started_at()) {
        pass(&second, left);
        waited += left;
    }
    println!("              in step with its wall after {waited:?}");
    second.extend()?;
    let last = work(&mut second, 10)?;

    // A reading of next week reaches neither a stamp nor the file.
    let good = second.clock().wall();
    let set = |wall: Duration| -> Result<(), Box<dyn Error>> {
        second.clock().source().0.set_wall(WallTime(u64::try_from(wall.as_nanos())?));
        Ok(())
    };
    set(good + Duration::from_secs(7 * 24 * 3_600))?;
    let refused = second.clock().now();
    println!("a bad wall:   {}", refused.map_or_else(|error| error.to_string(), |stamp| stamp.to_string()));
    assert!(matches!(refused, Err(HybridError::Jumped { .. })));
    set(good)?;
    assert!(second.clock().now()? > last);
    drop(second);

    // A wall that is an hour behind the bound is no wall to go on by.
    match start(folder, NOON - HOUR) {
        Ok(_) => Err("a clock that can give nothing was started".into()),
        Err(error) => {
            println!("an hour back: {error}");
            Ok(())
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(folder) => run(&PathBuf::from(folder)),
        None => run(tempfile::tempdir()?.path()),
    }
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    run(tempfile::tempdir()?.path())
}
