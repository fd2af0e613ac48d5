//! P1: the clock stands past the end of the time field.
use std::time::Duration;

use anyhow::Result;
use ferroid::generator::{AtomicSnowflakeGenerator, Poll};
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::TimeSource;
use synod_idgen::generator::Generator;
use synod_idgen::layout::{Layout as _, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::{distinct, outcome};

/// Five milliseconds after the last that 41 bits can say.
const LATE: u64 = (1 << 41) + 5;

struct Late;

impl TimeSource<u64> for Late {
    fn current_millis(&self) -> u64 {
        LATE
    }
}

fn main() -> Result<()> {
    let ferroid = AtomicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, Late);
    let ids: Vec<u64> = (0..10)
        .filter_map(|_| match ferroid.poll_id() {
            Poll::Ready { id } => Some(id.to_raw()),
            Poll::Pending { .. } => None,
        })
        .collect();
    println!("ferroid 2.0.0: {} ids, {} distinct", ids.len(), distinct(ids.iter().copied()));

    let wall = wall::from_fn(|| Duration::from_millis(Twitter::EPOCH_MS + LATE));
    let ours = Generator::new(NodeId::<Twitter>::new(1)?, wall)?;
    println!("synod-idgen: {}", outcome(ours.try_next()));
    Ok(())
}
