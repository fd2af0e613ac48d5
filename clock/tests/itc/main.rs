//! Interval tree clocks: P26, and what the paper shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod paper;
mod runs;

use proptest::prelude::*;
use synod_clock::causality::Causality::{Before, Concurrent, Equal};
use synod_clock::itc::{DecodeError, History, ItcError, MAX_DEPTH, Stamp};

/// The run that the paper draws.
#[test]
fn clock_itc_the_papers_example() {
    let show = |stamps: [&Stamp; 2]| stamps.map(ToString::to_string);
    let mut one = Stamp::seed();
    assert_eq!(one.to_string(), "(1, 0)");
    let mut three = one.fork().unwrap();
    assert_eq!(show([&one, &three]), ["((1, 0), 0)", "((0, 1), 0)"]);
    one.event().unwrap();
    three.event().unwrap();
    assert_eq!(show([&one, &three]), ["((1, 0), (0, 1, 0))", "((0, 1), (0, 0, 1))"]);
    let mut two = one.fork().unwrap();
    one.event().unwrap();
    three.event().unwrap();
    assert_eq!(show([&one, &two]), ["(((1, 0), 0), (0, (1, 1, 0), 0))", "(((0, 1), 0), (0, 1, 0))"]);
    assert_eq!(three.to_string(), "((0, 1), (0, 0, 2))");
    two.join(three).unwrap();
    assert_eq!(two.to_string(), "(((0, 1), 1), (1, 0, 1))");
    let three = two.fork().unwrap();
    assert_eq!(show([&two, &three]), ["(((0, 1), 0), (1, 0, 1))", "((0, 1), (1, 0, 1))"]);
    one.join(two).unwrap();
    assert_eq!(one.to_string(), "((1, 0), (1, (0, 1, 0), 1))");
    one.event().unwrap();
    assert_eq!(one.to_string(), "((1, 0), 2)", "the event fills up what makes the tree simple again");
}

#[test]
fn clock_p26_join_of_overlapping_ids_is_an_error() {
    let mut one = Stamp::seed();
    let mut two = one.fork().unwrap();
    let copy = Stamp::decode(&two.encode()).unwrap();
    one.event().unwrap();
    two.event().unwrap();
    let (before, text) = (two.encode(), copy.to_string());
    let refused = two.join(copy).unwrap_err();
    assert_eq!(refused.other.to_string(), text, "the other one comes back");
    assert_eq!(two.encode(), before, "and nothing changed");
    // Half an overlap is one as well; and another seed owns everything.
    let copy = Stamp::decode(&two.encode()).unwrap();
    let mut half = two.fork().unwrap();
    assert!(half.join(copy).is_err());
    assert!(half.join(Stamp::seed()).is_err());
    one.join(two).unwrap();
    one.join(half).unwrap();
    assert!(one.to_string().starts_with("(1, "));
}

#[test]
fn clock_p26_an_anonymous_stamp_has_bytes_of_its_own() {
    let mut stamp = Stamp::seed();
    stamp.event().unwrap();
    let (whole, history) = (stamp.encode(), stamp.peek().encode());
    assert_eq!(Stamp::decode(&history), Err(DecodeError::Anonymous));
    assert_eq!(History::decode(&whole), Err(DecodeError::NotAnonymous));
    assert_eq!(&History::decode(&history).unwrap(), stamp.peek());
}

/// Worked out by hand from the equations: identity 001, height 0 as 1 0 00.
#[test]
fn clock_p26_bits_of_the_paper() {
    assert_eq!(Stamp::seed().encode(), [0b0011_0000]);
    let mut one = Stamp::seed();
    let two = one.fork().unwrap();
    one.event().unwrap();
    // ((1, 0), (0, 1, 0)): 10 001, then 0 01 and height 1 as 1 0 01.
    assert_eq!(one.encode(), [0b1000_1001, 0b1001_0000]);
    assert_eq!(two.encode(), [0b0100_1100, 0b0000_0000]);
    // Height 4 is the first that needs three bits: 1 10 000.
    let four = paper::Stamp { event: paper::Event::Leaf(4), ..paper::Stamp::seed() };
    assert_eq!(four.encode(), [0b0011_1000, 0b0000_0000]);
    assert_eq!(Stamp::decode(&four.encode()).unwrap().to_string(), "(1, 4)");
}

fn at_height(height: u64) -> Stamp {
    let twin = paper::Stamp { event: paper::Event::Leaf(height), ..paper::Stamp::seed() };
    Stamp::decode(&twin.encode()).unwrap()
}

#[test]
fn clock_p26_counters_have_64_bits_and_do_not_wrap() {
    let mut stamp = at_height(u64::from(u32::MAX));
    stamp.event().unwrap();
    assert_eq!(stamp.to_string(), "(1, 4294967296)");
    let mut last = at_height(u64::MAX - 1);
    last.event().unwrap();
    let before = last.encode();
    assert_eq!(last.event(), Err(ItcError::CounterOverflow));
    assert_eq!(last.send(), Err(ItcError::CounterOverflow));
    assert_eq!(last.encode(), before);
    assert_eq!(Stamp::decode(&before).unwrap(), last);
    let mut own = Stamp::seed();
    assert_eq!(own.receive(last.peek()), Err(ItcError::CounterOverflow));
    assert_eq!(own, Stamp::seed(), "not even half of the message was taken");
}

#[test]
fn clock_p26_heights_over_64_bits_are_refused() {
    // A height of its own, by more ones than there are widths; and a sum of two.
    let mut bits = "0011".to_owned() + &"1".repeat(80);
    bits.push_str(&"0".repeat(100));
    assert_eq!(Stamp::decode(&bytes_of(&bits)), Err(DecodeError::CounterOverflow));
    let most = paper::Event::Leaf(u64::MAX);
    let sum = paper::Event::Node(1, most.into(), paper::Event::Leaf(0).into());
    let sum = paper::Stamp { event: sum, ..paper::Stamp::seed() };
    assert_eq!(Stamp::decode(&sum.encode()), Err(DecodeError::CounterOverflow));
}

fn bytes_of(bits: &str) -> Vec<u8> {
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == b'1'));
    format!("{bits:0<width$}", width = bits.len().next_multiple_of(8))
        .as_bytes()
        .chunks(8)
        .map(byte)
        .collect()
}

#[test]
fn clock_p26_what_is_not_the_shortest_form_is_refused() {
    for (bits, why) in [
        ("11 001 001  1000", "(1, 1) is 1"),
        ("11 000 001  1000", "(0, 1) has a shorter form"),
        ("01 000  1000", "(0, 0) is 0"),
        ("001  010 1000 1000", "(0, 0, 0) is 0"),
        ("001  000 1000", "(0, 0, 0) is 0"),
        ("001  010 1001 1001", "(0, 1, 1) is 1"),
        ("001  010 1000 1001", "(0, 0, 1) has a shorter form"),
        ("001  0111 1001 1001 1010", "(1, 1, 2) is (2, 0, 1)"),
        ("001  0111 1000 1000 1001", "(0, 0, 1), and a sum with zero"),
        ("001  0111 000 1001 1000 1001", "a tree where a number stands"),
        ("001  1000 0 00000000", "a byte too many"),
        ("001  1000 1", "a bit too many"),
    ] {
        let outcome = Stamp::decode(&bytes_of(&bits.replace(' ', "")));
        assert_eq!(outcome, Err(DecodeError::NotCanonical), "{why}");
    }
    assert_eq!(Stamp::decode(&[]), Err(DecodeError::Truncated));
}

/// As deep as it goes, on the small stack of a test's thread.
#[test]
fn clock_p26_depth_is_bounded() {
    let mut stamp = Stamp::seed();
    let mut others = Vec::new();
    for _ in 0..MAX_DEPTH {
        others.push(stamp.fork().unwrap());
        stamp.event().unwrap();
    }
    let before = stamp.encode();
    assert_eq!(stamp.fork(), Err(ItcError::TooDeep));
    assert_eq!(stamp.encode(), before);
    assert_eq!(Stamp::decode(&before).unwrap(), stamp);
    assert!(!stamp.to_string().is_empty());
    // The same bits one level deeper, in the identity; and in the history.
    let levels = usize::from(MAX_DEPTH);
    let owner = |levels: usize| bytes_of(&("10".repeat(levels) + "001" + "1000"));
    assert!(Stamp::decode(&owner(levels)).is_ok());
    assert_eq!(Stamp::decode(&owner(levels + 1)), Err(DecodeError::TooDeep));
    let steps = |levels: usize| bytes_of(&("001".to_owned() + &"001".repeat(levels) + "1001"));
    assert!(Stamp::decode(&steps(levels)).is_ok());
    assert_eq!(Stamp::decode(&steps(levels + 1)), Err(DecodeError::TooDeep));
    // Everybody comes home, and all is simple again.
    for other in others.into_iter().rev() {
        stamp.join(other).unwrap();
    }
    stamp.event().unwrap();
    assert_eq!(stamp.to_string(), format!("(1, {MAX_DEPTH})"));
}

/// The peers of a random run.
fn peers() -> impl Strategy<Value = Vec<Stamp>> {
    let steps = prop::collection::vec((any::<bool>(), any::<usize>(), any::<usize>()), 0..40);
    steps.prop_map(|steps| {
        let mut peers = vec![Stamp::seed()];
        for (is_fork, one, two) in steps {
            let count = peers.len();
            if is_fork && count < 12 {
                let new = peers[one % count].fork().unwrap();
                peers.push(new);
            } else {
                let sent = peers[one % count].send().unwrap();
                peers[two % count].receive(&sent).unwrap();
            }
        }
        peers
    })
}

proptest! {
    #[test]
    fn clock_p26_an_event_strictly_increases(mut peers in peers()) {
        for place in 0..peers.len() {
            let before = peers[place].peek().clone();
            peers[place].event().unwrap();
            prop_assert_eq!(before.compare(peers[place].peek()), Before);
            for (other, peer) in peers.iter().enumerate().filter(|(other, _)| *other != place) {
                prop_assert!(!peers[place].peek().is_within(peer.peek()), "{other} knows of an event of {place}");
            }
        }
    }

    #[test]
    fn clock_p26_fork_is_disjoint_and_join_undoes_it(mut peers in peers()) {
        for stamp in &mut peers {
            let before = stamp.to_string();
            let mut given = stamp.fork().unwrap();
            prop_assert_eq!(stamp.peek().compare(given.peek()), Equal);
            let (kept, part) = (stamp.encode(), given.encode());
            prop_assert!(kept != part);
            stamp.event().unwrap();
            given.event().unwrap();
            prop_assert_eq!(stamp.peek().compare(given.peek()), Concurrent);
            let mut kept = Stamp::decode(&kept).unwrap();
            kept.join(Stamp::decode(&part).unwrap()).unwrap();
            prop_assert_eq!(kept.to_string(), before);
            stamp.join(given).unwrap();
        }
        // All parts together are everything.
        let mut all = peers.pop().unwrap();
        for peer in peers {
            all.join(peer).unwrap();
        }
        prop_assert!(all.to_string().starts_with("(1, "), "{}", all);
    }

    #[test]
    fn clock_p26_merge_is_the_least_upper_bound(mut peers in peers()) {
        let histories: Vec<History> = peers.drain(..).map(|peer| peer.peek().clone()).collect();
        let merged = |left: &History, right: &History| { let mut it = left.clone(); it.merge(right); it };
        let [first, .., last] = &histories[..] else { return Ok(()) };
        for middle in &histories {
            prop_assert_eq!(&merged(middle, middle), middle);
            prop_assert_eq!(merged(first, middle), merged(middle, first));
            prop_assert_eq!(merged(&merged(first, middle), last), merged(first, &merged(middle, last)));
            prop_assert!(first.is_within(&merged(first, middle)));
            if first.is_within(last) && middle.is_within(last) {
                prop_assert!(merged(first, middle).is_within(last));
            }
            prop_assert_eq!(first.compare(middle) == Equal, first == middle);
        }
    }

    #[test]
    fn clock_p26_no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        if let Ok(stamp) = Stamp::decode(&bytes) {
            prop_assert_eq!(stamp.encode(), bytes.clone());
        }
        if let Ok(history) = History::decode(&bytes) {
            prop_assert_eq!(history.encode(), bytes);
        }
    }

    #[test]
    fn clock_p26_cut_or_changed_bytes_are_refused_or_another_stamp(peers in peers(), at in any::<usize>()) {
        for stamp in peers {
            let mut bytes = stamp.encode();
            for end in 0..bytes.len() {
                prop_assert_eq!(Stamp::decode(&bytes[..end]), Err(DecodeError::Truncated));
            }
            let at = at % (bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
            if let Ok(mut other) = Stamp::decode(&bytes) {
                prop_assert_ne!(&other, &stamp);
                prop_assert_eq!(other.encode(), bytes);
                let before = other.peek().clone();
                if other.event().is_ok() {
                    prop_assert_eq!(before.compare(other.peek()), Before);
                }
            }
        }
    }
}
