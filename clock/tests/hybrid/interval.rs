//! What a read must consider: no write that was finished before it began lies above its interval.

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use synod_clock::UnixTime;
use synod_clock::hybrid::{
    HybridClock, HybridError, JumpPolicy, Jumps, Keeper, KeeperOptions, Layout, Micros, Millis48, Ntp64,
    Options, Timestamp, from_fn,
};
use synod_transport::store::MemStateStore;

use crate::hands::{Hands, MILLI, SECOND, clock};

fn nanos(stamp: Timestamp<impl Layout>) -> i64 {
    stamp.wall().as_nanos().try_into().unwrap()
}

/// The limits that all nodes share.
fn shared(max_offset: Duration, max_lead: Duration) -> Options {
    let jumps = Jumps { policy: JumpPolicy::Ignore, ..Jumps::default() };
    Options { max_offset, max_lead, jumps, ..Options::default() }
}

/// One node writes, then another reads.
#[derive(Clone, Debug)]
struct Case {
    /// Of the writer, when it writes.
    wall: Duration,
    max_offset: Duration,
    max_lead: Duration,
    /// How far the writer's clock is ahead of its wall before it writes, at most the lead.
    ahead: Duration,
    /// How far the reader's wall is behind, at most the offset.
    behind: Duration,
    /// After the write, before the read.
    passes: Duration,
}

fn cases() -> impl Strategy<Value = Case> {
    let up_to =
        |most: u64| (0..=most, any::<bool>()).prop_map(move |(it, is_most)| if is_most { most } else { it });
    let limits = (1_u64..2_000_000_000, 1_u64..20_000_000_000);
    let wall = 1_000_000_000_000_u64..2_000_000_000_000_000_000;
    (limits, wall, prop_oneof![Just(0), 0..1_000_000_000_u64])
        .prop_flat_map(move |((offset, lead), wall, passes)| {
            (Just((offset, lead, wall, passes)), up_to(lead), up_to(offset))
        })
        .prop_map(|((offset, lead, wall, passes), ahead, behind)| {
            let [max_offset, max_lead, ahead, behind, wall, passes] =
                [offset, lead, ahead, behind, wall, passes].map(Duration::from_nanos);
            Case { wall, max_offset, max_lead, ahead, behind, passes }
        })
}

impl Case {
    /// The write's stamp, the read's, and the end of the read's interval. `None` when the lead forbids the write.
    fn run<L: Layout>(&self) -> Option<(i64, i64, i64)> {
        let options = shared(self.max_offset, self.max_lead);
        let last = Timestamp::<L>::from_wall(self.wall + self.ahead).unwrap();
        let writer = HybridClock::resume(from_fn(|| self.wall), options, last, Timestamp::MAX);
        let write = writer.now().ok()?;
        let wall = self.wall + self.passes - self.behind;
        let reader = HybridClock::<_, L>::with_options(from_fn(move || wall), options);
        let (stamp, interval) = reader.now_interval().unwrap();
        assert_eq!(interval.earliest(), UnixTime::from_nanos(nanos(stamp)));
        Some((nanos(write), nanos(stamp), interval.latest().as_nanos()))
    }
}

proptest! {
    #[test]
    fn no_write_that_was_finished_before_lies_above_the_interval(case in cases()) {
        let found = [case.run::<Micros>(), case.run::<Millis48>(), case.run::<Ntp64>()];
        for (write, _, end) in found.into_iter().flatten() {
            prop_assert!(write <= end, "{write} is above {end}");
        }
    }
}

/// Whether the property above would find an end that the rule gives of the stamp of the read.
fn is_refuted(rule: impl Fn(&Case, i64, i64) -> i64) -> bool {
    let mut runner = TestRunner::deterministic();
    let writes = Cell::new(0);
    let held = runner.run(&cases(), |case| {
        if let Some((write, stamp, end)) = case.run::<Micros>() {
            writes.set(writes.get() + 1);
            prop_assert!(write <= rule(&case, stamp, end));
        }
        Ok(())
    });
    assert!(writes.get() > 0);
    held.is_err()
}

#[test]
fn an_end_without_the_lead_or_the_offset_or_a_little_earlier_is_found_out() {
    let nanos = |span: Duration| span.as_nanos() as i64;
    assert!(!is_refuted(|_, _, end| end));
    assert!(is_refuted(|case, stamp, _| stamp + nanos(case.max_offset)), "the offset alone");
    assert!(is_refuted(|case, stamp, _| stamp + nanos(case.max_lead)), "the lead alone");
    assert!(is_refuted(|_, _, end| end - 2_000), "two ticks less");
}

#[test]
fn a_write_of_a_restarted_keeper_is_not_above_a_read_that_follows() {
    let (hands, wall) = (Hands::at(1_000 * SECOND), 1_000 * SECOND + MILLI);
    let start = |store| {
        Keeper::<_, _, Micros>::start(hands.clone(), Options::default(), store, KeeperOptions::default())
            .unwrap()
    };
    let keeper = start(MemStateStore::new());
    keeper.clock().now().unwrap();
    hands.advance(MILLI);
    let write = start(keeper.into_store()).clock().now().unwrap();
    assert_eq!(write.wall(), Duration::from_secs(1_002));
    let (stamp, interval) = clock(&Hands::at(wall), Options::default()).now_interval().unwrap();
    assert!(stamp < write);
    assert!(interval.contains(UnixTime::from_nanos(nanos(write))), "{interval:?} passes {write} over");
}

#[test]
fn clock_p34_an_interval_that_ends_after_2262_is_an_error_and_gives_no_stamp() {
    for (millis, options) in [
        (9_400_000_000_000, Options::default()),
        (9_223_372_036_854 - 10_000, Options::default()),
        (1_000, Options { max_lead: Duration::MAX, ..Options::default() }),
    ] {
        let clock =
            HybridClock::<_, Millis48>::with_options(from_fn(|| Duration::from_millis(millis)), options);
        assert_eq!(clock.now_interval(), Err(HybridError::NoInterval), "{millis}");
        assert_eq!(clock.last(), Timestamp::ZERO);
        assert!(clock.now().is_ok());
    }
}
