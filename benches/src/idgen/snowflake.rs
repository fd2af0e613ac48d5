//! Generators that go on into ticks to come when the present one is full; blocks; lanes.

use anyhow::Result;

use super::{peers, suite};
use crate::case::Case;
use crate::figure::{Figure, Row};

/// All figures, in turns.
pub(super) fn figures(options: &suite::Options) -> Result<Vec<Figure>> {
    suite::in_turns(all()?, options)
}

fn all() -> Result<Vec<Case>> {
    let mut cases = borrowing()?;
    cases.extend(floor());
    Ok(cases)
}

fn borrowing() -> Result<Vec<Case>> {
    const BORROWING: &str = "idgen snowflake, borrowing";
    Ok(vec![
        Case::new(Row::new(BORROWING, "idgenerator"), peers::idgenerator()?),
        Case::new(Row::new(BORROWING, "tsid"), peers::tsid()),
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
