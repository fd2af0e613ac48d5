//! Generators that go on into ticks to come when the present one is full; blocks; lanes.

use std::hint::black_box;

use anyhow::Result;
use synod_idgen::wall::{Coarse, System};

use super::{ours, peers, suite};
use crate::case::Case;
use crate::figure::{Figure, Row};

/// All figures, in turns.
pub(super) fn figures(options: &suite::Options) -> Result<Vec<Figure>> {
    suite::in_turns(all()?, options)
}

fn all() -> Result<Vec<Case>> {
    let mut cases = borrowing()?;
    cases.extend(coarse()?);
    cases.extend(in_rows()?);
    cases.extend(floor());
    Ok(cases)
}

fn borrowing() -> Result<Vec<Case>> {
    const BORROWING: &str = "idgen snowflake, borrowing";
    let generator = ours::borrowing(System)?;
    Ok(vec![
        Case::fallible(Row::new(BORROWING, "synod-idgen"), move || generator.try_next().ok()),
        Case::new(Row::new(BORROWING, "idgenerator"), peers::idgenerator()?),
        Case::new(Row::new(BORROWING, "tsid"), peers::tsid()),
    ])
}

fn coarse() -> Result<Vec<Case>> {
    const COARSE: &str = "idgen snowflake, borrowing, coarse source";
    let generator = ours::borrowing(Coarse)?;
    Ok(vec![Case::fallible(Row::new(COARSE, "synod-idgen"), move || generator.try_next().ok())])
}

/// Of each thread in one round: a block or a lane gives so many in a millisecond.
const MANY: u64 = 256 * 8192;

/// Many ids by one atomic operation: a block that is walked through, and a thread's own lane.
fn in_rows() -> Result<Vec<Case>> {
    const ROWS: &str = "idgen snowflake, many at once";
    let (blocks, lanes, walls) =
        (ours::borrowing(System)?, ours::borrowing(System)?, ours::borrowing(Coarse)?);
    let block = move |count| {
        (0..count / 256).all(|_| blocks.reserve(256).is_ok_and(|block| block.map(black_box).count() == 256))
    };
    let lane = move |count| {
        let mut lane = lanes.lane(256);
        (0..count).all(|_| lane.try_next().map(black_box).is_ok())
    };
    let coarse = move |count| {
        let mut lane = walls.lane(256);
        (0..count).all(|_| lane.try_next().map(black_box).is_ok())
    };
    Ok(vec![
        Case::batch(Row::new(ROWS, "synod-idgen, block of 256"), block).of(MANY),
        Case::batch(Row::new(ROWS, "synod-idgen, lane of 256"), lane).of(MANY),
        Case::batch(Row::new(ROWS, "synod-idgen, lane of 256, coarse source"), coarse).of(MANY),
        Case::batch(Row::new(ROWS, "a number of one's own, added to"), |count| {
            let mut number = 0u64;
            (0..count).all(|_| {
                number += 1;
                black_box(number) > 0
            })
        })
        .of(MANY),
    ])
}

/// What no generator of that kind can go below.
fn floor() -> Vec<Case> {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::SystemTime;

    use rustix::time::{ClockId, clock_gettime};
    const FLOOR: &str = "idgen, bare readings and atomics";
    let counter = AtomicU64::new(0);
    let swapped = AtomicU64::new(0);
    vec![
        Case::new(Row::new(FLOOR, "SystemTime::now"), SystemTime::now),
        Case::new(Row::new(FLOOR, "CLOCK_REALTIME"), || clock_gettime(ClockId::Realtime)),
        Case::new(Row::new(FLOOR, "CLOCK_REALTIME_COARSE"), || clock_gettime(ClockId::RealtimeCoarse)),
        Case::new(Row::new(FLOOR, "fetch_add"), move || counter.fetch_add(1, Ordering::Relaxed)),
        Case::new(Row::new(FLOOR, "compare_exchange"), move || {
            let seen = swapped.load(Ordering::Relaxed);
            swapped.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_goes_well() {
        for case in &mut all().unwrap() {
            case.measure().unwrap();
            assert!(case.figures().iter().all(|figure| figure.value > 0.0), "{:?}", case.row);
        }
    }
}
