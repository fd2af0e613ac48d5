//! NTP's fixed-point times (RFC 5905 §6).

use core::fmt;

use crate::unix::{UnixTime, clamp_i64};

/// Seconds from 1900-01-01, where NTP's era 0 begins, to 1970-01-01.
const UNIX_EPOCH_SECONDS: i128 = 2_208_988_800;
const NANOS: i128 = 1_000_000_000;

/// Seconds since 1900 and their fraction, 32 bits each. The seconds begin anew every 136 years, next in February
/// 2036: differences are right across that moment, and a date needs a [pivot](Self::to_unix_near).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NtpTimestamp(u64);

impl NtpTimestamp {
    /// "Not known" wherever it stands in a packet.
    pub const ZERO: Self = Self(0);

    /// From the 64 bits of a packet.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits of a packet.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The nearest that can be said, at most 0.12 ns away. The era is lost.
    pub fn from_unix(time: UnixTime) -> Self {
        Self(low_bits(units_since_1900(time)))
    }

    /// The only time that has these bits within 68 years of `pivot`; any date that is roughly today will do.
    pub fn to_unix_near(self, pivot: UnixTime) -> UnixTime {
        let pivot_units = units_since_1900(pivot);
        let distance = self.units_since(Self(low_bits(pivot_units)));
        let units = pivot_units + i128::from(distance);
        UnixTime::from_nanos(clamp_i64(units_to_nanos(units) - UNIX_EPOCH_SECONDS * NANOS))
    }

    /// How many units of 2^-32 s this is after `earlier`: right as long as the two are within 68 years.
    pub const fn units_since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0) as i64
    }
}

impl fmt::Debug for NtpTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{:08x}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// Seconds and their fraction, 16 bits each: how packets state delays and dispersions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct NtpShort(u32);

impl NtpShort {
    /// From the 32 bits of a packet.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The 32 bits of a packet.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// In nanoseconds, rounded up, so that no stated error gets smaller.
    pub fn to_nanos(self) -> i64 {
        (i64::from(self.0) * 1_000_000_000 + 0xffff) >> 16
    }
}

/// Units of 2^-32 s as nanoseconds, the nearest.
pub(super) const fn units_to_nanos(units: i128) -> i128 {
    (units * NANOS + (1 << 31)) >> 32
}

/// Units of 2^-33 s as nanoseconds, the nearest.
pub(super) const fn half_units_to_nanos(half_units: i128) -> i128 {
    (half_units * NANOS + (1 << 32)) >> 33
}

fn units_since_1900(time: UnixTime) -> i128 {
    let nanos = i128::from(time.as_nanos()) + UNIX_EPOCH_SECONDS * NANOS;
    ((nanos << 32) + NANOS / 2).div_euclid(NANOS)
}

fn low_bits(units: i128) -> u64 {
    u64::try_from(units.rem_euclid(1 << 64)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second at which era 1 begins: 2036-02-07 06:28:16 UTC.
    const ERA_1: i64 = 2_085_978_496;

    #[test]
    fn the_published_dates_of_rfc_5905_figure_4() {
        for (bits, unix_seconds) in [
            (2_272_060_800_u64, 63_072_000_i64), // 1972-01-01, first day of UTC
            (3_155_673_599, 946_684_799),        // 1999-12-31 23:59:59
            (0, ERA_1),
        ] {
            let stamp = NtpTimestamp::from_bits(bits << 32);
            let time = UnixTime::from_secs(unix_seconds);
            assert_eq!(NtpTimestamp::from_unix(time), stamp);
            assert_eq!(stamp.to_unix_near(UnixTime::from_secs(1_800_000_000)), time);
        }
    }

    #[test]
    fn clock_p29_differences_cross_the_rollover_of_2036() {
        let before = NtpTimestamp::from_unix(UnixTime::from_secs(ERA_1 - 1));
        let after = NtpTimestamp::from_unix(UnixTime::from_secs(ERA_1 + 2));
        assert!(after.to_bits() < before.to_bits());
        assert_eq!(after.units_since(before), 3 << 32);
        assert_eq!(before.units_since(after), -(3 << 32));
        let pivot = UnixTime::from_secs(ERA_1 - 10);
        assert_eq!(after.to_unix_near(pivot), UnixTime::from_secs(ERA_1 + 2));
    }

    #[test]
    fn clock_p34_dates_before_1900_and_at_the_ends_do_not_panic() {
        for nanos in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
            let time = UnixTime::from_nanos(nanos);
            let back = NtpTimestamp::from_unix(time).to_unix_near(time);
            assert!(back.nanos_since(time).abs() <= 1, "{nanos}");
        }
        NtpTimestamp::from_bits(u64::MAX).to_unix_near(UnixTime::MAX);
        NtpTimestamp::from_bits(1 << 63).to_unix_near(UnixTime::MIN);
    }

    #[test]
    fn short_times_are_rounded_up() {
        assert_eq!(NtpShort::from_bits(0).to_nanos(), 0);
        assert_eq!(NtpShort::from_bits(1).to_nanos(), 15_259);
        assert_eq!(NtpShort::from_bits(1 << 16).to_nanos(), 1_000_000_000);
        assert_eq!(NtpShort::from_bits(u32::MAX).to_nanos(), 65_535_999_984_742);
    }
}
