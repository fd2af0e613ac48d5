//! A source whose hands a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use synod_clock::hybrid::{HybridClock, JumpPolicy, Jumps, Micros, Options, Physical, Timestamp};

/// A wall and a monotonic clock, in microseconds. Clones share the hands.
#[derive(Clone, Debug)]
pub(crate) struct Hands {
    wall: Arc<AtomicU64>,
    monotonic: Arc<AtomicU64>,
    has_monotonic: bool,
    readings: Arc<AtomicU64>,
}

impl Hands {
    pub(crate) fn at(wall: u64) -> Self {
        let number = |value| Arc::new(AtomicU64::new(value));
        Self { wall: number(wall), monotonic: number(7), has_monotonic: true, readings: number(0) }
    }

    pub(crate) fn without_monotonic(wall: u64) -> Self {
        Self { has_monotonic: false, ..Self::at(wall) }
    }

    /// Sets the wall clock, and that alone.
    pub(crate) fn set(&self, wall: u64) {
        self.wall.store(wall, Ordering::Relaxed);
    }

    /// Time passes on both.
    pub(crate) fn advance(&self, micros: u64) {
        self.wall.fetch_add(micros, Ordering::Relaxed);
        self.monotonic.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn wall_us(&self) -> u64 {
        self.wall.load(Ordering::Relaxed)
    }

    /// How often the wall was read.
    pub(crate) fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }
}

impl Physical for Hands {
    fn wall_ns(&self) -> u64 {
        self.readings.fetch_add(1, Ordering::Relaxed);
        self.wall_us().saturating_mul(1000)
    }
    fn monotonic_ns(&self) -> u64 {
        if self.has_monotonic { self.monotonic.load(Ordering::Relaxed) * 1000 } else { 0 }
    }
}

/// 2024-01-01, in microseconds.
pub(crate) const NOW: u64 = 1_704_067_200_000_000;
pub(crate) const MILLI: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const HOUR: u64 = 3_600 * SECOND;

pub(crate) fn stamp(physical: u64, logical: u64) -> Timestamp {
    Timestamp::from_parts(physical, logical).unwrap()
}

pub(crate) fn clock(hands: &Hands, options: Options) -> HybridClock<Hands, Micros> {
    HybridClock::with_options(hands.clone(), options)
}

/// No limit but the layout's.
pub(crate) fn boundless() -> Options {
    Options {
        max_offset: Duration::MAX,
        max_lead: Duration::MAX,
        jumps: Jumps { policy: JumpPolicy::Ignore, ..Jumps::default() },
        ..Options::default()
    }
}
