//! Ids: what one costs, alone and with two threads on one generator, when a fresh tick has room and over whole seconds;
//! and what text of it costs.
//!
//! Each family has a file with a `figures()` of its own. Peers run through their own interfaces as their documentation
//! has it; one that needs `&mut` stands behind the standard library's mutex where two threads share it.

mod burst;
mod ours;
mod peers;
mod snowflake;
mod sortable;
mod steady;
pub mod suite;
mod text;
