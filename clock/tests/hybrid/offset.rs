//! Remote stamps: what is taken, what is refused, and broken clocks.

use std::time::Duration;

use synod_clock::hybrid::{HybridClock, HybridError, Observed, OffsetPolicy, Options, Seam, Timestamp};
use synod_transport::time::{ManualTime, WallTime};

use crate::hands::{Hands, MILLI, NOW, SECOND, boundless, clock, stamp};

const MAX: u64 = 500 * MILLI;

fn with(offset_policy: OffsetPolicy) -> Options {
    Options { offset_policy, ..Options::default() }
}

#[test]
fn clock_p16_the_far_future_is_rejected_by_default() {
    let clock = clock(&Hands::at(NOW), Options::default());
    let before = clock.now().unwrap();
    let year_2096: Timestamp = "2096-01-01T00:00:00Z".parse().unwrap();
    let refused = |result| matches!(result, Err(HybridError::Offset { .. }));
    assert!(refused(clock.recv(year_2096)));
    assert!(refused(clock.observe(year_2096).map(|_| year_2096)));
    assert_eq!(clock.last(), before, "a refused stamp moved the clock");
    assert_eq!(clock.statistics().rejected, 2);
    assert_eq!(clock.now(), Ok(stamp(NOW, 1)));
}

#[test]
fn clock_p16_the_limit_is_exact() {
    let clock = clock(&Hands::at(NOW), Options::default());
    assert_eq!(
        clock.recv(stamp(NOW + MAX + 1, 0)),
        Err(HybridError::Offset { ahead: Duration::from_micros(MAX + 1), max: Duration::from_millis(500) })
    );
    // A logical part does not count as time.
    assert_eq!(clock.recv(stamp(NOW + MAX, 4094)), Ok(stamp(NOW + MAX, 4095)));
}

#[test]
fn clock_p16_a_policy_may_accept_and_count() {
    let clock = clock(&Hands::at(NOW), with(OffsetPolicy::AcceptAndCount));
    let remote = stamp(NOW + 2 * SECOND, 3);
    assert_eq!(clock.recv(remote), Ok(stamp(NOW + 2 * SECOND, 4)));
    assert_eq!(clock.observe(stamp(NOW + 3 * SECOND, 0)), Ok(Observed::Raised));
    assert_eq!(clock.statistics().accepted_ahead, 2);
    // Not without a limit, though.
    let (last, over) = (clock.last(), stamp(NOW + 10 * SECOND + 1, 0));
    assert!(matches!(clock.recv(over), Err(HybridError::Lead { .. })));
    assert!(matches!(clock.observe(over), Err(HybridError::Lead { .. })));
    assert_eq!((clock.last(), clock.statistics().accepted_ahead), (last, 2));
    assert_eq!(clock.statistics().lead_reached, 2);
}

#[test]
fn clock_p16_a_policy_may_pass_over() {
    let clock = clock(&Hands::at(NOW), with(OffsetPolicy::Restamp));
    let remote = stamp(NOW + 2 * SECOND, 3);
    assert_eq!(clock.recv(remote), Ok(stamp(NOW, 0)), "the own time, to be written over the remote's");
    assert_eq!(clock.observe(remote), Ok(Observed::PassedOver));
    assert_eq!(
        clock.recv(stamp(NOW + MAX, 0)),
        Ok(stamp(NOW + MAX, 1)),
        "what is within the offset is taken"
    );
    assert_eq!(clock.statistics().restamped, 2);
}

#[test]
fn clock_p17_at_the_end_of_the_layout_nothing_wraps() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, Options { offset_policy: OffsetPolicy::AcceptAndCount, ..boundless() });
    let before = clock.now().unwrap();
    assert_eq!(clock.recv(Timestamp::MAX), Err(HybridError::Exhausted));
    assert_eq!(clock.observe(Timestamp::MAX), Err(HybridError::Exhausted));
    assert_eq!(clock.last(), before);
    let end = |less: u64| Timestamp::from_u64(u64::MAX - less);
    assert_eq!(clock.recv(end(3)), Ok(end(2)));
    assert_eq!(clock.now(), Ok(end(1)));
    for _ in 0..3 {
        assert_eq!(clock.now(), Err(HybridError::Exhausted));
        assert_eq!(clock.last(), end(1), "smaller than the last");
    }
    // A wall beyond the layout is no smaller stamp either.
    hands.set(u64::MAX);
    assert_eq!(clock.now(), Err(HybridError::Exhausted));
}

/// How far the last of a chain of nodes got ahead of its wall. Each wall is behind the one before by all that is
/// allowed, or the same; each node passes on what it took.
fn drift(nodes: u64, behind: u64, take: impl Fn(&HybridClock<Hands>, Timestamp) -> Option<Timestamp>) -> u64 {
    let mut message = stamp(NOW + MAX, 0);
    let mut most = 0;
    for node in 0..nodes {
        let hands = Hands::at(NOW - node * behind);
        let clock = clock(&hands, boundless());
        if let Some(next) = take(&clock, message) {
            message = next;
            most = most.max(next.physical() - hands.wall_us());
        }
    }
    most
}

#[test]
fn clock_p19_offsets_do_not_add_up_along_a_chain() {
    let ours = |clock: &HybridClock<Hands>, message| {
        let strict = HybridClock::with_options(clock.source().clone(), Options::default());
        strict.recv(message).ok()
    };
    for behind in [0, MILLI, MAX / 2, MAX] {
        assert!(drift(10, behind, ours) <= MAX, "walls behind by {behind}");
    }
    // Who compares with the sender's own pace, or with its own hybrid clock, passes on more and more.
    let naive = |clock: &HybridClock<Hands>, message: Timestamp| {
        clock.observe(stamp(message.physical() - MAX, 0)).unwrap();
        let ahead = message.physical() - clock.last().physical();
        (ahead <= MAX).then(|| clock.recv(message).unwrap())
    };
    assert!(drift(10, MAX, naive) > 5 * MAX, "the scenario does not tell them apart");
}

#[test]
fn clock_p20_the_past_is_always_taken() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, Options::default());
    let last = clock.now().unwrap();
    let readings = hands.readings();
    for old in ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "2001-01-01T00:00:00Z"] {
        assert_eq!(clock.observe(old.parse().unwrap()), Ok(Observed::Older));
    }
    assert_eq!(clock.observe(last), Ok(Observed::Older));
    assert_eq!(hands.readings(), readings, "an old stamp needs no reading");
    assert_eq!(clock.recv(stamp(0, 0)), Ok(stamp(NOW, 1)));
}

#[test]
fn clock_p20_what_the_clock_is_past_is_taken_however_far_the_wall_is_behind() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, Options::default());
    let sent = clock.now().unwrap();
    hands.set(NOW - 2 * SECOND);
    assert_eq!(clock.recv(sent), Ok(stamp(NOW, 1)));
}

#[test]
fn clock_p34_a_clock_at_zero_or_before_1970_still_stamps() {
    let clock = HybridClock::<_>::new(Seam(ManualTime::default()));
    assert_eq!(clock.now(), Ok(stamp(0, 1)));
    assert_eq!(clock.now(), Ok(stamp(0, 2)));
    assert_eq!(clock.recv(stamp(3, 0)), Ok(stamp(3, 1)));
    // Peers are in another age; that is said, and nothing breaks.
    assert!(matches!(clock.recv(stamp(NOW, 0)), Err(HybridError::Offset { .. })));
    clock.source().0.set_wall(WallTime(NOW * 1000));
    assert_eq!(clock.now(), Ok(stamp(NOW, 0)));
    assert_eq!(clock.statistics().jumps_forward, 1);
    // Before 1970 there is no reading: a source gives zero, and the lead says what is wrong.
    clock.source().0.set_wall(WallTime(0));
    assert!(matches!(clock.now(), Err(HybridError::Lead { .. })));
    assert_eq!(clock.wall(), Duration::ZERO);
    assert_eq!(clock.last(), stamp(NOW, 0));
}
