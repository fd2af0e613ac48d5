//! How far the clocks of peers are off, and how fast they drift.
//!
//! Each peer's last offsets are fitted by a straight line (least squares): its slope is the drift, what the offsets
//! differ from it tells how sure that is. A bound that is surely broken is an alert; one that may be is a suspicion.
//!
//! ```
//! use synod_clock::UnixTime;
//! use synod_clock::drift::{DriftMonitor, DriftOptions, Level, Observation};
//!
//! let mut monitor = DriftMonitor::new(DriftOptions::default());
//! for minute in 0..10_i64 {
//!     // The peer gains 80 µs a second: 80 ppm.
//!     let observation = Observation {
//!         at: UnixTime::from_secs(minute * 60),
//!         offset_ns: minute * 60 * 80_000,
//!         error_ns: 500_000,
//!     };
//!     monitor.observe("b", observation);
//! }
//! let report = monitor.report(&"b").ok_or("no such peer")?;
//! assert_eq!(report.drift_ppb, Some(80_000));
//! assert_eq!(report.level, Level::Good);
//! # Ok::<(), &str>(())
//! ```

mod line;
mod show;

pub use show::{Metrics, Table};

use alloc::collections::{BTreeMap, VecDeque};

use crate::unix::UnixTime;

/// How peers are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DriftOptions {
    /// Observations kept of each peer: 32.
    pub kept: usize,
    /// An offset over this is an alert: 250 ms.
    pub offset_bound_ns: i64,
    /// A drift over this is an alert: 500 ppm, what NTP can correct.
    pub drift_bound_ppb: i64,
    /// Peers of which nothing is kept beyond this many: 1024. Of a new one more, the one not heard of for longest goes.
    pub peers: usize,
}

impl Default for DriftOptions {
    fn default() -> Self {
        Self { kept: 32, offset_bound_ns: 250_000_000, drift_bound_ppb: 500_000, peers: 1024 }
    }
}

/// One measurement, as an exchange of NTP gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observation {
    /// When, by the observer's clock.
    pub at: UnixTime,
    /// How far the peer's clock was ahead.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub offset_ns: i64,
    /// How wrong that may be.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub error_ns: i64,
}

/// The observer's memory of its peers. `P` names them.
#[derive(Clone, Debug)]
pub struct DriftMonitor<P> {
    options: DriftOptions,
    peers: BTreeMap<P, VecDeque<Observation>>,
}

/// What is known of one peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report {
    /// The last observation.
    pub last: Observation,
    /// How many observations the rest is from.
    pub observations: usize,
    /// How fast the peer gains on the observer, in parts per billion; nothing from fewer than three observations.
    #[cfg_attr(feature = "serde", serde(with = "crate::number::option"))]
    pub drift_ppb: Option<i64>,
    /// With a confidence of 95 %, the drift is within this of what is stated.
    #[cfg_attr(feature = "serde", serde(with = "crate::number::option"))]
    pub drift_error_ppb: Option<i64>,
    /// How it stands against the bounds.
    pub level: Level,
}

/// How a peer stands against the bounds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Level {
    /// Within both bounds for sure.
    Good,
    /// A bound may be broken: it is within what may be wrong.
    Suspect,
    /// A bound is surely broken.
    Alert,
}

impl<P: Ord> DriftMonitor<P> {
    /// Knows nobody.
    pub const fn new(options: DriftOptions) -> Self {
        Self { options, peers: BTreeMap::new() }
    }

    /// Takes an observation of a peer. One that is not later than the last is left out, and says `false`. So is every
    /// one after the observer's own clock was set back, until it is past the last again: see
    /// [`forget_all`](Self::forget_all).
    pub fn observe(&mut self, peer: P, observation: Observation) -> bool
    where
        P: Clone,
    {
        if !self.peers.contains_key(&peer) && self.peers.len() >= self.options.peers.max(1) {
            let oldest = self.peers.iter().min_by_key(|(_, kept)| kept.back().map(|it| it.at));
            if let Some(oldest) = oldest.map(|(peer, _)| peer.clone()) {
                self.peers.remove(&oldest);
            }
        }
        let kept = self.peers.entry(peer).or_default();
        if kept.back().is_some_and(|last| observation.at <= last.at) {
            return false;
        }
        if kept.len() >= self.options.kept.max(3) {
            kept.pop_front();
        }
        kept.push_back(observation);
        true
    }

    /// Forgets what was seen of a peer: its clock was set, or it is gone.
    pub fn forget(&mut self, peer: &P) {
        self.peers.remove(peer);
    }

    /// Forgets what was seen of all peers: the observer's own clock was set. What was seen before is not on one line
    /// with what comes, and where it was set back nothing would be taken until it is past the last observation.
    pub fn forget_all(&mut self) {
        self.peers.clear();
    }

    /// What is known of a peer.
    pub fn report(&self, peer: &P) -> Option<Report> {
        self.peers.get(peer).and_then(|kept| self.judge(kept))
    }

    /// What is known of all, in order.
    pub fn reports(&self) -> impl Iterator<Item = (&P, Report)> {
        self.peers.iter().filter_map(|(peer, kept)| Some((peer, self.judge(kept)?)))
    }

    /// A table for people.
    pub const fn table(&self) -> Table<'_, P> {
        Table(self)
    }

    /// The same for a metrics collector, in the text format of Prometheus and OpenMetrics.
    pub const fn metrics(&self) -> Metrics<'_, P> {
        Metrics(self)
    }

    fn judge(&self, kept: &VecDeque<Observation>) -> Option<Report> {
        let last = *kept.back()?;
        let line = line::fit(kept.iter());
        let mut level = level(last.offset_ns, last.error_ns, self.options.offset_bound_ns);
        if let Some(line) = line {
            level = level.max(self::level(line.slope_ppb, line.error_ppb, self.options.drift_bound_ppb));
        }
        Some(Report {
            last,
            observations: kept.len(),
            drift_ppb: line.map(|it| it.slope_ppb),
            drift_error_ppb: line.map(|it| it.error_ppb),
            level,
        })
    }
}

fn level(value: i64, error: i64, bound: i64) -> Level {
    let (value, error, bound) = (value.saturating_abs(), error.saturating_abs(), bound.saturating_abs());
    if value.saturating_sub(error) > bound {
        Level::Alert
    } else if value.saturating_add(error) > bound {
        Level::Suspect
    } else {
        Level::Good
    }
}
