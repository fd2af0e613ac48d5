//! P9: the process forks. The thread that moves ferroid's clock on is not in the child.
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use ferroid::generator::AtomicSnowflakeGenerator;
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::{MonotonicClock, TWITTER_EPOCH};
use synod_idgen::generator::{Exhausted, Generator, Options};
use synod_idgen::layout::{Position, Twitter};
use synod_idgen::node::{Always, NodeId};
use synod_idgen::wall::System;
use synod_idgen_compare::{Side, distinct, fork, parent_and_child};

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

            let borrow =
                Options { exhausted: Exhausted::Borrow(Duration::from_secs(1)), ..Options::default() };
            let mut ours = Generator::builder(NodeId::<Twitter>::new(1)?).options(borrow).build(System)?;
            let parent = std::process::id();
            let (ids, more) = parent_and_child(|| {
                if std::process::id() != parent {
                    ours.adopt(NodeId::new(2)?, Position::ZERO, Always);
                }
                (0..10_000).map(|_| Ok(ours.try_next()?.as_u64())).collect()
            })?;
            println!("synod-idgen: the child gave {} of 10000 ids", more.len());
            println!(
                "synod-idgen: {} ids of both, {} distinct",
                ids.len() + more.len(),
                distinct(ids.iter().chain(&more))
            );
        }
    }
    Ok(())
}
