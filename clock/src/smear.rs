//! Leap seconds spread over a day, so that nobody sees a second twice or a minute of 61.
//!
//! A clock that is smeared runs 1/86 401 slow for the 24 hours around an added second, from noon to noon UTC, and
//! 1/86 399 fast around a removed one. Both ways are exact here: a smeared reading carries the part of a nanosecond
//! that is left over.
//!
//! ```
//! use synod_clock::smear::{LeapTable, TaiTime};
//!
//! let table = LeapTable::published();
//! // The last second that was added, at the end of 2016. Half way through the smear, half of it is spread.
//! let midpoint = TaiTime::from_nanos(1_483_228_836_500_000_000);
//! let smeared = table.smear(midpoint);
//! assert_eq!(smeared.time.as_nanos(), 1_483_228_800_000_000_000);
//! assert_eq!(table.unsmear(smeared), midpoint);
//! ```

mod table;

pub use table::{Leap, LeapTable, TableError};

use crate::interval::Interval;
use crate::unix::{UnixTime, clamp_i64};

const SECOND: i128 = 1_000_000_000;
/// From noon to midnight, in seconds.
const HALF_DAY_S: i128 = 43_200;

/// Nanoseconds of atomic time since 1970-01-01 00:00:00 TAI: every second counts, none is smeared. What
/// `CLOCK_TAI` shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct TaiTime(#[cfg_attr(feature = "serde", serde(with = "crate::number"))] i64);

impl TaiTime {
    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }
}

/// A smeared reading, exact: `time` and `part` / `parts` of a nanosecond.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Parts"))]
pub struct Smeared {
    /// Whole nanoseconds, rounded down: what a smeared clock shows.
    pub time: UnixTime,
    /// Below `parts`.
    pub part: u32,
    /// 86 401 or 86 399 within a smear, 1 outside.
    pub parts: u32,
}

impl From<UnixTime> for Smeared {
    /// A reading of whole nanoseconds.
    fn from(time: UnixTime) -> Self {
        Self { time, part: 0, parts: 1 }
    }
}

/// As it is stored.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Parts {
    time: UnixTime,
    part: u32,
    parts: u32,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Smeared {
    type Error = &'static str;

    fn try_from(Parts { time, part, parts }: Parts) -> Result<Self, &'static str> {
        if ![1, 86_399, 86_401].contains(&parts) || part >= parts {
            return Err("no smear leaves such a part of a nanosecond");
        }
        Ok(Self { time, part, parts })
    }
}

impl LeapTable {
    /// What a smeared clock shows at `time`. Logarithmic in the table, and exact.
    pub fn smear(&self, time: TaiTime) -> Smeared {
        let tai = i128::from(time.0);
        let leap = self.leap_of(|window| window.begins_tai <= tai);
        match leap {
            Some(window) if tai < window.ends_tai => {
                let scaled = (tai - window.begins_tai) * (2 * HALF_DAY_S);
                let (whole, part) = (scaled.div_euclid(window.lasts_s), scaled.rem_euclid(window.lasts_s));
                Smeared {
                    time: UnixTime::from_nanos(clamp_i64(window.begins_unix + whole)),
                    part: u32::try_from(part).unwrap_or_default(),
                    parts: u32::try_from(window.lasts_s).unwrap_or(1),
                }
            }
            Some(window) => UnixTime::from_nanos(clamp_i64(tai - window.offset_after_s * SECOND)).into(),
            None => UnixTime::from_nanos(clamp_i64(tai - self.first_offset_s() * SECOND)).into(),
        }
    }

    /// When a smeared clock shows `smeared`: the inverse of [`smear`](Self::smear), exact for what it gave. Of a reading
    /// of whole nanoseconds, the earliest moment at which it is shown; a clock that runs fast for a removed second
    /// leaves some out, and then it is the first moment at which it shows more.
    pub fn unsmear(&self, smeared: Smeared) -> TaiTime {
        let unix = i128::from(smeared.time.as_nanos());
        let leap = self.leap_of(|window| window.begins_unix <= unix);
        let tai = match leap {
            Some(window) if unix < window.ends_unix => {
                // (whole + part / parts) · lasts / day, in integers; what is not exact came from a rounded reading.
                let parts = i128::from(smeared.parts.max(1));
                let scaled =
                    ((unix - window.begins_unix) * parts + i128::from(smeared.part)) * window.lasts_s;
                let by = 2 * HALF_DAY_S * parts;
                let whole = (scaled + by - 1).div_euclid(by);
                window.begins_tai + whole
            }
            Some(window) => unix + window.offset_after_s * SECOND,
            None => unix + self.first_offset_s() * SECOND,
        };
        TaiTime(clamp_i64(tai))
    }

    /// A bounded reading of atomic time, smeared. Past the table's [expiry](Self::expires), a leap second that it does
    /// not know may have been spread at each end of June and December, and the interval is wider by a second to
    /// either side for each. Its later end is wider by the next one too as soon as a clock may show that its smear has
    /// begun, which it does early where the seconds before were left out.
    pub fn smear_interval(&self, earliest: TaiTime, latest: TaiTime) -> Interval {
        let (earliest, latest) = (self.smear(earliest), self.smear(latest));
        // The end that was rounded down may be up to a nanosecond later.
        let latest = latest.time.shifted(i64::from(latest.part > 0));
        // Smears begin by what the smeared clock shows. At most one begins within the seconds that may be missing:
        // half years are longer.
        let shown_at_most = latest.shifted(self.unknown_ns(latest));
        Interval::new(
            earliest.time.shifted_back(self.unknown_ns(earliest.time)),
            latest.shifted(self.unknown_ns(shown_at_most)),
        )
    }

    /// When a smeared clock may have been within `interval`: the inverse of [`smear_interval`](Self::smear_interval),
    /// wider in the same way past the table's expiry.
    pub fn unsmear_interval(&self, interval: Interval) -> (TaiTime, TaiTime) {
        let (earliest, latest) = (interval.earliest(), interval.latest());
        let (from, to) = (self.unsmear(earliest.into()), self.unsmear(latest.into()));
        // A reading of whole nanoseconds is shown for up to two.
        let to = to.0.saturating_add(2).saturating_add(self.unknown_ns(latest));
        (TaiTime(from.0.saturating_sub(self.unknown_ns(earliest))), TaiTime(to))
    }

    /// A second for every leap second whose smear may have begun since the table's expiry, when a smeared clock shows
    /// `time`.
    fn unknown_ns(&self, time: UnixTime) -> i64 {
        // A smear begins half a day before its second.
        let begun = time.shifted(clamp_i64(HALF_DAY_S * SECOND));
        table::half_years_between(self.expires(), begun).saturating_mul(1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND_NS: i64 = 1_000_000_000;
    /// 2040-01-01, and two days later: a second is added, then one is left out.
    const ADDED: i64 = 2_208_988_800 * SECOND_NS;
    const REMOVED: i64 = ADDED + 2 * 86_400 * SECOND_NS;

    fn both() -> LeapTable {
        let leaps = [(ADDED, true), (REMOVED, false)]
            .map(|(nanos, added)| Leap { before: UnixTime::from_nanos(nanos), added });
        LeapTable::new(37, &leaps, UnixTime::from_nanos(REMOVED)).unwrap()
    }

    fn shown(table: &LeapTable, tai: i64) -> i64 {
        table.smear(TaiTime(tai)).time.as_nanos()
    }

    #[test]
    fn clock_p30_half_of_a_second_is_spread_at_midnight() {
        let table = both();
        // Both smears begin with TAI 37 and 38 s ahead; half a second is spread half way.
        for (midnight, before_s, half_ns) in [(ADDED, 37, 500_000_000), (REMOVED, 38, -500_000_000)] {
            let noon = midnight - 43_200 * SECOND_NS;
            assert_eq!(shown(&table, noon + before_s * SECOND_NS), noon);
            assert_eq!(shown(&table, midnight + before_s * SECOND_NS + half_ns), midnight);
            let after_s = before_s + 2 * half_ns / SECOND_NS;
            let next_noon = midnight + 43_200 * SECOND_NS;
            assert_eq!(shown(&table, next_noon + after_s * SECOND_NS), next_noon);
            assert_eq!(table.smear(TaiTime(next_noon + after_s * SECOND_NS)).parts, 1);
        }
    }

    #[test]
    fn clock_p30_past_the_tables_expiry_the_interval_is_wider() {
        let table = both();
        let width = |tai: i64| table.smear_interval(TaiTime(tai), TaiTime(tai)).width().as_nanos();
        let half_year = 184 * 86_400 * SECOND_NS;
        // Within the table, and until the next half year's smear begins: nothing. Then a second to either side.
        assert!(both().smear(TaiTime(ADDED)).part > 0);
        assert_eq!(width(ADDED), 1);
        assert_eq!(width(REMOVED + 100 * 86_400 * SECOND_NS), 0);
        assert_eq!(width(REMOVED + half_year), 2_000_000_000);
        assert_eq!(width(REMOVED + 2 * half_year), 4_000_000_000);
        let (from, to) =
            table.unsmear_interval(Interval::around(UnixTime::from_nanos(REMOVED + half_year), 0));
        assert_eq!(to.0 - from.0, 2_000_000_002);
    }

    #[test]
    fn clock_p30_any_second_that_the_table_missed_is_within_the_wider_interval() {
        let known = both();
        let new_year = UnixTime::from_secs(2_240_611_200); // 2041-01-01
        for added in [true, false] {
            let missed = Leap { before: new_year, added };
            let leaps = [(ADDED, true), (REMOVED, false)]
                .map(|(nanos, added)| Leap { before: UnixTime::from_nanos(nanos), added });
            let truth = LeapTable::new(37, &[leaps[0], leaps[1], missed], new_year).unwrap();
            for minutes in -1440..1440 {
                let tai = TaiTime(new_year.as_nanos() + minutes * 60 * SECOND_NS);
                let shown = truth.smear(tai).time;
                assert!(known.smear_interval(tai, tai).contains(shown), "{minutes} minutes");
                let (from, to) = known.unsmear_interval(Interval::around(shown, 0));
                assert!(from <= tai && tai <= to, "{minutes} minutes");
                // What is not widened misses it.
                if minutes > 0 {
                    assert_ne!(known.smear(tai).time, shown);
                }
            }
        }
    }

    /// How many of the readings around the beginning of the second smear, of two seconds that `known` misses, are
    /// outside of what `interval` says.
    fn missed(added: [bool; 2], interval: impl Fn(&LeapTable, TaiTime) -> Interval) -> usize {
        // 2041-01-01 and 2041-07-01; the table is known until 2040-10-01.
        let midnights = [2_240_611_200, 2_256_249_600].map(UnixTime::from_secs);
        let leaps = [0, 1].map(|it| Leap { before: midnights[it], added: added[it] });
        let truth = LeapTable::new(37, &leaps, UnixTime::MAX).unwrap();
        let known = LeapTable::new(37, &[], UnixTime::from_secs(2_232_748_800)).unwrap();
        let begins = midnights[1].as_nanos() - 43_200 * SECOND_NS + 37 * SECOND_NS;
        let is_missed = |millis: &i64| {
            let tai = TaiTime(begins + millis * 1_000_000);
            let shown = truth.smear(tai).time;
            let (from, to) = known.unsmear_interval(Interval::around(shown, 0));
            assert!(from <= tai && tai <= to, "{added:?}, {millis} ms: unsmeared");
            !interval(&known, tai).contains(shown)
        };
        (-3000..3000).filter(is_missed).count()
    }

    const SIGNS: [[bool; 2]; 4] = [[false, false], [false, true], [true, false], [true, true]];

    #[test]
    fn clock_p30_two_seconds_that_the_table_missed_are_within_the_wider_interval() {
        for added in SIGNS {
            let count = missed(added, |known, tai| known.smear_interval(tai, tai));
            assert_eq!(count, 0, "of 6000, {added:?}");
        }
    }

    /// Begins the second smear by what a clock would show without the first.
    #[test]
    fn clock_p30_an_interval_that_widens_late_is_found() {
        let late = |known: &LeapTable, tai| {
            let reading = known.smear(tai).time;
            Interval::around(reading, known.unknown_ns(reading))
        };
        assert_eq!(SIGNS.map(|added| missed(added, late)), [999, 0, 0, 0]);
    }

    #[test]
    fn clock_p34_before_1972_and_at_the_ends_of_time() {
        let table = LeapTable::published();
        assert_eq!(shown(&table, 0), -10 * SECOND_NS);
        for nanos in [i64::MIN, -1, 0, i64::MAX] {
            let smeared = table.smear(TaiTime(nanos));
            let back = table.unsmear(smeared);
            assert!(back.0.abs_diff(nanos) <= 37_000_000_000);
            table.unsmear_interval(table.smear_interval(TaiTime(nanos), TaiTime(nanos)));
        }
    }

    proptest! {
        #[test]
        fn clock_p30_smearing_is_undone_exactly_and_keeps_the_order(
            at in ADDED - 90_000 * SECOND_NS..REMOVED + 90_000 * SECOND_NS, later in 0_i64..10_000_000_000,
        ) {
            let table = both();
            let (one, other) = (table.smear(TaiTime(at)), table.smear(TaiTime(at + later)));
            prop_assert_eq!(table.unsmear(one), TaiTime(at));
            prop_assert!(one.time <= other.time);
            // 1/86 399 fast at most, 1/86 401 slow.
            let shown = other.time.nanos_since(one.time);
            prop_assert!((shown - later).abs() <= later / 86_399 + 1);
        }

        #[test]
        fn clock_p30_a_reading_is_shown_first_when_unsmearing_says(
            shown_at in ADDED - 90_000 * SECOND_NS..REMOVED + 90_000 * SECOND_NS,
        ) {
            let table = both();
            let first = table.unsmear(UnixTime::from_nanos(shown_at).into()).0;
            prop_assert!(shown(&table, first) >= shown_at && shown(&table, first - 1) < shown_at);
            // While a second is added, every reading is shown.
            if shown_at < ADDED + 43_200 * SECOND_NS {
                prop_assert_eq!(shown(&table, first), shown_at);
            }
        }
    }
}
