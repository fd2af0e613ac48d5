//! Stamps as text.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use super::civil::Date;
use super::layout::{Derived, Layout};
use super::timestamp::Timestamp;

const SECONDS_PER_DAY: u64 = 86_400;
/// Of the year in which the longest layout ends.
const YEAR_DIGITS: usize = 12;

/// Why a text is no stamp. Always the text's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It does not have the shape `YYYY-MM-DDTHH:MM:SS.ffffffZ#LLLL`; fraction and logical part may be missing.
    #[error("not of the form YYYY-MM-DDTHH:MM:SS.ffffffZ#LLLL")]
    Shape,
    /// There is no such date or time of day, or it lies before 1970. A leap second has no stamp.
    #[error("no such date or time of day from 1970 on")]
    Date,
    /// It names a moment between two ticks of the layout, which a stamp cannot hold.
    #[error("finer than the layout's ticks")]
    Precision,
    /// It lies beyond the end of the layout, or its logical part does.
    #[error("beyond the end of the layout")]
    Range,
    /// A stamp with its node lacks the `@`, or a node behind it.
    #[error("no node behind an @")]
    Node,
}

/// RFC 3339 in UTC, `#`, and the logical part, all with leading zeros. A year beyond 9999 has a `+` before it.
impl<L: Layout> fmt::Display for Timestamp<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wall = self.wall();
        let (days, second) = (wall.as_secs() / SECONDS_PER_DAY, wall.as_secs() % SECONDS_PER_DAY);
        let Date { year, month, day } = Date::from_days(days);
        let sign = if year > 9999 { "+" } else { "" };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match L::DIGITS {
            0 => {}
            3 => write!(f, ".{:03}", wall.subsec_millis())?,
            6 => write!(f, ".{:06}", wall.subsec_micros())?,
            _ => write!(f, ".{:09}", wall.subsec_nanos())?,
        }
        let width = digits(Self::MAX_LOGICAL);
        write!(f, "Z#{:0width$}", self.logical())
    }
}

impl<L: Layout> FromStr for Timestamp<L> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (date, rest) = text.split_once('T').ok_or(ParseError::Shape)?;
        let (time, logical) = rest.split_once('Z').ok_or(ParseError::Shape)?;
        let (time, fraction) = match time.split_once('.') {
            Some((time, fraction)) => (time, Some(fraction)),
            None => (time, None),
        };
        let seconds = date_seconds(date)?.checked_add(day_seconds(time)?).ok_or(ParseError::Range)?;
        let wall = Duration::new(seconds, fraction.map_or(Ok(0), nanos)?);
        let ticks = L::ticks(wall).ok_or(ParseError::Range)?;
        if L::span(ticks) != wall {
            return Err(ParseError::Precision);
        }
        let logical = match logical.strip_prefix('#') {
            Some(digits) => number(digits).ok_or(ParseError::Shape)?,
            None if logical.is_empty() => 0,
            None => return Err(ParseError::Shape),
        };
        Self::from_parts(ticks, logical).ok_or(ParseError::Range)
    }
}

fn date_seconds(text: &str) -> Result<u64, ParseError> {
    let (text, long) = text.strip_prefix('+').map_or((text, false), |rest| (rest, true));
    let [year, month, day] = split(text, '-').ok_or(ParseError::Shape)?;
    if long != (year.len() > 4)
        || !(4..=YEAR_DIGITS).contains(&year.len())
        || month.len() != 2
        || day.len() != 2
    {
        return Err(ParseError::Shape);
    }
    let numbers = number(year).zip(number(month)).zip(number(day));
    let ((year, month), day) = numbers.ok_or(ParseError::Shape)?;
    let days = Date { year, month, day }.days().ok_or(ParseError::Date)?;
    days.checked_mul(SECONDS_PER_DAY).ok_or(ParseError::Range)
}

fn day_seconds(text: &str) -> Result<u64, ParseError> {
    let parts = split(text, ':').ok_or(ParseError::Shape)?;
    if parts.iter().any(|part| part.len() != 2) {
        return Err(ParseError::Shape);
    }
    match parts.map(number) {
        [Some(hour), Some(minute), Some(second)] if hour < 24 && minute < 60 && second < 60 => {
            Ok(hour * 3600 + minute * 60 + second)
        }
        [Some(_), Some(_), Some(_)] => Err(ParseError::Date),
        _ => Err(ParseError::Shape),
    }
}

/// A fraction of a second. Digits beyond the ninth must be zeros.
fn nanos(fraction: &str) -> Result<u32, ParseError> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::Shape);
    }
    if fraction.bytes().skip(9).any(|byte| byte != b'0') {
        return Err(ParseError::Precision);
    }
    let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(9);
    Ok(digits.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')))
}

fn split(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

/// A number of digits alone: `parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// How many decimal digits a number has.
const fn digits(number: u64) -> usize {
    let (mut rest, mut count) = (number / 10, 1);
    while rest > 0 {
        rest /= 10;
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::{Micros, Millis42, Millis48, Ntp64};
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    fn there_and_back<L: Layout>(a: u64, b: u64) {
        let [a, b] = [a, b].map(Timestamp::<L>::from_u64);
        assert_eq!(a.to_string().parse(), Ok(a));
        let short = |stamp: Timestamp<L>| !stamp.to_string().starts_with('+');
        if short(a) && short(b) {
            assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b), "{a} and {b}");
        }
    }

    proptest! {
        #[test]
        fn text_is_read_back_and_sorts_like_stamps(a: u64, b: u64, near in 0u64..1 << 20) {
            for b in [b, a.saturating_add(near)] {
                there_and_back::<Micros>(a, b);
                there_and_back::<Millis48>(a, b);
                there_and_back::<Millis42>(a, b);
                there_and_back::<Ntp64>(a, b);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9:.TZ#]{0,40}|\\PC{0,40}") {
            if let Ok(stamp) = text.parse::<Timestamp<Micros>>() {
                prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
            }
        }
    }

    /// Layouts of so many ticks a second, and so many logical bits.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    struct Custom<const TICKS: u64, const BITS: u32>;

    impl<const TICKS: u64, const BITS: u32> Layout for Custom<TICKS, BITS> {
        const LOGICAL_BITS: u32 = BITS;
        const TICKS_PER_SECOND: u64 = TICKS;
    }

    fn of_custom_layouts(a: u64, b: u64) {
        there_and_back::<Custom<1, 1>>(a, b);
        there_and_back::<Custom<1, 4>>(a, b);
        there_and_back::<Custom<1, 32>>(a, b);
        there_and_back::<Custom<3, 8>>(a, b);
        there_and_back::<Custom<10, 20>>(a, b);
        there_and_back::<Custom<60, 16>>(a, b);
        there_and_back::<Custom<512, 16>>(a, b);
        there_and_back::<Custom<1_024, 16>>(a, b);
        there_and_back::<Custom<32_768, 16>>(a, b);
        there_and_back::<Custom<90_000, 12>>(a, b);
        there_and_back::<Custom<10_000_000, 8>>(a, b);
        there_and_back::<Custom<999_999_937, 1>>(a, b); // a prime
        there_and_back::<Custom<1_000_000_000, 1>>(a, b);
    }

    proptest! {
        #[test]
        fn text_is_read_back_in_any_layout(a: u64, b: u64, near in 0u64..1 << 20) {
            of_custom_layouts(a, b);
            of_custom_layouts(a, a.saturating_add(near));
            of_custom_layouts(near, u64::MAX - near);
        }
    }

    #[test]
    fn ticks_that_are_no_decimal_fraction_have_nine_digits() {
        let stamp = Timestamp::<Custom<512, 16>>::from_parts(5 * 512 + 3, 1).unwrap();
        assert_eq!(stamp.to_string(), "1970-01-01T00:00:05.005859375Z#00001");
        assert_eq!(
            "1970-01-01T00:00:05.005Z#00001".parse(),
            Err::<Timestamp<Custom<512, 16>>, _>(ParseError::Precision)
        );
        assert_eq!(
            (Custom::<10, 20>::DIGITS, Custom::<1_024, 16>::DIGITS, Custom::<1, 4>::DIGITS),
            (3, 9, 0)
        );
        let last = Timestamp::<Custom<1, 1>>::MAX;
        assert_eq!(last.to_string(), "+292277026596-12-04T15:30:07Z#1");
        let beyond = "+999999999999-12-31T23:59:59Z".parse::<Timestamp<Custom<1, 1>>>();
        assert_eq!(beyond, Err(ParseError::Range));
    }

    #[test]
    fn known_moments() {
        for (text, physical, logical) in [
            ("1970-01-01T00:00:00.000000Z#0000", 0, 0),
            ("2000-02-29T12:34:56.789012Z#4095", 951_827_696_789_012, 4095),
            ("2038-01-19T03:14:08.000000Z#0001", 2_147_483_648_000_000, 1),
        ] {
            let stamp = Timestamp::<Micros>::from_parts(physical, logical).unwrap();
            assert_eq!(stamp.to_string(), text);
            assert_eq!(text.parse(), Ok(stamp));
        }
        let far = Timestamp::<Millis48>::from_parts((1 << 48) - 1000, 7).unwrap();
        assert_eq!(far.to_string(), "+10889-08-02T05:31:49.656Z#00007");
        let short = "2024-01-01T00:00:00Z".parse::<Timestamp<Ntp64>>().unwrap();
        assert_eq!(short.as_u64(), 1_704_067_200 << 32);
    }

    #[test]
    fn what_is_no_stamp_says_why() {
        let parse = |text: &str| text.parse::<Timestamp<Micros>>();
        for (text, error) in [
            ("", ParseError::Shape),
            ("2024-01-01", ParseError::Shape),
            ("2024-01-01T00:00:00+00:00", ParseError::Shape),
            ("2024-01-01T00:00:00.Z", ParseError::Shape),
            ("2024-01-01T00:00:00Z#", ParseError::Shape),
            ("2024-01-01T00:00:00Z#-1", ParseError::Shape),
            ("2024-1-01T00:00:00Z", ParseError::Shape),
            ("+2024-01-01T00:00:00Z", ParseError::Shape),
            ("2023-02-29T00:00:00Z", ParseError::Date),
            ("1969-12-31T23:59:59Z", ParseError::Date),
            ("2016-12-31T23:59:60Z", ParseError::Date),
            ("2024-01-01T24:00:00Z", ParseError::Date),
            ("2024-01-01T00:00:00.0000001Z", ParseError::Precision),
            ("2024-01-01T00:00:00Z#4096", ParseError::Range),
            ("2113-01-01T00:00:00Z", ParseError::Range),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        assert!(parse("2024-01-01T00:00:00.000001000000Z#1").is_ok());
    }
}
