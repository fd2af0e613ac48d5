//! P5: a clock of the caller's steps back by an hour. (ferroid's own clock reads the system's once, at the start.)
use std::cell::Cell;
use std::time::Duration;

use anyhow::Result;
use ferroid::generator::{BasicSnowflakeGenerator, Poll};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::TimeSource;
use synod_idgen::generator::Generator;
use synod_idgen::layout::{Layout as _, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::outcome;

struct Wall<'a>(&'a Cell<u64>);

impl TimeSource<u64> for Wall<'_> {
    fn current_millis(&self) -> u64 {
        self.0.get()
    }
}

fn main() -> Result<()> {
    let wall = Cell::new(5_000_000_000);
    let ferroid = BasicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, Wall(&wall));
    let first = ferroid.poll_id();
    wall.set(wall.get() - 3_600_000);
    match (first, ferroid.poll_id()) {
        (Poll::Ready { .. }, Poll::Pending { yield_for }) => {
            println!("ferroid 2.0.0: no id, and the hint to wait {yield_for} ms");
        }
        _ => println!("ferroid 2.0.0: an id"),
    }

    let now = wall::from_fn(|| Duration::from_millis(Twitter::EPOCH_MS + wall.get()));
    let ours = Generator::new(NodeId::<Twitter>::new(1)?, now)?;
    let first = ours.try_next()?;
    wall.set(wall.get() - 5_000);
    println!("synod-idgen, 5 s back: a greater id: {}", ours.try_next()? > first);
    wall.set(wall.get() - 3_595_000);
    println!("synod-idgen, an hour back: {}", outcome(ours.try_next()));
    Ok(())
}
