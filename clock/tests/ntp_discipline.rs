//! How offsets become a clock: what is slewed, stepped, doubted and refused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::float_cmp, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use synod_clock::UnixTime;
use synod_clock::ntp::fault::{Fault, Faults, Planted, Sound};
use synod_clock::ntp::{Correction, Discipline, DisciplineOptions, MAXIMUM_SLEW_PPB, Outcome};

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const START: UnixTime = UnixTime::from_secs(1_790_000_000);

fn local(ns: i64) -> u64 {
    u64::try_from(ns).unwrap()
}

/// A discipline that was right at the start.
fn right<F: Faults>(faults: &F) -> Discipline<F> {
    let mut clock = Discipline::with_faults(DisciplineOptions::default(), 0, START, faults.clone());
    assert_eq!(tell(&mut clock, 0, 0), Outcome::Slewing { offset_ns: 0 });
    clock
}

/// True time is `ahead_ns` ahead of the free clock after `ns` of the counter.
fn tell<F: Faults>(clock: &mut Discipline<F>, ns: i64, ahead_ns: i64) -> Outcome {
    let at = clock.free(local(ns));
    clock.correct(Correction { at, offset_ns: ahead_ns, error_ns: MILLISECOND }, local(ns))
}

#[test]
fn the_published_thresholds_are_the_defaults() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("vectors/ntp.json")).unwrap();
    let published = |name: &str| vectors["ntpd"][name].as_f64().unwrap();
    let options = DisciplineOptions::default();
    let seconds =
        [options.step_threshold, options.stepout, options.panic_threshold].map(|it| it.as_secs_f64());
    assert_eq!(seconds, [published("step_s"), published("stepout_s"), published("panic_s")]);
    let ppm = [MAXIMUM_SLEW_PPB, options.drift_bound_ppb].map(|it| format!("{}", it / 1000));
    assert_eq!(ppm, ["max_slew_ppm", "dispersion_rate_ppm"].map(|it| format!("{}", published(it))));
}

/// 127.9 ms is slewed; 128.1 ms is doubted for 900 s and stepped then.
fn stepout<F: Faults>(faults: &F) -> bool {
    for sign in [1, -1] {
        let mut clock = right(faults);
        if tell(&mut clock, 64 * SECOND, sign * 127_900_000)
            != (Outcome::Slewing { offset_ns: sign * 127_900_000 })
        {
            return false;
        }
        let mut clock = right(faults);
        let ahead = sign * 128_100_000;
        for minutes in 1..15 {
            let doubted =
                tell(&mut clock, minutes * 60 * SECOND, ahead) == Outcome::Doubted { offset_ns: ahead };
            if !doubted
                || !clock.doubts()
                || clock.reading(local(minutes * 60 * SECOND)) != START.shifted(minutes * 60 * SECOND)
            {
                return false;
            }
        }
        let stepped = tell(&mut clock, 900 * SECOND, ahead) == Outcome::Stepped { offset_ns: ahead };
        if !stepped || clock.reading(local(900 * SECOND)) != START.shifted(900 * SECOND + ahead) {
            return false;
        }
    }
    true
}

/// Over 1000 s nothing moves any more.
fn panic_threshold<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    let far = 1000 * SECOND + 1;
    let outcome = tell(&mut clock, 64 * SECOND, far);
    outcome == Outcome::Panicked { offset_ns: far }
        && clock.reading(local(65 * SECOND)) == START.shifted(65 * SECOND)
        && clock.interval(local(65 * SECOND)).is_none()
        && tell(&mut clock, 128 * SECOND, 0) == Outcome::Panicked { offset_ns: 0 }
}

/// 100 ms take at least 200 s.
fn slew<F: Faults>(faults: &F) -> bool {
    [1, -1].into_iter().all(|sign| {
        let options =
            DisciplineOptions { time_constant: Duration::from_secs(1), ..DisciplineOptions::default() };
        let mut clock = Discipline::with_faults(options, 0, START, faults.clone());
        tell(&mut clock, 0, sign * 100 * MILLISECOND);
        let moved =
            |seconds: i64| clock.reading(local(seconds * SECOND)).nanos_since(START) - seconds * SECOND;
        moved(10) == sign * 5 * MILLISECOND
            && moved(100) == sign * 50 * MILLISECOND
            && moved(200) == sign * 100 * MILLISECOND
            && moved(10_000) == sign * 100 * MILLISECOND
    })
}

/// After a step back, the monotone reading waits.
fn monotone<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    tell(&mut clock, 64 * SECOND, -300 * SECOND);
    let before = clock.monotone(local(1000 * SECOND));
    assert_eq!(tell(&mut clock, 1000 * SECOND, -300 * SECOND), Outcome::Stepped { offset_ns: -300 * SECOND });
    assert_eq!(clock.reading(local(1000 * SECOND)), START.shifted(700 * SECOND));
    clock.monotone(local(1100 * SECOND)) == before
        && clock.monotone(local(1300 * SECOND)) == before
        && clock.monotone(local(1301 * SECOND)) == before.shifted(SECOND)
}

/// A measurement is used once.
fn once<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    let at = clock.free(local(64 * SECOND));
    let correction = Correction { at, offset_ns: 10 * MILLISECOND, error_ns: MILLISECOND };
    clock.correct(correction, local(64 * SECOND)) == Outcome::Slewing { offset_ns: 10 * MILLISECOND }
        && clock.correct(correction, local(90 * SECOND)) == Outcome::Old
}

/// The free clock is wrong by up to 15 ppm, and the interval still holds true time.
fn certainty<F: Faults>(faults: &F) -> bool {
    let clock = right(faults);
    [-15_000, 15_000].into_iter().all(|rate_ppb| {
        (0..200).all(|step| {
            let true_ns = step * 60 * SECOND;
            let counter = true_ns + true_ns / SECOND * rate_ppb;
            clock.interval(local(counter)).unwrap().contains(START.shifted(true_ns))
        })
    })
}

/// The counter stood still for 400 ms, as when a virtual machine is moved: until the servers are believed, the
/// interval holds what they say, and what was right if they are not.
fn undecided<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    let missed = 400 * MILLISECOND;
    (1..15).all(|minutes| {
        let counter = minutes * 60 * SECOND;
        tell(&mut clock, counter, missed);
        let told = clock.interval(local(counter)).unwrap();
        told.contains(START.shifted(counter + missed)) && told.contains(START.shifted(counter))
    }) && {
        tell(&mut clock, 900 * SECOND, missed);
        clock.interval(local(900 * SECOND)).unwrap().width() < Duration::from_millis(3)
    }
}

/// Two servers' worth of honest and unlucky answers teach 45 ppm that are not there; then nothing is heard for an hour.
fn wrongly_learned<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    for (minute, (wrong_ms, error_ms)) in
        [(100, 101), (100, 101), (100, 101), (100, 101), (0, 5)].iter().enumerate()
    {
        let now = (1 + i64::try_from(minute).unwrap()) * 64 * SECOND;
        let correction = Correction {
            at: clock.free(local(now)),
            offset_ns: wrong_ms * MILLISECOND,
            error_ns: error_ms * MILLISECOND,
        };
        clock.correct(correction, local(now));
    }
    assert!((40_000..50_000).contains(&clock.frequency_ppb()), "{}", clock.frequency_ppb());
    (5..60).all(|minutes| {
        let now = minutes * 64 * SECOND;
        clock.interval(local(now)).unwrap().contains(START.shifted(now))
    })
}

/// Of answers each 512 s, whose two ways differ by 5 ms now this way and now that, nothing is learned.
fn seldom<F: Faults>(faults: &F) -> bool {
    let mut clock = right(faults);
    (1..500).all(|polls: i64| {
        let wrong_ns = if polls % 5 < 2 { 2_500_000 } else { -2_500_000 };
        tell(&mut clock, polls * 512 * SECOND, wrong_ns);
        clock.frequency_ppb().abs() < 1000
    })
}

#[test]
fn clock_p29_each_rule_of_the_discipline_holds_and_its_planted_fault_is_found() {
    type Rule<F> = fn(&F) -> bool;
    let rules: [(Fault, Rule<Sound>, Rule<Planted>); 10] = [
        (Fault::StepAtOnce, stepout, stepout),
        (Fault::NeverStep, stepout, stepout),
        (Fault::NoPanic, panic_threshold, panic_threshold),
        (Fault::FastSlew, slew, slew),
        (Fault::FollowBack, monotone, monotone),
        (Fault::UseAgain, once, once),
        (Fault::CertainForEver, certainty, certainty),
        (Fault::Confident, undecided, undecided),
        (Fault::TrustLearned, wrongly_learned, wrongly_learned),
        (Fault::FixedConstant, seldom, seldom),
    ];
    for (fault, sound, planted) in rules {
        assert!(sound(&Sound), "the rule against {fault:?} does not hold");
        assert!(!planted(&Planted(fault)), "{fault:?} is not found");
    }
}

#[test]
fn clock_p29_the_first_offset_is_stepped_at_once_unless_it_panics() {
    let mut clock = Discipline::new(DisciplineOptions::default(), 0, START);
    assert_eq!(clock.interval(0), None);
    assert_eq!(tell(&mut clock, SECOND, 999 * SECOND), Outcome::Stepped { offset_ns: 999 * SECOND });
    let mut clock = Discipline::new(DisciplineOptions::default(), 0, START);
    assert_eq!(tell(&mut clock, SECOND, 1001 * SECOND), Outcome::Panicked { offset_ns: 1001 * SECOND });
    let options = DisciplineOptions { first_may_be_any: true, ..DisciplineOptions::default() };
    let mut clock = Discipline::new(options, 0, UnixTime::EPOCH);
    let years = START.nanos_since(UnixTime::EPOCH);
    assert_eq!(tell(&mut clock, SECOND, years), Outcome::Stepped { offset_ns: years });
    // Any, but only the first.
    assert_eq!(
        tell(&mut clock, 2 * SECOND, years - 1001 * SECOND),
        Outcome::Panicked { offset_ns: -1001 * SECOND }
    );
}

#[test]
fn more_that_is_known_of_the_same_measurement_narrows_the_interval_alone() {
    let mut clock = right(&Sound);
    let now = local(64 * SECOND);
    let wide = Correction { at: clock.free(now), offset_ns: 10 * MILLISECOND, error_ns: 100 * MILLISECOND };
    clock.correct(wide, now);
    let (reading, later) = (clock.reading(now), local(65 * SECOND));
    let narrow = Correction { offset_ns: 11 * MILLISECOND, error_ns: MILLISECOND, ..wide };
    assert_eq!(clock.correct(narrow, now), Outcome::Old);
    assert_eq!(clock.reading(now), reading);
    let told = clock.interval(now).unwrap();
    assert_eq!(told.width(), Duration::from_millis(2));
    assert!(told.contains(START.shifted(64 * SECOND + 11 * MILLISECOND)));
    // Never wider, and nothing older.
    clock.correct(wide, later);
    clock.correct(Correction { at: wide.at.shifted(-1), error_ns: 0, ..wide }, later);
    assert_eq!(clock.interval(now), Some(told));
}

#[test]
fn an_outlier_that_goes_away_changes_nothing() {
    let mut clock = right(&Sound);
    assert_eq!(tell(&mut clock, 64 * SECOND, SECOND), Outcome::Doubted { offset_ns: SECOND });
    assert_eq!(tell(&mut clock, 128 * SECOND, 0), Outcome::Slewing { offset_ns: 0 });
    assert!(!clock.doubts());
    // The stepout begins anew.
    assert_eq!(tell(&mut clock, 192 * SECOND, SECOND), Outcome::Doubted { offset_ns: SECOND });
    assert_eq!(tell(&mut clock, 1000 * SECOND, SECOND), Outcome::Doubted { offset_ns: SECOND });
    assert_eq!(tell(&mut clock, 1028 * SECOND, SECOND), Outcome::Stepped { offset_ns: SECOND });
}

#[test]
fn a_long_silence_teaches_a_64th_of_the_frequency_that_it_seems_to_show() {
    let mut clock = right(&Sound);
    tell(&mut clock, 100_000 * SECOND, 100 * MILLISECOND);
    // 100 ms in 100 000 s are 1000 ppb; the time constant is four times as long, and counts twice and squared.
    assert_eq!(clock.frequency_ppb(), 1000 / 64);
    // The offset itself is slewed away in the time that the options say.
    assert_eq!(
        clock.reading(local(100_300 * SECOND)),
        START.shifted(100_300 * SECOND + 100 * MILLISECOND + 300 * 15)
    );
    // What was learned slowly becomes quick again: 64 s after 64 s, under 100 times.
    let learned = (1..100).any(|polls| {
        let before = clock.frequency_ppb();
        tell(&mut clock, (100_000 + polls * 64) * SECOND, 100 * MILLISECOND + polls * MILLISECOND);
        clock.frequency_ppb() - before > 10
    });
    assert!(learned);
}

#[test]
fn what_a_long_interval_left_to_slew_is_not_learned_from_anew() {
    let (mut clock, slow_ppb) = (right(&Sound), 10_000);
    for polls in 0..400 {
        let seconds = 8192 + polls * 64;
        tell(&mut clock, seconds * SECOND, seconds * slow_ppb);
        assert!((0..12_000).contains(&clock.frequency_ppb()), "{} after {polls}", clock.frequency_ppb());
    }
    assert!((clock.frequency_ppb() - slow_ppb).abs() < 500, "{}", clock.frequency_ppb());
}

#[test]
fn the_interval_holds_the_counters_rate_and_the_learned_one() {
    // An oscillator worse than the 15 ppm that are said of it, whose frequency was learned.
    for slow_ppb in [80_000, -80_000] {
        let mut clock = Discipline::new(DisciplineOptions::default(), 0, START);
        for polls in 0..400 {
            tell(&mut clock, polls * 64 * SECOND, polls * 64 * slow_ppb);
        }
        let (last, now) = (399 * 64, 399 * 64 + 3600);
        let interval = clock.interval(local(now * SECOND)).unwrap();
        assert!(interval.contains(clock.reading(local(now * SECOND))));
        assert!(interval.contains(START.shifted(now * SECOND + now * slow_ppb)));
        assert!(interval.contains(START.shifted(now * SECOND + last * slow_ppb)));
        // Two milliseconds that were known, 80 ppm, and 15 ppm to either side.
        let width_ns = i64::try_from(interval.width().as_nanos()).unwrap();
        assert!((width_ns - 2 * MILLISECOND - 3600 * 110_000).abs() < MILLISECOND, "{width_ns}");
    }
}

#[test]
fn a_measurement_that_is_told_late_is_carried_on() {
    let mut clock = Discipline::new(DisciplineOptions::default(), 0, START);
    let slow_ppb = 20_000;
    let ahead = |seconds: i64| seconds * slow_ppb;
    for polls in 0..400 {
        tell(&mut clock, polls * 64 * SECOND, ahead(polls * 64));
    }
    assert!((clock.frequency_ppb() - slow_ppb).abs() < 100);
    let (measured, now) = (400 * 64, 406 * 64);
    let at = clock.free(local(measured * SECOND));
    let late = Correction { at, offset_ns: ahead(measured), error_ns: MILLISECOND };
    let Outcome::Slewing { offset_ns } = clock.correct(late, local(now * SECOND)) else { panic!("no slew") };
    // Not the 7.7 ms that the counter has lost meanwhile.
    assert!(offset_ns.abs() < 100_000, "{offset_ns}");
}

#[test]
fn the_first_outlier_after_a_long_silence_is_doubted_too() {
    let mut clock = right(&Sound);
    assert_eq!(tell(&mut clock, 5000 * SECOND, SECOND), Outcome::Doubted { offset_ns: SECOND });
    assert_eq!(tell(&mut clock, 5064 * SECOND, SECOND), Outcome::Stepped { offset_ns: SECOND });
}

#[test]
fn the_frequency_is_learned_until_nothing_is_left_to_slew() {
    for rate_ppb in [-80_000_i64, 37_000, 400_000] {
        let mut clock = Discipline::new(DisciplineOptions::default(), 0, START);
        let mut offsets = Vec::new();
        for polls in 0..200 {
            let true_ns = polls * 64 * SECOND;
            let counter = true_ns + true_ns / SECOND * rate_ppb;
            let ahead = START.shifted(true_ns).nanos_since(clock.free(local(counter)));
            let Outcome::Slewing { offset_ns } = tell(&mut clock, counter, ahead) else { panic!("no slew") };
            offsets.push(offset_ns.abs());
        }
        let learned = clock.frequency_ppb() + rate_ppb;
        assert!(learned.abs() <= 1000, "{rate_ppb}: off by {learned} ppb");
        assert!(offsets.iter().max().unwrap() < &(128 * MILLISECOND));
        assert!(offsets.last().unwrap() < &20_000, "{rate_ppb}: {offsets:?}");
    }
}

proptest! {
    /// The servers' claims are true, as unlucky as they may be, and the counter drifts by 15 ppm at most, now this way
    /// and now that: true time is within the interval, whatever was learned.
    #[test]
    fn clock_p28_whatever_honest_answers_teach_true_time_stays_within(
        answers in proptest::collection::vec(
            (1_i64..5000, -15_000_i64..=15_000, -1000_i64..=1000, 0_i64..300, 0_i64..=1000), 1..60,
        ),
        constant_s in 1_u64..5000,
    ) {
        let options = DisciplineOptions { time_constant: Duration::from_secs(constant_s), ..DisciplineOptions::default() };
        let mut clock = Discipline::new(options, 0, START);
        // What the counter shows, and how far true time has run ahead of it.
        let (mut now, mut ahead) = (0, 0);
        for (wait_s, slow_ppb, wrong_permille, error_ms, late_permille) in answers {
            let (mut at_now, mut at_ahead) = (now, ahead);
            for permille in [1, 250, 500, 999, 1000, late_permille] {
                let (local_ns, more) = (now + wait_s * MILLISECOND * permille, wait_s * permille * slow_ppb / 1000);
                if permille == late_permille {
                    (at_now, at_ahead) = (local_ns, ahead + more);
                }
                if let Some(interval) = clock.interval(local(local_ns)) {
                    let truth = START.shifted(local_ns + ahead + more);
                    prop_assert!(interval.contains(truth), "{interval:?} does not hold {truth:?}");
                }
            }
            now += wait_s * SECOND;
            ahead += wait_s * slow_ppb;
            let error_ns = error_ms * MILLISECOND;
            let offset_ns = at_ahead + error_ns / 1000 * wrong_permille;
            let at = clock.free(local(at_now));
            clock.correct(Correction { at, offset_ns, error_ns }, local(now));
            let truth = START.shifted(now + ahead);
            prop_assert!(clock.interval(local(now)).unwrap().contains(truth));
        }
    }

    /// Whatever servers say: the reading never runs at another rate than within 500 ppm of the counter except where it
    /// is stepped, the monotone one never goes back, and the interval is where the servers say.
    #[test]
    fn rates_and_order_hold_for_any_corrections(
        moves in proptest::collection::vec((1_i64..2000, -400_i64..400, 0_i64..50), 1..60),
        constant_s in 1_u64..1000,
    ) {
        let options = DisciplineOptions {
            time_constant: Duration::from_secs(constant_s),
            stepout: Duration::from_secs(300),
            ..DisciplineOptions::default()
        };
        let mut clock = Discipline::new(options, 0, START);
        let (mut now, mut held) = (0_i64, UnixTime::MIN);
        for (wait_s, ahead_ms, error_ms) in moves {
            let (before, from) = (clock.reading(local(now)), now);
            let fractions = [1, 2, SECOND / 3, wait_s * SECOND / 2, wait_s * SECOND];
            let mut previous = before;
            for elapsed in fractions {
                let reading = clock.reading(local(from + elapsed));
                prop_assert!(reading >= previous);
                let gained = reading.nanos_since(before) - elapsed;
                let most = i64::try_from(i128::from(elapsed) * i128::from(MAXIMUM_SLEW_PPB) / 1_000_000_000).unwrap() + 1;
                prop_assert!(gained.abs() <= most, "{gained} in {elapsed}");
                previous = reading;
                let monotone = clock.monotone(local(from + elapsed));
                prop_assert!(monotone >= held && monotone >= reading);
                held = monotone;
            }
            now += wait_s * SECOND;
            let (free, reading) = (clock.free(local(now)), clock.reading(local(now)));
            let offset_ns = reading.nanos_since(free) + ahead_ms * MILLISECOND;
            let correction = Correction { at: free, offset_ns, error_ns: error_ms * MILLISECOND };
            let outcome = clock.correct(correction, local(now));
            let after = clock.reading(local(now));
            match outcome {
                Outcome::Stepped { offset_ns } => {
                    prop_assert_eq!(after, reading.shifted(offset_ns));
                    prop_assert!(ahead_ms.abs() > 128);
                }
                Outcome::Slewing { .. } => prop_assert!(ahead_ms.abs() <= 128 && after == reading),
                _ => prop_assert!(ahead_ms.abs() > 128 && after == reading),
            }
            if !matches!(outcome, Outcome::Doubted { .. }) {
                prop_assert!(clock.interval(local(now)).unwrap().contains(free.shifted(offset_ns)));
            }
        }
    }
}
