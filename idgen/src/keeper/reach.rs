//! How far a ceiling reaches, and when the next is due: arithmetic on positions.

use core::time::Duration;

use crate::layout::{Fields, Layout, Position};

/// Parts of a window: the least and the most that a ceiling reaches beyond a generator ahead of its wall, and how often
/// its keeper looks.
const LEAST_PART: u64 = 1024;
const MOST_PART: u64 = 8;
const LOOKS: u32 = 64;

/// The reach of one life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<L: Layout> {
    window: Duration,
    /// Where the life started.
    started: Position<L>,
}

impl<L: Layout> Reach<L> {
    /// A tick at least, and no more than this.
    pub(crate) fn is_window(window: Duration, most: Duration) -> bool {
        L::ticks_in(window) > 0 && window <= most
    }

    pub(crate) fn new(window: Duration, started: Position<L>) -> Self {
        Self { window, started }
    }

    pub(crate) fn started(&self) -> Position<L> {
        self.started
    }

    /// Beyond the wall by a window, or beyond the next position by a reserve. `Target` of the specification.
    pub(crate) fn target(&self, next: Position<L>, wall: Duration) -> Position<L> {
        Position::at(wall).plus_time(self.window).max(next.plus(self.reserve(next)))
    }

    /// `Due` of the specification: half a window is left before the wall comes to the ceiling, or half a reserve before
    /// the positions do. Never at the end of the layout's time: no ceiling is above that.
    pub(crate) fn is_due(&self, next: Position<L>, ceiling: Position<L>, wall: Duration) -> bool {
        let left = ceiling.as_u64().saturating_sub(Position::<L>::at(wall).as_u64());
        let room = ceiling.as_u64().saturating_sub(next.as_u64());
        ceiling < Position::END && (left <= self.positions() / 2 || room <= self.reserve(next) / 2)
    }

    /// Zero exactly when it [is due](Self::is_due).
    pub(crate) fn due_in(&self, next: Position<L>, ceiling: Position<L>, wall: Duration) -> Duration {
        if ceiling == Position::END {
            return Duration::MAX;
        }
        if self.is_due(next, ceiling, wall) {
            return Duration::ZERO;
        }
        let left = ceiling.time().saturating_sub(wall).saturating_sub(self.window / 2);
        let room = ceiling.as_u64().saturating_sub(next.as_u64());
        let look = self.window / LOOKS;
        let due = if room <= self.part(MOST_PART) { left.min(look) } else { left };
        due.max(L::span_of(1)) // not due, and so not before the next tick
    }

    /// As far as this life has come, within bounds: a short life adds little, and a long one writes seldom.
    fn reserve(&self, next: Position<L>) -> u64 {
        let come = next.as_u64().saturating_sub(self.started.as_u64());
        come.clamp(self.part(LEAST_PART), self.part(MOST_PART))
    }

    /// A part of a window in positions, a tick at least.
    fn part(&self, part: u64) -> u64 {
        (self.positions() / part).max(1 << L::SEQUENCE_BITS)
    }

    fn positions(&self) -> u64 {
        Position::<L>::ZERO.plus_time(self.window).as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Mastodon;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ceiling_is_a_window_beyond_the_wall_and_due_at_half() {
        let reach = Reach::<Mastodon>::new(2 * SECOND, Position::ZERO);
        let (next, wall) = (Position::at(100 * SECOND), 100 * SECOND);
        let ceiling = reach.target(next, wall);
        assert_eq!(ceiling, Position::at(102 * SECOND));
        assert_eq!(reach.due_in(next, ceiling, wall), SECOND);
        let later = wall + SECOND - Duration::from_millis(1);
        assert_eq!(reach.due_in(Position::at(later), ceiling, later), Duration::from_millis(1));
        assert!(reach.is_due(Position::at(wall + SECOND), ceiling, wall + SECOND));
    }

    #[test]
    fn ahead_of_the_wall_a_short_life_adds_a_thousandth_and_a_long_one_an_eighth() {
        let started = Position::<Mastodon>::at(100 * SECOND);
        let reach = Reach::new(2 * SECOND, started);
        let window = 2_000 << 16;
        assert_eq!(reach.target(started, SECOND), started.plus(window / 1024));
        assert_eq!(reach.target(started.plus(window / 100), SECOND), started.plus(window / 50));
        assert_eq!(reach.target(started.plus(window), SECOND), started.plus(window + window / 8));
        let ceiling = started.plus(window / 1024);
        assert!(!reach.is_due(started, ceiling, SECOND));
        assert_eq!(reach.due_in(started, ceiling, SECOND), 2 * SECOND / 64);
        assert!(reach.is_due(started.plus(window / 2048 + 1), ceiling, SECOND));
    }

    #[test]
    fn at_the_end_of_time_nothing_is_due() {
        let reach = Reach::<Mastodon>::new(2 * SECOND, Position::ZERO);
        let end = Position::END;
        assert_eq!(reach.target(end, Duration::MAX), end);
        assert_eq!(reach.due_in(end, end, Duration::MAX), Duration::MAX);
    }
}
