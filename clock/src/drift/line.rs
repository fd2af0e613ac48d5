//! A straight line through points, by least squares.

use crate::unix::clamp_i64;

use super::Observation;

/// A slope, and how sure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// Nanoseconds of offset per second: parts per billion.
    pub(super) slope_ppb: i64,
    /// Half of the interval that holds the true slope with a confidence of 95 %, by Student's t distribution.
    pub(super) error_ppb: i64,
}

/// Student's t for a two-sided 95 %, by degrees of freedom from 1, in thousandths. From the 31st on 2.04 and less.
const T_95: [u32; 30] = [
    12_706, 4303, 3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228, 2201, 2179, 2160, 2145, 2131, 2120, 2110,
    2101, 2093, 2086, 2080, 2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042,
];
const T_95_OF_MANY: u32 = 2040;

/// Fits a line; nothing for fewer than three points, or when all are at one time.
pub(super) fn fit<'a>(points: impl Iterator<Item = &'a Observation> + Clone) -> Option<Line> {
    let count = points.clone().count();
    if count < 3 {
        return None;
    }
    let n = as_f64(i64::try_from(count).ok()?);
    // Relative to the first point, so that a double holds what matters of either axis.
    let first = *points.clone().next()?;
    let x = |it: &Observation| as_f64(it.at.nanos_since(first.at)) / 1e9;
    let y = |it: &Observation| as_f64(it.offset_ns.saturating_sub(first.offset_ns));
    let mean_x = points.clone().map(x).sum::<f64>() / n;
    let mean_y = points.clone().map(y).sum::<f64>() / n;
    let spread: f64 = points.clone().map(|it| (x(it) - mean_x) * (x(it) - mean_x)).sum();
    if spread <= 0.0 {
        return None;
    }
    let slope = points.clone().map(|it| (x(it) - mean_x) * (y(it) - mean_y)).sum::<f64>() / spread;
    let residual = |it: &Observation| y(it) - mean_y - slope * (x(it) - mean_x);
    let squares: f64 = points.map(|it| residual(it) * residual(it)).sum();
    let freedom = count - 2;
    let t = f64::from(T_95.get(freedom - 1).copied().unwrap_or(T_95_OF_MANY)) / 1000.0;
    let deviation = square_root(squares / as_f64(i64::try_from(freedom).ok()?) / spread);
    Some(Line { slope_ppb: rounded(slope), error_ppb: rounded(t * deviation) })
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "a slope needs no more than a double's 53 bits")]
const fn as_f64(value: i64) -> f64 {
    value as f64
}

/// The nearest whole number; the ends for what is beyond.
#[expect(clippy::cast_possible_truncation, reason = "`as` stays at the ends")]
fn rounded(value: f64) -> i64 {
    clamp_i64((value + if value < 0.0 { -0.5 } else { 0.5 }) as i128)
}

/// Newton's iteration: `core` has no root of its own.
fn square_root(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 || value == f64::INFINITY {
        return if value > 0.0 { f64::MAX } else { 0.0 };
    }
    // Half of the exponent is a guess within a factor of two.
    let mut root = f64::from_bits((value.to_bits() >> 1) + (1023 << 51));
    for _ in 0..6 {
        root = f64::midpoint(root, value / root);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix::UnixTime;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn points(values: &[(i64, i64)]) -> Vec<Observation> {
        let point = |(seconds, offset_ns): &(i64, i64)| Observation {
            at: UnixTime::from_secs(*seconds),
            offset_ns: *offset_ns,
            error_ns: 0,
        };
        values.iter().map(point).collect()
    }

    #[test]
    fn a_textbook_line() {
        // Slope 0.6 and standard error 0.282842… with three degrees of freedom: t is 3.182.
        let scaled: Vec<_> =
            [(1, 2), (2, 4), (3, 5), (4, 4), (5, 5)].iter().map(|(x, y)| (*x, y * 1_000_000)).collect();
        let line = fit(points(&scaled).iter()).unwrap();
        assert_eq!(line, Line { slope_ppb: 600_000, error_ppb: 900_006 });
    }

    #[test]
    fn too_few_points_or_one_time_are_no_line() {
        assert_eq!(fit(points(&[(0, 0), (1, 1)]).iter()), None);
        assert_eq!(fit(points(&[(5, 0), (5, 1), (5, 2)]).iter()), None);
        assert!(fit(points(&[(i64::MIN, i64::MIN), (0, 0), (i64::MAX, i64::MAX)]).iter()).is_some());
    }

    proptest! {
        #[test]
        fn roots(value in 1e-300_f64..1e300) {
            prop_assert!((square_root(value) / value.sqrt() - 1.0).abs() < 1e-12);
        }

        #[test]
        fn a_true_line_is_found_wherever_it_begins(
            start in -2_000_000_000_i64..2_000_000_000, offset in -1_i64 << 50..1 << 50, slope in -1_000_000_i64..1_000_000,
        ) {
            let on_it: Vec<_> = (0..20).map(|k| (start + k * 64, offset + slope * k * 64)).collect();
            let line = fit(points(&on_it).iter()).unwrap();
            prop_assert!((line.slope_ppb - slope).abs() <= 1 && line.error_ppb <= 1, "{:?}", line);
        }
    }
}
