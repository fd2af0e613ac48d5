//! Offset and delay of one question and its answer (RFC 5905 §8).

use super::timestamp::{NtpTimestamp, half_units_to_nanos, units_to_nanos};
use crate::unix::clamp_i64;

/// The four times of one exchange, all in one unit, of which any will do. The client's two are read from the client's
/// clock, the server's from the server's.
///
/// ```text
///  server        t1 ───── t2
///               ↗           ↘
///  client     t0             t3
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoundTrip {
    /// t0: the question leaves the client.
    pub client_send: i64,
    /// t1: the question reaches the server.
    pub server_receive: i64,
    /// t2: the answer leaves the server.
    pub server_send: i64,
    /// t3: the answer reaches the client.
    pub client_receive: i64,
}

impl RoundTrip {
    /// From t0, t1, t2, t3.
    ///
    /// ```
    /// use synod_clock::ntp::RoundTrip;
    ///
    /// let trip = RoundTrip::new([0, 100, 105, 200]); // milliseconds
    /// assert_eq!(trip.delay(), 195);
    /// assert_eq!(trip.twice_offset(), 5); // the server is 2.5 ms ahead
    /// ```
    pub const fn new([client_send, server_receive, server_send, client_receive]: [i64; 4]) -> Self {
        Self { client_send, server_receive, server_send, client_receive }
    }

    /// From t0, t1, t2, t3 as they stand in packets: the result is in units of 2^-32 s and right across eras, as long
    /// as the two clocks are within 68 years.
    pub const fn from_timestamps([t0, t1, t2, t3]: [NtpTimestamp; 4]) -> Self {
        Self::new([0, t1.units_since(t0), t2.units_since(t0), t3.units_since(t0)])
    }

    /// Twice how far the server's clock is ahead of the client's, so that nothing is rounded: (t1 − t0) + (t2 − t3).
    ///
    /// The offset itself is wrong by at most half the [delay](Self::delay), however unequal the two ways are.
    pub const fn twice_offset(self) -> i128 {
        (self.server_receive as i128 - self.client_send as i128)
            + (self.server_send as i128 - self.client_receive as i128)
    }

    /// How long both ways took together: (t3 − t0) − (t2 − t1). Negative only when the two clocks run at different
    /// rates or one of them was set.
    pub const fn delay(self) -> i128 {
        (self.client_receive as i128 - self.client_send as i128)
            - (self.server_send as i128 - self.server_receive as i128)
    }

    /// The offset in nanoseconds, of times in units of 2^-32 s; the nearest.
    pub(super) fn offset_ns(self) -> i64 {
        clamp_i64(half_units_to_nanos(self.twice_offset()))
    }

    /// The delay in nanoseconds, of times in units of 2^-32 s; the nearest.
    pub(super) fn delay_ns(self) -> i64 {
        clamp_i64(units_to_nanos(self.delay()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix::UnixTime;
    use proptest::prelude::*;

    #[test]
    fn the_worked_example_on_the_wire() {
        // 2026, and an era later: the same to the nanosecond.
        for day in [1_780_000_000_i64, 1_780_000_000 + (1 << 32)] {
            let at = |ms: i64| NtpTimestamp::from_unix(UnixTime::from_secs(day).shifted(ms * 1_000_000));
            let trip = RoundTrip::from_timestamps([at(0), at(100), at(105), at(200)]);
            assert_eq!((trip.delay_ns(), trip.offset_ns()), (195_000_000, 2_500_000));
        }
    }

    #[test]
    fn the_ends_do_not_overflow() {
        let trip = RoundTrip::new([i64::MIN, i64::MAX, i64::MAX, i64::MIN]);
        assert_eq!((trip.delay(), trip.twice_offset()), (0, 2 * (i128::from(u64::MAX))));
        assert_eq!(trip.offset_ns(), 4_294_967_296_000_000_000);
    }

    proptest! {
        /// RFC 5905 §8: whatever the two ways took, the true offset is within half the delay.
        #[test]
        fn clock_p29_unequal_ways_cost_at_most_half_the_delay(
            offset in -1_i64 << 40..1 << 40, out in 0_i64..1 << 40, stay in 0_i64..1 << 40, back in 0_i64..1 << 40,
        ) {
            let t1 = out + offset;
            let trip = RoundTrip::new([0, t1, t1 + stay, out + stay + back]);
            prop_assert_eq!(trip.delay(), i128::from(out + back));
            prop_assert!((trip.twice_offset() - 2 * i128::from(offset)).abs() <= trip.delay());
        }
    }
}
