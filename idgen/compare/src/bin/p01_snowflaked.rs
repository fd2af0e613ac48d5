//! P1: more than 42 bits of milliseconds lie behind the epoch, as on a host whose clock runs a century ahead.
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use snowflaked::sync::Generator;
use synod_idgen::generator::Generator as Ours;
use synod_idgen::layout::{Discord, Layout as _};
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::{distinct, outcome};

const YEAR: Duration = Duration::from_secs(31_557_600);

fn main() -> Result<()> {
    let epoch = UNIX_EPOCH.checked_sub(YEAR * 150).context("a time in 1820")?;
    let snowflaked: Generator = Generator::builder().instance(1).epoch(epoch).build();
    let ids: Vec<u64> = (0..2000).map(|_| snowflaked.generate()).collect();
    let few = if distinct(ids.iter().copied()) < 100 { "fewer than 100" } else { "100 or more" };
    println!("snowflaked 1.0.4: {} ids, {few} distinct", ids.len());

    // Discord's layout has 42 bits of time too.
    let wall = wall::from_fn(|| Duration::from_millis(<Discord>::EPOCH_MS) + YEAR * 206);
    let ours = Ours::new(NodeId::<Discord>::new(1)?, wall)?;
    println!("synod-idgen: {}", outcome(ours.try_next()));
    Ok(())
}
