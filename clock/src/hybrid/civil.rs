//! Days since 1970 and dates of the Gregorian calendar, which repeats every 400 years.

const DAYS_IN_ERA: u64 = 146_097;
/// From 0000-03-01, where the count of eras begins, to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// A date from 1970 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    pub(super) year: u64,
    pub(super) month: u64,
    pub(super) day: u64,
}

impl Date {
    /// The date so many days after 1970-01-01. Years begin in March here, so that a leap day comes last.
    pub(super) const fn from_days(days: u64) -> Self {
        let days = days + DAYS_TO_1970;
        let (era, day_of_era) = (days / DAYS_IN_ERA, days % DAYS_IN_ERA);
        let leap_days = day_of_era / 1_460 + day_of_era / (DAYS_IN_ERA - 1) - day_of_era / 36_524;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - days_before_year(year_of_era);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = 400 * era + year_of_era + (month <= 2) as u64;
        Self { year, month, day: day_of_year - days_before_month(march_month) + 1 }
    }

    /// Days since 1970-01-01; `None` when there is no such date, or it lies before.
    pub(super) fn days(self) -> Option<u64> {
        let Self { year, month, day } = self;
        if !(1..=12).contains(&month) || !(1970..1_000_000_000_000).contains(&year) || day == 0 {
            return None;
        }
        let (year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_era = days_before_year(year_of_era) + days_before_month(march_month) + day - 1;
        let days = (era * DAYS_IN_ERA + day_of_era).checked_sub(DAYS_TO_1970)?;
        // A day that its month does not have is another month's first.
        (Self::from_days(days) == self).then_some(days)
    }
}

const fn days_before_year(year_of_era: u64) -> u64 {
    365 * year_of_era + year_of_era / 4 - year_of_era / 100
}

/// Of a year that begins in March: 31, 30, 31, 30, 31, five months at a time.
const fn days_before_month(march_month: u64) -> u64 {
    (153 * march_month + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calendar as people say it: a leap year every four, but not every hundred, but every four hundred.
    fn length(year: u64, month: u64) -> u64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    #[test]
    fn every_day_of_a_thousand_years_is_the_one_after_the_last() {
        let mut expected = Date { year: 1970, month: 1, day: 1 };
        for days in 0..366_000 {
            assert_eq!(Date::from_days(days), expected);
            assert_eq!(expected.days(), Some(days));
            let Date { year, month, day } = expected;
            expected = match (day == length(year, month), month) {
                (false, _) => Date { year, month, day: day + 1 },
                (true, 12) => Date { year: year + 1, month: 1, day: 1 },
                (true, _) => Date { year, month: month + 1, day: 1 },
            };
        }
    }

    #[test]
    fn days_that_are_not_in_the_calendar_are_none() {
        for (year, month, day) in [
            (2023, 2, 29),
            (2100, 2, 29),
            (2024, 2, 30),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, 1, 0),
            (1969, 12, 31),
        ] {
            assert_eq!(Date { year, month, day }.days(), None, "{year}-{month}-{day}");
        }
    }
}
