//! Drift of peers: found, bounded, told.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use synod_clock::UnixTime;
use synod_clock::drift::{DriftMonitor, DriftOptions, Level, Observation};

const MILLISECOND: i64 = 1_000_000;

fn observation(seconds: i64, offset_ns: i64, error_ns: i64) -> Observation {
    Observation { at: UnixTime::from_secs(seconds), offset_ns, error_ns }
}

fn monitor() -> DriftMonitor<&'static str> {
    let mut monitor = DriftMonitor::new(DriftOptions::default());
    for k in 0..20_i64 {
        let noise = [0, 300, -200, 100, -400][usize::try_from(k % 5).unwrap()] * 1000;
        monitor.observe("berlin-1", observation(k * 64, 12_000_000 + k * 64 * 20_000 + noise, MILLISECOND));
        monitor.observe("far", observation(k * 64, 400 * MILLISECOND, MILLISECOND));
        monitor.observe("hot", observation(k * 64, k * 64 * 700_000 / 10, MILLISECOND));
        monitor
            .observe("racing", observation(k * 64, -100 * MILLISECOND + k * 64 * 700_000 / 5, MILLISECOND));
    }
    monitor.observe("new \"x\"\\", observation(0, -249 * MILLISECOND, 2 * MILLISECOND));
    monitor
}

#[test]
fn the_table_that_people_read() {
    let expected = "\
peer                   offset ms               drift ppm   seen  level
berlin-1          35.920 ± 1.000          19.906 ± 0.321     20  good
far              400.000 ± 1.000           0.000 ± 0.000     20  ALERT
hot               85.120 ± 1.000          70.000 ± 0.000     20  good
new \"x\"\\        -249.000 ± 2.000                       -      1  suspect
racing            70.240 ± 1.000         140.000 ± 0.000     20  good
";
    assert_eq!(monitor().table().to_string(), expected);
}

#[test]
fn the_metrics_that_collectors_read() {
    let text = monitor().metrics().to_string();
    for line in [
        "# TYPE synod_clock_offset_seconds gauge",
        "synod_clock_offset_seconds{peer=\"far\"} 0.400000000",
        "synod_clock_offset_seconds{peer=\"new \\\"x\\\"\\\\\"} -0.249000000",
        "synod_clock_drift_ratio{peer=\"hot\"} 0.000070000",
        "synod_clock_drift_level{peer=\"far\"} 2",
        "synod_clock_drift_level{peer=\"new \\\"x\\\"\\\\\"} 1",
        "synod_clock_drift_level{peer=\"hot\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "no line {line} in\n{text}");
    }
    // Nothing is known of the drift of who was seen once.
    assert!(!text.lines().any(|it| it.starts_with("synod_clock_drift_ratio{peer=\"new")));
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.ends_with("\"}") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn a_drift_is_an_alert_only_when_it_is_sure() {
    let level = |slope_ppb: i64, noise_ns: i64, seen: i64| {
        let options = DriftOptions { offset_bound_ns: i64::MAX, ..DriftOptions::default() };
        let mut monitor = DriftMonitor::new(options);
        for k in 0..seen {
            let noise = if k % 2 == 0 { noise_ns } else { -noise_ns };
            monitor.observe(1, observation(k * 10, k * 10 * slope_ppb + noise, 0));
        }
        monitor.report(&1).unwrap().level
    };
    assert_eq!(level(499_000, 0, 10), Level::Good);
    assert_eq!(level(501_000, 0, 10), Level::Alert);
    assert_eq!(level(-501_000, 0, 10), Level::Alert);
    // The same slopes in noise of 1 ms: ten observations do not tell, and thirty tell of twice the bound.
    assert_eq!(level(501_000, MILLISECOND, 10), Level::Suspect);
    assert_eq!(level(499_000, MILLISECOND, 10), Level::Suspect);
    assert_eq!(level(1_000_000, MILLISECOND, 30), Level::Alert);
    // Two points are no drift.
    assert_eq!(level(1_000_000, 0, 2), Level::Good);
}

#[test]
fn what_is_kept_has_a_bound() {
    let mut monitor = DriftMonitor::new(DriftOptions { kept: 4, peers: 3, ..DriftOptions::default() });
    for k in 0..10 {
        assert!(monitor.observe("a", observation(k, 0, 0)));
    }
    assert_eq!(monitor.report(&"a").unwrap().observations, 4);
    // Late or twice: left out.
    assert!(!monitor.observe("a", observation(9, 5, 0)));
    assert!(!monitor.observe("a", observation(3, 5, 0)));
    assert_eq!(monitor.report(&"a").unwrap().last.offset_ns, 0);
    monitor.observe("b", observation(20, 0, 0));
    monitor.observe("c", observation(30, 0, 0));
    monitor.observe("d", observation(40, 0, 0));
    let names: Vec<_> = monitor.reports().map(|(peer, _)| *peer).collect();
    assert_eq!(names, ["b", "c", "d"]);
    monitor.forget(&"c");
    assert!(monitor.report(&"c").is_none());
}

#[test]
fn an_own_clock_that_was_set_back_is_told_of() {
    let mut monitor = monitor();
    let back = observation(10, 0, 0);
    assert!(!monitor.observe("far", back), "until it catches up");
    monitor.forget_all();
    assert_eq!(monitor.reports().count(), 0);
    assert!(monitor.observe("far", back));
    assert_eq!(monitor.report(&"far").unwrap().last, back);
}
