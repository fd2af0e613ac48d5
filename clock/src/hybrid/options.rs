//! What a hybrid clock takes, and what it refuses.

use core::time::Duration;

/// What to do with a remote stamp that lies further ahead of the own wall than
/// [`max_offset`](Options::max_offset). The wall is what it is compared with, never the hybrid clock: else a chain of
/// nodes could each add the most that is allowed. Stamps of the past are always taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OffsetPolicy {
    /// Refuse it; the clock stays as it is. The default.
    Reject,
    /// Take it and count it, unless it lies ahead even of [`max_lead`](Options::max_lead).
    AcceptAndCount,
    /// Do as if it had not come. `recv` gives a stamp of the own time, which may be smaller than the remote one: write
    /// it over the remote one before anybody relies on their order.
    Restamp,
}

/// What to do once the wall has jumped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JumpPolicy {
    /// Do not look for jumps at all.
    Ignore,
    /// Count it in the statistics, and go on by the new time. The default. With a `Keeper`, [`Report`](Self::Report)
    /// or [`Refuse`](Self::Refuse) is better: it makes the new time durable.
    Count,
    /// Fail one call with [`HybridError::Jumped`](super::HybridError::Jumped) before any stamp by the new time, then
    /// go on.
    Report,
    /// Fail every call, until the wall has come back or
    /// [`accept_jump`](super::HybridClock::accept_jump) is called. What a database wants that would rather be down
    /// than write the future into its data.
    Refuse,
}

/// Which steps of the wall are jumps. A jump is a change of the difference between the wall and the monotonic
/// reading: somebody set the clock, or the machine was suspended and the monotonic reading does not count that.
///
/// The clock looks for one when the wall has moved on by half of `forward` since it last looked, and when the wall is
/// further behind the stamps than `backward`. So every step forward of more than `forward` is seen before a stamp is
/// given by it; a step back is seen when it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jumps {
    /// The least step forward that is a jump.
    pub forward: Duration,
    /// The least step back that is a jump.
    pub backward: Duration,
    /// What to do about it.
    pub policy: JumpPolicy,
}

impl Default for Jumps {
    /// 250 ms either way, half of what is tolerated of others, and counted.
    fn default() -> Self {
        let step = Duration::from_millis(250);
        Self { forward: step, backward: step, policy: JumpPolicy::Count }
    }
}

/// The limits of a hybrid clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How far a remote stamp may lie ahead of the own wall.
    pub max_offset: Duration,
    /// What to do with those that lie further.
    pub offset_policy: OffsetPolicy,
    /// How far the clock may be ahead of its own wall, for whatever reason: remote stamps, a full logical part that
    /// carries, a wall that was set back. Beyond it no stamp is given.
    pub max_lead: Duration,
    /// What to do when the wall jumps.
    pub jumps: Jumps,
}

impl Default for Options {
    /// 500 ms of offset, beyond which stamps are rejected; 10 s of lead; jumps are counted.
    fn default() -> Self {
        Self {
            max_offset: Duration::from_millis(500),
            offset_policy: OffsetPolicy::Reject,
            max_lead: Duration::from_secs(10),
            jumps: Jumps::default(),
        }
    }
}
