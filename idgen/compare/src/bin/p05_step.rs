//! P5, P34: the system's clock steps back while the process runs, then stands before 1970. These peers read it by
//! themselves, so this needs libfaketime, told by a file:
//!
//! `LD_PRELOAD=libfaketime.so.1 FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 FAKETIME_TIMESTAMP_FILE=offset p05_step`
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use snowflake::SnowflakeIdGenerator;
use snowflaked::sync::Generator;
use sonyflake::Sonyflake;
use synod_idgen::generator::Generator as Ours;
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::{caught, outcome, shared};
use tsid::TsidFactory;

fn main() -> Result<()> {
    step("+0s")?;
    let (snowflaked, mut tsid) = (Generator::new(1), TsidFactory::with_node_bits(10, 1));
    let mut rs_snowflake = SnowflakeIdGenerator::new(1, 1);
    let sonyflake = Sonyflake::builder().machine_id(&|| Ok(1)).finalize()?;
    let mut of_rs_snowflake = || (0..400_000).map(|_| rs_snowflake.real_time_generate()).collect::<Vec<_>>();
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ours = Ours::new(NodeId::<Twitter>::new(1)?, wall::from_fn(now))?;
    let first = of_rs_snowflake();
    step("-0.05s")?;
    println!("rs-snowflake 0.6.0: some ids repeated: {}", shared(&first, &of_rs_snowflake()) > 0);
    step("+0s")?;
    let before = ours.try_next()?;
    let _ = (snowflaked.generate::<u64>(), sonyflake.next_id()?, tsid.create());

    step("-1s")?;
    println!("snowflaked 1.0.4: {:?}", caught(|| snowflaked.generate::<u64>()).map(|_| "an id"));
    let began = Instant::now();
    (0..300).try_for_each(|_| sonyflake.next_id().map(drop))?;
    println!("sonyflake 0.5.1: 300 ids, asleep for about {} s", (began.elapsed() + HALF).as_secs());
    let (one, next) = (tsid.create().number(), tsid.create().number());
    println!("tsid 0.3.4: goes on, in order: {}", one < next);
    println!("synod-idgen: goes on, in order: {}", ours.try_next()? > before);

    step("-80y")?;
    println!("tsid 0.3.4, before 1970: {:?}", caught(|| tsid.create()).map(|_| "an id"));
    println!(
        "snowflaked 1.0.4, before 1970: {:?}",
        caught(|| Generator::new(1).generate::<u64>()).map(|_| "an id")
    );
    let told = outcome(ours.try_next());
    println!("synod-idgen, before 1970: {}", told.split(" by ").next().unwrap_or_default());
    Ok(())
}

const HALF: Duration = Duration::from_millis(500);

/// Moves the clock to so far from the true time.
fn step(offset: &str) -> Result<()> {
    let file = std::env::var_os("FAKETIME_TIMESTAMP_FILE").context("this needs libfaketime")?;
    std::fs::write(file, format!("{offset}\n")).context("moving the clock")
}
