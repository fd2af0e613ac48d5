//! Ids of 128 bits: UUID versions 4 and 7, ULID, SCRU128, KSUID.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use ferroid::generator::LockMonoUlidGenerator;
use ferroid::id::ULID;
use ferroid::rand::ThreadRandom;
use ferroid::time::{MonotonicClock, UNIX_EPOCH};
use svix_ksuid::KsuidLike as _;
use synod_idgen::random::SystemRandom;
use synod_idgen::ulid::{UlidGenerator, UlidOptions};
use synod_idgen::uuid::{V7Generator, V7Options};
use synod_idgen::wall::{Coarse, System};
use uuid::Uuid;

use super::suite;
use crate::case::Case;
use crate::figure::{Figure, Row};

/// All figures, in turns.
pub(super) fn figures(options: &suite::Options) -> Result<Vec<Figure>> {
    let cases =
        if options.uuids { [time_ordered(), random()].into_iter().flatten().collect() } else { all() };
    suite::in_turns(cases, options)
}

fn all() -> Vec<Case> {
    [time_ordered(), random(), ulids(), ksuids()].into_iter().flatten().collect()
}

/// Its random bits come from the system each time, unless a feature says otherwise.
const UUID: &str = if cfg!(feature = "idgen-fast-rng") { "uuid, fast-rng" } else { "uuid" };

fn time_ordered() -> Vec<Case> {
    const V7: &str = "idgen UUID v7, in order across threads";
    let ours = V7Generator::new();
    let coarse = V7Generator::with(Coarse, SystemRandom, V7Options::default());
    vec![
        Case::fallible(Row::new(V7, "synod-idgen"), move || ours.try_next().ok()),
        Case::fallible(Row::new(V7, "synod-idgen, coarse source"), move || coarse.try_next().ok()),
        Case::new(Row::new(V7, UUID), Uuid::now_v7),
        Case::new(Row::new(V7, "scru128"), scru128::new),
    ]
}

fn random() -> Vec<Case> {
    const V4: &str = "idgen UUID v4";
    vec![
        Case::fallible(Row::new(V4, "synod-idgen"), || synod_idgen::uuid::Uuid::v4(&SystemRandom).ok()),
        Case::new(Row::new(V4, UUID), Uuid::new_v4),
    ]
}

fn ulids() -> Vec<Case> {
    const ULIDS: &str = "idgen ULID, in order across threads";
    let ulid = Mutex::new(ulid::Generator::new());
    // Its generator without a lock wants atomics of 128 bits, which this kind of target has not by default.
    let clock = MonotonicClock::<1>::with_epoch(UNIX_EPOCH);
    let lock = LockMonoUlidGenerator::<ULID, _, _>::new(clock, ThreadRandom);
    let ours = UlidGenerator::new();
    let coarse = UlidGenerator::with(Coarse, SystemRandom, UlidOptions::default());
    vec![
        Case::fallible(Row::new(ULIDS, "synod-idgen"), move || ours.try_next().ok()),
        Case::fallible(Row::new(ULIDS, "synod-idgen, coarse source"), move || coarse.try_next().ok()),
        Case::fallible(Row::new(ULIDS, "ulid, in a mutex"), move || {
            ulid.lock().unwrap_or_else(PoisonError::into_inner).generate().ok()
        }),
        Case::fallible(Row::new(ULIDS, "ferroid, lock"), move || {
            lock.try_next_id(|_| std::thread::yield_now()).ok()
        }),
    ]
}

fn ksuids() -> Vec<Case> {
    const KSUIDS: &str = "idgen KSUID";
    vec![
        Case::fallible(Row::new(KSUIDS, "synod-idgen"), || {
            synod_idgen::ksuid::Ksuid::generate(&System, &SystemRandom).ok()
        }),
        Case::new(Row::new(KSUIDS, "ksuid"), ksuid::Ksuid::generate),
        Case::new(Row::new(KSUIDS, "svix-ksuid"), || svix_ksuid::Ksuid::now(None)).of(2000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_goes_well() {
        for case in &mut all() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
    }
}
