//! The clock.

mod jump;

use core::fmt;
use core::time::Duration;

use super::error::HybridError;
use super::layout::{Derived, Layout, Micros};
use super::options::{JumpPolicy, OffsetPolicy, Options};
use super::physical::Physical;
use super::statistics::{Counters, Statistics};
use super::timestamp::Timestamp;
use crate::UnixTime;
use crate::interval::Interval;
use crate::sync::{AtomicU64, Ordering};

/// The longest that [`HybridClock::remaining`] lets a caller wait before it looks again: the wall may be set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A hybrid logical clock. Threads share it by reference; it is one atomic number and never locks.
///
/// * *stamp*: [`now`](Self::now) for a local or sending event, [`recv`](Self::recv) for a message that came,
///   [`observe`](Self::observe) when something was read that needs no stamp of its own;
/// * *ask*: [`last`](Self::last), [`lead`](Self::lead), [`remaining`](Self::remaining),
///   [`statistics`](Self::statistics);
/// * *tell*: [`accept_jump`](Self::accept_jump), [`raise_bound`](Self::raise_bound).
///
/// Every stamp is greater than all that this clock gave or took before. A call that fails changes nothing but counts.
///
/// ```
/// use core::time::Duration;
/// use synod_clock::hybrid::{HybridClock, Timestamp, from_fn};
///
/// let stamp = |micros, logical| Timestamp::from_parts(micros, logical).expect("both fit");
/// let a = HybridClock::new(from_fn(|| Duration::from_micros(100)));
/// let b = HybridClock::new(from_fn(|| Duration::from_micros(105)));
/// assert_eq!(a.now()?, stamp(100, 0));
/// assert_eq!(b.now()?, stamp(105, 0));
/// let message = a.now()?;
/// assert_eq!(message, stamp(100, 1)); // the wall stands still, the logical part goes on
/// assert_eq!(b.recv(message)?, stamp(105, 1)); // 105 is B's own time alone: its logical part plus one
/// # Ok::<(), synod_clock::hybrid::HybridError>(())
/// ```
pub struct HybridClock<P, L: Layout = Micros> {
    state: State,
    counters: Counters,
    limits: Limits,
    options: Options,
    source: P,
    layout: core::marker::PhantomData<L>,
}

/// What threads share, in one line of the processor's cache. All but `shift` are packed stamps.
#[derive(Debug)]
#[repr(align(64))]
struct State {
    /// The greatest stamp given or taken. Invariant: it only grows.
    last: AtomicU64,
    /// What is given and taken stays below. Invariant: it only grows.
    bound: AtomicU64,
    /// From this wall reading on, a look for jumps is due. Never, when jumps are ignored.
    mark: AtomicU64,
    /// Half of the wall less the monotonic reading when the clock last looked, in nanoseconds, and 2⁶³.
    shift: AtomicU64,
    /// A greater lead than this wants a closer look: the least of what is allowed and what shows a step back.
    watch: u64,
}

/// The options in packed form: a difference of stamps is beyond one of them if its ticks are.
#[derive(Debug)]
struct Limits {
    offset: u64,
    lead: u64,
    backward: u64,
}

/// What [`HybridClock::observe`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observed {
    /// The clock was not behind the stamp.
    Older,
    /// The clock was raised to it.
    Raised,
    /// The stamp was passed over, by [`OffsetPolicy::Restamp`].
    PassedOver,
}

/// What the offset policy says of a remote stamp.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Take,
    TakeAhead,
    PassOver,
}

impl<P: Physical> HybridClock<P> {
    /// A clock of the default options which has given nothing yet, of the layout [`Micros`] alone: of another one, and
    /// with other options, [`HybridClock::with_options`] makes it. After a restart, use a `Keeper`, or
    /// [`HybridClock::resume`].
    pub fn new(source: P) -> Self {
        Self::with_options(source, Options::default())
    }
}

impl<P: Physical, L: Layout> HybridClock<P, L> {
    /// A clock of any layout that has given nothing yet.
    ///
    /// ```
    /// use core::time::Duration;
    /// use synod_clock::hybrid::{HybridClock, Millis48, Options, from_fn};
    ///
    /// let wall = from_fn(|| Duration::from_secs(100));
    /// let clock = HybridClock::<_, Millis48>::with_options(wall, Options::default());
    /// assert_eq!(clock.now()?.physical(), 100_000);
    /// # Ok::<(), synod_clock::hybrid::HybridError>(())
    /// ```
    pub fn with_options(source: P, options: Options) -> Self {
        Self::resume(source, options, Timestamp::ZERO, Timestamp::MAX)
    }

    /// A clock whose stamps are greater than `last` and smaller than `bound`. For those who persist bounds by
    /// themselves: nothing at or above `bound` may ever have been given, and nothing above `last`.
    pub fn resume(source: P, options: Options, last: Timestamp<L>, bound: Timestamp<L>) -> Self {
        let limit = |span| L::packed(span) | L::LOGICAL_MASK;
        let jumps = options.jumps;
        let limits = Limits {
            offset: limit(options.max_offset),
            lead: limit(options.max_lead),
            backward: limit(jumps.backward),
        };
        let watch = match jumps.policy {
            JumpPolicy::Ignore => limits.lead,
            _ => limits.lead.min(limits.backward),
        };
        let clock = Self {
            state: State {
                last: AtomicU64::new(last.as_u64()),
                bound: AtomicU64::new(bound.as_u64()),
                mark: AtomicU64::new(u64::MAX),
                shift: AtomicU64::new(0),
                watch,
            },
            counters: Counters::new(),
            limits,
            options,
            source,
            layout: core::marker::PhantomData,
        };
        clock.begin_looking();
        clock
    }

    /// A stamp for a local event or a message to send: the wall reading, or one more than the last.
    ///
    /// # Errors
    /// Any [`HybridError`] but [`HybridError::Offset`].
    #[inline]
    pub fn now(&self) -> Result<Timestamp<L>, HybridError> {
        self.advance(self.read()?, 0)
    }

    /// A stamp for a read, and what the read must consider: from the stamp to the wall's reading and
    /// [`max_offset`](Options::max_offset) and [`max_lead`](Options::max_lead) more. What is met above the end is surely
    /// later; what is met inside may be either, and the read begins anew there.
    ///
    /// Whatever a node stamped by `now` or `recv` before the read began, this one or another, is not above the end.
    /// That holds as long as
    ///
    /// * this wall is at most `max_offset` behind what any node's wall showed at any earlier moment: it holds of
    ///   walls that are always within half of it of true time, and not of one that was set back further since;
    /// * no node stamps with a greater `max_lead` than this one's.
    ///
    /// Walls that agree are not enough: a node that was restarted, whose wall was set back, or that took a remote stamp,
    /// writes ahead of its wall, up to `max_lead`. For a narrow interval choose a small one for all nodes; it must hold
    /// the window of a `Keeper`, and the offset.
    ///
    /// ```
    /// use core::time::Duration;
    /// use synod_clock::hybrid::{HybridClock, from_fn};
    ///
    /// let clock = HybridClock::new(from_fn(|| Duration::from_secs(100)));
    /// let (stamp, interval) = clock.now_interval()?;
    /// assert_eq!(stamp.wall(), Duration::from_secs(100));
    /// assert_eq!(interval.width(), Duration::from_millis(500 + 10_000)); // the default offset and lead
    /// # Ok::<(), synod_clock::hybrid::HybridError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`now`](Self::now), and [`HybridError::NoInterval`].
    pub fn now_interval(&self) -> Result<(Timestamp<L>, Interval), HybridError> {
        let wall_ns = self.source.wall_ns();
        // Of the reading in nanoseconds: the writer's may have been in a later part of a tick. A stamp that is at most
        // the lead in ticks ahead of its reading in ticks is at most the lead ahead of the reading.
        let latest = Duration::from_nanos(wall_ns)
            .checked_add(self.options.max_offset)
            .and_then(|end| end.checked_add(self.options.max_lead))
            .and_then(unix)
            .ok_or(HybridError::NoInterval)?;
        let stamp = self.advance(Self::packed(wall_ns)?, 0)?;
        let earliest = unix(stamp.wall()).ok_or(HybridError::NoInterval)?;
        Ok((stamp, Interval::new(earliest, latest)))
    }

    /// A stamp for the receipt of a message: greater than the message's, unless [`OffsetPolicy::Restamp`] passed that
    /// over.
    ///
    /// # Errors
    /// Any [`HybridError`].
    #[inline]
    pub fn recv(&self, remote: Timestamp<L>) -> Result<Timestamp<L>, HybridError> {
        let wall = self.read()?;
        if remote.as_u64().saturating_sub(wall) <= self.limits.offset {
            return self.advance(wall, remote.as_u64());
        }
        self.recv_ahead(wall, remote.as_u64())
    }

    /// Sees to it that later stamps are greater than this one, without giving one. Loads one number when they are
    /// anyway.
    ///
    /// # Errors
    /// Any [`HybridError`].
    #[inline]
    pub fn observe(&self, remote: Timestamp<L>) -> Result<Observed, HybridError> {
        if remote.as_u64() <= self.state.last.load(Ordering::Relaxed) {
            return Ok(Observed::Older);
        }
        self.raise(remote.as_u64())
    }

    /// The greatest stamp that was given or taken.
    #[inline]
    pub fn last(&self) -> Timestamp<L> {
        Timestamp::from_u64(self.state.last.load(Ordering::Relaxed))
    }

    /// How far [`last`](Self::last) is ahead of the wall; zero when it is not.
    pub fn lead(&self) -> Duration {
        self.last().wall().saturating_sub(self.wall())
    }

    /// How long to wait until the wall is past the stamp; `None` when it is. Never zero, so that a loop around it does
    /// not spin, and at most a second, so that it learns of a wall that was set.
    pub fn remaining(&self, stamp: Timestamp<L>) -> Option<Duration> {
        let due = L::span(stamp.physical().saturating_add(1));
        let left = due.checked_sub(self.wall()).filter(|left| !left.is_zero());
        left.map(|left| left.min(LONGEST_WAIT))
    }

    /// The wall as it is read now, since 1970.
    pub fn wall(&self) -> Duration {
        Duration::from_nanos(self.source.wall_ns())
    }

    /// What happened so far.
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// The limits it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Where its readings come from.
    pub fn source(&self) -> &P {
        &self.source
    }

    /// Allows stamps up to the new bound, which must be durable already; a smaller one than before changes nothing.
    pub fn raise_bound(&self, bound: Timestamp<L>) {
        self.state.bound.fetch_max(bound.as_u64(), Ordering::Release);
    }

    /// The bound that stamps stay below.
    pub fn bound(&self) -> Timestamp<L> {
        Timestamp::from_u64(self.state.bound.load(Ordering::Relaxed))
    }

    /// The wall as a packed stamp.
    #[inline]
    fn read(&self) -> Result<u64, HybridError> {
        Self::packed(self.source.wall_ns())
    }

    #[inline]
    fn packed(wall_ns: u64) -> Result<u64, HybridError> {
        L::ticks_of_ns(wall_ns).map(|ticks| ticks << L::LOGICAL_BITS).ok_or(HybridError::Exhausted)
    }

    /// The wall as a packed stamp, once it is known not to have jumped there.
    pub(super) fn read_settled(&self) -> Result<u64, HybridError> {
        let wall = self.read()?;
        if wall >= self.state.mark.load(Ordering::Relaxed) {
            self.look_for_jumps(self.options.jumps.policy)?;
        }
        Ok(wall)
    }

    /// Figure 5 of the paper on packed stamps: `max(wall, max(last, floor) + 1)`. A wall that is ahead of both wins with
    /// logical part 0; else one more than the greater of both does. Relaxed is enough for `last`: every stamp comes of a
    /// read-modify-write of this one number. `bound` is acquired: who sees it raised sees that it was made durable.
    ///
    /// This is the short way, to be inlined: one try, of a stamp that no limit is near.
    #[inline]
    fn advance(&self, wall: u64, floor: u64) -> Result<Timestamp<L>, HybridError> {
        let state = &self.state;
        let last = state.last.load(Ordering::Relaxed);
        let next = wall.max(last.max(floor).saturating_add(1));
        if next < state.bound.load(Ordering::Acquire)
            && next - wall <= state.watch
            && wall < state.mark.load(Ordering::Relaxed)
            && state.last.compare_exchange(last, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            if next & L::LOGICAL_MASK == 0 && next != wall {
                self.counters.carried.count();
            }
            return Ok(Timestamp::from_u64(next));
        }
        self.advance_with_care(wall, floor)
    }

    /// The same with every question asked, as often as another thread is quicker.
    #[cold]
    #[inline(never)]
    fn advance_with_care(&self, wall: u64, floor: u64) -> Result<Timestamp<L>, HybridError> {
        let mut last = self.state.last.load(Ordering::Relaxed);
        loop {
            let next = wall.max(last.max(floor).saturating_add(1));
            self.check(wall, next)?;
            match self.state.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    if next & L::LOGICAL_MASK == 0 && next != wall {
                        self.counters.carried.count();
                    }
                    return Ok(Timestamp::from_u64(next));
                }
                Err(seen) => last = seen,
            }
        }
    }

    /// Whether the stamp may be given.
    fn check(&self, wall: u64, next: u64) -> Result<(), HybridError> {
        let ahead = next - wall;
        if wall >= self.state.mark.load(Ordering::Relaxed) || ahead > self.limits.backward {
            self.look_for_jumps(self.options.jumps.policy)?;
        }
        self.check_lead(ahead)?;
        self.check_bound(next)
    }

    fn check_lead(&self, ahead: u64) -> Result<(), HybridError> {
        if ahead <= self.limits.lead {
            return Ok(());
        }
        self.counters.lead_reached.count();
        Err(HybridError::Lead { lead: Self::span(ahead), max: self.options.max_lead })
    }

    fn check_bound(&self, next: u64) -> Result<(), HybridError> {
        match self.state.bound.load(Ordering::Acquire) {
            bound if next < bound => Ok(()),
            u64::MAX => Err(HybridError::Exhausted),
            _ => {
                self.counters.bound_reached.count();
                Err(HybridError::UpperBound)
            }
        }
    }

    /// A remote stamp that is beyond the offset. One that the clock is ahead of anyway moves nothing.
    #[cold]
    fn recv_ahead(&self, wall: u64, remote: u64) -> Result<Timestamp<L>, HybridError> {
        if remote <= self.state.last.load(Ordering::Relaxed) {
            return self.advance(wall, 0);
        }
        let verdict = self.judge(wall, remote)?;
        let floor = if verdict == Verdict::PassOver { 0 } else { remote };
        let stamp = self.advance(wall, floor)?;
        self.count(verdict);
        Ok(stamp)
    }

    #[inline(never)]
    fn raise(&self, remote: u64) -> Result<Observed, HybridError> {
        let wall = self.read_settled()?;
        let verdict = self.judge(wall, remote)?;
        if verdict == Verdict::PassOver {
            self.count(verdict);
            return Ok(Observed::PassedOver);
        }
        self.check_lead(remote.saturating_sub(wall))?;
        self.check_bound(remote)?;
        let last = self.state.last.fetch_max(remote, Ordering::Relaxed);
        self.count(verdict);
        Ok(if last < remote { Observed::Raised } else { Observed::Older })
    }

    /// Compares with the own wall, not with the own clock: else offsets would add up along a chain of nodes.
    fn judge(&self, wall: u64, remote: u64) -> Result<Verdict, HybridError> {
        let ahead = remote.saturating_sub(wall);
        if ahead <= self.limits.offset {
            return Ok(Verdict::Take);
        }
        match self.options.offset_policy {
            OffsetPolicy::Reject => {
                self.counters.rejected.count();
                Err(HybridError::Offset { ahead: Self::span(ahead), max: self.options.max_offset })
            }
            OffsetPolicy::AcceptAndCount => Ok(Verdict::TakeAhead),
            OffsetPolicy::Restamp => Ok(Verdict::PassOver),
        }
    }

    fn count(&self, verdict: Verdict) {
        match verdict {
            Verdict::Take => {}
            Verdict::TakeAhead => self.counters.accepted_ahead.count(),
            Verdict::PassOver => self.counters.restamped.count(),
        }
    }

    /// The ticks of a difference of stamps.
    fn span(difference: u64) -> Duration {
        L::span(difference >> L::LOGICAL_BITS)
    }
}

fn unix(since_1970: Duration) -> Option<UnixTime> {
    i64::try_from(since_1970.as_nanos()).ok().map(UnixTime::from_nanos)
}

impl<P, L: Layout> fmt::Debug for HybridClock<P, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = Timestamp::<L>::from_u64(self.state.last.load(Ordering::Relaxed));
        f.debug_struct("HybridClock")
            .field("last", &last)
            .field("options", &self.options)
            .field("statistics", &self.counters.read())
            .finish_non_exhaustive()
    }
}
