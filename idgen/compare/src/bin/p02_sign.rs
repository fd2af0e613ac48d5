//! P2: a signed id 96 years after the epoch, where 41 bits of milliseconds have ended.
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use snowflake::SnowflakeIdGenerator;
use snowflaked::Snowflake as _;
use snowflaked::sync::Generator;

use synod_idgen::generator::Generator as Ours;
use synod_idgen::layout::{Layout as _, Twitter};
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::outcome;

const YEAR: Duration = Duration::from_secs(31_557_600);

fn main() -> Result<()> {
    let epoch = SystemTime::now().checked_sub(YEAR * 96).context("a time 96 years ago")?;
    let id = SnowflakeIdGenerator::with_epoch(1, 1, epoch).real_time_generate();
    println!("rs-snowflake 0.6.0: {}", if id < 0 { "a negative id" } else { "a positive id" });

    let id: i64 = Generator::builder().instance(1).epoch(epoch).build::<Generator>().generate();
    let years = Duration::from_millis(id.timestamp()).as_secs() / YEAR.as_secs();
    println!("snowflaked 1.0.4: positive: {}, and its time says {years} years after the epoch", id > 0);

    let wall = wall::from_fn(|| Duration::from_millis(Twitter::EPOCH_MS) + YEAR * 96);
    let ours = Ours::new(NodeId::<Twitter>::new(1)?, wall)?;
    println!("synod-idgen: {}", outcome(ours.try_next()));
    Ok(())
}
