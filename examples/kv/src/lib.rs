//! A replicated key-value service.
pub mod client;
pub mod command;
pub mod config;
pub mod http;
pub mod reply;
pub mod server;
pub mod service;
pub mod sessions;
pub mod status;
mod trace;
