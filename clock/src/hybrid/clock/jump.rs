//! Telling a wall that was set from time that passed.
//!
//! ```text
//!  wall − monotonic = shift     a jump is a change of it; time that passes, and slewing of both, is none
//!
//!  ──────look────────────────mark──────────────────────▶ wall
//!          └──── forward / 2 ──┘      a reading behind the mark: look again before any stamp by it
//! ```
//!
//! Either reading takes 64 bits, so their difference takes 65. One atomic number holds half of it: a shift is known to
//! two nanoseconds, and no jump is long enough to be taken for another.

use core::time::Duration;

use super::{Derived, HybridClock, HybridError, JumpPolicy, Layout, Ordering, Physical};
use crate::hybrid::error::Direction;

/// Makes halves of shifts, from −2⁶³ on, numbers from zero on.
const OFFSET: i128 = 1 << 63;

/// Readings of both clocks, the wall's between two of the other.
struct Readings {
    wall_ns: u64,
    /// The shift is between these two, in nanoseconds.
    least: i128,
    most: i128,
}

impl Readings {
    fn of(source: &impl Physical) -> Self {
        let before = source.monotonic_ns();
        let wall_ns = source.wall_ns();
        let after = source.monotonic_ns();
        let shift_from = |monotonic_ns| i128::from(wall_ns) - i128::from(monotonic_ns);
        Self { wall_ns, least: shift_from(after), most: shift_from(before) }
    }

    /// How sure the shift is.
    fn width(&self) -> Duration {
        positive(self.most - self.least)
    }
}

impl<P: Physical, L: Layout> HybridClock<P, L> {
    /// Goes on by the wall as it is now, after [`HybridError::Jumped`] under [`JumpPolicy::Refuse`].
    pub fn accept_jump(&self) {
        // Counting never fails.
        let _: Result<(), HybridError> = self.look_for_jumps(JumpPolicy::Count);
    }

    pub(super) fn begin_looking(&self) {
        if self.options.jumps.policy != JumpPolicy::Ignore {
            let first = Readings::of(&self.source);
            self.state.shift.store(halved(first.least), Ordering::Relaxed);
            self.state.mark.store(self.mark_after(first.wall_ns), Ordering::Relaxed);
        }
    }

    /// Compares the shift with that of the last look, and sets the mark for the next.
    ///
    /// Whoever sets the mark asks afterwards whether the shift is still the one it belongs to, and else looks again.
    /// So the last mark to be set belongs to the last shift, and a step back that others see meanwhile is never
    /// left with a mark from before it.
    pub(super) fn look_for_jumps(&self, policy: JumpPolicy) -> Result<(), HybridError> {
        if policy == JumpPolicy::Ignore || self.options.jumps.policy == JumpPolicy::Ignore {
            return Ok(());
        }
        let mut found = Ok(());
        loop {
            let known = self.state.shift.load(Ordering::Acquire);
            let readings = Readings::of(&self.source);
            let jump = self.jump(known, &readings);
            if let (Some((direction, by)), JumpPolicy::Refuse) = (jump, policy) {
                return Err(HybridError::Jumped { by, direction });
            }
            let sure = readings.width() <= self.options.jumps.forward / 4;
            let shift = if jump.is_some() || sure { halved(readings.least) } else { known };
            if !self.replace_shift(known, shift) {
                continue;
            }
            if let Some((direction, by)) = jump {
                match direction {
                    Direction::Forward => self.counters.jumps_forward.count(),
                    Direction::Backward => self.counters.jumps_backward.count(),
                }
                if policy == JumpPolicy::Report {
                    found = Err(HybridError::Jumped { by, direction });
                }
            }
            self.state.mark.store(self.mark_after(readings.wall_ns), Ordering::Release);
            if self.replace_shift(shift, shift) {
                return found;
            }
        }
    }

    /// A read-modify-write, also where nothing is to change: it cannot overlook what another thread has set.
    fn replace_shift(&self, known: u64, new: u64) -> bool {
        self.state.shift.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The jump since the shift was `known`, if there certainly was one.
    fn jump(&self, known: u64, readings: &Readings) -> Option<(Direction, Duration)> {
        let jumps = &self.options.jumps;
        // Of the two that it may have been the lesser: no step forward is overlooked.
        let known = (i128::from(known) - OFFSET) * 2;
        let (forward, backward) = (positive(readings.least - known), positive(known - readings.most));
        if forward > jumps.forward {
            Some((Direction::Forward, forward))
        } else if backward > jumps.backward {
            Some((Direction::Backward, backward))
        } else {
            None
        }
    }

    /// The reading from which the next look is due. At the end of the layout there is none.
    fn mark_after(&self, wall_ns: u64) -> u64 {
        L::packed(Duration::from_nanos(wall_ns).saturating_add(self.options.jumps.forward / 2))
    }
}

/// Half of a shift, rounded down, as the clock keeps it.
fn halved(shift: i128) -> u64 {
    // A shift is more than −2⁶⁴ and less than 2⁶⁴, so this always fits.
    u64::try_from((shift >> 1) + OFFSET).unwrap_or(u64::MAX)
}

/// A difference as a span; zero when it is negative.
fn positive(difference: i128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    let nanos = u128::try_from(difference).unwrap_or(0);
    let whole = u64::try_from(nanos / PER_SECOND).unwrap_or(u64::MAX);
    let part = u32::try_from(nanos % PER_SECOND).unwrap_or(0);
    Duration::new(whole, part)
}
