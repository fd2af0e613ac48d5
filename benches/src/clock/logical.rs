//! Lamport, vector and interval tree clocks beside `crdts`, `vclock` and `itc`.
//!
//! Vector clocks: the same processes with `u64` ids on both sides, the left one before the right one by the last
//! process, so that every counter is looked at; or concurrent by the first and the last. Interval tree clocks: 16 peers that a seed forked into, with what they know after 400 random
//! events and messages.

use std::hint::black_box;

use crdts::{CmRDT as _, CvRDT as _};
use itc::{IntervalTreeClock as _, LessThanOrEqual as _};
use synod_clock::bloom::BloomClock;
use synod_clock::itc::Stamp;
use synod_clock::lamport::LamportClock;
use synod_clock::vector::{DenseClock, Dot, Epoch, VectorClock};

use crate::figure::{Figure, Row};
use crate::measure::{median, number, thread_cpu_ns};

const ROUNDS: usize = 15;
const ROUND_NS: f64 = 4e6;

/// All figures, every case of a group in turns.
pub(super) fn figures() -> anyhow::Result<Vec<Figure>> {
    let mut figures = measure(lamport());
    figures.push(lamport_of_two_threads());
    for processes in [3, 16, 128] {
        figures.extend(measure(vectors(processes)?));
    }
    figures.extend(measure(trees()?));
    Ok(figures)
}

/// One operation of one implementation.
struct Case {
    row: Row,
    metric: &'static str,
    run: Box<dyn FnMut()>,
    rounds: Vec<f64>,
}

fn case(row: &Row, metric: &'static str, run: impl FnMut() + 'static) -> Case {
    Case { row: row.clone(), metric, run: Box::new(run), rounds: Vec::new() }
}

/// A hundred operations at once, so that calling through a pointer does not count.
fn each<T>(mut operation: impl FnMut() -> T) -> impl FnMut() {
    move || {
        for _ in 0..100 {
            black_box(operation());
        }
    }
}

fn measure(mut cases: Vec<Case>) -> Vec<Figure> {
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let (mut hundreds, begun) = (0, thread_cpu_ns());
            let spent = loop {
                for _ in 0..16 {
                    (case.run)();
                }
                hundreds += 16;
                let spent = thread_cpu_ns() - begun;
                if spent >= ROUND_NS {
                    break spent;
                }
            };
            case.rounds.push(spent / number(hundreds * 100));
        }
    }
    let figure = |case: Case| case.row.figure(case.metric, median(&case.rounds), "ns");
    cases.into_iter().map(figure).collect()
}

fn lamport() -> Vec<Case> {
    let row = Row::new("lamport", "synod-clock");
    let (ticks, receives) = (LamportClock::new(), LamportClock::new());
    let mut sent = 0;
    let floor = std::sync::atomic::AtomicU64::new(0);
    vec![
        case(&row, "tick", each(move || ticks.tick())),
        case(
            &row,
            "receive",
            each(move || {
                sent += 3;
                receives.receive(sent)
            }),
        ),
        case(
            &Row::new("lamport", "fetch_add"),
            "tick",
            each(move || floor.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        ),
    ]
}

/// Millions per second of two threads that count on one clock, by the wall.
fn lamport_of_two_threads() -> Figure {
    const TICKS: u64 = 500_000;
    let round = |_| {
        let (clock, begun) = (LamportClock::new(), std::time::Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..TICKS).for_each(|_| assert!(black_box(clock.tick()).is_ok())));
            }
        });
        number(2 * TICKS) / begun.elapsed().as_secs_f64() / 1e6
    };
    let rounds: Vec<f64> = (0..ROUNDS).map(round).collect();
    Row::new("lamport", "synod-clock").figure("tick, two threads", median(&rounds), "M/s")
}

/// A clock, one that is after it, and another that is concurrent to that one.
struct Three<C> {
    before: C,
    after: C,
    other: C,
}

impl<C: Clone + 'static> Three<C> {
    fn new(before: C, mut tick: impl FnMut(&mut C, u64), [first, last]: [u64; 2]) -> Self {
        let (mut after, mut other) = (before.clone(), before.clone());
        tick(&mut after, last);
        tick(&mut other, first);
        Self { before, after, other }
    }

    fn cases<R: 'static, M: 'static>(
        self,
        row: &Row,
        compare: fn(&C, &C) -> R,
        merge: fn(&mut C, &C) -> M,
    ) -> [Case; 3] {
        let Self { before, after, other } = self;
        let (ordered, concurrent, mut own) =
            ((before.clone(), after.clone()), (other, after.clone()), before);
        [
            case(row, "compare", each(move || compare(black_box(&ordered.0), black_box(&ordered.1)))),
            case(
                row,
                "compare, concurrent",
                each(move || compare(black_box(&concurrent.0), black_box(&concurrent.1))),
            ),
            case(row, "merge", each(move || merge(&mut own, black_box(&after)))),
        ]
    }
}

fn vectors(processes: u64) -> anyhow::Result<Vec<Case>> {
    let of = |name: &str| Row::new("vector clock", name).with("processes", processes);
    let entries: Vec<(u64, u64)> = (0..processes).map(|id| (id * 7, id * 31 % 17 + 1)).collect();
    let ends = [0, (processes - 1) * 7];
    let mut cases = Vec::new();

    let row = of("synod-clock");
    let before = VectorClock::try_from(entries.clone())?;
    let three = Three::new(before.clone(), |clock, id| assert!(clock.tick(&id).is_ok()), ends);
    cases.extend(three.cases(&row, VectorClock::compare, VectorClock::merge));
    let mut newcomer = before.clone();
    newcomer.tick(&5000)?;
    let compare = each(move || black_box(&before).compare(black_box(&newcomer)));
    cases.push(case(&row, "compare, one newcomer", compare));

    let counters: Vec<u64> = entries.iter().map(|(_, counter)| *counter).collect();
    let before = DenseClock::from_counters(Epoch(1), counters);
    let tick = |clock: &mut DenseClock, id: u64| {
        assert!(usize::try_from(id / 7).is_ok_and(|member| clock.tick(member).is_ok()));
    };
    cases.extend(Three::new(before, tick, ends).cases(
        &of("synod-clock, dense"),
        DenseClock::compare,
        DenseClock::merge,
    ));

    let mut before = BloomClock::<64, 3>::new();
    for (id, _) in &entries {
        before.tick(&Dot { id: *id, counter: 1 })?;
    }
    let tick = |clock: &mut BloomClock<64, 3>, id| assert!(clock.tick(&Dot { id, counter: 2 }).is_ok());
    cases.extend(Three::new(before, tick, ends).cases(
        &of("synod-clock, bloom"),
        BloomClock::compare,
        BloomClock::merge,
    ));

    let dots = entries.iter().map(|(id, counter)| crdts::Dot::new(*id, *counter));
    let before: crdts::VClock<u64> = dots.collect();
    let tick = |clock: &mut crdts::VClock<u64>, id| clock.apply(clock.inc(id));
    let merge = |own: &mut crdts::VClock<u64>, other: &crdts::VClock<u64>| own.merge(other.clone());
    cases.extend(Three::new(before, tick, ends).cases(&of("crdts"), PartialOrd::partial_cmp, merge));

    let mut before: vclock::VClock<u64, u64> = vclock::VClock::default();
    for (id, counter) in &entries {
        (0..*counter).for_each(|_| before.incr(id));
    }
    let three = Three::new(before, |clock, id| clock.incr(&id), ends);
    cases.extend(three.cases(&of("vclock"), PartialOrd::partial_cmp, vclock::VClock::merge));
    Ok(cases)
}

const PEERS: usize = 16;

fn trees() -> anyhow::Result<Vec<Case>> {
    let (ours, theirs) = peers()?;
    let (our_row, row) = (
        Row::new("interval tree clock", "synod-clock").with("peers", 16),
        Row::new("interval tree clock", "itc").with("peers", 16),
    );
    let [mut first, second, ..] =
        <[Stamp; PEERS]>::try_from(ours).map_err(|_| anyhow::anyhow!("16 peers"))?;
    let text = |stamp: &dyn std::fmt::Display| stamp.to_string().replace(' ', "");
    anyhow::ensure!(theirs.first().is_some_and(|peer| text(peer) == text(&first)), "not the same stamps");
    let pair = (first.peek().clone(), second.peek().clone());
    let mut joined = pair.0.clone();
    joined.merge(&pair.1);
    let below = (pair.0.clone(), joined);
    let Some((peer_first, peer_second)) = theirs.first().cloned().zip(theirs.get(1).cloned()) else {
        anyhow::bail!("16 peers")
    };
    let (message, peer_below) = (peer_second.peek().0, (peer_first.clone(), peer_first.join(&peer_second)));
    let peer_pair = peer_first.clone();
    let mut peer_event = peer_first;
    Ok(vec![
        case(&our_row, "event", each(move || first.event())),
        case(
            &our_row,
            "join",
            each(move || {
                let mut own = black_box(&pair.0).clone();
                own.merge(black_box(&pair.1));
                own
            }),
        ),
        case(&our_row, "leq", each(move || black_box(&below.0).is_within(black_box(&below.1)))),
        case(&row, "event", each(move || peer_event = peer_event.event())),
        case(&row, "join", each(move || black_box(&peer_pair).join(black_box(&message)))),
        case(&row, "leq", each(move || black_box(&peer_below.0).leq(black_box(&peer_below.1)))),
    ])
}

/// 16 stamps of ours and of the peer, after the same forks, events and messages.
fn peers() -> anyhow::Result<(Vec<Stamp>, Vec<itc::Stamp>)> {
    let (mut ours, mut theirs) = (vec![Stamp::seed()], vec![itc::Stamp::seed()]);
    while ours.len() < PEERS {
        let new = ours.iter_mut().map(Stamp::fork).collect::<Result<Vec<_>, _>>()?;
        ours.extend(new);
        let (kept, new): (Vec<_>, Vec<_>) = theirs.iter().map(itc::Stamp::fork).unzip();
        theirs = [kept, new].concat();
    }
    let mut rng = synod_transport::rng::Rng::new(1);
    let mut any = |bound: u64| usize::try_from(rng.below(bound));
    for _ in 0..400 {
        let (from, to) = (any(16)?, any(16)?);
        let (Some(sender), Some(peer)) = (ours.get_mut(from), theirs.get_mut(from)) else { continue };
        let sent = sender.send()?;
        *peer = peer.event();
        let peer_sent = peer.peek().0;
        if any(3)? == 0 {
            let (Some(receiver), Some(peer)) = (ours.get_mut(to), theirs.get_mut(to)) else { continue };
            receiver.receive(&sent)?;
            *peer = peer.receive(&peer_sent);
        }
    }
    Ok((ours, theirs))
}
