//! Interval tree clocks: causality among processes that nobody has named or counted.
//!
//! Vector clocks need an id for every process that ever was. Here a process owns a part of the unit interval; to bring
//! up another it *forks*, giving half of its part away, and to leave it *joins* its part into somebody else's. No
//! registry is asked. A stamp's history is a step function over the interval, how many events happened where; an event
//! raises it within the part that one owns, and one history is within another where its steps are nowhere higher.
//! (Almeida, Baquero, Fonte, *Interval Tree Clocks*, OPODIS 2008.)
//!
//! | paper | here |
//! |---|---|
//! | seed | [`Stamp::seed`], once for a system |
//! | fork | [`Stamp::fork`] |
//! | event | [`Stamp::event`] |
//! | join | [`Stamp::join`] with a stamp that retires, [`Stamp::merge`] with a history |
//! | peek | [`Stamp::peek`]: the anonymous stamp is another type, [`History`], which owns nothing and cannot count |
//! | send, receive, sync | [`Stamp::send`], [`Stamp::receive`]; sync is join, then fork |
//! | leq | [`History::is_within`], [`History::compare`] |
//! | encoding | [`Stamp::encode`], [`Stamp::decode`], [`History::encode`], [`History::decode`] |
//!
//! A part of the interval belongs to one stamp at a time, and so [`Stamp`] is not `Clone`. A stamp that is restored from
//! an old copy counts the same events twice; store it before its events are seen by others.
//!
//! ```
//! use synod_clock::causality::Causality;
//! use synod_clock::itc::Stamp;
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let mut laptop = Stamp::seed();
//! let mut phone = laptop.fork()?;
//! laptop.event()?;
//! phone.event()?;
//! assert_eq!(laptop.peek().compare(phone.peek()), Causality::Concurrent);
//! assert_eq!(laptop.to_string(), "((1, 0), (0, 1, 0))");
//!
//! phone.receive(&laptop.send()?)?;
//! assert_eq!(laptop.peek().compare(phone.peek()), Causality::Before);
//!
//! laptop.join(phone)?; // the phone retires
//! laptop.event()?;
//! assert_eq!(laptop.to_string(), "(1, 3)");
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! Both trees of a stamp are flat: their leaves in order, each with its depth and absolute height. Then leq and join
//! are one pass over two sorted lists, like those of a vector clock, and normal form is a look at the leaf before
//! (`tree.rs` says how). Operations are linear in the leaves.

mod code;
mod event;
mod id;
#[cfg(feature = "serde")]
mod serialize;
mod stamp;
mod text;
mod tree;

pub use code::DecodeError;
pub use stamp::{History, Overlap, Stamp};
pub use tree::MAX_DEPTH;

/// Why a stamp did not fork or count. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItcError {
    /// The stamp's part has been halved [`MAX_DEPTH`] times: it forked that often and nobody joined. Let others fork,
    /// or retire some.
    #[error("the part of this stamp has been halved {MAX_DEPTH} times already")]
    TooDeep,
    /// The history holds `u64::MAX` events somewhere: no process counts that far, so a message made it up.
    #[error("a counter of the history is at its end")]
    CounterOverflow,
}
