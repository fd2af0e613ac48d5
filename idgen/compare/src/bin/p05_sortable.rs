//! P5: ids that sort by time, when the clock steps back by 9 s, then by an hour.
use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use scru128::generator::{RandSource, StdSystemTime};
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::{UlidGenerator, UlidOptions};
use synod_idgen::uuid::{V7Generator, V7Options};
use synod_idgen::wall;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// Seconds since 1970 as the clock shows them, one reading after the other.
const READINGS: [u64; 3] = [1_700_003_600, 1_700_003_591, 1_700_000_000];

fn main() -> Result<()> {
    let mut ulid = ulid::Generator::new();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let ids =
        READINGS.map(|seconds| ulid.generate_from_datetime(at(seconds)).map_err(|error| anyhow!("{error}")));
    println!("ulid 3.0.0: {}", order(ids.into_iter().collect::<Result<Vec<_>>>()?));

    let context = ContextV7::new();
    let ids = READINGS.map(|seconds| Uuid::new_v7(Timestamp::from_unix(&context, seconds, 0)));
    println!("uuid 1.29.3, v7: {}", order(ids));

    let scru128 = || scru128::Generator::with_rand_and_time_sources(Fixed, StdSystemTime);
    let (mut resets, mut aborts) = (scru128(), scru128());
    let ids = READINGS.map(|seconds| resets.generate_or_reset_with_ts(seconds * 1000));
    println!("scru128 4.2.0, or reset: {}", order(ids));
    let ids = READINGS.map(|seconds| aborts.generate_or_abort_with_ts(seconds * 1000));
    println!("scru128 4.2.0, or abort: {}", order(ids.into_iter().flatten()));

    let now = Cell::new(Duration::ZERO);
    let clock = || wall::from_fn(|| now.get());
    let v7 = V7Generator::with(clock(), SystemRandom, V7Options::default());
    let ulid = UlidGenerator::with(clock(), SystemRandom, UlidOptions::default());
    let readings = || READINGS.into_iter().inspect(|it| now.set(Duration::from_secs(*it)));
    println!("synod-idgen, v7: {}", order(readings().flat_map(|_| v7.try_next())));
    println!("synod-idgen, ULID: {}", order(readings().flat_map(|_| ulid.try_next())));
    Ok(())
}

/// Random bits do not matter here.
struct Fixed;

impl RandSource for Fixed {
    fn next_u32(&mut self) -> u32 {
        7
    }
}

fn order<T: Ord>(ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<T> = ids.into_iter().collect();
    let word = if ids.is_sorted_by(|one, next| one < next) { "in order" } else { "not in order" };
    format!("{} ids of 3, {word}", ids.len())
}
