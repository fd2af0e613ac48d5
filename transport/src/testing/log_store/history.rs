//! Seeded histories: every operation in any order, beside the model, with crashes in between.

use core::task::{Poll, Waker};

use bytes::Bytes;

use super::model::Model;
use super::{Harness, Plan, Subject, Tally, Violation};
use crate::ids::{LogIndex, Position, WriteId};
use crate::log::{Entry, EntryKind};
use crate::rng::Rng;
use crate::store::{HardState, LogStore, StoreError};

/// Operations in one history.
const STEPS: u64 = 120;

pub(super) fn run<H: Harness>(harness: H, seed: u64, tally: &mut Tally) -> Result<(), Violation> {
    let mut subject = Subject::new("a seeded history", harness, tally);
    let mut rng = Rng::new(seed);
    // states[0] is durable for sure; then one per batch behind it.
    let mut states = vec![Model::default()];
    for step in 0..STEPS {
        one(&mut subject, &mut rng, &mut states)
            .map_err(|it| Violation { found: format!("seed {seed}, step {step}: {}", it.found), ..it })?;
        if subject.store.is_none() {
            return Ok(());
        }
    }
    subject.settle()?;
    settled(&subject, &mut states);
    compare(&mut subject, newest(&states)?)
}

fn one<H: Harness>(
    subject: &mut Subject<'_, H>,
    rng: &mut Rng,
    states: &mut Vec<Model>,
) -> Result<(), Violation> {
    let now = newest(states)?.clone();
    match rng.below(20) {
        0..=10 => {
            let plan = plan(rng, &now);
            subject.submit(&plan)?;
            states.push(now.after(&plan));
        }
        11 => misuse(subject, rng, &now)?,
        12..=14 => read(subject, rng, &now)?,
        15 | 16 => {
            if let Poll::Ready(Err(error)) = subject.poll(Waker::noop())? {
                return subject.violation(format!("polling gave {error}"));
            }
        }
        17 => subject.settle()?,
        18 => compare(subject, &now)?,
        _ => return crash(subject, states),
    }
    settled(subject, states);
    Ok(())
}

/// Forgets the states before the newest attested one.
fn settled<H: Harness>(subject: &Subject<'_, H>, states: &mut Vec<Model>) {
    let behind = usize::try_from(subject.submitted.get() - subject.attested.get()).unwrap_or(usize::MAX);
    let passed = states.len().saturating_sub(1).saturating_sub(behind);
    states.drain(..passed);
}

fn newest(states: &[Model]) -> Result<&Model, Violation> {
    let check = "a seeded history";
    states.last().ok_or(Violation { check, found: "the suite lost its model".into() })
}

/// A batch that fits.
fn plan(rng: &mut Rng, now: &Model) -> Plan {
    let mut plan = Plan::default();
    let (base, mut last) = (now.base.index.get(), now.last());
    if rng.below(5) == 0 {
        let from = rng.between(base + 1, last.index.get() + 1);
        plan.truncate_from = Some(LogIndex::new(from));
        last = now.range(base + 1, from - 1).and_then(<[Entry]>::last).map_or(now.base, |it| it.position);
    }
    if rng.below(5) > 0 {
        let mut term = last.term.get().max(1) + u64::from(rng.below(4) == 0);
        for _ in 0..rng.between(1, 6) {
            term += u64::from(rng.below(12) == 0);
            last = Position::new(term, last.index.get() + 1);
            plan.append.push(random_entry(rng, last));
        }
    }
    if rng.below(3) == 0 {
        let bytes: Vec<u8> = (0..rng.below(49)).map(|_| byte(rng)).collect();
        plan.hard_state = HardState::new(&bytes);
    }
    if rng.below(6) == 0 {
        plan.purge_through = Some(LogIndex::new(rng.between(base.saturating_sub(2), last.index.get())));
    }
    plan
}

fn random_entry(rng: &mut Rng, position: Position) -> Entry {
    let kind = EntryKind::from_number(byte(rng) % 3).unwrap_or_default();
    let len = match rng.below(8) {
        0 => 0,
        1 => rng.below(3000),
        _ => rng.below(64),
    };
    let payload: Vec<u8> =
        if rng.below(6) == 0 { (0..len).map(|_| 0).collect() } else { (0..len).map(|_| byte(rng)).collect() };
    Entry { position, kind, payload: Bytes::from(payload) }
}

fn byte(rng: &mut Rng) -> u8 {
    u8::try_from(rng.below(256)).unwrap_or_default()
}

fn misuse<H: Harness>(subject: &mut Subject<'_, H>, rng: &mut Rng, now: &Model) -> Result<(), Violation> {
    let (next, last) = (subject.submitted.next(), now.last());
    let good = plan(rng, now);
    let beyond = LogIndex::new(last.index.get() + rng.between(2, 9));
    match rng.below(4) {
        0 => subject.refuse(WriteId::new(next.get() + rng.between(1, 5)), &good),
        1 => subject.refuse(WriteId::new(next.get().saturating_sub(1)), &good),
        2 => {
            let stray = Plan { append: vec![random_entry(rng, Position { index: beyond, ..last })], ..good };
            subject.refuse(next, &Plan { truncate_from: None, ..stray })
        }
        _ => subject.refuse(next, &Plan { truncate_from: Some(beyond), append: Vec::new(), ..good }),
    }
}

fn read<H: Harness>(subject: &mut Subject<'_, H>, rng: &mut Rng, now: &Model) -> Result<(), Violation> {
    let (base, last) = (now.base.index.get(), now.last().index.get());
    let first = rng.between(base.saturating_sub(1), last + 2);
    let to = rng.between(first.saturating_sub(1), last + 2);
    let limit = usize::try_from(rng.below(4000)).unwrap_or_default();
    let got = subject.read(first, to, limit)?;
    let Some(want) = now.range(first, to) else {
        let missing = StoreError::Missing { first: LogIndex::new(first), last: LogIndex::new(to) };
        return subject.expect(got.as_ref() == Err(&missing), || format!("{got:?}, not {missing:?}"));
    };
    let got = match got {
        Ok(got) => got,
        Err(error) => return subject.violation(format!("reading {first} to {to} gave {error}")),
    };
    within_limit(subject, &got, want, limit)
}

/// The entries are the first of those asked for, at least one, and stop where the limit says.
pub(super) fn within_limit<H: Harness>(
    subject: &Subject<'_, H>,
    got: &[Entry],
    want: &[Entry],
    limit: usize,
) -> Result<(), Violation> {
    subject
        .expect(want.get(..got.len()) == Some(got), || format!("read {got:?}, not the first of {want:?}"))?;
    let before_last: usize = got.iter().rev().skip(1).map(|it| it.payload.len()).sum();
    let with_next: usize = want.iter().take(got.len() + 1).map(|it| it.payload.len().max(1)).sum();
    subject.expect(!got.is_empty(), || "a read gave not even the first entry".into())?;
    subject.expect(before_last <= limit, || {
        format!("a limit of {limit} bytes was passed before the last entry")
    })?;
    subject.expect(got.len() == want.len() || with_next > limit, || {
        format!("stopped after {} entries though {with_next} bytes fit {limit}", got.len())
    })
}

/// The store says and holds what the model does.
pub(super) fn compare<H: Harness>(subject: &mut Subject<'_, H>, model: &Model) -> Result<(), Violation> {
    let (got, want) = (subject.store()?.summary(), model.summary());
    subject.expect(got == want, || format!("summary {got:?}, not {want:?}"))?;
    if let (Some(first), Some(last)) = (model.entries.first(), model.entries.last()) {
        let got = subject.read(first.position.index.get(), last.position.index.get(), usize::MAX)?;
        subject.expect(got.as_ref() == Ok(&model.entries), || {
            format!("holds {got:?}, not {:?}", model.entries)
        })?;
    }
    Ok(())
}

/// Crashes, and finds the state among those that a crash may leave.
pub(super) fn crash<H: Harness>(
    subject: &mut Subject<'_, H>,
    states: &mut Vec<Model>,
) -> Result<(), Violation> {
    settled(subject, states);
    if !subject.crash() {
        return Ok(());
    }
    let summary = subject.store()?.summary();
    let mut refusal = format!("{summary:?} after a crash is none of the {} states possible", states.len());
    for model in states.iter().rev() {
        if model.summary() == summary {
            match compare(subject, model) {
                Ok(()) => {
                    *states = vec![model.clone()];
                    return Ok(());
                }
                Err(violation) => refusal = violation.found,
            }
        }
    }
    subject.violation(refusal)
}
