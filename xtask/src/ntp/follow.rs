//! A client that follows a server in real time, with every rule of its clock looked at on the way.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use synod_clock::UnixTime;
use synod_clock::interval::Interval;
use synod_clock::ntp::{Client, ClientOptions, DisciplineOptions, Outcome, PollOptions, Sample};
use synod_clock::source::{raw_ns, realtime};

/// How long a large offset must last: real seconds, so fewer than the 900 of RFC 5905.
pub(super) const STEPOUT: Duration = Duration::from_secs(4);
/// How much earlier than the first doubt the last good sample may have been.
const GOOD_BEFORE: Duration = Duration::from_millis(2500);
/// The system's clock is slewed itself, by whoever keeps it right, and the two counters are not read at one moment.
const SLACK_PPM: i64 = 100;
const SLACK_NS: i64 = 200_000;

/// A client of one server.
pub(super) struct Follower {
    client: Client,
    socket: UdpSocket,
    /// Where the reading and the counter stood after the last step.
    since: (UnixTime, u64),
    held: UnixTime,
    doubted_at_ns: Option<u64>,
    /// Outcomes so far.
    pub(super) doubts: u32,
    pub(super) steps: u32,
    /// The first rule that did not hold.
    pub(super) broken: Option<String>,
}

/// What a look at the clock shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) elapsed: Duration,
    pub(super) system: UnixTime,
    pub(super) reading: UnixTime,
    pub(super) held: UnixTime,
    /// The reading less the system's clock.
    pub(super) off_ns: i64,
    pub(super) interval: Option<Interval>,
    /// Of the answer that was just taken.
    pub(super) sample: Option<Sample>,
    pub(super) outcome: Option<Outcome>,
}

impl Follower {
    pub(super) fn new(server: SocketAddr) -> Result<Self> {
        let every = Duration::from_millis(100);
        let options = ClientOptions {
            poll: PollOptions { interval: every, burst_interval: every, ..PollOptions::default() },
            discipline: DisciplineOptions {
                stepout: STEPOUT,
                time_constant: Duration::from_secs(1),
                // Too little time to learn a frequency in.
                maximum_frequency_ppb: 0,
                ..DisciplineOptions::default()
            },
            ..ClientOptions::default()
        };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(server)?;
        let (now_ns, reading) = (raw_ns(), realtime());
        Ok(Self {
            client: Client::new(options, 1, now_ns, reading),
            socket,
            since: (reading, now_ns),
            held: UnixTime::MIN,
            doubted_at_ns: None,
            doubts: 0,
            steps: 0,
            broken: None,
        })
    }

    /// Asks and listens until `done`, a rule is broken, or `patience` is at its end: then nothing.
    pub(super) fn until(&mut self, patience: Duration, done: impl Fn(&Seen) -> bool) -> Result<Option<Seen>> {
        let started = Instant::now();
        while started.elapsed() < patience && self.broken.is_none() {
            let (sample, outcome) = self.exchange()?;
            let seen = self.look(started, sample, outcome);
            self.judge(&seen);
            if self.broken.is_none() && done(&seen) {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    /// Sends what is due and takes one answer, if one comes before the next question is due.
    fn exchange(&mut self) -> Result<(Option<Sample>, Option<Outcome>)> {
        while let Some((_, question)) =
            self.client.question(raw_ns(), RandomState::new().build_hasher().finish())
        {
            // A server that is not up yet refuses, which is heard with a later call.
            if let Err(error) = self.socket.send(&question) {
                anyhow::ensure!(error.kind() == ErrorKind::ConnectionRefused, error);
            }
        }
        let now_ns = raw_ns();
        let due_ns = self.client.next_question_at_ns(now_ns).unwrap_or(now_ns);
        let wait = Duration::from_nanos(due_ns.saturating_sub(now_ns)).max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(wait))?;
        let mut bytes = [0; 128];
        let length = match self.socket.recv(&mut bytes) {
            Ok(length) => length,
            Err(error) => {
                let quiet = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::ConnectionRefused];
                anyhow::ensure!(quiet.contains(&error.kind()), error);
                if error.kind() == ErrorKind::ConnectionRefused {
                    std::thread::sleep(wait);
                }
                return Ok((None, None));
            }
        };
        let answer = bytes.get(..length).unwrap_or_default();
        Ok(match self.client.answer(0, answer, raw_ns()) {
            Ok(accepted) => (Some(accepted.sample), accepted.outcome),
            Err(_) => (None, None),
        })
    }

    fn look(&mut self, started: Instant, sample: Option<Sample>, outcome: Option<Outcome>) -> Seen {
        let (now_ns, system) = (raw_ns(), realtime());
        let reading = self.client.reading(now_ns);
        Seen {
            elapsed: started.elapsed(),
            system,
            reading,
            held: self.client.monotone(now_ns),
            off_ns: reading.nanos_since(system),
            interval: self.client.interval(now_ns),
            sample,
            outcome,
        }
    }

    /// Rates, order and the stepout.
    fn judge(&mut self, seen: &Seen) {
        let now_ns = raw_ns();
        match seen.outcome {
            Some(Outcome::Doubted { .. }) => {
                self.doubts += 1;
                self.doubted_at_ns.get_or_insert(now_ns);
            }
            Some(Outcome::Stepped { offset_ns }) => {
                self.steps += 1;
                let lasted = self.doubted_at_ns.map(|at| Duration::from_nanos(now_ns.saturating_sub(at)));
                // The stepout counts from the last good sample, which may be eight questions older than the first doubt.
                if lasted.is_none_or(|it| it + GOOD_BEFORE < STEPOUT) {
                    self.broken = Some(format!("stepped by {offset_ns} ns after {lasted:?} of doubt"));
                }
                self.since = (self.client.reading(now_ns), now_ns);
            }
            Some(Outcome::Slewing { .. }) => self.doubted_at_ns = None,
            _ => {}
        }
        let (from, from_ns) = self.since;
        let passed = i64::try_from(now_ns.saturating_sub(from_ns)).unwrap_or(i64::MAX);
        let gained = self.client.reading(now_ns).nanos_since(from) - passed;
        let most = passed / 1_000_000 * (500 + SLACK_PPM) + SLACK_NS;
        if gained.abs() > most {
            self.broken = Some(format!("gained {gained} ns in {passed} ns, faster than 500 ppm"));
        }
        if seen.held < self.held {
            self.broken = Some("the monotone reading went back".to_owned());
        }
        self.held = seen.held;
    }
}
