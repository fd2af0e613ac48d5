//! The Bloom clock against causal histories, and its probability against what happens.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod histories;

use histories::{Clocks, Step, assert_some_case_breaks, for_all_pairs, run, steps};
use proptest::prelude::*;
use synod_clock::bloom::BloomClock;
use synod_clock::causality::Causality::{After, Before, Concurrent, Equal};
use synod_clock::vector::Dot;

/// So few cells that it errs often.
type Small = BloomClock<16, 2>;

struct Processes {
    clocks: [Small; 4],
    counters: [u64; 4],
    merges: bool,
}

impl Clocks for Processes {
    type Stamp = Small;
    fn event(&mut self, process: usize) -> Small {
        self.counters[process] += 1;
        let event = Dot { id: u64::try_from(process).unwrap(), counter: self.counters[process] };
        self.clocks[process].tick(&event).unwrap();
        self.clocks[process].clone()
    }
    fn receive(&mut self, process: usize, sent: &Small) -> Small {
        if self.merges {
            self.clocks[process].merge(sent);
        }
        self.event(process)
    }
}

/// What is ordered is never called concurrent, and the order never turned around; only concurrent events may be mistaken.
fn no_order_is_denied(steps: &[Step], merges: bool) -> Result<(), TestCaseError> {
    let clocks = [(); 4].map(|()| Small::new());
    for_all_pairs(&run(steps, Processes { clocks, counters: [0; 4], merges }), |truth, left, right| {
        let verdict = left.compare(right);
        match truth {
            Concurrent => {}
            Equal => prop_assert_eq!(verdict.causality, Equal),
            Before => prop_assert_eq!(verdict.causality, Before),
            After => prop_assert_eq!(verdict.causality, After),
        }
        prop_assert!((0.0..=1.0).contains(&verdict.false_positive));
        if verdict.causality == Concurrent {
            prop_assert!(verdict.false_positive.abs() < f64::EPSILON);
        }
        let back = right.compare(left);
        prop_assert_eq!(back.causality, verdict.causality.reverse());
        prop_assert!((back.false_positive - verdict.false_positive).abs() < 1e-12);
        Ok(())
    })
}

proptest! {
    #[test]
    fn clock_bloom_denies_no_order(steps in steps(4)) {
        no_order_is_denied(&steps, true)?;
    }
}

#[test]
fn clock_bloom_a_clock_that_ignores_messages_is_found() {
    assert_some_case_breaks(steps(4), |steps| no_order_is_denied(&steps, false));
}

/// A clock of these events, each of its own process.
fn of<const CELLS: usize, const HASHES: usize>(
    events: impl IntoIterator<Item = u64>,
) -> BloomClock<CELLS, HASHES> {
    let mut clock = BloomClock::new();
    events.into_iter().for_each(|id| clock.tick(&Dot { id, counter: 1 + id % 7 }).unwrap());
    clock
}

/// Of so many clocks of so many events, none shared, the merged one.
fn merged<const CELLS: usize, const HASHES: usize>(
    first: u64,
    events: u64,
    clocks: u64,
) -> BloomClock<CELLS, HASHES> {
    let parts = (0..clocks).map(|clock| first + clock * events);
    parts.fold(BloomClock::new(), |mut merged, part| {
        merged.merge(&of(part..part + events));
        merged
    })
}

/// What is said of two clocks of which the left one, which looks earlier, knows something that the right one does not.
type Told<const CELLS: usize, const HASHES: usize> =
    fn(&BloomClock<CELLS, HASHES>, &BloomClock<CELLS, HASHES>) -> f64;

fn told<const CELLS: usize, const HASHES: usize>(
    small: &BloomClock<CELLS, HASHES>,
    large: &BloomClock<CELLS, HASHES>,
) -> f64 {
    small.compare(large).false_positive
}

const DRAWS: u32 = 2000;

/// Beside one large clock, how many of small ones that know something else look earlier, less what is told of those
/// at most and three standard deviations: over zero is more often than told. The most of several large clocks.
fn excess<const CELLS: usize, const HASHES: usize>(
    [small_events, small_clocks, shared]: [u64; 3],
    [large_events, large_clocks]: [u64; 2],
    told: Told<CELLS, HASHES>,
) -> (f64, f64) {
    let (mut most, mut ratio) = (f64::MIN, 0.0f64);
    for world in 0..4_u64 {
        let first = world << 40;
        let large = merged::<CELLS, HASHES>(first, large_events, large_clocks);
        let (mut mistaken, mut bound) = (0_u32, 0.0f64);
        for draw in 1..=u64::from(DRAWS) {
            let mut small = merged(first + (draw << 20), small_events, small_clocks);
            small.merge(&of(first..first + shared));
            if small.compare(&large).causality.is_within() {
                mistaken += 1;
                bound = bound.max(told(&small, &large));
            }
        }
        assert!(mistaken > 0, "this shows nothing: no clock looked earlier");
        let rate = f64::from(mistaken) / f64::from(DRAWS);
        let noise = 3.0 * (bound * (1.0 - bound) / f64::from(DRAWS)).max(0.0).sqrt();
        most = most.max(rate - bound - noise);
        ratio = ratio.max(rate / bound);
    }
    (most, ratio)
}

#[test]
fn clock_bloom_errs_no_more_often_than_it_says() {
    for (small, large) in [
        // No merges.
        ([1, 1, 0], [4, 1]),
        ([1, 1, 0], [20, 1]),
        ([2, 1, 0], [40, 1]),
        // One merged with 100 others of one event, with 5 of 20, with 200 of 4.
        ([1, 1, 0], [1, 101]),
        ([1, 1, 0], [20, 6]),
        ([3, 1, 0], [4, 201]),
        // The small one is merged too, or shares what the large one knows.
        ([1, 3, 0], [20, 6]),
        ([1, 1, 10], [20, 1]),
        ([1, 1, 10], [20, 6]),
    ] {
        let (excess, _) = excess::<64, 3>(small, large, told);
        assert!(excess <= 0.0, "{small:?} in {large:?}: {excess} more than told");
    }
    // And it does not only say "maybe": of a single event that is not known, about as often as told.
    for large in [[20, 1], [20, 6], [1, 101]] {
        let (_, ratio) = excess::<64, 3>([1, 1, 0], large, told);
        assert!(ratio > 0.8, "in {large:?}, {ratio} of what is told");
    }
}

/// The cells, as they are stored.
fn cells<const CELLS: usize, const HASHES: usize>(clock: &BloomClock<CELLS, HASHES>) -> Vec<u64> {
    let value = serde_json::to_value(clock).unwrap();
    value["cells"].as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().parse().unwrap()).collect()
}

/// `(1 - (1 - 1/m)^large)^small`, of the sums of all cells: a merge keeps the higher of two cells, so that the sum
/// does not tell how many cells are raised.
fn by_sums(small: &BloomClock<64, 3>, large: &BloomClock<64, 3>) -> f64 {
    let sum = |clock| i32::try_from(cells(clock).iter().sum::<u64>()).unwrap();
    let missed_once: f64 = 1.0 - 1.0 / 64.0;
    (1.0 - missed_once.powi(sum(large))).powi(sum(small))
}

#[test]
fn clock_bloom_a_bound_that_merges_or_shared_events_break_is_found() {
    for (small, large) in
        [([1, 1, 0], [1, 101]), ([1, 1, 0], [20, 6]), ([3, 1, 0], [4, 201]), ([1, 1, 10], [20, 1])]
    {
        let (excess, _) = excess(small, large, by_sums);
        assert!(excess > 0.1, "{small:?} in {large:?}: {excess}");
    }
}

#[test]
fn clock_bloom_probability_of_a_worked_case() {
    // Four events of two cells, of which seven are different.
    let large = of::<16, 2>(0..4);
    assert_eq!(cells(&large).iter().filter(|cell| **cell > 0).count(), 7);
    // (7/16)^2
    let verdict = of([0]).compare(&large);
    assert_eq!(verdict.causality, Before);
    assert!((verdict.false_positive - 0.191_406_25).abs() < 1e-12, "{verdict:?}");
    assert!((large.compare(&large).false_positive - 0.191_406_25).abs() < 1e-12);
    // Who knows nothing knows nothing else.
    let nothing = BloomClock::new().compare(&large);
    assert_eq!(nothing.causality, Before);
    assert!(nothing.false_positive.abs() < f64::EPSILON);
}
