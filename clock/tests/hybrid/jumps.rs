//! Walls that jump, sources that disagree with themselves, and waiting for the wall.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use synod_clock::hybrid::{
    Direction, HybridClock, HybridError, JumpPolicy, Jumps, Millis48, Options, Physical, Timestamp, from_fn,
};
use synod_transport::rng::Rng;

use crate::hands::{HOUR, Hands, MILLI, NOW, SECOND, boundless, clock, stamp};

const STEP: u64 = 250 * MILLI;

fn on_jump(policy: JumpPolicy) -> Options {
    Options { jumps: Jumps { policy, ..Jumps::default() }, ..Options::default() }
}

fn jumped(by: u64, direction: Direction) -> Result<Timestamp, HybridError> {
    Err(HybridError::Jumped { by: Duration::from_micros(by), direction })
}

/// What happens between two stamps.
struct Case {
    what: &'static str,
    passes: u64,
    /// How the wall is set after that, in microseconds.
    set_by: i64,
    jumps: Option<Direction>,
}

fn cases() -> Vec<Case> {
    let (step, hour) = (STEP as i64, HOUR as i64);
    let case = |what, passes, set_by, jumps| Case { what, passes, set_by, jumps };
    vec![
        case("a moment", MILLI, 0, None),
        case("a long silence", HOUR, 0, None),
        case("a step forward that is tolerated", 0, step, None),
        case("one that is not", 0, step + 1, Some(Direction::Forward)),
        case("after a long silence", HOUR, step + 1, Some(Direction::Forward)),
        case("a suspended machine", 0, hour, Some(Direction::Forward)),
        case("a step back that is tolerated", 0, -step, None),
        case("one that is not", 0, -step - 1000, Some(Direction::Backward)),
        case("a step back hidden by a silence", HOUR, -hour, None),
    ]
}

#[test]
fn clock_p21_a_jump_is_reported_before_anything_is_stamped_by_it() {
    for Case { what, passes, set_by, jumps } in cases() {
        let hands = Hands::at(NOW);
        let clock = clock(&hands, on_jump(JumpPolicy::Report));
        let before = clock.now().unwrap();
        hands.advance(passes);
        hands.set(hands.wall_us().checked_add_signed(set_by).unwrap());
        let first = clock.now();
        match jumps {
            Some(direction) => {
                assert_eq!(first, jumped(set_by.unsigned_abs(), direction), "{what}");
                assert_eq!(clock.last(), before, "{what}: stamped");
                assert!(clock.now().unwrap() > before, "{what}: it is reported once");
            }
            None => assert!(first.unwrap() > before, "{what}"),
        }
        let counted = clock.statistics();
        assert_eq!(counted.jumps_forward + counted.jumps_backward, u64::from(jumps.is_some()), "{what}");
    }
}

#[test]
fn clock_p21_a_jump_can_be_refused_until_it_is_accepted() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, on_jump(JumpPolicy::Refuse));
    let before = clock.now().unwrap();
    hands.set(NOW + HOUR);
    for _ in 0..3 {
        assert_eq!(clock.now(), jumped(HOUR, Direction::Forward));
        assert_eq!(clock.recv(before), jumped(HOUR, Direction::Forward));
        let of_future = clock.observe(stamp(NOW + HOUR, 1)).map(|_| before);
        assert_eq!(of_future, jumped(HOUR, Direction::Forward));
    }
    assert_eq!(clock.last(), before);
    // The wall comes back by itself: nothing was harmed.
    hands.set(NOW + 1);
    assert_eq!(clock.now(), Ok(stamp(NOW + 1, 0)));
    // Or somebody says that it was right.
    hands.set(NOW + HOUR);
    assert_eq!(clock.now(), jumped(HOUR - 1 + 1, Direction::Forward));
    clock.accept_jump();
    assert_eq!(clock.now(), Ok(stamp(NOW + HOUR, 0)));
    assert_eq!(clock.statistics().jumps_forward, 1);
}

#[test]
fn clock_p21_counting_and_ignoring_go_on() {
    for (policy, counted) in [(JumpPolicy::Count, 1), (JumpPolicy::Ignore, 0)] {
        let hands = Hands::at(NOW);
        let clock = clock(&hands, on_jump(policy));
        clock.now().unwrap();
        hands.set(NOW + HOUR);
        assert_eq!(clock.now(), Ok(stamp(NOW + HOUR, 0)));
        assert_eq!(clock.statistics().jumps_forward, counted);
    }
}

#[test]
fn clock_p21_a_busy_clock_sees_none_and_many_small_looks_hide_none() {
    for hands in [Hands::at(NOW), Hands::without_monotonic(NOW)] {
        let clock = clock(&hands, on_jump(JumpPolicy::Report));
        for _ in 0..1000 {
            hands.advance(STEP / 2);
            clock.now().unwrap();
        }
        hands.set(hands.wall_us() + STEP + 1);
        assert_eq!(clock.now(), jumped(STEP + 1, Direction::Forward));
    }
}

#[test]
fn clock_p21_without_a_monotonic_clock_a_silence_is_a_jump() {
    let hands = Hands::without_monotonic(NOW);
    let clock = clock(&hands, on_jump(JumpPolicy::Report));
    hands.advance(HOUR);
    assert_eq!(clock.now(), jumped(HOUR, Direction::Forward));
    assert!(clock.now().is_ok());
}

#[test]
fn clock_p21_a_lead_of_remote_stamps_is_no_jump() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, on_jump(JumpPolicy::Report));
    for round in 1..100 {
        hands.advance(MILLI);
        let remote = stamp(NOW + round * MILLI + 400 * MILLI, 0);
        assert!(clock.recv(remote).unwrap() > remote);
    }
    assert_eq!(clock.statistics().jumps_backward, 0);
}

#[test]
fn clock_p21_the_least_step_back_is_exact() {
    for (by, expected) in [(STEP, None), (STEP + 1, Some(jumped(STEP + 1, Direction::Backward)))] {
        let hands = Hands::at(NOW);
        let clock = clock(&hands, on_jump(JumpPolicy::Report));
        // Ahead of the wall already, so that either step leads to a look.
        let ahead = clock.recv(stamp(NOW + MILLI, 0)).unwrap();
        hands.set(NOW - by);
        assert_eq!(clock.now(), expected.unwrap_or(Ok(ahead.next().unwrap())));
    }
}

#[test]
fn clock_p21_the_longest_jumps_are_seen_the_right_way_round() {
    const YEARS_300: u64 = 300 * 365 * 24 * 3_600 * 1_000_000_000;
    let (forward, backward) = (Direction::Forward, Direction::Backward);
    for (from, to, direction) in [
        (0, u64::MAX, forward),
        (0, (1 << 63) + 1_000, forward),
        (NOW * 1_000, u64::MAX, forward),
        (1, YEARS_300, forward),
        (u64::MAX, 0, backward),
        (u64::MAX, NOW * 1_000, backward),
        (YEARS_300, 1, backward),
    ] {
        let wall = AtomicU64::new(from);
        let source = from_fn(|| Duration::from_nanos(wall.load(Ordering::Relaxed)));
        let clock = HybridClock::<_, Millis48>::with_options(source, on_jump(JumpPolicy::Refuse));
        let before = clock.now().unwrap();
        wall.store(to, Ordering::Relaxed);
        for _ in 0..2 {
            let Err(HybridError::Jumped { by, direction: seen }) = clock.now() else {
                panic!("{from} to {to}: no jump is seen")
            };
            assert_eq!(seen, direction, "{from} to {to}");
            // The clock keeps its shift to two nanoseconds.
            assert!(
                by.abs_diff(Duration::from_nanos(from.abs_diff(to))) <= Duration::from_nanos(1),
                "{by:?}"
            );
        }
        assert_eq!(clock.last(), before);
        clock.accept_jump();
        let counted = clock.statistics();
        let expected = if direction == forward { (1, 0) } else { (0, 1) };
        assert_eq!((counted.jumps_forward, counted.jumps_backward), expected);
    }
}

/// A source whose thread is put to sleep for an hour right after it has read the wall.
struct Paused {
    hands: Hands,
    pauses: AtomicU64,
}

impl Physical for Paused {
    fn wall_ns(&self) -> u64 {
        let reading = self.hands.wall_ns();
        if self.pauses.swap(0, Ordering::Relaxed) > 0 {
            self.hands.advance(HOUR);
        }
        reading
    }
    fn monotonic_ns(&self) -> u64 {
        self.hands.monotonic_ns()
    }
}

#[test]
fn clock_p21_a_thread_that_was_put_to_sleep_between_readings_saw_no_jump() {
    let source = Paused { hands: Hands::at(NOW), pauses: AtomicU64::new(0) };
    let clock = HybridClock::<_>::with_options(source, on_jump(JumpPolicy::Report));
    for round in 1..5 {
        clock.source().hands.advance(STEP);
        let stamp = clock.now().unwrap();
        // The next look is the one that is interrupted.
        clock.source().hands.advance(STEP);
        clock.source().pauses.store(1, Ordering::Relaxed);
        clock.accept_jump();
        assert!(clock.now().unwrap() > stamp, "round {round}");
        assert_eq!(clock.source().pauses.load(Ordering::Relaxed), 0);
    }
    let counted = clock.statistics();
    assert_eq!((counted.jumps_forward, counted.jumps_backward), (0, 0));
}

/// A counter that two processors have different ideas of, as it may be read without discipline.
struct TwoCores {
    truth_us: AtomicU64,
    readings: AtomicU64,
}

const SKEW: u64 = 1_600 * MILLI;

impl Physical for TwoCores {
    fn wall_ns(&self) -> u64 {
        let truth = self.truth_us.load(Ordering::Relaxed);
        // 85 ppm fast, and about half of the readings are made by the core that is behind.
        let reading = truth + (truth - NOW) * 85 / SECOND;
        let other = Rng::new(self.readings.fetch_add(1, Ordering::Relaxed)).below(2);
        (reading - other * SKEW) * 1000
    }
}

#[test]
fn clock_p27_two_cores_that_disagree_give_one_rising_clock() {
    let source = TwoCores { truth_us: AtomicU64::new(NOW), readings: AtomicU64::new(0) };
    let clock = HybridClock::<_>::with_options(source, Options::default());
    let (mut rng, mut last, mut truth) = (Rng::new(27), Timestamp::ZERO, NOW);
    for _ in 0..100_000 {
        truth += rng.below(2 * MILLI);
        clock.source().truth_us.store(truth, Ordering::Relaxed);
        let stamp = clock.now().unwrap();
        assert!(stamp > last);
        last = stamp;
        // Never behind either core's reading, never ahead of the faster one.
        let drift = (truth - NOW) * 85 / SECOND;
        assert!((truth + drift - SKEW..=truth + drift + 1).contains(&stamp.physical()));
    }
    assert!(truth > NOW + 50 * SECOND);
    assert!(clock.statistics().jumps_backward > 100, "the disagreement shows in the statistics");
}

/// Waits as a caller does: sleeps as long as it is told, and asks again. `set_at` moves the wall on the way.
fn wait(clock: &HybridClock<Hands>, stamp: Timestamp, set_at: &[(u64, i64)]) -> (u64, u64) {
    let (mut polls, mut waited) = (0, 0);
    while let Some(left) = clock.remaining(stamp) {
        assert!(!left.is_zero() && left <= Duration::from_secs(1));
        polls += 1;
        let before = waited;
        waited += left.as_micros() as u64;
        clock.source().advance(left.as_micros() as u64);
        for (_, by) in set_at.iter().filter(|(at, _)| (before..waited).contains(at)) {
            clock.source().set(clock.source().wall_us().checked_add_signed(*by).unwrap());
        }
        assert!(polls < 10_000, "it spins");
    }
    (polls, waited)
}

#[test]
fn clock_p23_waiting_for_the_wall_does_not_spin_and_survives_steps() {
    let hands = Hands::at(NOW);
    let clock = clock(&hands, boundless());
    let past = clock.now().unwrap();
    assert_eq!(wait(&clock, past, &[]), (1, 1), "until the tick has passed");
    assert_eq!(clock.remaining(past), None);
    assert_eq!(clock.remaining(Timestamp::ZERO), None, "long past is not a negative wait");
    let due = |wait: u64| stamp(clock.source().wall_us() + wait, 0);
    assert_eq!(wait(&clock, due(300), &[]), (1, 301));
    assert_eq!(wait(&clock, due(10 * SECOND), &[]), (11, 10 * SECOND + 1));
    // Set forward by an hour after 3.5 s: done at the next look, not an hour late.
    assert_eq!(wait(&clock, due(HOUR), &[(3_500_000, HOUR as i64)]), (4, 4 * SECOND));
    // Set back by 5 s: waits that much longer, since the wall must pass the stamp.
    assert_eq!(wait(&clock, due(10 * SECOND), &[(500_000, -5 * SECOND as i64)]), (16, 15 * SECOND + 1));
    assert_eq!(clock.remaining(Timestamp::MAX), Some(Duration::from_secs(1)));
}
