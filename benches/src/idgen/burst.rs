//! What a fresh tick holds: wait for the next millisecond, then take ids for which it still has room, so that nobody
//! waits while the time is taken.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use synod_idgen::wall::{Coarse, System};

use super::{ours, peers, suite::Options};
use crate::case::Case;
use crate::figure::{Figure, Row};

const BURST: &str = "idgen snowflake, burst";
/// Bursts in one round.
const BURSTS: usize = 20;
/// Of each thread in one tick. Two threads together take less than the 4096 that it holds.
const IDS: u64 = 1500;

/// All figures, in turns.
pub(super) fn figures(options: &Options) -> Result<Vec<Figure>> {
    let mut cases = all()?;
    for _ in 0..options.rounds() {
        for case in &mut cases {
            for _ in 0..BURSTS {
                case.measure()?;
            }
        }
    }
    Ok(cases.iter().flat_map(Case::figures).collect())
}

fn all() -> Result<Vec<Case>> {
    let (system, coarse) = (ours::waiting(System)?, ours::borrowing(Coarse)?);
    let (atomic, lock, snowflaked) = (peers::ferroid_atomic(), peers::ferroid_lock(), peers::snowflaked());
    Ok(vec![
        case("synod-idgen", move || system.next().ok()),
        // The coarse clock may be some ticks old, whose ids are given already: it needs to borrow.
        case("synod-idgen, borrows, coarse source", move || coarse.try_next().ok()),
        case("ferroid, atomic", move || Some(atomic())),
        case("ferroid, lock", lock),
        case("snowflaked", move || Some(snowflaked())),
    ])
}

fn case<T>(name: &str, next: impl Fn() -> Option<T> + Sync + 'static) -> Case {
    Case::fallible(Row::new(BURST, name), next).of(IDS).after(await_tick)
}

/// Returns when the wall's millisecond has just changed.
fn await_tick() {
    let millis = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let before = millis();
    while millis() == before {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_gives_ids() {
        for case in &mut all().unwrap() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
    }
}
