//! Kulkarni et al. 2014, and the laws of any stamp.

use proptest::prelude::*;
use serde_json::Value;
use synod_clock::hybrid::{HybridClock, NodeTimestamp, Observed, Options, Seam, Timestamp, from_fn};
use synod_transport::time::SystemTime;

use crate::hands::{Hands, boundless, clock, stamp};

/// Does what a case of the vector says, and gives the last stamp.
fn play(case: &Value) -> Timestamp {
    let hands = Hands::at(case["init"].as_u64().unwrap());
    let clock = clock(&hands, Options::default());
    let set = |value: &Value| hands.set(value.as_u64().unwrap());
    if let Some(wall) = case.get("set") {
        set(wall);
    }
    let only = case.get("op").map(|op| vec![op.clone()]);
    let ops = only.unwrap_or_else(|| case["ops"].as_array().unwrap().clone());
    let mut last = Timestamp::ZERO;
    for op in &ops {
        match (op[0].as_str().or(op.as_str()).unwrap(), &op[1]) {
            ("send", _) => last = clock.now().unwrap(),
            ("recv", remote) => {
                let remote = stamp(remote[0].as_u64().unwrap(), remote[1].as_u64().unwrap());
                last = clock.recv(remote).unwrap();
            }
            ("set", wall) => set(wall),
            (other, _) => panic!("an operation {other}"),
        }
    }
    last
}

#[test]
fn clock_paper_figure_6() {
    let vector: Value = serde_json::from_str(include_str!("../vectors/hlc_paper_fig6.json")).unwrap();
    let cases = vector["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let expected = stamp(case["expect"][0].as_u64().unwrap(), case["expect"][1].as_u64().unwrap());
        assert_eq!(play(case), expected, "{case}");
    }
}

/// Figure 5 as it is printed, by cases.
fn figure_5(last: (u64, u64), message: Option<(u64, u64)>, wall: u64) -> (u64, u64) {
    let (l, c) = last;
    let Some((ml, mc)) = message else {
        let next = l.max(wall);
        return (next, if next == l { c + 1 } else { 0 });
    };
    let next = l.max(ml).max(wall);
    let logical = match (next == l, next == ml) {
        (true, true) => c.max(mc) + 1,
        (true, false) => c + 1,
        (false, true) => mc + 1,
        (false, false) => 0,
    };
    (next, logical)
}

proptest! {
    /// Small numbers, so that they meet.
    #[test]
    fn the_packed_rule_is_that_of_figure_5(
        last in (0u64..6, 0u64..6), message in prop::option::of((0u64..6, 0u64..6)), wall in 0u64..6
    ) {
        let hands = Hands::at(0);
        let clock = clock(&hands, boundless());
        prop_assume!(last != (0, 0));
        prop_assert_eq!(clock.observe(stamp(last.0, last.1)), Ok(Observed::Raised));
        hands.set(wall);
        let given = match message {
            Some((physical, logical)) => clock.recv(stamp(physical, logical)).unwrap(),
            None => clock.now().unwrap(),
        };
        let (physical, logical) = figure_5(last, message, wall);
        prop_assert_eq!(given, stamp(physical, logical));
    }

    /// Monotone, never behind the wall, and greater than whatever was taken.
    #[test]
    fn stamps_rise_whatever_happens(ops in prop::collection::vec((0u8..4, 0u64..40, 0u64..5000), 1..80)) {
        let hands = Hands::at(1);
        let clock = clock(&hands, boundless());
        let mut last = Timestamp::ZERO;
        for (kind, physical, logical) in ops {
            let remote = stamp(physical, logical % 4096);
            match kind {
                0 => hands.set(physical),
                1 => {
                    let given = clock.now().unwrap();
                    prop_assert!(given > last && given.physical() >= hands.wall_us());
                    last = given;
                }
                2 => {
                    let given = clock.recv(remote).unwrap();
                    prop_assert!(given > last && given > remote && given.physical() >= hands.wall_us());
                    last = given;
                }
                _ => {
                    let raised = clock.observe(remote).unwrap() == Observed::Raised;
                    prop_assert_eq!(raised, remote > last);
                    last = last.max(remote);
                }
            }
            prop_assert_eq!(clock.last(), last);
        }
    }
}

#[test]
fn the_worked_example_gives_105_1() {
    let (a, b) = (Hands::at(100), Hands::at(105));
    let (a, b) = (clock(&a, Options::default()), clock(&b, Options::default()));
    assert_eq!(a.now(), Ok(stamp(100, 0)));
    let message = a.now().unwrap();
    assert_eq!(message, stamp(100, 1));
    assert_eq!(b.now(), Ok(stamp(105, 0)));
    assert_eq!(b.recv(message), Ok(stamp(105, 1)));
}

#[test]
fn equal_stamps_of_two_nodes_are_ordered_by_node() {
    let wall = || core::time::Duration::from_secs(9);
    let (a, b) = (HybridClock::new(from_fn(wall)), HybridClock::new(from_fn(wall)));
    let (a, b) = (NodeTimestamp::new(a.now().unwrap(), 1), NodeTimestamp::new(b.now().unwrap(), 2));
    assert_eq!(a.stamp, b.stamp);
    assert!(a < b);
}

#[test]
fn four_threads_by_the_system_clock_share_no_stamp() {
    let clock = HybridClock::<_>::new(Seam(SystemTime::new()));
    let ask = || (0..20_000).map(|_| clock.now().unwrap()).collect::<Vec<_>>();
    let stamps = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(ask));
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(stamps.iter().all(|of_thread| of_thread.is_sorted()));
    let mut all = stamps.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4 * 20_000);
    assert_eq!(all.last().copied(), Some(clock.last()));
}
