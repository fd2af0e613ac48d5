//! The clock filter: of the last eight samples, the one of least delay (RFC 5905 §10).
//!
//! A queue on the way makes an answer late and its offset wrong by up to half of what it cost; so the quickest of a
//! few answers is nearly always the best. The others tell how much to trust it.
//!
//! RFC 5905's dispersion counts the best sample's age by half, so an old one would be trusted too much. Beside it stands
//! a bound that counts all of it ([`Estimate::error_ns`]), and the root distance is never less.

use alloc::vec::Vec;

use super::fault::{Fault, Faults, Sound};
use super::packet::Leap;
use crate::unix::{UnixTime, clamp_i64, drift_ns, scaled};

/// Samples that are kept (NSTAGE).
const STAGES: usize = 8;
/// The dispersion of a sample that is not there (MAXDISP): 16 s.
pub(super) const MAXIMUM_DISPERSION_NS: i64 = 16_000_000_000;

/// What one answer said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// When the answer came, by the client's free-running clock.
    pub at: UnixTime,
    /// How far the server was ahead of that clock.
    pub offset_ns: i64,
    /// Both ways together.
    pub delay_ns: i64,
    /// What reading and drifting of the two clocks may have added while the answer was on its way.
    pub dispersion_ns: i64,
    /// Both ways between the server and its reference clock.
    pub root_delay_ns: i64,
    /// How wrong the server may be beside half of that.
    pub root_dispersion_ns: i64,
    /// The server's distance from a reference clock, in steps.
    pub stratum: u8,
    /// Whether the server announces a leap second.
    pub leap: Leap,
}

impl Sample {
    /// The most that [`offset_ns`](Self::offset_ns) may be wrong by, if the server says true.
    pub fn error_ns(&self) -> i64 {
        let ways = self.delay_ns.saturating_add(self.root_delay_ns);
        (ways / 2 + 1).saturating_add(self.dispersion_ns).saturating_add(self.root_dispersion_ns)
    }
}

/// The last samples of one server.
#[derive(Clone, Debug)]
pub struct Filter<F = Sound> {
    /// Newest first.
    samples: Vec<Sample>,
    drift_bound_ppb: i64,
    faults: F,
}

impl Filter {
    /// An empty one. What the client's free-running clock may drift is RFC 5905's PHI, 15 000 ppb there.
    pub const fn new(drift_bound_ppb: i64) -> Self {
        Self::with_faults(drift_bound_ppb, Sound)
    }
}

impl<F: Faults> Filter<F> {
    /// One that may deviate; for tests.
    pub const fn with_faults(drift_bound_ppb: i64, faults: F) -> Self {
        Self { samples: Vec::new(), drift_bound_ppb, faults }
    }

    /// Takes a sample; of more than eight, the oldest is gone.
    pub fn push(&mut self, sample: Sample) {
        self.samples.truncate(STAGES - 1);
        self.samples.insert(0, sample);
    }

    /// What the samples together say at `now`; nothing when there are none.
    pub fn estimate(&self, now: UnixTime) -> Option<Estimate> {
        self.estimate_at_rate(now, 0)
    }

    /// [`estimate`](Self::estimate), when true time is thought to run faster than the client's clock by
    /// `frequency_ppb`: what a sample says is carried on at that rate. That it may be wrong is in the stated error.
    pub fn estimate_at_rate(&self, now: UnixTime, frequency_ppb: i64) -> Option<Estimate> {
        let mut sorted: Vec<&Sample> = self.samples.iter().collect();
        // Stable: of equal delays the newest is first.
        sorted.sort_by_key(|it| it.delay_ns);
        let best = if self.faults.has(Fault::NewestSample) {
            self.samples.first()
        } else {
            sorted.first().copied()
        }?;
        let aged = |sample: &Sample| {
            let age = if self.faults.has(Fault::Ageless) { 0 } else { now.nanos_since(sample.at) };
            sample
                .dispersion_ns
                .saturating_add(drift_ns(age, self.drift_bound_ppb))
                .min(MAXIMUM_DISPERSION_NS)
        };
        let missing = core::iter::repeat(MAXIMUM_DISPERSION_NS);
        let stages = sorted.iter().map(|it| aged(it)).chain(missing).take(STAGES);
        // Rounded up, each by at most a nanosecond.
        let dispersion_ns = stages.zip(1..).map(|(it, halvings)| (it >> halvings) + 1).sum();
        let carried =
            |it: &Sample| it.offset_ns.saturating_add(scaled(now.nanos_since(it.at), frequency_ppb));
        let offset_ns = carried(best);
        let squares: u128 = sorted.iter().map(|it| square(carried(it).saturating_sub(offset_ns))).sum();
        let others = u128::try_from(sorted.len().saturating_sub(1).max(1)).unwrap_or(1);
        let jitter_ns = i64::try_from((squares / others).isqrt()).unwrap_or(i64::MAX);
        let age_ns = if self.faults.has(Fault::HalfAged) { 0 } else { now.nanos_since(best.at) };
        let rate_ppb = self.drift_bound_ppb.max(0).saturating_add(frequency_ppb.saturating_abs());
        let error_ns = best.error_ns().saturating_add(drift_ns(age_ns, rate_ppb));
        Some(Estimate { sample: *best, offset_ns, error_ns, dispersion_ns, jitter_ns })
    }
}

/// What a filter makes of its samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// The sample of least delay.
    pub sample: Sample,
    /// How far the server is ahead at the time of asking: that sample, carried on.
    pub offset_ns: i64,
    /// The most that this may be wrong by, if the server says true: the sample's error, which grows with its age by
    /// the drift bound and by the rate at which it is carried on.
    pub error_ns: i64,
    /// The samples' dispersions at the time of asking, best first, each counting half of the one before. What is
    /// missing counts 16 s, so that a server is not trusted before its fourth answer.
    pub dispersion_ns: i64,
    /// How much the other samples' offsets differ from the best one's: the root of the mean square.
    pub jitter_ns: i64,
}

impl Estimate {
    /// How far the true offset may be from this one, everything considered (RFC 5905 §11.2, LAMBDA), and no less than
    /// [`error_ns`](Self::error_ns). `minimum_ns` stands for a smaller delay: two servers on one's own network should
    /// not call each other liars.
    pub fn root_distance_ns(&self, minimum_ns: i64) -> i64 {
        let ways = self.sample.delay_ns.saturating_add(self.sample.root_delay_ns).max(minimum_ns);
        let parts = [ways / 2 + 1, self.sample.root_dispersion_ns, self.dispersion_ns, self.jitter_ns];
        clamp_i64(parts.iter().map(|it| i128::from(*it)).sum()).max(self.error_ns)
    }
}

/// The square of a difference, small enough that four billion may be added: more than three days count as three.
pub(super) fn square(difference: i64) -> u128 {
    u128::from(difference.unsigned_abs()).pow(2).min(1 << 96)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ntp::fault::Planted;

    const SECOND: i64 = 1_000_000_000;

    fn sample(at_s: i64, delay_ns: i64, offset_ns: i64) -> Sample {
        Sample {
            at: UnixTime::from_secs(at_s),
            offset_ns,
            delay_ns,
            dispersion_ns: 1000,
            root_delay_ns: 2000,
            root_dispersion_ns: 300,
            stratum: 2,
            leap: Leap::None,
        }
    }

    fn full<F: Faults>(faults: F) -> Filter<F> {
        let mut filter = Filter::with_faults(15_000, faults);
        // Queues on the way back: half of every extra delay is a wrong offset.
        for (at, queue) in
            [(0, 90), (64, 60), (128, 0), (192, 70), (256, 30), (320, 80), (384, 50), (448, 20)]
        {
            filter.push(sample(at, 1000 + queue, -queue / 2));
        }
        filter
    }

    /// RFC 5905 §10, figure 14: the sample of least delay is the one to believe.
    fn least_delay<F: Faults>(faults: F) -> bool {
        let estimate = full(faults).estimate(UnixTime::from_secs(448)).unwrap();
        estimate.sample.delay_ns == 1000 && estimate.sample.offset_ns == 0
    }

    /// RFC 5905 §10: dispersion grows by PHI.
    fn ages<F: Faults>(faults: F) -> bool {
        let filter = full(faults);
        let at = |seconds| filter.estimate(UnixTime::from_secs(seconds)).unwrap().dispersion_ns;
        // Of eight equal growths, 255/256 stay.
        let growth = at(448 + 1000) - at(448);
        (growth - 15_000_000 * 255 / 256).abs() <= 8
    }

    /// The best sample is the oldest, the clock drifts as fast as it may, and the offset is within the distance.
    fn ages_wholly<F: Faults>(faults: F) -> bool {
        let mut filter = Filter::with_faults(15_000, faults);
        for polls in 0..8 {
            // True time runs 15 ppm faster than the clock.
            filter.push(sample(polls * 8192, 1000 + polls, polls * 8192 * 15_000));
        }
        let at_rate = |ppb| filter.estimate_at_rate(UnixTime::from_secs(7 * 8192), ppb).unwrap();
        [0, -15_000, 15_000, 7000].into_iter().all(|ppb| {
            // Jitter, which is no bound, would hide it.
            let quiet = Estimate { jitter_ns: 0, ..at_rate(ppb) };
            assert_eq!(quiet.offset_ns, 7 * 8192 * ppb);
            (7 * 8192 * 15_000 - quiet.offset_ns).abs() <= quiet.root_distance_ns(0)
        })
    }

    #[test]
    fn clock_p29_the_filter_holds_and_its_planted_faults_are_found() {
        assert!(ages_wholly(Sound) && !ages_wholly(Planted(Fault::HalfAged)));
        assert!(least_delay(Sound) && !least_delay(Planted(Fault::NewestSample)));
        assert!(ages(Sound) && !ages(Planted(Fault::Ageless)));
    }

    #[test]
    fn the_ninth_sample_pushes_out_the_oldest() {
        let mut filter = Filter::new(15_000);
        filter.push(sample(0, 1, 7));
        for at in 1..8 {
            filter.push(sample(at, 100, 0));
        }
        assert_eq!(filter.estimate(UnixTime::from_secs(8)).unwrap().sample.offset_ns, 7);
        filter.push(sample(8, 100, 0));
        assert_eq!(filter.estimate(UnixTime::from_secs(8)).unwrap().sample.offset_ns, 0);
    }

    #[test]
    fn few_samples_are_not_trusted_much() {
        let mut filter = Filter::new(0);
        assert_eq!(filter.estimate(UnixTime::EPOCH), None);
        let mut distances = Vec::new();
        for at in 0..8 {
            filter.push(sample(at, 1000, 0));
            distances.push(filter.estimate(UnixTime::from_secs(at)).unwrap().root_distance_ns(0) / 1_000_000);
        }
        // Under the 1.5 s of a candidate with the fourth.
        assert_eq!(distances, [7937, 3937, 1937, 937, 437, 187, 62, 0]);
    }

    #[test]
    fn no_sample_is_worse_than_none() {
        let mut filter = Filter::new(15_000);
        filter.push(Sample { dispersion_ns: i64::MAX, ..sample(0, 1000, 0) });
        let none = MAXIMUM_DISPERSION_NS / 256 * 255 + 8;
        assert_eq!(filter.estimate(UnixTime::from_secs(1)).unwrap().dispersion_ns, none);
    }

    #[test]
    fn jitter_is_the_root_of_the_mean_square() {
        let mut filter = Filter::new(0);
        for (at, offset) in [(0, 0), (1, 3), (2, 4)] {
            filter.push(sample(at, 100 + at, offset * SECOND));
        }
        let jitter = filter.estimate(UnixTime::EPOCH).unwrap().jitter_ns;
        assert_eq!(jitter, 3_535_533_905); // sqrt((9 + 16) / 2)
    }

    #[test]
    fn the_ends_do_not_overflow() {
        let mut filter = Filter::new(i64::MAX);
        for offset in [i64::MIN, i64::MAX, i64::MIN, i64::MAX] {
            let edge = Sample {
                at: UnixTime::MIN,
                dispersion_ns: i64::MAX,
                root_delay_ns: i64::MAX,
                root_dispersion_ns: i64::MAX,
                ..sample(0, i64::MAX, offset)
            };
            assert_eq!(edge.error_ns(), i64::MAX);
            filter.push(edge);
        }
        let estimate = filter.estimate(UnixTime::MAX).unwrap();
        assert_eq!(estimate.root_distance_ns(i64::MAX), i64::MAX);
    }
}
