//! What a clock can say about two events.

use core::cmp::Ordering;
use core::fmt;

/// How two events, or two versions of one thing, stand to each other. Exactly one of the four holds.
///
/// ```
/// use core::cmp::Ordering;
/// use synod_clock::causality::Causality::{After, Before, Concurrent, Equal};
///
/// let all = [Equal, Before, After, Concurrent];
/// assert_eq!(all.map(|it| it.reverse()), [Equal, After, Before, Concurrent]);
/// assert_eq!(all.map(|it| it.is_within()), [true, true, false, false]);
/// assert_eq!(
///     all.map(|it| it.ordering()),
///     [Some(Ordering::Equal), Some(Ordering::Less), Some(Ordering::Greater), None]
/// );
/// assert_eq!(format!("{Before:>7}{Concurrent:>11}"), " before concurrent");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Causality {
    /// Both have the same past.
    Equal,
    /// The left one happened before the right one, which knows of it.
    Before,
    /// The right one happened before the left one.
    After,
    /// Neither knows of the other.
    Concurrent,
}

impl Causality {
    /// From both halves of the question: is left within right, is right within left?
    pub const fn from_inclusion(left_in_right: bool, right_in_left: bool) -> Self {
        match (left_in_right, right_in_left) {
            (true, true) => Self::Equal,
            (true, false) => Self::Before,
            (false, true) => Self::After,
            (false, false) => Self::Concurrent,
        }
    }

    /// The same, seen from the right.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
            same => same,
        }
    }

    /// Whether the right one knows all that the left one knows: equal or before.
    pub const fn is_within(self) -> bool {
        matches!(self, Self::Equal | Self::Before)
    }

    /// As the partial orders of the standard library say it: concurrent is `None`.
    pub const fn ordering(self) -> Option<Ordering> {
        match self {
            Self::Equal => Some(Ordering::Equal),
            Self::Before => Some(Ordering::Less),
            Self::After => Some(Ordering::Greater),
            Self::Concurrent => None,
        }
    }
}

impl fmt::Display for Causality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Equal => "equal",
            Self::Before => "before",
            Self::After => "after",
            Self::Concurrent => "concurrent",
        })
    }
}
