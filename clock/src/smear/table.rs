//! Which leap seconds there are.

use alloc::vec::Vec;

use super::{HALF_DAY_S, SECOND};
use crate::unix::UnixTime;

/// What TAI was ahead of UTC by when UTC began as we know it, in 1972.
const OFFSET_OF_1972_S: i128 = 10;

/// Each midnight before which a second was added, as the IERS announced: the year, and whether its first of January or
/// of July. None was ever left out.
const PUBLISHED: [(i64, Half); 27] = [
    (1972, Half::July),
    (1973, Half::January),
    (1974, Half::January),
    (1975, Half::January),
    (1976, Half::January),
    (1977, Half::January),
    (1978, Half::January),
    (1979, Half::January),
    (1980, Half::January),
    (1981, Half::July),
    (1982, Half::July),
    (1983, Half::July),
    (1985, Half::July),
    (1988, Half::January),
    (1990, Half::January),
    (1991, Half::January),
    (1992, Half::July),
    (1993, Half::July),
    (1994, Half::July),
    (1996, Half::January),
    (1997, Half::July),
    (1999, Half::January),
    (2006, Half::January),
    (2009, Half::January),
    (2012, Half::July),
    (2015, Half::July),
    (2017, Half::January),
];

/// 2026-06-28.
const PUBLISHED_UNTIL_S: i64 = 1_782_604_800;

/// Where half a year begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Half {
    January,
    July,
}

/// A leap second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leap {
    /// The midnight UTC after it.
    pub before: UnixTime,
    /// Whether the second was added; else it was left out.
    pub added: bool,
}

/// All leap seconds up to some day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeapTable {
    first_offset_s: i128,
    /// Invariant: sorted, and none overlaps another.
    windows: Vec<Window>,
    expires: UnixTime,
}

/// The day around a leap second, from noon to noon, on both scales.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    pub(super) begins_tai: i128,
    pub(super) ends_tai: i128,
    pub(super) begins_unix: i128,
    pub(super) ends_unix: i128,
    /// 86 401 or 86 399 seconds of atomic time.
    pub(super) lasts_s: i128,
    pub(super) offset_after_s: i128,
}

impl LeapTable {
    /// Every leap second from 1972 on that the IERS's list has which expires on 2026-06-28; there may be later ones.
    pub fn published() -> Self {
        let mut offset_s = OFFSET_OF_1972_S;
        let windows = PUBLISHED.iter().map(|(year, half)| {
            let window = Window::new(midnight(*year, *half), true, offset_s);
            offset_s = window.offset_after_s;
            window
        });
        let windows = windows.collect();
        Self { first_offset_s: OFFSET_OF_1972_S, windows, expires: UnixTime::from_secs(PUBLISHED_UNTIL_S) }
    }

    /// A table of one's own. Before the first leap second TAI is `first_offset_s` ahead of UTC.
    ///
    /// # Errors
    /// A leap second is not at midnight UTC or not a day after the one before it.
    pub fn new(first_offset_s: i32, leaps: &[Leap], expires: UnixTime) -> Result<Self, TableError> {
        let mut windows: Vec<Window> = Vec::with_capacity(leaps.len());
        let mut offset_s = i128::from(first_offset_s);
        for leap in leaps {
            if leap.before.as_nanos().rem_euclid(DAY_NS) != 0 {
                return Err(TableError::Midnight(leap.before));
            }
            let window = Window::new(leap.before, leap.added, offset_s);
            if windows.last().is_some_and(|last| window.begins_unix < last.ends_unix) {
                return Err(TableError::Order(leap.before));
            }
            offset_s = window.offset_after_s;
            windows.push(window);
        }
        Ok(Self { first_offset_s: i128::from(first_offset_s), windows, expires })
    }

    /// From here on there may be leap seconds that the table does not have.
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The same table, of which it became known that nothing is missing until `expires`.
    #[must_use]
    pub fn valid_until(self, expires: UnixTime) -> Self {
        Self { expires, ..self }
    }

    pub(super) fn leap_of(&self, begun: impl Fn(&Window) -> bool) -> Option<&Window> {
        let after = self.windows.partition_point(begun);
        self.windows.get(after.checked_sub(1)?)
    }

    pub(super) const fn first_offset_s(&self) -> i128 {
        self.first_offset_s
    }
}

impl Window {
    fn new(midnight: UnixTime, added: bool, offset_before_s: i128) -> Self {
        let begins_unix = i128::from(midnight.as_nanos()) - HALF_DAY_S * SECOND;
        let change_s = if added { 1 } else { -1 };
        let (begins_tai, lasts_s) = (begins_unix + offset_before_s * SECOND, 2 * HALF_DAY_S + change_s);
        Self {
            begins_tai,
            ends_tai: begins_tai + lasts_s * SECOND,
            begins_unix,
            ends_unix: begins_unix + 2 * HALF_DAY_S * SECOND,
            lasts_s,
            offset_after_s: offset_before_s + change_s,
        }
    }
}

/// Why leap seconds are no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The caller's: leap seconds end days, of UTC.
    #[error("{0:?} is not midnight")]
    Midnight(UnixTime),
    /// The caller's: later ones come later, and smears do not overlap.
    #[error("the leap second before {0:?} is not a day after the one before it")]
    Order(UnixTime),
}

const DAY_NS: i64 = 86_400_000_000_000;

/// How many firsts of January and July are after `from` and not after `to`.
pub(super) fn half_years_between(from: UnixTime, to: UnixTime) -> i64 {
    (half_year_of(to) - half_year_of(from)).max(0)
}

/// Half years since the year zero.
fn half_year_of(time: UnixTime) -> i64 {
    let day = time.as_nanos().div_euclid(DAY_NS);
    // The year is nearly told by the mean length of years; at most one off, and then put right.
    let guess = 1970 + day * 400 / 146_097;
    let year =
        (guess - 1..=guess + 1).rev().find(|year| first_day(*year, Half::January) <= day).unwrap_or(guess);
    year * 2 + i64::from(first_day(year, Half::July) <= day)
}

fn midnight(year: i64, half: Half) -> UnixTime {
    UnixTime::from_nanos(first_day(year, half).saturating_mul(DAY_NS))
}

/// The day since 1970 of the first of January or July of a year of the Gregorian calendar.
const fn first_day(year: i64, half: Half) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    // 719 162 days from the year 1 to 1970.
    let january = before * 365 + leap_days - 719_162;
    match half {
        Half::January => january,
        Half::July => january + 181 + (is_leap(year) as i64),
    }
}

const fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_midnights() {
        // As in the IETF's leap-seconds.list, less the 2 208 988 800 s from 1900 to 1970.
        for (year, half, ntp_seconds) in [
            (1972, Half::July, 2_287_785_600_i64),
            (1973, Half::January, 2_303_683_200),
            (1985, Half::July, 2_698_012_800),
            (2000, Half::July, 3_171_398_400),
            (2012, Half::July, 3_550_089_600),
            (2017, Half::January, 3_692_217_600),
        ] {
            assert_eq!(midnight(year, half), UnixTime::from_secs(ntp_seconds - 2_208_988_800), "{year}");
        }
        let table = LeapTable::published();
        assert_eq!(table.windows.last().unwrap().offset_after_s, 37);
        assert!(table.windows.windows(2).all(|pair| pair[0].ends_unix < pair[1].begins_unix));
    }

    #[test]
    fn half_years_are_counted_at_their_midnights() {
        let from = midnight(2026, Half::July);
        assert_eq!(half_years_between(from, midnight(2027, Half::January).shifted(-1)), 0);
        assert_eq!(half_years_between(from, midnight(2027, Half::January)), 1);
        assert_eq!(half_years_between(from, midnight(2031, Half::July)), 10);
        assert_eq!(half_years_between(from, midnight(2020, Half::July)), 0);
        assert_eq!(half_years_between(UnixTime::MIN, UnixTime::MAX), 1169);
    }

    #[test]
    fn what_is_no_table() {
        let day = |number: i64| UnixTime::from_nanos(number * DAY_NS);
        let leap = |before| Leap { before, added: true };
        let new = |leaps: &[Leap]| LeapTable::new(37, leaps, day(30_000)).map(|_| ());
        assert_eq!(new(&[leap(day(1)), leap(day(2))]), Ok(()));
        assert_eq!(new(&[leap(day(1).shifted(1))]), Err(TableError::Midnight(day(1).shifted(1))));
        assert_eq!(new(&[leap(day(2)), leap(day(2))]), Err(TableError::Order(day(2))));
        assert_eq!(new(&[leap(day(2)), leap(day(1))]), Err(TableError::Order(day(1))));
    }
}
