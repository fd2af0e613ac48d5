//! P9: the process forks, and both go on with one generator, hence one node. Each asks for an id a millisecond.
use std::time::{Duration, SystemTime};

use anyhow::Result;
use snowflake::SnowflakeIdGenerator;
use snowflaked::sync::Generator;
use synod_idgen::generator::Generator as Ours;
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::wall::System;
use synod_idgen_compare::{outcome, parent_and_child, shared};

fn main() -> Result<()> {
    let snowflaked = Generator::new(1);
    of("snowflaked 1.0.4", || snowflaked.generate::<i64>())?;
    let mut rs_snowflake = SnowflakeIdGenerator::new(1, 1);
    of("rs-snowflake 0.6.0", || rs_snowflake.real_time_generate())?;

    let ours = Ours::new(NodeId::<Twitter>::new(1)?, System)?;
    let (_, child) = parent_and_child(|| Ok(vec![outcome(ours.try_next())]))?;
    println!("synod-idgen, in the child: {}", child.concat());
    Ok(())
}

fn of(name: &str, mut next: impl FnMut() -> i64) -> Result<()> {
    let end = SystemTime::now() + Duration::from_millis(400);
    let (ours, theirs) = parent_and_child(|| {
        let mut ids = Vec::new();
        while SystemTime::now() < end {
            ids.push(next());
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(ids)
    })?;
    println!("{name}: ids of both processes: {}", if shared(&ours, &theirs) > 0 { "some" } else { "none" });
    Ok(())
}
