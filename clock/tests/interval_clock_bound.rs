//! The page of ClockBound's daemon, against what its own tests expect.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;
use synod_clock::UnixTime;
use synod_clock::interval::{BoundError, Page, PageError, Status};

const SECOND: i64 = 1_000_000_000;

/// A page as a daemon writes it.
#[derive(Clone, Copy)]
struct Written {
    version: u16,
    generation: u16,
    as_of_s: i64,
    void_after_s: i64,
    bound_ns: i64,
    drift_ppb: u32,
    status: u32,
}

const WRITTEN: Written = Written {
    version: 1,
    generation: 2,
    as_of_s: 0,
    void_after_s: 10,
    bound_ns: 10_000,
    drift_ppb: 1000,
    status: 1,
};

impl Written {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(0x414d_5a4e_u32.to_ne_bytes());
        bytes.extend(0x4342_0200_u32.to_ne_bytes());
        bytes.extend((if self.version == 1 { 72_u32 } else { 80 }).to_ne_bytes());
        bytes.extend(self.version.to_ne_bytes());
        bytes.extend(self.generation.to_ne_bytes());
        for field in [self.as_of_s, 0, self.void_after_s, 0, self.bound_ns] {
            bytes.extend(field.to_ne_bytes());
        }
        if self.version == 1 {
            bytes.extend(self.drift_ppb.to_ne_bytes());
            bytes.extend([0; 4]);
            bytes.extend(self.status.to_ne_bytes());
            bytes.extend([0; 4]);
        } else {
            bytes.extend(77_u64.to_ne_bytes());
            bytes.extend(self.drift_ppb.to_ne_bytes());
            bytes.extend(self.status.to_ne_bytes());
            bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        }
        bytes
    }

    fn parse(&self) -> Result<Page, PageError> {
        Page::parse(&self.bytes())
    }
}

#[test]
fn clock_p28_what_clock_bounds_own_tests_expect() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/clockbound_interval.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for (case, version) in cases.iter().flat_map(|it| [(it, 1), (it, 2)]) {
        let number = |name: &str| case[name].as_i64();
        let drift_ppb = number("drift_ppb").or(vectors["params"]["drift_ppb"].as_i64()).unwrap();
        let page = Written {
            version,
            as_of_s: number("as_of_s").unwrap_or(0),
            void_after_s: number("void_after").unwrap_or(10),
            bound_ns: vectors["params"]["bound_ns"].as_i64().unwrap(),
            drift_ppb: u32::try_from(drift_ppb).unwrap(),
            ..WRITTEN
        };
        let real = UnixTime::from_secs(number("real").unwrap_or(1));
        let now = || page.parse().unwrap().at(real, number("mono").unwrap() * SECOND);
        let expected = (case["status"].as_str(), case["err"].as_str());
        match expected {
            (Some("Unknown"), _) => assert_eq!(now(), Err(BoundError::Expired), "{case}"),
            (Some(status), _) => {
                let (interval, told) = now().unwrap();
                assert_eq!(
                    format!("{told:?}").replace('s', "z").to_lowercase(),
                    status.replace('s', "z").to_lowercase()
                );
                let error_ns = number("err_ns").unwrap();
                assert_eq!(interval.earliest(), real.shifted(-error_ns), "{case}");
                assert_eq!(interval.latest(), real.shifted(error_ns), "{case}");
            }
            (_, Some("bad drift")) => assert_eq!(page.parse(), Err(PageError::Absurd)),
            (_, Some("causality break")) => assert_eq!(now(), Err(BoundError::Causality)),
            other => panic!("{other:?} is not handled"),
        }
    }
}

#[test]
fn a_page_whose_daemon_knows_nothing_gives_no_bound() {
    for (version, status) in [(1, 0), (2, 0), (2, 3), (1, 3), (1, 99)] {
        let page = Written { version, status, ..WRITTEN }.parse().unwrap();
        assert_eq!(page.at(UnixTime::EPOCH, SECOND), Err(BoundError::Unsynchronised));
    }
    assert_eq!(Written { version: 2, status: 3, ..WRITTEN }.parse().unwrap().status, Status::Disrupted);
}

#[test]
fn five_seconds_after_a_page_its_clock_is_free() {
    let page = Written { void_after_s: 100, ..WRITTEN }.parse().unwrap();
    let status = |monotonic_ns| page.at(UnixTime::EPOCH, monotonic_ns).map(|(_, status)| status);
    assert_eq!(status(5 * SECOND - 1), Ok(Status::Synchronised));
    assert_eq!(status(5 * SECOND), Ok(Status::FreeRunning));
    assert_eq!(status(100 * SECOND - 1), Ok(Status::FreeRunning));
    assert_eq!(status(100 * SECOND), Err(BoundError::Expired));
    // Two counters of one machine may differ by a microsecond.
    assert_eq!(status(-1000), Ok(Status::Synchronised));
    assert_eq!(status(-1001), Err(BoundError::Causality));
}

#[test]
fn bytes_that_are_no_page() {
    let bytes = WRITTEN.bytes();
    for length in 0..68 {
        assert_eq!(Page::parse(&bytes[..length]), Err(PageError::Short), "{length} bytes");
    }
    let mut other = bytes.clone();
    other[0] ^= 1;
    assert_eq!(Page::parse(&other), Err(PageError::Magic));
    assert_eq!(Written { version: 3, ..WRITTEN }.parse(), Err(PageError::Version(3)));
    assert_eq!(Written { version: 0, ..WRITTEN }.parse(), Err(PageError::Busy));
    assert_eq!(Written { bound_ns: -1, ..WRITTEN }.parse(), Err(PageError::Absurd));
    for generation in [0, 1, 3, u16::MAX] {
        assert_eq!(Written { generation, ..WRITTEN }.parse(), Err(PageError::Busy));
    }
}

/// A daemon that is between two pages whenever it is looked at: `half` looks show one half of the new page.
fn look_at_a_writer(halves: usize) -> (Result<Page, PageError>, usize) {
    let old = WRITTEN.bytes();
    let new = Written { generation: 4, bound_ns: 99_000, as_of_s: 1, ..WRITTEN }.bytes();
    let mut looks = 0;
    let page = Page::read(|buffer| {
        let mut seen = if looks > halves { new.clone() } else { old.clone() };
        if looks <= halves {
            // The bound is new, its generation is not.
            seen[48..56].copy_from_slice(&new[48..56]);
            if looks == 0 {
                seen = old.clone();
            }
            seen[48] = seen[48].wrapping_add(u8::try_from(looks).unwrap());
        }
        looks += 1;
        buffer[..seen.len()].copy_from_slice(&seen);
        Some(seen.len())
    });
    (page, looks)
}

#[test]
fn a_page_that_changes_under_the_reader_is_read_whole_or_not_at_all() {
    let whole = Written { generation: 4, bound_ns: 99_000, as_of_s: 1, ..WRITTEN }.parse().unwrap();
    for halves in 1..13 {
        assert_eq!(look_at_a_writer(halves), (Ok(whole), halves + 3));
    }
    assert_eq!(look_at_a_writer(100), (Err(PageError::Busy), 16));
    // What was seen before the daemon wrote is not compared with what is seen after.
    let mut looks = [2, 3, 2, 2].into_iter();
    let page = Page::read(|buffer| {
        let bytes = Written { generation: looks.next()?, ..WRITTEN }.bytes();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Some(bytes.len())
    });
    assert_eq!((page, looks.next()), (WRITTEN.parse(), None));
    assert_eq!(Page::read(|_| None), Err(PageError::Unreadable));
    assert_eq!(Page::read(|_| Some(usize::MAX)), Err(PageError::Short));
}

#[cfg(all(feature = "std", target_os = "linux"))]
#[test]
fn a_page_on_this_machine_bounds_its_clock_and_is_kept_while_the_next_is_written() {
    use std::cell::Cell;
    use synod_clock::interval::{BoundedTime, ClockBound};
    use synod_clock::source::{monotonic_ns, realtime};

    let now_s = i64::try_from(monotonic_ns() / 1_000_000_000).unwrap();
    let page = Cell::new(Written { as_of_s: now_s, void_after_s: now_s + 1000, ..WRITTEN });
    let clock = ClockBound::new(|buffer: &mut [u8]| {
        let bytes = page.get().bytes();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Some(bytes.len())
    });
    let holds = || {
        // Unless somebody sets the clock in between, in which case once more.
        (0..10).any(|_| {
            let (before, now, after) = (realtime(), clock.now().unwrap(), realtime());
            now.latest() >= before && now.earliest() <= after && now.width().as_nanos() >= 20_000
        })
    };
    assert!(holds());
    page.set(Written { generation: 3, ..page.get() });
    assert!(holds());
    page.set(Written { generation: 4, status: 0, ..page.get() });
    assert_eq!(clock.now(), Err(BoundError::Unsynchronised));
    page.set(Written { drift_ppb: u32::MAX, ..page.get() });
    assert_eq!(clock.now(), Err(BoundError::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_and_any_times_give_an_answer(
        tail in proptest::collection::vec(any::<u8>(), 0..80), real in any::<i64>(), mono in any::<i64>(),
    ) {
        let _ = Page::parse(&tail);
        let mut bytes = WRITTEN.bytes();
        let from = bytes.len() - tail.len().min(54);
        let more = bytes.len() - from;
        bytes[from..].copy_from_slice(&tail[..more]);
        if let Ok(page) = Page::parse(&bytes) {
            if let Ok((interval, _)) = page.at(UnixTime::from_nanos(real), mono) {
                prop_assert!(interval.contains(UnixTime::from_nanos(real)));
            }
        }
    }
}
