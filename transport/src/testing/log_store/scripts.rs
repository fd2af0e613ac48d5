//! Scripted checks: a sentence of the contract each.

use core::task::{Poll, Waker};
use std::sync::Arc;

use bytes::Bytes;

use super::history::{compare, crash, within_limit};
use super::model::Model;
use super::{Harness, Plan, Signal, Subject, Tally, Violation, append, entry, hard_state};
use crate::ids::{LogIndex, Position, WriteId};
use crate::log::Entry;
use crate::store::{LogStore, StoreError};

type Checked = Result<(), Violation>;

pub(super) fn run<H: Harness>(make: &mut impl FnMut() -> H, tally: &mut Tally) -> Checked {
    new_store(Subject::new("a new store is empty", make(), tally))?;
    read_at_once(Subject::new("what was submitted can be read at once", make(), tally))?;
    order_within_a_batch(Subject::new("truncate, append, hard state, purge in this order", make(), tally))?;
    misuse(Subject::new("misuse changes nothing", make(), tally))?;
    read_limits(Subject::new("a read stops at its limit", make(), tally))?;
    missing(Subject::new("entries that are not there are Missing", make(), tally))?;
    purge_to_the_end(Subject::new("a purge may take all and keeps the last position", make(), tally))?;
    receipts(Subject::new("receipts only grow and reach everything", make(), tally))?;
    newest_waker(Subject::new("the newest waker is woken", make(), tally))?;
    survives(Subject::new("what was attested survives a crash", make(), tally))?;
    prefix(Subject::new("a crash leaves a prefix of whole batches", make(), tally))?;
    for lag in 0..3 {
        sticky_failure(Subject::new("a failed store takes and attests nothing", make(), tally), lag)?;
    }
    Ok(())
}

fn three() -> Vec<Entry> {
    vec![entry(1, 1, b"one"), entry(1, 2, b"two"), entry(2, 3, b"three")]
}

fn new_store<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    compare(&mut it, &Model::default())?;
    let polled = it.poll(Waker::noop())?;
    it.expect(polled.is_pending(), || format!("a poll gave {polled:?}"))?;
    let room = it.store()?.has_room();
    it.expect(room, || "no room".into())
}

fn read_at_once<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let plan = Plan { hard_state: hard_state(7), ..append(three()) };
    it.submit(&plan)?;
    compare(&mut it, &Model::default().after(&plan))?;
    it.settle()?;
    compare(&mut it, &Model::default().after(&plan))
}

fn order_within_a_batch<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let mut model = Model::default();
    let all_at_once = Plan {
        truncate_from: Some(LogIndex::new(2)),
        append: vec![entry(3, 2, b"new two"), entry(3, 3, b""), entry(4, 4, b"four")],
        hard_state: hard_state(1),
        purge_through: Some(LogIndex::new(3)),
    };
    let only_hard_state = Plan { hard_state: hard_state(2), ..Plan::default() };
    let nothing = Plan::default();
    let cut_nothing = Plan { truncate_from: Some(LogIndex::new(5)), ..Plan::default() };
    let cut_all = Plan { truncate_from: Some(LogIndex::new(4)), ..append([entry(5, 4, b"again")]) };
    let purged_before = Plan { purge_through: Some(LogIndex::new(1)), ..Plan::default() };
    for plan in [append(three()), all_at_once, only_hard_state, nothing, cut_nothing, cut_all, purged_before]
    {
        it.submit(&plan)?;
        model = model.after(&plan);
        compare(&mut it, &model)?;
    }
    it.settle()?;
    crash(&mut it, &mut vec![model])
}

fn misuse<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let plan = Plan { purge_through: Some(LogIndex::new(1)), hard_state: hard_state(3), ..append(three()) };
    it.submit(&plan)?;
    let next = WriteId::new(2);
    let hole = append([entry(2, 4, b"four"), entry(2, 6, b"a hole before")]);
    let overlap = append([entry(2, 3, b"three again")]);
    let cut = |from| Plan { truncate_from: Some(LogIndex::new(from)), ..Plan::default() };
    let purge = |through| Plan { purge_through: Some(LogIndex::new(through)), ..Plan::default() };
    let purge_what_it_cuts = Plan { purge_through: Some(LogIndex::new(3)), ..cut(3) };
    for bad in [hole, overlap, cut(1), cut(0), cut(5), purge(4), purge_what_it_cuts] {
        it.refuse(next, &Plan { hard_state: hard_state(9), ..bad })?;
    }
    for id in [0, 1, 3] {
        it.refuse(WriteId::new(id), &append([entry(2, 4, b"four")]))?;
    }
    let good = append([entry(2, 4, b"four")]);
    it.submit(&good)?;
    compare(&mut it, &Model::default().after(&plan).after(&good))
}

fn read_limits<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let sized = |(index, len)| Entry {
        position: Position::new(1, index),
        payload: Bytes::from(vec![1; len]),
        ..Entry::default()
    };
    let want: Vec<Entry> = [(1, 10), (2, 1), (3, 500), (4, 30), (5, 7)].map(sized).into();
    it.submit(&append(want.clone()))?;
    for (limit, at_most) in [(0, 1), (1, 1), (10, 2), (11, 3), (12, 3), (511, 4), (548, 5), (usize::MAX, 5)] {
        match it.read(1, 5, limit)? {
            Ok(got) => {
                within_limit(&it, &got, &want, limit)?;
                it.expect(got.len() <= at_most, || format!("{} entries for {limit} bytes", got.len()))?;
            }
            Err(error) => return it.violation(format!("{error} with a limit of {limit}")),
        }
    }
    Ok(())
}

fn missing<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let ranges = |it: &mut Subject<'_, H>, ranges: &[(u64, u64)]| {
        for &(first, last) in ranges {
            let got = it.read(first, last, usize::MAX)?;
            let want = StoreError::Missing { first: LogIndex::new(first), last: LogIndex::new(last) };
            it.expect(got.as_ref() == Err(&want), || format!("{first} to {last} gave {got:?}"))?;
        }
        Ok(())
    };
    ranges(&mut it, &[(0, 0), (1, 1), (0, 1)])?;
    it.submit(&append(three()))?;
    ranges(&mut it, &[(0, 1), (0, 0), (3, 4), (4, 4), (3, 2), (1, u64::MAX), (u64::MAX, u64::MAX)])?;
    it.submit(&Plan { purge_through: Some(LogIndex::new(2)), ..Plan::default() })?;
    ranges(&mut it, &[(1, 3), (2, 2), (2, 3)])?;
    it.submit(&Plan { truncate_from: Some(LogIndex::new(3)), ..Plan::default() })?;
    ranges(&mut it, &[(3, 3)])
}

fn purge_to_the_end<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let plan = Plan { purge_through: Some(LogIndex::new(3)), ..append(three()) };
    it.submit(&plan)?;
    let model = Model::default().after(&plan);
    compare(&mut it, &model)?;
    let last = it.store()?.summary().last();
    it.expect(last == Position::new(2, 3), || format!("the last position is {last:?}"))?;
    let more = append([entry(2, 4, b"four")]);
    it.submit(&more)?;
    compare(&mut it, &model.after(&more))
}

fn receipts<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    for index in 1..=20 {
        it.submit(&append([entry(1, index, b"payload")]))?;
        if index % 5 == 0 {
            it.settle()?;
        }
    }
    let (attested, submitted) = (it.attested, it.submitted);
    it.expect(attested == submitted, || format!("attested {attested:?} of {submitted:?}"))
}

fn newest_waker<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    it.submit(&append([entry(1, 1, b"one")]))?;
    let (old, new) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
    if it.poll(&Waker::from(old))?.is_pending() && it.poll(&Waker::from(Arc::clone(&new)))?.is_pending() {
        it.work_until(&new)?;
    }
    it.settle()
}

fn survives<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    let mut states = vec![Model::default()];
    for round in 0..5u64 {
        for _ in 0..=round {
            let now = states.last().cloned().unwrap_or_default();
            let next = now.last().index.get() + 1;
            let plan = Plan { hard_state: hard_state(9), ..append([entry(round + 1, next, b"kept")]) };
            it.submit(&plan)?;
            states.push(now.after(&plan));
        }
        it.settle()?;
        crash(&mut it, &mut states)?;
        if it.store.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

fn prefix<H: Harness>(mut it: Subject<'_, H>) -> Checked {
    for round in 0..12u8 {
        let mut states = vec![Model::default()];
        if round > 0 {
            it = Subject::new(it.check, it.harness, it.tally);
        }
        let first = Plan { hard_state: hard_state(1), ..append(three()) };
        let second = Plan {
            truncate_from: Some(LogIndex::new(2)),
            append: vec![entry(3, 2, b"other two"), entry(3, 3, b"other three")],
            hard_state: hard_state(2),
            purge_through: Some(LogIndex::new(1)),
        };
        let third =
            Plan { hard_state: hard_state(3), ..append([entry(3, 4, b"four"), entry(3, 5, b"five")]) };
        for (at, plan) in [first, second, third].iter().enumerate() {
            let now = states.last().cloned().unwrap_or_default();
            it.submit(plan)?;
            states.push(now.after(plan));
            if at < usize::from(round % 4) {
                it.settle()?;
            }
        }
        crash(&mut it, &mut states)?;
        if it.store.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// `lag`: 0 fails with everything durable, 1 with a batch in flight, 2 with several.
fn sticky_failure<H: Harness>(mut it: Subject<'_, H>, lag: u64) -> Checked {
    it.submit(&append([entry(1, 1, b"one")]))?;
    it.settle()?;
    let able = it.store.as_mut().is_some_and(|store| it.harness.fail(store));
    if !able {
        return Ok(());
    }
    it.tally.failures += 1;
    for index in 2..=2 + lag {
        let next = it.submitted.next();
        match it.offer(next, &append([entry(1, index, b"more")]))? {
            Ok(()) => it.submitted = next,
            Err(StoreError::Fatal(_)) => break,
            Err(error) => return it.violation(format!("a failed device gave {error}")),
        }
    }
    let signal = Arc::new(Signal::default());
    let mut polled = it.poll(&Waker::from(Arc::clone(&signal)))?;
    if polled.is_pending() {
        it.work_until(&signal)?;
        polled = it.poll(Waker::noop())?;
    }
    let fatal =
        |polled: &Poll<Result<_, StoreError>>| matches!(polled, Poll::Ready(Err(StoreError::Fatal(_))));
    it.expect(fatal(&polled), || format!("a failed sync gave {polled:?}"))?;
    for _ in 0..3 {
        let next = it.submitted.next();
        let refused = it.offer(next, &append([entry(1, next.get(), b"late")]))?;
        it.expect(matches!(refused, Err(StoreError::Fatal(_))), || format!("after a failure: {refused:?}"))?;
        if let Some(store) = &mut it.store {
            it.harness.settle(store);
        }
        let polled = it.poll(Waker::noop())?;
        it.expect(fatal(&polled), || format!("after a failure a poll gave {polled:?}"))?;
    }
    Ok(())
}
