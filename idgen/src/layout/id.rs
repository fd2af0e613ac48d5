//! The id of a layout.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use core::time::Duration;

use super::{Discord, Fields, Layout, Position};
use crate::node::NodeId;

/// An id of a layout, which decides what its bits mean. Eight bytes; orders by time first.
///
/// ```
/// use synod_idgen::layout::{Discord, Id};
///
/// let id: Id<Discord> = "175928847299117063".parse()?; // the example of Discord's documentation
/// assert_eq!(id.time().as_millis(), 1_462_015_105_796); // 2016-04-30 11:18:25.796
/// assert_eq!((id.worker(), id.process(), id.sequence()), (1, 0, 7));
/// assert_eq!(id.to_string(), "175928847299117063");
/// # Ok::<(), synod_idgen::layout::IdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<L>(u64, PhantomData<L>);

/// Why a number or a text is no id of a layout. The giver's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The number has more bits than ids of the layout, or is negative.
    #[error("an id of {layout} has {bits} bits; the number has more, or is negative")]
    TooWide {
        /// [`Layout::NAME`].
        layout: &'static str,
        /// [`Layout::BITS`].
        bits: u32,
    },
    /// The text is no number as ids print theirs: decimal digits, no sign, no zero in front.
    #[error("an id is written in decimal digits, without a sign, blanks or zeros in front")]
    Text,
    /// A part is too great for its field.
    #[error("the {part} has {bits} bits in {layout}; the number has more")]
    Part {
        /// `tick` or `sequence`.
        part: &'static str,
        /// [`Layout::NAME`].
        layout: &'static str,
        /// The field's width.
        bits: u32,
    },
}

impl<L: Layout> Id<L> {
    /// The id of this number.
    ///
    /// # Errors
    /// [`IdError::TooWide`]. Every other number is an id.
    #[inline]
    pub const fn from_u64(id: u64) -> Result<Self, IdError> {
        if id > L::ID_MASK {
            return Err(IdError::TooWide { layout: L::NAME, bits: L::BITS });
        }
        Ok(Self(id, PhantomData))
    }

    /// The id of these parts: ticks since the epoch, node, sequence.
    ///
    /// # Errors
    /// [`IdError::Part`].
    pub fn from_parts(tick: u64, node: NodeId<L>, sequence: u64) -> Result<Self, IdError> {
        let fail = |part, bits| IdError::Part { part, layout: L::NAME, bits };
        if tick >= L::END_TICK {
            return Err(fail("tick", L::TIME_BITS));
        }
        if sequence > L::SEQUENCE_MASK {
            return Err(fail("sequence", L::SEQUENCE_BITS));
        }
        Ok(Self::join(tick << L::SEQUENCE_BITS | sequence, node))
    }

    /// The number.
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number where integers are signed: never negative. Of a layout of 64 bits there is no such method, and the
    /// compiler says so; `i64::try_from(id.as_u64())` tells whether one id fits.
    ///
    /// ```compile_fail
    /// use synod_idgen::layout::{Discord, Id};
    /// let id = Id::<Discord>::from_u64(7).unwrap();
    /// assert_eq!(id.as_i64(), 7);
    /// ```
    #[inline]
    pub const fn as_i64(self) -> i64 {
        const { assert!(L::BITS <= 63, "an id of 64 bits may be negative as an i64") };
        self.0 as i64
    }

    /// Ticks since the layout's epoch.
    #[inline]
    pub const fn tick(self) -> u64 {
        self.0 >> L::TICK_SHIFT
    }

    /// The beginning of its tick, since 1970-01-01 UTC.
    pub fn time(self) -> Duration {
        L::time_of(self.tick())
    }

    /// Who made it.
    #[inline]
    pub fn node(self) -> NodeId<L> {
        NodeId::of_field(L::split(self.0).1)
    }

    /// Its number within tick and node.
    #[inline]
    pub const fn sequence(self) -> u64 {
        self.0 >> L::SEQUENCE_SHIFT & L::SEQUENCE_MASK
    }

    /// Tick and sequence. [`Position::END`] for the one id of a layout without nodes that is never given.
    #[inline]
    pub fn position(self) -> Position<L> {
        Position::known(L::split(self.0).0)
    }

    /// Of a number that is known to be an id.
    #[inline]
    pub(crate) const fn known(id: u64) -> Self {
        Self(id, PhantomData)
    }

    /// Of a position below the end.
    #[inline]
    pub(crate) fn join(position: u64, node: NodeId<L>) -> Self {
        Self(L::join(position, u64::from(node.get())), PhantomData)
    }
}

impl<const EPOCH_MS: u64> Id<Discord<EPOCH_MS>> {
    /// Discord's name for the node's upper five bits.
    pub fn worker(self) -> u32 {
        self.node().get() >> 5
    }

    /// Discord's name for the node's lower five bits.
    pub fn process(self) -> u32 {
        self.node().get() & 31
    }
}

impl<L: Layout> From<Id<L>> for u64 {
    fn from(id: Id<L>) -> Self {
        id.as_u64()
    }
}

/// As [`Id::as_i64`], and as it no code that compiles where ids have 64 bits.
impl<L: Layout> From<Id<L>> for i64 {
    fn from(id: Id<L>) -> Self {
        id.as_i64()
    }
}

impl<L: Layout> TryFrom<u64> for Id<L> {
    type Error = IdError;

    fn try_from(id: u64) -> Result<Self, IdError> {
        Self::from_u64(id)
    }
}

/// As databases without unsigned integers give it back.
impl<L: Layout> TryFrom<i64> for Id<L> {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        let id = u64::try_from(id).map_err(|_| IdError::TooWide { layout: L::NAME, bits: L::BITS })?;
        Self::from_u64(id)
    }
}

/// Decimal.
impl<L: Layout> fmt::Display for Id<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<L: Layout> fmt::Debug for Id<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tick, node, sequence) = (self.tick(), self.node(), self.sequence());
        write!(f, "{} {} ({tick}:{node}:{sequence})", L::NAME, self.0)
    }
}

/// What [`Display`](fmt::Display) writes, and nothing else: one text for one id.
impl<L: Layout> FromStr for Id<L> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical = text == "0" || !text.starts_with(['0', '+']);
        if !canonical || text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdError::Text);
        }
        // Digits alone: what fails now is too great.
        let id = text.parse().map_err(|_| IdError::TooWide { layout: L::NAME, bits: L::BITS })?;
        Self::from_u64(id)
    }
}
