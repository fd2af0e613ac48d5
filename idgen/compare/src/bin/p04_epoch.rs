//! P4: the epoch lies a day ahead, which is where it lies for a host whose clock starts in 1970.
use std::time::{Duration, SystemTime};

use anyhow::Result;
use ferroid::generator::BasicSnowflakeGenerator;
use ferroid::id::SnowflakeTwitterId;
use ferroid::time::MonotonicClock;
use idgenerator::{CoreIdGenerator, IdGeneratorOptions};
use snowflake::SnowflakeIdGenerator;
use snowflaked::sync::Generator;
use sonyflake::Sonyflake;
use synod_idgen::generator::Generator as Ours;
use synod_idgen::layout::Discord;
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::{caught, millis, outcome};

fn main() -> Result<()> {
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let snowflaked: Generator = Generator::builder().epoch(tomorrow).build();
    println!("snowflaked 1.0.4: {:?}", caught(|| snowflaked.generate::<u64>()).map(|_| "an id"));
    let made = caught(|| SnowflakeIdGenerator::with_epoch(1, 1, tomorrow));
    println!("rs-snowflake 0.6.0: {:?}", made.map(|_| "a generator"));

    let ahead = tomorrow.duration_since(SystemTime::UNIX_EPOCH)?;
    let ferroid =
        BasicSnowflakeGenerator::<SnowflakeTwitterId, _>::new(1, MonotonicClock::<1>::with_epoch(ahead));
    let id = ferroid.next_id(|_| std::thread::yield_now());
    println!("ferroid 2.0.0: an id of the first second of its time: {}", id.timestamp() < 1000);

    let made = Sonyflake::builder().machine_id(&|| Ok(1)).start_time(tomorrow.into()).finalize();
    println!("sonyflake 0.5.1: an error: {}", made.is_err());
    let options = IdGeneratorOptions::new().base_time(millis(tomorrow));
    println!("idgenerator 2.0.0: an error: {}", CoreIdGenerator::default().init(options).is_err());

    let wall = wall::from_fn(|| Duration::ZERO);
    let made = Ours::new(NodeId::<Discord>::new(1)?, wall).map(|_| "a generator");
    println!("synod-idgen: {}", outcome(made));
    Ok(())
}
