//! The hybrid logical clock: paper, scenarios, restarts, and an oracle of causal histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod explore;
mod hands;
mod interval;
mod jumps;
mod offset;
mod oracle;
mod overflow;
mod paper;
mod restart;
mod serialize;
