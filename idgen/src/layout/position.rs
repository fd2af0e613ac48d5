//! An id without its node.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use super::{Fields, Id, Layout};
use crate::node::NodeId;

/// Ticks since the layout's epoch, then the sequence: what of a node's ids only ever grows.
///
/// Positions are counted, reserved and made durable; together with a node one is an [`Id`]. [`Position::END`] is no
/// position of an id but the bound that all of them stay below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position<L>(u64, PhantomData<L>);

impl<L: Layout> Position<L> {
    /// The first tick's first.
    pub const ZERO: Self = {
        let () = L::CHECKED;
        Self(0, PhantomData)
    };
    /// The bound of all positions. Where time and sequence fill 64 bits the very last position is not used, so that the
    /// bound is a number.
    pub const END: Self = Self(L::END, PhantomData);

    /// The position of this number; [`None`] beyond [`Position::END`].
    pub const fn from_u64(position: u64) -> Option<Self> {
        if position <= L::END { Some(Self(position, PhantomData)) } else { None }
    }

    /// The first position of the tick of a moment since 1970: zero before the epoch, the end beyond the end. Every id
    /// made from that moment on, by a generator whose wall is right, is at or above it.
    ///
    /// ```
    /// use core::time::Duration;
    /// use synod_idgen::layout::{Id, Position, Twitter};
    /// use synod_idgen::node::NodeId;
    ///
    /// // The least id of a moment, of any node: `WHERE id >= …`
    /// let midnight = Duration::from_secs(1_767_225_600); // 2026-01-01
    /// let least: Id<Twitter> = Position::at(midnight).id(NodeId::new(0)?).ok_or("the end of time")?;
    /// assert_eq!(least.as_u64(), (1_767_225_600_000 - 1_288_834_974_657) << 22);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn at(since_1970: Duration) -> Self {
        Self::first_of(L::ticks_of(since_1970))
    }

    /// The number.
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Ticks since the epoch.
    #[inline]
    pub const fn tick(self) -> u64 {
        self.0 >> L::SEQUENCE_BITS
    }

    /// The sequence within the tick.
    #[inline]
    pub const fn sequence(self) -> u64 {
        self.0 & L::SEQUENCE_MASK
    }

    /// The beginning of its tick, since 1970.
    pub fn time(self) -> Duration {
        L::time_of(self.tick())
    }

    /// The position so many further on; stays at the end.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count).min(L::END), PhantomData)
    }

    /// The position so much time, in whole ticks, further on; stays at the end.
    #[must_use]
    pub fn plus_time(self, span: Duration) -> Self {
        let ticks = L::ticks_in(span).min(L::END_TICK);
        self.plus(if ticks == L::END_TICK { u64::MAX } else { ticks << L::SEQUENCE_BITS })
    }

    /// The id of this position at a node; [`None`] at the end.
    pub fn id(self, node: NodeId<L>) -> Option<Id<L>> {
        (self.0 < L::END).then(|| Id::join(self.0, node))
    }

    /// The first position of a tick; the end beyond the end.
    #[inline]
    pub(crate) fn first_of(tick: u64) -> Self {
        Self(if tick >= L::END_TICK { L::END } else { tick << L::SEQUENCE_BITS }, PhantomData)
    }

    /// Of a number that is known to be at most the end.
    #[inline]
    pub(crate) const fn known(position: u64) -> Self {
        Self(position, PhantomData)
    }
}

impl<L: Layout> fmt::Debug for Position<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", L::NAME, self.tick(), self.sequence())
    }
}
