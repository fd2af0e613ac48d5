//! Several servers and one disciplined clock: what a whole NTP client does between its sockets.

use alloc::vec::Vec;

use super::association::{Association, PollOptions, Rejection};
use super::discipline::{Correction, Discipline, DisciplineOptions, Outcome};
use super::filter::Sample;
use super::packet::Packet;
use super::select::{Candidate, SelectOptions, Selection, select};
use crate::interval::Interval;
use crate::unix::{UnixTime, drift_ns, scaled};

/// All that can be chosen about a client. The defaults are those of RFC 5905.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientOptions {
    /// How servers are asked. Of this drift bound and the discipline's, the larger counts for both.
    pub poll: PollOptions,
    /// Which are believed.
    pub select: SelectOptions,
    /// What is done with the offset.
    pub discipline: DisciplineOptions,
}

/// A client of some servers, without a socket and without a clock: it is told what its counter shows and which
/// datagrams came, and gives datagrams to send.
///
/// - **Ask** [`next_question_at_ns`](Self::next_question_at_ns), [`reading`](Self::reading),
///   [`monotone`](Self::monotone), [`interval`](Self::interval).
/// - **Tell** [`answer`](Self::answer).
/// - **Take** [`question`](Self::question).
///
/// A first reading that is off by more than the panic threshold, 1000 s, is never corrected: every answer ends in
/// [`Outcome::Panicked`], and there is no interval. A machine whose clock does not survive the power wants
/// [`first_may_be_any`](DisciplineOptions::first_may_be_any).
#[derive(Clone, Debug)]
pub struct Client {
    servers: Vec<Association>,
    select: SelectOptions,
    drift_bound_ppb: i64,
    discipline: Discipline,
}

/// What an answer came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// What this answer said.
    pub sample: Sample,
    /// What the servers agree on now; nothing while too few have said enough.
    pub selection: Option<Selection>,
    /// What was done to the reading.
    pub outcome: Option<Outcome>,
}

impl Client {
    /// A client of `servers` servers, which are called 0, 1, 2, … from here on. `reading` is the time now as far as
    /// it is known.
    pub fn new(options: ClientOptions, servers: usize, local_ns: u64, reading: UnixTime) -> Self {
        let drift_bound_ppb = options.poll.drift_bound_ppb.max(options.discipline.drift_bound_ppb);
        let server = Association::new(PollOptions { drift_bound_ppb, ..options.poll }, reading);
        let discipline = DisciplineOptions { drift_bound_ppb, ..options.discipline };
        Self {
            servers: core::iter::repeat_n(server, servers).collect(),
            select: options.select,
            drift_bound_ppb,
            discipline: Discipline::new(discipline, local_ns, reading),
        }
    }

    /// What the counter will show when the next question is due; never when every server wants to be left alone.
    pub fn next_question_at_ns(&self, local_ns: u64) -> Option<u64> {
        let next = self.servers.iter().filter_map(Association::next_question_at).min()?;
        let wait = next.since(self.discipline.free(local_ns));
        Some(local_ns.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// A question that is due: for which server, and its bytes. Send it at once, and ask again until there is none.
    /// `cookie` must be unpredictable: see [`Association::question`].
    pub fn question(&mut self, local_ns: u64, cookie: u64) -> Option<(usize, [u8; Packet::LENGTH])> {
        let now = self.discipline.free(local_ns);
        self.servers
            .iter_mut()
            .enumerate()
            .find_map(|(server, it)| it.question(now, cookie).map(|bytes| (server, bytes)))
    }

    /// Takes a datagram that came from a server's address when the counter showed `local_ns`.
    ///
    /// # Errors
    /// It tells no time, or there is no such server ([`Rejection::Mode`]); the clock did not change.
    pub fn answer(&mut self, server: usize, bytes: &[u8], local_ns: u64) -> Result<Accepted, Rejection> {
        let now = self.discipline.free(local_ns);
        let sample = self.servers.get_mut(server).ok_or(Rejection::Mode)?.answer(bytes, now)?;
        let (selection, newest) = self.select(now);
        let outcome = selection.as_ref().zip(newest).map(|(selection, at)| {
            // What is known now, carried back to when the best survivor was heard: no sample corrects twice.
            let (age_ns, frequency_ppb) = (now.nanos_since(at), self.discipline.frequency_ppb());
            let rate_ppb = self.drift_bound_ppb.max(0).saturating_add(frequency_ppb.saturating_abs());
            let error_ns = selection.error_ns().saturating_add(drift_ns(age_ns, rate_ppb));
            let offset_ns = selection.offset_ns.saturating_sub(scaled(age_ns, frequency_ppb));
            self.discipline.correct(Correction { at, offset_ns, error_ns }, local_ns)
        });
        Ok(Accepted { sample, selection, outcome })
    }

    /// The disciplined time.
    pub fn reading(&self, local_ns: u64) -> UnixTime {
        self.discipline.reading(local_ns)
    }

    /// The disciplined time, which never goes back.
    pub fn monotone(&mut self, local_ns: u64) -> UnixTime {
        self.discipline.monotone(local_ns)
    }

    /// What holds true time, if most servers say true and the counter drifts no more than stated; nothing as long as
    /// too few have answered.
    pub fn interval(&self, local_ns: u64) -> Option<Interval> {
        self.discipline.interval(local_ns)
    }

    /// The clock itself.
    pub const fn discipline(&self) -> &Discipline {
        &self.discipline
    }

    /// What the servers agree on, and when the best survivor's sample was taken.
    fn select(&self, now: UnixTime) -> (Option<Selection>, Option<UnixTime>) {
        let frequency_ppb = self.discipline.frequency_ppb();
        let estimates: Vec<_> =
            self.servers.iter().map(|it| it.estimate_at_rate(now, frequency_ppb)).collect();
        let candidates: Vec<Candidate> = estimates
            .iter()
            .enumerate()
            .map(|(server, estimate)| match estimate {
                Some(estimate) => Candidate {
                    server,
                    offset_ns: estimate.offset_ns,
                    root_distance_ns: estimate.root_distance_ns(self.select.minimum_distance_ns),
                    jitter_ns: estimate.jitter_ns,
                    stratum: estimate.sample.stratum,
                },
                None => Candidate::absent(server),
            })
            .collect();
        let selection = select(&candidates, &self.select);
        let best = selection.as_ref().and_then(|it| it.survivors.first().copied());
        let newest = best.and_then(|server| estimates.get(server).copied().flatten()).map(|it| it.sample.at);
        (selection, newest)
    }
}
