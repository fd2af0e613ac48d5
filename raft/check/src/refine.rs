//! Whether the code does only what the specification allows.
//!
//! `raft/spec/Raft.tla` says what a step may do. [`edges`](edges()) explores the real machines and asks it about every step, in the
//! module's exact mode and within the same bounds; [`Run`] follows the trace of a run, simulated or real, and asks it about every
//! step of every node.

mod edges;
mod life;
mod log;
mod mail;
mod module;
mod run;
mod scene;
mod twin;
mod window;

pub use edges::{EdgesError, Refined, constants, edges};
pub use log::Log;
pub use mail::Mail;
pub use module::{Constants, Judge, Limits, Module, Refusal, SpecError, Verdict};
pub use run::{Run, RunError, TraceError, simulated, validate_processes, validate_world};
pub use scene::{Hint, Image, Memory, Scene, Server, Step};
pub use twin::setup_of;
