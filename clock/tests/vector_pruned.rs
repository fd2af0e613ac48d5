//! P25: a clock that has forgotten something never claims an order that is not known.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod histories;

use histories::{Clocks, Step, assert_some_case_breaks, for_all_pairs, run, steps};
use proptest::prelude::*;
use synod_clock::causality::Causality::{self, Concurrent};
use synod_clock::vector::{PrunedClock, VectorClock, VectorError};

fn pruned(entries: &[(u8, u64)], forgets: &[u8]) -> PrunedClock<u8> {
    VectorClock::try_from(entries.to_vec()).unwrap().prune(|id, _| !forgets.contains(id))
}

#[test]
fn clock_p25_an_order_that_hangs_on_the_forgotten_is_not_known() {
    // Concurrent in truth: 9 counted on the left only, 2 on the right only.
    let left = pruned(&[(1, 1), (9, 1)], &[9]);
    let right = pruned(&[(1, 1), (2, 1)], &[]);
    assert_eq!(left.compare(&right), None);
    assert_eq!((left.is_within(&right), right.is_within(&left)), (None, None));
    // 2 counted more than anything that was forgotten: the right is not within the left, and yet not after it either.
    let right = pruned(&[(1, 1), (2, 5)], &[]);
    assert_eq!(right.is_within(&left), Some(false));
    assert_eq!(left.compare(&right), None);
    // Even two that look alike.
    assert_eq!(left.compare(&left.clone()), None);
}

#[test]
fn clock_p25_what_is_known_is_still_told() {
    let left = pruned(&[(1, 7), (9, 1)], &[9]);
    let right = pruned(&[(1, 6), (2, 3)], &[]);
    assert_eq!(left.compare(&right), Some(Concurrent), "7 > 6, and 3 > anything forgotten");
    let whole = pruned(&[(1, 7)], &[]);
    assert_eq!(whole.is_within(&left), Some(true), "all of it stands there");
    assert!(whole.is_whole() && !left.is_whole());
}

#[test]
fn clock_p25_an_own_counter_that_was_pruned_cannot_count_on() {
    let mut clock = pruned(&[(1, 7), (2, 3)], &[1]);
    assert_eq!((clock.bounds(&1), clock.bounds(&2)), (0..=7, 3..=3));
    assert_eq!((clock.len(), clock.is_empty(), clock.is_whole()), (1, false, false));
    assert!(clock.iter().eq([(&2, 3)]));
    assert!(clock.clone().prune(|_, least| least != 3).is_empty());
    assert_eq!(clock.tick(&1), Err(VectorError::OwnCounterPruned));
    assert_eq!(clock.receive(&1, &clock.clone()), Err(VectorError::OwnCounterPruned));
    assert_eq!(clock.tick(&2), Ok(4));
    let mut full = pruned(&[(1, u64::MAX)], &[]);
    assert_eq!(full.tick(&1), Err(VectorError::CounterOverflow));
    assert_eq!(clock.receive(&2, &pruned(&[(2, u64::MAX)], &[])), Err(VectorError::CounterOverflow));
    assert_eq!(clock.bounds(&2), 4..=4);
}

#[test]
fn clock_p25_a_newcomer_counts_where_a_copy_cannot() {
    let known = pruned(&[(1, 3), (2, 2)], &[2]);
    assert_eq!(known.clone().tick(&9), Err(VectorError::OwnCounterPruned));
    let mut clock = PrunedClock::newcomer(&9, &known).unwrap();
    assert_eq!((clock.bounds(&9), clock.bounds(&1), clock.bounds(&2)), (1..=1, 3..=3, 0..=2));
    assert_eq!(clock.tick(&9), Ok(2));
    assert_eq!(clock.receive(&9, &known), Ok(3));
    // A merge is for clocks that nobody counts in.
    clock.merge(&pruned(&[(2, 5)], &[2]));
    assert_eq!(clock.tick(&9), Err(VectorError::OwnCounterPruned));
    for named in [1, 9] {
        assert_eq!(PrunedClock::newcomer(&named, &clock).map(|_| ()), Err(VectorError::NotNew));
    }
}

/// Process 3 is not there at first and joins with what a message brings. Whether it leaves after that and comes back
/// under its id, whenever the message does not name it.
struct Joins {
    others: Forgetful,
    is_there: bool,
    comes_back: bool,
}

impl Clocks for Joins {
    type Stamp = PrunedClock<usize>;
    fn event(&mut self, process: usize) -> Self::Stamp {
        self.is_there |= process == 3;
        self.others.event(process)
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        if process == 3 && (!self.is_there || self.comes_back) {
            if let Ok(clock) = PrunedClock::newcomer(&3, sent) {
                self.is_there = true;
                self.others.clocks[3] = clock.clone();
                return clock;
            }
        }
        self.others.receive(process, sent)
    }
}

fn joining(steps: &[Step], forgets: [bool; 4], comes_back: bool) -> Result<(), TestCaseError> {
    let clocks = [(); 4].map(|()| PrunedClock::from(VectorClock::new()));
    let others = Forgetful { clocks, forgets };
    let events = run(steps, Joins { others, is_there: false, comes_back });
    for_all_pairs(&events, |truth, left, right| {
        let claim = left.compare(right);
        prop_assert!(claim.is_none_or(|claim| claim == truth), "{claim:?} claimed, {truth} true");
        Ok(())
    })
}

#[test]
fn clock_p25_a_newcomer_under_an_old_id_is_found() {
    assert_some_case_breaks(forgetful_runs(), |(steps, forgets)| joining(&steps, forgets, true));
}

/// After each receipt a process forgets whom `forgets` names, itself never.
struct Forgetful {
    clocks: [PrunedClock<usize>; 4],
    forgets: [bool; 4],
}

impl Clocks for Forgetful {
    type Stamp = PrunedClock<usize>;
    fn event(&mut self, process: usize) -> Self::Stamp {
        self.clocks[process].tick(&process).unwrap();
        self.clocks[process].clone()
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        self.clocks[process].receive(&process, sent).unwrap();
        let forgets = self.forgets;
        let clock = self.clocks[process].clone();
        self.clocks[process] = clock.prune(|id, least| *id == process || !(forgets[*id] && least % 2 == 0));
        self.clocks[process].clone()
    }
}

/// The naive twin: what is forgotten counts as zero.
struct ForgetsThatItForgot {
    clocks: [VectorClock<usize>; 4],
    forgets: [bool; 4],
}

impl Clocks for ForgetsThatItForgot {
    type Stamp = VectorClock<usize>;
    fn event(&mut self, process: usize) -> Self::Stamp {
        self.clocks[process].send(&process).unwrap()
    }
    fn receive(&mut self, process: usize, sent: &Self::Stamp) -> Self::Stamp {
        self.clocks[process].receive(&process, sent).unwrap();
        let kept = Vec::from(self.clocks[process].clone());
        let keeps = |(id, count): &(usize, u64)| *id == process || !(self.forgets[*id] && count % 2 == 0);
        self.clocks[process] = VectorClock::try_from(Vec::from_iter(kept.into_iter().filter(keeps))).unwrap();
        self.clocks[process].clone()
    }
}

fn forgetful_runs() -> impl Strategy<Value = (Vec<Step>, [bool; 4])> {
    (steps(4), prop::array::uniform4(any::<bool>()))
}

proptest! {
    #[test]
    fn clock_p25_what_is_claimed_with_newcomers_is_true((steps, forgets) in forgetful_runs()) {
        joining(&steps, forgets, false)?;
    }

    #[test]
    fn clock_p25_whatever_is_claimed_is_true((steps, forgets) in forgetful_runs()) {
        let clocks = [(); 4].map(|()| PrunedClock::from(VectorClock::new()));
        let events = run(&steps, Forgetful { clocks, forgets });
        for_all_pairs(&events, |truth, left, right| {
            let claim = left.compare(right);
            prop_assert!(claim.is_none_or(|claim| claim == truth), "{claim:?} claimed, {truth} true");
            let within = left.is_within(right);
            prop_assert!(within.is_none_or(|claim| claim == truth.is_within()));
            if left.is_whole() && right.is_whole() {
                prop_assert_eq!(claim, Some(truth));
            }
            Ok(())
        })?;
    }

    #[test]
    fn clock_p25_bounds_hold_what_was_forgotten(
        counters in prop::collection::btree_map(0..6u8, 1..9u64, 0..6),
        others in prop::collection::btree_map(0..6u8, 1..9u64, 0..6),
        keep in any::<[u8; 2]>(),
    ) {
        let truth = |entries: &std::collections::BTreeMap<u8, u64>| {
            VectorClock::try_from(Vec::from_iter(entries.clone())).unwrap()
        };
        let keeps = |mask: u8| move |id: &u8, _| mask >> id & 1 == 1;
        let (mut left, mut right) = (truth(&counters), truth(&others));
        let mut known = left.clone().prune(keeps(keep[0]));
        known.merge(&right.clone().prune(keeps(keep[1])));
        left.merge(&right);
        for id in 0..6 {
            prop_assert!(known.bounds(&id).contains(&left.get(&id)), "{id}: {known:?}");
        }
        // And the other way about.
        let mut swapped = right.clone().prune(keeps(keep[1]));
        right.merge(&truth(&counters));
        swapped.merge(&truth(&counters).prune(keeps(keep[0])));
        for id in 0..6 {
            prop_assert_eq!(swapped.bounds(&id), known.bounds(&id));
        }
    }
}

#[test]
fn clock_p25_forgetting_as_if_zero_is_found() {
    assert_some_case_breaks(forgetful_runs(), |(steps, forgets)| {
        let clocks = [(); 4].map(|()| VectorClock::new());
        for_all_pairs(&run(&steps, ForgetsThatItForgot { clocks, forgets }), |truth, left, right| {
            prop_assert_eq!(left.compare(right), truth);
            Ok(())
        })
    });
}

/// Of each truth, some pair must be told although something was forgotten, or the bounds are good for nothing.
#[test]
fn clock_p25_not_everything_is_unknown() {
    let clocks = [(); 4].map(|()| PrunedClock::from(VectorClock::new()));
    let talk = |from, to| Step::Message { from, to };
    let steps: Vec<Step> = (0..40)
        .map(|step| if step % 3 == 0 { Step::Event(step % 4) } else { talk(step % 4, step % 3) })
        .collect();
    let events = run(&steps, Forgetful { clocks, forgets: [false, false, true, true] });
    let told = |wanted: Causality| {
        let forgot = |left: &PrunedClock<usize>, right: &PrunedClock<usize>| {
            !(left.is_whole() && right.is_whole()) && left.compare(right) == Some(wanted)
        };
        events.iter().any(|left| events.iter().any(|right| forgot(&left.stamp, &right.stamp)))
    };
    assert!(told(Concurrent), "concurrent");
    let within = events.iter().any(|left| {
        events.iter().any(|right| !right.stamp.is_whole() && left.stamp.is_within(&right.stamp) == Some(true))
    });
    assert!(within, "known to be within a clock that forgot");
}
