//! P12: a time that the field cannot hold.
use std::time::{Duration, UNIX_EPOCH};

use svix_ksuid::KsuidLike as _;
use ulid::Generator;
use uuid::{NoContext, Timestamp, Uuid};

fn main() {
    let late = UNIX_EPOCH + Duration::from_millis((1 << 48) + 10);
    let id = Generator::new().generate_from_datetime(late).map(|it| it.timestamp_ms()).ok();
    println!("ulid 3.0.0: 10 ms after the end: an id whose time is {id:?} ms");

    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, (1 << 48) / 1000 + 10, 0));
    println!(
        "uuid 1.29.3: 10 s after the end: an id whose time is {:?} s",
        id.get_timestamp().map(|it| it.to_unix().0)
    );

    let id = svix_ksuid::Ksuid::from_seconds(Some(1_300_000_000), None);
    println!(
        "svix-ksuid 0.10.0: in 2011, before its epoch: an id whose time is {} s after it",
        id.timestamp_raw()
    );
}
