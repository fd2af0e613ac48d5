//! The hybrid logical clock: time stamps that follow causality like Lamport's and the wall clock like a wall clock's.
//!
//! ```text
//!   63                    12 11        0
//!  ┌────────────────────────┬───────────┐     next = max(wall, max(last, received) + 1)
//!  │ physical: µs since 1970│ logical   │
//!  └────────────────────────┴───────────┘     as one number; a full logical part carries into the physical one
//! ```
//!
//! Kulkarni, Demirbas, Madappa, Avva and Leone, *Logical Physical Clocks and Consistent Snapshots in Globally
//! Distributed Databases* (2014), figure 5, gives the rule by cases; on the packed number it is the one line above.
//! If *e* happened before *f*, the stamp of *e* is smaller. A stamp is never behind the wall that its node read, and
//! ahead of it at most by what the [`Options`] allow.
//!
//! Needs neither the standard library nor an operating system, but 64-bit atomics. `Keeper` and `Seam` need the
//! feature `std`.
//!
//! In reading order: [`Layout`] and [`Timestamp`], what a stamp is; [`Physical`], where readings come from;
//! [`Options`] and [`HybridClock`]; `Keeper`, which makes restarts safe; [`NodeTimestamp`] for a total order.

mod civil;
mod clock;
mod error;
#[cfg(feature = "std")]
mod keeper;
mod layout;
mod node;
mod options;
mod physical;
#[cfg(feature = "serde")]
mod serialize;
mod statistics;
mod text;
#[cfg(test)]
mod threads;
mod timestamp;

pub use clock::{HybridClock, Observed};
pub use error::{Direction, HybridError};
#[cfg(feature = "std")]
pub use keeper::{Keeper, KeeperError, KeeperOptions, overrule};
pub use layout::{Layout, Micros, Millis42, Millis48, Ntp64};
pub use node::NodeTimestamp;
pub use options::{JumpPolicy, Jumps, OffsetPolicy, Options};
#[cfg(feature = "std")]
pub use physical::Seam;
pub use physical::{FromFn, Physical, from_fn};
pub use statistics::Statistics;
pub use text::ParseError;
pub use timestamp::Timestamp;
