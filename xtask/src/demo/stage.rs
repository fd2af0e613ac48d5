//! The clock that everything is dated by, and what the audience sees while it runs.

use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};

/// Shared by all tasks of a run.
#[derive(Clone)]
pub(super) struct Stage {
    start: Instant,
    wall: SystemTime,
    length: Duration,
    bar: ProgressBar,
    over: Arc<AtomicBool>,
}

impl Stage {
    /// Starts the clock. The bar shows itself on a terminal only.
    pub(super) fn new(length: Duration) -> Self {
        let bar = ProgressBar::new(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:40.cyan/dim} {msg}") {
            bar.set_style(style);
        }
        Self { start: Instant::now(), wall: SystemTime::now(), length, bar, over: Arc::default() }
    }

    /// Time since the start.
    pub(super) fn at(&self) -> Duration {
        self.start.elapsed()
    }

    /// Time since the start in nanoseconds, as histories have it.
    pub(super) fn nanos(&self) -> u64 {
        u64::try_from(self.at().as_nanos()).unwrap_or(u64::MAX)
    }

    /// What a clock on the wall showed at the start, in nanoseconds since 1970.
    pub(super) fn unix_nanos(&self) -> u64 {
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// What is left for the clients.
    pub(super) fn left(&self) -> Duration {
        self.length.saturating_sub(self.at())
    }

    /// Moves the bar.
    pub(super) fn tick(&self, operations: u64) {
        let at = self.at().min(self.length);
        self.bar.set_position(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        self.bar.set_message(format!("{operations} operations"));
    }

    /// Prints a line, dated.
    pub(super) fn say(&self, what: Arguments<'_>) {
        let line = format!("{:7.2} s  {what}", self.at().as_secs_f64());
        if self.bar.is_hidden() { println!("{line}") } else { self.bar.println(line) }
    }

    /// Tells the clients to come to an end.
    pub(super) fn call_off(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether the clients were told so.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
