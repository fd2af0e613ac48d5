//! Two database nodes with clocks that differ, one register, and commit waits: whoever begins after a commit was told
//! sees a later timestamp, on whichever node. Without the wait it does not hold, and the example shows that too.
//!
//! ```sh
//! cargo run -p synod-clock --example commit_wait
//! ```

use std::time::{Duration, Instant};

use synod_clock::UnixTime;
use synod_clock::interval::{BoundError, BoundedTime, CommitWait, Fixed, Wait};

/// How wrong the clocks may be.
const ERROR: Duration = Duration::from_millis(4);

/// A node whose clock is off by something within [`ERROR`].
struct Node<C> {
    clock: Fixed<C>,
}

impl<C: Fn() -> UnixTime> Node<C> {
    /// A timestamp that true time has not passed yet.
    fn begin(&self) -> Result<UnixTime, BoundError> {
        Ok(self.clock.now()?.latest())
    }

    /// Waits until the timestamp has surely passed; says how often it looked.
    fn wait_out(&self, timestamp: UnixTime) -> Result<u32, BoundError> {
        let wait = CommitWait::new(timestamp);
        for looks in 1.. {
            match wait.check(self.clock.now()?) {
                Wait::Done => return Ok(looks),
                Wait::For(duration) => std::thread::sleep(duration),
            }
        }
        Ok(u32::MAX)
    }
}

fn main() -> Result<(), BoundError> {
    let started = Instant::now();
    let clock = move |off_ns: i64| {
        let elapsed = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        UnixTime::from_secs(1_790_000_000).shifted(elapsed).shifted(off_ns)
    };
    let fast = Node { clock: Fixed::new(move || clock(3_900_000), ERROR) };
    let slow = Node { clock: Fixed::new(move || clock(-3_900_000), ERROR) };

    let mut inverted = 0;
    for _ in 0..20 {
        let (first, then) = (fast.begin()?, slow.begin()?);
        inverted += u32::from(then <= first);
    }
    println!("without a wait, {inverted} of 20 later transactions got an earlier timestamp");

    let (mut worst, mut looks) = (Duration::ZERO, 0);
    for _ in 0..20 {
        let before = Instant::now();
        let first = fast.begin()?;
        looks += fast.wait_out(first)?;
        worst = worst.max(before.elapsed());
        // The client now hears of the commit, and goes to the other node.
        let then = slow.begin()?;
        assert!(then > first, "{then:?} is not after {first:?}");
    }
    println!("with a wait, none of 20; each waited {worst:?} at most and looked {} times", looks / 20);
    Ok(())
}
