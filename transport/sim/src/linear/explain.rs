//! From "no" to the few operations that show it.
//!
//! Cuts, each of which keeps a history that cannot be explained, and each of which is sound: what is left is a proof about
//! the whole. Everything after the first return that breaks it; everything before a moment, if the rest fails from any
//! value; each answer that is not needed; and each write that need not have happened, when nothing speaks of its value.

use std::collections::BTreeSet;

use super::search::{Call, Found, Observed, Problem, State, beginnings};
use super::{Answer, Kind, Offence, Operation, Values};

/// What one search may visit while a window is cut down; a cut that costs more is not made.
const SEARCH: u64 = 50_000;

/// What all of them together may visit. A window that is not as small as it could be is still a proof.
const ALL: u64 = 400_000;

/// The most values that are tried as other answers.
const ANSWERS: usize = 48;

/// The smallest window we can cheaply find. `calls` are those of `operations`, which are sorted by call and cannot be
/// explained once the return at `end` is in.
pub(super) fn offence(operations: &[&Operation], calls: &[Call], values: &Values<'_>, end: u64) -> Offence {
    let mut budget = Budget(ALL);
    let upper = up_to(calls, end);
    let culprit_at = calls.iter().position(|call| call.complete == Some(end));
    let start = latest_start(&upper, &mut budget);
    let mut kept = start.map_or_else(|| upper.clone(), |start| from(&upper, start));
    // Nothing was left out: then the key begins absent, which says more.
    let cut = start.is_some() && kept != upper;
    drop_what_is_not_needed(&mut kept, cut, culprit_at, &mut budget);

    let window: Vec<Operation> = (0..)
        .zip(operations.iter().zip(&kept))
        .filter(|(at, (_, call))| call.is_some() || culprit_at == Some(*at))
        .map(|(_, (operation, _))| (*operation).clone())
        .collect();
    let culprit = culprit_at.and_then(|at| operations.get(at)).copied();
    let culprit = culprit.or(operations.last().copied()).cloned().unwrap_or_else(Operation::nothing);
    let possible = culprit_at.map_or_else(Vec::new, |at| possible(&upper, at, &culprit, values));
    Offence { key: culprit.key.clone(), culprit, window, cut, possible }
}

/// The last moment of which the rest fails from any value, if there is one. Short rests are tried first: they are cheap,
/// and usually enough.
fn latest_start(upper: &[Option<Call>], budget: &mut Budget) -> Option<u64> {
    let mut starts: Vec<u64> = upper.iter().flatten().map(|call| call.invoke).collect();
    starts.sort_unstable_by_key(|start| core::cmp::Reverse(*start));
    starts.dedup();
    let mut fails = |at: usize| starts.get(at).is_some_and(|start| budget.fails(&from(upper, *start), true));
    let (mut least, mut most) = (0, 1);
    while !fails(most - 1) {
        if most >= starts.len() {
            return None;
        }
        (least, most) = (most, (2 * most).min(starts.len()));
    }
    // The rest from `starts[most - 1]` on fails, that from `starts[least - 1]` on does not.
    while least + 1 < most {
        let middle = usize::midpoint(least, most);
        if fails(middle - 1) {
            most = middle;
        } else {
            least = middle;
        }
    }
    starts.get(most - 1).copied()
}

/// What was known at this moment.
fn up_to(calls: &[Call], end: u64) -> Vec<Option<Call>> {
    let known = |call: &Call| {
        if call.invoke > end || call.observed == Observed::Nothing {
            return None;
        }
        let complete = call.complete.filter(|complete| *complete <= end);
        (call.observed.writes() || complete.is_some()).then_some(Call { complete, ..*call })
    };
    calls.iter().map(known).collect()
}

/// What is left when this moment is the beginning: what was called before may have happened before.
fn from(calls: &[Option<Call>], start: u64) -> Vec<Option<Call>> {
    let later = |call: &Option<Call>| {
        let call = (*call)?;
        if call.invoke >= start {
            return Some(call);
        }
        let over = call.complete.is_some_and(|complete| complete < start);
        (!over && call.observed.writes()).then_some(Call { complete: None, ..call })
    };
    calls.iter().map(later).collect()
}

/// Takes away answers, and makes writes optional, as long as the rest fails; then takes away optional writes of whose
/// value nothing speaks. Large pieces first, so that a long history costs few searches; the oldest first, so that what is
/// left is close to the culprit.
fn drop_what_is_not_needed(
    kept: &mut [Option<Call>],
    cut: bool,
    culprit: Option<usize>,
    budget: &mut Budget,
) {
    let weaker = |call: Call| call.observed.writes().then_some(Call { complete: None, ..call });
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        for first in (0..kept.len()).step_by(size) {
            let piece = first..kept.len().min(first + size);
            let before: Vec<Option<Call>> = kept.get(piece.clone()).unwrap_or_default().to_vec();
            for (at, place) in piece.clone().zip(kept.iter_mut().skip(first)) {
                if culprit != Some(at) {
                    *place = place.and_then(weaker);
                }
            }
            let changed = kept.get(piece).is_some_and(|after| *after != before);
            if changed && !budget.fails(kept, cut) {
                for (place, call) in kept.iter_mut().skip(first).zip(before) {
                    *place = call;
                }
            }
        }
        if size == 1 {
            break;
        }
        drop_unseen_open_writes(kept);
        size = size.div_ceil(2);
    }
    loop {
        let before = kept.iter().flatten().count();
        drop_unseen_open_writes(kept);
        if kept.iter().flatten().count() == before {
            return;
        }
    }
}

fn put(kept: &mut [Option<Call>], at: usize, call: Option<Call>) {
    if let Some(place) = kept.get_mut(at) {
        *place = call;
    }
}

/// Open writes of values that nothing in the window speaks of can be taken away, unless an answer is "something
/// else".
fn drop_unseen_open_writes(kept: &mut [Option<Call>]) {
    let seen: BTreeSet<State> = kept.iter().flatten().filter_map(|call| call.observed.speaks_of()).collect();
    if kept.iter().flatten().any(|call| matches!(call.observed, Observed::Differs(_))) {
        return;
    }
    let unseen = |call: &Call| call.observed.leaves().is_some_and(|value| !seen.contains(&value));
    for place in kept {
        if place.is_some_and(|call| call.complete.is_none() && unseen(&call)) {
            *place = None;
        }
    }
}

/// Other answers of the culprit that an order explains, given all that had happened by its return.
fn possible(upper: &[Option<Call>], at: usize, culprit: &Operation, values: &Values<'_>) -> Vec<Answer> {
    let Some(call) = upper.get(at).copied().flatten() else { return Vec::new() };
    let fits = |observed: Observed| {
        let mut other = upper.to_vec();
        put(&mut other, at, Some(Call { observed, ..call }));
        // Only an order that was found counts: a search that gave up says nothing.
        Problem::new(other.into_iter().flatten()).solve(State::ABSENT, &mut { SEARCH }) == Found::Order
    };
    match (&culprit.kind, call.observed) {
        (Kind::Get, _) => {
            let written = upper.iter().flatten().rev().filter_map(|call| call.observed.leaves());
            let mut states: Vec<State> = Vec::new();
            for state in written.chain([State::ABSENT]) {
                if !states.contains(&state) && states.len() < ANSWERS {
                    states.push(state);
                }
            }
            states.reverse();
            let fitting = states.into_iter().filter(|state| fits(Observed::Read(*state)));
            fitting.map(|state| Answer::Value(values.name(state))).collect()
        }
        (Kind::CompareAndSet { .. }, Observed::Swap { expect, .. }) => {
            fits(Observed::Differs(expect)).then_some(Answer::Swapped(false)).into_iter().collect()
        }
        (Kind::CompareAndSet { new, .. }, Observed::Differs(expect)) => {
            let new = values.number(Some(new));
            fits(Observed::Swap { expect, new }).then_some(Answer::Swapped(true)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// How many configurations may yet be visited.
struct Budget(u64);

impl Budget {
    /// Whether these surely cannot be explained: from absent, or from any value at all.
    fn fails(&mut self, calls: &[Option<Call>], from_any: bool) -> bool {
        let calls = || calls.iter().flatten();
        let states = if from_any { beginnings(calls()) } else { BTreeSet::from([State::ABSENT]) };
        states.into_iter().all(|state| {
            let most = SEARCH.min(self.0);
            let mut left = most;
            let found = Problem::new(calls().copied()).solve(state, &mut left);
            self.0 -= most - left;
            matches!(found, Found::NoOrder { .. })
        })
    }
}
