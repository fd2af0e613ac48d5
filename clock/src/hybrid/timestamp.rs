//! A stamp.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::time::Duration;

use super::layout::{Derived, Layout, Micros};

/// A stamp of a [`HybridClock`](super::HybridClock): 64 bits, whose order as a number is the order of stamps.
///
/// As text it is RFC 3339 in UTC, then `#` and the logical part with leading zeros, so that texts sort like stamps (up
/// to the year 9999):
///
/// ```
/// use synod_clock::hybrid::{Micros, Timestamp};
///
/// let stamp = Timestamp::<Micros>::from_parts(1_704_067_200_000_123, 42).expect("both fit");
/// assert_eq!(stamp.to_string(), "2024-01-01T00:00:00.000123Z#0042");
/// assert_eq!("2024-01-01T00:00:00.000123Z#0042".parse(), Ok(stamp));
/// assert_eq!(Timestamp::from_bytes(stamp.to_bytes()), stamp);
/// ```
pub struct Timestamp<L: Layout = Micros>(u64, PhantomData<L>);

impl<L: Layout> Timestamp<L> {
    /// The smallest stamp: 1970, logical part 0. No clock gives it.
    pub const ZERO: Self = Self(0, PhantomData);
    /// The greatest. No clock gives it.
    pub const MAX: Self = Self(u64::MAX, PhantomData);
    /// The greatest logical part.
    pub const MAX_LOGICAL: u64 = L::LOGICAL_MASK;
    /// The greatest physical part, in ticks.
    pub const MAX_PHYSICAL: u64 = u64::MAX >> L::LOGICAL_BITS;

    /// From ticks of the layout since 1970 and a logical part; `None` when one of them is too great.
    pub const fn from_parts(physical: u64, logical: u64) -> Option<Self> {
        if physical > Self::MAX_PHYSICAL || logical > Self::MAX_LOGICAL {
            return None;
        }
        Some(Self(physical << L::LOGICAL_BITS | logical, PhantomData))
    }

    /// From a wall reading since 1970, rounded down to a tick, logical part 0; `None` beyond the layout's end.
    pub fn from_wall(since_1970: Duration) -> Option<Self> {
        L::ticks(since_1970).map(|ticks| Self(ticks << L::LOGICAL_BITS, PhantomData))
    }

    /// From the packed number.
    #[inline]
    pub const fn from_u64(packed: u64) -> Self {
        Self(packed, PhantomData)
    }

    /// The packed number: greater is later.
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// From [`Timestamp::to_bytes`].
    #[inline]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_u64(u64::from_be_bytes(bytes))
    }

    /// Big-endian: bytes sort like stamps.
    #[inline]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Ticks of the layout since 1970.
    #[inline]
    pub const fn physical(self) -> u64 {
        self.0 >> L::LOGICAL_BITS
    }

    /// The counter that tells stamps of one tick apart.
    #[inline]
    pub const fn logical(self) -> u64 {
        self.0 & Self::MAX_LOGICAL
    }

    /// The physical part as time since 1970, rounded up to a nanosecond.
    pub fn wall(self) -> Duration {
        L::span(self.physical())
    }

    /// The next greater stamp; a full logical part carries. `None` after [`Timestamp::MAX`].
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next, PhantomData)),
            None => None,
        }
    }
}

// By hand, since derives would ask the same of `L`.
impl<L: Layout> Clone for Timestamp<L> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Timestamp<L> {}

impl<L: Layout> PartialEq for Timestamp<L> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<L: Layout> Eq for Timestamp<L> {}

impl<L: Layout> PartialOrd for Timestamp<L> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<L: Layout> Ord for Timestamp<L> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<L: Layout> Hash for Timestamp<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<L: Layout> Default for Timestamp<L> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<L: Layout> fmt::Debug for Timestamp<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.physical(), self.logical())
    }
}
