//! What a client knows of one server, and which answers it believes (RFC 5905 §8 and §9.2).

use core::time::Duration;

use super::fault::{Fault, Faults, Sound};
use super::filter::{Estimate, Filter, MAXIMUM_DISPERSION_NS, Sample};
use super::packet::{Kiss, Leap, Mode, Packet, PacketError};
use super::round_trip::RoundTrip;
use super::timestamp::NtpTimestamp;
use crate::unix::{UnixTime, drift_ns, nanos_of};

/// A server is slowed down to this at most (MAXPOLL): 36 hours.
const SLOWEST_POLL: Duration = Duration::from_secs(1 << 17);
/// How finely a client is taken to read its own clock.
const OWN_PRECISION_NS: i64 = 1000;

/// How a server is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PollOptions {
    /// Between two questions. A public server wants at least 64 s. The more seldom, the longer the frequency takes to be
    /// learned (days from 512 s on) and the older is the best of the last eight answers: the interval still holds true
    /// time, but gets wide.
    pub interval: Duration,
    /// Questions at the start, to fill the filter.
    pub burst: u8,
    /// Between those.
    pub burst_interval: Duration,
    /// What the client's free-running clock may drift, in parts per billion.
    pub drift_bound_ppb: i64,
}

impl Default for PollOptions {
    /// 64 s, after eight questions 2 s apart; 15 ppm (RFC 5905's MINPOLL, BCOUNT, BTIME and PHI).
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(64),
            burst: 8,
            burst_interval: Duration::from_secs(2),
            drift_bound_ppb: 15_000,
        }
    }
}

/// The client's side towards one server: gives the bytes of questions, takes the bytes of answers.
///
/// All times are of one *free-running* clock: it was set once and is neither stepped nor slewed afterwards, nor run at
/// another frequency. The [discipline](super::Discipline) keeps one.
#[derive(Clone, Debug)]
pub struct Association<F = Sound> {
    interval: Duration,
    burst_left: u8,
    options: PollOptions,
    next_at: UnixTime,
    pending: Option<Pending>,
    last_transmit: Option<NtpTimestamp>,
    /// One bit per question, newest lowest: was it answered?
    reach: u8,
    farewell: Option<Kiss>,
    filter: Filter<F>,
    faults: F,
}

/// A question that is on its way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    cookie: NtpTimestamp,
    sent: UnixTime,
}

impl Association {
    /// Asks from `start` on.
    pub const fn new(options: PollOptions, start: UnixTime) -> Self {
        Self::with_faults(options, start, Sound, Sound)
    }
}

impl<F: Faults> Association<F> {
    /// One that may deviate, and so may its filter; for tests.
    pub const fn with_faults(options: PollOptions, start: UnixTime, faults: F, of_filter: F) -> Self {
        Self {
            interval: options.interval,
            burst_left: options.burst,
            options,
            next_at: start,
            pending: None,
            last_transmit: None,
            reach: 0,
            farewell: None,
            filter: Filter::with_faults(options.drift_bound_ppb, of_filter),
            faults,
        }
    }

    /// When to ask next; never again when the server has said to stay away.
    pub fn next_question_at(&self) -> Option<UnixTime> {
        let stays_away = self.farewell.is_some() && !self.faults.has(Fault::AskOn);
        (!stays_away).then_some(self.next_at)
    }

    /// The kiss with which the server has said to stay away.
    pub const fn farewell(&self) -> Option<Kiss> {
        self.farewell
    }

    /// The next question, when it is due. Its moment should be `now` as nearly as can be.
    ///
    /// `cookie` is what the answer must repeat, in place of the time. Draw it from a source that an attacker cannot
    /// guess: whoever guesses it without seeing the question can set this clock.
    pub fn question(&mut self, now: UnixTime, cookie: u64) -> Option<[u8; Packet::LENGTH]> {
        if now < self.next_question_at()? {
            return None;
        }
        let wait = if self.burst_left > 0 { self.options.burst_interval } else { self.interval };
        self.burst_left = self.burst_left.saturating_sub(1);
        self.next_at = now.shifted(nanos_of(wait.max(Duration::from_nanos(1))));
        self.reach <<= 1;
        let cookie = NtpTimestamp::from_bits(cookie.max(1));
        self.pending = Some(Pending { cookie, sent: now });
        Some(Packet::question(cookie).encode())
    }

    /// Takes a datagram that came from the server's address at `now`.
    ///
    /// # Errors
    /// A [`Rejection`] says why it tells no time. Only a kiss that answers our question changes anything then: after any
    /// other the question stays open, and a true answer to it still counts.
    pub fn answer(&mut self, bytes: &[u8], now: UnixTime) -> Result<Sample, Rejection> {
        let packet = Packet::parse(bytes)?;
        if packet.mode != Mode::Server {
            return Err(Rejection::Mode);
        }
        let asked = self.pending.filter(|it| it.cookie == packet.origin || self.faults.has(Fault::AnyOrigin));
        if packet.stratum == 0 && (asked.is_some() || self.faults.has(Fault::AnyKiss)) {
            self.pending = None;
            return Err(self.kissed(packet.reference_id.kiss()));
        }
        let Some(asked) = asked else {
            let again = self.last_transmit == Some(packet.transmit);
            return Err(if again { Rejection::Replay } else { Rejection::Origin });
        };
        if self.faults.has(Fault::UseUp) {
            self.pending = None;
        }
        self.check_server(&packet)?;
        let sample = self.measure(&packet, asked.sent, now)?;
        if !self.faults.has(Fault::Replay) {
            self.pending = None;
        }
        self.last_transmit = Some(packet.transmit);
        self.reach |= 1;
        self.filter.push(sample);
        Ok(sample)
    }

    /// What all answers say together; nothing when none of the last eight questions was answered.
    pub fn estimate(&self, now: UnixTime) -> Option<Estimate> {
        self.estimate_at_rate(now, 0)
    }

    /// [`estimate`](Self::estimate), carried on at the frequency that was learned: [`Filter::estimate_at_rate`].
    pub fn estimate_at_rate(&self, now: UnixTime, frequency_ppb: i64) -> Option<Estimate> {
        if self.reach == 0 { None } else { self.filter.estimate_at_rate(now, frequency_ppb) }
    }

    fn kissed(&mut self, kiss: Kiss) -> Rejection {
        match kiss {
            Kiss::Deny | Kiss::Restrict => self.farewell = Some(kiss),
            Kiss::Rate if !self.faults.has(Fault::SamePace) => {
                self.burst_left = 0;
                let slower = self.interval.saturating_mul(2).clamp(Duration::from_secs(1), SLOWEST_POLL);
                let never_faster = if self.faults.has(Fault::Hasten) { slower } else { self.interval };
                self.interval = slower.max(never_faster);
                self.next_at = self.next_at.shifted(nanos_of(self.interval));
            }
            Kiss::Rate | Kiss::Other(_) => {}
        }
        Rejection::Kiss(kiss)
    }

    /// RFC 5905 §9.2, tests 6 and 7: does the server know the time itself?
    fn check_server(&self, packet: &Packet) -> Result<(), Rejection> {
        let unset = packet.leap == Leap::Unsynchronised || packet.stratum == 0 || packet.stratum >= 16;
        if unset && !self.faults.has(Fault::Unsynchronised) {
            return Err(Rejection::Unsynchronised);
        }
        let distance = packet.root_delay.to_nanos() / 2 + packet.root_dispersion.to_nanos();
        if distance >= MAXIMUM_DISPERSION_NS {
            return Err(Rejection::Distance(distance));
        }
        Ok(())
    }

    fn measure(&self, packet: &Packet, sent: UnixTime, now: UnixTime) -> Result<Sample, Rejection> {
        if packet.receive == NtpTimestamp::ZERO || packet.transmit == NtpTimestamp::ZERO {
            return Err(Rejection::NoTime);
        }
        let stamps =
            [NtpTimestamp::from_unix(sent), packet.receive, packet.transmit, NtpTimestamp::from_unix(now)];
        let trip = RoundTrip::from_timestamps(stamps);
        if trip.server_send < trip.server_receive || trip.client_receive < 0 {
            return Err(Rejection::Backwards);
        }
        let precision_ns = precision_ns(packet.precision) + OWN_PRECISION_NS;
        let drift_ns = drift_ns(now.nanos_since(sent), self.options.drift_bound_ppb);
        Ok(Sample {
            at: now,
            offset_ns: trip.offset_ns(),
            delay_ns: trip.delay_ns().max(precision_ns),
            dispersion_ns: precision_ns.saturating_add(drift_ns),
            root_delay_ns: packet.root_delay.to_nanos(),
            root_dispersion_ns: packet.root_dispersion.to_nanos(),
            stratum: packet.stratum,
            leap: packet.leap,
        })
    }
}

/// Why a datagram tells no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is no NTP packet.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// It is not from a server: a question, or another mode of NTP.
    #[error("it is no server's answer")]
    Mode,
    /// It repeats no question of ours that is open: forged, or too late.
    #[error("it answers no open question of ours")]
    Origin,
    /// It was taken before.
    #[error("it was taken before")]
    Replay,
    /// The server's wish: after [`Kiss::Rate`] it is asked half as often, down to every 36 hours (or as seldom as it
    /// was, if that is less often), after [`Kiss::Deny`] and [`Kiss::Restrict`] never.
    #[error("the server gives no time: {0:?}")]
    Kiss(Kiss),
    /// The server's clock is not set.
    #[error("the server's clock is not set")]
    Unsynchronised,
    /// The server itself does not know the time any better than this.
    #[error("the server may be wrong by {0} ns")]
    Distance(i64),
    /// The server left its times out.
    #[error("the server left its times out")]
    NoTime,
    /// A clock went back between question and answer: the server's, or the one that should run free.
    #[error("a clock went back between question and answer")]
    Backwards,
}

/// 2^`log2` s, in nanoseconds; between one and 16 s.
fn precision_ns(log2: i8) -> i64 {
    match u32::from(log2.unsigned_abs()) {
        up if log2 > 0 => (1_000_000_000_i64 << up.min(4)).min(MAXIMUM_DISPERSION_NS),
        down => (1_000_000_000_i64 >> down.min(31)).max(1),
    }
}
