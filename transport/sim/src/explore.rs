//! Exhaustive exploration: every state that a small world can reach.
//!
//! A [`Model`] says where a world begins and what can happen next. An explorer visits all of it breadth first, so the
//! counterexample it finds is a shortest one.

mod model;

pub use model::Model;
