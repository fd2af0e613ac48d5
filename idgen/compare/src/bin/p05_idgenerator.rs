//! P5: the clock steps back five times. The base of its time is an option, and a later base is an earlier clock.
use std::cell::Cell;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use idgenerator::{CoreIdGenerator, IdGeneratorOptions};
use synod_idgen::generator::Generator;
use synod_idgen::layout::Twitter;
use synod_idgen::node::NodeId;
use synod_idgen::wall;
use synod_idgen_compare::{distinct, millis};

fn main() -> Result<()> {
    let base = millis(SystemTime::now()) - 86_400_000;
    let options = |base: i64| IdGeneratorOptions::new().method(2).worker_id(1).base_time(base);
    let mut idgenerator = CoreIdGenerator::default();
    idgenerator.init(options(base))?;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(idgenerator.next_id());
        idgenerator.set_options(options(base + 9_000))?;
        ids.extend((0..2000).map(|_| idgenerator.next_id()));
        idgenerator.set_options(options(base))?;
    }
    let repeated = ids.len() > distinct(ids.iter().copied());
    let falling = ids.iter().zip(ids.iter().skip(1)).filter(|(one, next)| next < one).count();
    println!(
        "idgenerator 2.0.0: {} ids, {falling} smaller than the one before, some repeated: {repeated}",
        ids.len()
    );

    let now = Cell::new(Duration::from_secs(1_700_000_000));
    let ours = Generator::new(NodeId::<Twitter>::new(1)?, wall::from_fn(|| now.get()))?;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(ours.try_next()?);
        now.set(now.get() - Duration::from_secs(9));
        (0..2000).try_for_each(|_| ours.try_next().map(|id| ids.push(id)))?;
        now.set(now.get() + Duration::from_millis(9001));
    }
    println!("synod-idgen: {} ids, in order: {}", ids.len(), ids.is_sorted_by(|one, next| one < next));
    Ok(())
}
