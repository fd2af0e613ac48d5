//! Simulated lives: generators with keepers, sequences and leased nodes, which crash and start again at every operation of
//! their stores while clocks are set back. No id and no number is ever given twice; naive twins give some twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod blocks;
mod disk;
mod granted;
mod grants;
mod hosts;
mod keeper;
mod kept;
mod sequence;
