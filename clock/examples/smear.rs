//! The leap second of 2016, as a smeared clock shows it, and what may be said after the table has expired.
//!
//! A log writer smears: its timestamps never repeat and never jump. A reader wants to know how long things really took,
//! and takes the smear out again.
//!
//! `cargo run -p synod-clock --example smear`

use std::time::Duration;

use synod_clock::UnixTime;
use synod_clock::interval::Interval;
use synod_clock::smear::{LeapTable, TaiTime};

const SECOND_NS: i64 = 1_000_000_000;
/// 2017-01-01 00:00:00 UTC, before which a second was added.
const MIDNIGHT_S: i64 = 1_483_228_800;
/// What TAI was ahead of UTC by until then.
const AHEAD_S: i64 = 36;

/// So many seconds of atomic time after the smear began, at noon.
fn since_noon(seconds: i64) -> TaiTime {
    TaiTime::from_nanos((MIDNIGHT_S - 43_200 + AHEAD_S + seconds) * SECOND_NS)
}

fn main() {
    let table = LeapTable::published();

    println!("seconds since noon   the smeared clock since noon");
    let noon = UnixTime::from_secs(MIDNIGHT_S - 43_200);
    let mut last = None;
    for seconds in [0, 1, 21_600, 43_200, 43_201, 64_800, 86_400, 86_401, 86_402] {
        let smeared = table.smear(since_noon(seconds));
        let shown = smeared.time.since(noon);
        println!("{seconds:>18}   {:>15}.{:09}", shown.as_secs(), shown.subsec_nanos());
        // Nothing is shown twice, and nothing is lost.
        assert!(last.is_none_or(|last| last < smeared.time));
        assert_eq!(table.unsmear(smeared), since_noon(seconds));
        last = Some(smeared.time);
    }
    // The day had 86 401 seconds; the clock shows 86 400 of them.
    assert_eq!(table.smear(since_noon(86_401)).time.since(noon), Duration::from_secs(86_400));
    // In between, a clock that was not smeared stands or repeats; this one is half a second behind.
    let half_way = table.smear(since_noon(43_200));
    assert!((half_way.time.since(noon).as_secs_f64() - 43_199.5).abs() < 1e-4);

    // Ten seconds by the timestamps of a log are a little more.
    let (from, to) = (UnixTime::from_secs(MIDNIGHT_S), UnixTime::from_secs(MIDNIGHT_S + 10));
    let truth_ns = table.unsmear(to.into()).as_nanos() - table.unsmear(from.into()).as_nanos();
    println!("\n10 s by the log took {truth_ns} ns");
    // A part of a nanosecond more: a reading of whole ones is shown first at the next.
    assert_eq!(truth_ns, 10 * SECOND_NS + 10 * SECOND_NS / 86_400 + 1);

    // Past the table's expiry nobody knows whether a second was added or left out: a reading is an interval, wider for
    // each end of June and December that has passed.
    println!("\nthe table is known until {:?}", table.expires());
    let mut width = Duration::ZERO;
    for half_years in 0..4 {
        let utc_ns = table.expires().as_nanos() + half_years * 184 * 86_400 * SECOND_NS;
        let tai = TaiTime::from_nanos(utc_ns + (AHEAD_S + 1) * SECOND_NS);
        let interval = table.smear_interval(tai, tai);
        println!("  {:>3} days later: within {:?}", half_years * 184, interval.width());
        assert!(interval.contains(UnixTime::from_nanos(utc_ns)) && interval.width() >= width);
        width = interval.width();
        // And back: the moment is within what the reading may have meant.
        let shown = Interval::around(UnixTime::from_nanos(utc_ns), 0);
        let (earliest, latest) = table.unsmear_interval(shown);
        assert!(earliest <= tai && tai <= latest);
    }
    // Whoever has a newer list says until when; or adds what came, with `LeapTable::new`.
    let later = UnixTime::from_secs(2_000_000_000);
    let tai = TaiTime::from_nanos(later.as_nanos());
    let width = table.valid_until(later).smear_interval(tai, tai).width();
    println!("  known until {later:?}, none came: within {width:?}");
    assert_eq!(width, Duration::ZERO);
}

#[test]
fn clock_example_smear() {
    main();
}
