//! P1: sonyflake's 174 years have ended.
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use sonyflake::Sonyflake;
use synod_idgen::generator::Generator;
use synod_idgen::layout::{Layout as _, Sonyflake as Ours};
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::outcome;

const YEAR: Duration = Duration::from_secs(31_557_600);

fn main() -> Result<()> {
    let start = UNIX_EPOCH.checked_sub(YEAR * 130).context("a time in 1840")?;
    let sonyflake = Sonyflake::builder().machine_id(&|| Ok(1)).start_time(start.into()).finalize()?;
    println!("sonyflake 0.5.1: {}", outcome(sonyflake.next_id()));

    let wall = wall::from_fn(|| Duration::from_millis(<Ours>::EPOCH_MS) + YEAR * 186);
    let ours = Generator::new(NodeId::<Ours>::new(1)?, wall)?;
    println!("synod-idgen: {}", outcome(ours.try_next()));
    Ok(())
}
