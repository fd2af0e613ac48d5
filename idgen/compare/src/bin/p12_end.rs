//! P12: a time that the field cannot hold.
use std::time::{Duration, UNIX_EPOCH};

use svix_ksuid::KsuidLike as _;
use synod_idgen::ksuid::Ksuid;
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::{UlidGenerator, UlidOptions};
use synod_idgen::uuid::{V7Generator, V7Options};
use synod_idgen::wall;
use synod_idgen_compare::outcome;
use ulid::Generator;
use uuid::{NoContext, Timestamp, Uuid};

/// 48 bits of milliseconds after 1970, in the year 10889, and 10 ms.
const LATE: Duration = Duration::from_millis((1 << 48) + 10);

fn main() {
    let id = Generator::new().generate_from_datetime(UNIX_EPOCH + LATE).map(|it| it.timestamp_ms()).ok();
    println!("ulid 3.0.0: 10 ms after the end: an id whose time is {id:?} ms");

    let ours = UlidGenerator::with(wall::from_fn(|| LATE), SystemRandom, UlidOptions::default());
    println!("synod-idgen: {}", outcome(ours.try_next()));

    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, (1 << 48) / 1000 + 10, 0));
    println!(
        "uuid 1.29.3: 10 s after the end: an id whose time is {:?} s",
        id.get_timestamp().map(|it| it.to_unix().0)
    );
    let ours = V7Generator::with(wall::from_fn(|| LATE), SystemRandom, V7Options::default());
    println!("synod-idgen: {}", outcome(ours.try_next()));

    let id = svix_ksuid::Ksuid::from_seconds(Some(1_300_000_000), None);
    println!(
        "svix-ksuid 0.10.0: in 2011, before its epoch: an id whose time is {} s after it",
        id.timestamp_raw()
    );
    println!("synod-idgen: {}", outcome(Ksuid::at(Duration::from_secs(1_300_000_000), 7)));
}
