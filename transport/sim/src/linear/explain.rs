//! From "no" to the few operations that show it.
//!
//! Three cuts, each of which keeps a history that cannot be explained: everything after the first return that breaks
//! it; everything before a moment, if it then fails from any value; and each read that is not needed.

use std::collections::BTreeSet;

use super::search::{Call, Observed, Problem, State};
use super::{Offence, Operation};

/// The smallest window we can cheaply find. `calls` are those of `operations`, which are sorted by call and cannot be
/// explained.
pub(super) fn offence(operations: &[&Operation], calls: &[Call]) -> Offence {
    let mut returns: Vec<u64> = calls.iter().filter_map(|call| call.complete).collect();
    returns.sort_unstable();
    let end = returns.partition_point(|end| solves(&up_to(calls, *end), false));
    let end = returns.get(end).copied().unwrap_or(u64::MAX);
    let upper = up_to(calls, end);

    let starts: Vec<u64> = upper.iter().flatten().map(|call| call.invoke).collect();
    let start = starts.partition_point(|start| !solves(&from(&upper, *start), true));
    // The last start that still fails from any value, if there is one.
    let start = start.checked_sub(1).and_then(|at| starts.get(at)).copied();
    let mut kept = start.map_or_else(|| upper.clone(), |start| from(&upper, start));
    // Nothing was left out: then the key begins absent, which says more.
    let cut = start.is_some() && kept != upper;

    for at in 0..kept.len() {
        let Some(place) = kept.get_mut(at) else { continue };
        let effect =
            place.is_some_and(|call| matches!(call.observed, Observed::Set(_) | Observed::Swap { .. }));
        if effect {
            continue;
        }
        let taken = place.take();
        if solves(&kept, cut) {
            if let Some(place) = kept.get_mut(at) {
                *place = taken;
            }
        }
    }
    drop_unseen_open_writes(&mut kept);

    let culprit = operations.iter().zip(calls).find(|(_, call)| call.complete == Some(end));
    let culprit = culprit.map(|(operation, _)| (*operation).clone());
    let window: Vec<Operation> = operations
        .iter()
        .zip(&kept)
        .filter(|(operation, call)| call.is_some() || culprit.as_ref() == Some(**operation))
        .map(|(operation, _)| (*operation).clone())
        .collect();
    let key = operations.first().map(|operation| operation.key.clone()).unwrap_or_default();
    let culprit = culprit.or_else(|| window.last().cloned()).unwrap_or_else(|| Operation {
        client: 0,
        key: key.clone(),
        kind: super::Kind::Get,
        invoke: 0,
        complete: None,
        result: super::Answer::Unknown,
    });
    Offence { key, culprit, window, cut }
}

/// What was known at this moment.
fn up_to(calls: &[Call], end: u64) -> Vec<Option<Call>> {
    let known = |call: &Call| {
        if call.invoke > end || call.observed == Observed::Nothing {
            return None;
        }
        let complete = call.complete.filter(|complete| *complete <= end);
        let effect = matches!(call.observed, Observed::Set(_) | Observed::Swap { .. });
        (effect || complete.is_some()).then_some(Call { complete, ..*call })
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
        let effect = matches!(call.observed, Observed::Set(_) | Observed::Swap { .. });
        (!over && effect).then_some(Call { complete: None, ..call })
    };
    calls.iter().map(later).collect()
}

/// Open writes of values that nothing in the window speaks of can be taken away, unless an answer is "something
/// else".
fn drop_unseen_open_writes(kept: &mut [Option<Call>]) {
    let mut seen = BTreeSet::new();
    for call in kept.iter().flatten() {
        match call.observed {
            Observed::Read(value) | Observed::Swap { expect: value, .. } => {
                seen.insert(value);
            }
            Observed::Differs(_) => return,
            Observed::Set(_) | Observed::Nothing => {}
        }
    }
    for place in kept {
        if place.is_some_and(|call| match call.observed {
            Observed::Set(value) | Observed::Swap { new: value, .. } => {
                call.complete.is_none() && !seen.contains(&value)
            }
            _ => false,
        }) {
            *place = None;
        }
    }
}

/// Whether these can be explained: from absent, or from any value at all.
fn solves(calls: &[Option<Call>], from_any: bool) -> bool {
    let mut states = BTreeSet::from([State::ABSENT]);
    if from_any {
        // One value that no operation speaks of stands for all such.
        states.insert(State(u32::MAX));
        for call in calls.iter().flatten() {
            match call.observed {
                Observed::Read(value) | Observed::Differs(value) | Observed::Swap { expect: value, .. } => {
                    states.insert(value);
                }
                Observed::Set(_) | Observed::Nothing => {}
            }
        }
    }
    states.into_iter().any(|state| Problem::new(calls.iter().flatten().copied()).solve(state))
}
