//! P5: the clock steps back five times. The base of its time is an option, and a later base is an earlier clock.
use std::time::SystemTime;

use anyhow::Result;
use idgenerator::{CoreIdGenerator, IdGeneratorOptions};
use synod_idgen_compare::{distinct, millis};

fn main() -> Result<()> {
    let base = millis(SystemTime::now()) - 86_400_000;
    let options = |base: i64| IdGeneratorOptions::new().method(2).worker_id(1).base_time(base);
    let mut idgenerator = CoreIdGenerator::default();
    idgenerator.init(options(base))?;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(idgenerator.next_id());
        idgenerator.set_options(options(base + 10_000))?;
        ids.extend((0..2000).map(|_| idgenerator.next_id()));
        idgenerator.set_options(options(base))?;
    }
    let repeated = ids.len() > distinct(ids.iter().copied());
    let falling = ids.iter().zip(ids.iter().skip(1)).filter(|(one, next)| next < one).count();
    println!(
        "idgenerator 2.0.0: {} ids, {falling} smaller than the one before, some repeated: {repeated}",
        ids.len()
    );
    Ok(())
}
