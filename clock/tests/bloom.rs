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

/// A clock of so many events of one process.
fn of_process<const CELLS: usize>(id: u64, events: u64) -> BloomClock<CELLS, 2> {
    let mut clock = BloomClock::new();
    (1..=events).for_each(|counter| clock.tick(&Dot { id, counter }).unwrap());
    clock
}

/// How many of 4000 pairs of strangers look ordered, and how many the clock said would at most.
fn strangers<const CELLS: usize>(small: u64, large: u64) -> (f64, f64) {
    let pairs = (0..4000).map(|pair| (of_process::<CELLS>(2 * pair, small), of_process(2 * pair + 1, large)));
    let (mut mistaken, mut told) = (0.0, 0.0f64);
    for (left, right) in pairs {
        let verdict = left.compare(&right);
        if verdict.causality != Concurrent {
            mistaken += 1.0 / 4000.0;
            told = told.max(verdict.false_positive);
        }
    }
    (mistaken, told)
}

#[test]
fn clock_bloom_errs_no_more_often_than_it_says() {
    for (mistaken, told) in
        [strangers::<16>(1, 4), strangers::<16>(1, 12), strangers::<16>(2, 20), strangers::<64>(1, 30)]
    {
        assert!(mistaken > 0.0, "this shows nothing: no stranger looked ordered");
        // Three standard deviations of 4000 draws.
        let noise = 3.0 * (told * (1.0 - told) / 4000.0).sqrt();
        assert!(mistaken <= told + noise, "{mistaken} of the pairs, at most {told} told");
    }
    // And it does not only say "maybe": a single event is mistaken about as often as told.
    let (mistaken, told) = strangers::<16>(1, 12);
    assert!(mistaken > told / 2.0, "{mistaken} of the pairs, {told} told");
}

/// (1 - (1 - 1/16)^8)^2, worked out elsewhere: one event of two cells, within four.
#[test]
fn clock_bloom_probability_of_a_worked_case() {
    let verdict = of_process::<16>(1, 1).compare(&of_process(1, 4));
    assert_eq!(verdict.causality, Before);
    assert!((verdict.false_positive - 0.162_635_182_785_356_38).abs() < 1e-12, "{verdict:?}");
    let certain = BloomClock::<16, 2>::new().compare(&of_process(1, 4));
    assert_eq!(certain.causality, Before, "nothing is before anything");
    assert!((certain.false_positive - 1.0).abs() < f64::EPSILON, "and would be before strangers too");
}
