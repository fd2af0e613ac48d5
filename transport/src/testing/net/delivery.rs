//! What arrives: whole, once, in order, from whom and in which class.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Check, Harness, LEAST_CAPACITY, NODES, Subject, Violation, number_of, numbered};
use crate::ids::NodeId;
use crate::net::{Class, Frame, Received};
use crate::rng::Rng;

pub(super) fn checks<H: Harness>() -> [Check<H>; 5] {
    [
        ("frames arrive whole, with all parts in order", frames_arrive_whole),
        ("the sender is the connection's, whatever the payload says", identity_is_the_connections),
        ("order holds within (sender, class), and every frame arrives once", order_within_a_class),
        ("poll_recv appends, and gives no more than max", no_more_than_max),
        ("a frame goes to its receiver alone", goes_to_its_receiver_alone),
    ]
}

fn frames_arrive_whole<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, _] = NODES;
    let pattern: Bytes = (0..100_000_u32)
        .map(|i| u8::try_from(i.wrapping_mul(0x9e37_79b9) >> 24).unwrap_or(0))
        .collect::<Vec<u8>>()
        .into();
    let piece = |from: usize, len: usize| pattern.slice(from..from + len);
    let frames = [
        Frame::default(),
        Frame::new(piece(0, 1)),
        Frame::new(piece(7, 64)),
        Frame { head: Bytes::new(), parts: vec![piece(1, 3)] },
        Frame { head: piece(5, 3), parts: vec![Bytes::new(), piece(9, 2), Bytes::new()] },
        Frame { head: piece(2, 20), parts: vec![piece(50, 4096), piece(5000, 70_000), piece(11, 1)] },
        Frame { head: piece(0, 9), parts: (0..3000).map(|i| piece(i * 7, i % 5)).collect() },
        Frame { head: piece(3, 1500), parts: (0..40).map(|i| piece(i * 900, 2000)).collect() },
        Frame::default(),
    ];
    for class in Class::ALL {
        for frame in &frames {
            it.send(a, b, class, frame.clone())?;
            let due = frame.clone().join();
            for received in it.collect(b, 1)? {
                it.expect(received.class == class, || {
                    format!("sent as {class:?}, arrived as {:?}", received.class)
                })?;
                it.expect(received.bytes == due, || {
                    format!("{frame:?} arrived with {} bytes, or with others", received.bytes.len())
                })?;
            }
        }
    }
    it.nothing_more()
}

fn identity_is_the_connections<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, c] = NODES;
    for class in Class::ALL {
        for (from, claimed) in [(a, c), (c, a), (a, b), (c, b)] {
            // Every eight bytes claim another sender, wherever a careless transport might look.
            let claim = Bytes::from(claimed.get().to_le_bytes().repeat(16));
            it.send(from, b, class, Frame { head: claim.clone(), parts: vec![claim] })?;
            for received in it.collect(b, 1)? {
                it.expect(received.from == from, || {
                    format!(
                        "sent by {from:?}, arrived from {:?}; the payload claims {claimed:?}",
                        received.from
                    )
                })?;
            }
        }
    }
    Ok(())
}

fn order_within_a_class<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let mut rng = Rng::new(7);
    let mut sent: BTreeMap<(NodeId, NodeId, Class), u64> = BTreeMap::new();
    let mut seen = sent.clone();
    for _ in 0..200 {
        let mut due: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut queued: BTreeMap<(NodeId, NodeId, Class), usize> = BTreeMap::new();
        for _ in 0..rng.between(1, 48) {
            let lane = (pick(&mut rng, NODES), pick(&mut rng, NODES), pick(&mut rng, Class::ALL));
            let (from, to, class) = lane;
            let queued = queued.entry(lane).or_default();
            if from == to || *queued == LEAST_CAPACITY {
                continue;
            }
            let next = sent.entry(lane).or_default();
            let len = usize::try_from(rng.between(8, 300)).unwrap_or(8);
            it.send(from, to, class, numbered(*next, len))?;
            *next += 1;
            *queued += 1;
            *due.entry(to).or_default() += 1;
        }
        for (to, count) in due {
            for Received { from, class, bytes } in it.collect(to, count)? {
                let next = seen.entry((from, to, class)).or_default();
                let number = number_of(&bytes);
                it.expect(number == Some(*next), || {
                    format!("{class:?} from {from:?}: {next} was due, {number:?} came")
                })?;
                *next += 1;
            }
        }
    }
    it.nothing_more()
}

fn no_more_than_max<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    let [a, b, c] = NODES;
    for max in [1, 3] {
        for number in 0..7 {
            it.send(a, b, Class::Data, numbered(number, 8))?;
            it.send(c, b, Class::Control, numbered(number, 8))?;
        }
        let mut out = Vec::new();
        let mut patience = it.harness.patience();
        while out.len() < 14 {
            if it.poll_recv(b, &mut out, max, std::task::Waker::noop())?.is_pending() {
                it.expect(patience > 0, || format!("{} of 14 frames arrived", out.len()))?;
                patience = patience.saturating_sub(1);
                it.harness.advance();
            }
        }
    }
    it.nothing_more()
}

fn goes_to_its_receiver_alone<H: Harness>(it: &mut Subject<'_, H>) -> Result<(), Violation> {
    for from in NODES {
        for to in NODES.into_iter().filter(|to| *to != from) {
            for class in Class::ALL {
                it.send(from, to, class, numbered(to.get(), 32))?;
            }
        }
    }
    for at in NODES {
        for received in it.collect(at, 6)? {
            it.expect(received.from != at && number_of(&received.bytes) == Some(at.get()), || {
                format!("{at:?} got a frame for {:?}", number_of(&received.bytes))
            })?;
        }
    }
    it.nothing_more()
}

fn pick<T: Copy>(rng: &mut Rng, among: [T; 3]) -> T {
    let [first, second, third] = among;
    match rng.below(3) {
        0 => first,
        1 => second,
        _ => third,
    }
}
