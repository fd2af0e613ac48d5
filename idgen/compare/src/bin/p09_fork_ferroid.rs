//! P9: the process forks. The thread that moves ferroid's clock on is not in the child.
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use ferroid::generator::AtomicSnowflakeGenerator;
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::{MonotonicClock, TWITTER_EPOCH};
use synod_idgen_compare::{Side, fork};

fn main() -> Result<()> {
    let clock = MonotonicClock::<1>::with_epoch(TWITTER_EPOCH);
    let ferroid = AtomicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, clock);
    match fork()? {
        Side::Child(mut pipe) => {
            for _ in 0..10_000 {
                let id = ferroid.next_id(|_| std::thread::yield_now());
                writeln!(pipe, "{}", id.to_raw())?;
            }
        }
        Side::Parent(child) => {
            let (ids, ended) = child.listen(Duration::from_secs(3))?;
            let stopped = if ended { "and ended" } else { "then none for 3 s" };
            println!("ferroid 2.0.0: the child gave {} of 10000 ids, {stopped}", ids.len());
        }
    }
    Ok(())
}
