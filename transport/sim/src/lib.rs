//! A seeded world in virtual time that drives any Synod machine.
//!
//! [`linear`] judges histories of a key-value register.

pub mod linear;
