//! Conformance suites: an implementer of a seam runs one line in a test of its own.

pub mod log_store;
pub mod net;
pub mod state_store;
