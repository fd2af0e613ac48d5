//! The properties of figure 3, one file each, and the watcher that checks them after every step of a world.

mod committed_is_durable;
mod election_safety;
mod leader_append_only;
mod leader_completeness;
mod log_matching;

pub use committed_is_durable::committed_is_durable;
pub use election_safety::ElectionSafety;
pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use log_matching::log_matching;
