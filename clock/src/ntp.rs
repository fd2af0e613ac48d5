//! The Network Time Protocol, version 4, client's side, without a socket (RFC 5905).
//!
//! A datagram goes there and back. Of its four times, [`RoundTrip`] makes an offset and a delay; the offset is wrong by
//! at most half the delay. An [`Association`] decides which answers to believe, a [`Filter`] keeps the one of eight
//! that was least delayed, [`select()`] finds the servers that tell the truth, and a [`Discipline`] turns a counter
//! that nobody corrects into a clock. [`Client`] is all of them together; a socket and a counter are the caller's.
//!
//! Nothing here sets the system's clock.
//!
//! # Where this departs from RFC 5905
//! - Servers are compared with a clock that is never stepped or slewed nor run at another frequency: the counter itself.
//!   So nothing has to be forgotten after a step, an answer that crosses one is still right, and the stated error holds
//!   whatever was learned.
//! - The bound holds all that most servers may say, not just where the greatest number of claims meet; and all of a
//!   sample's age is in its error.
//! - The transmit time of a question is a cookie that the caller draws at random, so that who cannot see questions
//!   cannot forge answers.
//! - A phase is slewed along a straight line until the next correction, not along an exponential curve that is worked
//!   out each second. The frequency comes from the phase-locked loop alone.
//! - The intervals between questions change by kisses alone. The frequency is learned the more slowly the longer they
//!   are.
//! - No symmetric modes, no broadcast, no authentication: NTS belongs in front of this.

mod association;
mod client;
mod discipline;
pub mod fault;
mod filter;
mod packet;
mod round_trip;
mod select;
mod timestamp;

pub use association::{Association, PollOptions, Rejection};
pub use client::{Accepted, Client, ClientOptions};
pub use discipline::{Correction, Discipline, DisciplineOptions, MAXIMUM_SLEW_PPB, Outcome};
pub use filter::{Estimate, Filter, Sample};
pub use packet::{Kiss, Leap, Mode, Packet, PacketError, ReferenceId};
pub use round_trip::RoundTrip;
pub use select::{Candidate, SelectOptions, Selection, select, select_with_faults};
pub use timestamp::{NtpShort, NtpTimestamp};
