//! Interval tree clocks: two stamps as they may come from a peer.

use synod_clock::causality::Causality;
use synod_clock::itc::{History, Overlap, Stamp};

/// Two stamps, the first as long as the first byte says: one encoding each; an event grows, a merge is an upper bound, a
/// fork and a join give back what was there, and what overlaps does not join.
pub fn itc_stamp(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else { return };
    let (left, right) = rest.split_at(rest.len().min(usize::from(*length)));
    history(left);
    let (Ok(left), Ok(right)) = (Stamp::decode(left), Stamp::decode(right)) else { return };
    let (one, two) = (left.encode(), right.encode());
    alone(left, &one);
    alone(right, &two);
    let [mut left, right] = [&one, &two].map(|bytes| Stamp::decode(bytes).expect("encoded"));
    let (before, other) = (left.peek().clone(), right.peek().clone());
    assert_eq!(before.compare(&other), other.compare(&before).reverse(), "both ways");
    let mut merged = before.clone();
    merged.merge(&other);
    assert!(before.is_within(&merged) && other.is_within(&merged), "an upper bound");
    if before.is_within(&other) {
        assert_eq!(merged, other, "the least one");
    }
    match left.join(right) {
        Ok(()) => assert_eq!(left.peek(), &merged, "a join merges"),
        Err(Overlap { other }) => {
            assert_eq!((left.encode(), other.encode()), (one, two), "refused, nothing changed")
        }
    }
}

fn history(bytes: &[u8]) {
    if let Ok(history) = History::decode(bytes) {
        assert_eq!(history.encode(), bytes, "one encoding");
    }
}

fn alone(mut stamp: Stamp, bytes: &[u8]) {
    let before = stamp.peek().clone();
    history(&before.encode());
    assert!(!stamp.to_string().is_empty());
    if let Ok(mut given) = stamp.fork() {
        assert_eq!(stamp.peek(), given.peek(), "a fork is no event");
        if given.event().is_ok() {
            assert_eq!(before.compare(given.peek()), Causality::Before, "an event grows");
        }
        let given = Stamp::decode(&given.encode()).expect("encoded");
        let grown = given.peek().clone();
        stamp.join(given).expect("halves do not overlap");
        assert!(grown.is_within(stamp.peek()), "what the other half did is known");
        if grown == before {
            assert_eq!(stamp.encode(), bytes, "a fork and a join give back what was there");
        }
    } else {
        assert_eq!(stamp.encode(), bytes, "nothing changed");
    }
    let joined = stamp.peek().clone();
    match stamp.event() {
        Ok(()) => assert_eq!(joined.compare(stamp.peek()), Causality::Before, "an event grows"),
        Err(_) => assert_eq!(stamp.peek(), &joined, "nothing changed"),
    }
}

/// Pairs of stamps that a few peers have after some events and messages.
pub fn itc_stamp_seeds() -> Vec<Vec<u8>> {
    let mut peers = vec![Stamp::seed()];
    let mut seeds = Vec::new();
    for step in 0..24usize {
        let (from, to) = (step * 7 % peers.len(), step * 5 % peers.len());
        if step % 4 == 0 {
            let given = peers[from].fork().expect("not deep");
            peers.push(given);
        }
        let sent = peers[from].send().expect("small");
        peers[to].receive(&sent).expect("small");
        let (left, right) = (peers[from].encode(), peers[to].encode());
        seeds.push([&[u8::try_from(left.len()).expect("short")], &left[..], &right[..]].concat());
        seeds.push([&[255], &sent.encode()[..]].concat());
    }
    seeds
}
