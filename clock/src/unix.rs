//! Wall time as a signed count of nanoseconds, so that nothing before 1970 is special.

use core::fmt;
use core::time::Duration;

/// Nanoseconds since 1970-01-01 00:00:00 UTC, leap seconds not counted, as POSIX has it. Reaches from 1677 to 2262;
/// arithmetic stays at the ends instead of wrapping.
///
/// With the feature `serde`: a whole number, but in formats for people a string of it, since many a reader of JSON
/// knows no integers above 2^53. Either is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(i64);

impl UnixTime {
    /// 1970-01-01 00:00:00.
    pub const EPOCH: Self = Self(0);
    /// The earliest that can be said.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest that can be said.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since 1970.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds since 1970.
    #[inline]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// From milliseconds since 1970.
    #[inline]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since 1970.
    #[inline]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// `nanos` later, or earlier when negative.
    #[inline]
    #[must_use]
    pub const fn shifted(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// `nanos` earlier, or later when negative.
    #[inline]
    #[must_use]
    pub const fn shifted_back(self, nanos: i64) -> Self {
        Self(self.0.saturating_sub(nanos))
    }

    /// How many nanoseconds this is after `earlier`; negative when it is before.
    #[inline]
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// How long this is after `earlier`; nothing when it is not.
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 { Duration::ZERO } else { Duration::from_nanos(self.0.abs_diff(earlier.0)) }
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        write!(f, "{seconds}s+{nanos}ns")
    }
}

#[cfg(feature = "serde")]
mod text {
    use core::fmt;

    use alloc::string::ToString as _;
    use serde::de::{Deserialize, Deserializer, Error, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::UnixTime;

    impl Serialize for UnixTime {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if serializer.is_human_readable() {
                serializer.serialize_str(&self.0.to_string())
            } else {
                serializer.serialize_i64(self.0)
            }
        }
    }

    impl<'de> Deserialize<'de> for UnixTime {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            if deserializer.is_human_readable() {
                deserializer.deserialize_any(NumberOrText)
            } else {
                i64::deserialize(deserializer).map(Self)
            }
        }
    }

    struct NumberOrText;

    impl Visitor<'_> for NumberOrText {
        type Value = UnixTime;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nanoseconds since 1970, as a whole number or a string of one")
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<UnixTime, E> {
            Ok(UnixTime(value))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<UnixTime, E> {
            i64::try_from(value).map(UnixTime).map_err(E::custom)
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<UnixTime, E> {
            value.parse().map(UnixTime).map_err(E::custom)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn clock_p31_json_keeps_every_nanosecond_and_either_form_is_read() {
            // 2^53 + 1, which a double cannot hold.
            let time = UnixTime(9_007_199_254_740_993);
            assert_eq!(serde_json::to_string(&time).unwrap(), "\"9007199254740993\"");
            for text in ["\"9007199254740993\"", "9007199254740993"] {
                assert_eq!(serde_json::from_str::<UnixTime>(text).unwrap(), time);
            }
            assert_eq!(serde_json::from_str::<UnixTime>("-5").unwrap(), UnixTime(-5));
            for text in ["\"\"", "\"1.5\"", "1.5", "9223372036854775808", "null", "\"9223372036854775808\""] {
                assert!(serde_json::from_str::<UnixTime>(text).is_err(), "{text}");
            }
        }
    }
}

/// A duration as signed nanoseconds; as many as there are when it is longer than 292 years.
#[inline]
pub(crate) fn nanos_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// `value` within the range of `i64`.
#[inline]
pub(crate) fn clamp_i64(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// How far a clock that is wrong by at most `rate_ppb` may wander in `elapsed_ns`, rounded up. Never negative.
#[inline]
pub(crate) fn drift_ns(elapsed_ns: i64, rate_ppb: i64) -> i64 {
    let product = i128::from(elapsed_ns.max(0)) * i128::from(rate_ppb.max(0));
    // Within a few minutes the product fits 64 bits, whose division is far cheaper.
    match u64::try_from(product) {
        Ok(small) => i64::try_from(small.div_ceil(1_000_000_000)).unwrap_or(i64::MAX),
        Err(_) => clamp_i64((product + 999_999_999) / 1_000_000_000),
    }
}

/// `parts_per_billion` of `span_ns`, rounded down.
pub(crate) fn scaled(span_ns: i64, parts_per_billion: i64) -> i64 {
    clamp_i64((i128::from(span_ns) * i128::from(parts_per_billion)).div_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_p34_times_before_1970_and_at_the_ends_are_plain_numbers() {
        let before = UnixTime::from_secs(-1).shifted(1);
        assert_eq!(before.as_nanos(), -999_999_999);
        assert_eq!(alloc::format!("{before:?}"), "-1s+1ns");
        assert_eq!(UnixTime::MIN.shifted(-1), UnixTime::MIN);
        assert_eq!(UnixTime::MAX.shifted(1), UnixTime::MAX);
        assert_eq!(UnixTime::MIN.shifted_back(i64::MAX), UnixTime::MIN);
        assert_eq!(UnixTime::MAX.since(UnixTime::MIN), Duration::from_nanos(u64::MAX));
        assert_eq!(UnixTime::MIN.since(UnixTime::MAX), Duration::ZERO);
    }

    #[test]
    fn drift_is_rounded_up_and_never_negative() {
        assert_eq!(drift_ns(1, 1), 1);
        assert_eq!(drift_ns(1_000_000_000, 500_000), 500_000);
        assert_eq!(drift_ns(-5, 500_000), 0);
        assert_eq!(drift_ns(i64::MAX, i64::MAX), i64::MAX);
    }
}
